"""That a growth is caught, shown on made-up counts, and that the counters read what strace and callgrind write."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import counters
import thresholds
from counters import Count

ACCEPTED = {
    "TCP round trip": {
        "instructions": {"counted": 2000, "allowance": "3 %"},
        "system calls": {"counted": 6, "allowance": 0.05, "by": {"epoll_wait": 2, "recvfrom": 2, "sendto": 2}},
        "allocations": {"counted": 0, "allowance": 0.05},
    }
}


def counts(instructions=2000.0, calls=None, allocations=None):
    calls = calls or {"epoll_wait": 2.0, "recvfrom": 2.0, "sendto": 2.0}
    allocations = allocations or {}
    return {
        "TCP round trip": {
            "instructions": Count(instructions, {"ev_run": 1200.0, "send": 800.0}),
            "system calls": Count(sum(calls.values()), calls),
            "allocations": Count(sum(allocations.values()), allocations),
        }
    }


def found(counted, accepted=ACCEPTED):
    return [(finding.is_failure, finding.text, finding.details) for finding in thresholds.compare(counted, accepted)]


def test_what_is_as_accepted_is_not_found():
    assert found(counts()) == []


@pytest.mark.parametrize("instructions", [1941, 2059])
def test_what_moves_within_its_allowance_is_not_found(instructions):
    assert found(counts(instructions=instructions)) == []


def test_one_system_call_more_fails_and_is_named():
    grown = counts(calls={"epoll_wait": 2.0, "recvfrom": 3.0, "sendto": 2.0})
    assert found(grown) == [
        (True, "TCP round trip: system calls 7.00, more than 6.00 ± 0.05", ["recvfrom 2.00 → 3.00"])]


def test_a_system_call_for_another_is_named_when_the_sum_grows():
    grown = counts(calls={"epoll_wait": 2.0, "recvmsg": 2.5, "sendto": 2.0})
    assert found(grown)[0][2] == ["recvfrom 2.00 → 0.00", "recvmsg 0.00 → 2.50"]


def test_an_allocation_fails_and_its_caller_is_named():
    grown = counts(allocations={"malloc by Relay.sourceReady": 1.0})
    assert found(grown) == [
        (True, "TCP round trip: allocations 1.00, more than 0.00 ± 0.05", ["1.00 malloc by Relay.sourceReady"])]


def test_more_instructions_fail_and_tell_where_the_most_are():
    assert found(counts(instructions=2062)) == [
        (True, "TCP round trip: instructions 2,062, more than 2,000 ± 3 %", ["1,200 ev_run", "800 send"])]


def test_what_fell_does_not_fail_but_asks_to_be_accepted():
    assert found(counts(instructions=1900)) == [
        (False, "TCP round trip: instructions 1,900, less than 2,000 ± 3 %", [])]


def test_a_figure_without_a_threshold_fails():
    assert found({"TCP round trip": {"allocations": Count(0)}}, {}) == [
        (True, "TCP round trip: allocations 0.00, and no threshold yet", [])]


def test_a_threshold_without_a_figure_fails():
    counted = counts()
    del counted["TCP round trip"]["allocations"]
    assert found(counted) == [(True, "TCP round trip: allocations has a threshold, and was not counted", [])]


def test_what_is_accepted_is_found_no_more_and_keeps_its_allowances(tmp_path):
    grown = counts(instructions=3000.4, allocations={"malloc by f": 1.0})
    wider = {"TCP round trip": {**ACCEPTED["TCP round trip"], "allocations": {"counted": 0, "allowance": 0.5}}}
    path = tmp_path / "thresholds.json"
    thresholds.save(path, thresholds.accepted(grown, wider))
    read = thresholds.load(path)
    assert found(grown, read) == []
    assert read["TCP round trip"]["instructions"] == {"counted": 3000, "allowance": "3 %"}
    assert read["TCP round trip"]["allocations"] == {"counted": 1, "allowance": 0.5}
    assert read["TCP round trip"]["system calls"]["by"] == {"epoll_wait": 2, "recvfrom": 2, "sendto": 2}


def test_the_file_that_is_checked_in_has_all_figures():
    accepted = thresholds.load(Path(thresholds.__file__).parent / "thresholds.json")
    assert len(accepted) == 9
    for work, figures in accepted.items():
        assert list(figures) == (
            ["resident bytes"] if work.startswith("idle")
            else ["instructions", "system calls", "retains and releases", "allocations", "exclusivity checks"])
        for entry in figures.values():
            low, high = thresholds.limits(entry)
            assert low < entry["counted"] < high


def test_a_table_of_strace_is_read_without_what_a_signal_interrupted():
    table = """\
% time     seconds  usecs/call     calls    errors syscall
------ ----------- ----------- --------- --------- ----------------
 60.00    0.000300           1       300        10 epoll_wait
 40.00    0.000200           1       200        50 accept4
------ ----------- ----------- --------- --------- ----------------
100.00    0.000500           1       500        60 total
"""
    assert counters.parsed_table(table.splitlines()) == {"epoll_wait": 290, "accept4": 200}


def test_a_dump_of_callgrind_gives_own_instructions_and_calls():
    dump = """\
# callgrind format
positions: line
events: Ir

fn=(1) main
0 10
cfn=(2) swift_retain
calls=3 0
0 60
0 5

fn=(2)
0 60
fn=(3) malloc'2
+1 7
cfn=(2)
calls=1 0
* 20
"""
    counted = counters.parsed_dump(dump.splitlines(keepends=True))
    assert counted == {
        ("main",): 15, ("swift_retain",): 60, ("malloc",): 7,
        ("main", "swift_retain"): 3, ("malloc", "swift_retain"): 1}
    figures = counters.figures(counted)
    assert figures["instructions"].value == 82
    assert figures["retains and releases"] == Count(4, {"swift_retain by main": 3, "swift_retain by malloc": 1})
