"""Objects with their versions and all changes since the last compaction, as etcd and the API server's cache keep them.

Any thread may call; each call is one transaction.
"""

import base64
import bisect
import copy
import json
import threading
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass

import patches
import refusals
from admission import Admission
from kinds import KINDS, NAMESPACE, Kind


@dataclass(frozen=True)
class Stored:
    """One version of an object. `body` is never changed; `text` is its JSON without kind and apiVersion."""

    kind: Kind
    key: tuple[str, str]
    version: int
    body: dict
    text: bytes

    @property
    def whole(self) -> bytes:
        """Its JSON as GET and watches show it."""
        return b'{"kind":"%s","apiVersion":"%s",%s' % (
            self.kind.name.encode(), self.kind.api_version.encode(), self.text[1:])


@dataclass(frozen=True)
class Change:
    """What happened at a version; `new` is, of a deletion, the last state with that version."""

    version: int
    type: str
    new: Stored
    old: Stored | None


@dataclass(frozen=True)
class Page:
    """A part of a list, with the version of the whole of it."""

    items: list[Stored]
    version: int
    token: str = ""
    left: int = 0


class Storage:
    def __init__(self):
        self.admission = Admission()
        self.version = 100
        self.lock = threading.RLock()
        # Called after each change, with its kind, from the thread that made it.
        self.on_change: Callable[[Kind], None] = lambda kind: None
        self._objects: dict[Kind, dict[tuple[str, str], Stored]] = {kind: {} for kind in KINDS}
        self._changes: dict[Kind, list[Change]] = {kind: [] for kind in KINDS}
        self._compacted = 0
        self._pages: dict[int, dict[Kind, list[Stored]]] = {}

    def get(self, kind: Kind, namespace: str, name: str) -> Stored:
        with self.lock:
            if found := self._objects[kind].get((namespace, name)):
                return found
        raise refusals.not_found(kind, name)

    def create(self, kind: Kind, namespace: str, body: dict, manager: str = "tests") -> Stored:
        body = copy.deepcopy(body)
        metadata = body.setdefault("metadata", {})
        if kind.is_namespaced:
            metadata["namespace"] = namespace
        with self.lock:
            if kind.is_namespaced and ("", namespace) not in self._objects[NAMESPACE]:
                raise refusals.not_found(NAMESPACE, namespace)
            if not metadata.get("name") and metadata.get("generateName"):
                metadata["name"] = metadata["generateName"] + uuid.uuid4().hex[:5]
            key = (namespace if kind.is_namespaced else "", metadata.get("name", ""))
            if not key[1]:
                raise refusals.invalid(kind, "", (
                    "FieldValueRequired", "metadata.name", "Required value: name or generateName is required"))
            if key in self._objects[kind]:
                raise refusals.already_exists(kind, key[1])
            self.admission.create(kind, body)
            metadata["uid"] = str(uuid.uuid4())
            metadata.setdefault("creationTimestamp", _now())
            if kind.has_generation:
                metadata["generation"] = 1
            metadata.pop("deletionTimestamp", None)
            return self._write(kind, key, body, None, manager)

    def replace(self, kind: Kind, namespace: str, name: str, body: dict, subresource: str = "",
                manager: str = "tests") -> tuple[Stored, bool]:
        """What is stored then, and whether it is new."""
        body = copy.deepcopy(body)
        if (said := body.get("metadata", {}).get("name", name)) != name:
            raise refusals.bad_request(
                f"the name of the object ({said}) does not match the name on the URL ({name})")
        with self.lock:
            old = self._objects[kind].get((namespace, name))
            version = body.get("metadata", {}).get("resourceVersion")
            if not old and kind.creates_on_update and not version and not subresource:
                return self.create(kind, namespace, body, manager), True
            if not old:
                raise refusals.not_found(kind, name)
            if not version and not kind.updates_blindly:
                subject = kind.qualified
                raise refusals.Refusal(
                    422, f'{subject} "{name}" is invalid: metadata.resourceVersion: Invalid value: 0: must be '
                    "specified for an update", details={"name": name, "group": kind.group, "kind": kind.plural})
            return self._update(old, body, subresource, manager), False

    def patch(self, kind: Kind, namespace: str, name: str, patch, is_merge: bool = True, subresource: str = "",
              manager: str = "tests") -> Stored:
        with self.lock:
            old = self.get(kind, namespace, name)
            try:
                body = patches.merge(old.body, patch) if is_merge else patches.apply(old.body, patch)
            except patches.PatchError:
                raise refusals.Refusal(
                    422, "the server rejected our request due to an error in our request", details={}) from None
            # Only a version that the patch itself brings is compared.
            return self._update(old, copy.deepcopy(body), subresource, manager)

    def delete(self, kind: Kind, namespace: str, name: str, preconditions: dict | None = None) -> Stored:
        """The last state; it is still there where finalizers hold it."""
        with self.lock:
            old = self.get(kind, namespace, name)
            for field, wanted in (preconditions or {}).items():
                if (found := old.body["metadata"][field]) != wanted:
                    field = {"uid": "UID", "resourceVersion": "ResourceVersion"}[field]
                    raise refusals.conflict(
                        kind, name, f"the {field} in the precondition ({wanted}) does not match the {field} in record "
                        f"({found}). The object might have been deleted and then recreated")
            if not old.body["metadata"].get("finalizers"):
                return self._remove(old)
            if old.body["metadata"].get("deletionTimestamp"):
                return old
            body = copy.deepcopy(old.body)
            body["metadata"]["deletionTimestamp"] = _now()
            return self._write(kind, old.key, body, old, None)

    def all(self, kind: Kind, namespace: str | None = None) -> list[Stored]:
        """In the order of namespace and name."""
        with self.lock:
            found = [one for one in self._objects[kind].values() if namespace in (None, one.key[0])]
        return sorted(found, key=lambda one: one.key)

    def page(self, kind: Kind, namespace: str | None, limit: int, token: str, version: str, matches) -> Page:
        """A list, or a part of one; all parts show one moment."""
        with self.lock:
            start, at = ("", ""), self.version
            if token:
                at, start = _read_token(token)
                if at == -1:
                    at = self.version
                elif at not in self._pages or kind not in self._pages[at]:
                    raise refusals.too_old_to_continue(_write_token(-1, start))
            elif version and int(version) > self.version:
                raise refusals.too_large(int(version), self.version)
            if not token and version == "0":
                # From the cache, which knows no pages.
                limit = 0
            objects = self._pages.get(at, {}).get(kind) or self.all(kind)
            if limit:
                self._pages.setdefault(at, {}).setdefault(kind, objects)
        first = bisect.bisect_right(objects, start, key=lambda one: one.key) if token else 0
        wanted = [
            one for one in objects[first:]
            if namespace in (None, one.key[0]) and (matches is None or matches(one.body))]
        if not limit or len(wanted) <= limit:
            return Page(wanted, at)
        # With a selector nobody has counted.
        left = len(wanted) - limit if matches is None else 0
        return Page(wanted[:limit], at, _write_token(at, wanted[limit - 1].key), left)

    def check(self, after: int) -> None:
        """Refuses to tell what has changed since a version that is forgotten."""
        if after < self._compacted:
            raise refusals.too_old(after, self._compacted)

    def changes(self, kind: Kind, after: int) -> list[Change]:
        """All after a version, compacted or not: watches that are open miss nothing."""
        with self.lock:
            changes = self._changes[kind]
            return changes[bisect.bisect_right(changes, after, key=lambda change: change.version):]

    def compact(self) -> None:
        """Forgets all versions but the current one, which is a new one, as if another kind's object had changed."""
        with self.lock:
            self.version += 1
            self._compacted = self.version
            self._pages.clear()

    def _update(self, old: Stored, body: dict, subresource: str, manager: str | None) -> Stored:
        kind, metadata = old.kind, body["metadata"]
        version = metadata.get("resourceVersion")
        if version and version != str(old.version):
            raise refusals.conflict(kind, old.key[1])
        if (uid := metadata.get("uid")) and uid != old.body["metadata"]["uid"]:
            raise refusals.conflict(
                kind, old.key[1], f"Precondition failed: UID in precondition: {uid}, UID in object meta: "
                f"{old.body['metadata']['uid']}")
        for field in ("name", "namespace", "uid", "creationTimestamp", "deletionTimestamp", "generation"):
            metadata.pop(field, None)
            if field in old.body["metadata"]:
                metadata[field] = old.body["metadata"][field]
        self.admission.update(kind, body, old.body, subresource)
        if metadata.get("deletionTimestamp") and not metadata.get("finalizers"):
            return self._remove(old)
        if kind.has_generation and _essence(body) != _essence(old.body):
            metadata["generation"] += 1
        return self._write(kind, old.key, body, old, manager)

    def _write(self, kind: Kind, key: tuple[str, str], body: dict, old: Stored | None, manager: str | None) -> Stored:
        body.pop("kind", None), body.pop("apiVersion", None)
        metadata = body["metadata"]
        metadata["managedFields"] = copy.copy(old.body["metadata"]["managedFields"]) if old else []
        metadata["resourceVersion"] = str(old.version) if old else ""
        if old and old.body == body:
            # Nothing is different: nothing is written, and no watch hears of it.
            return old
        if manager:
            _note(metadata["managedFields"], manager, kind)
        self.version += 1
        metadata["resourceVersion"] = str(self.version)
        stored = Stored(kind, key, self.version, body, json.dumps(body, separators=(",", ":")).encode())
        self._objects[kind][key] = stored
        self._changes[kind].append(Change(self.version, "MODIFIED" if old else "ADDED", stored, old))
        self.on_change(kind)
        return stored

    def _remove(self, old: Stored) -> Stored:
        self.version += 1
        body = {**old.body, "metadata": {**old.body["metadata"], "resourceVersion": str(self.version)}}
        last = Stored(old.kind, old.key, self.version, body, json.dumps(body, separators=(",", ":")).encode())
        del self._objects[old.kind][old.key]
        self._changes[old.kind].append(Change(self.version, "DELETED", last, old))
        self.on_change(old.kind)
        return last


def _note(fields: list, manager: str, kind: Kind) -> None:
    """Who has written; which fields is left open."""
    fields[:] = [one for one in fields if one["manager"] != manager]
    fields.append({
        "manager": manager, "operation": "Update", "apiVersion": kind.api_version, "time": _now(),
        "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}, "f:status": {}}})


def _essence(body: dict) -> dict:
    return {name: value for name, value in body.items() if name not in ("metadata", "status", "kind", "apiVersion")}


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def _write_token(version: int, key: tuple[str, str]) -> str:
    text = json.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": "/".join(key) + "\0"})
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, tuple[str, str]]:
    try:
        read = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        namespace, name = read["start"].rstrip("\0").rsplit("/", 1)
        return read["rv"], (namespace.removeprefix("/"), name)
    except (ValueError, KeyError, TypeError):
        raise refusals.bad_request("invalid continue token: continue key is not valid") from None
