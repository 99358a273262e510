"""A result as a table for the terminal."""

import results

FIGURES = {
    "rate": "a second", "cpu": "proxy's CPU each", "machine": "whole machine each", "memory": "bytes each",
    "calls": "calls each", "busy": "busy", **{name: name for name in results.PERCENTILES},
}
COLUMNS = {"latency": results.PERCENTILES, "memory": ("memory",), "calls": ("calls",)}
USUAL = ("rate", "cpu", "machine")
NAME = 29
LEGEND = (
    "median (minimum–maximum); a ratio is taken round by round, and its median is what counts. The best peer of each",
    "round, against which targets are held, may be another one in each. Of limits it is Roadstead over the limit.",
    "No rate: load-bound, the load was the bottleneck; nobody busy, neither it nor the proxy was: all waited for each",
    "other. busy is the share of its core that the proxy used, load what load and endpoints used of theirs.")


def of(result):
    """The whole result, work by work."""
    machine = result["machine"]
    kind = "quick run" if result["is_quick"] else "run"
    lines = [f"{kind} of {result['date']}, commit {result['commit']}, {result['rounds']} rounds; on {machine['name']}: "
             f"{machine['cpu']}, {machine['cores']} cores, {machine['memory'] / 2**30:.0f} GiB, "
             f"Linux {machine['kernel']}", *results.cautions(machine)]
    if result.get("is_partial"):
        why = result.get("stopped", "interrupted")
        lines.append(f"PARTIAL ({why}): not all works, or not all rounds")
    lines.append(", ".join(f"{each['name']} {each['version']}".strip() for each in result["contestants"]))
    lines += [f"left out: {each['id']}: {each['why']}" for each in result["left_out"]]
    lines += LEGEND
    for group, title in results.GROUPS.items():
        works = [work for work in result["works"] if work["group"] == group]
        if works:
            lines += ["", f"── {title} " + "─" * (100 - len(title))]
        for work in works:
            lines += ["", *of_work(result, work)]
    return "\n".join(lines + ["", *verdicts(result)])


def of_work(result, work):
    """One work: a line for each contestant, then the ratios."""
    columns = COLUMNS.get(work["group"], USUAL)
    if work.get("rate"):
        columns = [name for name in columns if name != "rate"]
    head = work["title"] + (f"; {work['note']}" if work.get("note") else "") + f" [{work['id']}]"
    width = 13 if len(columns) > 3 else 28
    unit = "" if work["group"] == "latency" else f"  each: one {work['unit']}"
    lines = [head, " " * NAME + "".join(f"{FIGURES[name]:>{width}}" for name in columns) + unit]
    for contestant in result["contestants"]:
        id = contestant["id"]
        name = "  " + contestant["name"] + (" (limit)" if contestant["kind"] == "limit" else "")
        if id in work["problems"]:
            lines.append(f"{name:<{NAME}}  no figures: {work['problems'][id]}")
        elif work["rounds"].get(id):
            lines.append(f"{name:<{NAME}}" + "".join(cell(work, id, each, width) for each in columns) + after(work, id))
    return lines + disturbed(work) + ratio_lines(result, work)


def cell(work, contestant, name, width):
    spread = results.spread(work, contestant, name)
    if spread is None:
        return f"{results.why_no_rate(work, contestant) if name == 'rate' else '–':>{width}}"
    if width < 20:
        return f"{value(name, spread.median):>{width}}"
    text = value(name, spread.median)
    if spread.minimum != spread.maximum:
        text += f" ({value(name, spread.minimum, False)}–{value(name, spread.maximum, False)})"
    return f"{text:>{width}}"


def after(work, contestant):
    """What stands behind the figures: how busy the proxy was, or which system calls there are."""
    if work["group"] == "calls":
        named = [f"{name} {count:.2f}" for name, count in results.calls(work, contestant).items() if count >= 0.01]
        return "  " + ", ".join(named[:7])
    shares = {"busy": results.spread(work, contestant, "busy")}
    if work["group"] == "latency":
        shares["load"] = results.spread(work, contestant, "load")
    return "".join(f"  {name} {share.median:4.0%}" for name, share in shares.items() if share)


def disturbed(work):
    most = results.elsewhere(work)
    return [f"  up to {most:.0%} of a core went to interrupts, the hypervisor or other programs"] if most else []


def ratio_lines(result, work):
    """Roadstead against the best peer, against the target, against each limit."""
    name = results.main_figure(work)
    words = []
    verdict = results.verdict(result, work)
    target = work.get("target") or {}
    if verdict and "over" in target:
        words.append(f"{target.get('of', results.SELF)} over {target['over']}: {ratio(verdict.ratio)}")
    elif found := results.ratio_to_peers(result, work):
        words.append(f"{ratio(found)} of the best peer of each round by {FIGURES[name]}")
        best = results.named(result, results.best_peer(result, work))
        words.append(f"{results.ratio_to_best(result, work).median:.2f} of {best}, the best by median")
    if verdict:
        words.append(f"at most {verdict.wanted:.2f} wanted: {'met' if verdict.is_met else 'NOT MET'}")
    for limit in results.contestants(result, "limit"):
        if found := results.ratio_to(work, limit["id"], name):
            words.append(f"{found.median:.2f} of {limit['name']}")
    return ["  → " + "; ".join(words)] if words else []


def in_short(result, work):
    """What has come of a work that is done, while the run goes on: problems and the ratio."""
    lines = [f"  {results.named(result, id)}: no figures: {why}" for id, why in work["problems"].items()]
    return lines + ratio_lines(result, work)


def verdicts(result):
    """All targets in a line each."""
    lines = []
    for work in result["works"]:
        if verdict := results.verdict(result, work):
            mark = "met    " if verdict.is_met else "NOT MET"
            lines.append(f"  {mark}  {ratio(verdict.ratio):<22} at most {verdict.wanted:.2f}   {work['title']}, "
                         f"{FIGURES[verdict.figure]}")
    return ["Targets, as ratios:", *lines] if lines else []


def ratio(spread):
    return "no ratio" if spread is None else f"{spread.median:.2f} ({spread.minimum:.2f}–{spread.maximum:.2f})"


def value(name, number, with_unit=True):
    """A figure as people read it."""
    if name == "busy":
        return f"{number:.0%}"
    if name in ("rate", "memory"):
        return f"{number:,.0f}" if number >= 100 else f"{number:.2f}"
    if name == "calls":
        return f"{number:.2f}" if number < 100 else f"{number:,.0f}"
    factor, unit = (1e6, "µs") if number < 1e-3 else (1e3, "ms") if number < 10 else (1, "s")
    scaled = number * factor
    text = f"{scaled:.2f}" if scaled < 10 else f"{scaled:.1f}" if scaled < 100 else f"{scaled:,.0f}"
    return f"{text} {unit}" if with_unit else text
