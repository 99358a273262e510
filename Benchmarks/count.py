"""What the relay costs: system calls, runtime calls of Swift, memory. See count.sh."""

import os
import re
import subprocess
import sys
import tempfile

import harness

# What, budget, margin for what a busy machine adds (an epoll_wait that finds one event instead of two).
BUDGET = {
    "system calls per round trip": (6, 0.2),
    "system calls per short connection": (20, 0.5),
    "retains and releases per relay event": (0, 0.02),
    "allocations per relay event": (0, 0.02),
    "exclusivity checks per relay event": (0, 0.02),
    "resident bytes per idle connection": (840, 0),
}
RETAINS = re.compile(r"^swift_(bridgeObject|unknownObject)?(Retain|Release|retain|release)(_n)?$")
ALLOCATIONS = re.compile(r"^(malloc|calloc|realloc|aligned_alloc|posix_memalign)$")
EXCLUSIVITY = re.compile(r"^swift_beginAccess$")
# Each round trip is two relay events: a piece to the backend, a piece to the client.
EVENTS = 2


def system_calls(binary, load, count):
    """Calls by name of a whole run with `load(count)`."""
    with tempfile.TemporaryDirectory() as directory:
        table = os.path.join(directory, "calls")
        with harness.proxy(binary, ["strace", "-c", "-f", "-o", table]):
            load(count)
        calls = {}
        with open(table) as file:
            for line in file:
                words = line.split()
                # % time, seconds, usecs/call, calls, [errors], name
                if len(words) >= 5 and words[0][0].isdigit() and words[-1] != "total":
                    calls[words[-1]] = int(words[3])
        return calls


def per_unit(binary, load, count):
    """Calls by name per unit of work: start and end cancel out in the difference of two runs."""
    one, two = system_calls(binary, load, count), system_calls(binary, load, 2 * count)
    names = set(one) | set(two)
    each = {name: (two.get(name, 0) - one.get(name, 0)) / count for name in names}
    return {name: value for name, value in each.items() if abs(value) >= 0.005}


def function_calls(binary, count):
    """Calls by (caller, callee) over a whole run with `count` round trips, counted by callgrind."""
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "callgrind")
        # Valgrind 3.19 gives up on Swift's debug information; the symbols are enough.
        bare = os.path.join(directory, "roadstead")
        subprocess.run(["objcopy", "--strip-debug", binary, bare], check=True)
        preload = os.path.join(directory, "sigsuspend.so")
        subprocess.run(["clang", "-shared", "-fPIC", "-o", preload, "sigsuspend.c"], check=True)
        quiet = ["env", f"LD_PRELOAD={preload}", "valgrind", "--quiet", "--tool=callgrind",
                 f"--callgrind-out-file={out}", "--log-file=/dev/null"]
        with harness.proxy(bare, quiet) as process:
            harness.round_trips(count)
            # Valgrind is the process itself, not a child of it.
            harness.stop(process)
        return parse_calls(out)


def parse_calls(path):
    """Calls by (caller, callee) from callgrind's output, where a name is spelt out once and then only numbered."""
    names, calls, caller, callee = {}, {}, None, None

    def name(text):
        number, _, spelt = text.strip().partition(" ")
        if spelt:
            names[number] = spelt.split("'")[0]
        return names[number]

    with open(path) as file:
        for line in file:
            if line.startswith("fn="):
                caller = name(line[3:])
            elif line.startswith("cfn="):
                callee = name(line[4:])
            elif line.startswith("calls="):
                pair = caller, callee
                calls[pair] = calls.get(pair, 0) + int(line[6:].split()[0])
    return calls


def runtime_calls(binary, count):
    """Calls per relay event by (caller, callee)."""
    one, two = function_calls(binary, count), function_calls(binary, 2 * count)
    return {pair: (two[pair] - one.get(pair, 0)) / count / EVENTS for pair in two}


def of(calls, pattern):
    """The calls of functions whose names match: their sum, and who made them."""
    found = {pair: value for pair, value in calls.items() if pattern.match(pair[1]) and value >= 0.01}
    ranked = sorted(found.items(), key=lambda item: -item[1])
    return sum(found.values()), [f"{value:.2f} {callee} by {demangled(caller)}" for (caller, callee), value in ranked]


def demangled(name):
    result = subprocess.run(["swift", "demangle", "--simplified", "--compact", name], capture_output=True, text=True)
    return result.stdout.strip() or name


def memory(binary, count=4000):
    """Resident bytes that each of `count` idle connections adds; each has had a round trip."""
    with harness.proxy(binary) as process:
        warm = [harness.connect() for _ in range(64)]
        for connection in warm:
            harness.exchange(connection)
        before = harness.resident_bytes(process.pid)
        idle = [harness.connect() for _ in range(count)]
        for connection in idle:
            harness.exchange(connection)
        after = harness.resident_bytes(process.pid)
        for connection in warm + idle:
            connection.close()
        return (after - before) / count


def listed(calls):
    return ", ".join(f"{name} {value:.2f}" for name, value in sorted(calls.items(), key=lambda item: -item[1]))


def main():
    binary = os.path.abspath(sys.argv[1])
    harness.raise_limit()
    measured, details = {}, []
    with harness.echo_server():
        calls = per_unit(binary, harness.round_trips, 2000)
        measured["system calls per round trip"] = sum(calls.values())
        details.append(f"round trip: {listed(calls)}")
        calls = per_unit(binary, harness.short_connections, 1280)
        measured["system calls per short connection"] = sum(calls.values())
        details.append(f"short connection: {listed(calls)}")
        calls = runtime_calls(binary, 2000)
        for what, pattern in [
            ("retains and releases per relay event", RETAINS),
            ("allocations per relay event", ALLOCATIONS),
            ("exclusivity checks per relay event", EXCLUSIVITY),
        ]:
            measured[what], callers = of(calls, pattern)
            details += callers
        measured["resident bytes per idle connection"] = memory(binary)
    over = False
    print(f"{'what':<40}{'counted':>10}{'budget':>10}")
    for what, (budget, margin) in BUDGET.items():
        is_over = measured[what] > budget + margin
        over = over or is_over
        print(f"{what:<40}{measured[what]:>10.2f}{budget:>10}{'  over' if is_over else ''}")
    for line in details:
        print(line)
    sys.exit(1 if over else 0)


main()
