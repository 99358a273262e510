"""What is held against `thresholds.json`: each work's figures as they were accepted, and how far they may move.

    {"TCP round trip": {"instructions": {"counted": 1882, "allowance": "2 %"},
                        "system calls": {"counted": 6, "allowance": 0.05, "by": {"epoll_wait": 2, …}}}}

An allowance is a share of what was counted, or a number of the same unit. It holds both ways: what grew by more fails,
what fell by more asks to be accepted, so that it cannot grow back unnoticed. `by` says what a growth is made of.
"""

import dataclasses
import json

# Of figures that are new in the file; afterwards as people have edited it.
ALLOWANCES = {"instructions": "2 %", "resident bytes": "5 %"}
ALLOWANCE = 0.05
# What is told of what a figure is made of.
SHOWN = 6


@dataclasses.dataclass
class Finding:
    """A figure that is not as it was accepted."""

    text: str
    is_failure: bool
    details: list[str] = dataclasses.field(default_factory=list)


def limits(threshold):
    """From and to which value a figure is as accepted."""
    counted, allowance = threshold["counted"], threshold["allowance"]
    if isinstance(allowance, str):
        margin = counted * float(allowance.removesuffix("%")) / 100
    else:
        margin = allowance
    # What is written in the file is rounded.
    return counted - margin - 0.005, counted + margin + 0.005


def compare(counts, thresholds):
    """The findings, from {work: {figure: Count}} and what the file has."""
    found = []
    for work, figures in counts.items():
        for figure, count in figures.items():
            threshold = thresholds.get(work, {}).get(figure)
            if threshold is None:
                found.append(Finding(f"{work}: {figure} {shown(count.value)}, and no threshold yet", True))
                continue
            low, high = limits(threshold)
            if low <= count.value <= high:
                continue
            is_more = count.value > high
            text = (
                f"{work}: {figure} {shown(count.value)}, {'more' if is_more else 'less'} than "
                f"{shown(threshold['counted'])} ± {threshold['allowance']}")
            found.append(Finding(text, is_more, causes(count, threshold) if is_more else []))
    for work, figures in thresholds.items():
        for figure in figures:
            if figure not in counts.get(work, {}):
                found.append(Finding(f"{work}: {figure} has a threshold, and was not counted", True))
    return found


def causes(count, threshold):
    """Where a figure that grew comes from: what is different, where the file tells, else the most of it."""
    known = threshold.get("by")
    if known is None:
        return [f"{shown(value)} {name}" for name, value in list(count.by.items())[:SHOWN]]
    found = []
    for name in sorted(set(known) | set(count.by)):
        old, new = known.get(name, 0), count.by.get(name, 0)
        if abs(new - old) >= 0.01:
            found.append(f"{name} {shown(old)} → {shown(new)}")
    return found


def accepted(counts, thresholds):
    """The file's content with what was counted, and the allowances that it has."""
    result = {}
    for work, figures in counts.items():
        result[work] = {}
        for figure, count in figures.items():
            known = thresholds.get(work, {}).get(figure, {})
            entry = {"counted": rounded(count.value)}
            entry["allowance"] = known.get("allowance", ALLOWANCES.get(figure, ALLOWANCE))
            if figure == "system calls":
                entry["by"] = {name: rounded(value) for name, value in count.by.items()}
            result[work][figure] = entry
    return result


def rounded(value):
    return round(value) if value >= 100 or abs(value - round(value)) < 0.005 else round(value, 2)


def shown(value):
    return f"{value:,.0f}" if value >= 100 else f"{value:.2f}"


def load(path):
    try:
        with open(path) as file:
            return json.load(file)
    except FileNotFoundError:
        return {}


def save(path, thresholds):
    """A line for each figure."""
    works = []
    for work, figures in thresholds.items():
        lines = ",\n".join(f"    {json.dumps(figure)}: {json.dumps(entry)}" for figure, entry in figures.items())
        works.append(f"  {json.dumps(work)}: {{\n{lines}\n  }}")
    with open(path, "w") as file:
        file.write("{\n" + ",\n".join(works) + "\n}\n")
