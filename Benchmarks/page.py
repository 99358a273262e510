"""docs/performance.md and its plots, made from a result. `make bench-page`.

The page is written by hand but for what is between two comments, which is made anew from the result, as are all plots
in docs/performance. From one result come the same bytes, always.
"""

import argparse
import html
import math
import sys
from pathlib import Path

import figures
import plot
import results

HERE = Path(__file__).resolve().parent
BEGIN, END = "<!-- made from a result by `make bench-page`: begin -->", "<!-- made from a result: end -->"
# Up to this width of the reader's window it is the narrow plot.
NARROW_UP_TO = 767
KINDS = {"self": "what is measured", "peer": "peer", "limit": "limit"}
LIMITS = {"relay": "the least that a relay in userspace does", "kernel": "the kernel's own forwarding",
          "direct": "the client speaks to the endpoint"}
NO_RATES = {
    "load-bound": "*Load-bound*: the proxy had time left, for load and endpoints had none.",
    "nobody busy": "*Nobody busy*: proxy, load and endpoints all had time left, for they waited for each other.",
    "fixed rate": "*Fixed rate*: the load kept to a rate below what any proxy can do.",
}
NONE = "–"


def newest(directory: Path) -> Path:
    """The result of the latest date, quick ones last; FormError without any.

    What is no comparison, or a part of one, is none.
    """
    found = []
    for path in sorted(directory.glob("*.json")):
        try:
            result = results.load(path)
        except results.FormError:
            continue
        if not result.get("is_partial") and not result.get("is_selection"):
            found.append((not result["is_quick"], result["date"], path))
    if not found:
        raise results.FormError("no result: make bench")
    return max(found)[2]


def load(path: Path) -> dict:
    """A result in which each figure is a number."""
    try:
        return finite(results.load(path))
    except RecursionError:
        raise results.FormError(f"{path}: nested too deeply") from None


def finite(value):
    """Without the NaN and infinities that JSON files of Python can have."""
    if isinstance(value, dict):
        return {key: finite(each) for key, each in value.items() if not _is_bad(each)}
    return [finite(each) for each in value if not _is_bad(each)] if isinstance(value, list) else value


def _is_bad(value) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def write(result: dict, docs: Path) -> list[Path]:
    """The page and its plots below `docs`; what was written. FormError where the page has not the two comments."""
    page, directory = docs / "performance.md", docs / "performance"
    text = page.read_text() if page.exists() else ""
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise results.FormError(f"{page} must have the lines {BEGIN} and {END}, in this order")
    drawn = plots(result)
    directory.mkdir(exist_ok=True)
    for old in directory.glob("*.svg"):
        if old.name not in drawn:
            old.unlink()
    for name, svg in drawn.items():
        (directory / name).write_text(svg)
    page.write_text(f"{before}{BEGIN}\n\n{generated(result, drawn)}\n\n{END}{after}")
    return [page, *(directory / name for name in drawn)]


# The plots


def plots(result: dict) -> dict[str, str]:
    """All plots by the name of their file."""
    drawn = {}
    for width, suffix in ((plot.WIDE, ""), (plot.NARROW, "-narrow")):
        drawn[f"overview{suffix}.svg"] = plot.overview(result, width)
        for group, title in results.GROUPS.items():
            works = figures.in_group(result, group)
            if group == "latency":
                drawn[f"{group}{suffix}.svg"] = plot.percentiles(result, title, works, width)
            elif group != "calls":
                drawn[f"{group}{suffix}.svg"] = plot.bars(result, figures.title_of(title, works), works, width)
    return {name: svg for name, svg in drawn.items() if svg}


def shown(drawn: dict, name: str, alternative: str) -> list[str]:
    if f"{name}.svg" not in drawn:
        return []
    return ["<picture>",
            f'  <source media="(max-width: {NARROW_UP_TO}px)" srcset="performance/{name}-narrow.svg">',
            f'  <img src="performance/{name}.svg" alt="{html.escape(alternative)}">',
            "</picture>", ""]


# The text


def generated(result: dict, drawn: dict) -> str:
    """What is between the two comments."""
    lines = [*introduction(result), *shown(drawn, "overview", "Roadstead relative to the best peer of each round; the "
                                           "same figures are in the table below"),
             *ratios(result)]
    for group, title in results.GROUPS.items():
        works = figures.in_group(result, group)
        if not works:
            continue
        lines += [f"## {title}", "",
                  *shown(drawn, group, f"{title}: each contestant's figures, which are in the table below")]
        if group == "latency":
            lines += [line for work in works for line in of_latency(result, work)]
        elif group == "calls":
            lines += [line for work in works for line in of_calls(result, work)]
        else:
            lines += of_group(result, works)
        if group not in ("latency", "memory", "calls"):
            lines += rates(result, works) + whole_machine(result, works)
    return "\n".join(lines + contestants(result)).strip()


def introduction(result: dict) -> list[str]:
    machine = result["machine"]
    rounds = "1 round" if result["rounds"] == 1 else f"{result['rounds']} rounds"
    date = result["date"].replace("T", " ").replace(":00Z", " UTC").replace("Z", " UTC")
    commit = f"commit `{result['commit'].rstrip('+')}`"
    if result["commit"].endswith("+"):
        commit += " and changes that were not committed"
    each = f" of {result['seconds']:g} s" if "seconds" in result else ""
    lines = [f"Measured on {date} with {commit}, in {rounds}{each}. The machine, `{machine['name']}`: "
             f"{machine['cpu']}, {machine['cores']} cores, {machine['memory'] / 2**30:.0f} GiB of memory, "
             f"Linux {machine['kernel']}.", *results.cautions(machine), ""]
    if result["is_quick"]:
        lines += ["**This is a quick run: short, with few rounds. It shows the order of magnitude, no more.**", ""]
    if result.get("is_partial"):
        lines += [f"**The run did not come to its end ({cell(str(result.get('stopped', 'interrupted')))}): not all "
                  "works, or not all rounds, are in it.**", ""]
    return lines


def ratios(result: dict) -> list[str]:
    """How many targets are met, and what the overview shows, in words."""
    works = [work for group in results.GROUPS for work in figures.in_group(result, group)
             if figures.has_ratio(result, work)]
    verdicts = [verdict for work in works if (verdict := results.verdict(result, work))]
    lines = []
    if verdicts:
        met = sum(verdict.is_met for verdict in verdicts)
        lines += [f"Targets: {met} met, {len(verdicts) - met} missed.", ""]
    if works:
        rows = [[title_of(work, figures.what(work, results.main_figure(work))), *judged(result, work)]
                for work in works]
        lines += ["<details><summary>The ratios as a table</summary>", "",
                  *table(["work", "ratio to the best peer of each round", "target",
                          "ratio to the peer that is best by median", "ratio to the limit",
                          "the limit's own, to the best peer of each round"], rows), "</details>", ""]
    return lines


def of_group(result: dict, works: list[dict]) -> list[str]:
    """All works of a group against all contestants, by what they are compared by."""
    columns = [each for kind in results.KINDS for each in results.contestants(result, kind)
               if any(each in figures.taking_part(result, work, results.main_figure(work)) for work in works)]
    rows = []
    for work in works:
        name = results.main_figure(work)
        rows.append([title_of(work, figures.what(work, name)), *(spread_cell(work, each, name) for each in columns)])
    return table(["work", *(each["name"] for each in columns)], rows) + disturbed(works)


def disturbed(works: list[dict]) -> list[str]:
    """Which works had less than their cores."""
    shares = {work["title"]: share for work in works if (share := results.elsewhere(work))}
    if not shares:
        return []
    most = max(shares.values()) * 100
    return [f"Up to {most:.0f} % of a core went to interrupts, the hypervisor or other programs in: "
            f"{cell('; '.join(shares))}.", ""]


def title_of(work: dict, what: str) -> str:
    where = "" if work["topology"] == "loopback" else f"; {work['topology']}"
    note = f"; {work['note']}" if work.get("note") else ""
    return f"{cell(work['title'] + note)}<br><sub>{cell(what + where)}</sub>"


def spread_cell(work: dict, contestant: dict, name: str) -> str:
    """Median and minimum–maximum; the problem where there is one."""
    if contestant["id"] in work["problems"]:
        return f"*{cell(work['problems'][contestant['id']])}*"
    found = results.spread(work, contestant["id"], name)
    if not found:
        return NONE
    value = unbroken(figures.value(name, found.median))
    return lines_of(f"**{value}**", unbroken(figures.extent(name, found)))


def unbroken(extent: str) -> str:
    """Minimum–maximum that a narrow column does not break behind the dash."""
    return html.escape(extent).replace(" ", "&nbsp;").replace("–", "–&#8288;")


def lines_of(*lines: str) -> str:
    """The lines of a table's cell, without empty ones."""
    return "<br>".join(line for line in lines if line)


def judged(result: dict, work: dict) -> list[str]:
    """The ratio, the target and what became of it; the ratios to the best peer by median and to the limit; its own."""
    verdict, target = results.verdict(result, work), work.get("target") or {}
    found = verdict.ratio if verdict else results.ratio_to_peers(result, work)
    ratio = NONE
    if found:
        median = figures.ratio_of(verdict) if verdict else figures.ratio(found.median)
        ratio = lines_of(f"**{html.escape(median)}**", unbroken(figures.ratio_extent(found)))
        if "over" in target:
            sides = [results.named(result, each) for each in (target.get("of", results.SELF), target["over"])]
            ratio += f"<br><sub>{cell(sides[0])} over {cell(sides[1])}</sub>"
    wanted = NONE
    if verdict:
        came_of = figures.came_of(verdict).replace("missed", "**missed**")
        wanted = lines_of(f"≤&nbsp;{figures.ratio(verdict.wanted)}", came_of)
    limit = (figures.limit_of(result, work) or {}).get("id")
    others = [results.best_peer(result, work), limit]
    own = results.ratio_to_peers(result, work, contestant=limit) if limit and "over" not in target else None
    return [ratio, wanted, *(NONE if "over" in target else against(result, work, other) for other in others),
            figures.ratio(own.median) if own else NONE]


def against(result: dict, work: dict, other: str | None) -> str:
    """Roadstead's ratio to one other, and who that is."""
    found = results.ratio_to(work, other) if other else None
    return f"{html.escape(figures.ratio(found.median))}<br><sub>{cell(results.named(result, other))}</sub>" \
        if found else NONE


def rates(result: dict, works: list[dict]) -> list[str]:
    """Units a second: of those whose proxy was the bottleneck."""
    columns = _with_any(result, works)
    rows, whys = [], set()
    for work in works:
        cells = []
        for each in columns:
            rate = spread_cell(work, each, "rate")
            if rate == NONE and work["rounds"].get(each["id"]):
                busy = results.spread(work, each["id"], "busy")
                why = results.why_no_rate(work, each["id"])
                whys.add(why)
                rate = why + (f"<br>{busy.median * 100:.0f} % busy" if busy else "")
            cells.append(rate)
        rows.append([title_of(work, f"{figures.plural(work['unit'])} a second"), *cells])
    if not any(results.values(work, each["id"], "rate") for work in works for each in columns) and not whys:
        return []
    return [" ".join(["Rates.", *(text for why, text in NO_RATES.items() if why in whys)]), "",
            *table(["work", *(each["name"] for each in columns)], rows)]


def whole_machine(result: dict, works: list[dict]) -> list[str]:
    """What the whole machine spent, load and kernel included."""
    works = [work for work in works if results.main_figure(work) != "machine"]
    columns = _with_any(result, works)
    works = [work for work in works if any(results.values(work, each["id"], "machine") for each in columns)]
    if not works:
        return []
    rows = [[title_of(work, figures.what(work, "machine")), *(spread_cell(work, each, "machine") for each in columns)]
            for work in works]
    return ["<details><summary>CPU of the whole machine, the load's included</summary>", "",
            *table(["work", *(each["name"] for each in columns)], rows), "</details>", ""]


def _with_any(result: dict, works: list[dict]) -> list[dict]:
    return [each for kind in results.KINDS for each in results.contestants(result, kind)
            if any(each["id"] in work["problems"] or work["rounds"].get(each["id"]) for work in works)]


def of_latency(result: dict, work: dict) -> list[str]:
    """Each contestant's percentiles."""
    rows = [[cell(each["name"]), *(spread_cell(work, each, name) for name in results.PERCENTILES)]
            if each["id"] not in work["problems"] else
            [cell(each["name"]), spread_cell(work, each, "p50"), *[""] * (len(results.PERCENTILES) - 1)]
            for each in figures.taking_part(result, work, "p50")]
    for each, row in zip(figures.taking_part(result, work, "p50"), rows):
        shares = (results.spread(work, each["id"], name) for name in ("busy", "load"))
        row += [f"{share.median * 100:.0f} %" if share else NONE for share in shares]
    return [title_of(work, "latency from when a request was due; busy and load are what the proxy, and what load and "
                     "endpoints, used of their cores"), "", *table(["", *results.PERCENTILES, "busy", "load"], rows)]


def of_calls(result: dict, work: dict) -> list[str]:
    """Each contestant's system calls by name."""
    rows = []
    for each in figures.taking_part(result, work, "calls"):
        counts = sorted(results.calls(work, each["id"]).items(), key=lambda item: (-item[1], item[0]))
        names = [f"{name} {count:.2f}" for name, count in counts if count >= 0.005]
        rows.append([cell(each["name"]), spread_cell(work, each, "calls"), cell(", ".join(names)) or NONE])
    lines = [title_of(work, figures.what(work, "calls")), "", *table(["", "in all", "which"], rows)]
    if found := results.ratio_to_peers(result, work):
        lines += [f"Roadstead's are {figures.ratio(found.median)} of the best peer's.", ""]
    return lines


def contestants(result: dict) -> list[str]:
    rows = [[cell(each["name"]), cell(each["version"]) or NONE,
             KINDS[each["kind"]] + (f": {LIMITS[each['id']]}" if each["id"] in LIMITS else ""),
             configuration(each["id"])]
            for kind in results.KINDS for each in results.contestants(result, kind)]
    left_out = [f"- Left out: {cell(each['id'])}: {cell(each['why'])}" for each in result["left_out"]]
    return ["## Who took part", "", *table(["", "version", "as", "configuration"], rows), *left_out]


def configuration(contestant: str) -> str:
    """Links to the files of Benchmarks/peers that are called as the contestant is."""
    peers = HERE / "peers"
    files = sorted(path.name for path in peers.glob(f"{contestant}*")) if peers.is_dir() else []
    return ", ".join(f"[{name}](../Benchmarks/peers/{name})" for name in files) or NONE


def table(head: list[str], rows: list[list[str]]) -> list[str]:
    """A table without the columns in which no row has anything; nothing without rows."""
    kept = [number for number in range(len(head)) if number == 0 or any(row[number] not in ("", NONE) for row in rows)]
    if not rows:
        return []

    def line(cells):
        return "| " + " | ".join(cells[number] for number in kept) + " |"

    return [line([cell(each) for each in head]), "|" + "---|" * len(kept), *(line(row) for row in rows), ""]


def cell(text: str) -> str:
    """Text that is only text in Markdown's tables and in HTML's attributes."""
    for letter, instead in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"), ("|", "\\|"), ("*", "\\*"),
                            ("_", "\\_"), ("`", "\\`")):
        text = text.replace(letter, instead)
    return " ".join(text.split())


def main() -> None:
    parser = argparse.ArgumentParser(description="docs/performance.md and its plots, from a result")
    parser.add_argument("result", nargs="?", type=Path, help="default: the newest in Benchmarks/results")
    parser.add_argument("--docs", type=Path, default=HERE.parent / "docs", help="where performance.md is")
    arguments = parser.parse_args()
    try:
        path = arguments.result or newest(HERE / "results")
        for written in write(load(path), arguments.docs):
            print(written)
    except results.FormError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
