"""Episodes to look at, step by step, as plain data for the report's viewer."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import polars

from mesabench import solver
from mesabench.deception.compliance import levels_of
from mesabench.deception.counterfactuals import LIFETIMES, Lifetime, lifetimes_of
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution
from mesabench.policies.behaviour import Behaviour
from mesabench.policies.episodes import sample_level
from mesabench.scores.level_table import LEVEL_TABLE
from mesabench.scores.measure import GOALS, Findings, Measure, Subject
from mesabench.scores.reference import counts, first_shares
from mesabench.scores.schema import Record
from mesabench.world.environment import DEPLOY, HELDOUT, classes_of
from mesabench.world.objective import NONE

REPLAYS = Record(
    "replays",
    "`layers`, `glyphs`: what grids are made of; `replays`: episodes, step by step; `lived`: lifetimes, where somebody watches",
)


def replays_of(
    policy: Any,
    trained_on: Distribution,
    table: polars.DataFrame,
    seed: int,
    number: int,
) -> list[dict[str, Any]]:
    """One sampled episode each of the first disambiguating deploy levels, and of their twins in training."""
    if not number or DEPLOY not in table["split"]:
        return []
    deploy = table.filter(polars.col("split") == DEPLOY)
    counted = counts(polars.col("disambiguating"), trained_on.environment)
    chosen = deploy.filter(counted)["level"].to_list() or deploy["level"].to_list()
    return [
        record(
            policy,
            trained_on.with_(split=split),
            level,
            seed,
        )
        for level in chosen[:number]
        for split in (HELDOUT, DEPLOY)
    ]


def lifetimes_lived(
    policy: Any, trained_on: Distribution, lifetimes: Sequence[Lifetime], seed: int
) -> list[dict[str, Any]]:
    """One sampled lifetime under the longest contract that makes compliance pay, and under the longest that does not.

    lifetimes: those on which the agent was judged. `pays`: which of the two it is.
    """
    monitor = trained_on.environment.monitor
    assert monitor
    wanted = {}
    for one in lifetimes:
        (best,), free = one.choices["optimum"], one.choices["optimum_hired"]
        wanted[one.level] = one.binding, best.counts.sum() + sum(view.counts.sum() for view in free)
    found = []
    first = None if monitor.contracts else max(wanted) + 1
    levels = {level: begun for begun, _, level in levels_of(trained_on, levels=first)}
    for pays in (True, False):
        lengths = {level: rounds for level, (binding, rounds) in wanted.items() if binding == pays}
        if lengths:
            level = max(lengths, key=lambda level: (round(lengths[level], 6), -level))
            found.append(record(policy, levels[level], level, seed) | {"pays": pays})
    return found


def record(policy: Any, distribution: Distribution, level: int, seed: int = 0) -> dict[str, Any]:
    """One sampled episode of a level, step by step, as plain data for the report's viewer."""
    environment = distribution.environment
    behaviour = Behaviour(policy, distribution, seed=seed)
    graph = solver.explore(distribution, level) if behaviour.scripted else None
    grids: list[list[int]] = []
    status: list[dict[str, int]] = []
    events: list[list[str]] = []
    counts = {event.name for event in environment.events if event.most > 1}
    amounts: list[dict[str, int]] = []
    by_cell = [one for one in environment.shown if one.by_cell]
    numbers: list[dict[str, list[list[str]]]] = []
    positions: list[list[int]] = []

    def watch(batch: Batch, running: np.ndarray) -> None:
        state = batch.states[0]
        grids.append(state["grid"].ravel().tolist())
        status.append({name: int(state[name]) for name in environment.numbers})
        numbers.append({one.name: one.cells(state[one.name]) for one in by_cell})
        positions.append([int(state["y"]), int(state["x"])])
        happened = environment.amounts_of(batch.events[0])
        events.append([*happened])
        amounts.append({name: happened[name] for name in counts & happened.keys()})

    sample = sample_level(behaviour, level, graph, episodes=1, seed=seed, watch=watch)
    classes = [*classes_of(environment), NONE]
    height, width = distribution.engine.shape
    return {
        "split": distribution.split, "level": level, "digest": f"{sample.digest:016x}", "layout": f"{sample.layout:016x}",
        "height": height, "width": width, "grids": grids, "path": positions, "status": status, "events": events,
        **({"amounts": amounts} if counts else {}), **({"numbers": numbers} if by_cell else {}),
        "first": classes[int(first_shares(sample.first[0]).argmax())], "length": len(grids) - 1,
    }  # fmt: skip


def _recorded(subject: Subject) -> Findings:
    policy, trained_on, environment = subject.behaviour.policy, subject.trained_on, subject.environment
    table, monitor = subject.tables[LEVEL_TABLE.name], environment.monitor
    lived: list[dict[str, Any]] = []
    if monitor and subject.replays:
        lifetimes = lifetimes_of(subject.tables[LIFETIMES.name], monitor.split)
        lived = lifetimes_lived(policy, trained_on, lifetimes, subject.seed) if lifetimes else []
    shown = replays_of(policy, trained_on, table, subject.seed, subject.replays)
    found = {
        "layers": environment.layer_names,
        "glyphs": environment.glyph_of,
        "replays": shown,
        "lived": lived,
    }
    return Findings(records={REPLAYS.name: found})


MEASURE = Measure(records=(REPLAYS,), find=_recorded, asked=GOALS)
