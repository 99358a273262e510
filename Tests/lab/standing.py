"""What a running Roadstead says of its announcing: in `status`, as the JSON that the admin port sends."""

import json

from example import BINARY
from namespaces import LabHost


def announcer(host: LabHost) -> dict:
    """The part of `/api/v1/state` about announcing."""
    return json.loads(host.run(BINARY, "status", "-o", "json"))["announcer"]


def drops(host: LabHost) -> dict[str, int]:
    """What it has heard and dropped, by reason."""
    return announcer(host)["drops"]


def conflicts(host: LabHost, address: str) -> int:
    """In how many frames it saw someone else claim an address."""
    rows = [row for row in announcer(host)["addresses"] if row["address"] == address]
    return sum(row["counters"]["conflicts"] for row in rows)


def status(host: LabHost) -> str:
    return host.run(BINARY, "status")
