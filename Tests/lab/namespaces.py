"""A topology made real: network namespaces, bridges, veth pairs. Nothing of it touches the machine's own network.

The bridges stand in a namespace of their own, so that the machine's has no interface more than before. All namespaces
are named after the process that made them, and a guard removes them by that name once this process has closed the lab
or has died, by whatever signal.
"""

import itertools
import os
import subprocess
import tempfile
from pathlib import Path

from processes import LabError, Process, run
from topology import Host, Topology

_numbers = itertools.count(1)

# Standard input ends when the maker of the lab has closed its end of the pipe, or is no more. Only then, and for every
# namespace of the lab: end what still runs inside, by process id, and remove it; then the lab's directory.
_GUARD = """
cat >/dev/null
for file in "$1"/"$2"-*; do
  [ -e "$file" ] || continue
  name=${file##*/}
  ip netns pids "$name" | xargs -r kill -KILL 2>/dev/null
  ip netns delete "$name"
done
rm -r "$3"
"""
_DIRECTORY = Path("/run/netns")


def missing() -> str | None:
    """Why no lab can be made here; None where it can."""
    if os.geteuid() != 0:
        return "it makes network namespaces, which needs root"
    name = f"roadstead-{os.getpid()}-probe"
    try:
        run(["ip", "netns", "add", name])
        run(["ip", "netns", "delete", name])
    except (LabError, FileNotFoundError) as error:
        return f"no network namespaces here: {error}".strip()
    return None


class Namespace:
    """A network namespace of a lab that is up."""

    def __init__(self, lab: "Lab", name: str):
        self.lab = lab
        self.name = name
        self.namespace = lab.namespace(name)

    def run(self, *command: str, within: float = 10, check: bool = True) -> str:
        """Runs a program in it to its end and returns what it printed."""
        return run(self.command(*command), within, check)

    def start(self, *command: str) -> Process:
        """Starts a program in it; that ends with the lab at the latest."""
        process = Process(self.command(*command), f"{self.name}: {' '.join(command)}")
        self.lab.processes.append(process)
        return process

    def ip(self, *words: str) -> str:
        """`ip` in it: `ip("link", "set", "eth0", "down")`."""
        return run(["ip", "-n", self.namespace, *words])

    def command(self, *command: str) -> list[str]:
        return ["ip", "netns", "exec", self.namespace, *command]


class LabHost(Namespace):
    """A host of a lab that is up."""

    def __init__(self, lab: "Lab", host: Host):
        super().__init__(lab, host.name)
        self.data = host

    def address(self, link: int = 0) -> str:
        return self.data.address(link)


class Lab:
    """A topology that is up from the beginning of a `with` to its end."""

    def __init__(self, topology: Topology):
        self.topology = topology
        self.name = f"roadstead-{os.getpid()}-{next(_numbers)}"
        self.processes: list[Process] = []
        # For files of the lab; it goes with it.
        self.directory = Path(tempfile.mkdtemp(prefix=f"{self.name}-"))
        self._hosts = {host.name: LabHost(self, host) for host in topology.hosts}
        # Where all switches and their ports are, which are called after `Host.port`: the place for tcpdump.
        self.switches = Namespace(self, "switches")
        # A session of its own: ctrl-C reaches all of the terminal's, and this one has to outlive it.
        self._guard = subprocess.Popen(
            ["sh", "-c", _GUARD, "guard", str(_DIRECTORY), self.name, str(self.directory)], stdin=subprocess.PIPE,
            start_new_session=True)
        try:
            self._build()
        except BaseException:
            self.close()
            raise

    def host(self, name: str) -> LabHost:
        return self._hosts[name]

    @property
    def hosts(self) -> list[LabHost]:
        return list(self._hosts.values())

    def namespace(self, name: str) -> str:
        return f"{self.name}-{name}"

    def close(self) -> None:
        """Ends what runs in the lab and removes it."""
        for process in reversed(self.processes):
            process.kill()
        self._guard.stdin.close()
        try:
            self._guard.wait(10)
        except subprocess.TimeoutExpired:
            raise LabError(f"the namespaces {self.name}-* are not removed within 10 s") from None

    def __enter__(self) -> "Lab":
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def _build(self) -> None:
        switches = self.switches.namespace
        hosts = self.topology.hosts
        batch = [f"netns add {name}" for name in [switches, *(self.namespace(host.name) for host in hosts)]]
        for host in hosts:
            for number, _ in enumerate(host.links):
                batch.append(
                    f"link add name eth{number} netns {self.namespace(host.name)} type veth "
                    f"peer name {host.port(number)} netns {switches}")
        run(["ip", "-batch", "-"], text="\n".join(batch))
        self._configure_switches(switches)
        for host in hosts:
            self._configure(host)

    def _configure_switches(self, namespace: str) -> None:
        batch = []
        for switch in self.topology.switches:
            # No spanning tree and no delay: a port forwards as soon as it is up.
            batch += [f"link add name {switch} type bridge stp_state 0 forward_delay 0", f"link set dev {switch} up"]
        for host in self.topology.hosts:
            batch += [f"link set dev {host.port(n)} master {link.to} up" for n, link in enumerate(host.links)]
        run(["ip", "-n", namespace, "-batch", "-"], text="\n".join(batch))

    def _configure(self, host: Host) -> None:
        namespace = self.namespace(host.name)
        settings = []
        if host.forwards:
            settings += ["ipv4/ip_forward=1", "ipv6/conf/all/forwarding=1"]
        for number, link in enumerate(host.links):
            if any(":" in address for address in link.addresses):
                # Nobody else is on these switches: link-local addresses need not wait for duplicates to speak up.
                settings.append(f"ipv6/conf/eth{number}/accept_dad=0")
        if settings:
            lines = "; ".join("echo {1} >/proc/sys/net/{0}".format(*setting.split("=")) for setting in settings)
            run(["ip", "netns", "exec", namespace, "sh", "-ec", lines])
        batch = ["link set dev lo up"]
        for number, link in enumerate(host.links):
            for address in link.addresses:
                batch.append(f"address add {address} dev eth{number}" + (" nodad" if ":" in address else ""))
            batch.append(f"link set dev eth{number} up")
        batch += [f"route add {route}" for route in host.routes]
        run(["ip", "-n", namespace, "-batch", "-"], text="\n".join(batch))
