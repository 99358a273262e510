"""The example with more on its front LAN: a second host for Roadstead, one that gets in the way, and IPv6.

    client ─── front ─┬─ lb ──────── back ─┬─ node-1, …
                .10   ├─ lb-2 .3  ────  .3 ┘
                      └─ rival .20         └── pod-6 fd00:118::60

`six` is a Service at fd00:101::50, with `pod-6` behind it. Either of lb and lb-2 can run Roadstead, or both.
"""

import shutil
import sys
from pathlib import Path

from example import BINARY, POD_ROUTES, Example, topology, wait_until_announced
from frames import Frame
from namespaces import LabHost
from processes import LabError, Process, wait_for
from topology import Host, Link, Topology

HERE = Path(__file__).parent
VIP, PORT = "10.101.0.50", "8080"
VIP6 = "fd00:101::50"
URL, URL6 = f"http://{VIP}:{PORT}/", f"http://[{VIP6}]:{PORT}/"

CURL = ["curl", "--silent", "--show-error", "--fail", "--noproxy", "*", "--max-time", "5"]


def lan_topology() -> Topology:
    return topology().with_hosts(
        Host(
            "lb-2", Link("front", "10.101.0.3/24", "fd00:101::3/64"),
            Link("back", "192.168.118.3/24", "fd00:118::3/64"), routes=POD_ROUTES),
        Host("rival", Link("front", "10.101.0.20/24", "fd00:101::20/64")),
        Host("pod-6", Link("back", "fd00:118::60/64")))


class Lan(Example):
    """The network above, up but for Roadstead."""

    def __init__(self, network: Topology | None = None):
        super().__init__(network or lan_topology())
        try:
            shutil.copy(HERE / "manifests-ipv6/six.yaml", self.manifests)
            pod = self.host("pod-6").start(BINARY, "backend", "[fd00:118::60]:80", "--name", "pod-6")
            pod.wait_for_line("listening")
        except BaseException:
            self.close()
            raise

    @property
    def lb(self) -> LabHost:
        return self.host("lb")

    @property
    def lb_2(self) -> LabHost:
        return self.host("lb-2")

    def both(self, *options: str, on: str = "lb", interface: str = "eth0", prefix: tuple[str, ...] = ()) -> Process:
        """Starts Roadstead and waits until it announces the addresses of both families."""
        process = self.roadstead(*options, on=on, announced_on=None, prefix=prefix)
        for address in (VIP, VIP6):
            wait_until_announced(process, address, interface)
        return process

    def curl(self, *options: str) -> str:
        """What the client gets."""
        return self.client.run(*CURL, *options).strip()

    def wait_until_said(self, process: Process, address: str, why: str) -> None:
        """Waits until the log has a line about an address with this in it."""
        wait_for(f"'{address}' and '{why}'", lambda: any(
            f"{address} " in line and why in line for line in process.lines))

    def is_refused(self, url: str) -> bool:
        """Whether the client is turned away at once, rather than left waiting."""
        try:
            self.client.run(*CURL, "--max-time", "1", url)
        except LabError as error:
            return "exit code 7" in str(error)
        return False

    def plug(self, host: str, interface: str, switch: str, *its_addresses: str) -> None:
        """Gives a running host another interface, on a switch that is there."""
        port = f"{host}.{interface}"
        self.host(host).ip(
            "link", "add", "name", interface, "type", "veth", "peer", "name", port, "netns",
            self.lab.switches.namespace)
        self.lab.switches.ip("link", "set", "dev", port, "master", switch, "up")
        for address in its_addresses:
            self.host(host).ip("address", "add", address, "dev", interface, *["nodad"] * (":" in address))
        self.host(host).ip("link", "set", "dev", interface, "up")

    def connection(self) -> Process:
        """One connection of the client to the VIP that stays; see hold_connection.py."""
        process = self.client.start(sys.executable, str(HERE / "hold_connection.py"), VIP, PORT)
        process.wait_for_line("open")
        return process

    def send(self, host: str, *frames: Frame | bytes) -> list[float]:
        """Sends frames from a host's eth0, whatever is in them, and returns when."""
        words = [(frame if isinstance(frame, bytes) else frame.bytes()).hex() for frame in frames]
        out = self.host(host).run(sys.executable, str(HERE / "send_frames.py"), "eth0", *words)
        return [float(line) for line in out.split()]
