"""How the cost of Roadstead grows: with Services, endpoints, connections, flows and edits. `make bench-scale`.

Roadstead runs as people run it, `roadstead run -f DIR`, with generated manifests on loopback, and one shard: on the
first core, where there are two, with clients and servers on the others. Each size is a process of its own. CPU is
Roadstead's, over the counted window, the median of three. An edit writes the EndpointSlice of one Service anew, with
another port for its endpoints; it has taken effect when a connection to the Service arrives at that port.
"""

import argparse
import contextlib
import datetime
import json
import os
import platform
import random
import re
import selectors
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import harness
import manifests
from growth import Figure, Series

ROOT = Path(__file__).resolve().parent.parent
BINARY = os.environ.get("ROADSTEAD_BINARY", str(ROOT / ".build/release/roadstead"))
LOAD = ROOT / ".build/release/roadstead-load"
CORES = sorted(os.sched_getaffinity(0))
# The servers' ports: of roadstead-load, and of this process.
SERVED, MOVED = 18070, 18071
SECONDS, ROUNDS = 1, 3
# At once: three windows of so many flows are as many ports as there are.
BUSY = 4000

CPU = dict(unit="µs", scale=1e6)
SERVING = [
    Figure("ready", "until the last Service answers", "ms", "linear", 1e3, floor=30),
    Figure("start_cpu", "CPU until then", "ms", "linear", 1e3, floor=20),
    Figure("resident", "resident then", "MB", "linear", 1e-6, floor=15),
    Figure("round_trip", "CPU of a round trip", **CPU),
    Figure("connection", "CPU of a connection", **CPU),
    Figure("edit", "from an edit to its first connection", "ms", "constant", 1e3, floor=15),
    Figure("edit_cpu", "CPU of an edit", "ms", "constant", 1e3, floor=1, digits=2),
    Figure("edits", "edits a second until served", "", "", digits=0),
    Figure("edits_cpu", "CPU of an edit then", "ms", "", 1e3, digits=2),
]


def expecting(figures, **expected):
    """The figures, some of which are expected otherwise here."""
    return [Figure(**{**vars(one), "expected": expected.get(one.key, one.expected)}) for one in figures]


# Processes


def pinned(cores):
    return {"preexec_fn": lambda: os.sched_setaffinity(0, cores)} if len(CORES) > 1 else {}


class Roadstead:
    """`roadstead run -f DIR`, or with other arguments."""

    def __init__(self, *arguments):
        self.log = tempfile.TemporaryFile("w+")
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            [BINARY, "run", *arguments, "--shards", "1", "--admin", "none", "--log-level", "warning"],
            stdout=subprocess.DEVNULL, stderr=self.log, **pinned(CORES[:1]))
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for _ in range(2):
            self.process.send_signal(signal.SIGTERM)
            time.sleep(0.1)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def processor(self):
        """Seconds of CPU so far, of all its threads, also of those that have ended (clock_getcpuclockid(3))."""
        return time.clock_gettime(~self.pid << 3 | 2)

    def resident(self):
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        return int(re.search(r"Rss:\s+(\d+) kB", text)[1]) * 1024

    def wait_until_served(self, address, timeout=60):
        """Until a request to the address is answered."""
        end = time.monotonic() + timeout
        while time.monotonic() < end:
            if self.process.poll() is not None:
                self.log.seek(0)
                raise Problem(f"ended with {self.process.returncode}: {self.log.read()[-300:]}")
            if answers(address):
                return
            time.sleep(0.0005)
        raise Problem(f"{address} does not answer within {timeout} s")


class Problem(Exception):
    """Why there is no figure."""


def answers(address):
    """Whether a request, as roadstead-load has them, gets its reply there."""
    request = struct.pack(">IIQQQ", 0x52534C44, 0, 32, 32, 1)
    with contextlib.suppress(OSError), socket.create_connection((address, manifests.PORT), timeout=2) as client:
        client.sendall(request)
        return client.recv(32, socket.MSG_WAITALL) == request
    return False


@contextlib.contextmanager
def server():
    """The servers of all works, on all addresses."""
    targets = [f"tcp://0.0.0.0:{SERVED}", f"udp://0.0.0.0:{SERVED}"]
    process = subprocess.Popen([LOAD, "serve", *targets], stdout=subprocess.PIPE, text=True, **pinned(CORES[1:]))
    try:
        for _ in targets:
            if not process.stdout.readline():
                raise SystemExit("roadstead-load does not serve")
        yield
    finally:
        process.terminate()
        process.wait()


def load(work, transport, address, concurrency, relay):
    """CPU seconds of Roadstead for one unit, the median of some windows."""
    values = []
    for _ in range(ROUNDS):
        result = subprocess.run(
            [LOAD, work, f"{transport}://{address}:{manifests.PORT}", "--concurrency", str(concurrency),
             "--seconds", str(SECONDS), "--warm-up", "0.3", "--watch-cpu", str(relay.pid)],
            capture_output=True, text=True, timeout=60, **pinned(CORES[1:]))
        try:
            told = json.loads(result.stdout.splitlines()[-1])
        except (IndexError, ValueError):
            raise Problem(f"{work}: {result.stderr.strip()[-200:]}") from None
        errors = {name: count for name, count in told["errors"].items() if count}
        if errors or told["lost"] or not told["units"]:
            raise Problem(f"{work}: {errors or ''} {told['lost']} lost of {told['units']}")
        values.append(told["cpu"]["watched"][str(relay.pid)] / told["units"])
    return statistics.median(values)


@contextlib.contextmanager
def idle_flows(address, count):
    """As many idle flows: each had replies and sent again, so it stays for a minute, though its client is gone."""
    result = subprocess.run(
        [LOAD, "round-trips", f"udp://{address}:{manifests.PORT}", "--concurrency", str(count),
         "--rate", str(min(count, 5000)), "--seconds", str(max(2, 3 * count / 5000))],
        capture_output=True, text=True, timeout=60, **pinned(CORES[1:]))
    if result.returncode:
        raise Problem(f"flows: {result.stdout.strip()[-300:]} {result.stderr.strip()[-200:]}")
    yield


@contextlib.contextmanager
def idle_connections(address, count):
    """As many idle connections, each after a round trip."""
    process = subprocess.Popen(
        [LOAD, "idle", f"tcp://{address}:{manifests.PORT}", "--concurrency", str(count)],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **pinned(CORES[1:]))
    try:
        line = process.stdout.readline()
        if not line.startswith("holding"):
            process.wait(20)
            raise Problem(f"idle: {line.strip()} {process.stderr.read().strip()[-200:]}")
        yield
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
        process.stderr.close()


# Edits


class Destination:
    """Where endpoints move: knows of each Service when a connection came last."""

    def __init__(self, endpoints):
        self.endpoints = endpoints
        self.listener = socket.create_server(("0.0.0.0", MOVED), backlog=4096)
        self.listener.setblocking(False)
        self.selector = selectors.DefaultSelector()
        self.selector.register(self.listener, selectors.EVENT_READ)

    def close(self):
        self.selector.close()
        self.listener.close()

    def arrived(self, timeout=0.0):
        """The Services of the connections that are there, and when they were seen."""
        found = {}
        for _ in self.selector.select(timeout):
            now = time.monotonic()
            with contextlib.suppress(BlockingIOError):
                while True:
                    connection, _ = self.listener.accept()
                    found[self.number(connection.getsockname()[0])] = now
                    connection.close()
        return found

    def number(self, address):
        _, high, middle, low = map(int, address.split("."))
        return ((high - 161) * 62500 + middle * 250 + low - 1) // self.endpoints

    def wait_for(self, number, timeout=20):
        """Connects to the Service each millisecond, until a connection arrives here; when that was."""
        end = time.monotonic() + timeout
        clients = []
        while time.monotonic() < end:
            client = socket.socket()
            client.setblocking(False)
            client.connect_ex((manifests.front(number), manifests.PORT))
            clients.append(client)
            due = time.monotonic() + 0.001
            while (left := due - time.monotonic()) > 0:
                if number in (found := self.arrived(left)):
                    for one in clients:
                        one.close()
                    return found[number]
            for one in clients[:-5]:
                one.close()
            del clients[:-5]
        raise Problem(f"an edit is not served within {timeout} s")


def edits(relay, directory):
    """Figures of edits: one alone, some a second, as many as it can."""
    figures = {}
    destination = Destination(directory.endpoints)
    numbers = list(range(directory.services))
    random.Random(1).shuffle(numbers)
    turn = 0

    def move():
        nonlocal turn
        number, round_ = numbers[turn % len(numbers)], turn // len(numbers)
        directory.move(number, MOVED if round_ % 2 == 0 else SERVED)
        turn += 1
        return number, round_ % 2 == 0

    try:
        took = []
        while len(took) < 9:
            began = time.monotonic()
            number, is_here = move()
            if is_here:
                took.append(destination.wait_for(number) - began)
            else:
                time.sleep(0.05)
        figures["edit"] = statistics.median(took)
        # Each in a round of its own: files are read 10 ms after the first event.
        time.sleep(0.3)
        before, count = relay.processor(), 30
        for _ in range(count):
            move()
            time.sleep(max(0.04, 2 * figures["edit"]))
        time.sleep(0.2)
        figures["edit_cpu"] = (relay.processor() - before) / count
        # One after the other without a pause; the last one is of a Service that is not here yet.
        wanted = 300 if not directory.is_one_file else 30
        before, began, count, is_here = relay.processor(), time.monotonic(), 0, False
        while count < wanted or not is_here:
            number, is_here = move()
            count += 1
            if time.monotonic() - began > 10:
                raise Problem(f"{count} edits take longer than 10 s to write")
        figures["edits"] = count / (destination.wait_for(number) - began)
        time.sleep(0.3)
        figures["edits_cpu"] = (relay.processor() - before) / count
    finally:
        destination.close()
    return figures


# Series


def serving(services, endpoints, balance="round-robin", is_one_file=False, edited=True, loaded=True):
    """The figures of `SERVING` for so many Services with so many endpoints each."""
    figures = {}
    with tempfile.TemporaryDirectory() as path:
        directory = manifests.Directory(path, services, endpoints, SERVED, balance, is_one_file)
        with Roadstead("-f", path) as relay:
            address = manifests.front(services - 1)
            relay.wait_until_served(address)
            figures["ready"] = time.monotonic() - relay.began
            wait_until_all_listen(services)
            figures["start_cpu"], figures["resident"] = relay.processor(), relay.resident()
            if loaded:
                figures["round_trip"] = load("round-trips", "tcp", address, 64, relay)
                figures["connection"] = load("connections", "tcp", address, 64, relay)
            if edited:
                figures.update(edits(relay, directory))
    return figures


def wait_until_all_listen(count):
    end = time.monotonic() + 30
    while time.monotonic() < end:
        listening = Path("/proc/net/tcp").read_text().count(f":{manifests.PORT:04X} 00000000:0000 0A")
        if listening == count:
            return
        time.sleep(0.01)
    raise Problem(f"{listening} of {count} addresses are listened on")


@contextlib.contextmanager
def two_services(transport):
    """Roadstead with two Services; the second one has had load, so what the first ones take is there."""
    with tempfile.TemporaryDirectory() as path:
        manifests.Directory(path, 2, 10, SERVED, protocols=("TCP", "UDP"))
        with Roadstead("-f", path) as relay:
            relay.wait_until_served(manifests.front(0))
            wait_until_all_listen(2)
            load("round-trips", transport, manifests.front(1), 64, relay)
            yield relay


def live(transport, count):
    """Figures with `count` live connections or flows."""
    figures = {}
    hold = idle_flows if transport == "udp" else idle_connections
    with two_services(transport) as relay:
        before = relay.resident()
        with hold(manifests.front(0), count):
            figures["memory"] = (relay.resident() - before) / count
            # A third of the connect timeout, after which each timer looks once.
            time.sleep(2.5)
            spent = relay.processor()
            time.sleep(3)
            figures["idle"] = (relay.processor() - spent) / 3
            figures["round_trip"] = load("round-trips", transport, manifests.front(1), 64, relay)
            if transport == "tcp":
                figures["connection"] = load("connections", transport, manifests.front(1), 64, relay)
    # Flows outlive their clients by a minute, and each has a port of its own, so this is another process.
    with two_services(transport) as relay:
        figures["busy"] = load("round-trips", transport, manifests.front(0), min(count, BUSY), relay)
    return figures


LIVE = [
    Figure("memory", "resident, each", "bytes", "constant", digits=0, floor=1000),
    Figure("idle", "CPU while all are idle", "ms a second", "constant", 1e3, floor=1, digits=2),
    Figure("round_trip", "CPU of a round trip on 64 others", **CPU),
    Figure("connection", "CPU of a connection beside them", **CPU),
    Figure("busy", "CPU of a round trip on all (at most 4,000) at once", **CPU),
]


def all_series():
    """Each series with its sizes and what measures one."""
    yield (Series("services", "Services, 10 endpoints each, a file for each Service and slice", SERVING),
           (10, 100, 1000), lambda size: serving(size, 10))
    yield (Series("endpoints", "Endpoints of one Service, beside 9 others",
                  expecting(SERVING, edit="linear", edit_cpu="linear")),
           (1, 10, 100, 1000), lambda size: serving(10, size))
    yield (Series("one-file", "Services, 10 endpoints each, all in one file, which each edit writes anew",
                  expecting(SERVING, edit="linear", edit_cpu="linear")),
           (10, 100, 1000), lambda size: serving(size, 10, is_one_file=True, loaded=False))
    for balance in ("least-connections", "random-two-choices", "maglev"):
        yield (Series(balance, f"Endpoints of a Service with {balance}",
                      [one for one in SERVING if one.key in ("start_cpu", "round_trip", "connection")]),
               (1, 10, 100, 1000), lambda size, balance=balance: serving(10, size, balance, edited=False))
    yield (Series("connections", "Live TCP connections", LIVE), (100, 1000, 9000), lambda size: live("tcp", size))
    yield (Series("flows", "Live UDP flows", LIVE), (100, 1000, 13000), lambda size: live("udp", size))


# Results


def machine():
    """The form of results.py."""
    info = Path("/proc/cpuinfo").read_text()
    cpu = re.search(r"model name\s*:\s*(.*)", info)
    cpu = cpu[1].strip() if cpu else platform.machine()
    memory = int(re.search(r"MemTotal:\s+(\d+)", Path("/proc/meminfo").read_text())[1]) * 1024
    name = re.sub(r"[^a-z0-9]+", "-", (cpu.split()[1] if len(cpu.split()) > 1 else cpu).lower()).strip("-")
    return {"name": f"{name}-{len(CORES)}", "cpu": cpu, "cores": len(CORES), "memory": memory,
            "kernel": platform.release().split("-")[0]}


def save(series, path):
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    now = datetime.datetime.now(datetime.timezone.utc)
    result = {"version": 1, "date": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "commit": commit.stdout.strip(),
              "machine": machine(), "series": [one.object() for one in series]}
    path = path or ROOT / "Benchmarks/results" / f"scale-{now:%Y-%m-%d}-{result['machine']['name']}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n")
    print(f"{path}")


def numbers(text):
    return [int(each) for each in text.split(",")]


def parse():
    ids = [series.id for series, _, _ in all_series()]
    parser = argparse.ArgumentParser(description="How the cost of Roadstead grows with sizes. 10 minutes.",
                                     epilog=f"Series: {', '.join(ids)}.")
    parser.add_argument("--only", type=lambda text: text.split(","), default=ids, metavar="SERIES,…",
                        help="these series; the result is then saved to --output only")
    parser.add_argument("--sizes", type=numbers, metavar="N,…",
                        help="these sizes instead of each series' own")
    parser.add_argument("--output", type=Path, help="default: results/scale-DATE-MACHINE.json")
    options = parser.parse_args()
    if unknown := [each for each in options.only if each not in ids]:
        parser.error(f"no such series: {', '.join(unknown)}")
    if options.sizes and min(options.sizes) < 1:
        parser.error("--sizes are 1 or more")
    for path in (BINARY, LOAD):
        if not os.access(path, os.X_OK):
            parser.error(f"{path} is not built: make build load")
    options.is_whole = options.only == ids and not options.sizes
    return options


def main():
    options = parse()
    harness.raise_limit()
    if len(CORES) > 1:
        os.sched_setaffinity(0, CORES[1:])
    began, measured = time.monotonic(), []
    with server():
        for series, sizes, measure in all_series():
            if series.id not in options.only:
                continue
            for size in options.sizes or sizes:
                print(f"{time.monotonic() - began:5.0f} s  {series.id} {size:,}", file=sys.stderr, flush=True)
                try:
                    series.rounds[size] = measure(size)
                except Problem as problem:
                    series.problems[size] = str(problem)
            measured.append(series)
            print("\n".join(series.table()), end="\n\n", flush=True)
    if options.output or options.is_whole:
        save(measured, options.output)
    worse = [(one, figure) for one in measured for figure in one.figures if one.verdict(figure)]
    for one, figure in worse:
        print(f"{one.id}: {figure.title} grows worse than {figure.expected}: {one.verdict(figure)}")
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(1 if any(one.problems for one in measured) else 0)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        sys.exit("interrupted")
