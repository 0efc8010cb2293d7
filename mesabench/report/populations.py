"""Population models on the page: what came of every condition beside its control, and how it came about, over generations."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import MaxNLocator

from mesabench.evolution.model import Outcomes
from mesabench.report import svg
from mesabench.report.headline import Headline
from mesabench.report.words import plural
from mesabench.runs.replicate import StoredReplicate, outcomes_of
from mesabench.tables import Table
from mesabench.world.population import SHIFT

POINTS = 60
"""Generations of a run that are drawn, at most."""
OWN, CONTROL = 0, 1
"""Colours of a condition and of its control."""


@dataclass(frozen=True)
class Curves:
    """One condition: figures of its columns over generations, a line a seed, its control's in another colour."""

    condition: str
    shows: str
    control: str
    figures: Sequence[tuple[str, Markup]]


@dataclass(frozen=True)
class Section:
    """One model. remarks: what makes runs say little."""

    name: str
    title: str
    knobs: str
    table: Table
    legend: Table
    curves: Sequence[Curves]
    remarks: Sequence[str]


def values(replicates: Sequence[StoredReplicate], only: bool) -> dict[str, Any]:
    """For the template; nothing without replicates. only: the run has nothing else, so that they make its headline."""
    with svg.as_delivered():
        sections = [section(*one) for one in outcomes_of(replicates)]
    if not sections:
        return {}
    told = {"lineages": sections, "lineage_keys": [(svg.colour(k), svg.dash(k)) for k in (OWN, CONTROL)]}
    if only:
        models = plural(len(sections), "population model")
        told["headline"] = Headline(f"{models}: nobody is trained, and who leaves children decides.")
    return told


def section(outcomes: Outcomes, stored: dict[str, list[StoredReplicate]]) -> Section:
    model = outcomes.model
    compared = [name for name in stored if model.conditions[name].control in stored]
    return Section(
        name=model.name,
        title=model.title,
        knobs=", ".join(f"{name}={value}" for name, value in outcomes.knobs.items()),
        table=outcomes.table(),
        legend=outcomes.legend(),
        curves=[
            curves(outcomes, stored, name)
            for name in compared
            if all(len(one.generations) for one in stored[name])
        ],
        remarks=[f"{name}: {said}" for name, lines in outcomes.remarks.items() for said in lines],
    )


def curves(outcomes: Outcomes, stored: dict[str, list[StoredReplicate]], name: str) -> Curves:
    condition = outcomes.model.conditions[name]
    columns = [one for one in stored[name][0].generations.columns if one != "generation"][:2]
    world, _ = condition.values(outcomes.model.knobs, outcomes.knobs)
    changes = getattr(world, SHIFT, 0)
    figures = []
    for k, column in enumerate(columns):
        figure, axes = svg.axes_of(300, 170)
        for colour, of in ((CONTROL, condition.control), (OWN, name)):
            for one in stored[of]:
                if column in one.generations.columns:
                    x, y = (one.generations[part].to_numpy().astype(float) for part in ("generation", column))
                    # the last generation that lives is always there, so that an end is seen where it is
                    there = np.flatnonzero(np.isfinite(y))
                    shown = np.unique(
                        there[np.linspace(0, len(there) - 1, min(POINTS, len(there))).astype(int)]
                    )
                    axes.plot(
                        x[shown], y[shown], color=svg.ink(colour), linewidth=1, linestyle=svg.DASHES[colour]
                    )
        if changes:
            axes.axvline(changes, color=svg.MUTED, linewidth=1)
            axes.text(
                changes,
                1,
                " world changes",
                color=svg.MUTED,
                fontsize=10,
                va="top",
                transform=axes.get_xaxis_transform(),
            )
        axes.set(xlabel="generation", ylabel=column, xlim=(0, None))
        axes.xaxis.set_major_locator(MaxNLocator(3))
        axes.yaxis.set_major_locator(MaxNLocator(3))
        key = f"lineage-{outcomes.model.name}-{name.replace('.', '-')}-{k}"
        title = f"{outcomes.model.name}, {name}: {column} over generations, beside {condition.control}"
        figures.append((column, svg.svg(figure, key, title)))
    return Curves(name, condition.shows, condition.control, figures)
