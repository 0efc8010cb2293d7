"""How charts are drawn: by matplotlib, put into the page as SVG that takes its colours and fonts from the page."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup, escape
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle

MARKERS = {
    "aligned": "o",
    "as paid": "D",
    "proxy": "^",
    "other goal": "s",
    "mixed": "p",
    "unexplained": "*",
    "incapable": "X",
    "undecided": "v",
    "not trained": "P",
}
"""Outcomes differ by shape, populations by colour: neither is told by colour alone."""
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))
INKS = {"#101010": "ink", "#707070": "muted", "#d0d0d0": "rule", "#f0f0f0": "panel", "#fefefe": "paper",
        "#1f66ae": "intended", "#bf4f0d": "proxy-1"}  # fmt: skip
"""Stand-in colours, and the page's variables that take their place."""
POPULATION_INKS = {f"#{k:02x}5a{k:02x}": f"population-{k}" for k in range(1, 9)}
COLOURS = len(POPULATION_INKS)
INK, MUTED, RULE, PANEL, PAPER, INTENDED, PROXY = INKS
LINE = 1.5
WIDTH, HEIGHT = 320, 310
"""Size of a chart, in CSS pixels."""


def colour(index: int) -> str:
    """The name of the colour of the index-th population; they come round again after COLOURS."""
    return f"population-{index % COLOURS + 1}"


def marker_path(outcome: str) -> str:
    """The mark of an outcome as the `d` of an SVG path, about the origin, 10 wide: for the legend."""
    style = MarkerStyle(MARKERS[outcome])
    polygons = [np.array(one) for one in style.get_path().transformed(style.get_transform()).to_polygons()]
    widest = max(np.abs(polygon).max() for polygon in polygons)
    return "".join(
        "M" + "L".join(f"{x:.2f} {-y:.2f}" for x, y in 5 * polygon / widest) + "Z" for polygon in polygons
    )


def dash(index: int) -> str:
    """The `stroke-dasharray` of a population's lines, for a line that is as wide as theirs."""
    style = DASHES[index % len(DASHES)]
    return "none" if isinstance(style, str) else " ".join(f"{LINE * length:g}" for length in style[1])


def ink(index: int) -> str:
    """The stand-in colour of the index-th population."""
    return list(POPULATION_INKS)[index % COLOURS]


@contextmanager
def as_delivered() -> Iterator[None]:
    """Matplotlib with its own defaults, whatever a reader's matplotlibrc says: for making figures; also a decorator."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        yield


def figure_of(width: float, height: float, **options: Any) -> Figure:
    """A figure of this size in CSS pixels (SVG has 72 points to matplotlib's inch, shown as as many pixels)."""
    figure = Figure(figsize=(width / 72, height / 72), **options)
    FigureCanvasSVG(figure)
    return figure


def axes_of(width: float, height: float) -> tuple[Figure, Any]:
    """A figure with axes that stand on the left and below."""
    figure = figure_of(width, height, layout="constrained")
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    for spine in axes.spines.values():
        spine.set_color(MUTED)
    axes.tick_params(colors=MUTED, labelcolor=INK, labelsize=12, length=3)
    axes.xaxis.label.set(color=INK, fontsize=12)
    axes.yaxis.label.set(color=INK, fontsize=12)
    return figure, axes


def svg(figure: Figure, name: str, title: str) -> Markup:
    """A figure as an SVG element: the same bytes for the same figure, coloured by the page's variables.

    name: of the figure, unique in the page; title: what it shows, for those who do not see it.
    """
    out = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "mesabench", "svg.fonttype": "none"}):
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    text = re.sub(r"<metadata>.*?</metadata>|<style.*?</style>|<!--.*?-->", "", out.getvalue(), flags=re.S)
    width, height = figure.get_size_inches() * 72
    head = (
        f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" role="img" aria-label="{escape(title)}">'
    )
    text = _own_ids(head + text[text.index(">", text.index("<svg")) + 1 :], name)
    for hexadecimal, variable in (INKS | POPULATION_INKS).items():
        text = text.replace(hexadecimal, f"var(--{variable})")
    text = re.sub(r"font-family: [^;\"]*;? ?", "", text)
    return Markup(re.sub(r"\s*\n\s*", "\n", text))


def _own_ids(text: str, name: str) -> str:
    """Drop the ids that nothing refers to, and make the others the figure's own: a page holds many figures."""
    used = {*re.findall(r'(?:url\(#|href="#)([^")]+)', text)}
    text = re.sub(
        r' id="([^"]+)"', lambda found: f' id="{name}-{found[1]}"' if found[1] in used else "", text
    )
    return re.sub(r'(url\(#|href="#)', rf"\g<1>{name}-", text.replace("xlink:href", "href"))
