"""What goes over a port of a switch, as tcpdump sees it: ARP and neighbour discovery."""

import re
from collections.abc import Callable

from frames import Frame, decode
from namespaces import LabHost
from processes import Process, wait_for

# `1795399086.949366 ba:63:… > ff:ff:…, ethertype ARP (0x0806), length 42: …`, then the bytes of the frame in hex.
_HEAD = re.compile(r"(\d+\.\d+) .*?, length (\d+):")
_BYTES = re.compile(r"\t0x[0-9a-f]{4}:  ([0-9a-f ]+)")


class Capture:
    """All frames that pass from and to a host on one of its links, from the making of this on.

    Times are the kernel's, in Unix time: those of `time.time()`.
    """

    def __init__(self, host: LabHost, link: int = 0):
        self._process: Process = host.lab.switches.start(
            "tcpdump", "-i", host.data.port(link), "-n", "-l", "-e", "-tt", "-xx", "--immediate-mode", "arp or icmp6")
        self._process.wait_for_line("listening on")

    @property
    def frames(self) -> list[Frame]:
        found = []
        head, data = None, b""
        for line in self._process.lines:
            if match := _HEAD.match(line):
                head, data = match, b""
            elif head and (match := _BYTES.match(line)):
                data += bytes.fromhex(match[1].replace(" ", ""))
                if len(data) == int(head[2]) and (frame := decode(data, float(head[1]))):
                    found.append(frame)
        return found

    def of(self, mac: str, target: str) -> list[Frame]:
        """Those that a host sent about an address."""
        return [frame for frame in self.frames if frame.source == mac and frame.target == target]

    def gratuitous(self, mac: str, target: str, after: float = 0) -> list[Frame]:
        """Those with which a host claimed an address, since some Unix time."""
        return [frame for frame in self.of(mac, target) if claims(frame) and frame.time >= after]

    def wait_for(self, what: str, holds: Callable[[], object], within: float = 5):
        """As `wait_for`, and a failure shows the frames."""
        def described():
            result = holds()
            last = [str(frame) for frame in self.frames[-20:]] if not result else []
            described.last = "\n".join(last)
            return result
        try:
            return wait_for(what, described, within)
        except Exception as error:
            error.add_note(f"the last frames:\n{described.last}")
            raise


def claims(frame: Frame) -> bool:
    """Whether a frame tells everybody where an address is."""
    return getattr(frame, "is_gratuitous", False)
