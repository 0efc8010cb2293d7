"""The picture of evolution.md that lays theory under what was simulated: audits out of view, the elk's lines of equilibria."""

from typing import Any

import numpy as np
from drawing import styled
from matplotlib.figure import Figure

from mesabench.evolution import commons
from mesabench.evolution.model import evolve
from mesabench.evolution.population import run
from mesabench.evolution.theory import line
from mesabench.registry import find_population
from mesabench.report.svg import INK, INTENDED, PROXY

AUDITS = {"hidden": ("#1f66ae", "o"), "rare": ("#bf4f0d", "s")}
"""Conditions of the commons with audits out of view: the first word of their names, and how they are drawn."""
ELK = {"choice": PROXY, "narrow": INTENDED}
SEEDS = 3


def theory() -> Figure:
    """Lines and steps are theory, everything else is simulated."""
    figure = Figure(figsize=(6.8, 3.2), dpi=100, facecolor="white", layout="constrained")
    left, right = figure.subplots(1, 2)
    _commons(left)
    _elk(right)
    for axes, title in ((left, "own items taken, audits unseen"), (right, "preference for antlers")):
        styled(axes, title)
        axes.legend(frameon=False, labelcolor=INK, fontsize=9)
    return figure


def _commons(axes: Any) -> None:
    """The share of own items over what they pay: the best response as a step, a dot for every seed."""
    names = [name for name in commons.CONDITIONS if name.endswith("x")]
    found = evolve(commons.model, names, seeds=SEEDS)
    for word, (colour, mark) in AUDITS.items():
        label = None
        for name in (one for one in names if one.startswith(word)):
            knobs, _ = commons.CONDITIONS[name].values(commons.KNOBS, {})
            at = commons.threshold(knobs.audits, knobs.death)
            if label is None:
                label = f"{100 * knobs.audits:g} % audited"
                axes.step([0.6, at, 10], [0, 0, 1], where="pre", color=colour, linewidth=1)
                axes.plot([], [], color=colour, marker=mark, linewidth=1, markersize=5, label=label)
            share = found.values(name, "own")
            axes.plot(
                [knobs.own] * len(share),
                share,
                mark,
                color=colour,
                alpha=0.6,
                markersize=5,
                markeredgewidth=0,
            )
    axes.set(xscale="log", xlim=(0.6, 9), ylim=(-0.04, 1.04))
    axes.set_xticks([1, 2, 4, 8], ["1", "2", "4", "8"])
    axes.minorticks_off()
    axes.set_xlabel("own item pays, communal 1", fontsize=10, color=INK)


def _elk(axes: Any) -> None:
    """The way of mean antlers and mean preference, and the line on which both would rest."""
    elk = find_population("irish_elk")
    for name, colour in ELK.items():
        width = elk.conditions[name].values(elk.knobs, {})[0].width
        ends = np.array([0.0, 17.0])
        axes.plot(ends, line("psychophysical", 1.0, width) * ends, color=colour, linewidth=1, linestyle="--")
        for seed in range(SEEDS):
            course = run(elk, name, seed)
            sign = np.sign(course.preference[60])
            axes.plot(sign * course.trait, sign * course.preference, color=colour, linewidth=1.2,
                      label=None if seed else f"{name}, slope {1 / width:g}")  # fmt: skip
    axes.set(xlim=(-0.5, 17), ylim=(-0.5, 4))
    axes.set_xlabel("antlers", fontsize=10, color=INK)
