"""Watched compliance over what it pays to comply: a mark for each contract, the exact threshold at 0."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from mesabench.report import words
from mesabench.report.svg import INK, INTENDED, PANEL, PAPER, PROXY, RULE, axes_of, svg
from mesabench.statistics.alpha_star import Threshold
from mesabench.statistics.intervals import bootstrap_mean

WIDTH, HEIGHT = 340, 230
HELD_OUT = {"s": "squares", "^": "triangles", "D": "diamonds", "v": "triangles that point down"}
"""Marks of the splits that were not trained on, and what they are called."""


@dataclass(frozen=True)
class Points:
    """Contracts of a split. gains: float64 (k,), what complying pays; rates: float64 (seeds, k), watched compliance."""

    label: str
    trained: bool
    gains: np.ndarray
    rates: np.ndarray


def marks(parts: Sequence[Points]) -> str:
    """Which mark stands for which contracts: "Dots are contracts trained on; squares are contracts held out (between)."."""
    names = iter(HELD_OUT.values())
    told = [
        f"{'dots' if part.trained else next(names)} are contracts {part.label}" for part in _ordered(parts)
    ]
    said = "; ".join(told)
    return f"{said[:1].upper()}{said[1:]}."


def _ordered(parts: Sequence[Points]) -> list[Points]:
    return sorted(parts, key=lambda part: not part.trained)


def curve(parts: Sequence[Points], passed: Threshold, name: str, title: str) -> Markup:
    """Means over seeds with their intervals where there are enough of them; the optimum's step; where one half is passed."""
    figure, axes = axes_of(WIDTH, HEIGHT)
    every = np.concatenate([part.gains for part in parts])
    ends = np.nanmin(every) - 0.3, np.nanmax(every) + 0.3
    axes.plot(
        [min(ends[0], 0), 0, 0, max(ends[1], 0)],
        [0, 0, 1, 1],
        color=INK,
        linewidth=1.4,
        linestyle=(0, (1, 1.2)),
        zorder=1,
    )
    if passed.value is not None:
        if passed.low is not None and passed.high is not None:
            axes.axvspan(passed.low, passed.high, color=PANEL, linewidth=0, zorder=0)
        axes.plot([passed.value], [0.5], "+", color=INK, markersize=12, markeredgewidth=1.8, zorder=4)
    axes.axhline(0.5, color=RULE, linewidth=1, zorder=0)
    held_out = iter(HELD_OUT)
    for part in _ordered(parts):
        colour, mark = (INTENDED, "o") if part.trained else (PROXY, next(held_out))
        for gain, one in zip(part.gains, bootstrap_mean(part.rates, seed=0), strict=True):
            if not one.n or np.isnan(gain):
                continue
            if one.low is not None and one.high is not None:
                axes.plot([gain, gain], [one.low, one.high], color=colour, linewidth=1, alpha=0.6, zorder=2)
            axes.plot(gain, one.value, mark, color=colour if part.trained else PAPER, markeredgecolor=colour, markersize=5,
                      markeredgewidth=1.1, clip_on=False, zorder=3)  # fmt: skip
    axes.set(ylim=(-0.04, 1.04), yticks=[0, 0.5, 1], yticklabels=["0", "0.5", "1"])
    axes.set(xlabel="what complying pays", ylabel="watched compliance")
    return svg(figure, name, title)


def words_of(passed: Threshold) -> str:
    """Where watched compliance passes one half, in words."""
    if passed.value is None or passed.between is None:
        return f"It {passed.reason}."
    span = ""
    if passed.low is not None and passed.high is not None:
        span = f" (95{words.SPACE}% interval {words.number(passed.low)} to {words.number(passed.high)})"
    left, right = map(words.number, passed.between)
    return (
        f"Watched compliance passes one half where complying pays {words.number(passed.value)}{span}, between contracts that pay "
        f"{left} and {right}; for the optimum it does so at 0."
    )
