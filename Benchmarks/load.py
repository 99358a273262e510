"""`roadstead-load` as seen from here: how it is run, what its report means, when it is no measurement."""

import contextlib
import json
import subprocess

from processes import Failed, Process, placed

# Datagrams that may be missing: at 64 and more flows a socket buffer overflows now and then.
LOST = 0.001
LATE = 0.01
# What has to be done within the window of what was due in it: the CPU is that of the window.
KEPT_UP = 0.95


class Load:
    """The program at a path."""

    def __init__(self, path, scratch):
        self.path, self.scratch = path, scratch

    def run(self, stage, standing, protocol, words, within, watch=True):
        """One run against what stands there: its report; Failed without one."""
        verb, *options = words
        pids = [pid for pid in (standing.pid, stage.endpoints.pid) if pid] if watch else []
        command = [self.path, verb, f"{protocol}://%s:%d" % standing.target, *map(str, options),
                   *(word for pid in pids for word in ("--watch-cpu", str(pid)))]
        place = stage.place
        child = subprocess.Popen(placed(command, place.load_core, place.wrapper("client")), stdin=subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True)
        try:
            out, err = child.communicate(timeout=within)
        except subprocess.TimeoutExpired:
            raise Failed(f"the load did not end within {within:.0f} s") from None
        finally:
            if child.poll() is None:
                child.kill()
                child.communicate()
        if standing.process and not standing.process.is_running:
            raise Failed(standing.process.why_ended())
        if not stage.endpoints.is_running:
            raise Failed(stage.endpoints.why_ended())
        return parsed(out, err, child.returncode)

    def proof(self, stage, standing, protocol):
        """A few round trips: None, or what is wrong."""
        report = self.run(stage, standing, protocol, ["round-trips", "--concurrency", 4, "--count", 8], 30, watch=False)
        return problem(report)

    @contextlib.contextmanager
    def idle(self, stage, standing, protocol, count):
        """Holds so many connections or flows that have had a round trip each."""
        place = stage.place
        command = [self.path, "idle", f"{protocol}://%s:%d" % standing.target, "--concurrency", str(count)]
        process = Process(command, self.scratch, "idle", place.load_core, place.wrapper("client"), subprocess.PIPE)
        try:
            # It says so when all are open; its JSON comes at the end.
            line = process.stdout.readline().decode()
            if not line or line.startswith("{"):
                raise Failed(f"the load does not hold {count}: {line or process.said()}")
            yield
            process.stop()
            # What happened to them meanwhile.
            ended = parsed(process.stdout.read().decode(), process.said(), 0)
            if found := problem(ended):
                raise Failed(f"of {count} that were held: {found}")
        finally:
            process.stop()
            process.stdout.close()


def parsed(out, err, code):
    """The JSON of the last line."""
    lines = [line for line in out.splitlines() if line.startswith("{")]
    try:
        return json.loads(lines[-1])
    except (IndexError, ValueError):
        said = " / ".join((err or out).strip().splitlines()[-3:])[-300:]
        raise Failed(f"the load ended with {code} and without a report: {said}") from None


def problem(report):
    """Why a report's figures are none; None where they are fine."""
    errors = [f"{count} {kind.replace('_', ' ')}" for kind, count in report.get("errors", {}).items() if count]
    if errors:
        return f"errors of the load: {', '.join(errors)}"
    if not report.get("units"):
        return "nothing came through"
    if report.get("lost") and report["lost"] > LOST * report["sent"]:
        return f"lost {report['lost'] / report['sent']:.1%} of the datagrams"
    completed = report.get("completed_in_window")
    if completed is not None and completed < KEPT_UP * report["units"]:
        return f"did not keep up: {completed / report['units']:.1%} of the requests were done in time"
    if is_late(report):
        share = report["latency"]["late"] / report["units"]
        return f"the load was too slow: {share:.1%} of the requests were sent late"
    return None


def is_late(report):
    """Whether the load did not keep its rate, which is no fault of whom it asks."""
    return (report.get("latency") or {}).get("late", 0) > LATE * report.get("units", 0)


def figures(report, pid, endpoints_pid, per=1):
    """A report as a round of a result; a unit is `per` of the load's."""
    units, seconds, cpu = report["units"] / per, report["seconds"], report["cpu"]
    watched = {int(key): value for key, value in cpu["watched"].items()}
    proxy, endpoints = watched.get(pid, 0), watched.get(endpoints_pid, 0)
    found = {"machine": cpu["machine"] / units, "rate": units / seconds}
    if pid:
        found |= {"cpu": proxy / units, "busy": proxy / seconds}
    found["load"] = (endpoints + cpu["own"]) / seconds
    found["others"] = max(0, cpu["machine"] - proxy - endpoints - cpu["own"]) / seconds
    if latency := report.get("latency"):
        found["latency"] = {key: value / 1e9 for key, value in latency.items() if key[0] == "p" or key == "max"}
    return found
