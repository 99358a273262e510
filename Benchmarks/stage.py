"""Where contestants stand: endpoints, those in front of them, and proof that each really relays."""

import dataclasses
import os
import socket
import struct

import contestants
from processes import Failed, Process, wait_for

# Addresses of this run's own; make count has 127.103/16.
BLOCK = f"127.104.{os.getpid() % 250}"
PORT = 8080
ENDPOINT_PORT = 8080


@dataclasses.dataclass
class Standing:
    """A contestant that is up; limits without a process have none."""

    id: str
    target: tuple
    process: Process | None = None

    @property
    def pid(self):
        return self.process.pid if self.process else None


class Loopback:
    """Everything on addresses of 127/8 that are this run's own."""

    topology = "loopback"

    def __init__(self, cores):
        self.proxy_core, self.load_core = cores
        self.endpoints = [(f"{BLOCK}.{number}", ENDPOINT_PORT) for number in (1, 2)]

    def front(self, contestant):
        """Where a contestant listens: each has an address of its own."""
        return f"{BLOCK}.{50 + contestants.IDS.index(contestant.id)}", PORT

    def wrapper(self, role):
        """What stands before a command so that it runs where `client`, `proxy` or `endpoint` do."""
        return []

    def enter(self, contestant):
        """Called before a contestant is measured."""

    def leave(self, contestant):
        """Called after it."""


class Unpinned(Loopback):
    """As on loopback, but everything on all cores."""

    topology = "shards"

    def __init__(self):
        super().__init__((None, None))


class Stage:
    """The endpoints of a place, and what was started in front of them."""

    def __init__(self, place, load, paths, scratch):
        self.place, self.load, self.paths, self.scratch = place, load, paths, scratch
        self.standing = []
        addresses = [f"{protocol}://%s:%d" % each for each in place.endpoints for protocol in ("tcp", "udp")]
        self.endpoints = Process([load.path, "serve", *addresses], scratch, "endpoints", place.load_core,
                                 place.wrapper("endpoint"))
        try:
            for protocol in ("tcp", "udp"):
                for address in place.endpoints:
                    await_listening(self.endpoints, protocol, address)
        except BaseException:
            self.endpoints.stop()
            raise

    def start(self, contestant, protocols, traffic, wrapper=()):
        """Starts a contestant, and returns it once it listens."""
        front = self.place.front(contestant)
        if contestant.id == "direct":
            return Standing(contestant.id, self.place.endpoints[0])
        if contestant.id == "kernel":
            return Standing(contestant.id, front)
        for protocol in protocols:
            if bound(os.getpid() if not self.place.wrapper("proxy") else self.endpoints.pid, protocol, front):
                raise Failed("its port is taken by another program")
        command = contestants.command(contestant, self.paths[contestant.program], front, self.place.endpoints,
                                      protocols, traffic, self.scratch)
        process = Process(command, self.scratch, contestant.id, self.place.proxy_core,
                          [*self.place.wrapper("proxy"), *wrapper])
        standing = Standing(contestant.id, front, process)
        self.standing.append(standing)
        for protocol in protocols:
            await_listening(process, protocol, front)
        return standing

    def prove(self, standing, protocol):
        """A few verified round trips, so that no contestant is measured that does not relay."""
        if problem := self.load.proof(self, standing, protocol):
            raise Failed(f"does not relay: {problem}")

    def stop(self, standing):
        if standing.process:
            standing.process.stop()
        self.standing = [each for each in self.standing if each is not standing]

    def clear(self):
        """Stops all contestants, and keeps the endpoints."""
        for standing in list(self.standing):
            self.stop(standing)

    def close(self):
        self.clear()
        self.endpoints.stop()


def await_listening(process, protocol, address):
    """Waits until the process listens there; Failed when it ends first, takes too long or is not alone."""
    def holds():
        return not process.is_running or process.pid and bound(process.pid, protocol, address)

    inodes = wait_for(holds, within=30)
    if not process.is_running:
        raise Failed(process.why_ended())
    if not inodes:
        raise Failed(f"does not listen at {protocol}://%s:%d within 30 s: {process.said()}" % address)
    if not wait_for(lambda: inodes <= sockets(process.pid), within=1):
        raise Failed(f"is not alone at {protocol}://%s:%d" % address)


def bound(pid, protocol, address):
    """The inodes of the sockets at an address, or at any address with its port, where that process is."""
    hexadecimal = "%08X" % struct.unpack("=I", socket.inet_aton(address[0])), "%04X" % address[1]
    state = "0A" if protocol == "tcp" else "07"
    found = set()
    try:
        with open(f"/proc/{pid}/net/{protocol}") as file:
            for line in list(file)[1:]:
                words = line.split()
                ip, _, port = words[1].partition(":")
                if port == hexadecimal[1] and ip in (hexadecimal[0], "00000000") and words[3] == state:
                    found.add(int(words[9]))
    except FileNotFoundError:
        pass
    return found


def sockets(pid):
    """The inodes of a process's sockets."""
    found = set()
    for entry in os.scandir(f"/proc/{pid}/fd"):
        try:
            link = os.readlink(entry.path)
        except FileNotFoundError:
            continue
        if link.startswith("socket:["):
            found.add(int(link[8:-1]))
    return found
