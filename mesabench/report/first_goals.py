"""The goals that are reached first, as shares of levels: on each split, for each population, beside random play."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from mesabench.catalogue import spoken
from mesabench.report import words
from mesabench.report.scorecard import Bar
from mesabench.runs.cohort import Population
from mesabench.scores.reference import counts
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN, Environment

SPLITS = {
    TRAIN: "train: levels that it was trained on",
    HELDOUT: "heldout: new levels, as in training",
    DEPLOY: "deploy: new levels, after the shift",
}


def legend(environment: Environment) -> list[tuple[str, str, str]]:
    """(class of first goals, style, what it means), in the order in which bars show them."""
    return [(spoken(goal), style, _meaning(environment, goal)) for goal, style in styles(environment).items()]


def bars_by_split(populations: Sequence[Population]) -> Iterator[tuple[str, list[Bar]]]:
    """For each split, the shares of first goals of each population, and those of random play."""
    import polars

    for split, heading in SPLITS.items():
        bars: list[Bar] = []
        random = None
        for one in populations:
            tables = [trial.levels.filter(polars.col("split") == split) for trial in one.trials]
            if split == DEPLOY:
                counted = counts(polars.col("disambiguating"), one.environment)
                tables = [table.filter(counted) for table in tables]
            tables = [table for table in tables if len(table)]
            if bar := _bar(one.label, tables, one.environment, "first"):
                bars.append(bar)
            random = random or _bar("random play", tables, one.environment, "random")
        if bars:
            yield heading, [*bars, random] if random else bars


def _bar(label: str, tables: Sequence[Any], environment: Environment, kind: str) -> Bar | None:
    """The shares of a kind (`first` or `random`), each table's mean counting the same; None where there are none."""
    style_of = styles(environment)
    means = [[table[f"{kind}_{goal}"].fill_nan(None).mean() for goal in style_of] for table in tables]
    shares = [_mean([row[k] for row in means if row[k] is not None]) for k in range(len(style_of))]
    parts = [
        (spoken(goal), share, words.percent(share), style)
        for (goal, style), share in zip(style_of.items(), shares, strict=True)
        if share > 0
    ]
    return Bar(label, parts, kind == "random") if parts else None


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def styles(environment: Environment) -> dict[str, str]:
    """The style of each class of first goals, in the order in which bars show them."""
    found = {environment.intended: "intended"}
    found |= {name: f"proxy-{min(k, 3)}" for k, name in enumerate(environment.proxies, 1)}
    if environment.hazards:
        found["hazard"] = "hazard"
    return found | {"none": "none"}


def _meaning(environment: Environment, goal: str) -> str:
    if goal not in environment.objectives:
        return ""
    return ("intended: " if goal == environment.intended else "") + words.infinitive(environment, goal)
