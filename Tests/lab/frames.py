"""ARP packets (RFC 826, RFC 5227) and neighbour discovery (RFC 4861) as values, from and to the bytes of a frame.

Two frames are equal when they say the same; when one was seen, and fields that the RFCs leave open, play no part.
"""

import struct
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address

BROADCAST = "ff:ff:ff:ff:ff:ff"
ZERO = "00:00:00:00:00:00"
ALL_NODES = "ff02::1"
REQUEST, REPLY = 1, 2

_ARP, _IPV6, _ICMPV6, _ETHERNET = 0x0806, 0x86DD, 58, 1
_SOLICITATION, _ADVERTISEMENT = 135, 136
_SOURCE_MAC, _TARGET_MAC = 1, 2
_SOLICITED, _OVERRIDE = 0x40, 0x20


@dataclass(frozen=True)
class ARP:
    """An ARP packet for IPv4 on Ethernet; `source` and `destination` are the frame's."""

    source: str
    destination: str
    operation: int
    sender_mac: str
    sender: str
    target: str
    target_mac: str = field(default=ZERO, compare=False)
    time: float = field(default=0, compare=False)

    @staticmethod
    def probe(mac: str, address: str) -> "ARP":
        """Asks who has an address without claiming one."""
        return ARP(mac, BROADCAST, REQUEST, mac, "0.0.0.0", address)

    @staticmethod
    def gratuitous(mac: str, address: str, operation: int) -> "ARP":
        """Tells everybody that an address is at `mac`."""
        return ARP(mac, BROADCAST, operation, mac, address, address)

    @property
    def is_gratuitous(self) -> bool:
        return self.sender == self.target

    def bytes(self, hardware: int = _ETHERNET) -> bytes:
        head = struct.pack("!6s6sH", _mac(self.destination), _mac(self.source), _ARP)
        return head + struct.pack(
            "!HHBBH6s4s6s4s", hardware, 0x0800, 6, 4, self.operation, _mac(self.sender_mac),
            IPv4Address(self.sender).packed, _mac(self.target_mac), IPv4Address(self.target).packed)


@dataclass(frozen=True)
class Solicitation:
    """A neighbour solicitation; from `::` it looks for another holder (RFC 4862)."""

    source: str
    destination: str
    sender: str
    to: str
    target: str
    hop_limit: int = 255
    time: float = field(default=0, compare=False)

    @staticmethod
    def probe(mac: str, address: str) -> "Solicitation":
        group = IPv6Address(IPv6Address("ff02::1:ff00:0").packed[:13] + IPv6Address(address).packed[13:])
        return Solicitation(mac, _multicast_mac(group), "::", str(group), address)


@dataclass(frozen=True)
class Advertisement:
    """A neighbour advertisement with the target's link-layer address."""

    source: str
    destination: str
    to: str
    target: str
    target_mac: str | None
    is_solicited: bool = False
    overrides: bool = True
    hop_limit: int = 255
    sender: str = field(default="::", compare=False)
    time: float = field(default=0, compare=False)

    @staticmethod
    def gratuitous(mac: str, address: str) -> "Advertisement":
        """Tells everybody that an address is at `mac`, also those who know it elsewhere."""
        return Advertisement(
            mac, _multicast_mac(IPv6Address(ALL_NODES)), ALL_NODES, address, mac, sender=address)

    @property
    def is_gratuitous(self) -> bool:
        return not self.is_solicited and self.to == ALL_NODES

    def bytes(self) -> bytes:
        flags = (_SOLICITED if self.is_solicited else 0) | (_OVERRIDE if self.overrides else 0)
        message = struct.pack("!BBHBxxx16s", _ADVERTISEMENT, 0, 0, flags, IPv6Address(self.target).packed)
        message += struct.pack("!BB6s", _TARGET_MAC, 1, _mac(self.target_mac))
        ends = IPv6Address(self.sender).packed + IPv6Address(self.to).packed
        message = message[:2] + struct.pack("!H", _checksum(ends, message)) + message[4:]
        head = struct.pack("!6s6sH", _mac(self.destination), _mac(self.source), _IPV6)
        return head + struct.pack("!IHBB", 6 << 28, len(message), _ICMPV6, self.hop_limit) + ends + message


Frame = ARP | Solicitation | Advertisement


def decode(data: bytes, time: float = 0) -> Frame | None:
    """The frame that these bytes are; None for one of another kind, and for IPv6 with a wrong checksum."""
    if len(data) < 14:
        return None
    destination, source = _mac_text(data[:6]), _mac_text(data[6:12])
    kind, body = struct.unpack("!H", data[12:14])[0], data[14:]
    if kind == _ARP and len(body) >= 28:
        operation, sender_mac, sender, target_mac, target = struct.unpack("!6xH6s4s6s4s", body[:28])
        return ARP(
            source, destination, operation, _mac_text(sender_mac), str(IPv4Address(sender)), str(IPv4Address(target)),
            _mac_text(target_mac), time)
    if kind == _IPV6 and len(body) >= 64 and body[6] == _ICMPV6:
        length, hop_limit, ends = struct.unpack("!H", body[4:6])[0], body[7], body[8:40]
        message = body[40:40 + length]
        if len(message) < 24 or _checksum(ends, message) != 0:
            return None
        sender, to, target = (str(IPv6Address(part)) for part in (ends[:16], ends[16:], message[8:24]))
        if message[0] == _SOLICITATION:
            return Solicitation(source, destination, sender, to, target, hop_limit, time)
        if message[0] == _ADVERTISEMENT:
            flags = message[4]
            return Advertisement(
                source, destination, to, target, _option(message[24:], _TARGET_MAC), bool(flags & _SOLICITED),
                bool(flags & _OVERRIDE), hop_limit, sender, time)
    return None


def _option(options: bytes, wanted: int) -> str | None:
    """The link-layer address in an option of neighbour discovery."""
    while len(options) >= 8 and options[1] > 0:
        if options[0] == wanted:
            return _mac_text(options[2:8])
        options = options[8 * options[1]:]
    return None


def _checksum(ends: bytes, message: bytes) -> int:
    """Zero over a message whose own checksum is right (RFC 4443, section 2.3)."""
    data = ends + struct.pack("!IxxxB", len(message), _ICMPV6) + message + b"\0" * (len(message) % 2)
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total > 0xFFFF:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def _multicast_mac(group: IPv6Address) -> str:
    return _mac_text(b"\x33\x33" + group.packed[12:])


def _mac(text: str) -> bytes:
    return bytes.fromhex(text.replace(":", ""))


def _mac_text(data: bytes) -> str:
    return data.hex(":")
