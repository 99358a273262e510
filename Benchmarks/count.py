"""What the relay costs: system calls, runtime calls of Swift, memory. See count.sh."""

import os
import re
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
    """Calls of each function over a whole run with `count` round trips, counted by callgrind."""
    with tempfile.TemporaryDirectory() as directory:
        out = os.path.join(directory, "callgrind")
        quiet = ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={out}", "--log-file=/dev/null"]
        with harness.proxy(binary, quiet) as process:
            harness.round_trips(count)
            # Valgrind is the process itself, not a child of it.
            harness.stop(process)
        names, calls, callee = {}, {}, None
        with open(out) as file:
            for line in file:
                if line.startswith("cfn="):
                    number, _, name = line[4:].strip().partition(" ")
                    if name:
                        names[number] = name.split("'")[0]
                    callee = names[number]
                elif line.startswith("fn="):
                    number, _, name = line[3:].strip().partition(" ")
                    if name:
                        names[number] = name.split("'")[0]
                elif line.startswith("calls="):
                    calls[callee] = calls.get(callee, 0) + int(line[6:].split()[0])
        return calls


def runtime_calls(binary, count):
    one, two = function_calls(binary, count), function_calls(binary, 2 * count)
    each = {name: (two.get(name, 0) - one.get(name, 0)) / count / EVENTS for name in two}
    return lambda pattern: sum(value for name, value in each.items() if pattern.match(name))


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
        count = runtime_calls(binary, 2000)
        measured["retains and releases per relay event"] = count(RETAINS)
        measured["allocations per relay event"] = count(ALLOCATIONS)
        measured["exclusivity checks per relay event"] = count(EXCLUSIVITY)
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
