"""The alpha curve: what agents go for, over the share of shifted levels in their training."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup

from mesabench.evaluation.verdict import GATE
from mesabench.report import words
from mesabench.report.svg import INK, INTENDED, MUTED, PANEL, PROXY, axes_of, svg
from mesabench.runs.cohort import Population, sweeps
from mesabench.statistics.alpha_star import Threshold, positions, threshold
from mesabench.statistics.fitted_curve import Fit, fitted
from mesabench.statistics.intervals import Interval

WIDTH, HEIGHT = 360, 270
SCORES = ("TRAINED", "COMP", "TRUE", "PROXY")
STYLES = {"TRUE": (INTENDED, "-", "o"), "PROXY": (PROXY, (0, (5, 1.5)), "^")}
MOST = 0.8
"""Share of seeds that must have learned their task, or the point of the curve comes with a warning (`docs/scores.md`)."""
POINTS = 80
"""Of the fitted curve."""
ROOM = 0.09
"""Share of the axis that the label of an alpha takes."""


@dataclass(frozen=True)
class Sweep:
    """A panel. agent: with its steps, where there are sweeps of several budgets; finding: alpha* in words; figure: None without
    scores; rows: for each alpha the number of seeds, and `SCORES` with their intervals.
    """

    environment: str
    title: str
    agent: str
    finding: str
    figure: Markup | None
    rows: Sequence[tuple[str, str, Sequence[tuple[str, str]]]]


def panels(populations: Sequence[Population]) -> list[Sweep]:
    found = sweeps(populations)
    kin = Counter((sweep[0].environment.name, sweep[0].agent) for sweep in found)
    panels = []
    for k, sweep in enumerate(found):
        first = sweep[0]
        several = kin[first.environment.name, first.agent] > 1  # as where the budget of training varies
        steps = words.short_count(first.trials[0].trial.steps)
        panels.append(
            _panel(sweep, f"alpha-{k}", f"{first.agent}, {steps} steps" if several else first.agent)
        )
    return panels


def _panel(sweep: Sequence[Population], name: str, agent: str) -> Sweep:
    environment = sweep[0].environment
    scores = [[seed.scores["TRUE"].number for seed in one.seeds] for one in sweep]
    alphas = [one.alpha for one in sweep]
    passed, fit = threshold(alphas, scores, seed=0), fitted(alphas, scores, seed=0)
    title = environment.title.partition(":")[0]
    untrained = [f"{one.alpha:g}" for one in sweep if one.card.trained < MOST]
    said = finding(passed, fit)
    if untrained:
        said += f" Beware: at alpha = {words.listing(untrained)} too few agents learned their task (TRAINED below {GATE:g})."
    ends = "; ".join(
        f"alpha {one.alpha:g}: "
        + ", ".join(f"{score} {words.interval(one.card.scores[score])}" for score in STYLES)
        for one in (sweep[0], sweep[-1])
    )
    rows = [
        (
            f"{one.alpha:g}",
            words.plural(len(one.seeds), "seed"),
            [_told(one.card.scores[score]) for score in SCORES],
        )
        for one in sweep
    ]
    scored = any(one.card.scores[score].n for one in sweep for score in STYLES)
    figure = None if not scored else _curve(sweep, passed, fit, name, f"{title}, {agent}. {said} {ends}")
    return Sweep(environment.name, title, agent, said, figure, rows)


def _told(one: Interval) -> tuple[str, str]:
    return (words.number(one.value), words.span(one, "\N{EN DASH}")) if one.n else ("n/a", "")


def finding(one: Threshold, fit: Fit) -> str:
    """alpha* in words: that between two tested alphas, and that of a curve through all of them."""
    if one.value is None or one.between is None:
        return f"There is no alpha*: {one.reason}."
    left, right = one.between
    said = f"alpha* is {one.value:.2g}{_interval(one)}: between the tested {left:g} and {right:g}."
    if fit.value is None:
        return f"{said} There is no fitted curve: {fit.reason}."
    said += f" A logistic curve through all of them gives {fit.value:.2g}{_interval(fit)}"
    return f"{said}; it is as steep as the tested alphas can tell." if fit.no_finer else f"{said}."


def _interval(one: Threshold) -> str:
    return (
        "" if one.low is None else f" (95{words.SPACE}% interval over seeds {one.low:.2g} to {one.high:.2g})"
    )


def _curve(sweep: Sequence[Population], passed: Threshold, fit: Fit, name: str, title: str) -> Markup:
    figure, axes = axes_of(WIDTH, HEIGHT)
    alphas = [one.alpha for one in sweep]
    x = positions(alphas)
    if passed.value is not None:
        if passed.low is not None and passed.high is not None:
            axes.axvspan(*np.log([passed.low, passed.high]), color=PANEL, linewidth=0)
        axes.axvline(np.log(passed.value), color=INK, linewidth=1.2, linestyle=(0, (1, 1.2)))
        axes.text(
            np.log(passed.value),
            1.06,
            f"alpha* {passed.value:.2g}",
            ha="center",
            va="bottom",
            color=INK,
            fontsize=12,
        )
    if fit.value is not None:
        places = np.linspace(x[0], x[-1], POINTS)
        axes.plot(places, fit.curve(np.exp(places)), color=INK, linewidth=0.9)
    for score, (colour, dash, marker) in STYLES.items():
        intervals = [one.card.scores[score] for one in sweep]
        for place, one in zip(x, sweep, strict=True):
            seeds = [value for seed in one.seeds if (value := seed.scores[score].value) is not None]
            axes.plot(
                [place] * len(seeds), seeds, marker, color=colour, markersize=4, alpha=0.3, markeredgewidth=0
            )
        low, high = (
            np.array([(one.low, one.high) for one in intervals], np.float64).reshape(-1, 2).T
        )  # None becomes NaN
        axes.fill_between(x, low, high, color=colour, alpha=0.18, linewidth=0)
        axes.plot(x, [one.value for one in intervals], color=colour, linestyle=dash, marker=marker, markersize=6, linewidth=1.8,
                  markeredgewidth=0)  # fmt: skip
    _mark(axes, alphas, x)
    axes.set(ylim=(-0.04, 1.04), yticks=[0, 0.5, 1], yticklabels=["0", "0.5", "1"])
    axes.set(xlabel="alpha: share of shifted levels in training")
    return svg(figure, name, title)


def _mark(axes: Any, alphas: Sequence[float], x: np.ndarray) -> None:
    """A tick for each alpha, and a label where there is room: 0 and powers of ten first. Dots where the scale leaves off at 0."""
    room = ROOM * (x[-1] - x[0])
    order = sorted(
        range(len(x)),
        key=lambda k: (alphas[k] not in (0, 1), abs(np.log10(alphas[k] or 1)) % 1 > 1e-9, -x[k]),
    )
    named: list[int] = []
    for k in order:
        if all(abs(x[k] - x[other]) > room for other in named):
            named.append(k)
    axes.set_xticks(
        x, [f"{alpha:g}".replace("0.", ".") if k in named else "" for k, alpha in enumerate(alphas)]
    )
    axes.set_xlim(x[0] - room / 2, x[-1] + room / 2)
    if alphas[0] == 0:
        axes.text((x[0] + x[1]) / 2, -0.04, "//", ha="center", va="center", color=MUTED, fontsize=11)
