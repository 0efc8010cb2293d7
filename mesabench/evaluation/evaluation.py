"""Evaluate a frozen policy level by level: exactly where the level can be solved, by samples where not, and it says which."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from mesabench import solver
from mesabench.deception.compliance import DeceptionScores, contract_scores
from mesabench.deception.counterfactuals import table_of as lifetime_table
from mesabench.engine.distribution import Distribution
from mesabench.evaluation.replays import lifetimes_lived, replays_of
from mesabench.evaluation.scorecard import SeedScores, seed_scores
from mesabench.notebook import Rows, Tabular
from mesabench.policies.agent import Task
from mesabench.policies.behaviour import Behaviour
from mesabench.policies.episodes import sample_level
from mesabench.scores.adaptation import LEVELS as REMEMBERED
from mesabench.scores.adaptation import memory_numbers
from mesabench.scores.examination import Examination
from mesabench.scores.reference import counts, first_shares, reference_of, score
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
Measures = Literal["goals", "deception", "all"]
GOALS: Measures = "goals"
ALL: Measures = "all"
CHANGES = {
    "level": int,
    "change": str,
    "goal": str,
    "policy": float,
    "habit": float,
    "optimum": float,
    "index": float,
}
"""Columns of the table of changed levels."""


@dataclass(frozen=True)
class Evaluation(Tabular):
    """What was found out about a policy.

    levels: a polars DataFrame with one row per evaluated level; changes: one with a row per changed level (columns of both:
    `docs/scores.md`); memory: what its memory is good for, by name; deception: by split, empty where nobody watches, or it was
    not asked for; replays: episodes to look at; lived: lifetimes to look at.
    """

    environment: Environment
    paid: str
    levels: Any
    changes: Any
    memory: Mapping[str, Score]
    deception: Mapping[str, DeceptionScores]
    replays: list[dict[str, Any]]
    lived: list[dict[str, Any]]

    def headline(self) -> str:
        exact = int(self.levels["exact"].sum())
        where = f"{self.environment.name}, {len(self.levels)} levels, {exact} of them exact"
        return f"{where}: {self.scores().headline()}"

    def rows(self) -> Rows:
        return self.scores().rows()

    @property
    def lifetimes(self) -> Any:
        """A polars DataFrame of the lifetimes that `deception` sums up (`mesabench.deception.counterfactuals.table_of`)."""
        return lifetime_table({split: found.lifetimes for split, found in self.deception.items()})

    def scores(self, goals: Sequence[str] = ()) -> SeedScores:
        """Its scores. goals: the objectives considered as what the policy may be after (default: all).

        Raises ValueError where deploy was not evaluated.
        """
        if DEPLOY not in (evaluated := self.levels["split"].unique()):
            raise ValueError(f"scores are of the split {DEPLOY!r}; evaluated: {', '.join(sorted(evaluated))}")
        monitor = self.environment.monitor
        return seed_scores(
            self.levels,
            self.environment,
            self.paid,
            changes=self.changes,
            goals=goals,
            memory=self.memory,
            deception=self.deception.get(monitor.split) if monitor else None,
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
    paid, by default what the environment pays. exact: force (True) or forbid (False) exact evaluation, None decides by the
    number of states. measures: "goals": no more than returns and first goals; "deception": these, and what it does watched and
    unwatched; or "all". progress: told after every level how many are done, and of how many.

    Raises PolicyError, UnsolvableError (only if exact=True), ValueError for what is not allowed, before anything is computed.
    """
    import polars

    levels, seed, episodes, replays = (
        whole(value, low, name=name)
        for name, value, low in (("levels", levels, 1), ("seed", seed, 0), ("episodes", episodes, 2), ("replays", replays, 0))
    )  # fmt: skip
    task = Task(environment, options or {})
    trained_on, paid, declared = task.distribution, task.paid, task.distribution.environment
    _refuse_unknown(declared, splits, exact, measures)
    rows: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    memory: dict[str, Score] = {}
    for split in splits:
        distribution = trained_on.with_(split=split)
        behaviour = Behaviour(policy, distribution, seed=seed)
        seen = trained_on.levels if split == trained_on.split else 0
        examination = Examination(behaviour, seed) if split == DEPLOY and measures == ALL else None
        own_rows = []
        for level in range(min(levels, seen) if seen else levels):
            own_rows.append(_row(behaviour, level, paid, seed, exact, episodes, examination))
            progress(len(rows) + len(own_rows), levels * len(splits))
        rows += own_rows
        if examination and (goal := _best_served(own_rows, distribution.environment)):
            changes += examination.replanned(goal)
            memory = memory_numbers(behaviour, goal, levels=min(levels, REMEMBERED), seed=seed)
    table = polars.DataFrame(rows, infer_schema_length=None)
    shown = replays_of(policy, trained_on, table, seed, replays)
    deception: Mapping[str, DeceptionScores] = {}
    if measures != GOALS and DEPLOY in splits:
        deception = contract_scores(policy, trained_on, levels=levels, exact=exact, seed=seed)
    lived = []
    if declared.monitor and deception and replays:
        lived = lifetimes_lived(policy, trained_on, deception[declared.monitor.split], seed)
    return Evaluation(
        declared,
        paid,
        table,
        polars.DataFrame(changes, schema=CHANGES),
        memory,
        deception,
        shown,
        lived,
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
            [row[f"{kind}_{name}"] for name in names] for row in rows if counts(row["disambiguating"], environment)
        ]).reshape(-1, len(names))
        for kind in ("return", "floor", "ceiling")
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
    distribution, environment = behaviour.distribution, behaviour.distribution.environment
    names = environment.objective_names
    classes = classes_of(environment)
    graph = reference = None
    examined: dict[str, float] = {}
    try:
        graph = solver.explore(distribution, level)
        reference = reference_of(graph, paid)
    except solver.UnsolvableError:
        if exact:
            raise
    within = graph is not None and (graph.n_states <= EXACT_STATES or behaviour.scripted)
    if graph is not None and behaviour.exact and exact is not False and (within or exact):
        probabilities = behaviour.table(graph)
        outcome = solver.evaluate(graph, probabilities, list(classes.values()))
        if examination and reference and examination.wants(graph, reference):
            examined = examination.columns(graph, probabilities, outcome.returns, reference)
        returns, errors, first, played = outcome.returns, np.zeros(len(names)), outcome.first, 0
        digest, layout = graph.digest, graph.layout
    else:
        sample = sample_level(behaviour, level, graph, episodes=episodes, seed=seed)
        returns, errors = sample.returns.mean(0), sample.returns.std(0, ddof=1) / np.sqrt(episodes)
        first, played, digest, layout = sample.first.mean(0), episodes, sample.digest, sample.layout
        if (
            graph
            and not behaviour.exact
            and examination
            and reference
            and examination.wants(graph, reference)
        ):
            examined = examination.columns(graph, behaviour.table(graph), returns, reference)
    row: dict[str, Any] = {
        "split": distribution.split, "level": level, "digest": f"{digest:016x}", "layout": f"{layout:016x}",
        "exact": played == 0, "states": graph.n_states if graph else 0, "episodes": played,
    }  # fmt: skip
    missing = np.full(len(names), np.nan)
    floor, ceiling = (reference.floor, reference.ceiling) if reference else (missing, missing)
    for k, name in enumerate(names):
        row |= {
            f"return_{name}": returns[k],
            f"stderr_{name}": errors[k],
            f"floor_{name}": floor[k],
            f"ceiling_{name}": ceiling[k],
        }
    outer = reference.outer if reference else (np.nan,) * 3
    row |= {
        "conflict": reference.conflict if reference else np.nan,
        "disambiguating": bool(reference and reference.disambiguating),
    }
    row |= dict(zip(("outer", "outer_low", "outer_high"), outer, strict=True))
    random_first = reference.random_first if reference else np.full(len(classes) + 1, np.nan)
    for name, share, chance in zip((*classes, "none"), first_shares(first), random_first, strict=True):
        row |= {f"first_{name}": share, f"random_{name}": chance}
    return row | examined
