"""A client of an API server for tests: what kubectl would do, one request at a time, each with a deadline."""

import base64
import http.client
import json
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode, urlsplit

from kinds import Kind

_MERGE, _JSON = "application/merge-patch+json", "application/json-patch+json"


class Refused(Exception):
    """An answer that is no success; `status` is its Status, or its text."""

    def __init__(self, code: int, status):
        super().__init__(f"{code}: {status['message'] if isinstance(status, dict) else status[:300]}")
        self.code, self.status = code, status

    @property
    def reason(self) -> str:
        return self.status.get("reason", "") if isinstance(self.status, dict) else ""


@dataclass(frozen=True)
class Access:
    """Where an API server is and how to be let in; files in PEM."""

    url: str
    authority: Path
    token: str | None = None
    certificate: Path | None = None
    key: Path | None = None

    @staticmethod
    def of_kubeconfig(path: str) -> "Access":
        """That of the current context, read by kubectl; data becomes files in a directory that is kept."""
        text = subprocess.run(
            ["kubectl", "--kubeconfig", path, "config", "view", "--raw", "--minify", "--flatten", "-o", "json"],
            check=True, capture_output=True, text=True, timeout=20).stdout
        read = json.loads(text)
        cluster, user = read["clusters"][0]["cluster"], read["users"][0]["user"]
        directory = Path(tempfile.mkdtemp(prefix="roadstead-access-"))

        def file(data: str | None, name: str) -> Path | None:
            if not data:
                return None
            (directory / name).write_bytes(base64.b64decode(data))
            (directory / name).chmod(0o600)
            return directory / name
        return Access(
            cluster["server"], file(cluster.get("certificate-authority-data"), "ca.crt"), user.get("token"),
            file(user.get("client-certificate-data"), "client.crt"), file(user.get("client-key-data"), "client.key"))


class Client:
    """Throws `Refused` for what is no success."""

    def __init__(self, access: Access, namespace: str = "default"):
        self.access, self.namespace = access, namespace
        self._tls = ssl.create_default_context(cafile=str(access.authority))
        # Some tests give the server another name on purpose; who signed for it is checked all the same.
        self._tls.check_hostname = False
        if access.certificate:
            self._tls.load_cert_chain(access.certificate, access.key)

    def get(self, kind: Kind, name: str) -> dict:
        return self.request("GET", kind.path(self.namespace, name))

    def list(self, kind: Kind, everywhere: bool = False, **query) -> dict:
        """The whole answer; `query` in Kubernetes' words."""
        return self.request("GET", kind.path(None if everywhere else self.namespace), **query)

    def create(self, kind: Kind, body: dict) -> dict:
        return self.request("POST", kind.path(self.namespace), self._whole(kind, body))

    def replace(self, kind: Kind, name: str, body: dict, subresource: str | None = None) -> dict:
        return self.request("PUT", kind.path(self.namespace, name, subresource), self._whole(kind, body))

    def patch(self, kind: Kind, name: str, patch, subresource: str | None = None) -> dict:
        """A merge patch, or a JSON patch where it is a list."""
        return self.request(
            "PATCH", kind.path(self.namespace, name, subresource), patch,
            content_type=_JSON if isinstance(patch, list) else _MERGE)

    def delete(self, kind: Kind, name: str, preconditions: dict | None = None) -> dict:
        body = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": preconditions} if preconditions else None
        return self.request("DELETE", kind.path(self.namespace, name), body)

    def watch(self, kind: Kind, within: float = 10, everywhere: bool = False, **query) -> Iterator[dict]:
        """The events of a watch to its end; throws where nothing comes for so long."""
        query = urlencode({"watch": "true", **query})
        connection = self._connection(within)
        path = kind.path(None if everywhere else self.namespace)
        connection.request("GET", f"{path}?{query}", headers=self._headers())
        answer = connection.getresponse()
        try:
            if answer.status != 200:
                raise Refused(answer.status, _read(answer.read()))
            for line in answer:
                yield json.loads(line)
        finally:
            connection.close()

    def request(self, method: str, path: str, body=None, content_type: str = "application/json", **query):
        """Any request; `body` is made JSON unless it is bytes."""
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        connection = self._connection(20)
        headers = self._headers() | ({"Content-Type": content_type} if data is not None else {})
        try:
            connection.request(method, path + ("?" + urlencode(query) if query else ""), data, headers)
            answer = connection.getresponse()
            read = _read(answer.read())
        finally:
            connection.close()
        if not 200 <= answer.status < 300:
            raise Refused(answer.status, read)
        return read

    def remove_all(self, *kinds: Kind) -> None:
        """Deletes all of these kinds in the namespace, finalizers or not."""
        for kind in kinds:
            for item in self.list(kind)["items"]:
                name = item["metadata"]["name"]
                try:
                    if item["metadata"].get("finalizers"):
                        self.patch(kind, name, {"metadata": {"finalizers": None}})
                    self.delete(kind, name)
                except Refused as refused:
                    if refused.code != 404:
                        raise

    def is_up(self) -> bool:
        try:
            return bool(self.request("GET", "/version"))
        except (OSError, Refused, http.client.HTTPException):
            return False

    def _connection(self, within: float) -> http.client.HTTPSConnection:
        place = urlsplit(self.access.url)
        return http.client.HTTPSConnection(place.hostname, place.port, timeout=within, context=self._tls)

    def _headers(self) -> dict[str, str]:
        token = {"Authorization": f"Bearer {self.access.token}"} if self.access.token else {}
        return {"Accept": "application/json", "User-Agent": "tests/1", **token}

    def _whole(self, kind: Kind, body: dict) -> dict:
        return {"apiVersion": kind.api_version, "kind": kind.name, **body}


def _read(data: bytes):
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")


def now() -> str:
    """As Leases have it (MicroTime)."""
    return time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", time.gmtime())
