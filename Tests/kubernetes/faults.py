"""What can go wrong with an API server, to be switched on and off while it runs. Any thread may."""

import re
import threading
from dataclasses import dataclass, field


@dataclass
class Answer:
    """What is answered instead, to requests whose method and path with query match."""

    method: str
    path: re.Pattern
    status: int
    body: bytes
    headers: dict[str, str]
    # How many more times; None: until it is taken back.
    left: int | None


@dataclass
class Faults:
    """The server reads these for each request, or each chunk of a watch."""

    # Seconds that a list takes.
    list_delay: float = 0
    # Watches send each byte on its own.
    splits_watches: bool = False
    # A watch from a version that is forgotten is refused by HTTP status 410, and not by an ERROR event.
    gone_as_status: bool = False
    # metallb.io is known.
    has_custom_kinds: bool = True
    # Between two bookmarks, in seconds.
    bookmark_period: float = 60
    # Nothing is answered and nothing is sent, until it is False again.
    hangs: bool = False
    _answers: list[Answer] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def answer(
        self, path: str, status: int = 200, body: bytes | str = b"", method: str = ".*", times: int | None = None,
        content_type: str = "text/plain", **headers: str,
    ) -> Answer:
        """Answers so instead; `path` is a regular expression that is searched in path and query."""
        body = body.encode() if isinstance(body, str) else body
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = Answer(method, re.compile(path), status, body, {"Content-Type": content_type, **headers}, times)
        with self._lock:
            self._answers.insert(0, answer)
        return answer

    def take_back(self, answer: Answer) -> None:
        with self._lock:
            if answer in self._answers:
                self._answers.remove(answer)

    def answer_to(self, method: str, path: str) -> Answer | None:
        """The one to give now; it is counted."""
        with self._lock:
            for answer in self._answers:
                if re.fullmatch(answer.method, method) and answer.path.search(path):
                    if answer.left is not None:
                        answer.left -= 1
                        if answer.left <= 0:
                            self._answers.remove(answer)
                    return answer
        return None
