"""How a work is measured: what is found out before its rounds, and one contestant's figures in one round."""

import collections
import contextlib
import dataclasses
import statistics

import contestants
import harness
import load as loads
import works
from load import Load
from processes import Failed
from stage import Stage, Standing

# Tries for a rate at which nobody loses a datagram, and each one's share of the one before.
TRIES, SHARE = 6, 0.7
# Of the rate that was found, so that a busy moment in a round is no loss yet.
MARGIN = 0.8
# In an open loop load and endpoints use at most this share of their core: else what is measured is their own queue.
ROOM = 0.6
FIRST_RATE = 200_000
# Times that a round is tried in which the load was too slow: a virtual machine may stand still for some milliseconds.
ON_TIME = 3
WARM, IDLE = 64, 4000


@dataclasses.dataclass
class Measurement:
    """A work under way."""

    work: works.Work
    stage: Stage
    load: Load
    seconds: float
    warm_up: float
    # Units a second that each contestant came to in each work, round by round: what fixed rates are taken from.
    maxima: dict
    standings: dict[str, Standing] = dataclasses.field(default_factory=dict)
    rate: float | None = None
    note: str | None = None

    @contextlib.contextmanager
    def standing(self, contestant, wrapper=()):
        """The contestant: the one that stands all through the work, or one made for this once."""
        if not self.work.is_fresh:
            yield self.standings[contestant.id]
            return
        standing = self.stage.start(contestant, [self.work.protocol], self.work.traffic, wrapper)
        try:
            self.stage.prove(standing, self.work.protocol)
            yield standing
        finally:
            self.stage.stop(standing)

    def run(self, standing, words, seconds=None):
        """A timed run and its report; the warm-up is not in it."""
        seconds = seconds or self.seconds
        timed = [*words, "--seconds", seconds, "--warm-up", self.warm_up]
        if self.rate:
            timed += ["--rate", round(self.rate)]
        return self.load.run(self.stage, standing, self.work.protocol, timed, seconds + self.warm_up + 30)

    def figures(self, standing, report):
        if problem := loads.problem(report):
            raise Failed(problem)
        return loads.figures(report, standing.pid, self.stage.endpoints.pid, self.work.per)

    def proxies(self):
        """The standings of those that are no limits."""
        kinds = {each.id: each.kind for each in contestants.ALL}
        return [each for id, each in self.standings.items() if kinds[id] != "limit"]


def timed(measurement, contestant):
    """As much as comes through in a fixed time, or a fixed rate of it."""
    with measurement.standing(contestant) as standing:
        measurement.stage.place.enter(contestant)
        try:
            for _ in range(ON_TIME):
                report = measurement.run(standing, measurement.work.load)
                if not loads.is_late(report):
                    break
        finally:
            measurement.stage.place.leave(contestant)
        found = measurement.figures(standing, report)
    if measurement.rate is None:
        rounds = measurement.maxima.setdefault(measurement.work.id, {}).setdefault(contestant.id, [])
        rounds.append(report["units"] / report["seconds"])
    else:
        # How much is asked for is no figure of a contestant.
        found.pop("rate", None)
    return found


def half_of_slowest(measurement):
    """The fixed rate of an open loop: half of what the slowest proxy came to in this run."""
    maxima = {id: statistics.median(rounds) for id, rounds in measurement.maxima.get(measurement.work.of, {}).items()}
    for standing in measurement.proxies():
        if standing.id not in maxima:
            report = measurement.run(standing, measurement.work.load, 1)
            if not loads.problem(report):
                maxima[standing.id] = report["units"] / report["seconds"]
    slowest = min(((maxima[each.id], each.id) for each in measurement.proxies() if each.id in maxima), default=None)
    if not slowest:
        raise Failed("no proxy came through a closed loop")
    half = measurement.rate = slowest[0] / 2
    share = first = load_share(measurement)
    for _ in range(TRIES):
        if share <= ROOM:
            break
        # A little more than in proportion: with less to do, each wake-up does less.
        measurement.rate *= 0.95 * ROOM / share
        share = load_share(measurement)
    names = {each.id: each.name for each in contestants.ALL}
    measurement.note = f"at {measurement.rate:,.0f} a second, "
    if measurement.rate == half:
        measurement.note += f"half of what {names[slowest[1]]} comes to"
    else:
        measurement.note += (f"less than half of what {names[slowest[1]]} comes to, {half:,.0f}, at which load and "
                             f"endpoints would use {first:.0%} of their core")
    replies = measurement.rate * measurement.seconds
    measurement.note += f"; p99.9 rests on the {max(1, replies / 1000):,.0f} slowest of {replies:,.0f} in a round"


def load_share(measurement):
    """The largest share of their core that load and endpoints use at the rate, over all contestants."""
    shares = []
    for standing in measurement.standings.values():
        with contextlib.suppress(Failed):
            report = measurement.run(standing, measurement.work.load, 0.5)
            if report.get("units"):
                shares.append(loads.figures(report, standing.pid, measurement.stage.endpoints.pid)["load"])
    return max(shares, default=0)


def rate_without_loss(measurement):
    """Below the highest of a few rates at which no proxy loses datagrams."""
    rate = FIRST_RATE
    for _ in range(TRIES):
        measurement.rate = rate
        problem = first_problem(measurement)
        if not problem:
            break
        rate *= SHARE
    else:
        raise Failed(f"even at {rate / SHARE:,.0f} datagrams a second {problem}")
    measurement.rate = MARGIN * rate
    measurement.note = f"at {measurement.rate:,.0f} datagrams a second"


def first_problem(measurement):
    """Of the first proxy that has one at the rate; None where all keep up."""
    for standing in measurement.proxies():
        if problem := loads.problem(measurement.run(standing, measurement.work.load, 1)):
            return f"of {standing.id}: {problem}"
    return None


def rate_with_idle_time(measurement):
    """Well below what one shard does on all cores together with the load."""
    if "roadstead" not in measurement.standings:
        raise Failed("Roadstead with one shard, from which the rate is taken, is not there")
    report = measurement.run(measurement.standings["roadstead"], measurement.work.load, 1)
    if problem := loads.problem(report):
        raise Failed(problem)
    measurement.rate = 0.4 * report["units"] / report["seconds"]
    measurement.note = f"at {measurement.rate:,.0f} a second"


def memory(measurement, contestant):
    """What each of 4,000 idle connections or flows adds to the resident memory of a process that has seen 64."""
    work = measurement.work
    with measurement.standing(contestant) as standing:
        idle = measurement.load.idle
        with idle(measurement.stage, standing, work.protocol, WARM):
            before = harness.resident_bytes(standing.pid)
            with idle(measurement.stage, standing, work.protocol, IDLE):
                after = harness.resident_bytes(standing.pid)
    return {"memory": max(0, after - before) / IDLE}


def system_calls(measurement, contestant):
    """System calls of a unit by name: start and end cancel out in the difference of two runs."""
    work = measurement.work
    *words, count = work.load
    one, two = (traced(measurement, contestant, [*words, times * count]) for times in (1, 2))
    each = {name: (two[name] - one[name]) / count * work.per for name in one | two}
    return {"calls": {name: value for name, value in each.items() if value >= 0.005}}


def traced(measurement, contestant, words):
    """System calls by name of a whole life of the contestant in which it did this."""
    path = measurement.stage.scratch.file(f"calls-{contestant.id}")
    with measurement.standing(contestant, ["strace", "-c", "-f", "-o", path]) as standing:
        report = measurement.load.run(measurement.stage, standing, measurement.work.protocol, words, 120, watch=False)
        if problem := loads.problem(report):
            raise Failed(problem)
    calls = collections.Counter()
    with open(path) as file:
        for line in file:
            # % time, seconds, usecs/call, calls, [errors], name
            fields = line.split()
            if len(fields) >= 5 and fields[0][0].isdigit() and fields[-1] != "total":
                calls[fields[-1]] = int(fields[3])
    return calls


# What is found out first, how a contestant is measured, and whether there is more than one round.
METHODS = {
    "timed": (None, timed, True),
    "fixed_rate": (half_of_slowest, timed, True),
    "stream": (rate_without_loss, timed, True),
    "shards": (rate_with_idle_time, timed, True),
    "memory": (None, memory, True),
    "system_calls": (None, system_calls, False),
}


def in_turns(running, round):
    """The order of a round: a Latin square in which everybody comes after everybody else as often as another does.

    E. J. Williams, Experimental designs balanced for the estimation of residual effects of treatments, 1949.
    """
    count = len(running)
    steps = [(step + 1) // 2 if step % 2 else -(step // 2) for step in range(count)]
    row = [running[(step + round) % count] for step in steps]
    # An odd number needs a second square, the first one mirrored.
    return row[::-1] if count % 2 and round // count % 2 else row


def takes_part(contestant, work):
    """Whether a work is for a contestant."""
    if work.only and contestant.id not in work.only:
        return False
    if work.group in ("memory", "calls") and contestant.program in (None, "nft"):
        return False
    return work.topology in contestant.topologies and work.protocol in contestant.protocols
