"""The addresses on a host's interfaces, now and as they come and go."""

import json
import re
from dataclasses import dataclass
from datetime import datetime

from namespaces import LabHost
from processes import wait_for

FOREVER = 4294967295
_SENTINEL = "127.0.0.77"
_EVENT = re.compile(r"\[(\S+)] (Deleted )?\d+: ([^\s@:]+)\S*\s+inet6? ([^/\s]+)/(\d+) .*valid_lft (forever|\d+)")


@dataclass(frozen=True)
class HostAddress:
    """An address on an interface; lifetimes are seconds."""

    interface: str
    address: str
    prefix: int
    valid: int
    preferred: int
    has_prefix_route: bool


@dataclass(frozen=True)
class AddressEvent:
    """An address was added or renewed, or is `gone`; `time` is the Unix time at which ip heard of it."""

    time: float
    gone: bool
    interface: str
    address: str


def addresses(host: LabHost, interface: str | None = None) -> list[HostAddress]:
    """All addresses of a host, or of one interface."""
    return [
        HostAddress(
            link["ifname"], one["local"], one["prefixlen"], one["valid_life_time"], one["preferred_life_time"],
            not one.get("noprefixroute", False))
        for link in json.loads(host.ip("-j", "address", "show")) for one in link.get("addr_info", [])
        if interface in (None, link["ifname"]) and "local" in one]


def holders(host: LabHost, address: str) -> list[str]:
    """The names of the interfaces that have an address."""
    return [one.interface for one in addresses(host) if one.address == address]


def mac(host: LabHost, interface: str = "eth0") -> str:
    return json.loads(host.ip("-j", "link", "show", "dev", interface))[0]["address"]


class AddressWatch:
    """What the kernel tells of a host's addresses, from the making of this on."""

    def __init__(self, host: LabHost):
        self._process = host.start("ip", "-o", "-ts", "monitor", "address")

        def listens() -> bool:
            host.ip("address", "replace", f"{_SENTINEL}/32", "dev", "lo")
            return any(_SENTINEL in line for line in self._process.lines)
        wait_for(f"ip monitor listens on {host.name}", listens)
        host.ip("address", "delete", f"{_SENTINEL}/32", "dev", "lo")

    def events(self, address: str | None = None) -> list[AddressEvent]:
        """All so far, or those of one address."""
        matches = [match for line in self._process.lines if (match := _EVENT.match(line))]
        events = [
            AddressEvent(datetime.fromisoformat(match[1]).timestamp(), bool(match[2]), match[3], match[4])
            for match in matches]
        return [one for one in events if one.address != _SENTINEL and address in (None, one.address)]

    def gone(self, address: str) -> list[AddressEvent]:
        return [event for event in self.events(address) if event.gone]
