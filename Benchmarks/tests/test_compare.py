"""The comparison itself, with a stand-in for the load: what it leaves out, what it says, and that it leaves nothing."""

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

import load
import pytest
import results

HERE = Path(__file__).resolve().parent
COMPARE = [sys.executable, "-B", str(HERE.parent / "compare.py"), "--load", str(HERE / "fake_load.py")]
pytestmark = pytest.mark.skipif(not shutil.which("gcc") or len(os.sched_getaffinity(0)) < 2,
                                reason="needs gcc and two cores")


def report(**more):
    return {"units": 1000, "seconds": 1.0, "errors": {"reset": 0}, "sent": 1000, "lost": 0,
            "cpu": {"watched": {"7": 0.5, "8": 0.4}, "own": 0.5, "machine": 1.6}} | more


def test_errors_lost_datagrams_and_late_requests_are_problems():
    assert load.problem(report()) is None
    assert load.problem(report(errors={"reset": 0, "wrong_reply": 2})) == "errors of the load: 2 wrong reply"
    assert load.problem(report(units=0)) == "nothing came through"
    assert load.problem(report(lost=1)) is None
    assert load.problem(report(lost=31)) == "lost 3.1% of the datagrams"
    assert "sent late" in load.problem(report(latency={"late": 11}))


def test_a_rate_is_a_figure_only_of_a_proxy_that_was_busy():
    found = load.figures(report(), 7, 8, per=10)
    assert "rate" not in found and found["cpu"] == 0.005 and found["busy"] == 0.5 and found["load"] == 0.9
    busy = report(cpu={"watched": {"7": 0.95, "8": 0.3}, "own": 0.4, "machine": 1.7})
    assert load.figures(busy, 7, 8)["rate"] == 1000
    assert load.figures(report(), None, 8)["rate"] == 1000


def compare(tmp_path, *words, within=60, **environment):
    """Runs it with the relay and whatever is named, and returns what it printed and saved."""
    path = tmp_path / "result.json"
    done = subprocess.run([*COMPARE, "--rounds", "2", "--seconds", "0.1", "--warm-up", "0", "--machine", "box",
                           "--output", str(path), *words], capture_output=True, text=True, timeout=within,
                          env=os.environ | environment)
    return done, results.load(path) if path.exists() else None


def test_a_peer_that_is_not_there_is_left_out_by_name(tmp_path):
    done, result = compare(tmp_path, "--only", "round-trips-64,memory-tcp", "--contestants", "relay,direct,envoy",
                           "--envoy", "/nowhere/envoy")
    assert done.returncode == 0, done.stderr
    assert result["left_out"] == [{"id": "envoy", "why": "/nowhere/envoy: no such program"}]
    assert "left out: envoy: /nowhere/envoy: no such program" in done.stdout
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
    other = tmp_path / "roadstead"
    other.write_text("#!/bin/sh\n[ \"$1\" = --version ] && echo 9.9.9 && exit\necho no configuration >&2; exit 3\n")
    other.chmod(0o755)
    done, result = compare(tmp_path, "--only", "round-trips-64", "--contestants", "roadstead,relay",
                           "--roadstead", str(other))
    assert done.returncode == 0, done.stderr
    work = result["works"][0]
    assert work["problems"] == {"roadstead": "roadstead ended with 3: no configuration"}
    assert "NOT MET" not in done.stdout and work["rounds"]["relay"], "no peer to be held against"


@pytest.mark.parametrize("words", [["--only", "round-trips"], ["--contestants", "caddy"], ["--rounds", "-1"]])
def test_unknown_words_are_refused(tmp_path, words):
    done, result = compare(tmp_path, *words)
    assert done.returncode == 2 and result is None


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
