"""A network as data: hosts, the switches that their links lead to, addresses, routes.

A switch is there because a link names it. A router is a host that forwards and has two links:

    Topology(
        Host("client", Link("front", "10.0.1.10/24"), routes=["default via 10.0.1.1"]),
        Host("router", Link("front", "10.0.1.1/24"), Link("back", "10.0.2.1/24"), forwards=True),
        Host("server", Link("back", "10.0.2.10/24", "fd00:2::10/64"), routes=["default via 10.0.2.1"]),
    )
"""

from dataclasses import dataclass, field
from ipaddress import ip_interface

# What the kernel allows for an interface's name (IFNAMSIZ, without the NUL).
LONGEST_NAME = 15


@dataclass(frozen=True, init=False)
class Link:
    """One interface of a host, on the switch `to`, with addresses as `10.0.0.1/24` or `fd00::1/64`."""

    to: str
    addresses: tuple[str, ...]

    def __init__(self, to: str, *addresses: str):
        for address in addresses:
            ip_interface(address)
            if "/" not in address:
                raise ValueError(f"{address} on {to}: the prefix length is missing")
        object.__setattr__(self, "to", to)
        object.__setattr__(self, "addresses", addresses)


@dataclass(frozen=True, init=False)
class Host:
    """A network namespace with the interfaces eth0, eth1… in the order of its links.

    `routes` are in the words of `ip route add`: `10.244.1.0/24 via 192.168.118.10`.
    """

    name: str
    links: tuple[Link, ...]
    routes: tuple[str, ...]
    forwards: bool

    def __init__(self, name: str, *links: Link, routes: list[str] = (), forwards: bool = False):
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "links", links)
        object.__setattr__(self, "routes", tuple(routes))
        object.__setattr__(self, "forwards", forwards)

    def address(self, link: int = 0) -> str:
        """The first address of a link, without its prefix length."""
        return self.links[link].addresses[0].split("/")[0]

    def port(self, link: int) -> str:
        """The name of the switch's end of a link, for tcpdump there."""
        return f"{self.name}.{link}"


@dataclass(frozen=True, init=False)
class Topology:
    """Hosts, and the switches between them."""

    hosts: tuple[Host, ...]
    switches: tuple[str, ...] = field(default=())

    def __init__(self, *hosts: Host):
        names = [host.name for host in hosts]
        switches = dict.fromkeys(link.to for host in hosts for link in host.links)
        ports = [host.port(number) for host in hosts for number, _ in enumerate(host.links)]
        for name in {name for name in names if names.count(name) > 1}:
            raise ValueError(f"two hosts are called {name}")
        for name in [*switches, *ports]:
            if len(name) > LONGEST_NAME:
                raise ValueError(f"{name} is longer than an interface's name may be ({LONGEST_NAME})")
        object.__setattr__(self, "hosts", hosts)
        object.__setattr__(self, "switches", tuple(switches))

    def with_hosts(self, *more: Host) -> "Topology":
        """The same with more hosts."""
        return Topology(*self.hosts, *more)
