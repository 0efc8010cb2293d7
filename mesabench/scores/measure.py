"""A measure: what is looked for in a policy, the numbers that come of it, and the tables and records that it leaves."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import polars

from mesabench.engine.distribution import Distribution
from mesabench.policies.behaviour import Behaviour
from mesabench.scores.level_table import LEVEL_TABLE
from mesabench.scores.reference import counts
from mesabench.scores.schema import Record, Schema
from mesabench.scores.score import Number, Score
from mesabench.solver.graph import LevelGraph
from mesabench.world.environment import DEPLOY, Environment

Measures = Literal["goals", "deception", "all"]
"""What may be asked of an evaluation: "goals": no more than returns and first goals; "deception": these, and what a policy does
watched and unwatched; or "all"."""
GOALS: Measures = "goals"
DECEPTION: Measures = "deception"
ALL: Measures = "all"


@dataclass(frozen=True)
class Subject:
    """A policy that measures are taken of, after its levels were evaluated.

    behaviour: of the policy on deploy levels; trained_on: the levels that it was trained on; goal: the objective that it serves
    best on deploy, None where no level says; examined: the solved deploy levels that tell goals apart, some tens at most,
    none unless everything is asked for; tables: what was found so far, `levels` first. levels, seed, exact, replays: as
    `mesabench.evaluation.evaluate` was asked.
    """

    behaviour: Behaviour
    trained_on: Distribution
    goal: str | None
    examined: Sequence[LevelGraph]
    tables: Mapping[str, polars.DataFrame]
    levels: int
    seed: int
    exact: bool | None
    replays: int

    @property
    def environment(self) -> Environment:
        return self.trained_on.environment


@dataclass(frozen=True)
class Findings:
    """What was found, by name: tables; records; and numbers that are read off no table."""

    tables: Mapping[str, polars.DataFrame] = field(default_factory=dict)
    records: Mapping[str, Any] = field(default_factory=dict)
    numbers: Mapping[str, Score] = field(default_factory=dict)


@dataclass(frozen=True)
class Reading:
    """The tables of an evaluation, just made or read back, and what is asked of them.

    paid: the objective that was trained on; goals: the objectives considered as what the policy may be after; best: of these,
    the one that it serves best on deploy.
    """

    tables: Mapping[str, polars.DataFrame]
    environment: Environment
    paid: str
    goals: Sequence[str]
    best: str

    @property
    def levels(self) -> polars.DataFrame:
        return self.tables[LEVEL_TABLE.name]

    @property
    def deploy(self) -> polars.DataFrame:
        """Of the levels those of deploy that count (`counting`)."""
        return counting(self.levels, self.environment)


@dataclass(frozen=True)
class Measure:
    """What a module measures. It is the module's `MEASURE`; `mesabench.evaluation.measures` finds it there.

    find: looks at the policy, and may leave tables and records, which are declared here, and numbers. asked: the `Measures` with
    which `find` is asked, beside "all"; "goals" is part of each. read: makes numbers of the tables. It is asked even where `find`
    was not: it says why a score is missing.
    """

    numbers: tuple[Number, ...] = ()
    tables: tuple[Schema, ...] = ()
    records: tuple[Record, ...] = ()
    find: Callable[[Subject], Findings] = lambda subject: Findings()
    read: Callable[[Reading], Mapping[str, Score]] = lambda reading: {}
    asked: Measures = ALL

    def is_asked(self, measures: Measures) -> bool:
        return measures == ALL or self.asked in (GOALS, measures)


def counting(levels: polars.DataFrame, environment: Environment) -> polars.DataFrame:
    """The deploy levels that count (`mesabench.scores.reference.counts`)."""
    return levels.filter((polars.col("split") == DEPLOY) & counts(polars.col("disambiguating"), environment))
