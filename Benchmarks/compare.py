#!/usr/bin/env python3
"""Roadstead, its peers and the limits in turns: `make bench`, `make bench-quick`. `--help` says what can be chosen."""

import signal

if __name__ == "__main__":
    # Until there is something to be stopped, ctrl-C simply ends this.
    signal.signal(signal.SIGINT, signal.SIG_DFL)

import argparse
import contextlib
import os
import re
import signal
import sys
import tempfile
import time
import traceback

import contestants
import machine
import methods
import results
import router
import table
import works
from load import Load
from processes import Failed, Scratch
from stage import Loopback, Stage, Unpinned

HERE = os.path.dirname(os.path.abspath(__file__))


class Interrupted(BaseException):
    """Ctrl-C or SIGTERM: what there is is saved, and everything is stopped."""


class Progress:
    """How far the run is, on standard error."""

    def __init__(self, steps):
        self.steps, self.done, self.begun = steps, 0, time.monotonic()
        self.is_terminal = sys.stderr.isatty()

    def step(self, text):
        self.done += 1
        if self.is_terminal:
            print(f"\r\x1b[K[{self.done}/{self.steps}, {self.left()} left] {text}", end="", file=sys.stderr, flush=True)

    def left(self):
        """What is left, if the rest takes as long for each step as those before."""
        seconds = (time.monotonic() - self.begun) / max(1, self.done) * (self.steps - self.done)
        return f"{seconds:.0f} s" if seconds < 100 else f"{seconds / 60:.0f} min"

    def say(self, text):
        print(("\r\x1b[K" if self.is_terminal else "") + text, file=sys.stderr, flush=True)


class Run:
    """One comparison from beginning to end."""

    def __init__(self, options, scratch):
        self.options, self.scratch = options, scratch
        given = {name: getattr(options, name) for name in ("roadstead", "haproxy", "nginx", "envoy")}
        try:
            self.load = Load(contestants.find("load", options.load), scratch)
        except contestants.Missing as error:
            raise contestants.Missing(f"roadstead-load: {error}") from None
        there, self.paths, left_out = contestants.available(options.contestants, given, scratch, not router.missing())
        self.result = results.new(machine.date(), machine.commit(), options.quick, options.rounds,
                                  machine.describe(options.machine, options.cores))
        self.result["contestants"], self.result["left_out"] = there, left_out
        self.result |= {"seconds": options.seconds, "warm_up": options.warm_up, "is_selection": options.is_selection}
        ids = {each["id"] for each in there}
        self.contestants = [each for each in contestants.ALL if each.id in ids]
        self.works = [each for each in works.chosen(options.only, options.quick) if self.can(each)]
        if not self.works:
            left_out = [f"{each['id']}: {each['why']}" for each in self.result["left_out"]]
            raise contestants.Missing("; ".join(["nothing to run", *left_out]))
        self.list_only(lambda each: any(methods.takes_part(each, work) for work in self.works))
        for each in self.result["left_out"]:
            print(f"left out: {each['id']}: {each['why']}", file=sys.stderr)
        self.path = options.output or default_path(self.result)
        self.maxima = {}
        self.stages = {}
        self.progress = Progress(sum(self.rounds(work) * len(self.of(work)) for work in self.works))

    def can(self, work):
        """Whether a work can be done here; else it is left out by name."""
        why = router.missing() if work.topology == "router" else None
        if work.group == "calls" and not contestants.shutil.which("strace"):
            why = "strace is not installed: make bench-peers"
        if why:
            self.result["left_out"].append({"id": work.id, "why": why})
        return not why and bool(self.of(work))

    def list_only(self, holds):
        """Those who take part in nothing are not listed in the result."""
        self.contestants = [each for each in self.contestants if holds(each)]
        ids = {each.id for each in self.contestants}
        self.result["contestants"] = [each for each in self.result["contestants"] if each["id"] in ids]

    def of(self, work):
        return [each for each in self.contestants if methods.takes_part(each, work)]

    def rounds(self, work):
        return self.options.rounds if methods.METHODS[work.method][2] else 1

    def all(self):
        """All works in turn."""
        for number, work in enumerate(self.works):
            record = work.record()
            self.result["works"].append(record)
            self.one(work, record)
            if work.topology not in {each.topology for each in self.works[number + 1:]}:
                self.close_stage(work.topology)

    def one(self, work, record):
        """One work: its contestants are started, shown to relay, and measured in turns."""
        begun = time.monotonic()
        prepare, measure, _ = methods.METHODS[work.method]
        stage = self.stage(work.topology)
        options = self.options
        measurement = methods.Measurement(work, stage, self.load, options.seconds, options.warm_up, self.maxima)
        running = []
        for contestant in self.of(work):
            with self.problem(record, contestant.id):
                if not work.is_fresh:
                    standing = stage.start(contestant, [work.protocol], work.traffic)
                    measurement.standings[contestant.id] = standing
                    stage.place.enter(contestant)
                    try:
                        stage.prove(standing, work.protocol)
                    finally:
                        stage.place.leave(contestant)
                running.append(contestant)
        for id in record["problems"]:
            measurement.standings.pop(id, None)
        try:
            if prepare:
                prepare(measurement)
        except Failed as error:
            record["problems"] |= {each.id: f"not measured: {error}" for each in running}
        if measurement.rate:
            record |= {"rate": measurement.rate, "note": measurement.note}
        for round in range(1, self.rounds(work) + 1):
            for contestant in methods.in_turns(running, round - 1):
                if contestant.id not in record["problems"]:
                    with self.problem(record, contestant.id, f" in round {round}"):
                        figures = measure(measurement, contestant)
                        record["rounds"].setdefault(contestant.id, []).append(figures)
                self.progress.step(f"{work.id}, round {round}, {contestant.name}")
        stage.clear()
        for id in record["problems"]:
            record["rounds"].pop(id, None)
        for line in [f"{work.id}: {time.monotonic() - begun:.0f} s; {self.progress.left()} left",
                     *table.in_short(self.result, record)]:
            self.progress.say(line)

    @contextlib.contextmanager
    def problem(self, record, id, where=""):
        """What fails inside is that contestant's problem, and the others go on."""
        try:
            yield
        except (Failed, OSError) as error:
            record["problems"][id] = f"{error}{where}"

    def stage(self, topology):
        if topology not in self.stages:
            cores = self.options.cores
            if topology == "router":
                place = router.Router(cores, self.scratch, self.paths.get("nft"))
            else:
                place = Loopback(cores) if topology == "loopback" else Unpinned()
            # This program itself stays out of the proxy's way.
            os.sched_setaffinity(0, set(self.options.usable) if place.load_core is None else {place.load_core})
            self.stages[topology] = Stage(place, self.load, self.paths, self.scratch)
        return self.stages[topology]

    def close_stage(self, topology):
        stage = self.stages.pop(topology, None)
        if stage:
            stage.close()
            getattr(stage.place, "close", lambda: None)()

    def close(self):
        for topology in list(self.stages):
            self.close_stage(topology)


def main():
    options = parse()
    if options.list:
        return show()
    options.usable = os.sched_getaffinity(0)
    options.cores = machine.cores()
    if not options.cores:
        sys.exit("needs two cores: one for the proxy, one for load and endpoints")
    for caution in results.cautions(machine.describe("", options.cores)):
        print(caution, file=sys.stderr)
    machine.prepare()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, interrupt)
    scratch, run, code, stopped = None, None, 0, None
    try:
        scratch = Scratch()
        run = Run(options, scratch)
        try_to_save(run.path)
        run.all()
    except contestants.Missing as error:
        sys.exit(str(error))
    except Failed as error:
        code, stopped = 1, str(error)
    except Exception:
        # A fault of this program: what was measured before it is not lost.
        traceback.print_exc()
        code, stopped = 1, "a fault of the comparison itself"
    except Interrupted as error:
        code, stopped = 128 + error.args[0], "interrupted"
    finally:
        # A second ctrl-C does not leave half of it running.
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, signal.SIG_IGN)
        if run:
            run.close()
        if scratch:
            scratch.close()
    if stopped:
        print(f"stopped: {stopped}", file=sys.stderr)
    if not run:
        sys.exit(code)
    if stopped:
        run.result |= {"is_partial": True, "stopped": stopped}
        run.path = options.output or default_path(run.result)
        run.list_only(lambda each: any(each.id in record[key] for record in run.result["works"]
                                       for key in ("rounds", "problems")))
    print(table.of(run.result), flush=True)
    try:
        results.save(run.result, run.path)
    except (OSError, results.FormError) as error:
        sys.exit(f"\nnot saved: {error}")
    print(f"\nsaved as {os.path.relpath(run.path) if os.path.abspath(run.path).startswith(os.getcwd()) else run.path}")
    sys.exit(code)


def try_to_save(path):
    """Failed where the result could not be saved: better before the run than after it."""
    directory = os.path.dirname(os.path.abspath(path))
    try:
        os.makedirs(directory, exist_ok=True)
        if os.path.isdir(path):
            raise IsADirectoryError(f"{path} is a directory")
        tempfile.TemporaryFile(dir=directory).close()
    except OSError as error:
        raise contestants.Missing(f"cannot save the result: {error}") from None


def interrupt(number, _):
    raise Interrupted(number)


def default_path(result):
    """`results/DATE-MACHINE.json`; quick and partial ones and selections are named so, and not for keeping."""
    machine_name = re.sub(r"[^A-Za-z0-9]+", "-", result["machine"]["name"]).strip("-").lower()
    mark = "-partial" if result.get("is_partial") else "-quick" if result["is_quick"] else ""
    mark = mark or ("-selection" if result.get("is_selection") else "")
    return os.path.join(HERE, "results", f"{result['date'][:10]}-{machine_name}{mark}.json")


def show():
    # As every program: `| head` ends it silently.
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    print("works, by group (a star: in the quick run):")
    for work in works.ALL:
        print(f"  {work.group:<11} {work.id:<26}{'*' if work.is_quick else ' '} {work.title}")
    print("contestants:", ", ".join(contestants.IDS))


def parse():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="the most important works in less than 3 minutes")
    parser.add_argument("--list", action="store_true", help="works and contestants, and nothing else")
    parser.add_argument("--only", type=words, default=[], metavar="WORK,…", help="these works or groups")
    parser.add_argument("--contestants", type=words, default=contestants.IDS, metavar="ID,…", help="only these")
    parser.add_argument("--rounds", type=int, help="default: 9, quick 5")
    parser.add_argument("--seconds", type=float, help="of each measurement; default: 1, quick 0.5")
    parser.add_argument("--warm-up", type=float, help="seconds before each; default: 0.2, quick 0.1")
    parser.add_argument("--machine", metavar="NAME", help="what the result calls this machine")
    parser.add_argument("--output", metavar="FILE", help="default: results/DATE-MACHINE.json")
    for program in contestants.NAMED:
        parser.add_argument(f"--{program}", metavar="PATH", help=f"another binary of {program}")
    options = parser.parse_args()
    unknown = [each for each in options.only if each not in works.IDS + works.GROUPS]
    unknown += [each for each in options.contestants if each not in contestants.IDS]
    if unknown:
        parser.error(f"neither a work, a group nor a contestant: {', '.join(unknown)} (--list shows them)")
    for program in contestants.NAMED:
        try:
            if given := getattr(options, program):
                contestants.find(program, given)
        except contestants.Missing as error:
            parser.error(f"--{program}: {error}")
    given = (options.rounds, options.seconds, options.warm_up)
    options.is_selection = bool(options.only) or options.contestants != contestants.IDS or any(
        each is not None and each < usual for each, usual in zip(given, (7, 1, 0.2)))
    for name, usual, quick in (("rounds", 9, 5), ("seconds", 1, 0.5), ("warm_up", 0.2, 0.1)):
        if getattr(options, name) is None:
            setattr(options, name, quick if options.quick else usual)
    if options.rounds < 1 or not 0.1 <= options.seconds < 1e6 or not 0 <= options.warm_up < 1e6:
        parser.error("--rounds is 1 or more, --seconds 0.1 or more, --warm-up 0 or more")
    return options


def words(text):
    return [word for word in text.split(",") if word]


if __name__ == "__main__":
    main()
