"""Who may do what at the tests' API server: tokens, certificates' subjects, and rules as a ClusterRole has them."""

import threading
from dataclasses import dataclass, field


@dataclass
class User:
    """`rules` are those of a Role, as dictionaries; None: everything is allowed."""

    name: str
    groups: tuple[str, ...] = ()
    rules: list[dict] | None = None
    tokens: set[str] = field(default_factory=set)


ANONYMOUS = User("system:anonymous", rules=[])


class Users:
    """Any thread may call."""

    def __init__(self):
        self._lock = threading.Lock()
        self._users: dict[str, User] = {}
        self._denied: list[tuple[str, str, str]] = []

    def add(self, name: str, *tokens: str, groups: tuple[str, ...] = (), rules: list[dict] | None = None) -> User:
        """Replaces one of that name."""
        user = User(name, groups, rules, set(tokens))
        with self._lock:
            self._users[name] = user
        return user

    def issue(self, name: str, token: str) -> None:
        """One more token, as at a rotation."""
        with self._lock:
            self._users[name].tokens.add(token)

    def revoke(self, token: str) -> None:
        with self._lock:
            for user in self._users.values():
                user.tokens.discard(token)

    def deny(self, name: str, verb: str, resource: str) -> None:
        """Forbids what the rules allow; `resource` as `services/status`, `*` for all."""
        with self._lock:
            self._denied.append((name, verb, resource))

    def allow_again(self) -> None:
        """Takes all `deny` back."""
        with self._lock:
            self._denied.clear()

    def of_token(self, token: str) -> User | None:
        with self._lock:
            return next((user for user in self._users.values() if token in user.tokens), None)

    def of_certificate(self, name: str) -> User | None:
        with self._lock:
            return self._users.get(name)

    def allows(self, user: User, verb: str, group: str, resource: str, name: str | None) -> bool:
        with self._lock:
            for who, what, where in self._denied:
                if who == user.name and what in ("*", verb) and where in ("*", resource):
                    return False
        return user.rules is None or any(_covers(rule, verb, group, resource, name) for rule in user.rules)


def _covers(rule: dict, verb: str, group: str, resource: str, name: str | None) -> bool:
    """As RBAC does: a name counts where the request has one."""
    def has(field: str, value: str) -> bool:
        return value in rule.get(field, []) or "*" in rule.get(field, [])
    names = rule.get("resourceNames")
    return has("verbs", verb) and has("apiGroups", group) and has("resources", resource) and (
        not names or name in names)
