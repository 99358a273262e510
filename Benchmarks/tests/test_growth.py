"""What is said to grow worse than it must, on made-up figures."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import manifests
from growth import Figure, Series


def verdict(expected, values, floor=0.0):
    figure = Figure("f", "A figure", "ms", expected, floor=floor)
    return Series("s", "Title", [figure], {size: {"f": value} for size, value in values.items()}).verdict(figure)


def test_what_stays_is_as_expected_of_a_constant():
    assert verdict("constant", {10: 1.0, 100: 1.1, 1000: 1.4}) == ""


def test_what_grows_is_told_of_a_constant():
    assert verdict("constant", {10: 1.0, 100: 1.4, 1000: 3.1}) == "3.1 × as expected"


def test_linear_growth_is_as_expected_of_what_may_be_linear():
    assert verdict("linear", {10: 1.0, 1000: 100.0}) == ""


def test_quadratic_growth_is_told():
    assert verdict("linear", {10: 1.0, 1000: 10000.0}) == "100.0 × as expected"


def test_differences_below_the_floor_are_noise():
    assert verdict("constant", {10: 0.01, 1000: 0.9}, floor=1) == ""


def test_a_problem_stands_in_the_table_instead_of_a_figure():
    series = Series("s", "Title", [Figure("f", "A figure", "ms")], {10: {"f": 1.0}}, {100: "lost 3 of 5"})
    lines = list(series.table())
    assert lines[2].split()[:5] == ["A", "figure,", "ms", "1.0", "–"]
    assert lines[-1] == "  100: lost 3 of 5"
    assert series.object()["problems"] == {"100": "lost 3 of 5"}


def test_each_endpoint_has_an_address_of_its_own(tmp_path):
    assert len({manifests.endpoint(number, which, 10) for number in range(1000) for which in range(10)}) == 10000
    assert len({manifests.front(number) for number in range(1000)}) == 1000


def test_an_edit_writes_one_file(tmp_path):
    directory = manifests.Directory(tmp_path, 3, 2, 18070)
    before = {path.name: path.read_text() for path in tmp_path.iterdir()}
    directory.move(1, 18071)
    after = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert [name for name in after if after[name] != before.get(name)] == ["s-1-slice.yaml"]
    assert "port: 18071" in after["s-1-slice.yaml"]
