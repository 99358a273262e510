"""Watches: changes as lines, from a version on, with bookmarks, until the time is over or somebody ends them."""

import asyncio
import json

from aiohttp import web
from faults import Faults
from kinds import SERVICE, Kind
from refusals import Refusal
from storage import Storage, Stored

LONGEST_SECONDS = 1800
# So long before the end of its time a watch gets a last bookmark.
LAST_BOOKMARK = 2


class Watch:
    """One that is open."""

    def __init__(self, kind: Kind, namespace: str | None, matches, user: str):
        self.kind, self.namespace, self.matches, self.user = kind, namespace, matches, user
        self.changed = asyncio.Event()
        self.is_closed = False
        # To be sent as they are.
        self.injected: list[bytes] = []


class Watches:
    """All of a server; but for `_wake`, it lives on the server's loop."""

    def __init__(self, storage: Storage, faults: Faults, loop: asyncio.AbstractEventLoop):
        self._storage, self._faults, self._loop = storage, faults, loop
        self._open: set[Watch] = set()
        storage.on_change = lambda kind: loop.is_closed() or loop.call_soon_threadsafe(self._wake, kind)

    async def serve(self, request: web.Request, kind: Kind, namespace: str | None, matches, user: str):
        """Answers a watch; refused with a status where that is what a server does."""
        query = request.query
        version = query.get("resourceVersion", "")
        if version and not version.isdigit():
            parse = f'strconv.ParseUint: parsing "{version}": invalid syntax'
            raise Refusal(500, f'resourceVersion: Invalid value: "{version}": {parse}')
        seconds = min(float(query.get("timeoutSeconds") or LONGEST_SECONDS), LONGEST_SECONDS)
        end = self._loop.time() + seconds
        watch = Watch(kind, namespace, matches, user)
        response = web.StreamResponse(headers={"Content-Type": "application/json"})
        response.enable_chunked_encoding()
        with self._storage.lock:
            start = int(version or 0) or self._storage.version
            first = self._storage.all(kind, namespace) if version in ("", "0") else []
        try:
            self._storage.check(start)
        except Refusal as refusal:
            if self._faults.gone_as_status:
                raise
            await response.prepare(request)
            await self._send(response, watch, _line("ERROR", json.dumps(refusal.status).encode()))
            return response
        self._open.add(watch)
        try:
            # A version that is yet to come: not even the head is sent before it has come.
            while start > self._storage.version and self._loop.time() < end and not watch.is_closed:
                await self._wait(watch, min(end, self._loop.time() + 0.05))
            await response.prepare(request)
            for stored in first:
                if matches is None or matches(stored.body):
                    await self._send(response, watch, _line("ADDED", stored.whole))
            await self._follow(response, watch, start, end, query.get("allowWatchBookmarks") in ("true", "1"))
        finally:
            self._open.discard(watch)
        return response

    async def close(self, resource: str | None) -> None:
        for watch in self._open:
            if resource in (None, watch.kind.plural):
                watch.is_closed = True
                watch.changed.set()
        while any(watch.is_closed for watch in self._open) and not self._faults.hangs:
            await asyncio.sleep(0.005)

    async def inject(self, resource: str, line: bytes) -> int:
        meant = [watch for watch in self._open if watch.kind.plural == resource]
        for watch in meant:
            watch.injected.append(line)
            watch.changed.set()
        return len(meant)

    async def count(self, user: str | None) -> dict[str, int]:
        counts: dict[str, int] = {}
        for watch in self._open:
            if user in (None, watch.user):
                counts[watch.kind.plural] = counts.get(watch.kind.plural, 0) + 1
        return counts

    async def _follow(self, response, watch: Watch, start: int, end: float, bookmarks: bool) -> None:
        last, opened = start, self._storage.version
        bookmark = self._loop.time() + self._faults.bookmark_period
        before_end = end - LAST_BOOKMARK
        while not watch.is_closed and (now := self._loop.time()) < end:
            watch.changed.clear()
            for line in watch.injected:
                await self._send(response, watch, line)
            watch.injected.clear()
            with self._storage.lock:
                changes, current = self._storage.changes(watch.kind, last), self._storage.version
            for change in changes:
                if line := _told(watch, change):
                    await self._send(response, watch, line)
                last = change.version
                if watch.is_closed:
                    return
            # All up to here is told.
            last = current
            if bookmarks and (now >= bookmark or now >= before_end):
                before_end = end if now >= before_end else before_end
                bookmark = now + self._faults.bookmark_period
                # One that says no more than was there when the watch was opened is not sent.
                if last > opened:
                    await self._send(response, watch, _line("BOOKMARK", _bookmark(watch.kind, last)))
            await self._wait(watch, min(end, bookmark if bookmarks else end, before_end if bookmarks else end))

    async def _wait(self, watch: Watch, until: float) -> None:
        try:
            await asyncio.wait_for(watch.changed.wait(), max(until - self._loop.time(), 0.001))
        except asyncio.TimeoutError:
            pass

    async def _send(self, response: web.StreamResponse, watch: Watch, line: bytes) -> None:
        while self._faults.hangs and not watch.is_closed:
            await asyncio.sleep(0.01)
        if not self._faults.splits_watches:
            await response.write(line)
            return
        for index in range(len(line)):
            await response.write(line[index:index + 1])

    def _wake(self, kind: Kind) -> None:
        for watch in self._open:
            if watch.kind is kind:
                watch.changed.set()


def _told(watch: Watch, change) -> bytes | None:
    """What a watch hears: with a selector, that an object came or left is an addition or a deletion."""
    if watch.namespace not in (None, change.new.key[0]):
        return None
    if watch.matches is None:
        return _line(change.type, change.new.whole)
    was = change.old is not None and watch.matches(change.old.body)
    is_now = change.type != "DELETED" and watch.matches(change.new.body)
    if not was and not is_now:
        return None
    if was and is_now:
        return _line("MODIFIED", change.new.whole)
    if is_now:
        return _line("ADDED", change.new.whole)
    # The state that was meant, with the version of what ended that.
    gone = {**change.old.body, "metadata": {**change.old.body["metadata"], "resourceVersion": str(change.version)}}
    last = Stored(change.new.kind, change.new.key, change.version, gone, json.dumps(gone).encode())
    return _line("DELETED", last.whole)


def _line(type: str, whole: bytes) -> bytes:
    return b'{"type":"%s","object":%s}\n' % (type.encode(), whole)


def _bookmark(kind: Kind, version: int) -> bytes:
    empty = {"spec": {}, "status": {"loadBalancer": {}}} if kind is SERVICE else {}
    return json.dumps({
        "kind": kind.name, "apiVersion": kind.api_version, "metadata": {"resourceVersion": str(version)},
        **empty}).encode()
