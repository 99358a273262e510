"""Loads that come out the same each time: one step, then nothing until the shard sleeps again.

This process is the client and the server. After each step it waits until the shard's thread is back in epoll_wait, so
each turn of the loop finds exactly the events of one step, on a busy machine and under valgrind too. Where several
events are to meet in one turn, the relay is stopped meanwhile (SIGSTOP).
"""

import array
import contextlib
import fcntl
import os
import re
import signal
import socket
import subprocess
import termios
import time



def own_block():
    """The first addresses of 127.103/16 that no other count uses: always the same ones, for addresses are hashed."""
    for number in range(250):
        guard = socket.socket()
        with contextlib.suppress(OSError):
            guard.bind((f"127.103.{number}.250", 18081))
            return f"127.103.{number}", guard
        guard.close()
    raise SystemExit("all addresses are in use")


BLOCK, GUARD = own_block()
FRONT = (BLOCK + ".50", 8080)
BACK = (BLOCK + ".1", 18080)
REQUEST = b"x" * 64
# linux/udp.h
UDP_SEGMENT, UDP_GRO = 103, 104


class Relay:
    """`roadstead` with one shard, one TCP and one UDP port, and this process behind it."""

    def __init__(self, binary, wrapper=(), environment=None):
        self.server = socket.create_server(BACK, backlog=4096)
        self.datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.datagrams.setsockopt(socket.IPPROTO_UDP, UDP_GRO, 1)
        self.datagrams.bind(BACK)
        for one in (self.server, self.datagrams):
            one.settimeout(30)
        front, back = "%s:%d" % FRONT, "%s:%d" % BACK
        command = [*wrapper, binary, "run", "--listen", f"tcp://{front}", "--listen", f"udp://{front}", "--to", back]
        self.process = subprocess.Popen(
            [*command, "--shards", "1", "--admin", "none", "--log-level", "warning"],
            stdout=subprocess.PIPE, env={**os.environ, **(environment or {})})
        self.pid = self.process.pid
        try:
            self.shard = self._wait_until_ready()
        except BaseException:
            self.close()
            raise
        self._status = open(f"/proc/{self.pid}/task/{self.shard}/status", "rb", buffering=0)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """Ends the relay at once: two signals ask for no drain."""
        os.kill(self.pid, signal.SIGCONT)
        for _ in range(2):
            self.process.terminate()
            time.sleep(0.05)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise SystemExit("the relay does not end on SIGTERM")
        finally:
            self.process.stdout.close()
            self.server.close()
            self.datagrams.close()

    def _wait_until_ready(self):
        """Waits for a line about each port; returns the shard's thread."""
        for _ in range(2):
            if not self.process.stdout.readline():
                raise SystemExit(f"the relay ended with {self.process.wait()}")
        for thread in os.listdir(f"/proc/{self.pid}/task"):
            with open(f"/proc/{self.pid}/task/{thread}/comm") as file:
                if file.read().strip() == "shard-0":
                    return int(thread)
        raise SystemExit("no thread is called shard-0")

    def _seen(self):
        """The state of the shard's thread, and how often it has gone to sleep."""
        text = os.pread(self._status.fileno(), 4096, 0)
        return text[text.index(b"State:") + 7:][:1], int(re.search(rb"\nvoluntary_ctxt_switches:\s*(\d+)", text)[1])

    @contextlib.contextmanager
    def step(self):
        """What is done inside makes work for the shard; left when the shard has done it, and sleeps."""
        _, before = self._seen()
        yield
        self._wait_for(b"S", before)

    @contextlib.contextmanager
    def step_at_once(self):
        """The same, and the shard sees nothing of it before all is done."""
        os.kill(self.pid, signal.SIGSTOP)
        self._wait_for(b"T", -1)
        _, before = self._seen()
        yield
        os.kill(self.pid, signal.SIGCONT)
        self._wait_for(b"S", before)
        # All threads go on at once, and under valgrind one may sleep until it is its turn.
        while True:
            seen = self._seen()
            time.sleep(0.001)
            if seen == self._seen() and seen[0] == b"S":
                return

    def _wait_for(self, state, before):
        end, looks = time.monotonic() + 30, 0
        while True:
            now, switches = self._seen()
            # Of a thread that is traced and stopped it is T for the signal, t for the tracer.
            if now.upper() == state if state == b"T" else now == state and switches > before:
                return
            if time.monotonic() > end:
                raise SystemExit(f"the shard is in state {now.decode()} and not {state.decode()} after 30 s")
            looks += 1
            if looks > 20:
                # It may be waiting for this very core.
                time.sleep(0.00005)

    def connect(self):
        return prompt(socket.create_connection(FRONT, timeout=30))

    def accept(self):
        connection, _ = self.server.accept()
        return prompt(connection)


def prompt(connection):
    connection.settimeout(30)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def receive(connection, count):
    """Reads that many bytes."""
    missing = count
    while missing:
        data = connection.recv(missing)
        if not data:
            raise SystemExit("a connection ended in the middle")
        missing -= len(data)


class RoundTrips:
    """A request of 64 bytes and a reply of as many, on 8 live connections in turn."""

    name, count = "TCP round trip", 400

    def __init__(self, relay):
        self.relay = relay
        self.pairs = []
        for _ in range(8):
            with relay.step():
                client = relay.connect()
            self.pairs.append((client, relay.accept()))

    def run(self, count):
        for number in range(count):
            client, server = self.pairs[number % len(self.pairs)]
            with self.relay.step():
                client.sendall(REQUEST)
            receive(server, len(REQUEST))
            with self.relay.step():
                server.sendall(REQUEST)
            receive(client, len(REQUEST))

    def close(self):
        for client, server in self.pairs:
            with self.relay.step():
                client.close()
            with self.relay.step():
                server.close()


class ShortConnections:
    """Connections with one round trip each, `width` at a time."""

    def __init__(self, relay, width=1, closes="client"):
        self.relay, self.width, self.closes = relay, width, closes
        self.step = relay.step if width == 1 else relay.step_at_once
        self.count = 300 if width == 1 else 10 * width

    @property
    def name(self):
        if self.width > 1:
            return f"TCP connection, {self.width} at once"
        return "TCP connection" if self.closes == "client" else "TCP connection, server closes"

    def run(self, count):
        for _ in range(count // self.width):
            with self.step():
                clients = [self.relay.connect() for _ in range(self.width)]
            servers = [self.relay.accept() for _ in clients]
            with self.step():
                for client in clients:
                    client.sendall(REQUEST)
            for server in servers:
                receive(server, len(REQUEST))
            if self.closes == "server":
                self.answer_and_close(clients, servers)
                continue
            with self.step():
                for server in servers:
                    server.sendall(REQUEST)
            for client in clients:
                receive(client, len(REQUEST))
            self.end(clients, servers)

    def answer_and_close(self, clients, servers):
        # Answer and FIN are there before the shard looks, as they are of most servers that close.
        with self.relay.step_at_once():
            for server in servers:
                server.sendall(REQUEST)
                server.close()
        for client in clients:
            receive(client, len(REQUEST))
        self.end(clients, [])

    def end(self, first, second):
        for side in first, second:
            if not side:
                continue
            with self.step():
                for one in side:
                    one.close()

    def close(self):
        pass


class Bulk:
    """From the server to the client, a megabyte at once."""

    name, count = "TCP bulk, per MB", 60
    SIZE = 1_000_000

    def __init__(self, relay):
        self.relay = relay
        with relay.step():
            self.client = relay.connect()
        self.server = relay.accept()
        # Room for a whole piece in all three sockets: the two here are told, the relay's grows by traffic.
        self.client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 * self.SIZE)
        with relay.step():
            self.client.sendall(REQUEST)
        receive(self.server, len(REQUEST))
        for _ in range(200):
            self.server.sendall(bytes(self.SIZE // 4))
            receive(self.client, self.SIZE // 4)

    def run(self, count):
        piece = bytes(self.SIZE)
        for _ in range(count):
            with self.relay.step_at_once():
                self.server.sendall(piece)
                self.wait_until_delivered()
            receive(self.client, self.SIZE)

    def wait_until_delivered(self):
        """All is in the socket of the relay."""
        left, end = array.array("i", [1]), time.monotonic() + 0.2
        while left[0] and time.monotonic() < end:
            fcntl.ioctl(self.server, termios.TIOCOUTQ, left)

    def close(self):
        self.client.close()
        self.server.close()


class DatagramRoundTrips:
    """A datagram of 64 bytes and the reply to it, on 64 flows in turn."""

    name, count = "UDP round trip", 640

    def __init__(self, relay):
        self.relay = relay
        self.clients = [datagram_client(number) for number in range(64)]

    def run(self, count):
        for number in range(count):
            client = self.clients[number % len(self.clients)]
            with self.relay.step():
                client.send(REQUEST)
            data, flow = self.relay.datagrams.recvfrom(65536)
            with self.relay.step():
                self.relay.datagrams.sendto(data, flow)
            if len(client.recv(65536)) != len(REQUEST):
                raise SystemExit("a datagram came back shorter")

    def close(self):
        for client in self.clients:
            client.close()


class DatagramStream:
    """32 datagrams of 1,200 bytes in one call, one way."""

    name, count = "UDP stream, per 32 datagrams", 300
    PIECES, LENGTH = 32, 1200

    def __init__(self, relay):
        self.relay = relay
        self.client = datagram_client(64)
        self.client.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, self.LENGTH)

    def run(self, count):
        piece = bytes(self.PIECES * self.LENGTH)
        for _ in range(count):
            with self.relay.step():
                self.client.send(piece)
            missing = len(piece)
            while missing > 0:
                missing -= len(self.relay.datagrams.recv(65536))

    def close(self):
        self.client.close()


def datagram_client(number):
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.settimeout(30)
    client.bind((BLOCK + ".2", 20000 + number))
    client.connect(FRONT)
    return client


WORKS = [
    RoundTrips,
    ShortConnections,
    lambda relay: ShortConnections(relay, closes="server"),
    lambda relay: ShortConnections(relay, width=64),
    Bulk,
    DatagramRoundTrips,
    DatagramStream,
]


def works(relay):
    """Each work in turn, warm: it has run, and its timers of the start have fired."""
    for make in WORKS:
        work = make(relay)
        work.run(max(work.count // 4, 64))
        if isinstance(work, RoundTrips):
            # The timer of the connect (a third of 5 s) is still to find that nothing is left to do.
            time.sleep(1.8)
        yield work
        work.close()
