"""Objects as people and controllers write them, for tests to create."""

from dataclasses import dataclass

# The port at which tests' backends are asked through Roadstead.
PORT = 8080


@dataclass(frozen=True)
class Endpoint:
    """A backend as an EndpointSlice has it."""

    address: str
    port: int
    is_ready: bool = True
    is_terminating: bool = False
    is_serving: bool | None = None
    node: str | None = None

    @property
    def entry(self) -> dict:
        serving = self.is_ready if self.is_serving is None else self.is_serving
        ready = self.is_ready and not self.is_terminating
        return {
            "addresses": [self.address],
            "conditions": {"ready": ready, "serving": serving, "terminating": self.is_terminating},
            **({"nodeName": self.node} if self.node else {})}


def service(name: str = "hostname-svc-lb", annotations: dict | None = None, port: int = PORT, **spec) -> dict:
    """The example's Service; `spec` are more fields of it."""
    return {
        "metadata": {"name": name, **({"annotations": annotations} if annotations else {})},
        "spec": {
            "type": "LoadBalancer", "selector": {"app": "webserver"},
            "ports": [{"name": "webserver", "port": port, "targetPort": 18080}], **spec}}


def slices(of: str, endpoints: list[Endpoint]) -> list[dict]:
    """The EndpointSlices of a Service: one for each port that its endpoints have, for a slice has one."""
    made = []
    for port in sorted({one.port for one in endpoints}):
        made.append({
            "metadata": {"name": f"{of}-{port}", "labels": {"kubernetes.io/service-name": of}}, "addressType": "IPv4",
            "ports": [{"name": "webserver", "protocol": "TCP", "port": port}],
            "endpoints": [one.entry for one in endpoints if one.port == port]})
    return made


def pool(name: str, *addresses: str, **spec) -> dict:
    return {"metadata": {"name": name}, "spec": {"addresses": list(addresses), **spec}}


def lease(name: str, holder: str, renewed: str, duration: int = 3, transitions: int = 0) -> dict:
    return {"metadata": {"name": name}, "spec": {
        "holderIdentity": holder, "leaseDurationSeconds": duration, "acquireTime": renewed, "renewTime": renewed,
        "leaseTransitions": transitions}}


def pod(name: str, address: str, is_ready: bool = True) -> tuple[dict, dict]:
    """A Pod as it is created, and the status that its kubelet writes then."""
    body = {
        "metadata": {"name": name, "labels": {"app": "webserver"}},
        "spec": {"containers": [{"name": "web", "image": "web"}], "automountServiceAccountToken": False}}
    status = {"status": {
        "phase": "Running", "podIP": address, "podIPs": [{"ip": address}],
        "conditions": [{"type": "Ready", "status": str(is_ready)}]}}
    return body, status


def ingress(of: dict) -> list[dict]:
    return of["status"]["loadBalancer"].get("ingress") or []
