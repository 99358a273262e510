"""What is measured: each work, how the load is asked for it, and what is wanted of it."""

import dataclasses

GIGA = 10**9


@dataclasses.dataclass(frozen=True)
class Work:
    """One line of the plan. `load` are the words for the load, `method` a function's name in methods.py."""

    id: str
    title: str
    group: str
    unit: str
    protocol: str
    load: tuple
    topology: str = "loopback"
    method: str = "timed"
    target: float | None = None
    figure: str = "cpu"
    # What of the load's units a unit is.
    per: int = 1
    is_quick: bool = False
    # Flows outlive their round, and memory grows only once: these have a process for each round.
    is_fresh: bool = False
    # Only these take part.
    only: tuple = ()
    # The work whose maximum a fixed rate is taken from.
    of: str | None = None

    @property
    def traffic(self):
        """What a proxy's buffers are to be best for: a key of `contestants.BUFFERS`."""
        if any(word in self.load for word in ("download", "upload", "both")):
            return "bulk"
        return "idle" if self.group == "memory" else "large" if 16384 in self.load else "small"

    def record(self):
        """The work as a result has it, without rounds."""
        target = None
        if self.target:
            target = {"figure": self.figure, "ratio": self.target}
            if self.group == "shards":
                target |= {"of": "roadstead-2", "over": "roadstead"}
        return {"id": self.id, "title": self.title, "group": self.group, "unit": self.unit, "topology": self.topology,
                "target": target, "rounds": {}, "problems": {}}


def size(bytes):
    return ("--request", bytes, "--reply", bytes)


def round_trips():
    for bytes, suffix, name in ((64, "", "64 B"), (16384, "-16k", "16 KiB")):
        for count in (1, 64, 1000):
            title = f"Request and response, {count:,} connection{'s' * (count > 1)}, {name}"
            yield Work(f"round-trips-{count}{suffix}", title, "tcp", "round trip", "tcp",
                       ("round-trips", "--concurrency", count, *size(bytes)), target=0.90,
                       is_quick=count == 64 and bytes == 64)


def bulk():
    names = {"upload": "Upload", "download": "Download", "both": "Both ways at once"}
    for count in (1, 8):
        for verb, name in names.items():
            title = f"{name}, {count} stream{'s' * (count > 1)}"
            yield Work(f"{verb}-{count}", title, "bulk", "GB", "tcp", (verb, "--concurrency", count), target=0.75,
                       per=GIGA, is_quick=verb == "download" and count == 1)


def udp():
    for count in (1, 64, 10000):
        title = f"UDP request and response, {count:,} flow{'s' * (count > 1)}, 64 B"
        yield Work(f"udp-round-trips-{count}", title, "udp", "round trip", "udp",
                   ("round-trips", "--concurrency", count, *size(64)), target=0.65, is_quick=count == 64,
                   is_fresh=count > 1000)
    for segments, name in ((1, "one by one"), (50, "by UDP_SEGMENT")):
        yield Work(f"udp-stream-{segments}", f"UDP stream of 1,200 B datagrams, {name}", "udp", "datagram", "udp",
                   ("stream", "--concurrency", 64, "--request", 1200, "--segments", segments), method="stream")


def latency():
    for protocol, prefix, name in (("tcp", "", "connections"), ("udp", "udp-", "UDP flows")):
        yield Work(f"{prefix}latency-64", f"Latency, 64 {name}, 64 B, open loop", "latency", "round trip", protocol,
                   ("round-trips", "--concurrency", 64, *size(64)), method="fixed_rate", of=f"{prefix}round-trips-64",
                   is_quick=protocol == "tcp")


def memory():
    for protocol, name, target in (("tcp", "idle connection", 0.25), ("udp", "UDP flow", None)):
        yield Work(f"memory-{protocol}", f"Memory for each {name}, of 4,000", "memory", name, protocol, (),
                   method="memory", target=target, figure="memory", is_quick=protocol == "tcp", is_fresh=True)


def calls():
    counted = (
        ("calls-round-trip", "a request and response, 64 connections", "round trip", "tcp",
         ("round-trips", "--concurrency", 64, *size(64)), 5000),
        ("calls-connection", "a connection, 64 at a time", "connection", "tcp",
         ("connections", "--concurrency", 64, *size(64)), 1280),
        ("calls-udp-round-trip", "a UDP round trip, 64 flows", "round trip", "udp",
         ("round-trips", "--concurrency", 64, *size(64)), 5000),
    )
    for id, title, unit, protocol, load, count in counted:
        yield Work(id, f"System calls for {title}", "calls", unit, protocol, (*load, "--count", count),
                   method="system_calls", is_fresh=True)


def forwarding():
    for id, title, unit, load, per in (
        ("round-trips-64", "Request and response, 64 connections, 64 B", "round trip",
         ("round-trips", "--concurrency", 64, *size(64)), 1),
        ("connections-64", "Connections, 64 at a time", "connection",
         ("connections", "--concurrency", 64, *size(64)), 1),
        ("download-1", "Download, 1 stream", "GB", ("download", "--concurrency", 1), GIGA),
    ):
        yield Work(f"router-{id}", f"{title}, through a router", "forwarding", unit, "tcp", load, topology="router",
                   per=per)


def shards():
    for protocol, prefix, name in (("tcp", "", "connections"), ("udp", "udp-", "UDP flows")):
        yield Work(f"shards-{prefix}round-trips-64", f"Request and response, 64 {name}, 1 shard and 2 on all cores",
                   "shards", "round trip", protocol, ("round-trips", "--concurrency", 64, *size(64)), topology="shards",
                   method="shards", target=1.1, only=("roadstead", "roadstead-2"))


CONNECTIONS = Work("connections-64", "Connections, 64 at a time, a request and response on each", "tcp", "connection",
                   "tcp", ("connections", "--concurrency", 64, *size(64)), target=0.90, is_quick=True)
ALL = [*round_trips(), CONNECTIONS, *bulk(), *udp(), *latency(), *memory(), *calls(), *forwarding(), *shards()]
IDS = [each.id for each in ALL]
GROUPS = list(dict.fromkeys(each.group for each in ALL))


def chosen(only, is_quick):
    """The works of a run: those named by id or group, else all, or the quick ones."""
    if only:
        return [each for each in ALL if each.id in only or each.group in only]
    return [each for each in ALL if each.is_quick or not is_quick]
