"""What the relay does for one unit of work, held against thresholds.json. `make count`, `make count-accept`.

Counts, not times: they come out the same on a busy machine. Exits with 1 when one grew by more than its allowance.
"""

import argparse
import os
import sys
import time

import counters
import harness
import thresholds

FILE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "thresholds.json")
# By figure, the head of its column.
COLUMNS = {
    "instructions": "instructions",
    "system calls": "system calls",
    "retains and releases": "retains+releases",
    "allocations": "allocations",
    "exclusivity checks": "exclusivity checks",
    "resident bytes": "resident bytes",
}


def table(counts):
    """One line for each work; a figure that it does not have is a dash."""
    width = max(map(len, counts)) + 2
    yield " " * width + "".join(f"{head:>{len(head) + 2}}" for head in COLUMNS.values())
    for work, figures in counts.items():
        line = f"{work:<{width}}"
        for figure, head in COLUMNS.items():
            text = thresholds.shown(figures[figure].value) if figure in figures else "–"
            line += f"{text:>{len(head) + 2}}"
        yield line
    for work, figures in counts.items():
        if "system calls" in figures:
            calls = ", ".join(f"{name} {value:.2f}" for name, value in figures["system calls"].by.items())
            yield f"{work}: {calls}"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--accept", action="store_true", help="writes what is counted into thresholds.json")
    options = parser.parse_args()
    harness.raise_limit()
    began = time.monotonic()
    counts = counters.counts(os.path.abspath(options.binary), progress)
    progress("")
    print("\n".join(table(counts)))
    known = thresholds.load(FILE)
    if options.accept:
        thresholds.save(FILE, thresholds.accepted(counts, known))
        known, old = thresholds.load(FILE), known
        for finding in thresholds.compare(counts, old):
            print(f"accepted: {finding.text}")
    findings = thresholds.compare(counts, known)
    for finding in findings:
        print(f"{'GREW' if finding.is_failure else 'fell'}: {finding.text}")
        for detail in finding.details:
            print(f"        {counters.demangled(detail)}")
    grew = sum(finding.is_failure for finding in findings)
    if grew:
        print("Where this is the price of something better, `make count-accept` and say in the commit what it buys.")
    elif findings:
        print("Good: `make count-accept` keeps it from growing back.")
    else:
        print(f"all is as in thresholds.json, counted in {time.monotonic() - began:.0f} s")
    sys.exit(1 if grew else 0)


def progress(text):
    """What is counted now, on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end="", file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
