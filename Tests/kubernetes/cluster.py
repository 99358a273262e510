"""A cluster for tests: the API server of the tests' own, or with ROADSTEAD_TEST_KUBECONFIG a real one."""

import itertools
import os
import secrets
from pathlib import Path

import kinds
import kubeconfig
import objects
from certificates import Authority
from client import Access, Client, Refused
from server import Server

REAL = os.environ.get("ROADSTEAD_TEST_KUBECONFIG")
# Who Roadstead is there.
USER = "roadstead"
_numbers = itertools.count(1)
_CLEANED = (
    kinds.SERVICE, kinds.SLICE, kinds.POD, kinds.LEASE, kinds.EVENT, kinds.ENDPOINTS, kinds.POOL, kinds.ADVERTISEMENT)


class Cluster:
    """`client` is its administrator, in a namespace of the test's own; `server` is None where it is a real one."""

    def __init__(self, directory: Path, authority: Authority | None, *sockets, names: tuple[str, ...] = ()):
        self.directory = directory
        self.token = secrets.token_hex(16)
        self.number = next(_numbers)
        self.namespace = f"tests-{os.getpid()}-{self.number}"
        self.server: Server | None = None
        if REAL:
            self.access = Access.of_kubeconfig(REAL)
            self.roadstead = self.access
        else:
            self.server = Server(authority, *sockets, names=names)
            admin = secrets.token_hex(16)
            self.server.users.add("admin", admin)
            self.server.users.add(USER, self.token)
            self.access = Access(self.server.url, authority.file, admin)
            self.roadstead = Access(self.server.url, authority.file, self.token)
        self.client = Client(self.access, self.namespace)
        self.client.create(kinds.NAMESPACE, {"metadata": {"name": self.namespace}})

    def kubeconfig(self, name: str = "kubeconfig", access: Access | None = None, **options) -> Path:
        """A file for Roadstead."""
        return kubeconfig.write(self.directory / name, access or self.roadstead, **options)

    def block(self, last: int) -> str:
        """An address of a /24 on loopback that is this test's own, as far as the machine's other tests can tell."""
        return f"127.{100 + os.getpid() % 150}.{self.number % 250 + 1}.{last}"

    def create(self, kind: kinds.Kind, body: dict) -> dict:
        return self.client.create(kind, body)

    def events(self, name: str, reason: str | None = None) -> list[dict]:
        """What `kubectl describe` shows of an object of any kind."""
        return [
            event for event in self.client.list(kinds.EVENT)["items"]
            if event["involvedObject"]["name"] == name and reason in (None, event["reason"])]

    def add_pool(self, name: str = "lab", first: int = 50, last: int = 60, **spec) -> str:
        """A pool on this test's block, in MetalLB's kind; its first address."""
        self.create(kinds.POOL, objects.pool(name, f"{self.block(first)}-{self.block(last)}", **spec))
        return self.block(first)

    def publish(self, service: str, *endpoints: objects.Endpoint) -> None:
        """Makes these the endpoints of a Service, as the controller of EndpointSlices does."""
        there = {
            item["metadata"]["name"] for item in
            self.client.list(kinds.SLICE, labelSelector=f"kubernetes.io/service-name={service}")["items"]}
        for made in objects.slices(service, list(endpoints)):
            name = made["metadata"]["name"]
            if name in there:
                self.client.replace(kinds.SLICE, name, made)
                there.remove(name)
            else:
                self.create(kinds.SLICE, made)
        for name in there:
            self.client.delete(kinds.SLICE, name)

    def ingress(self, service: str) -> list[dict]:
        return objects.ingress(self.client.get(kinds.SERVICE, service))

    def addresses(self, service: str) -> list[str]:
        """As `kubectl get service` shows them under EXTERNAL-IP."""
        return [entry["ip"] for entry in self.ingress(service)]

    def condition(self, service: str, kind: str) -> dict:
        """One of `status.conditions`; empty where it is not there."""
        status = self.client.get(kinds.SERVICE, service)["status"]
        return next((one for one in status.get("conditions") or [] if one["type"] == f"roadstead.dev/{kind}"), {})

    def close(self) -> None:
        if self.server:
            self.server.close()
            return
        for kind in _CLEANED:
            try:
                self.client.remove_all(kind)
            except Refused as refused:
                if refused.code != 404:
                    raise
        # Without a controller that does it, a namespace has to be told that it is empty.
        self.client.delete(kinds.NAMESPACE, self.namespace)
        namespace = {"metadata": {"name": self.namespace}, "spec": {"finalizers": []}}
        try:
            self.client.replace(kinds.NAMESPACE, self.namespace, namespace, "finalize")
        except Refused as refused:
            if refused.code not in (404, 409):
                raise

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_) -> None:
        self.close()
