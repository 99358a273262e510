"""`roadstead run` at an API server, and what it says of itself."""

import http.client
import json
import shutil
import socket
import tempfile
from collections import Counter
from pathlib import Path

from cluster import Cluster
from example import BINARY
from objects import PORT
from processes import LabError, Process, run, wait_for

# As the tests have them, in seconds.
LEASE_TIMES = ("--lease-duration", "3s", "--lease-renew-deadline", "2s", "--lease-retry", "0.5s")


class Roadstead:
    """One that runs, from its making to `close`. Its addresses are on loopback, so it announces nothing."""

    def __init__(self, cluster: Cluster, *options: str, kubeconfig: Path | None = None, lease: str = "none"):
        # A unix socket's path has room for about 100 characters.
        self._directory = Path(tempfile.mkdtemp(prefix="roadstead-"))
        self.admin = self._directory / "admin"
        words = [
            BINARY, "run", "--kubeconfig", str(kubeconfig or cluster.kubeconfig()), "--target", "pod",
            "--announce", "none", "--admin", f"unix:{self.admin}", "--drain", "1s",
            "--lease", lease, *(LEASE_TIMES if lease != "none" else ()), *options]
        self.process = Process(words, "roadstead")

    def is_ready(self) -> bool:
        """Whether `/readyz` says so."""
        connection = _UnixConnection(str(self.admin))
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def state(self) -> dict:
        """The answer of the admin port; a LabError while there is none."""
        connection = _UnixConnection(str(self.admin))
        try:
            connection.request("GET", "/api/v1/state")
            return json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise LabError(f"no state: {error!r}\n" + "\n".join(self.process.lines[-20:])) from None
        finally:
            connection.close()

    @property
    def connection(self) -> str:
        """`connecting`, `connected` or `unreachable`."""
        return self.state()["cluster"]["connection"]

    @property
    def role(self) -> str:
        """`unknown`, `standby`, `holder` or `holder, unverified`."""
        return self.state()["cluster"]["lease"]["role"]

    def status(self) -> str:
        return run([BINARY, "status", "--admin", f"unix:{self.admin}"])

    def wait_until_synced(self, within: float = 10) -> "Roadstead":
        def is_synced() -> bool:
            cluster = self.state()["cluster"]
            return cluster["connection"] == "connected" and cluster["isSynced"]
        self.wait_for("everything is listed", is_synced, within)
        return self

    def wait_for(self, what: str, holds, within: float = 5):
        """As `wait_for`, and a failure shows the log."""
        try:
            return wait_for(what, holds, within)
        except LabError as error:
            error.add_note("the log of roadstead:\n" + "\n".join(self.process.lines[-40:]))
            raise

    def lines_with(self, *texts: str) -> list[str]:
        return [line for line in self.process.lines if all(text.lower() in line.lower() for text in texts)]

    def close(self) -> None:
        self.process.kill()
        shutil.rmtree(self._directory, ignore_errors=True)


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str):
        super().__init__("localhost", timeout=5)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


def ask(address: str, port: int = PORT) -> str | None:
    """Who answers a new connection; None where it is refused, reset or not answered."""
    connection = http.client.HTTPConnection(address, port, timeout=5)
    try:
        connection.request("GET", "/", headers={"Connection": "close"})
        return connection.getresponse().read().decode().strip()
    except (OSError, http.client.HTTPException):
        return None
    finally:
        connection.close()


def count(address: str, times: int = 12, port: int = PORT) -> dict[str | None, int]:
    return dict(Counter(ask(address, port) for _ in range(times)))
