"""What a relay does for one unit of work: system calls, instructions, calls of Swift's runtime, and memory."""

import collections
import dataclasses
import glob
import os
import re
import subprocess
import tempfile
import time

import harness
import lockstep

RUNTIME = {
    "retains and releases": re.compile(r"^swift_(bridgeObject|unknownObject)?(Retain|Release|retain|release)(_n)?$"),
    "allocations": re.compile(r"^(malloc|calloc|realloc|aligned_alloc|posix_memalign)$"),
    "exclusivity checks": re.compile(r"^swift_beginAccess$"),
}


@dataclasses.dataclass
class Count:
    """A figure of one unit, and where it comes from, the most first."""

    value: float
    by: dict[str, float] = dataclasses.field(default_factory=dict)


def counts(binary, say=lambda text: None):
    """{work: {figure: Count}}; `say` is told what is counted next."""
    found = collections.defaultdict(dict)
    for name, calls in system_calls(binary, say).items():
        found[name]["system calls"] = calls
    for name, figures in instructions(binary, say).items():
        found[name] = {"instructions": figures.pop("instructions"), **found[name], **figures}
    say("memory")
    found["idle TCP connection"]["resident bytes"] = Count(memory(binary, live_connections))
    found["idle UDP flow"]["resident bytes"] = Count(memory(binary, live_flows))
    return dict(found)


def difference(work, count_of):
    """Per unit: start and end of counting cancel out in the difference of as many units and twice as many."""
    one = count_of(lambda: work.run(work.count))
    two = count_of(lambda: work.run(2 * work.count))
    return {name: (two[name] - one.get(name, 0)) / work.count for name in two}


# System calls


def system_calls(binary, say):
    """{work: Count}, of the shard's thread."""
    found = {}
    with lockstep.Relay(binary) as relay:
        for work in lockstep.works(relay):
            say(f"{work.name}: system calls")
            calls = difference(work, lambda run: traced(relay.shard, run))
            by = {name: value for name, value in ranked(calls) if value >= 0.005}
            found[work.name] = Count(sum(by.values()), by)
    return found


def traced(thread, run):
    """Calls by name while `run()` runs."""
    with tempfile.NamedTemporaryFile("r") as table:
        tracer = subprocess.Popen(["strace", "-qq", "-c", "-p", str(thread), "-o", table.name])
        try:
            wait_until_traced(thread, tracer)
            run()
        finally:
            tracer.terminate()
            tracer.wait()
        return parsed_table(table)


def wait_until_traced(thread, tracer):
    end = time.monotonic() + 10
    while time.monotonic() < end and tracer.poll() is None:
        with open(f"/proc/{thread}/status") as file:
            text = file.read()
        # Attached, and let go on.
        if f"TracerPid:\t{tracer.pid}\n" in text and "\nState:\tS" in text:
            return
    raise SystemExit("strace cannot attach to the relay")


def parsed_table(lines):
    """Calls by name from the table of `strace -c`."""
    calls = {}
    for line in lines:
        words = line.split()
        # % time, seconds, usecs/call, calls, [errors], name
        if len(words) < 5 or not words[0][0].isdigit() or words[-1] == "total":
            continue
        calls[words[-1]] = int(words[3])
        # One that a signal interrupted: those come from here.
        if words[-1] == "epoll_wait" and len(words) == 6:
            calls[words[-1]] -= int(words[4])
    return calls


# Instructions and calls inside the process


def instructions(binary, say):
    """{work: {figure: Count}}, counted by callgrind."""
    found = {}
    with tempfile.TemporaryDirectory() as directory:
        # Valgrind 3.19 gives up on Swift's debug information; the symbols are enough.
        bare = os.path.join(directory, "roadstead")
        subprocess.run(["objcopy", "--strip-debug", binary, bare], check=True)
        preload = os.path.join(directory, "sigsuspend.so")
        source = os.path.join(os.path.dirname(__file__), "sigsuspend.c")
        subprocess.run(["clang", "-shared", "-fPIC", "-o", preload, source], check=True)
        out = os.path.join(directory, "counts")
        quiet = ["valgrind", "--quiet", "--log-file=/dev/null", "--tool=callgrind"]
        quiet += [f"--callgrind-out-file={out}", "--separate-threads=yes"]
        # Else each run has its own hashes, and its own collisions.
        environment = {"LD_PRELOAD": preload, "SWIFT_DETERMINISTIC_HASHING": "1"}
        with lockstep.Relay(bare, quiet, environment) as relay:
            dumps = Dumps(relay.pid, out)
            for work in lockstep.works(relay):
                say(f"{work.name}: instructions")
                dumps.next()
                found[work.name] = figures(difference(work, dumps.of))
    return found


class Dumps:
    """The counts of callgrind, piece by piece, of the shard's thread."""

    def __init__(self, pid, out):
        self.pid, self.out, self.number = pid, out, 0

    def next(self):
        """What was counted since the last time."""
        self.number += 1
        subprocess.run(["vgdb", f"--pid={self.pid}", "dump"], check=True, capture_output=True, timeout=60)
        threads = []
        for path in glob.glob(f"{self.out}.{self.number}-*"):
            with open(path) as file:
                threads.append(parsed_dump(file))
            os.remove(path)
        # Nobody else has much to do meanwhile.
        return max(threads, key=own_instructions)

    def of(self, run):
        run()
        return self.next()


def parsed_dump(lines):
    """{(function,): instructions of its own, (caller, callee): calls} from callgrind's output.

    A name is spelt out once in a file and then only numbered.
    """
    names, counted, function, callee, is_inclusive = {}, collections.Counter(), None, None, False

    def name(text):
        number, _, spelt = text.strip().partition(" ")
        if spelt:
            names[number] = spelt.split("'")[0]
        return names[number]

    for line in lines:
        if line.startswith("fn="):
            function = name(line[3:])
        elif line.startswith("cfn="):
            callee = name(line[4:])
        elif line.startswith("calls="):
            counted[function, callee] += int(line[6:].split()[0])
            is_inclusive = True
        elif line[0].isdigit() or line[0] in "+-*":
            # What a callee cost is the line after its calls, and is counted with the callee.
            if not is_inclusive and function is not None:
                counted[function,] += int(line.split()[1])
            is_inclusive = False
    return counted


def own_instructions(counted):
    return sum(value for key, value in counted.items() if len(key) == 1)


def figures(counted):
    """{figure: Count} of one unit."""
    own = {key[0]: value for key, value in counted.items() if len(key) == 1 and abs(value) >= 0.01}
    found = {"instructions": Count(sum(own.values()), dict(ranked(own)))}
    for what, pattern in RUNTIME.items():
        calls = {key: value for key, value in counted.items() if len(key) == 2 and pattern.match(key[1])}
        by = {f"{callee} by {caller}": value for (caller, callee), value in ranked(calls) if value >= 0.005}
        found[what] = Count(sum(by.values()), by)
    return found


def ranked(found):
    return sorted(found.items(), key=lambda item: (-item[1], item[0]))


def demangled(text):
    """With the names of Swift's functions as people write them."""
    result = subprocess.run(
        ["swift", "demangle", "--simplified", "--compact"], input=text, capture_output=True, text=True)
    return result.stdout.strip() or text


# Memory


def memory(binary, live, count=4000):
    """Resident bytes that each of `count` idle connections or flows adds; each has had a round trip."""
    with lockstep.Relay(binary) as relay:
        kept = live(relay, range(64))
        before = harness.resident_bytes(relay.pid)
        kept += live(relay, range(64, 64 + count))
        after = harness.resident_bytes(relay.pid)
        for one in kept:
            one.close()
        return (after - before) / count


def live_connections(relay, numbers):
    kept = []
    for _ in numbers:
        with relay.step():
            client = relay.connect()
        server = relay.accept()
        kept += [client, server]
        for source, sink in (client, server), (server, client):
            source.sendall(lockstep.REQUEST)
            lockstep.receive(sink, len(lockstep.REQUEST))
    return kept


def live_flows(relay, numbers):
    kept = []
    for number in numbers:
        client = lockstep.datagram_client(number)
        kept.append(client)
        # The second proves that it is no forged source.
        for _ in range(2):
            client.send(lockstep.REQUEST)
            data, flow = relay.datagrams.recvfrom(65536)
            relay.datagrams.sendto(data, flow)
            client.recv(65536)
    return kept
