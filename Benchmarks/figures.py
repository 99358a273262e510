"""A result's figures as the page and its plots say them: three digits, with the unit that suits them."""

import math

import results

TIMES = ((1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
BYTES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1, "B"))
PLAIN = ((1, ""),)
# The limit in which the client speaks to the endpoint.
NO_PROXY = "direct"


def digits(number: float) -> str:
    """Three digits that count, thousands with commas."""
    if not math.isfinite(number):
        raise ValueError(f"{number} is no figure")
    if number == 0:
        return "0"
    if abs(number) < 0.001:
        return "<0.001"
    before = math.floor(math.log10(abs(number))) + 1
    rounded = round(number, 3 - before)
    # 9.996 is 10.0, not 10.00.
    before = math.floor(math.log10(abs(rounded))) + 1
    return f"{rounded:,.{min(max(3 - before, 0), 3)}f}"


def steps_of(name: str) -> tuple[tuple[float, str], ...]:
    """The units of a figure, the largest first."""
    if name in ("cpu", "machine", *results.PERCENTILES):
        return TIMES
    return BYTES if name == "memory" else PLAIN


def step_for(name: str, number: float) -> tuple[float, str]:
    steps = steps_of(name)
    return next((step for step in steps if abs(number) >= step[0] * 0.9995), steps[-1])


def value(name: str, number: float) -> str:
    """A figure with its unit."""
    step, unit = step_for(name, number)
    return f"{digits(number / step)} {unit}".strip()


def extent(name: str, spread: results.Spread) -> str:
    """Minimum–maximum in the median's unit, which stands before; with units where they are far apart.

    Nothing where they read the same.
    """
    step, _ = step_for(name, spread.median)
    if spread.minimum * 100 < spread.maximum:
        return f"{value(name, spread.minimum)}–{value(name, spread.maximum)}"
    least, most = digits(spread.minimum / step), digits(spread.maximum / step)
    return f"{least}–{most}" if least != most else ""


def ratio(number: float) -> str:
    """A ratio with two decimals, or with what is needed to tell it from zero."""
    if number == 0 or 0.095 <= number < 100:
        return f"{number:.2f}"
    return digits(number) if number < 10000 else ">9,999"


def ratio_of(verdict: results.Verdict) -> str:
    """The ratio held against its target, with as many decimals as show on which side of it it is."""
    found, wanted = verdict.ratio.median, verdict.wanted
    decimals = (n for n in range(2, 9) if verdict.is_met or round(found, n) > wanted)
    return ratio(found) if ratio(found) != ratio(wanted) else f"{found:.{next(decimals, 9)}f}"


def has_ratio(result: dict, work: dict) -> bool:
    """Whether a work is one of those whose ratios are shown together: all that have one, or are to have one."""
    return bool(work.get("target") or work["group"] != "calls" and results.ratio_to_peers(result, work))


def came_of(verdict: results.Verdict) -> str:
    """What became of a target; nothing where there is no ratio to hold against it."""
    return "met" if verdict.is_met else "missed" if verdict.ratio else ""


def ratio_extent(spread: results.Spread) -> str:
    """Minimum–maximum; nothing where they read the same."""
    least, most = ratio(spread.minimum), ratio(spread.maximum)
    return f"{least}–{most}" if least != most else ""


def what(work: dict, name: str) -> str:
    """What a work's figure is, in words."""
    unit = work["unit"]
    return {
        "cpu": f"CPU per {unit}",
        "machine": f"CPU of the whole machine per {unit}",
        "memory": f"memory per {unit}",
        "calls": f"system calls per {unit}",
        "rate": f"{plural(unit)} a second; more is better",
        "busy": "share of a core in use",
    }.get(name, f"{name} latency")


def title_of(group: str, works: list[dict]) -> str:
    """The group, and what its figures are where they are of one kind."""
    names = {results.main_figure(work) for work in works}
    subjects = {"cpu": ": CPU per unit of work", "machine": ": CPU of the whole machine per unit of work"}
    return group + (subjects.get(names.pop(), "") if len(names) == 1 else "")


def plural(unit: str) -> str:
    """More than one of a unit; units of measure have no plural."""
    return unit if unit.isupper() else "queries" if unit == "query" else f"{unit}s"


def limit_of(result: dict, work: dict) -> dict | None:
    """The limit that costs least; None where none has figures.

    Where there is a limit that relays, that without a proxy is none: it does not do the work.
    """
    name = results.main_figure(work)
    found = [(spread.median, limit) for limit in results.contestants(result, "limit")
             if (spread := results.spread(work, limit["id"], name))]
    found = [each for each in found if each[1]["id"] != NO_PROXY] or found
    return min(found, key=lambda each: each[0] * (-1 if name == "rate" else 1))[1] if found else None


def in_group(result: dict, group: str) -> list[dict]:
    return [work for work in result["works"] if work["group"] == group]


def taking_part(result: dict, work: dict, name: str) -> list[dict]:
    """The contestants that have this figure of a work or a problem with the work: Roadstead, peers, limits."""
    return [each for kind in results.KINDS for each in results.contestants(result, kind)
            if each["id"] in work["problems"] or results.values(work, each["id"], name)]


def tick(time: float) -> str:
    """A power of ten seconds at an axis."""
    step, unit = step_for("p50", time)
    return f"{time / step:,.10g} {unit}"
