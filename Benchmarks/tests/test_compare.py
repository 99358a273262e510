"""The comparison itself, with a stand-in for the load: what it leaves out, what it says, and that it leaves nothing."""

import collections
import glob
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import compare as compare_module
import contestants
import load
import machine
import methods
import pytest
import results
import works

HERE = Path(__file__).resolve().parent
COMPARE = [sys.executable, "-B", str(HERE.parent / "compare.py"), "--load", str(HERE / "fake_load.py")]
pytestmark = pytest.mark.skipif(not shutil.which("gcc") or len(os.sched_getaffinity(0)) < 2,
                                reason="needs gcc and two cores")


def report(**more):
    return {"units": 1000, "seconds": 1.0, "errors": {"reset": 0}, "sent": 1000, "lost": 0,
            "cpu": {"watched": {"7": 0.5, "8": 0.4}, "own": 0.5, "machine": 1.6}} | more


def test_two_threads_of_one_core_are_told_from_two_cores(monkeypatch):
    assert machine.numbers("0,4-6\n") == {0, 4, 5, 6}
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 3, 4, 5})
    monkeypatch.setattr(machine, "are_siblings", lambda one, other: one // 2 == other // 2)
    assert machine.cores() == (2, 4)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {2, 3})
    assert machine.cores() == (2, 3)


def test_errors_lost_datagrams_and_late_requests_are_problems():
    assert load.problem(report()) is None
    assert load.problem(report(errors={"reset": 0, "wrong_reply": 2})) == "errors of the load: 2 wrong reply"
    assert load.problem(report(units=0)) == "nothing came through"
    assert load.problem(report(lost=1)) is None
    assert load.problem(report(lost=31)) == "lost 3.1% of the datagrams"
    assert "sent late" in load.problem(report(latency={"late": 11}))
    # Its CPU would be that of what was done, over all that was asked for.
    assert load.problem(report(completed_in_window=90)) == "did not keep up: 9.0% of the requests were done in time"
    assert load.problem(report(completed_in_window=960)) is None
    assert load.problem(report(completed_in_window=None)) is None


@pytest.mark.parametrize("count", range(2, 8))
def test_everybody_comes_first_and_after_everybody_else_as_often(count):
    squares = count * (1 + count % 2)
    rows = [methods.in_turns(list(range(count)), round) for round in range(squares)]
    assert all(sorted(row) == list(range(count)) for row in rows)
    pairs = collections.Counter(pair for row in rows for pair in zip(row, row[1:]))
    assert len(pairs) == count * (count - 1) and len(set(pairs.values())) == 1
    assert set(collections.Counter(row[0] for row in rows).values()) == {squares // count}


def test_buffers_are_longer_than_the_messages(tmp_path):
    for work in works.ALL:
        size = max([each for each in work.load if isinstance(each, int) and work.method == "timed"], default=0)
        assert work.traffic in contestants.BUFFERS
        assert size < min(contestants.BUFFERS[work.traffic]), work.id


def test_what_fails_while_it_is_held_is_a_problem(tmp_path):
    done, result = compare(tmp_path, "--only", "memory-tcp", "--contestants", "relay",
                           FAKE_IDLE='{"errors": {"early_close": 3}}')
    assert result["works"][0]["problems"] == {
        "relay": "of 4000 that were held: errors of the load: 3 early close in round 1"}, done.stderr


def test_a_result_to_keep_has_a_name_of_its_own():
    def name(**more):
        result = results.new("2026-11-23T05:40:00Z", "748f320", False, 9, {"name": "EPYC (2)"})
        return os.path.basename(compare_module.default_path(result | more))

    assert name() == "2026-11-23-epyc-2.json"
    assert name(is_selection=True) == "2026-11-23-epyc-2-selection.json"
    assert name(is_selection=True, is_partial=True) == "2026-11-23-epyc-2-partial.json"
    assert name(is_quick=True) == "2026-11-23-epyc-2-quick.json"


def test_a_report_is_a_round_of_figures_by_unit():
    found = load.figures(report(), 7, 8, per=10)
    assert (found["cpu"], found["busy"], found["load"], found["rate"]) == (0.005, 0.5, 0.9, 100)
    assert "busy" not in load.figures(report(), None, 8)


def compare(tmp_path, *words, within=60, **environment):
    """Runs it with the relay and whatever is named, and returns what it printed and saved."""
    path = tmp_path / "result.json"
    done = subprocess.run([*COMPARE, "--rounds", "2", "--seconds", "0.1", "--warm-up", "0", "--machine", "box",
                           "--output", str(path), *words], capture_output=True, text=True, timeout=within,
                          env=os.environ | environment)
    return done, results.load(path) if path.exists() else None


def echo_version(tmp_path):
    """A Roadstead that says its version and nothing else."""
    other = tmp_path / "roadstead"
    other.write_text("#!/bin/sh\n[ \"$1\" = --version ] && echo 9.9.9 && exit\necho no configuration >&2; exit 3\n")
    other.chmod(0o755)
    return other


def test_a_peer_that_is_not_there_is_left_out_by_name(tmp_path):
    other = tmp_path / "envoy"
    other.write_text("#!/bin/sh\nexit 1\n")
    other.chmod(0o755)
    done, result = compare(tmp_path, "--only", "round-trips-64,memory-tcp", "--contestants", "relay,direct,envoy",
                           "--envoy", str(other))
    assert done.returncode == 0, done.stderr
    assert result["left_out"] == [{"id": "envoy", "why": f"{other} --version: does not say a version"}]
    for said in (done.stdout, done.stderr):
        assert f"left out: envoy: {other} --version: does not say a version" in said
    assert result["is_selection"]
    assert [each["id"] for each in result["contestants"]] == ["relay", "direct"]
    assert "rmem_max" in result["machine"] and "siblings" in result["machine"]
    work = results.work(result, "round-trips-64")
    assert len(work["rounds"]["relay"]) == len(work["rounds"]["direct"]) == 2
    assert work["problems"] == {}


def test_a_contestant_whose_load_saw_errors_has_no_figures(tmp_path):
    done, result = compare(tmp_path, "--only", "udp-round-trips-64", "--contestants", "relay,direct",
                           FAKE_TARGET=".1:", FAKE_LOAD='{"lost": 31}')
    assert done.returncode == 0, done.stderr
    work = result["works"][0]
    assert work["problems"] == {"direct": "lost 3.1% of the datagrams in round 1"}
    assert list(work["rounds"]) == ["relay"]
    assert "no figures: lost 3.1% of the datagrams in round 1" in done.stdout


def test_a_program_that_does_not_listen_is_a_problem_of_its_own(tmp_path):
    done, result = compare(tmp_path, "--only", "round-trips-64", "--contestants", "roadstead,relay",
                           "--roadstead", str(echo_version(tmp_path)))
    assert done.returncode == 0, done.stderr
    work = result["works"][0]
    assert work["problems"] == {"roadstead": "roadstead ended with 3: no configuration"}
    assert "NOT MET" not in done.stdout and work["rounds"]["relay"], "no peer to be held against"


@pytest.mark.parametrize("words", [["--only", "round-trips"], ["--contestants", "caddy"], ["--rounds", "-1"],
                                   ["--rounds", "0"], ["--seconds", "0"], ["--envoy", "/nowhere/envoy"]])
def test_unknown_words_are_refused(tmp_path, words):
    done, result = compare(tmp_path, *words)
    assert done.returncode == 2 and result is None


@pytest.mark.parametrize("words, why", [
    (["--only", "memory-tcp", "--contestants", "direct"], "nothing to run"),
    (["--only", "round-trips-64", "--contestants", "direct", "--output", "/proc/nowhere/result.json"], "cannot save"),
])
def test_what_cannot_end_well_does_not_begin(tmp_path, words, why):
    done, result = compare(tmp_path, *words)
    assert done.returncode == 1 and result is None and why in done.stderr and "Traceback" not in done.stderr


def test_a_list_may_be_cut_off():
    done = subprocess.run(["bash", "-c", 'set -o pipefail; "$@" --list | true', "bash", *COMPARE], capture_output=True)
    assert not done.stderr


def test_a_fault_of_the_comparison_is_neither_an_interruption_nor_a_missed_target(tmp_path):
    done, result = compare(tmp_path, "--only", "round-trips-64", "--contestants", "roadstead,relay,direct",
                           "--roadstead", str(echo_version(tmp_path)), FAKE_LOAD='{"seconds": 0}')
    assert done.returncode == 1 and "ZeroDivisionError" in done.stderr
    assert result["is_partial"] and result["stopped"] == "a fault of the comparison itself"
    assert not any(word in done.stdout for word in ("INTERRUPTED", "interrupted", "NOT MET"))


def test_the_order_of_contestants_rotates(tmp_path):
    order = tmp_path / "order"
    done, _ = compare(tmp_path, "--only", "round-trips-64", "--contestants", "relay,direct", "--rounds", "3",
                      FAKE_ORDER=str(order))
    assert done.returncode == 0, done.stderr
    one, two = order.read_text().split()[:2]
    assert order.read_text().split() == [one, two, two, one, one, two] and one != two


def test_an_interrupted_run_saves_what_it_has_and_leaves_nothing_running(tmp_path):
    path = tmp_path / "result.json"
    child = subprocess.Popen(
        [*COMPARE, "--rounds", "1000", "--machine", "box", "--output", str(path), "--only", "round-trips-64",
         "--contestants", "relay,direct"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    relay = f"roadstead-bench-{child.pid}-"
    # The relay is measured before the direct path, which is measured at the first endpoint.
    direct = f"127.104.{child.pid % 250}.1:"
    try:
        end = time.monotonic() + 30
        while not any(direct in command and "--seconds" in command for command in commands()):
            assert time.monotonic() < end and child.poll() is None
        child.send_signal(signal.SIGTERM)
        assert child.wait(20) == 128 + signal.SIGTERM
    finally:
        child.kill()
        child.wait()
    result = json.loads(path.read_text())
    assert result["is_partial"] and result["works"][0]["rounds"]["relay"]
    assert not any(relay in command for command in commands())
    assert not glob.glob(os.path.join(tempfile.gettempdir(), relay + "*"))


def commands():
    """The command lines of all processes."""
    for path in glob.glob("/proc/[0-9]*/cmdline"):
        try:
            yield Path(path).read_text(errors="replace")
        except OSError:
            continue
