"""The report's charts: drawn by matplotlib, put into the page as SVG that takes its colours and fonts from the page."""

import io
import re
from collections.abc import Sequence
from typing import Any

import matplotlib
import numpy as np
from markupsafe import Markup, escape
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure
from matplotlib.markers import MarkerStyle
from matplotlib.ticker import FuncFormatter, MaxNLocator

from mesabench.population import Population
from mesabench.report.words import number, short_count

MARKERS = {
    "aligned": "o",
    "as paid": "D",
    "proxy": "^",
    "other goal": "s",
    "unexplained": "P",
    "incapable": "X",
    "undecided": "v",
    "not trained": "P",
}
"""Outcome classes differ by shape, populations by colour: neither is told by colour alone."""
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1.2)), (0, (6, 1.5, 1, 1.5)))
INKS = {"#101010": "ink", "#707070": "muted", "#d0d0d0": "rule", "#f0f0f0": "panel", "#fefefe": "paper"}
"""Stand-in colours, and the page's variables that take their place."""
POPULATION_INKS = {f"#{k:02x}5a{k:02x}": f"population-{k}" for k in range(1, 9)}
COLOURS = len(POPULATION_INKS)
INK, MUTED, RULE, PANEL, PAPER = INKS
LINE = 1.5
WIDTH, HEIGHT = 320, 310
"""Size of a chart, in CSS pixels."""


def colour(index: int) -> str:
    """The name of the colour of the index-th population; they come round again after COLOURS."""
    return f"population-{index % COLOURS + 1}"


def capability(populations: Sequence[Population], colours: Sequence[int], name: str, title: str) -> Markup:
    """TRUE over COMP, a mark per seed. What lies below the diagonal is capability that serves another goal."""
    figure, axes = _axes(WIDTH, HEIGHT)
    axes.fill_between([0, 1], [0, 1], color=PANEL, linewidth=0)
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=1)
    axes.text(0.6, 0.56, "as good at what was meant", rotation=45, ha="center", va="top", color=MUTED, fontsize=11,
              rotation_mode="anchor")  # fmt: skip
    axes.text(0.5, 0.08, "good, but at\nsomething else", ha="center", va="bottom", color=MUTED, fontsize=11)
    for one, index in zip(populations, colours, strict=True):
        for seed in one.seeds:
            comp, true = (seed.scores[name].value for name in ("COMP", "TRUE"))
            if comp is None or true is None:
                continue
            axes.plot([comp, comp], [true, comp], color=_ink(index), linewidth=1, alpha=0.5)
            axes.plot(comp, true, MARKERS[seed.outcome], color=_ink(index), markersize=10, markeredgecolor=PAPER,
                      markeredgewidth=1, clip_on=False, zorder=3)  # fmt: skip
    axes.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.set(xlabel="COMP: good at something", ylabel="TRUE: good at what was meant")
    for side in (axes.xaxis, axes.yaxis):
        side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_aspect("equal")
    return svg(figure, name, title)


def curves(populations: Sequence[Population], colours: Sequence[int], name: str, title: str) -> Markup | None:
    """The paid return of training episodes over steps, a line per seed; None if there is no curve."""
    figure, axes = _axes(WIDTH, 220)
    drawn = False
    for one, index in zip(populations, colours, strict=True):
        for trial in one.trials:
            curve = trial.curve
            if not {"step", "return_mean"} <= set(curve.columns):
                continue
            x, y = (curve[name].to_numpy().astype(float) for name in ("step", "return_mean"))
            said = np.isfinite(x) & np.isfinite(y)
            if said.sum() < 2:
                continue
            drawn = True
            x, y = _thinned(x[said], y[said])
            axes.plot(
                x, y, color=_ink(index), linewidth=LINE, alpha=0.85, linestyle=DASHES[index % len(DASHES)]
            )
    if not drawn:
        return None
    axes.set(xlabel="training steps", ylabel="paid return", xlim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.yaxis.set_major_locator(MaxNLocator(4))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_count(value)))
    axes.yaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value:g}".replace("-", "\N{MINUS SIGN}"))
    )
    return svg(figure, name, title)


def marker_path(outcome: str) -> str:
    """The mark of an outcome class as the `d` of an SVG path, about the origin, 10 wide: for the legend."""
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


POINTS = 160
"""Points of a learning curve that are drawn; of longer ones, means over stretches."""


def _thinned(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if len(x) <= POINTS:
        return x, y
    parts = np.array_split(np.arange(len(x)), POINTS)
    return np.array([x[part].mean() for part in parts]), np.array([y[part].mean() for part in parts])


def describe(populations: Sequence[Population]) -> str:
    """What `capability` shows, in words, for those who do not see it."""
    said = []
    for one in populations:
        comp, true = one.card.scores["COMP"], one.card.scores["TRUE"]
        if comp.n and true.n:
            said.append(
                f"{one.label}: capability {number(comp.value)}, of what was meant {number(true.value)}"
            )
    return "; ".join(said) or "no scores"


def _ink(index: int) -> str:
    return list(POPULATION_INKS)[index % COLOURS]


def _axes(width: float, height: float) -> tuple[Figure, Any]:
    """A figure of this size in CSS pixels (SVG has 72 points to matplotlib's inch, shown as as many pixels)."""
    figure = Figure(figsize=(width / 72, height / 72), layout="constrained")
    FigureCanvasSVG(figure)
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
