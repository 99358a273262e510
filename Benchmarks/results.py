#!/usr/bin/env python3
"""The form of a result, its statistics, and the table of it. `results.py FILE` prints the table of a saved one.

The form is in README.md: plain dictionaries, as JSON has them. What is computed from a result is computed here, for the
terminal and the page alike.
"""

import dataclasses
import json
import os
import signal
import statistics
import sys
import tempfile

from form import GROUPS, KINDS, PERCENTILES, VERSION, FormError, check

SELF = "roadstead"
# Below this share of its core a proxy was waiting: how much came through is no figure of its own.
BUSY = 0.9
# What the configurations of the peers ask for; Roadstead as root has what it asks for.
RECEIVE_BUFFER = 4 << 20
# Above this share of theirs load and endpoints were the bottleneck.
LOADED = 0.85
# What a group's contestants are compared by where the work has no target.
MAIN = {"latency": "p99", "memory": "memory", "calls": "calls", "forwarding": "machine"}


@dataclasses.dataclass(frozen=True)
class Spread:
    """Minimum, median and maximum over the rounds."""

    minimum: float
    median: float
    maximum: float

    @staticmethod
    def of(values):
        """The spread of some values; None of none."""
        return Spread(min(values), statistics.median(values), max(values)) if values else None


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A work's target and what has become of it."""

    figure: str
    # At most this ratio is wanted.
    wanted: float
    # The ratio's spread over the rounds; None where Roadstead has no figures, and then the target is not met.
    ratio: Spread | None

    @property
    def is_met(self):
        return self.ratio is not None and self.ratio.median <= self.wanted


def new(date, commit, is_quick, rounds, machine):
    """A result without works."""
    return {"version": VERSION, "date": date, "commit": commit, "is_quick": is_quick, "rounds": rounds,
            "machine": machine, "contestants": [], "left_out": [], "works": []}


def load(path):
    """A saved result; FormError where it is none."""
    try:
        with open(path) as file:
            result = json.load(file)
    except (OSError, ValueError) as error:
        raise FormError(f"{path}: {error}") from None
    except RecursionError:
        raise FormError(f"{path}: nested too deeply") from None
    check(result, path)
    return result


def save(result, path):
    """Writes it whole or not at all."""
    check(result, path)
    directory = os.path.dirname(os.path.abspath(path))
    os.makedirs(directory, exist_ok=True)
    descriptor, temporary = tempfile.mkstemp(dir=directory, suffix=".tmp")
    try:
        with os.fdopen(descriptor, "w") as file:
            json.dump(result, file, indent=1)
            file.write("\n")
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def contestants(result, kind=None):
    """The contestants of a kind, or all."""
    return [each for each in result["contestants"] if kind in (None, each["kind"])]


def work(result, id):
    """A work by its id; None where the result has none of that id."""
    return next((each for each in result["works"] if each["id"] == id), None)


def main_figure(work):
    """What the work's contestants are compared by."""
    return work["target"]["figure"] if work.get("target") else MAIN.get(work["group"], "cpu")


def figure(round, name):
    """A figure of one round: one of a round's keys, a percentile, or `calls`, their sum; None where it is absent."""
    if name == "calls":
        return sum(round["calls"].values()) if "calls" in round else None
    if name in PERCENTILES:
        return round.get("latency", {}).get(name)
    return round.get(name)


def values(work, contestant, name):
    """A figure in each round that has it; none of a contestant with a problem, and a rate of all rounds or of none."""
    if contestant in work["problems"]:
        return []
    rounds = work["rounds"].get(contestant, [])
    found = [value for value in (figure(round, name) for round in rounds) if value is not None]
    return [] if name == "rate" and (len(found) < len(rounds) or was_waiting(work, contestant)) else found


def named(result, id):
    """A contestant's name."""
    return next((each["name"] for each in result["contestants"] if each["id"] == id), id)


def cautions(machine):
    """What of the machine bears on the figures."""
    found = []
    if machine.get("siblings"):
        found.append("The proxy's core and the load's are threads of one: each slows the other.")
    most = machine.get("rmem_max")
    if most is not None and most < RECEIVE_BUFFER:
        found.append(f"UDP peers have receive buffers of {most:,} bytes instead of {RECEIVE_BUFFER:,}, as "
                     f"net.core.rmem_max allows: sysctl -w net.core.rmem_max={RECEIVE_BUFFER}")
    return found


def elsewhere(work):
    """The share of a core that was used, in a contestant's median, by none of those measured; None below a tenth."""
    # In a router the kernel's own threads are part of the work.
    if work["topology"] == "router":
        return None
    shares = [spread(work, id, "others") for id in work["rounds"]]
    most = max((share.median for share in shares if share), default=0)
    return most if most > 0.1 else None


def was_waiting(work, contestant):
    """Whether a proxy had time left, so that its rate is not what it can do; limits without a process never had."""
    busy = [round["busy"] for round in work["rounds"].get(contestant, []) if "busy" in round]
    return bool(busy) and statistics.median(busy) < BUSY


def why_no_rate(work, contestant):
    """Why there is no rate: it was fixed, load and endpoints were the bottleneck, or all waited for each other."""
    if work.get("rate"):
        return "fixed rate"
    load = spread(work, contestant, "load")
    return "load-bound" if load is None or load.median > LOADED else "nobody busy"


def spread(work, contestant, name):
    """Minimum, median and maximum of a figure over the rounds; None without."""
    return Spread.of(values(work, contestant, name))


def calls(work, contestant):
    """The system calls of a unit by name, the median of the rounds, the most frequent first."""
    rounds = [each["calls"] for each in work["rounds"].get(contestant, []) if "calls" in each]
    if contestant in work["problems"] or not rounds:
        return {}
    names = {name for each in rounds for name in each}
    median = {name: statistics.median(each.get(name, 0) for each in rounds) for name in names}
    return dict(sorted(median.items(), key=lambda item: -item[1]))


def best_peer(result, work, name=None):
    """The id of the peer whose median is best; None where no peer has the figure."""
    name = name or main_figure(work)
    ranked = []
    for peer in contestants(result, "peer"):
        if found := spread(work, peer["id"], name):
            ranked.append((-found.median if name == "rate" else found.median, peer["id"]))
    return min(ranked)[1] if ranked else None


def ratios(work, name, contestant, others):
    """The contestant's figure over the best of the others', in each round that has both.

    The best of the others is asked for anew in each round, so that whatever disturbed the machine meanwhile
    disturbed both sides of the ratio.
    """
    best = max if name == "rate" else min
    mine = work["rounds"][contestant] if values(work, contestant, name) else []
    theirs = [work["rounds"][other] for other in others if values(work, other, name)]
    found = []
    for number, round in enumerate(mine):
        own = figure(round, name)
        against = [figure(rounds[number], name) for rounds in theirs if number < len(rounds)]
        against = [value for value in against if value]
        if own is not None and against:
            found.append(own / best(against))
    return found


def ratio_to_peers(result, work, name=None, contestant=SELF):
    """Spread of Roadstead's ratio to the best peer, round by round; None without."""
    peers = [each["id"] for each in contestants(result, "peer")]
    return Spread.of(ratios(work, name or main_figure(work), contestant, peers))


def ratio_to_best(result, work, name=None, contestant=SELF):
    """Spread of Roadstead's ratio to the one peer whose median is best, round by round; None without."""
    best = best_peer(result, work, name)
    return ratio_to(work, best, name, contestant) if best else None


def ratio_to(work, other, name=None, contestant=SELF):
    """Spread of a contestant's ratio to one other, a limit for instance, round by round; None without."""
    return Spread.of(ratios(work, name or main_figure(work), contestant, [other]))


def verdict(result, work):
    """The target and whether it is met; None for a work without one, or with nobody to be held against.

    A target holds Roadstead against the best peer, or, where it names them, `of` against `over`.
    """
    target = work.get("target")
    if not target:
        return None
    if "over" in target:
        found = ratio_to(work, target["over"], target["figure"], target.get("of", SELF))
        sides = [target.get("of", SELF)], [target["over"]]
    else:
        found = ratio_to_peers(result, work, target["figure"])
        sides = [SELF], [each["id"] for each in contestants(result, "peer")]
    took_part = any(work["rounds"].get(one) or one in work["problems"] for one in sides[0])
    if not took_part or not any(values(work, one, target["figure"]) for one in sides[1]):
        return None
    return Verdict(target["figure"], target["ratio"], found)


def main():
    # The table is made with this module.
    import table

    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        sys.exit("results.py FILE")
    try:
        # As every program: `| head` ends it silently.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        print(table.of(load(sys.argv[1])))
    except FormError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
