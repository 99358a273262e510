"""Requests to the API server of the tests, from the path to the answer."""

import asyncio
import json
import re

import refusals
import selectors_of_objects as selectors
from aiohttp import web
from faults import Faults
from kinds import KINDS, Kind, kind_of
from refusals import Refusal
from requests_seen import Request, Requests
from storage import Page, Storage, Stored
from users import ANONYMOUS, User, Users
from watching import Watches

_CORE = re.compile(r"/api/(?P<version>v1)/(?P<rest>.+)")
_GROUP = re.compile(r"/apis/(?P<group>[^/]+)/(?P<version>[^/]+)/(?P<rest>.+)")
_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_MERGE, _JSON = "application/merge-patch+json", "application/json-patch+json"


class Target:
    """What a path is about."""

    def __init__(self, path: str):
        match = _CORE.fullmatch(path) or _GROUP.fullmatch(path)
        self.kind: Kind | None = None
        self.namespace: str | None = None
        self.name: str | None = None
        self.subresource = ""
        self.is_core = path.startswith("/api/v1/")
        if not match:
            return
        parts = match["rest"].rstrip("/").split("/")
        if parts[0] == "namespaces" and len(parts) > 2 and parts[2] not in ("status", "finalize"):
            self.namespace, parts = parts[1], parts[2:]
        kind = kind_of("" if self.is_core else match["group"], match["version"], parts[0])
        if not kind or len(parts) > 3 or (self.namespace and not kind.is_namespaced):
            return
        self.name = parts[1] if len(parts) > 1 else None
        self.subresource = parts[2] if len(parts) > 2 else ""
        if self.name and kind.is_namespaced and not self.namespace:
            return
        if self.subresource and not (self.subresource == "status" and kind.has_status):
            return
        self.kind = kind

    @property
    def resource(self) -> str:
        """As rights name it: `services/status`; empty where it is none."""
        if not self.kind:
            return ""
        return self.kind.plural + (f"/{self.subresource}" if self.subresource else "")


class Handler:
    """Lives on the server's loop."""

    def __init__(self, storage: Storage, users: Users, faults: Faults, requests: Requests, watches: Watches):
        self._storage, self._users, self._faults = storage, users, faults
        self._requests, self._watches = requests, watches

    async def handle(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        user = self._authenticate(request)
        target = Target(request.path)
        verb = _verb(request, target)
        resource = target.resource
        seen = Request(
            request.method, request.path_qs, user.name if user else "", verb, resource, body, request.content_type,
            request.headers.get("User-Agent", ""))
        self._requests.add(seen)
        while self._faults.hangs:
            await asyncio.sleep(0.01)
        try:
            response = await self._answer(request, target, verb, resource, user, body)
        except Refusal as refusal:
            wait = refusal.status.get("details", {}).get("retryAfterSeconds")
            response = web.json_response(
                refusal.status, status=refusal.code, headers={"Retry-After": str(wait)} if wait else None)
        except json.JSONDecodeError as error:
            response = web.json_response(refusals.bad_request(f"json parse error: {error}").status, status=400)
        seen.status = response.status
        return response

    async def _answer(self, request, target: Target, verb: str, resource: str, user: User | None, body: bytes):
        if answer := self._faults.answer_to(request.method, request.path_qs):
            return web.Response(status=answer.status, body=answer.body, headers=answer.headers)
        if not user:
            raise refusals.unauthorized()
        if (found := _discovery(request.path, self._faults.has_custom_kinds)) is not None:
            return found
        kind = target.kind
        if not kind or (kind.is_custom and not self._faults.has_custom_kinds):
            if target.is_core:
                raise refusals.no_such_resource()
            return web.Response(status=404, text="404 page not found\n")
        if not self._users.allows(user, verb, kind.group, resource, target.name):
            raise refusals.forbidden(user.name, verb, kind, target.subresource, target.namespace, target.name)
        manager = request.query.get("fieldManager") or request.headers.get("User-Agent", "").split("/")[0] or "unknown"
        if target.name:
            return self._one(request, target, verb, body, manager)
        if verb == "create":
            created = self._storage.create(kind, target.namespace or "", _object(body, kind), manager)
            return _text(created, 201)
        matches = selectors.selector(request.query.get("labelSelector", ""), request.query.get("fieldSelector", ""))
        if verb == "watch":
            if request.query.get("sendInitialEvents"):
                raise refusals.Refusal(
                    422, "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList "
                    "feature gate is enabled")
            return await self._watches.serve(request, kind, target.namespace, matches, user.name)
        if verb != "list":
            raise refusals.Refusal(405, "the server does not allow this method on the requested resource")
        if self._faults.list_delay:
            await asyncio.sleep(self._faults.list_delay)
        query = request.query
        return _list(kind, self._storage.page(
            kind, target.namespace, int(query.get("limit") or 0), query.get("continue", ""),
            query.get("resourceVersion", ""), matches))

    def _one(self, request, target: Target, verb: str, body: bytes, manager: str) -> web.Response:
        kind, namespace, name = target.kind, target.namespace or "", target.name
        match verb:
            case "get":
                return _text(self._storage.get(kind, namespace, name))
            case "update":
                stored, is_new = self._storage.replace(
                    kind, namespace, name, _object(body, kind), target.subresource, manager)
                return _text(stored, 201 if is_new else 200)
            case "patch":
                if request.content_type not in (_MERGE, _JSON):
                    raise Refusal(415, "415: Unsupported Media Type", details={})
                is_merge = request.content_type == _MERGE
                return _text(self._storage.patch(
                    kind, namespace, name, json.loads(body), is_merge, target.subresource, manager))
            case "delete":
                preconditions = json.loads(body).get("preconditions") if body else None
                gone = self._storage.delete(kind, namespace, name, preconditions)
                if kind.returns_deleted:
                    return _text(gone)
                group = {"group": kind.group} if kind.group else {}
                return web.json_response({
                    "kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": {
                        "name": name, **group, "kind": kind.plural, "uid": gone.body["metadata"]["uid"]}})
        raise Refusal(405, "the server does not allow this method on the requested resource")

    def _authenticate(self, request: web.Request) -> User | None:
        """None: there are credentials, and they are not good."""
        header = request.headers.get("Authorization", "")
        if header.startswith("Bearer "):
            return self._users.of_token(header.removeprefix("Bearer ").strip())
        subject = (request.get_extra_info("peercert") or {}).get("subject", ())
        name = next((value for ((field, value),) in subject if field == "commonName"), None)
        return self._users.of_certificate(name) if name else ANONYMOUS


def _verb(request: web.Request, target: Target) -> str:
    verb = _VERBS.get(request.method, "")
    if verb != "get" or target.name or not target.kind:
        return verb
    return "watch" if request.query.get("watch") in ("true", "1") else "list"


def _object(body: bytes, kind: Kind) -> dict:
    try:
        read = json.loads(body)
    except ValueError as error:
        start = body[:30].decode(errors="replace")
        raise refusals.bad_request(
            f"the object provided is unrecognized (must be of type {kind.name}): couldn't get version/kind; json parse "
            f"error: {error} ({start} ...)") from None
    if not isinstance(read, dict) or (read.get("kind"), read.get("apiVersion")) != (kind.name, kind.api_version):
        raise refusals.bad_request(f"the object provided is unrecognized (must be of type {kind.name})")
    return read


def _text(stored: Stored, status: int = 200) -> web.Response:
    return web.Response(status=status, body=stored.whole, content_type="application/json")


def _list(kind: Kind, page: Page) -> web.Response:
    metadata: dict = {"resourceVersion": str(page.version)}
    if page.token:
        metadata["continue"] = page.token
        if page.left:
            metadata["remainingItemCount"] = page.left
    head = json.dumps({"kind": f"{kind.name}List", "apiVersion": kind.api_version, "metadata": metadata})
    # Only custom kinds' items say what they are.
    items = b",".join(one.whole if kind.is_custom else one.text for one in page.items)
    return web.Response(body=head[:-1].encode() + b',"items":[' + items + b"]}\n", content_type="application/json")


def _discovery(path: str, has_custom_kinds: bool) -> web.Response | None:
    """What kubectl asks first."""
    if path in ("/healthz", "/livez", "/readyz"):
        return web.Response(text="ok")
    if path == "/version":
        return web.json_response({"major": "1", "minor": "36", "gitVersion": "v1.36.0-tests"})
    if path == "/api":
        return web.json_response({"kind": "APIVersions", "versions": ["v1"]})
    known = [kind for kind in KINDS if has_custom_kinds or not kind.is_custom]
    groups = sorted({(kind.group, kind.version) for kind in known if kind.group})
    if path == "/apis":
        return web.json_response({"kind": "APIGroupList", "apiVersion": "v1", "groups": [
            {"name": group, "versions": [{"groupVersion": f"{group}/{version}", "version": version}],
             "preferredVersion": {"groupVersion": f"{group}/{version}", "version": version}}
            for group, version in groups]})
    if kinds := [kind for kind in known if kind.root == path.rstrip("/")]:
        return web.json_response({
            "kind": "APIResourceList", "apiVersion": "v1", "groupVersion": kinds[0].api_version, "resources": [
                {"name": kind.plural, "singularName": kind.name.lower(), "namespaced": kind.is_namespaced,
                 "kind": kind.name, "verbs": ["get", "list", "watch", "create", "update", "patch", "delete"]}
                for kind in kinds]})
    return None
