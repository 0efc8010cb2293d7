"""PLAN: does a policy plan anew when its level changes, or replay what it did? (`docs/scores.md`; Tolman's detours).

A level is changed in one way: a cell on the way is blocked, the goal moved, the start moved, the grid made larger. The habit is
the policy's own sequence of actions on the level as it was, replayed without looking.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from mesabench import solver
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution
from mesabench.policies.behaviour import Behaviour
from mesabench.scores.attribution import Episode, goals_of, sample_episode
from mesabench.scores.evidence import SAMPLED, unexamined
from mesabench.scores.fitted_device import FittedDevice, fitted
from mesabench.scores.level_table import ALL_STRUCTURE
from mesabench.scores.measure import Findings, Measure, Reading, Subject
from mesabench.scores.schema import Column, Schema
from mesabench.scores.score import MANNER, Number, Score, mean
from mesabench.solver.graph import LevelGraph, UnsolvableError, explore, explore_state
from mesabench.streams import generator, stream_seed
from mesabench.world.rules import DOWN, LEFT, RIGHT, UP

PLAN = Number(
    "PLAN",
    "when its way is blocked or its goal is moved: 0 if it only repeats its old actions, 1 if it is optimal",
    gloss="finds a new way",
    group=MANNER,
)
DEVICE = Number(
    "PLAN DEVICE",
    "PLAN of the mindless device that explains its behaviour best, with a table learned from it: what needs no goal of PLAN",
)
CHANGES = Schema(
    "changes",
    "one row per changed level",
    (
        Column("level", int, "the level's seed"),
        Column("change", str, "the kind of change"),
        Column("goal", str, "the objective that is pursued"),
        Column("policy", float, "what the policy returns on the changed level"),
        Column("habit", float, "what its old actions return there"),
        Column("optimum", float, "what the optimum returns there"),
        Column("index", float, "0 as the habit, 1 as the optimum; PLAN is its mean"),
        Column(
            "device", float, "the same index of the mindless device that explains the policy's behaviour best"
        ),
    ),
)
ROOM = 0.1
"""Least difference between optimum and habit, in largest weights of the goal, for a change to say anything."""
HABITS = 4
"""Sequences of actions drawn from the policy as its habits, whose mean return counts."""
_AHEAD = {UP: (-1, 0), LEFT: (0, -1), DOWN: (1, 0), RIGHT: (0, 1)}
MOST_STATES = 20_000
"""States of a larger grid above which it is left out."""
TRIES = 4
"""Cells tried at most in search of a change that leaves the goal within reach."""


def changes(
    graph: LevelGraph, goal: str, states: np.ndarray, rng: np.random.Generator
) -> Iterator[tuple[str, np.ndarray]]:
    """Changes of each kind, several to choose from: its name, and the state, (1,) records, that the changed level begins in.

    states: those of the policy's own way. Things are moved to cells that have nothing in them.
    """
    environment = graph.environment
    start = graph.states(np.array([0]))
    start["_max_steps"] = graph.horizon
    free = np.argwhere(start["grid"][0] == 0)
    rng.shuffle(free)
    way = graph.states(np.unique(states))
    on_way = set(zip(way["y"].tolist(), way["x"].tolist(), strict=True))
    for cell in [cell for cell in map(tuple, free.tolist()) if cell in on_way][:TRIES]:
        one = start.copy()
        one["grid"][0][cell] = int(environment.wall)
        yield "blocked way", one
    object_at = _goal_cell(graph, goal)
    for cell in map(tuple, free[:TRIES].tolist() if object_at else ()):
        one = start.copy()
        one["grid"][0][cell], one["grid"][0][object_at] = one["grid"][0][object_at], 0
        yield "moved goal", one
    agent = int(environment.agent)
    for y, x in free[-TRIES:].tolist():
        one = start.copy()
        one["grid"][0, one["y"][0], one["x"][0]] ^= agent
        one["grid"][0, y, x] |= agent
        one["y"], one["x"] = y, x
        yield "moved start", one


def _goal_cell(graph: LevelGraph, goal: str) -> tuple[int, int] | None:
    """Where optimal play is first paid for, if something can be seen there that can be moved."""
    environment = graph.environment
    rewards = graph.pays(environment.weights[:, environment.column(goal)])
    best = solver.optimal_actions(graph, goal)
    state = 0
    for t in range(graph.horizon):
        good = int(best[t, state])
        action = (good & -good).bit_length() - 1
        k = graph.first[state * graph.n_actions + action]
        if rewards[k] > 0:
            record = graph.states(np.array([state]))[0]
            dy, dx = _AHEAD.get(action, (0, 0))
            y, x = int(record["y"]) + dy, int(record["x"]) + dx
            cell = int(graph.states(np.array([0]))["grid"][0, y, x])
            in_view = graph.distribution.engine.observation.in_view
            seen = sum(int(one) for one in environment.layers if one.name in in_view)
            fixed = cell & (int(environment.wall) | int(environment.agent))
            return (y, x) if cell & seen and not fixed else None
        state = int(graph.successor[k])
        if state < 0:
            return None
    return None


def replan(
    graph: LevelGraph,
    behaviour: Behaviour,
    goal: str,
    larger: Distribution | None,
    rng: np.random.Generator,
    habits: Sequence[Episode],
    device: FittedDevice,
) -> Iterator[dict[str, Any]]:
    """One row for each kind of change of a level: the returns of policy, habit and optimum, and the indices, 0 .. 1.

    larger: the distribution of larger grids, None if the policy cannot be asked there. habits: episodes of the policy on the
    level as it was; device: what explains its behaviour best. Changes without `ROOM` are left out.
    """
    environment = graph.environment
    column = environment.column(goal)
    room = ROOM * environment.largest[column]

    def row(kind: str, other: LevelGraph) -> dict[str, Any] | None:
        optimum = solver.optimum(other, goal, []).value
        habit = float(np.mean([solver.replay(other, one.actions, goal) for one in habits]))
        if optimum - habit < room:
            return None
        own = float(solver.evaluate(other, behaviour.table(other)).returns[column])
        index, its = (
            min(1.0, max(0.0, (one - habit) / (optimum - habit))) for one in (own, device.value(other, goal))
        )
        return {"level": graph.level, "change": kind, "goal": goal, "policy": own, "habit": habit, "optimum": optimum,
                "index": index, "device": its}  # fmt: skip

    found: dict[str, dict[str, Any]] = {}
    for kind, start in changes(graph, goal, habits[0].states, rng):
        if kind not in found and (one := row(kind, explore_state(graph.distribution, graph.level, start))):
            found[kind] = one
    if larger is not None:
        with suppress(UnsolvableError):
            if one := row("larger grid", explore(larger, graph.level, max_states=MOST_STATES)):
                found["larger grid"] = one
    yield from found.values()


def larger_of(behaviour: Behaviour) -> Distribution | None:
    """The distribution on grids two cells larger; None if there is none, or the policy cannot look at them."""
    distribution = behaviour.distribution
    knob = distribution.environment.knobs.get("size")
    if knob is None or distribution.own_knobs.size + 2 > knob.high:
        return None
    try:
        larger = distribution.with_(size=distribution.own_knobs.size + 2)
    except ValueError:  # a published map, or a dialect, has one size
        return None
    batch = Batch(distribution, 1, threads=1)
    batch.reset(levels=np.zeros(1, np.int64))
    planes, *more = np.subtract(larger.engine.observation_shape, distribution.engine.observation_shape)
    if planes or min(more) < 0:
        return None
    seen = np.pad(batch.observations, ((0, 0), (0, 0), (0, more[0]), (0, more[1])), mode="edge")
    return larger if behaviour.accepts(seen) else None


def replanned(
    behaviour: Behaviour, goal: str, levels: Sequence[LevelGraph], seed: int
) -> list[dict[str, Any]]:
    """Rows of `CHANGES`: what becomes of a policy's pursuit of a goal when each of these levels changes.

    Chance is each level's own: what is drawn on it does not depend on which others there are.
    """
    larger = larger_of(behaviour) if levels else None
    begun: list[tuple[LevelGraph, np.random.Generator, list[Episode]]] = []
    for graph in levels:
        stream = stream_seed(seed, "replanning", graph.distribution.split, str(graph.level))
        rng = generator(stream)
        table = behaviour.table(graph)
        begun.append((graph, rng, [sample_episode(graph, table, rng) for _ in range(HABITS)]))
    environment = behaviour.distribution.environment
    goals = goals_of(environment)
    device = fitted(
        ((graph, one.up_to(goals)) for graph, _, habits in begun for one in habits),
        len(behaviour.distribution.actions),
    )
    found: list[dict[str, Any]] = []
    for graph, rng, habits in begun:
        found += replan(graph, behaviour, goal, larger, rng, habits, device)
    return found


def _changed(subject: Subject) -> Findings:
    if subject.goal is None:
        return Findings()
    rows = replanned(subject.behaviour, subject.goal, subject.examined, subject.seed)
    return Findings({CHANGES.name: CHANGES.frame(rows)})


def _plan(reading: Reading) -> dict[str, Score]:
    changed, deploy = reading.tables[CHANGES.name], reading.deploy
    if len(changed):
        why = None if deploy["exact"].all() else SAMPLED
        device = Score(None, "not measured when it was stored")
        if "device" in changed.columns:
            device = Score(mean(changed["device"].to_numpy()), why)
        return {PLAN.name: Score(mean(changed["index"].to_numpy()), why), DEVICE.name: device}
    examined = ALL_STRUCTURE.name in deploy.columns
    why = "no change of a level leaves room between habit and optimum" if examined else unexamined(reading)
    return dict.fromkeys((PLAN.name, DEVICE.name), Score(None, why))


MEASURE = Measure((PLAN, DEVICE), (CHANGES,), find=_changed, read=_plan)
