"""Roadstead at an API server with 5,000 Services and 50,000 endpoints, against the targets. `make bench-kubernetes`.

The API server is that of Tests/kubernetes, in a process of its own, so that it counts apart. Each Service has one
EndpointSlice of 10 endpoints, all on loopback. It is measured until when and with how much memory all Services are
served; then, with 100 changed EndpointSlices a second, how long it takes from the line of the watch until traffic comes
to the new endpoints. A change gives the 10 endpoints of a Service another port. From then on its address is connected
to each millisecond, until a connection arrives at that port. So the times have in them up to 1 ms between two
connections, the relay's own accept and connect, and the time until this process, in Python, accepts.
"""

import contextlib
import logging
import multiprocessing
import os
import random
import re
import selectors
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent / "Tests"
sys.path[:0] = [str(TESTS / "kubernetes"), str(TESTS / "lab")]

import harness
import kinds
import objects
import server
from certificates import Authority
from cluster import Cluster
from processes import wait_for
from roadstead import Roadstead
from watching import Watches

SERVICES, ENDPOINTS, RATE, SECONDS = 5000, 10, 100, 10
# Of each Service, at an address of its own out of the pool.
PORT = 7080
POOL = "127.150.0.0-127.150.19.255"
PROBE = 0.001
# What, its target, and its unit.
TARGETS = {"until all listen": (10, "s"), "most resident memory": (400, "MB"), "served, p99": (50, "ms")}


class TimedWatches(Watches):
    """Says on `notices` when it begins to write the line of a changed EndpointSlice."""

    notices: int | None = None
    _service = re.compile(rb'"kubernetes.io/service-name":"s-(\d+)"')

    async def _send(self, response, watch, line: bytes) -> None:
        now = time.monotonic()
        await super()._send(response, watch, line)
        if self.notices and watch.kind is kinds.SLICE and (found := self._service.search(line)):
            os.write(self.notices, b"%d %.6f\n" % (int(found[1]), now))


def endpoint(number: int, which: int) -> str:
    """The address of an endpoint of the Service with this number; no other Service has it."""
    index = number * ENDPOINTS + which
    return f"127.140.{index // 250}.{index % 250 + 1}"


def number_of(address: str) -> int:
    """The Service that has this endpoint."""
    _, _, high, low = address.split(".")
    return (int(high) * 250 + int(low) - 1) // ENDPOINTS


def serve(directory: Path, control, notices: int, ports: tuple[int, int]) -> None:
    """The API server: fills itself, sends its kubeconfig, then does as `control` says until that is closed."""
    sys.setswitchinterval(0.0005)
    server.Watches = TimedWatches
    with Cluster(directory, Authority(directory)) as cluster:
        storage, namespace = cluster.server.storage, cluster.namespace
        storage.create(kinds.POOL, namespace, objects.pool("all", POOL))
        for number in range(SERVICES):
            name = f"s-{number}"
            storage.create(kinds.SERVICE, namespace, objects.service(name, port=PORT))
            addresses = (endpoint(number, which) for which in range(ENDPOINTS))
            for body in objects.slices(name, [objects.Endpoint(address, ports[0]) for address in addresses]):
                storage.create(kinds.SLICE, namespace, body)
        control.send(cluster.kubeconfig())
        with contextlib.suppress(EOFError):
            while command := control.recv():
                match command:
                    case "written":
                        told = {one.key[1]: objects.ingress(one.body) for one in storage.all(kinds.SERVICE, namespace)}
                        addresses = {name: entries[0]["ip"] for name, entries in told.items() if entries}
                        control.send((addresses, len(cluster.server.requests)))
                    case list(numbers):
                        TimedWatches.notices = notices
                        threading.Thread(target=change, args=(storage, namespace, numbers, *ports), daemon=True).start()
        # Roadstead is gone, and its watches end with errors that nobody needs to see.
        logging.disable()


def change(storage, namespace: str, numbers: list[int], old: int, new: int) -> None:
    """Gives the endpoints of these Services another port, at the rate, late or not."""
    began = time.monotonic()
    for index, number in enumerate(numbers):
        time.sleep(max(0, began + index / RATE - time.monotonic()))
        port = {"name": "webserver", "protocol": "TCP", "port": new}
        storage.patch(kinds.SLICE, namespace, f"s-{number}-{old}", {"ports": [port]})


class Traffic:
    """Clients of changed Services and the endpoints of all, in one loop; each connection is closed once accepted."""

    def __init__(self):
        self.selector = selectors.DefaultSelector()
        # One socket for each port: it is on all of loopback, for 50,000 addresses.
        self.listeners = [socket.create_server(("0.0.0.0", 0), backlog=4096) for _ in range(2)]
        for listener in self.listeners:
            listener.setblocking(False)
            self.selector.register(listener, selectors.EVENT_READ, self.accept)
        self.ports = tuple(listener.getsockname()[1] for listener in self.listeners)
        self.accepted: dict[int, tuple[int, float]] = {}
        self.pending: dict[int, list[float]] = {}
        self.connections = self.failed = 0

    def accept(self, listener: socket.socket) -> None:
        """Notes for the Service of each connection which of both ports it came to, and when."""
        with contextlib.suppress(BlockingIOError):
            while True:
                connection, _ = listener.accept()
                now = time.monotonic()
                address, port = connection.getsockname()
                self.accepted[number_of(address)] = port, now
                connection.close()

    def connect(self, address: str) -> None:
        client = socket.socket()
        client.setblocking(False)
        client.connect_ex((address, PORT))
        self.selector.register(client, selectors.EVENT_READ, self.ended)
        self.connections += 1

    def ended(self, client: socket.socket) -> None:
        self.selector.unregister(client)
        self.failed += client.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) != 0
        client.close()

    def turn(self, timeout: float) -> None:
        for key, _ in self.selector.select(timeout):
            key.data(key.fileobj)

    def follow(self, notices: int, addresses: dict[str, str], count: int) -> list[float]:
        """Until `count` changes are seen: for each the seconds from the watch's line to the first connection."""
        took, text = [], b""
        os.set_blocking(notices, False)

        def read(_) -> None:
            nonlocal text
            *lines, text = (text + os.read(notices, 65536)).split(b"\n")
            for line in lines:
                number, written = line.split()
                # When it was written, and when to connect next.
                self.pending[int(number)] = [float(written), 0]
        self.selector.register(notices, selectors.EVENT_READ, read)
        end = time.monotonic() + SECONDS + 30
        while len(took) < count and time.monotonic() < end:
            now = time.monotonic()
            for number, (written, due) in list(self.pending.items()):
                port, at = self.accepted.get(number, (0, 0))
                if port == self.ports[1]:
                    took.append(at - written)
                    del self.pending[number]
                elif now >= due:
                    self.connect(addresses[f"s-{number}"])
                    self.pending[number][1] = now + PROBE
            self.turn(PROBE / 2 if self.pending else 0.01)
        return took


def memory(pid: int) -> dict[str, float]:
    """`VmRSS` and `VmHWM`, in MB."""
    text = Path(f"/proc/{pid}/status").read_text()
    return {name: int(kilobytes) * 1024 / 1e6 for name, kilobytes in re.findall(r"(VmRSS|VmHWM):\s+(\d+) kB", text)}


def processor(pid: int) -> float:
    """Seconds of processor time so far."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def listening() -> int:
    """How many sockets listen at the Services' port."""
    return Path("/proc/net/tcp").read_text().count(f":{PORT:04X} 00000000:0000 0A")


def until_settled(ask, began: float) -> tuple[dict[str, str], float]:
    """The Services' addresses, and when the last was told; returns when Roadstead has written nothing for 3 s."""
    told, seen, last = 0.0, -1, began
    while time.monotonic() < last + 3:
        addresses, requests = ask()
        if not told and len(addresses) == SERVICES:
            told = time.monotonic()
        if requests != seen or not told:
            seen, last = requests, time.monotonic()
        if time.monotonic() > began + 300:
            raise SystemExit(f"after 300 s {len(addresses)} Services have been told their address")
        time.sleep(0.2)
    return addresses, told


def row(what: str, value: float, unit: str, remark: str = "") -> None:
    target = f"{TARGETS[what][0]} {TARGETS[what][1]}" if what in TARGETS else ""
    over = "  over" if what in TARGETS and value > TARGETS[what][0] else ""
    print(f"{what:<44}{value:>9.2f} {unit:<4}{target:>8}{over}{remark and '  ' + remark}", flush=True)


def measure(directory: Path) -> None:
    traffic = Traffic()
    control, others = multiprocessing.Pipe()
    notices, writes = os.pipe()
    api = multiprocessing.Process(target=serve, args=(directory, others, writes, traffic.ports), daemon=True)
    api.start()
    others.close()
    kubeconfig = control.recv()
    print(f"{SERVICES} Services, {SERVICES * ENDPOINTS} endpoints, 1 shard{'target':>38}")
    spent, began = processor(api.pid), time.monotonic()
    roadstead = Roadstead(None, "--shards", "1", kubeconfig=kubeconfig)
    try:
        pid = roadstead.process.pid
        roadstead.wait_for("all listen", lambda: roadstead.is_ready() and listening() == SERVICES, 120)
        row("until all listen", time.monotonic() - began, "s")
        row("  processor: roadstead", processor(pid), "s")
        row("  processor: the API server", processor(api.pid) - spent, "s")
        row("resident memory then", memory(pid)["VmRSS"], "MB")
        row("  the most until then", memory(pid)["VmHWM"], "MB")

        def ask():
            control.send("written")
            return control.recv()
        addresses, told = until_settled(ask, began)
        row("until all Services are told their address", told - began, "s")
        row("  processor: roadstead", processor(pid), "s")
        row("  processor: the API server", processor(api.pid) - spent, "s", f"{ask()[1]} requests")
        idle = processor(pid)
        time.sleep(2)
        row("  processor: roadstead, idle then", (processor(pid) - idle) / 2 * 100, "%")
        # All still get their traffic at the first port.
        numbers = random.Random(1).sample(range(SERVICES), RATE * SECONDS)
        for number in numbers:
            traffic.connect(addresses[f"s-{number}"])
            traffic.turn(0.001)
        wait_for("all Services answer", lambda: traffic.turn(0.01) or len(traffic.accepted) == len(numbers), 20)
        assert {port for port, _ in traffic.accepted.values()} == {traffic.ports[0]}
        traffic.connections = 0
        before, spent = time.monotonic(), [processor(one) for one in (pid, api.pid, os.getpid())]
        control.send(numbers)
        took = sorted(traffic.follow(notices, addresses, len(numbers)))
        lasted = time.monotonic() - before
        shares = [(processor(one) - was) / lasted * 100 for one, was in zip((pid, api.pid, os.getpid()), spent)]
        if len(took) < len(numbers):
            raise SystemExit(f"of {len(numbers)} changes {len(took)} were served")
        for what, index in {"p50": len(took) // 2, "p99": len(took) * 99 // 100, "longest": len(took) - 1}.items():
            row(f"served, {what}", took[index] * 1000, "ms")
        row("changes a second", len(took) / lasted, "", f"{traffic.connections} connections, {traffic.failed} failed")
        for who, share in zip(("roadstead", "the API server", "clients and endpoints"), shares):
            row(f"  processor: {who}", share, "%")
        row("resident memory then", memory(pid)["VmRSS"], "MB")
        row("most resident memory", memory(pid)["VmHWM"], "MB")
    finally:
        roadstead.close()
        control.close()
        api.join(10)


if __name__ == "__main__":
    # Before there is a thread: the API server's process is a copy of this one.
    multiprocessing.set_start_method("fork")
    harness.raise_limit()
    with tempfile.TemporaryDirectory() as name:
        measure(Path(name))
