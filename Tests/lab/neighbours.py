"""Where hosts think that an address is: who answers their questions, and what they have learnt."""

import json
import re
import time

from namespaces import LabHost


def arping(host: LabHost, address: str, times: int = 1) -> list[str]:
    """The MACs of all answers to ARP requests that are broadcast once a second; empty where nobody answers."""
    # After as many answers it ends; after that time it does in any case.
    out = host.run(
        "arping", "-b", "-c", str(times), "-w", str(times), "-I", "eth0", address, within=times + 5, check=False)
    return [mac.lower() for mac in re.findall(r"reply from \S+ \[([0-9A-F:]{17})\]", out)]


def ndisc6(host: LabHost, address: str) -> str | None:
    """The MAC of the first answer to neighbour solicitations; None where none of four is answered in half a second."""
    for _ in range(30):
        began = time.monotonic()
        out = host.run("ndisc6", "-1", "-q", "-r", "4", "-w", "500", address, "eth0", check=False).strip()
        if re.fullmatch(r"[0-9A-F:]{17}", out):
            return out.lower()
        if time.monotonic() - began > 1:
            return None
        # It ended at once: it cannot ask yet, as while the host's own address is tentative (RFC 4862, 5.4).
        time.sleep(0.1)
    return None


def answering(host: LabHost, address: str) -> str | None:
    """The MAC that answers for an address of either family."""
    return ndisc6(host, address) if ":" in address else next(iter(arping(host, address)), None)


def known(host: LabHost, address: str) -> str | None:
    """The MAC that the host's kernel has learnt for an address."""
    entries = json.loads(host.ip("-j", "neigh", "show", "dev", "eth0") or "[]")
    return next((entry.get("lladdr") for entry in entries if entry["dst"] == address), None)
