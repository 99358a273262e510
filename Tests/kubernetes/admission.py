"""What an API server makes of an object before it is stored: fields filled in, others dropped, some refused.

Only as far as a load balancer can tell, and in kube-apiserver's words. Two things are looser: endpoints may be on
loopback addresses, which kube-apiserver forbids, and a Pod may be created with its status.
"""

import itertools
from ipaddress import ip_address

import kinds
from kinds import Kind
from refusals import invalid

_IP_TEXT = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"
_CREATED_WITHOUT_STATUS = (kinds.SERVICE, kinds.POOL, kinds.ADVERTISEMENT)


class Admission:
    """`drops_ip_mode`: as API servers before 1.29, which know no such field."""

    def __init__(self):
        self.drops_ip_mode = False
        self._numbers = itertools.count()

    def create(self, kind: Kind, new: dict) -> None:
        if kind in _CREATED_WITHOUT_STATUS:
            new.pop("status", None)
        self._fill(kind, new, None)
        self._validate(kind, new, None)

    def update(self, kind: Kind, new: dict, old: dict, subresource: str) -> None:
        if kind.has_status:
            # Each of both ways leaves alone what the other one writes; metadata goes both ways.
            kept = [name for name in {*new, *old} if name not in ("metadata", "status")] if subresource else ["status"]
            for name in kept:
                new.pop(name, None)
                if name in old:
                    new[name] = old[name]
        self._fill(kind, new, old)
        self._validate(kind, new, old)

    def _fill(self, kind: Kind, new: dict, old: dict | None) -> None:
        if kind is kinds.SERVICE:
            self._fill_service(new, old)
        elif kind is kinds.NAMESPACE:
            name = new["metadata"]["name"]
            new["metadata"].setdefault("labels", {}).setdefault("kubernetes.io/metadata.name", name)
            new.setdefault("status", {"phase": "Active"})
        elif kind is kinds.SLICE:
            for port in new.get("ports") or []:
                port.setdefault("name", "")
                port.setdefault("protocol", "TCP")

    def _fill_service(self, new: dict, old: dict | None) -> None:
        spec = new.setdefault("spec", {})
        of_type = spec.setdefault("type", "ClusterIP")
        number = next(self._numbers)
        if "clusterIP" not in spec and of_type != "ExternalName":
            free = f"10.96.{number // 250 % 256}.{number % 250 + 2}"
            spec["clusterIP"] = old and old["spec"].get("clusterIP") or free
        if "clusterIP" in spec:
            spec.setdefault("clusterIPs", [spec["clusterIP"]])
            spec.setdefault("ipFamilies", ["IPv6" if ":" in spec["clusterIP"] else "IPv4"])
            spec.setdefault("ipFamilyPolicy", "SingleStack")
            spec.setdefault("internalTrafficPolicy", "Cluster")
        spec.setdefault("sessionAffinity", "None")
        has_node_ports = of_type == "NodePort"
        if of_type == "LoadBalancer":
            has_node_ports = spec.setdefault("allocateLoadBalancerNodePorts", True)
        else:
            for field in ("allocateLoadBalancerNodePorts", "loadBalancerClass", "healthCheckNodePort"):
                spec.pop(field, None)
        if of_type in ("LoadBalancer", "NodePort"):
            spec.setdefault("externalTrafficPolicy", "Cluster")
        else:
            spec.pop("externalTrafficPolicy", None)
        ports_before = (old or {}).get("spec", {}).get("ports", [])
        before = {(port.get("protocol"), port.get("port")): port for port in ports_before}
        for index, port in enumerate(spec.get("ports") or []):
            port.setdefault("protocol", "TCP")
            port.setdefault("targetPort", port.get("port"))
            if of_type == "ClusterIP":
                port.pop("nodePort", None)
            elif has_node_ports and not port.get("nodePort"):
                known = before.get((port["protocol"], port.get("port")), {}).get("nodePort")
                port["nodePort"] = known or 30000 + (number * 7 + index) % 2768
        status = new.setdefault("status", {})
        if of_type != "LoadBalancer" and (not old or old["spec"].get("type") == "LoadBalancer"):
            status["loadBalancer"] = {}
        if status.get("loadBalancer") is None:
            status["loadBalancer"] = {}
        for entry in status["loadBalancer"].get("ingress") or []:
            if self.drops_ip_mode:
                entry.pop("ipMode", None)
            elif "ip" in entry:
                entry.setdefault("ipMode", "VIP")

    def _validate(self, kind: Kind, new: dict, old: dict | None) -> None:
        causes = {kinds.SERVICE: _wrong_in_service, kinds.LEASE: _wrong_in_lease, kinds.EVENT: _wrong_in_event}.get(
            kind, lambda new, old: [])(new, old)
        if causes:
            raise invalid(kind, new["metadata"]["name"], *causes)


def _wrong_in_service(new: dict, old: dict | None) -> list[tuple[str, str, str]]:
    spec, causes = new["spec"], []
    ports = spec.get("ports") or []
    if not ports and spec.get("clusterIP") != "None" and spec["type"] != "ExternalName":
        causes.append(("FieldValueRequired", "spec.ports", "Required value"))
    for index, port in enumerate(ports):
        if len(ports) > 1 and not port.get("name"):
            causes.append(("FieldValueRequired", f"spec.ports[{index}].name", "Required value"))
    if old and old["spec"]["type"] == spec["type"] == "LoadBalancer":
        was, now = (one["spec"].get("loadBalancerClass") for one in (old, new))
        if was != now:
            value = f'"{now}"' if now else "null"
            causes.append((
                "FieldValueInvalid", "spec.loadBalancerClass", f"Invalid value: {value}: may not change once set"))
    ingress = new["status"]["loadBalancer"].get("ingress") or []
    if ingress and spec["type"] != "LoadBalancer":
        causes.append((
            "FieldValueForbidden", "status.loadBalancer.ingress",
            "Forbidden: may only be used when `spec.type` is 'LoadBalancer'"))
    for index, entry in enumerate(ingress):
        field = f"status.loadBalancer.ingress[{index}]"
        if "ip" in entry and not _is_address(entry["ip"]):
            causes.append(("FieldValueInvalid", f"{field}.ip", f'Invalid value: "{entry["ip"]}": {_IP_TEXT}'))
        if entry.get("ipMode", "VIP") not in ("VIP", "Proxy"):
            causes.append((
                "FieldValueNotSupported", f"{field}.ipMode",
                f'Unsupported value: "{entry["ipMode"]}": supported values: "Proxy", "VIP"'))
    return causes


def _wrong_in_lease(new: dict, old: dict | None) -> list[tuple[str, str, str]]:
    seconds = new.get("spec", {}).get("leaseDurationSeconds", 1)
    if seconds > 0:
        return []
    return [("FieldValueInvalid", "spec.leaseDurationSeconds", f"Invalid value: {seconds}: must be greater than 0")]


def _wrong_in_event(new: dict, old: dict | None) -> list[tuple[str, str, str]]:
    about = new.get("involvedObject", {}).get("namespace") or "default"
    if about == new["metadata"]["namespace"]:
        return []
    message = f'Invalid value: "{about}": does not match event.namespace'
    return [("FieldValueInvalid", "involvedObject.namespace", message)]


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True
