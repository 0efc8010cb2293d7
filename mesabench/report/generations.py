"""Evolution over generations: what animals came to want, and what that led to, with a line where the world changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars
from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from mesabench.catalogue import spoken
from mesabench.evolution.drives import DRIVES
from mesabench.evolution.learner import GENE, RETURN
from mesabench.evolution.lineage import GENERATION
from mesabench.report import svg, words
from mesabench.runs.cohort import Population
from mesabench.runs.trial_folder import StoredTrial

POINTS = 60
"""Generations that are drawn, at most."""
PANEL = 300, 125
"""Width and height of one panel, in CSS pixels."""


@dataclass(frozen=True)
class Course:
    """One population. said: what is drawn, in words."""

    label: str
    said: str
    figure: Markup


def courses(populations: Sequence[Population]) -> list[Course]:
    """One for each population whose trials tell of drives by generation."""
    found: list[Course] = []
    for one in populations:
        tables = [curve for trial in one.trials if len(curve := told(trial)) > 1]
        if tables:
            found.append(drawn(one, tables, f"generations-{len(found)}"))
    return found


def told(trial: StoredTrial) -> polars.DataFrame:
    """What the training of an animal told, a row for each generation; empty where there are none, or no genes of drives."""
    curve = trial.curve
    known = {GENERATION, *(f"{GENE}{sense}" for sense in DRIVES)} <= set(curve.columns)
    return curve.filter(polars.col(GENERATION).is_not_null()) if known else curve.clear()


def shift_of(population: Population) -> int:
    """The generation from which its world is another, 0 for never."""
    return int(population.trials[0].trial.settings.get("shift") or 0)


def drawn(population: Population, tables: Sequence[polars.DataFrame], name: str) -> Course:
    environment = population.environment
    goals = (environment.intended, *environment.proxies[:1])
    figure = svg.figure_of(PANEL[0], PANEL[1] * (1 + len(goals)), layout="constrained")
    panels = figure.subplots(1 + len(goals), 1, sharex=True)
    for k, sense in enumerate(DRIVES):
        for seed, table in enumerate(tables):
            line(
                panels[0],
                table,
                f"{GENE}{sense}",
                svg.ink(k),
                svg.DASHES[k % len(svg.DASHES)],
                faint=seed > 0,
            )
    panels[0].set(ylabel="weight", ylim=(-1.05, 1.05), yticks=[-1, 0, 1])
    panels[0].axhline(0, color=svg.RULE, linewidth=1)
    for axes, goal in zip(panels[1:], goals, strict=True):
        for table in tables:
            line(axes, table, f"{RETURN}{goal}", svg.INK, "-")
        axes.set(ylabel=spoken(goal), ylim=(min(0.0, axes.get_ylim()[0]), None))
        axes.yaxis.set_major_locator(MaxNLocator(3))
    changes = shift_of(population)
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.spines[["left", "bottom"]].set_color(svg.MUTED)
        axes.tick_params(colors=svg.MUTED, labelcolor=svg.INK, labelsize=11, length=3)
        axes.yaxis.label.set(color=svg.INK, fontsize=12)
        if changes:
            axes.axvline(changes, color=svg.MUTED, linewidth=1)
    if changes:
        panels[0].text(
            changes, 1, " world changes", color=svg.MUTED, fontsize=10, va="bottom",
            transform=panels[0].get_xaxis_transform(),
        )  # fmt: skip
    panels[-1].set(xlim=(0, None))
    panels[-1].set_xlabel("generation", color=svg.INK, fontsize=12)
    panels[-1].xaxis.set_major_locator(MaxNLocator(4, integer=True))
    said = in_words(tables, changes)
    return Course(population.label, said, svg.svg(figure, name, f"{population.label}: {said}"))


def line(
    axes: Any, table: polars.DataFrame, column: str, colour: str, dashes: object, faint: bool = False
) -> None:
    rows = np.unique(np.linspace(0, len(table) - 1, min(POINTS, len(table))).astype(int))
    x, y = (table[name].to_numpy().astype(float)[rows] for name in (GENERATION, column))
    axes.plot(x, y, color=colour, linestyle=dashes, linewidth=1 if faint else 1.4, alpha=0.5 if faint else 1)


def in_words(tables: Sequence[polars.DataFrame], changes: int) -> str:
    """The drives at the end, means over seeds, and before the world changed if it did."""

    def at(row: int) -> str:
        weights = (float(np.mean([table[f"{GENE}{sense}"][row] for table in tables])) for sense in DRIVES)
        return ", ".join(f"{sense} {words.number(one)}" for sense, one in zip(DRIVES, weights, strict=True))

    last = f"in generation {min(len(table) for table in tables)}: {at(-1)}"
    return f"before the world changes {at(changes)}; {last}" if changes else last
