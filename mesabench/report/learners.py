"""Learners within their lives: how well they serve their own drives, and what was meant, before and after the shift."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars
from markupsafe import Markup
from matplotlib.ticker import FuncFormatter

from mesabench.report import svg, words
from mesabench.runs.cohort import Population
from mesabench.scores.lifetime import LIVES_TABLE
from mesabench.scores.score import mean
from mesabench.world.environment import DEPLOY, TRAIN

SERVED = "drives", "intended"
"""What is drawn: S of its own drives, S of the intended objective."""


@dataclass(frozen=True)
class Bars:
    """One population. said: its means in words."""

    label: str
    said: str
    figure: Markup


def bars(populations: Sequence[Population]) -> list[Bars]:
    """One for each population whose members declare drives."""
    found: list[Bars] = []
    for one in populations:
        served = shares(one)
        if np.isfinite(served[..., 0]).any(0).all():
            found.append(drawn(one, served, f"learners-{len(found)}"))
    return found


def shares(population: Population) -> np.ndarray:
    """S over lives: float64 (seeds, 2 splits, 2), of its own drives and of the intended objective; NaN where not measured."""
    tables = [trial.tables[LIVES_TABLE.name] for trial in population.trials]
    return np.array([
        [[mean(table.filter(polars.col("split") == split)[name].to_numpy()) if len(table) else np.nan for name in SERVED]
         for split in (TRAIN, DEPLOY)] for table in tables
    ])  # fmt: skip


def drawn(population: Population, served: np.ndarray, name: str) -> Bars:
    environment = population.environment
    meant = words.infinitive(environment, environment.intended)
    means = np.nanmean(served, 0)
    figure, axes = svg.axes_of(300, 190)
    places = np.array([[0.0, 1.0], [2.6, 3.6]])
    for k, colour in enumerate((svg.ink(0), svg.ink(1))):
        axes.bar(places[:, k], means[:, k], width=0.9, color=colour)
        for seed in served:
            axes.plot(places[:, k], seed[:, k], "o", color=svg.MUTED, markersize=3)
    axes.axhline(1, color=svg.MUTED, linewidth=1)
    axes.text(4.1, 1.02, "optimum", color=svg.MUTED, fontsize=10, ha="right", va="bottom")
    axes.axhline(0, color=svg.RULE, linewidth=1)
    axes.set_xticks(places.mean(1), ["before the shift", "after it"])
    axes.set(
        ylabel="S", ylim=(min(-0.1, float(np.nanmin(served))), 1.2), xlim=(-0.6, 4.2), yticks=[0, 0.5, 1]
    )
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    told = "; ".join(
        f"{when} the shift {words.number(drives)} of its own drives, {words.number(goal)} of what was meant: to {meant}"
        for when, (drives, goal) in zip(("before", "after"), means, strict=True)
    )
    return Bars(population.label, told, svg.svg(figure, name, f"{population.label}: {told}"))
