"""The plots of docs/performance.md, each in two widths: for a page on a desk, and for one on a phone."""

import math

import figures
import results
from svg import Drawing, wrapped, width_of

WIDE, NARROW = 700, 320
MARGIN = 14
LINE = 17
# The ratio where the overview ends: what lies beyond has an arrow and its number.
FARTHEST = 2.0
SHOWN = ("p50", "p90", "p99", "p99.9")


def kind_class(contestant: dict) -> str:
    return "own" if contestant["kind"] == "self" else "peer"


def name_column(contestants: list[dict]) -> float:
    """As wide as their names, within reason."""
    return min(max(width_of(each["name"], strong=each["kind"] == "self") for each in contestants) + 14, 150)


def heading(drawing: Drawing, text: str, notes: str, y: float) -> float:
    """The plot's own title and what is to be known to read it; the y below."""
    width = drawing.width - 2 * MARGIN
    for line in wrapped(text, width, strong=True):
        y += LINE + 1
        drawing.text(MARGIN, y, line, "ink strong")
    for line in wrapped(notes, width, 12):
        y += LINE - 1
        drawing.text(MARGIN, y, line, "quiet small")
    return y


def problem(drawing: Drawing, x: float, y: float, text: str) -> float:
    """A problem in the figures' place, in as many lines as it needs; the last line's y."""
    lines = wrapped(text, drawing.width - MARGIN - x, 12)
    for number, line in enumerate(lines):
        drawing.text(x, y + number * (LINE - 1), line, "alarm small slanted")
    return y + (len(lines) - 1) * (LINE - 1)


# The overview


def overview(result: dict, width: float) -> str | None:
    """Roadstead's ratio to the best peer in every work that has one or is to have one; None where there is none."""
    works = [(group, [work for work in figures.in_group(result, group) if figures.has_ratio(result, work)])
             for group in results.GROUPS]
    works = [(group, members) for group, members in works if members]
    if not works:
        return None
    drawing = Drawing(width, "Roadstead relative to the best peer of each round", _overview_in_words(result, works))
    axis = _RatioAxis(result, [work for _, members in works for work in members], drawing)
    y = heading(drawing, "Roadstead relative to the best peer of each round",
                "The best peer of each round, which may be another one in each, is 1; left of it is less, and better. "
                "Median, with the least and the most of all rounds; an arrow where they go on beyond the scale.", 6)
    y = _scale(drawing, axis, _key(drawing, y + LINE + 4) + LINE) + 6
    for group, members in works:
        title = figures.title_of(results.GROUPS[group], members)
        y += 3
        for line in wrapped(title, width - 2 * MARGIN, strong=True):
            y += LINE
            drawing.text(MARGIN, y, line, "ink strong")
        drawing.line(MARGIN, y + 6, drawing.width - MARGIN, y + 6, "rule thin")
        y += 8
        for work in members:
            y = _ratio_row(drawing, axis, result, work, "" if ": " in title else _what(work), y)
    return drawing.svg(y + 10)


def _ratio_of(result: dict, work: dict) -> results.Spread | None:
    found = results.verdict(result, work)
    return found.ratio if found else results.ratio_to_peers(result, work)


def _what(work: dict) -> str:
    return figures.what(work, results.main_figure(work))


def _between(result: dict, work: dict) -> str:
    """The two sides of a ratio where they are not Roadstead and the best peer."""
    target = work.get("target") or {}
    if "over" not in target:
        return ""
    sides = [results.named(result, each) for each in (target.get("of", results.SELF), target["over"])]
    return f"{sides[0]} over {sides[1]}"


def _overview_in_words(result: dict, works: list) -> str:
    words = []
    for _, members in works:
        for work in members:
            found = _ratio_of(result, work)
            words.append(f"{work['title']}: {figures.ratio(found.median) if found else 'no ratio'}")
    return "; ".join(words) + "."


class _RatioAxis:
    """Where a ratio lies, and where what is written about it."""

    def __init__(self, result: dict, works: list[dict], drawing: Drawing) -> None:
        seen = [1.2]
        for work in works:
            found = _ratio_of(result, work)
            target, limit = work.get("target"), _limit_of(result, work)
            seen += [found.maximum] if found else []
            seen += [target["ratio"]] if target else []
            seen += [limit[1].median] if limit else []
        self.most = min(max(seen) * 1.04, FARTHEST)
        self.is_wide = drawing.width > 500
        words = [_ratio_words(result, work, _ratio_of(result, work), None)[0] for work in works]
        column = max(106, *(sum(width_of(text, strong="strong" in kind) for text, kind in each) for each in words))
        self.texts = (584 - 12 - column, 584)
        self.left = 238 if self.is_wide else MARGIN + 4
        self.right = self.texts[0] - 16 if self.is_wide else drawing.width - MARGIN - 4

    def x(self, ratio: float) -> float:
        return self.left + (self.right - self.left) * min(max(ratio, 0), self.most) / self.most

    @property
    def ticks(self) -> list[float]:
        step = 0.25 if self.most < 1.5 else 0.5
        return [number * step for number in range(int(self.most / step) + 1)]


def _key(drawing: Drawing, y: float) -> float:
    """What the marks are; the base line of the last line."""
    x = MARGIN
    items = (("median, least and most", 30), ("target, at most", 14), ("limit: where it would be", 16))
    for number, (text, wide) in enumerate(items):
        if x + wide + 4 + width_of(text, 12) > drawing.width - MARGIN:
            x, y = MARGIN, y + LINE
        middle = y - 4
        if number == 0:
            drawing.whisker(x, x + 24, middle, "whisker thin")
            drawing.circle(x + 12, middle, 4.5, "own")
        elif number == 1:
            drawing.line(x + 5, middle - 8, x + 5, middle + 8, "target thick")
        else:
            drawing.diamond(x + 6, middle, 4.5, "paper edge line")
        drawing.text(x + wide, y, text, "quiet small")
        x += wide + 22 + width_of(text, 12)
    return y


def _scale(drawing: Drawing, axis: _RatioAxis, y: float) -> float:
    """The axis and the heads of the columns beside it; the base line."""
    y += 4
    for tick in axis.ticks:
        drawing.text(axis.x(tick), y, f"{tick:g}", "ink small strong" if tick == 1 else "quiet small", "middle")
    if axis.is_wide:
        drawing.text(axis.texts[0], y, "of the best peer", "quiet small")
        drawing.text(axis.texts[1], y, "target", "quiet small")
    return y


def _ratio_row(drawing: Drawing, axis: _RatioAxis, result: dict, work: dict, what: str, y: float) -> float:
    found, target = _ratio_of(result, work), work.get("target")
    limit = _limit_of(result, work)
    label = axis.left - 2 * MARGIN if axis.is_wide else drawing.width - 2 * MARGIN
    line = y + 2
    for text in wrapped(work["title"], label):
        line += LINE
        drawing.text(MARGIN, line, text)
    for text in (what, _between(result, work)):
        for part in wrapped(text, label, 12) if text else []:
            line += LINE - 2
            drawing.text(MARGIN, line, part, "quiet small")
    ratio, wanted, least = _ratio_words(result, work, found, limit)
    judged = [(wanted, "alarm small" if _is_missed(result, work) else "quiet small")]
    if axis.is_wide:
        # Room for two lines in the columns and for the marks, where the title is short.
        line = max(line, y + 2 * LINE)
        middle = (y + line + 8) / 2
        base = middle - 3 if least else middle + 5
        drawing.texts(axis.texts[0], base, ratio)
        drawing.texts(axis.texts[1], base, judged)
        drawing.text(axis.texts[0], base + LINE - 1, least, "quiet small")
        bottom = line + 9
    else:
        base = line + LINE
        drawing.texts(MARGIN, base, ratio + judged)
        if least:
            base += LINE - 2
            drawing.text(MARGIN, base, least, "quiet small")
        middle = base + 18
        bottom = middle + 19
    _ratio_marks(drawing, axis, found, target, limit, middle)
    drawing.line(MARGIN, bottom, drawing.width - MARGIN, bottom, "rule thin")
    return bottom + 1


def _is_missed(result: dict, work: dict) -> bool:
    found = results.verdict(result, work)
    return found is not None and not found.is_met


def _limit_of(result: dict, work: dict) -> tuple[dict, results.Spread] | None:
    """The limit and where it would be: its ratio to the best peer; None without either."""
    limit = None if "over" in (work.get("target") or {}) else figures.limit_of(result, work)
    found = results.ratio_to_peers(result, work, results.main_figure(work), limit["id"]) if limit else None
    return (limit, found) if found else None


def _ratio_words(result: dict, work: dict, found: results.Spread | None, limit: tuple | None) -> tuple:
    """The ratio and its extent, the target and what came of it, the ratio to the limit."""
    verdict = results.verdict(result, work)
    if found:
        median = figures.ratio_of(verdict) if verdict else figures.ratio(found.median)
        ratio = [(median, "ink strong"), (figures.ratio_extent(found), "quiet small")]
    else:
        ratio = [("no figures" if results.SELF in work["problems"] else "no ratio", "alarm small slanted")]
    wanted = f"≤ {figures.ratio(verdict.wanted)} {figures.came_of(verdict)}".strip() if verdict else ""
    over = results.ratio_to(work, limit[0]["id"]) if limit else None
    return ratio, wanted, f"{figures.ratio(over.median)} of {limit[0]['name']}" if over else ""


def _ratio_marks(drawing: Drawing, axis: _RatioAxis, found, target, limit, y: float) -> None:
    for tick in axis.ticks:
        if tick != 1:
            drawing.line(axis.x(tick), y - 14, axis.x(tick), y + 14, "rule thin")
    drawing.line(axis.x(1), y - 16, axis.x(1), y + 16, "best line")
    if target:
        drawing.line(axis.x(target["ratio"]), y - 9, axis.x(target["ratio"]), y + 9, "target thick")
    if limit:
        # Below the line: it is often where the median is.
        drawing.diamond(axis.x(limit[1].median), y + 12, 4, "paper edge line")
    if found:
        if axis.x(found.maximum) - axis.x(found.minimum) > 2:
            drawing.whisker(axis.x(found.minimum), axis.x(found.maximum), y, "whisker thin", 5,
                            goes_on=found.maximum > axis.most)
        if found.median > axis.most:
            x = axis.right
            drawing.shape([(x - 7, y - 6), (x + 5, y), (x - 7, y + 6)], "own")
        else:
            drawing.circle(axis.x(found.median), y, 4.5, "own")


# Bars


def bars(result: dict, title: str, works: list[dict], width: float, name: str | None = None) -> str | None:
    """A block of bars for each work, each with a scale of its own; None where there is nothing to show."""
    shown = [(work, name or results.main_figure(work)) for work in works]
    shown = [(work, figure, taking) for work, figure in shown if (taking := figures.taking_part(result, work, figure))]
    if not shown:
        return None
    words = "; ".join(f"{work['title']}: " + ", ".join(_in_words(work, each, figure) for each in taking)
                      for work, figure, taking in shown)
    drawing = Drawing(width, title, words + ".")
    notes = "Median of the rounds, with the least and the most. Each work has its own scale, from 0."
    y = heading(drawing, title, notes + (" Hollow: limits, which are no competitors." if _has_limits(shown) else ""), 6)
    for work, figure, taking in shown:
        y = _block(drawing, work, figure, taking, y + 10)
    return drawing.svg(y + 12)


def _has_limits(shown: list) -> bool:
    return any(each["kind"] == "limit" for _, _, taking in shown for each in taking)


def _in_words(work: dict, contestant: dict, name: str) -> str:
    found = results.spread(work, contestant["id"], name)
    return f"{contestant['name']} {figures.value(name, found.median) if found else work['problems'][contestant['id']]}"


def _block_title(drawing: Drawing, work: dict, below: str, y: float) -> float:
    text = work["title"] + (f"; {work['note']}" if work.get("note") else "")
    for line in wrapped(text, drawing.width - 2 * MARGIN, strong=True):
        y += LINE
        drawing.text(MARGIN, y, line, "ink strong")
    for line in wrapped(below, drawing.width - 2 * MARGIN, 12) if below else []:
        y += LINE - 2
        drawing.text(MARGIN, y, line, "quiet small")
    return y + 6


def _block(drawing: Drawing, work: dict, name: str, taking: list[dict], y: float) -> float:
    is_wide = drawing.width > 500
    spreads = {each["id"]: results.spread(work, each["id"], name) for each in taking}
    most = max((each.maximum for each in spreads.values() if each), default=0) or 1
    labels = {id: (figures.value(name, each.median), figures.extent(name, each))
              for id, each in spreads.items() if each}
    beside = max((width_of(median, strong=True) + 6 + width_of(extent, 12) for median, extent in labels.values()),
                 default=0) + 10
    left = MARGIN + name_column(taking) if is_wide else MARGIN
    room = max(drawing.width - MARGIN - left - (beside if is_wide else 0), 40)
    y = _block_title(drawing, work, figures.what(work, name), y)
    for each in taking:
        own = " strong" if each["kind"] == "self" else ""
        y += LINE + 4
        names = wrapped(each["name"], left - MARGIN - 8 if is_wide else drawing.width / 2 - MARGIN, 13, bool(own))
        for number, text in enumerate(names):
            drawing.text(MARGIN, y + number * (LINE - 2), text, "ink" + own)
        after = y + (len(names) - 1) * (LINE - 2)
        found = spreads[each["id"]]
        if not found:
            x = left if is_wide else MARGIN
            y = max(after, problem(drawing, x, y if is_wide else after + LINE, work["problems"][each["id"]]))
            continue
        if not is_wide:
            y = after + 12
        middle = y - 4.5 if is_wide else y
        drawing.box(left, middle - 6, room * found.median / most, 12, "paper edge thin" if each["kind"] == "limit"
                    else kind_class(each))
        if room * (found.maximum - found.minimum) / most > 3:
            drawing.whisker(left + room * found.minimum / most, left + room * found.maximum / most, middle,
                            "whisker thin", 3)
        median, extent = labels[each["id"]]
        parts = [(median, "ink" + own), (extent, "quiet small")]
        if is_wide:
            drawing.texts(left + room * found.maximum / most + 8, y, parts)
            y = max(y, after)
        else:
            drawing.texts(drawing.width - MARGIN, after, parts, "end")
    return y + 4


# Percentiles


def percentiles(result: dict, title: str, works: list[dict], width: float) -> str | None:
    """Percentiles of the latency, one line a contestant, on one logarithmic axis; None where there are none."""
    shown = [(work, taking) for work in works if (taking := figures.taking_part(result, work, "p50"))]
    spreads = {(work["id"], each["id"], p): found for work, taking in shown for each in taking for p in SHOWN
               if (found := results.spread(work, each["id"], p)) and found.median > 0}
    medians = {key: found.median for key, found in spreads.items()}
    if not shown:
        return None
    words = "; ".join(
        f"{work['title']}: " + ", ".join(
            each["name"] + " " + (" ".join(f"{p} {figures.value(p, medians[work['id'], each['id'], p])}"
                                           for p in SHOWN if (work["id"], each["id"], p) in medians)
                                  or work["problems"].get(each["id"], "no figures"))
            for each in taking)
        for work, taking in shown)
    title = f"{title}: {', '.join(SHOWN[:-1])} and {SHOWN[-1]}"
    drawing = Drawing(width, title, words + ".")
    y = heading(drawing, title, "Median of the rounds for each percentile, with the least and the most above or below "
                "it. The axis is logarithmic: equal distances are equal factors.", 6)
    axis = _TimeAxis([*medians.values(), *(end for each in spreads.values() for end in (each.minimum, each.maximum)
                                           if end > 0)], [each for _, taking in shown for each in taking], drawing)
    for work, taking in shown:
        y = _percentile_block(drawing, axis, result, work, taking, spreads, y + 10)
    return drawing.svg(y + 12)


class _TimeAxis:
    def __init__(self, times, contestants: list[dict], drawing: Drawing) -> None:
        times = list(times) or [1e-3]
        self.low, self.high = math.log10(min(times)) - 0.1, math.log10(max(times)) + 0.1
        if self.high - self.low < 1:
            self.low, self.high = math.floor(self.low), math.ceil(self.high)
        self.is_wide = drawing.width > 500
        self.left = MARGIN + name_column(contestants) + 6 if self.is_wide else MARGIN + 6
        self.column = 66 if self.is_wide else (drawing.width - 2 * MARGIN) / 4
        self.right = drawing.width - MARGIN - (4 * self.column + 14 if self.is_wide else 6)

    def x(self, time: float) -> float:
        return self.left + (self.right - self.left) * (
            max(math.log10(time) if time > 0 else self.low, self.low) - self.low) / (self.high - self.low)

    def column_end(self, number: int, drawing: Drawing) -> float:
        return drawing.width - MARGIN - (3 - number) * self.column

    @property
    def ticks(self) -> list[float]:
        """Powers of ten, then their double and fivefold: those for whose labels there is room."""
        powers = range(math.floor(self.low), math.ceil(self.high) + 1)
        powers = sorted(powers, key=lambda power: (power % 3 != 0, power))
        found: list[float] = []
        for tick in (factor * 10.0**power for factor in (1, 2, 5) for power in powers):
            if self.low <= math.log10(tick) <= self.high and all(self._are_apart(tick, other) for other in found):
                found.append(tick)
        return sorted(found)

    def _are_apart(self, one: float, other: float) -> bool:
        room = sum(width_of(figures.tick(each), 12) for each in (one, other)) / 2 + 10
        return abs(self.x(one) - self.x(other)) >= room


def _mark(drawing: Drawing, percentile: str, x: float, y: float, classes: str) -> None:
    if percentile == "p50":
        drawing.circle(x, y, 5, classes)
    elif percentile == "p90":
        drawing.diamond(x, y, 5.5, classes)
    elif percentile == "p99":
        drawing.square(x, y, 4.5, classes)
    else:
        drawing.triangle(x, y, 5.5, classes)


def _percentile_block(drawing: Drawing, axis: _TimeAxis, result: dict, work: dict, taking: list[dict], spreads: dict,
                      y: float) -> float:
    y = _block_title(drawing, work, "", y) + LINE
    for number, percentile in enumerate(SHOWN):
        end = axis.column_end(number, drawing)
        drawing.text(end, y, percentile, "quiet small", "end")
        _mark(drawing, percentile, end - width_of(percentile, 12) - 11, y - 4, "quiet")
    if not axis.is_wide:
        y += LINE + 2
    for tick in axis.ticks:
        drawing.text(axis.x(tick), y, figures.tick(tick), "quiet small", "middle")
    drawing.line(MARGIN, y + 6, drawing.width - MARGIN, y + 6, "rule thin")
    y += 8
    for each in taking:
        own = each["kind"] == "self"
        y += LINE + 5
        names = wrapped(each["name"], axis.left - MARGIN - 10 if axis.is_wide else drawing.width - 2 * MARGIN, 13, own)
        for number, text in enumerate(names):
            drawing.text(MARGIN, y + number * (LINE - 2), text, "ink strong" if own else "ink")
        after = y + (len(names) - 1) * (LINE - 2)
        extents = {p: spreads[work["id"], each["id"], p] for p in SHOWN if (work["id"], each["id"], p) in spreads}
        found = {p: extent.median for p, extent in extents.items()}
        if not found:
            x, base = (axis.left, y) if axis.is_wide else (MARGIN, after + LINE)
            y = max(after, problem(drawing, x, base, work["problems"].get(each["id"], "no figures")))
            continue
        middle = y - 4.5 if axis.is_wide else after + 14
        base = y if axis.is_wide else middle + LINE + 4
        for tick in axis.ticks:
            drawing.line(axis.x(tick), middle - 11, axis.x(tick), middle + 11, "rule thin")
        ends = [axis.x(time) for time in found.values()]
        drawing.line(min(ends), middle, max(ends), middle, ("own-line" if own else "peer-line") + " thick")
        for percentile, extent in extents.items():
            # By turns above and below, so that neighbours stay apart.
            aside = middle + (8 if SHOWN.index(percentile) % 2 else -8)
            ends = axis.x(extent.minimum), axis.x(extent.maximum)
            if ends[1] - ends[0] > 2:
                drawing.whisker(*ends, aside, "whisker thin", 2)
        for percentile, time in reversed(found.items()):
            _mark(drawing, percentile, axis.x(time), middle, kind_class(each))
            drawing.text(axis.column_end(SHOWN.index(percentile), drawing), base, figures.value(percentile, time),
                         "ink small strong" if own else "ink small", "end")
        y = max(base, after)
        if not axis.is_wide:
            y += 2
    return y + 4
