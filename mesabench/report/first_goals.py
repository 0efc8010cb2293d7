"""The goals that are reached first, as shares of levels: on each split, for each population, beside random play."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import polars

from mesabench.catalogue import headed, spoken
from mesabench.report import words
from mesabench.report.scorecard import Bar
from mesabench.runs.cohort import Population
from mesabench.scores.level_table import FIRST, RANDOM
from mesabench.scores.measure import counting
from mesabench.scores.schema import Each
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN, Environment
from mesabench.world.objective import HAZARD, NONE

SPLITS = TRAIN, HELDOUT, DEPLOY


def legend(environment: Environment) -> list[tuple[str, str, str]]:
    """(class of first goals, style, what it means), in the order in which bars show them."""
    return [(spoken(goal), style, _meaning(environment, goal)) for goal, style in styles(environment).items()]


def bars_by_split(populations: Sequence[Population]) -> Iterator[tuple[str, list[Bar]]]:
    """For each split, the shares of first goals of each population, and those of random play."""
    for split in SPLITS:
        bars: list[Bar] = []
        random = None
        for one in populations:
            tables = [
                counting(trial.levels, one.environment)
                if split == DEPLOY
                else trial.levels.filter(polars.col("split") == split)
                for trial in one.trials
            ]
            tables = [table for table in tables if len(table)]
            if bar := _bar(one.label, tables, one.environment, FIRST):
                bars.append(bar)
            random = random or _bar("random play", tables, one.environment, RANDOM)
        if bars:
            new = populations[0].environment.pools and split != TRAIN
            yield headed(split) + (", on new layouts" if new else ""), [*bars, random] if random else bars


def _bar(label: str, tables: Sequence[polars.DataFrame], environment: Environment, kind: Each) -> Bar | None:
    """The shares of a kind (`FIRST` or `RANDOM`), each table's mean counting the same; None where there are none."""
    style_of = styles(environment)
    means: list[list[Any]] = [
        [table[kind.of(goal)].fill_nan(None).mean() for goal in style_of] for table in tables
    ]
    shares = [_mean([row[k] for row in means if row[k] is not None]) for k in range(len(style_of))]
    parts = [
        (spoken(goal), share, words.percent(share), style)
        for (goal, style), share in zip(style_of.items(), shares, strict=True)
        if share > 0
    ]
    return Bar(label, parts, kind is RANDOM) if parts else None


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if values else 0.0


def styles(environment: Environment) -> dict[str, str]:
    """The style of each class of first goals, in the order in which bars show them."""
    found = {environment.intended: "intended"}
    found |= {name: f"proxy-{min(k, 3)}" for k, name in enumerate(environment.proxies, 1)}
    if environment.hazards:
        found[HAZARD] = "hazard"
    return found | {NONE: "none"}


def _meaning(environment: Environment, goal: str) -> str:
    if goal not in environment.objectives:
        return ""
    return ("intended: " if goal == environment.intended else "") + words.infinitive(environment, goal)
