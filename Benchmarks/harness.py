"""A proxy under test, an echo server behind it and clients in front of it, on loopback."""

import contextlib
import os
import resource
import selectors
import signal
import socket
import subprocess
import time

BLOCK = "127.103.%d" % (os.getpid() % 250)
FRONT = (BLOCK + ".50", 8080)
BACK = (BLOCK + ".1", 18080)
DESCRIPTORS = 20000


def raise_limit():
    """Lets this process, and the children it starts, open 20,000 descriptors."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < DESCRIPTORS:
        raise SystemExit(f"needs a hard limit of {DESCRIPTORS} descriptors, has {hard} (ulimit -Hn)")
    resource.setrlimit(resource.RLIMIT_NOFILE, (DESCRIPTORS, hard))


@contextlib.contextmanager
def echo_server():
    """An echo server in a process of its own."""
    listener = socket.create_server(BACK, backlog=4096)
    pid = os.fork()
    if pid == 0:
        try:
            echo(listener)
        finally:
            os._exit(0)
    listener.close()
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def echo(listener):
    selector = selectors.DefaultSelector()
    listener.setblocking(False)
    selector.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in selector.select():
            if key.fileobj is listener:
                with contextlib.suppress(BlockingIOError):
                    while True:
                        connection, _ = listener.accept()
                        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                        selector.register(connection, selectors.EVENT_READ)
                continue
            connection = key.fileobj
            try:
                data = connection.recv(65536)
            except ConnectionError:
                data = b""
            if data:
                connection.sendall(data)
            else:
                selector.unregister(connection)
                connection.close()


@contextlib.contextmanager
def proxy(binary, wrapper=()):
    """`roadstead` with one shard in front of the echo server; `wrapper` is the command that runs it."""
    command = [*wrapper, binary, "run", "--listen", "tcp://%s:%d" % FRONT, "--to", "%s:%d" % BACK]
    process = subprocess.Popen([*command, "--shards", "1", "--admin", "none"], stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 60
        while True:
            if process.poll() is not None:
                raise SystemExit(f"the proxy ended with {process.returncode}: {' '.join(command)}")
            with contextlib.suppress(OSError):
                connect().close()
                break
            if time.monotonic() > deadline:
                raise SystemExit("the proxy does not listen")
            time.sleep(0.05)
        yield process
    finally:
        if process.poll() is None:
            stop(process)


def stop(process):
    """SIGTERM to the proxy, under its wrapper if it has one, and waits for the end."""
    children = subprocess.run(["ps", "--ppid", str(process.pid), "-o", "pid="], capture_output=True, text=True)
    for pid in [int(word) for word in children.stdout.split()] or [process.pid]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    try:
        process.wait(timeout=60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise SystemExit("the proxy does not end on SIGTERM")


def connect():
    connection = socket.create_connection(FRONT, timeout=60)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def exchange(connection, request=b"x" * 64):
    """One round trip."""
    connection.sendall(request)
    missing = len(request)
    while missing:
        data = connection.recv(missing)
        if not data:
            raise SystemExit("the connection ended in the middle of a reply")
        missing -= len(data)


def round_trips(count, width=8):
    """`count` round trips one after the other, over `width` live connections in turn."""
    connections = [connect() for _ in range(width)]
    for number in range(count):
        exchange(connections[number % width])
    for connection in connections:
        connection.close()


def short_connections(count, width=64):
    """`count` connections with one round trip each, `width` of them at a time."""
    for _ in range(count // width):
        connections = [connect() for _ in range(width)]
        for connection in connections:
            connection.sendall(b"x" * 64)
        for connection in connections:
            if len(connection.recv(64, socket.MSG_WAITALL)) != 64:
                raise SystemExit("a short connection got no reply")
        for connection in connections:
            connection.close()


def resident_bytes(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        for line in file:
            if line.startswith("Rss:"):
                return int(line.split()[1]) * 1024
    raise SystemExit("no resident size")
