"""What was asked of the API server of the tests, in the order of its coming."""

import json
import threading
import time
from dataclasses import dataclass, field


@dataclass
class Request:
    """`path` is with its query; `status` is 0 until it is answered."""

    method: str
    path: str
    user: str
    verb: str
    resource: str
    body: bytes
    content_type: str
    user_agent: str
    status: int = 0
    time: float = field(default_factory=time.monotonic)

    @property
    def json(self):
        return json.loads(self.body)


class Requests:
    """Any thread may read."""

    def __init__(self):
        self._lock = threading.Lock()
        self._all: list[Request] = []

    def add(self, request: Request) -> None:
        with self._lock:
            self._all.append(request)

    def of(self, user: str, verb: str | None = None, resource: str | None = None, after: int = 0) -> list[Request]:
        """Those of a user, after the first `after` of all; `resource` as `services/status`."""
        with self._lock:
            return [
                one for one in self._all[after:]
                if one.user == user and verb in (None, one.verb) and resource in (None, one.resource)]

    def __len__(self) -> int:
        with self._lock:
            return len(self._all)
