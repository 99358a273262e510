"""Backends that say their names, where the API server in use allows endpoints to be."""

import json

from cluster import REAL, Cluster
from example import BINARY
from objects import Endpoint
from processes import LabError, Process, run

_FIRST_PORT = 18080


class Backend:
    """One that runs, from its making to `close`."""

    def __init__(self, name: str, address: str, port: int):
        self.name, self.address, self.port = name, address, port
        self.process = Process([BINARY, "backend", f"{address}:{port}", "--name", name], name)

    def endpoint(self, **conditions) -> Endpoint:
        return Endpoint(self.address, self.port, **conditions)

    def close(self) -> None:
        self.process.kill()


def start(cluster: Cluster, *names: str) -> list[Backend]:
    """On an address each, as in the quick start; kube-apiserver allows no loopback, so there on a port each."""
    backends = []
    try:
        for number, name in enumerate(names):
            place = (host_address(), _FIRST_PORT + cluster.number * 10 % 4000 + number) if REAL else (
                cluster.block(number + 1), _FIRST_PORT)
            backends.append(Backend(name, *place))
        for backend in backends:
            backend.process.wait_for_line("listening")
    except BaseException:
        for backend in backends:
            backend.close()
        raise
    return backends


def host_address() -> str:
    """One of the machine's own that is not loopback; what is sent there does not leave it."""
    for link in json.loads(run(["ip", "-4", "-j", "address", "show", "scope", "global"])):
        for address in link.get("addr_info", []):
            return address["local"]
    raise LabError("a real API server takes no endpoints on loopback, and this machine has no other address")
