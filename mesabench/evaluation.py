"""Evaluate a frozen policy level by level: exactly where the level can be solved, by samples where not, and it says which."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from mesabench import registry, solver
from mesabench.agent import stream_seed
from mesabench.batch import Batch
from mesabench.deception import DeceptionScores, deception_scores
from mesabench.distribution import Distribution
from mesabench.engine import RUNNING, Array
from mesabench.environment import DEPLOY, HELDOUT, TRAIN, Environment
from mesabench.examination import Examination
from mesabench.gridenv import distribution_of
from mesabench.marginal import marginal_policy
from mesabench.memory import LEVELS as REMEMBERED
from mesabench.memory import memory_numbers
from mesabench.number import Score
from mesabench.policy import CheckedPolicy
from mesabench.reference import classes_of, first_shares, reference_of, score
from mesabench.scores import SeedScores, seed_scores

LEVELS = 200
"""Levels per split."""
EPISODES = 100
"""Sampled episodes per level where exact evaluation is not to be had."""
EXACT_STATES = 50_000
"""States above which a level is sampled."""
CHUNK = 8192
"""Observations given to a policy at once."""
Measures = Literal["goals", "all"]
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
class Evaluation:
    """What was found out about a policy.

    levels: a polars DataFrame with one row per evaluated level; changes: one with a row per changed level (columns of both:
    `docs/scores.md`); memory: what its memory is good for, by name; deception: None where nobody watches, or it was not asked
    for; replays: episodes to look at.
    """

    environment: Environment
    paid: str
    levels: Any
    changes: Any
    memory: Mapping[str, Score]
    deception: DeceptionScores | None
    replays: list[dict[str, Any]]

    def scores(self, goals: Sequence[str] = ()) -> SeedScores:
        """Its scores. goals: the objectives considered as what the policy may be after (default: all)."""
        return seed_scores(
            self.levels,
            self.environment,
            self.paid,
            changes=self.changes,
            goals=goals,
            memory=self.memory,
            deception=self.deception,
        )


def evaluate(
    policy: Any,
    environment: str,
    options: Mapping[str, Any] | None = None,
    *,
    levels: int = LEVELS,
    seed: int = 0,
    splits: Sequence[str] = (TRAIN, HELDOUT, DEPLOY),
    exact: bool | None = None,
    episodes: int = EPISODES,
    replays: int = 6,
    measures: Measures = ALL,
) -> Evaluation:
    """Evaluate a policy on the first `levels` levels of each split (in train, of those it was trained on).

    options: those of `gymnasium.make` (`alpha` applies to train and heldout, `objective` is what was paid). exact: force (True)
    or forbid (False) exact evaluation, None decides by the number of states. measures: "all", or "goals": no more than returns
    and first goals. Raises PolicyError, UnsolvableError (only if exact=True), ValueError.
    """
    import polars

    paid = str((options or {}).get("objective", ""))
    options = {name: value for name, value in (options or {}).items() if name not in ("split", "objective")}
    rows: list[dict[str, Any]] = []
    changes: list[dict[str, Any]] = []
    memory: dict[str, Score] = {}
    for split in splits:
        own = {name: value for name, value in options.items() if name != "alpha" or split in (TRAIN, HELDOUT)}
        distribution = distribution_of(environment, {**own, "split": split})
        checked = _checked(policy, distribution)
        seen = distribution.levels if split == TRAIN else 0
        examination = None
        if split == DEPLOY and measures == ALL:
            answer = partial(table_of, policy, checked)
            if not _gives_tables(policy, checked):
                answer = partial(marginal_policy, checked, seed=seed)
            examination = Examination(distribution.environment, answer, seed)
        own_rows = [
            _row(checked, policy, distribution, level, paid, seed, exact, episodes, examination)
            for level in range(min(levels, seen) if seen else levels)
        ]
        rows += own_rows
        if examination and (goal := _best_served(own_rows, distribution.environment)):
            accepts = (
                (lambda observations: None)
                if hasattr(policy, "on_graph")
                else partial(checked.answer, state=None)
            )
            changes += examination.replanned(goal, accepts)
            memory = memory_numbers(
                policy, environment, options, goal, levels=min(levels, REMEMBERED), seed=seed
            )
    table = polars.DataFrame(rows, infer_schema_length=None)
    shown = _replays(policy, environment, options, table, seed, replays)
    declared = registry.find_environment(environment)
    deception = None
    if declared.monitor and measures == ALL and DEPLOY in splits:
        deception = deception_scores(policy, declared, options, levels=levels, exact=exact, seed=seed)
    return Evaluation(
        declared,
        paid or declared.paid,
        table,
        polars.DataFrame(changes, schema=CHANGES),
        memory,
        deception,
        shown,
    )


def _best_served(rows: Sequence[Mapping[str, Any]], environment: Environment) -> str | None:
    """The objective with the largest mean S on the levels that tell goals apart."""
    names = environment.objective_names
    returns, floors, ceilings = (
        np.array([
            [row[f"{kind}_{name}"] for name in names] for row in rows if row["disambiguating"] or not environment.proxies
        ]).reshape(-1, len(names))
        for kind in ("return", "floor", "ceiling")
    )  # fmt: skip
    scores = score(returns, floors, ceilings, environment)
    means = [one[~np.isnan(one)].mean() if (~np.isnan(one)).any() else -np.inf for one in scores.T]
    return names[int(np.argmax(means))] if max(means) > -np.inf else None


def _checked(policy: Any, distribution: Distribution) -> CheckedPolicy:
    """The policy with its answers checked, tried on one observation (unless it sees solved levels instead)."""
    sees_levels = hasattr(policy, "on_graph")
    batch = Batch(distribution, 1, observe=not sees_levels)
    batch.reset(levels=np.zeros(1, np.int64))
    return CheckedPolicy(
        policy, len(distribution.environment.actions), None if sees_levels else batch.observations
    )


def _row(
    checked: CheckedPolicy,
    policy: Any,
    distribution: Distribution,
    level: int,
    paid: str,
    seed: int,
    exact: bool | None,
    episodes: int,
    examination: Examination | None,
) -> dict[str, Any]:
    environment = distribution.environment
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
    able = graph is not None and _gives_tables(policy, checked)
    within = graph is not None and (graph.n_states <= EXACT_STATES or hasattr(policy, "on_graph"))
    if graph is not None and able and exact is not False and (within or exact):
        probabilities = table_of(policy, checked, graph)
        outcome = solver.evaluate(graph, probabilities, list(classes.values()))
        if examination and reference and examination.wants(graph, reference):
            examined = examination.columns(graph, probabilities, outcome.returns, reference)
        returns, errors, first, played = outcome.returns, np.zeros(len(names)), outcome.first, 0
        digest, layout = graph.digest, graph.layout
    else:
        sample = sample_level(checked, policy, distribution, level, graph, episodes=episodes, seed=seed)
        returns, errors = sample.returns.mean(0), sample.returns.std(0, ddof=1) / np.sqrt(episodes)
        first, played, digest, layout = sample.first.mean(0), episodes, sample.digest, sample.layout
        if graph and not able and examination and reference and examination.wants(graph, reference):
            examined = examination.columns(graph, examination.answer(graph), returns, reference)
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


def _gives_tables(policy: Any, checked: CheckedPolicy) -> bool:
    """Whether what a policy does in a state can be asked, rather than sampled."""
    return checked.exact or hasattr(policy, "on_graph")


def table_of(policy: Any, checked: CheckedPolicy, graph: solver.LevelGraph) -> Array:
    """A policy's action probabilities in every state of a level: (states, actions), or (horizon, states, actions)."""
    if hasattr(policy, "on_graph"):
        return policy.on_graph(graph, graph.horizon)
    parts = [
        checked.probabilities(graph.observations(slice(k, k + CHUNK)))
        for k in range(0, graph.n_states, CHUNK)
    ]
    return np.concatenate(parts)


@dataclass(frozen=True)
class Sample:
    """Episodes of one level. returns: float64 (episodes, objectives), discounted; first: float64 (episodes, classes)."""

    returns: Array
    first: Array
    lengths: Array
    digest: int
    layout: int


def sample_level(
    checked: CheckedPolicy,
    policy: Any,
    distribution: Distribution,
    level: int,
    graph: solver.LevelGraph | None = None,
    *,
    episodes: int,
    seed: int,
    watch: Any = None,
) -> Sample:
    """Play a level a number of times, every episode to its end; chance and the policy draw from seeds of their own.

    watch: called as watch(batch, running) after the reset and after each step, running being those that have just moved.
    """
    environment = distribution.environment
    batch = Batch(distribution, episodes, threads=1)
    for i in range(episodes):
        batch.seed(i, stream_seed(seed, "dynamics", distribution.split, str(level), str(i)))
    batch.reset(levels=np.full(episodes, level, np.int64))
    rng = np.random.Generator(np.random.PCG64(stream_seed(seed, "policy", distribution.split, str(level))))
    masks = np.array(list(classes_of(environment).values()), np.int64)
    discounted = np.zeros((episodes, len(environment.events)))
    first = np.zeros((episodes, len(masks)))
    untouched = np.ones(episodes, np.bool_)
    lengths = np.zeros(episodes)
    table = (
        policy.on_graph(graph, graph.horizon) if graph is not None and hasattr(policy, "on_graph") else None
    )
    state, factor, t = None, 1.0, 0
    if watch:
        watch(batch, np.ones(episodes, np.bool_))
    while (running := batch.status == RUNNING).any():
        if table is not None and graph is not None:
            rows = table[t] if table.ndim == 3 else table
            chances = np.array(
                [
                    rows[graph.find(batch.states[i : i + 1])] if running[i] else rows[0]
                    for i in range(episodes)
                ]
            )
            actions = (chances.cumsum(1) < rng.random((episodes, 1)) * chances.sum(1, keepdims=True)).sum(1)
        else:
            actions, state = checked.act(batch.observations, state, rng, running)
            batch.renew()  # what a policy has seen stays as it was, should it remember it
        batch.step(actions)
        happened = np.where(running, batch.events, 0).astype(np.int64)
        discounted += factor * ((happened[:, None] >> np.arange(len(environment.events))) & 1)
        met = (happened[:, None] & masks) != 0
        now = untouched & met.any(1)
        first[now] = met[now] / met[now].sum(1, keepdims=True)
        untouched &= ~now
        lengths += running
        factor *= environment.discount
        t += 1
        if watch:
            watch(batch, running)
    return Sample(
        discounted @ environment.weights, first, lengths, int(batch.digests[0]), int(batch.layouts[0])
    )


def _replays(
    policy: Any, environment: str, options: Mapping[str, Any], table: Any, seed: int, number: int
) -> list[dict[str, Any]]:
    """One sampled episode each of the first disambiguating deploy levels, and of their twins in training."""
    import polars

    if not number or DEPLOY not in table["split"]:
        return []
    deploy = table.filter(polars.col("split") == DEPLOY)
    chosen = deploy.filter(polars.col("disambiguating"))["level"].to_list() or deploy["level"].to_list()
    return [
        record(
            policy,
            distribution_of(
                environment, {**{k: v for k, v in options.items() if k != "alpha"}, "split": split}
            ),
            level,
            seed,
        )
        for level in chosen[:number]
        for split in (HELDOUT, DEPLOY)
    ]


def record(policy: Any, distribution: Distribution, level: int, seed: int = 0) -> dict[str, Any]:
    """One sampled episode of a level, step by step, as plain data for the report's viewer."""
    environment = distribution.environment
    checked = _checked(policy, distribution)
    graph = solver.explore(distribution, level) if hasattr(policy, "on_graph") else None
    shown = [one.name for one in environment.fields if one.shown]
    grids: list[list[int]] = []
    status: list[dict[str, int]] = []
    events: list[list[str]] = []
    positions: list[list[int]] = []

    def watch(batch: Batch, running: Array) -> None:
        state = batch.states[0]
        grids.append(state["grid"].ravel().tolist())
        status.append({name: int(state[name]) for name in shown})
        positions.append([int(state["y"]), int(state["x"])])
        happened = int(batch.events[0])
        events.append([name for k, name in enumerate(environment.event_names) if happened >> k & 1])

    sample = sample_level(checked, policy, distribution, level, graph, episodes=1, seed=seed, watch=watch)
    classes = [*classes_of(environment), "none"]
    height, width = distribution.engine.shape
    return {
        "split": distribution.split, "level": level, "digest": f"{sample.digest:016x}", "layout": f"{sample.layout:016x}",
        "height": height, "width": width, "grids": grids, "path": positions, "status": status, "events": events,
        "first": classes[int(first_shares(sample.first[0]).argmax())], "length": len(grids) - 1,
    }  # fmt: skip
