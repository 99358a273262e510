"""A drawing that a browser shows as an image: no scripts, no fonts of its own, light or dark as its page is."""

import re
from xml.sax.saxutils import escape

# Class: the property, its colour on a light and on a dark background. Blue and orange are told apart by all eyes.
COLOURS = {
    "paper": ("fill", "#ffffff", "#0d1117"),
    "ink": ("fill", "#1f2328", "#e6edf3"),
    "quiet": ("fill", "#59636e", "#9da7b3"),
    "own": ("fill", "#0072b2", "#56b4e9"),
    "peer": ("fill", "#a6afb9", "#6b7580"),
    "alarm": ("fill", "#b34700", "#ff9e4a"),
    "rule": ("stroke", "#d6dbe0", "#30363d"),
    "best": ("stroke", "#59636e", "#9da7b3"),
    "edge": ("stroke", "#59636e", "#9da7b3"),
    "whisker": ("stroke", "#1f2328", "#e6edf3"),
    "own-line": ("stroke", "#0072b2", "#56b4e9"),
    "peer-line": ("stroke", "#a6afb9", "#6b7580"),
    "target": ("stroke", "#b34700", "#ff9e4a"),
}
FONT = 'system-ui,-apple-system,"Segoe UI",Helvetica,Arial,sans-serif'
SIZE, SMALL = 13, 12


def _style() -> str:
    def rules(which: int) -> str:
        return "".join(f".{name}{{{colour[0]}:{colour[which]}}}" for name, colour in COLOURS.items())

    return (
        f"text{{font-family:{FONT};font-size:{SIZE}px;font-variant-numeric:tabular-nums}}"
        f".small{{font-size:{SMALL}px}}.strong{{font-weight:600}}.slanted{{font-style:italic}}"
        ".line{fill:none;stroke-width:1.5}.thin{fill:none;stroke-width:1}.thick{fill:none;stroke-width:2.5}"
        ".dashed{stroke-dasharray:3 3}" + rules(1) + "@media (prefers-color-scheme:dark){" + rules(2) + "}"
    )


def width_of(text: str, size: float = SIZE, strong: bool = False) -> float:
    """About as wide as a browser shows it, rather more: its font is not known."""
    ems = 0.0
    for letter in text:
        if letter in " .,:;'|!()[]/ijlIftr-":
            ems += 0.36
        elif letter in "mwMW%@—":
            ems += 0.92
        elif letter.isupper():
            ems += 0.7
        else:
            ems += 0.63
    return ems * size * (1.1 if strong else 1)


def wrapped(text: str, width: float, size: float = SIZE, strong: bool = False) -> list[str]:
    """The lines of a text that are to fit into `width`; a word that does not fit is cut."""
    lines = [""]
    # A number stays with its unit.
    for word in re.split(r"\s+(?!(?:[KMG]i?)?B\b|%)", text.strip()):
        while width_of(word, size, strong) > width and len(word) > 1:
            fitting = len(word) - 1
            while fitting > 1 and width_of(word[:fitting], size, strong) > width:
                fitting -= 1
            lines[-1:] = [line for line in lines[-1:] if line] + [word[:fitting], ""]
            word = word[fitting:]
        longer = f"{lines[-1]} {word}".strip()
        if width_of(longer, size, strong) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return [line for line in lines if line] or [""]


class Drawing:
    """Elements in the order of drawing; y grows downwards. `svg` closes it at a height."""

    def __init__(self, width: float, title: str, description: str) -> None:
        self.width, self.title, self.description = width, title, description
        self._elements: list[str] = []

    def text(self, x: float, y: float, text: str, classes: str = "ink", anchor: str = "start") -> None:
        """One line of which `y` is the base line."""
        where = "" if anchor == "start" else f' text-anchor="{anchor}"'
        self._add(f'<text class="{classes}" x="{_n(x)}" y="{_n(y)}"{where}>{escape(text)}</text>')

    def texts(self, x: float, y: float, parts: list[tuple[str, str]], anchor: str = "start") -> None:
        """Texts and their classes, one behind the other, as wide as they come out."""
        where = "" if anchor == "start" else f' text-anchor="{anchor}"'
        spans = [f'<tspan class="{classes}" dx="{6 if number else 0}">{escape(text)}</tspan>'
                 for number, (text, classes) in enumerate(part for part in parts if part[0])]
        self._add(f'<text x="{_n(x)}" y="{_n(y)}"{where}>{"".join(spans)}</text>')

    def line(self, x1: float, y1: float, x2: float, y2: float, classes: str) -> None:
        self._add(f'<line class="{classes}" x1="{_n(x1)}" y1="{_n(y1)}" x2="{_n(x2)}" y2="{_n(y2)}"/>')

    def box(self, x: float, y: float, width: float, height: float, classes: str) -> None:
        size = f'width="{_n(max(width, 0))}" height="{_n(height)}"'
        self._add(f'<rect class="{classes}" x="{_n(x)}" y="{_n(y)}" {size} rx="2"/>')

    def circle(self, x: float, y: float, radius: float, classes: str) -> None:
        self._add(f'<circle class="{classes}" cx="{_n(x)}" cy="{_n(y)}" r="{_n(radius)}"/>')

    def shape(self, points: list[tuple[float, float]], classes: str) -> None:
        self._add(f'<polygon class="{classes}" points="{" ".join(f"{_n(x)},{_n(y)}" for x, y in points)}"/>')

    def diamond(self, x: float, y: float, radius: float, classes: str) -> None:
        self.shape([(x - radius, y), (x, y - radius), (x + radius, y), (x, y + radius)], classes)

    def triangle(self, x: float, y: float, radius: float, classes: str) -> None:
        self.shape([(x - radius, y + radius * 0.8), (x, y - radius), (x + radius, y + radius * 0.8)], classes)

    def square(self, x: float, y: float, radius: float, classes: str) -> None:
        self.box(x - radius, y - radius, 2 * radius, 2 * radius, classes)

    def whisker(self, low: float, high: float, y: float, classes: str, height: float = 4,
                goes_on: bool = False) -> None:
        """A line with an end at each side; at the right an arrow where it goes on beyond the scale."""
        self.line(low, y, high, y, classes)
        self.line(low, y - height, low, y + height, classes)
        if goes_on:
            self.line(high - height, y - height, high, y, classes)
            self.line(high - height, y + height, high, y, classes)
        else:
            self.line(high, y - height, high, y + height, classes)

    def svg(self, height: float) -> str:
        size = f'width="{_n(self.width)}" height="{_n(height)}" viewBox="0 0 {_n(self.width)} {_n(height)}"'
        return "\n".join([
            f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-labelledby="title desc">',
            f'<title id="title">{escape(self.title)}</title>',
            f'<desc id="desc">{escape(self.description)}</desc>',
            f"<style>{_style()}</style>",
            f'<rect class="paper" width="{_n(self.width)}" height="{_n(height)}" rx="6"/>',
            *self._elements,
            "</svg>\n",
        ])

    def _add(self, element: str) -> None:
        self._elements.append(element)


def _n(number: float) -> str:
    """A coordinate with one decimal, and without one where that is zero."""
    text = f"{number:.1f}"
    return text[:-2] if text.endswith(".0") else text
