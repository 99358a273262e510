"""The page and its plots, from a made-up result and from extreme ones."""

import copy
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import figures
import page
import pytest
import results
import sample
import svg

DOCS = Path(__file__).resolve().parents[2] / "docs"
SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture
def docs(tmp_path):
    """A copy of what is written by hand."""
    (tmp_path / "performance.md").write_text((DOCS / "performance.md").read_text())
    return tmp_path


def write(result, docs):
    """The page's text, and the plots' by name."""
    page.write(page.finite(result), docs)
    return (docs / "performance.md").read_text(), {
        path.name: path.read_text() for path in sorted((docs / "performance").iterdir())}


def visible(drawing):
    """All text that a plot shows, without its title and description."""
    return " ".join("".join(each.itertext()) for each in ElementTree.fromstring(drawing).iter(f"{SVG}text"))


def only(result, *ids):
    result["works"] = [work for work in result["works"] if work["id"] in ids]
    return result


def assert_sound(text, drawn):
    """What holds for each page whatever the result."""
    for name, drawing in drawn.items():
        tree = ElementTree.fromstring(drawing)
        assert tree.find(f"{SVG}title").text and tree.find(f"{SVG}desc").text, name
        assert "prefers-color-scheme:dark" in drawing and "<script" not in drawing and "href" not in drawing
        width, height = float(tree.get("width")), float(tree.get("height"))
        assert width in (320, 700) and height > 0
        for element in tree.iter():
            for key, value in element.attrib.items():
                if key in ("x", "x1", "x2", "cx"):
                    assert -0.1 <= float(value) <= width, (name, element.tag, key, value)
                if key in ("y", "y1", "y2", "cy"):
                    assert 0 <= float(value) <= height, (name, element.tag, key, value)
                if key in ("width", "height"):
                    assert float(value) >= 0
        for each in tree.iter(f"{SVG}text"):
            if not each.get("text-anchor"):
                wide = sum(svg.width_of(part, 12) for part in each.itertext())
                assert float(each.get("x")) + wide * 0.9 <= width, (name, "".join(each.itertext()))
    assert "<0." not in text
    for what in (text, *drawn.values()):
        assert not re.search(r"\b(nan|NaN|inf|None|null)\b", what)
    columns = [len(re.findall(r"(?<!\\)\|", line)) for line in text.splitlines() if line.startswith("|")]
    for number, line in enumerate(line for line in text.splitlines() if line.startswith("|")):
        if set(line) <= set("|-"):
            head = columns[number]
            assert columns[number - 1] == head
        assert number == 0 or line.startswith("|  |") or columns[number] in (columns[number - 1], columns[min(
            number + 1, len(columns) - 1)])
    shown = set(re.findall(r'"performance/(\S+\.svg)"', text))
    assert shown == set(drawn)


def test_the_page_has_each_work_and_each_contestant_with_figures(docs):
    result = sample.result()
    text, drawn = write(result, docs)
    assert_sound(text, drawn)
    for work in result["works"]:
        assert page.cell(work["title"]) in text
    for contestant in result["contestants"]:
        assert contestant["name"] in text
        assert any(contestant["name"] in visible(drawing) for drawing in drawn.values())
    assert "Left out: traefik: not installed" in text
    assert {name.replace("-narrow", "") for name in drawn} == {
        "overview.svg", "tcp.svg", "udp.svg", "bulk.svg", "latency.svg", "memory.svg", "forwarding.svg", "shards.svg"}


def test_figures_ratios_and_targets_are_those_of_the_statistics(docs):
    result = sample.result()
    text, drawn = write(result, docs)
    for work in result["works"]:
        if found := results.ratio_to_peers(result, work):
            assert figures.ratio(found.median) in text
    work = results.work(result, "connections")
    verdict = results.verdict(result, work)
    assert not verdict.is_met
    row = next(line for line in text.splitlines() if line.startswith(f"| {work['title']}"))
    assert f"**{figures.ratio_of(verdict)}**" in row and "≤&nbsp;0.90<br>**missed**" in row
    met = sum(results.verdict(result, each).is_met for each in result["works"] if each.get("target"))
    assert f"Targets: {met} met, {9 - met} missed." in text
    assert f"{figures.ratio_of(verdict)}" in visible(drawn["overview.svg"])
    assert figures.value("cpu", results.spread(work, "haproxy", "cpu").median) in visible(drawn["tcp.svg"])


def test_a_problem_stands_where_the_figures_would(docs):
    text, drawn = write(sample.result(), docs)
    rows = [line for line in text.splitlines() if "UDP one way" in line and "CPU per datagram" in line]
    assert any("| *lost 3.1 % of the datagrams in round 2* |" in row for row in rows)
    for name in ("udp.svg", "udp-narrow.svg"):
        assert "lost 3.1 % of the datagrams in round 2" in visible(drawn[name])


def test_a_rate_that_is_absent_is_load_bound(docs):
    result = sample.result()
    for each in results.work(result, "udp-64")["rounds"]["envoy"]:
        each |= {"rate": 5e4, "busy": 0.97}
    text, _ = write(result, docs)
    assert "load-bound<br>62 % busy" in text and "**50,000**" in text


def test_the_same_result_makes_the_same_bytes(docs, tmp_path):
    first = write(sample.result(), docs)
    assert write(copy.deepcopy(sample.result()), docs) == first
    # Sets have another order in each process.
    file = tmp_path / "result.json"
    results.save(sample.result(), file)
    for seed in ("1", "2", "3"):
        subprocess.run([sys.executable, "-B", page.__file__, file, "--docs", docs], check=True, capture_output=True,
                       env={**os.environ, "PYTHONHASHSEED": seed})
        assert (docs / "performance.md").read_text() == first[0]
        assert all((docs / "performance" / name).read_text() == drawing for name, drawing in first[1].items())


def test_what_is_written_by_hand_survives(docs):
    by_hand = (docs / "performance.md").read_text()
    before, _, rest = by_hand.partition(page.BEGIN)
    _, _, after = rest.partition(page.END)
    text, _ = write(sample.result(), docs)
    assert text.startswith(before) and text.endswith(after)
    assert "There is no result yet" not in text and len(after) > 1000


def test_a_plot_that_is_no_longer_made_is_removed(docs):
    write(sample.result(), docs)
    text, drawn = write(only(sample.result(), "idle"), docs)
    assert_sound(text, drawn)
    assert set(drawn) == {"overview.svg", "overview-narrow.svg", "memory.svg", "memory-narrow.svg"}


def test_a_page_without_the_comments_is_left_alone(docs):
    (docs / "performance.md").write_text("# By hand\n")
    with pytest.raises(results.FormError, match="must have the lines"):
        page.write(sample.result(), docs)
    assert [path.name for path in docs.iterdir()] == ["performance.md"]


def test_one_round_has_no_extent(docs):
    text, drawn = write(only(sample.result(rounds=1), "round-trips-64"), docs)
    assert_sound(text, drawn)
    assert "in 1 round." in text
    # No range of figures but in the prose.
    between = text.partition(page.BEGIN)[2].partition(page.END)[0]
    assert not re.search(r"\d–", between) and not re.search(r"\d–\d", visible(drawn["tcp.svg"]))


def test_a_quick_or_interrupted_run_says_so(docs):
    result = {**sample.result(), "is_quick": True, "is_partial": True, "commit": "748f320+"}
    text, _ = write(result, docs)
    assert "commit `748f320` and changes that were not committed" in text
    assert "This is a quick run" in text and "did not come to its end (interrupted)" in text


def test_without_peers_there_is_no_ratio(docs):
    result = sample.result()
    result["contestants"] = [each for each in result["contestants"] if each["kind"] != "peer"]
    for work in result["works"]:
        for rounds in (work["rounds"], work["problems"]):
            for peer in ("haproxy", "nginx", "envoy"):
                rounds.pop(peer, None)
    text, drawn = write(result, docs)
    assert_sound(text, drawn)
    assert "Targets: 1 met, 0 missed." in text and "no ratio" in visible(drawn["overview.svg"])


def test_a_work_that_has_problems_only(docs):
    result = only(sample.result(), "connections", "latency-half")
    for work in result["works"]:
        work["problems"] = {id: f"ended with -11: a <long> & \"odd\" | message of {id} " * 6 for id in work["rounds"]}
        work["rounds"] = {}
    text, drawn = write(result, docs)
    assert_sound(text, drawn)
    assert "no figures" in visible(drawn["overview.svg"])
    assert "message of roadstead" in visible(drawn["tcp-narrow.svg"])
    assert "a &lt;long&gt; &amp; &quot;odd&quot; \\| message of relay" in text


@pytest.mark.parametrize("low, high", [(1e-9, 1e3), (1e3, 1e-9), (1e-12, 1e-12), (0.0, 1e-5)])
def test_figures_that_are_far_apart(docs, low, high):
    result = sample.result()
    for work in result["works"]:
        for id, rounds in work["rounds"].items():
            for number, each in enumerate(rounds):
                value = low if id == "roadstead" and number < 4 else high
                for key in set(each) & {"cpu", "machine", "memory"}:
                    each[key] = value
                if "latency" in each:
                    each["latency"] = {name: value for name in each["latency"]}
    assert_sound(*write(result, docs))


def test_what_is_no_number_is_absent(docs):
    result = only(sample.result(), "round-trips-64")
    for each in results.work(result, "round-trips-64")["rounds"]["haproxy"]:
        each["cpu"] = float("nan")
        each["rate"] = float("inf")
    assert_sound(*write(result, docs))


def test_a_result_without_works(docs):
    assert_sound(*write(only(sample.result()), docs))


def test_the_newest_result_is_taken_and_a_quick_one_only_for_want_of_others(tmp_path):
    with pytest.raises(results.FormError, match="no result"):
        page.newest(tmp_path)
    for name, date, is_quick in (("b", "2026-11-20", False), ("a", "2026-11-22", False), ("c", "2026-11-23", True)):
        results.save({**sample.result(), "date": f"{date}T00:00:00Z", "is_quick": is_quick}, tmp_path / f"{name}.json")
    assert page.newest(tmp_path).name == "a.json"


def test_what_is_no_comparison_or_a_part_of_one_is_not_the_newest(tmp_path):
    (tmp_path / "scale-2026-11-23-box.json").write_text('{"series": []}')
    results.save({**sample.result(), "is_partial": True}, tmp_path / "2026-11-23-box-partial.json")
    with pytest.raises(results.FormError, match="no result: make bench"):
        page.newest(tmp_path)
    results.save(sample.result(), tmp_path / "2026-11-20-box.json")
    assert page.newest(tmp_path).name == "2026-11-20-box.json"


@pytest.mark.parametrize("name, number, text", [
    ("cpu", 1.24e-5, "12.4 µs"), ("cpu", 0.31, "310 ms"), ("cpu", 9.996e-4, "1.00 ms"), ("cpu", 1e-9, "1.00 ns"),
    ("cpu", 1e-13, "<0.001 ns"), ("cpu", 1000, "1,000 s"), ("memory", 686, "686 B"), ("memory", 3412, "3.41 kB"),
    ("rate", 71034.1, "71,000"), ("rate", 2.5, "2.50"), ("calls", 6.004, "6.00"), ("cpu", 0, "0 ns"),
])
def test_figures_read_as_people_write_them(name, number, text):
    assert figures.value(name, number) == text


def test_a_ratio_that_rounds_to_its_target_shows_on_which_side_it_is():
    spread = results.Spread(0.7, 0.7521, 0.8)
    assert figures.ratio_of(results.Verdict("cpu", 0.75, spread)) == "0.752"
    assert figures.ratio_of(results.Verdict("cpu", 0.75, results.Spread(0.7, 0.7499, 0.8))) == "0.75"


def test_text_is_wrapped_within_the_width_and_long_words_are_cut():
    lines = svg.wrapped("short " + "x" * 300 + " end", 200)
    assert all(svg.width_of(line) <= 200 for line in lines)
    assert "".join(lines).replace(" ", "") == "short" + "x" * 300 + "end"
