"""How figures grow with a size: a table for people, an object for the file, a verdict.

A figure is expected to be `constant`, or `linear` at most. It grows worse than that when the largest size costs more
than `TOLERANCE` times what the smallest lets expect, and more than `floor`, below which differences are noise.
"""

import dataclasses

TOLERANCE = 1.5


@dataclasses.dataclass
class Figure:
    """One row: `key` in the measured rounds, its unit, what is expected of it."""

    key: str
    title: str
    unit: str
    expected: str = "constant"
    scale: float = 1.0
    floor: float = 0.0
    digits: int = 1


@dataclasses.dataclass
class Series:
    """Figures over sizes. `rounds` is {size: {key: value}}; a problem instead of figures is {size: text}."""

    id: str
    title: str
    figures: list[Figure]
    rounds: dict[int, dict[str, float]] = dataclasses.field(default_factory=dict)
    problems: dict[int, str] = dataclasses.field(default_factory=dict)

    def values(self, figure):
        return {size: row[figure.key] * figure.scale for size, row in self.rounds.items() if figure.key in row}

    def verdict(self, figure):
        """Nothing where it is as expected, else by how much it is more."""
        values = self.values(figure)
        if figure.expected not in ("constant", "linear") or len(values) < 2:
            return ""
        sizes = sorted(values)
        allowed = max(values[sizes[0]], figure.floor)
        if figure.expected == "linear":
            allowed *= sizes[-1] / sizes[0]
        # Something that costs little at the smallest size may be all fixed cost there.
        more = values[sizes[-1]] / allowed if allowed > 0 else float("inf")
        return f"{more:.1f} × as expected" if more > TOLERANCE else ""

    def table(self):
        sizes = sorted(set(self.rounds) | set(self.problems))
        yield self.title
        yield f"  {'':<52}" + "".join(f"{size:>10,}" for size in sizes) + "   growth each       expected"
        for figure in self.figures:
            values = self.values(figure)
            if not values:
                continue
            cells = "".join(
                f"{values[size]:>10,.{figure.digits}f}" if size in values else f"{'–':>10}" for size in sizes)
            known = [values[size] for size in sizes if size in values]
            steps = " ".join(f"×{b / a:.1f}" if a > 0 else "–" for a, b in zip(known, known[1:]))
            title = f"{figure.title}, {figure.unit}".removesuffix(", ")
            yield f"  {title:<52}{cells}   {steps:<18}{figure.expected:<9} {self.verdict(figure)}".rstrip()
        for size, problem in sorted(self.problems.items()):
            yield f"  {size:,}: {problem}"

    def object(self):
        return {
            "id": self.id, "title": self.title,
            "figures": [{
                "id": figure.key, "title": figure.title, "unit": figure.unit, "expected": figure.expected,
                "values": {str(size): round(value, 4) for size, value in sorted(self.values(figure).items())},
                **({"verdict": verdict} if (verdict := self.verdict(figure)) else {})} for figure in self.figures],
            "problems": {str(size): text for size, text in self.problems.items()}}
