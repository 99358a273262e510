"""What a running Roadstead says of its announcing: in `status`, as the JSON that the admin port sends."""

import json

from example import BINARY
from namespaces import LabHost


def state(host: LabHost) -> dict:
    """The answer of `/api/v1/state`."""
    return json.loads(host.run(BINARY, "status", "-o", "json"))


def drops(host: LabHost, reason: str) -> int:
    """How many frames it has heard and dropped for that reason."""
    return state(host)["announcer"]["drops"].get(reason, 0)


def conflicts(host: LabHost, address: str) -> int:
    """In how many frames it saw someone else claim an address."""
    rows = [row for service in state(host)["services"] for row in service["addresses"] if row["address"] == address]
    assert rows, f"no Service has {address}"
    return sum(one["conflicts"] for row in rows for one in row.get("announcements") or [])


def status(host: LabHost) -> str:
    return host.run(BINARY, "status")
