"""The example of the README as a lab: a client, a host for Roadstead, four nodes with pods.

             10.101.0.0/24              192.168.118.0/24            10.244.N.0/24
    client ─── front ─── lb ────────────── back ─┬─ node-1 ─── pods-1 ─── pod-1, …
     .10             .2 ╎              .2        ├─ node-2 .11
            .50 to .60 ╌┘                        ├─ node-3 .12
                                                 └─ node-4 .13

The addresses .50 to .60 are on lb while Roadstead announces them. The client has no route to nodes and pods, and lb
does not forward: what the client gets, it gets through Roadstead. IPv6 is fd00:101::/64 on front, fd00:118::/64 on
back.
"""

import os
import shutil
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from namespaces import Lab, LabHost
from processes import LabError, Process, wait_for
from topology import Host, Link, Topology

CHECKOUT = Path(__file__).resolve().parents[2]
MANIFESTS = Path(__file__).parent / "manifests"
BINARY = os.environ.get("ROADSTEAD_BINARY") or str(CHECKOUT / ".build/release/roadstead")

NODES = {f"node-{number}": f"192.168.118.{number + 9}" for number in range(1, 5)}
NODE_PORTS = {"web": 31231, "was": 31111}
POD_ROUTES = [f"10.244.{n}.0/24 via {address}" for n, address in enumerate(NODES.values(), 1)]


@dataclass(frozen=True)
class Pod:
    """A pod on a node; `app` is its label."""

    name: str
    node: int
    address: str
    app: str = "webserver"


PODS = [
    Pod("pod-1", 1, "10.244.1.10"),
    Pod("pod-2", 2, "10.244.2.10"),
    Pod("pod-3", 3, "10.244.3.10"),
    Pod("other", 4, "10.244.4.10", app="something-else"),
]
# It runs from the start and gets traffic once a manifest names it.
SPARE = Pod("pod-4", 4, "10.244.4.11")


def topology() -> Topology:
    """The hosts of the example; `with_hosts` adds others."""
    return Topology(
        Host("client", Link("front", "10.101.0.10/24", "fd00:101::10/64")),
        Host(
            "lb", Link("front", "10.101.0.2/24", "fd00:101::2/64"), Link("back", "192.168.118.2/24", "fd00:118::2/64"),
            routes=POD_ROUTES),
        *(
            Host(name, Link("back", f"{address}/24"), Link(f"pods-{n}", f"10.244.{n}.1/24"), forwards=True)
            for n, (name, address) in enumerate(NODES.items(), 1)),
        *(
            Host(pod.name, Link(f"pods-{pod.node}", f"{pod.address}/24"), routes=[f"default via 10.244.{pod.node}.1"])
            for pod in [*PODS, SPARE]))


class Example:
    """The example up and running in a lab, but for Roadstead itself: `roadstead` starts that.

    `network` is `topology()` with more in it, where a test wants that.
    """

    def __init__(self, network: Topology | None = None):
        if not os.access(BINARY, os.X_OK):
            raise LabError(f"no {BINARY}: run 'make build' first, or set ROADSTEAD_BINARY")
        self.lab = Lab(network or topology())
        self.backends: dict[str, Process] = {}
        # What Roadstead reads and tests edit: the Service and the pool as they are in manifests/, and a file per pod.
        self.manifests = self.lab.directory / "manifests"
        try:
            shutil.copytree(MANIFESTS, self.manifests)
            for pod in PODS:
                self.write_pod(pod)
            self._start_backends()
        except BaseException:
            self.close()
            raise

    def host(self, name: str) -> LabHost:
        return self.lab.host(name)

    @property
    def client(self) -> LabHost:
        return self.host("client")

    def roadstead(
        self, *options: str, on: str = "lb", manifests: Path | None = None, until: str = "→",
        announced_on: str | None = "eth0", prefix: tuple[str, ...] = (),
    ) -> Process:
        """Starts `roadstead run` on a host and waits for the line of the first Service that is up.

        Then, unless `announced_on` is None, until its address is announced on that interface. `prefix` is what runs it,
        as `("env", "NAME=value")`.
        """
        words = [*prefix, BINARY, "run", "-f", str(manifests or self.manifests), *options]
        process = self.host(on).start(*words)
        line = process.wait_for_line(until)
        if announced_on is not None:
            wait_until_announced(process, line.split()[1], announced_on)
        return process

    def wait_until_up(self) -> None:
        """Waits until Roadstead says that all it could read is served."""
        ready = ["curl", "--silent", "--fail", "--noproxy", "*", "--max-time", "2", "http://127.0.0.1:9900/readyz"]
        wait_for("Roadstead is ready", lambda: self.host("lb").run(*ready) or True, within=10)

    def ask(self, url: str, times: int) -> list[str]:
        """Who answers `times` connections of the client, one after the other; throws unless each has its answer."""
        # One curl for all: `[1-N]` in the fragment repeats the request and is not sent.
        text = self.client.run(
            "curl", "--silent", "--show-error", "--fail", "--noproxy", "*", "--max-time", "10",
            "--header", "Connection: close", f"{url}#[1-{times}]", within=30)
        return text.splitlines()

    def count(self, url: str, times: int) -> dict[str, int]:
        """How often each one answers."""
        return dict(Counter(self.ask(url, times)))

    def explain(self, service: str, *options: str, on: str = "lb") -> str:
        """What the running Roadstead says about a Service."""
        return self.host(on).run(BINARY, "explain", service, *options)

    def write_pod(self, pod: Pod, ready: bool = True) -> None:
        """Writes the manifest of a pod; Roadstead reads it at once."""
        (self.manifests / f"{pod.name}.yaml").write_text(POD.format(pod=pod, ready=ready))

    def remove_pod(self, pod: Pod) -> None:
        (self.manifests / f"{pod.name}.yaml").unlink()

    def close(self) -> None:
        self.lab.close()

    def __enter__(self) -> "Example":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _start_backends(self) -> None:
        # All are started before the first is waited for: each start takes a moment.
        wanted = [(pod.name, f"{pod.address}:80", pod.name) for pod in [*PODS, SPARE]]
        wanted += [
            (node, f"{address}:{port}", f"{service}-on-{node}")
            for node, address in NODES.items() for service, port in NODE_PORTS.items()]
        for host, address, name in wanted:
            self.backends[name] = self.host(host).start(BINARY, "backend", address, "--name", name)
        for backend in self.backends.values():
            backend.wait_for_line("listening")


def wait_until_announced(process: Process, address: str, interface: str = "eth0", within: float = 10) -> None:
    process.wait_for_line(announcement_line(address, interface), within)


def announcement_line(address: str, interface: str = "eth0") -> str:
    """What Roadstead logs once an address is announced."""
    return f"{address} is announced on {interface}"


POD = """\
apiVersion: v1
kind: Pod
metadata:
  name: {pod.name}
  labels:
    app: {pod.app}
spec:
  nodeName: node-{pod.node}
status:
  phase: Running
  podIP: {pod.address}
  conditions:
  - type: Ready
    status: "{ready}"
"""
