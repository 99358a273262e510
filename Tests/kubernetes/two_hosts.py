"""Two hosts with Roadstead on the lab's LAN, and the API server on a third one behind them.

    client ─── front ─┬─ lb ──────── back ─┬─ node-1, … ─── pods
                .10   └─ lb-2 .3  ────  .3 ┼─ api .5: the API server, in the process of the tests
"""

import ctypes
import os
import socket
import threading
from pathlib import Path

import kinds
import objects
import standing
from certificates import Authority
from client import Access
from cluster import Cluster
from example import BINARY, PODS, wait_until_announced
from lan import VIP, Lan, lan_topology
from namespaces import LabHost
from processes import LabError, Process, wait_for
from roadstead import LEASE_TIMES
from topology import Host, Link

API, API_PORT = "192.168.118.5", 6443
NAME = "hostname-svc-lb"
_CLONE_NEWNET = 0x40000000


class TwoHosts:
    """The network with backends, pool, advertisement and the example's Service; tests start Roadstead on the hosts."""

    def __init__(self, directory: Path, authority: Authority):
        self.lan = Lan(lan_topology().with_hosts(Host("api", Link("back", f"{API}/24"))))
        try:
            listening = socket_in(self.lan.host("api"), API, API_PORT)
            self.cluster = Cluster(directory, authority, listening, names=(API,))
            access = Access(f"https://{API}:{API_PORT}", authority.file, self.cluster.token)
            self._kubeconfig = self.cluster.kubeconfig("kubeconfig", access)
            self.cluster.create(kinds.POOL, objects.pool("lab", "10.101.0.50-10.101.0.60"))
            self.cluster.create(kinds.ADVERTISEMENT, {"metadata": {"name": "lab"}, "spec": {"ipAddressPools": ["lab"]}})
            self.cluster.create(kinds.SERVICE, objects.service())
            self.cluster.publish(NAME, *(
                objects.Endpoint(pod.address, 80, node=f"node-{pod.node}") for pod in PODS if pod.app == "webserver"))
        except BaseException:
            self.lan.close()
            raise

    @property
    def hosts(self) -> tuple[LabHost, LabHost]:
        return self.lan.lb, self.lan.lb_2

    def start(self, host: LabHost, *options: str, identity: str | None = None) -> Process:
        """Roadstead on a host; who it is there is the host's name unless it is said."""
        return host.start(
            BINARY, "run", "--kubeconfig", str(self._kubeconfig), "--target", "pod", "--drain", "2s",
            "--lease", f"{self.cluster.namespace}/roadstead", "--identity", identity or host.name, *LEASE_TIMES,
            *options)

    def start_holder(self, host: LabHost, **more) -> Process:
        """Until it announces the Service's address."""
        process = self.start(host, **more)
        wait_until_announced(process, VIP)
        return process

    def start_standby(self, host: LabHost, **more) -> Process:
        """Until it stands by, with everything listed."""
        process = self.start(host, **more)
        wait_for(f"{host.name} stands by", lambda: self.role(host) == "standby" and self.is_warm(host), within=10)
        return process

    def state(self, host: LabHost) -> dict:
        return standing.state(host)["cluster"]

    def role(self, host: LabHost) -> str:
        return self.state(host)["lease"]["role"]

    def is_warm(self, host: LabHost) -> bool:
        """Whether all is listed and the listener is open, though the address is elsewhere."""
        return self.state(host)["isSynced"] and f"{VIP}:8080" in host.run("ss", "-Htln")

    def holder(self) -> str:
        """What the API server says, asked past the network."""
        try:
            lease = self.cluster.server.storage.get(kinds.LEASE, self.cluster.namespace, "roadstead")
        except Exception as error:
            raise LabError(f"no Lease: {error}") from None
        return lease.body["spec"].get("holderIdentity") or ""

    def close(self) -> None:
        self.lan.close()
        self.cluster.close()

    def __enter__(self) -> "TwoHosts":
        return self

    def __exit__(self, *_) -> None:
        self.close()


def socket_in(host: LabHost, address: str, port: int) -> socket.socket:
    """A bound socket of a host's network, for this process: a thread that enters the namespace makes it."""
    made: list = []

    def make() -> None:
        # The namespace is that of the thread alone, and ends with it.
        descriptor = os.open(f"/run/netns/{host.namespace}", os.O_RDONLY)
        try:
            if ctypes.CDLL(None, use_errno=True).setns(descriptor, _CLONE_NEWNET) != 0:
                raise OSError(ctypes.get_errno(), "setns")
            one = socket.socket()
            one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            one.bind((address, port))
            made.append(one)
        except OSError as error:
            made.append(error)
        finally:
            os.close(descriptor)
    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]
