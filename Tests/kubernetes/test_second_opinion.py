"""Roadstead lists and writes at an API server that others made for tests: kmock, from PyPI.

It says less than kube-apiserver does: versions are no numbers, lists have no kind, and each watch begins with all that
is there.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import kinds
import pytest
from cluster import REAL
from objects import pool, service, slices
from processes import LabError, run as run_program
from roadstead import Roadstead, ask

VERSION = "0.8"
NAME = "hostname-svc-lb"
_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / f"roadstead-tests/kmock-{VERSION}"

pytestmark = pytest.mark.skipif(REAL is not None, reason="is about another API server")


@pytest.fixture(scope="session")
def python() -> str:
    """An interpreter that has kmock; installed once and kept in the cache."""
    python, done = _CACHE / "bin/python", _CACHE / "installed"
    try:
        if not done.exists():
            shutil.rmtree(_CACHE, ignore_errors=True)
            run_program([sys.executable, "-m", "venv", str(_CACHE)], within=60)
            run_program([str(python), "-m", "pip", "install", "--quiet", "--retries", "1", "--timeout", "10",
                         f"kmock=={VERSION}"], within=90)
            done.touch()
    except (LabError, OSError) as error:
        pytest.skip(f"kmock {VERSION} cannot be had from PyPI: {str(error).splitlines()[-1]}")
    return str(python)


class Kmock:
    """One that runs; `create` and `patch` are requests of a client of its own."""

    def __init__(self, python: str):
        self._child = subprocess.Popen(
            [python, str(Path(__file__).parent / "kmock_server.py")], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True, bufsize=1)
        self.url = self._child.stdout.readline().strip()

    def request(self, method: str, kind: kinds.Kind, body: dict, name: str | None = None) -> None:
        namespace = body["metadata"]["namespace"]
        self._child.stdin.write(f"{method} {kind.path(namespace, name)} {json.dumps(body)}\n")
        status = self._child.stdout.readline().strip()
        assert status in ("200", "201"), f"kmock: {method} {kind.plural}: {status}"

    def create(self, kind: kinds.Kind, body: dict) -> None:
        body = {**body, "metadata": {**body["metadata"], "namespace": "default", "uid": f"{kind.plural}-1"}}
        self.request("POST", kind, {"apiVersion": kind.api_version, "kind": kind.name, **body})

    def close(self) -> None:
        self._child.stdin.close()
        self._child.wait(10)
        self._child.stdout.close()


@pytest.fixture
def kmock(python):
    server = Kmock(python)
    yield server
    server.close()


def test_roadstead_lists_and_serves_at_a_server_of_others(kmock, cluster, pods):
    first = cluster.block(50)
    kmock.create(kinds.POOL, pool("lab", f"{first}-{cluster.block(60)}"))
    kmock.create(kinds.SERVICE, service())
    made, = slices(NAME, [pods[0].endpoint()])
    kmock.create(kinds.SLICE, made)
    file = cluster.directory / "kmock"
    file.write_text(json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "kmock",
        "contexts": [{"name": "kmock", "context": {"cluster": "kmock", "user": "nobody"}}],
        "clusters": [{"name": "kmock", "cluster": {"server": kmock.url}}], "users": [{"name": "nobody", "user": {}}]}))
    roadstead = Roadstead(cluster, kubeconfig=file)
    try:
        # Its watches, from its lists' version "...", tell nothing and may end at once: lists are what it judges.
        roadstead.wait_for("what was listed is served", lambda: ask(first) == "pod-1", within=20)
    finally:
        roadstead.close()
