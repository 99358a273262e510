"""The statistics of a result, and what its table says of problems."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import results
import table

PROGRAMS = Path(__file__).resolve().parents[1]


def contestant(id, kind="peer"):
    return {"id": id, "name": id.capitalize(), "version": "1", "kind": kind}


def a_work(rounds, problems=None, **more):
    return {"id": "round-trips-64", "title": "Request and response", "group": "tcp", "unit": "round trip",
            "topology": "loopback", "target": {"figure": "cpu", "ratio": 0.9},
            "rounds": {id: [{"cpu": each} for each in values] for id, values in rounds.items()},
            "problems": problems or {}, **more}


def a_result(*works):
    result = results.new("2026-11-23T05:40:00Z", "748f320", False, 3,
                         {"name": "box", "cpu": "a CPU", "cores": 2, "memory": 2**34, "kernel": "6.18.1"})
    result["contestants"] = [contestant("roadstead", "self"), contestant("haproxy"), contestant("nginx"),
                             contestant("relay", "limit")]
    result["works"] = list(works)
    return result


def test_the_ratio_is_taken_against_the_best_peer_of_the_same_round():
    work = a_work({"roadstead": [8, 16, 9], "haproxy": [10, 40, 10], "nginx": [20, 20, 20]})
    ratio = results.ratio_to_peers(a_result(work), work)
    assert (ratio.minimum, ratio.median, ratio.maximum) == (0.8, 0.8, 0.9)
    verdict = results.verdict(a_result(work), work)
    assert verdict.is_met and verdict.wanted == 0.9


def test_a_slow_round_of_all_contestants_leaves_the_ratio():
    work = a_work({"roadstead": [8, 80, 8], "haproxy": [10, 100, 10]})
    ratio = results.ratio_to_peers(a_result(work), work)
    assert ratio.minimum == ratio.maximum == 0.8


def test_a_limit_is_no_peer():
    work = a_work({"roadstead": [8], "haproxy": [10], "relay": [4]})
    assert results.ratio_to_peers(a_result(work), work).median == 0.8
    assert results.ratio_to(work, "relay").median == 2
    assert results.best_peer(a_result(work), work) == "haproxy"


def test_a_higher_rate_is_better():
    work = a_work({})
    work["rounds"] = {"roadstead": [{"rate": 90}], "haproxy": [{"rate": 100}], "nginx": [{"rate": 50}]}
    assert results.ratio_to_peers(a_result(work), work, "rate").median == 0.9
    assert results.best_peer(a_result(work), work, "rate") == "haproxy"


def test_a_contestant_with_a_problem_has_no_figures_and_the_table_says_why():
    work = a_work({"roadstead": [9], "haproxy": [1], "nginx": [10]}, {"haproxy": "reset 3 connections in round 1"})
    result = a_result(work)
    assert results.spread(work, "haproxy", "cpu") is None
    assert results.ratio_to_peers(result, work).median == 0.9
    text = table.of(result)
    assert "Haproxy" in text and "no figures: reset 3 connections in round 1" in text


def test_a_target_is_not_met_where_there_is_no_figure():
    work = a_work({"haproxy": [10]}, {"roadstead": "lost 3.1 % of the datagrams in round 2"})
    verdict = results.verdict(a_result(work), work)
    assert verdict.ratio is None and not verdict.is_met
    assert "NOT MET" in table.of(a_result(work))


def test_a_rate_that_only_says_how_fast_the_load_is_is_none():
    work = a_work({})
    work["rounds"] = {"roadstead": [{"cpu": 1e-6, "busy": 0.5}], "haproxy": [{"cpu": 2e-6, "busy": 1.0, "rate": 5e5}]}
    line = next(each for each in table.of(a_result(work)).splitlines() if each.startswith("  Roadstead"))
    assert "load-bound" in line and "1.00 µs" in line


def test_a_rate_is_of_all_rounds_or_of_none():
    work = a_work({})
    busy, waiting = [1.0, 0.8, 0.95], [0.85, 0.99, 0.8]
    work["rounds"] = {"roadstead": [{"rate": 10, "busy": each} for each in waiting],
                      "haproxy": [{"rate": 10 * each, "busy": each} for each in busy],
                      "nginx": [{"rate": 1}, {}, {}], "relay": [{"rate": 1}] * 3}
    assert results.spread(work, "roadstead", "rate") is None and results.spread(work, "nginx", "rate") is None
    assert results.spread(work, "haproxy", "rate") == results.Spread(8, 9.5, 10)
    assert results.spread(work, "relay", "rate").median == 1
    assert results.ratio_to_peers(a_result(work), work, "rate") is None


def test_the_best_peer_of_each_round_may_be_another_than_the_best_by_median():
    work = a_work({"roadstead": [9, 9, 9], "haproxy": [10, 20, 10], "nginx": [12, 9, 12]})
    result = a_result(work)
    assert results.ratio_to_peers(result, work) == results.Spread(0.9, 0.9, 1)
    assert results.ratio_to_best(result, work) == results.Spread(0.45, 0.9, 0.9)
    assert "of the best peer of each round" in table.of(result) and "of Haproxy, the best by median" in table.of(result)


def test_a_target_may_name_both_sides():
    work = a_work({"roadstead": [10, 10], "nginx": [10.5, 12]})
    work["target"] = {"figure": "cpu", "ratio": 1.1, "of": "nginx", "over": "roadstead"}
    verdict = results.verdict(a_result(work), work)
    assert verdict.ratio.median == 1.125 and not verdict.is_met


def test_system_calls_are_summed_and_listed_by_name():
    work = a_work({}, group="calls")
    work["rounds"] = {"roadstead": [{"calls": {"recvfrom": 2, "sendto": 2, "epoll_wait": 1}}]}
    assert results.figure(work["rounds"]["roadstead"][0], "calls") == 5
    assert list(results.calls(work, "roadstead"))[-1] == "epoll_wait"


def test_what_is_saved_is_loaded(tmp_path):
    result = a_result(a_work({"roadstead": [8], "haproxy": [10]}))
    results.save(result, tmp_path / "new" / "one.json")
    assert results.load(tmp_path / "new" / "one.json") == result
    assert [each.name for each in (tmp_path / "new").iterdir()] == ["one.json"]


def damaged():
    """Results that are damaged in one place each."""
    def changed(**more):
        return a_result(a_work({"roadstead": [8], "haproxy": [10]})) | more

    good = a_work({"roadstead": [8]})
    yield changed(contestants=[{"kind": "peer"}])
    yield changed(contestants=["haproxy"])
    yield changed(machine={})
    yield changed(machine=None)
    yield changed(works={})
    yield changed(works=[3])
    yield changed(rounds=None)
    yield changed(date=3)
    yield changed(left_out=[{}])
    for more in ({"rounds": None}, {"rounds": {"roadstead": None}}, {"rounds": {"roadstead": [3]}},
                 {"rounds": {"roadstead": [{"cpu": "3"}]}}, {"rounds": {"roadstead": [{"latency": 3}]}},
                 {"rounds": {"roadstead": [{"calls": {"send": "2"}}]}}, {"problems": []},
                 {"problems": {"roadstead": 3}}, {"target": {"figure": "cpu"}}, {"target": 3}, {"title": None},
                 {"group": []}, {"note": 3}, {"target": {"figure": "cpu", "ratio": 1, "over": []}}):
        yield changed(works=[good | more])


@pytest.mark.parametrize("result", damaged())
def test_a_damaged_result_is_one_line(tmp_path, result):
    (tmp_path / "bad.json").write_text(json.dumps(result))
    for program in ("results.py", "page.py"):
        done = subprocess.run([sys.executable, "-B", PROGRAMS / program, tmp_path / "bad.json"], capture_output=True,
                              text=True)
        assert done.returncode == 1 and len(done.stderr.splitlines()) == 1 and "bad.json: " in done.stderr, done.stderr


@pytest.mark.parametrize("text", ["", "[" * 100000,
                                  '{"version": 1, "a":' + "[" * 900 + "]" * 900 + "}", "[]", "{}",
                                  json.dumps({"version": 2})])
def test_a_file_that_is_no_result_says_so(tmp_path, text):
    (tmp_path / "bad.json").write_text(text)
    with pytest.raises(results.FormError, match="bad.json"):
        results.load(tmp_path / "bad.json")
