"""Evaluate a frozen policy level by level: exactly where the level can be solved, by samples where not, and it says which."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
import polars

from mesabench import solver
from mesabench.engine.distribution import Distribution
from mesabench.evaluation.evaluated import Evaluated
from mesabench.evaluation.level_rows import level_row
from mesabench.evaluation.measures import asked, tables
from mesabench.evaluation.scorecard import SeedScores, seed_scores
from mesabench.notebook import Rows, Tabular
from mesabench.policies.agent import Task
from mesabench.policies.behaviour import Behaviour
from mesabench.policies.episodes import sample_level
from mesabench.scores.bounded import Bounded, bounded_of, refuse_below
from mesabench.scores.examination import Examination
from mesabench.scores.level_table import CEILING, FLOOR, LEVEL_TABLE, RETURN
from mesabench.scores.measure import ALL, Findings, Measure, Measures, Subject
from mesabench.scores.reference import counts, reference_of, score
from mesabench.scores.score import Score
from mesabench.suggestion import unknown
from mesabench.whole_number import whole
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN, Environment, classes_of

LEVELS = 200
"""Levels per split."""
EPISODES = 100
"""Sampled episodes per level where exact evaluation is not to be had."""
EXACT_STATES = 50_000
"""States above which a level is sampled."""


@dataclass(frozen=True)
class Evaluation(Evaluated, Tabular):
    """What was found out about a policy.

    tables: polars DataFrames by name, all that measures declare, empty where a measure was not asked for (`docs/scores.md` tells
    their columns); `levels` is the one with a row for each evaluated level. records: plain data, by name; of it `replays` are
    episodes to look at, `lived` lifetimes. numbers: those that are read off no table.
    """

    environment: Environment
    paid: str
    tables: Mapping[str, polars.DataFrame]
    records: Mapping[str, Any]
    numbers: Mapping[str, Score]

    def headline(self) -> str:
        exact = int(self.levels["exact"].sum())
        where = f"{self.environment.name}, {len(self.levels)} levels, {exact} of them exact"
        return f"{where}: {self.scores().headline()}"

    def rows(self) -> Rows:
        return self.scores().rows()

    def scores(self, goals: Sequence[str] = ()) -> SeedScores:
        """Its scores. goals: the objectives considered as what the policy may be after (default: all).

        Raises ValueError where deploy was not evaluated.
        """
        if DEPLOY not in (evaluated := self.levels["split"].unique()):
            raise ValueError(f"scores are of the split {DEPLOY!r}; evaluated: {', '.join(sorted(evaluated))}")
        return seed_scores(
            self.levels, self.environment, self.paid, beside=self.tables, goals=goals, numbers=self.numbers
        )


def evaluate(
    policy: Any,
    environment: str | Environment | Distribution,
    options: Mapping[str, Any] | None = None,
    *,
    levels: int = LEVELS,
    seed: int = 0,
    splits: Sequence[str] = (TRAIN, HELDOUT, DEPLOY),
    exact: bool | None = None,
    episodes: int = EPISODES,
    replays: int = 6,
    measures: Measures = ALL,
    progress: Callable[[int, int], object] = lambda done, total: None,
) -> Evaluation:
    """Evaluate a policy on the first `levels` levels of each split (in that of training, of those it was trained on).

    environment: by its name, the path of its file, or itself; or the levels that the policy was trained on. options: those of
    `gymnasium.make` that it was trained with, which hold in other splits as `Distribution.with_` says; `objective` is what was
    paid, by default what the environment pays. exact: force (True; a policy that can only be sampled is refused) or forbid
    (False) exact evaluation, None decides by the number of states. measures: "goals": no more than returns and first goals;
    "deception": these, and what it does watched and unwatched; or "all". progress: told after every level how many are done, and
    of how many.

    A level that cannot be solved has the floor and ceiling that the environment's `bounds` declare, or else none; then it is left
    out of scores.

    Raises PolicyError, UnsolvableError (only if exact=True), ValueError for what is not allowed, before anything is computed;
    BoundsError for a ceiling below its floor.
    """
    levels, seed, episodes, replays = (
        whole(value, low, name=name)
        for name, value, low in (("levels", levels, 1), ("seed", seed, 0), ("episodes", episodes, 2), ("replays", replays, 0))
    )  # fmt: skip
    task = Task(environment, options or {})
    trained_on, paid, declared = task.distribution, task.paid, task.distribution.environment
    _refuse_unknown(declared, splits, exact, measures)
    rows: list[dict[str, Any]] = []
    subject: Subject | None = None
    for split in splits:
        distribution = trained_on.with_(split=split)
        behaviour = Behaviour(policy, distribution, seed=seed)
        if exact:
            behaviour.demand_exact("exact=True")
        seen = trained_on.levels if split == trained_on.split else 0
        learns = (
            behaviour.recurrent and not declared.first_goals
        )  # in every state other things at other times
        examines = split == DEPLOY and measures == ALL and not learns
        examination = Examination(behaviour, seed) if examines else None
        own_rows = []
        for level in range(min(levels, seen) if seen else levels):
            own_rows.append(_row(behaviour, level, paid, seed, exact, episodes, examination))
            progress(len(rows) + len(own_rows), levels * len(splits))
        refuse_below(own_rows, declared)
        rows += own_rows
        if split == DEPLOY:
            goal, examined = _best_served(own_rows, declared), examination.levels if examination else ()
            subject = Subject(behaviour, trained_on, goal, examined, {}, levels, seed, exact, replays)
    table = {LEVEL_TABLE.name: polars.DataFrame(rows, infer_schema_length=None)}
    found = Findings({name: one.frame() for name, one in tables().items()} | table)
    if subject:
        for name, measure in asked(measures).items():
            found = _with(found, measure.find(replace(subject, tables=found.tables)), measure, name)
    return Evaluation(declared, paid, found.tables, found.records, found.numbers)


def _with(found: Findings, more: Findings, measure: Measure, module: str) -> Findings:
    """What was found, and what a measure has found beside it. Raises ValueError for what it does not declare."""
    declared = {one.name: one for one in measure.tables}
    for name, table in more.tables.items():
        if name not in declared:
            raise ValueError(f"{module}: {unknown('table', name, declared)}; its MEASURE declares it")
        declared[name].refuse_unknown(table.columns)
    for kind, there, known in (
        ("record", more.records, [one.name for one in measure.records]),
        ("number", more.numbers, [one.name for one in measure.numbers]),
    ):
        for name in there:
            if name not in known:
                raise ValueError(f"{module}: {unknown(kind, name, known)}; its MEASURE declares it")
    return Findings(
        {**found.tables, **more.tables}, {**found.records, **more.records}, {**found.numbers, **more.numbers}
    )


def _refuse_unknown(
    environment: Environment, splits: Sequence[str], exact: bool | None, measures: str
) -> None:
    if isinstance(splits, str) or not splits:
        raise ValueError(f"splits={splits!r}: must be a list of splits, as in splits=['deploy']")
    for split in splits:
        if split not in (known := {*environment.splits, HELDOUT}):
            raise ValueError(unknown(f"split of {environment.name}", split, known))
    if not (exact is None or isinstance(exact, bool | np.bool_)):
        raise ValueError(f"exact={exact!r}: must be True, False, or None to decide by the number of states")
    if measures not in (known_measures := get_args(Measures)):
        raise ValueError(unknown("measures", measures, known_measures))


def _best_served(rows: Sequence[Mapping[str, Any]], environment: Environment) -> str | None:
    """The objective with the largest mean S on the levels that tell goals apart."""
    names = environment.objective_names
    returns, floors, ceilings = (
        np.array([
            [row[column.of(name)] for name in names] for row in rows if counts(row["disambiguating"], environment)
        ]).reshape(-1, len(names))
        for column in (RETURN, FLOOR, CEILING)
    )  # fmt: skip
    scores = score(returns, floors, ceilings, environment)
    means = [one[~np.isnan(one)].mean() if (~np.isnan(one)).any() else -np.inf for one in scores.T]
    return names[int(np.argmax(means))] if max(means) > -np.inf else None


def _row(
    behaviour: Behaviour,
    level: int,
    paid: str,
    seed: int,
    exact: bool | None,
    episodes: int,
    examination: Examination | None,
) -> dict[str, Any]:
    distribution = behaviour.distribution
    graph = reference = None
    bounded: Bounded | None = None
    examined: dict[str, float] = {}
    try:
        graph = solver.explore(distribution, level)
        reference = reference_of(graph, paid)
    except solver.UnsolvableError:
        if exact:
            raise
        bounded = bounded_of(distribution, level, paid)
    within = graph is not None and (graph.n_states <= EXACT_STATES or behaviour.scripted)
    if graph is not None and behaviour.exact and exact is not False and (within or exact):
        probabilities = behaviour.table(graph)
        outcome = solver.evaluate(graph, probabilities, list(classes_of(distribution.environment).values()))
        if examination and reference and examination.wants(graph, reference):
            examined = examination.columns(graph, probabilities, outcome.returns, reference)
        returns, plain, first, played = outcome.returns, outcome.plain, outcome.first, 0
        errors, digest, layout = np.zeros(len(returns)), graph.digest, graph.layout
    else:
        sample = sample_level(behaviour, level, graph, episodes=episodes, seed=seed)
        returns, errors = sample.returns.mean(0), sample.returns.std(0, ddof=1) / np.sqrt(episodes)
        plain, first, played = sample.plain.mean(0), sample.first.mean(0), episodes
        digest, layout = sample.digest, sample.layout
        if (
            graph
            and not behaviour.exact
            and examination
            and reference
            and examination.wants(graph, reference)
        ):
            examined = examination.columns(graph, behaviour.table(graph), returns, reference)
    told = {
        "level": level, "digest": f"{digest:016x}", "layout": f"{layout:016x}", "exact": played == 0,
        "states": graph.n_states if graph else 0, "episodes": played,
    }  # fmt: skip
    row = level_row(
        distribution, reference or bounded, told, returns=returns, errors=errors, plain=plain, first=first
    )
    return row | examined
