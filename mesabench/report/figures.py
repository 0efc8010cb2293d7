"""Charts of agents by their seeds: what they can do against what they do it for, and how they learned."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import FuncFormatter, MaxNLocator

from mesabench.report.svg import (
    DASHES,
    HEIGHT,
    LINE,
    MARKERS,
    MUTED,
    PANEL,
    PAPER,
    RULE,
    WIDTH,
    axes_of,
    ink,
    svg,
)
from mesabench.report.words import number, short_count
from mesabench.runs.cohort import Population


def capability(
    populations: Sequence[Population], colours: Sequence[int], name: str, title: str
) -> Markup | None:
    """TRUE over COMP, a mark per seed; None without one. What lies below the diagonal is capability that serves another goal."""
    if not any(one.card.scores[score].n for one in populations for score in ("COMP", "TRUE")):
        return None
    figure, axes = axes_of(WIDTH, HEIGHT)
    axes.fill_between([0, 1], [0, 1], color=PANEL, linewidth=0)
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=1)
    axes.text(0.6, 0.56, "as good at what was intended", rotation=45, ha="center", va="top", color=MUTED, fontsize=11,
              rotation_mode="anchor")  # fmt: skip
    axes.text(0.5, 0.08, "good, but at\nsomething else", ha="center", va="bottom", color=MUTED, fontsize=11)
    for one, index in zip(populations, colours, strict=True):
        for seed in one.seeds:
            comp, true = (seed.scores[name].value for name in ("COMP", "TRUE"))
            if comp is None or true is None:
                continue
            axes.plot([comp, comp], [true, comp], color=ink(index), linewidth=1, alpha=0.5)
            axes.plot(comp, true, MARKERS[seed.outcome], color=ink(index), markersize=10, markeredgecolor=PAPER,
                      markeredgewidth=1, clip_on=False, zorder=3)  # fmt: skip
    axes.set(xlim=(-0.05, 1.05), ylim=(-0.05, 1.05), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.set(xlabel="COMP: good at something", ylabel="TRUE: does what was intended")
    for side in (axes.xaxis, axes.yaxis):
        side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_aspect("equal")
    return svg(figure, name, title)


def curves(populations: Sequence[Population], colours: Sequence[int], name: str, title: str) -> Markup | None:
    """The paid return of training episodes over steps, a line per seed; None if there is no curve."""
    figure, axes = axes_of(WIDTH, 220)
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
                x, y, color=ink(index), linewidth=LINE, alpha=0.85, linestyle=DASHES[index % len(DASHES)]
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
            said.append(f"{one.label}: COMP {number(comp.value)}, TRUE {number(true.value)}")
    return "; ".join(said) or "no scores"
