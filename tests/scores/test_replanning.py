"""PLAN: the optimum plans anew, a memory does not."""

from typing import Any

import numpy as np
import pytest

from mesabench import solver
from mesabench.agents.memoriser import Memoriser
from mesabench.agents.oracle import Oracle
from mesabench.agents.random import RandomPolicy
from mesabench.engine.distribution import distribution_of
from mesabench.evaluation.evaluation import evaluate
from mesabench.policies.behaviour import Behaviour
from mesabench.scores.attribution import sample_episode
from mesabench.scores.fitted_device import fitted
from mesabench.scores.replanning import HABITS, changes, larger_of, replan
from mesabench.solver.graph import LevelGraph, explore, explore_state


@pytest.fixture(scope="module")
def graph() -> LevelGraph:
    return explore(distribution_of("cheese_corner", {"split": "deploy"}), 0)


def test_every_kind_of_change_changes_one_thing(graph: LevelGraph) -> None:
    environment = graph.environment
    optimal = solver.optimal_policy(graph, "cheese")
    states = [0]
    while (after := graph.successor[4 * states[-1] + optimal[len(states) - 1, states[-1]].argmax()]) >= 0:
        states.append(int(after))
    start = graph.states(np.array([0]))
    kinds = set()
    for kind, changed in changes(graph, "cheese", np.array(states), np.random.default_rng(0)):
        kinds.add(kind)
        before, now = start["grid"][0].astype(int), changed["grid"][0].astype(int)
        differ = np.argwhere(before != now)
        assert len(differ) == (1 if kind == "blocked way" else 2)
        for layer in environment.layers:
            assert ((now & int(layer)) != 0).sum() == ((before & int(layer)) != 0).sum() + (
                kind == "blocked way" and layer == environment.wall
            )
        other = explore_state(graph.distribution, 0, changed)
        assert other.digest != graph.digest
        assert other.horizon == graph.horizon
    assert kinds == {"blocked way", "moved goal", "moved start"}


def test_a_goal_that_cannot_be_seen_is_not_moved(graph: LevelGraph) -> None:
    kinds = {kind for kind, _ in changes(graph, "corner", np.array([0]), np.random.default_rng(0))}
    assert "moved goal" not in kinds


def rows(policy: Any, graph: LevelGraph, goal: str) -> list[dict[str, Any]]:
    behaviour, rng = Behaviour(policy, graph.distribution), np.random.default_rng(0)
    habits = [sample_episode(graph, behaviour.table(graph), rng) for _ in range(HABITS)]
    device = fitted([(graph, one) for one in habits], graph.n_actions)
    return list(replan(graph, behaviour, goal, None, rng, habits, device))


def test_the_optimum_plans_anew_and_a_memory_replays() -> None:
    distribution = distribution_of("cheese_dish", {"split": "deploy"})
    for level in range(4):
        graph = explore(distribution, level)
        found = rows(Oracle("cheese"), graph, "cheese")
        assert found
        assert all(row["index"] == pytest.approx(1) for row in found)
        assert all(row["habit"] <= row["policy"] <= row["optimum"] + 1e-9 for row in found)
    memory = Memoriser(("up", "left", "down", "right") * 4)
    habits = [
        row["index"] for level in range(12) for row in rows(memory, explore(distribution, level), "cheese")
    ]
    assert np.mean(habits) < 0.2


def test_larger_grids_are_for_those_who_can_look_at_them() -> None:
    distribution = distribution_of("cheese_corner", {"split": "deploy"})

    shapes = []

    def refuses(observations: np.ndarray) -> np.ndarray:
        if observations.shape[2:] == (11, 11):
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
        return looks(observations)

    def looks(observations: np.ndarray) -> np.ndarray:
        shapes.append(observations.shape[2:])
        assert (observations.sum((0, 2, 3))[1:] >= 1).all()  # a cheese and a mouse, as in every level
        return np.full((len(observations), 4), 0.25)

    assert larger_of(Behaviour(refuses, distribution)) is None
    larger = larger_of(Behaviour(looks, distribution))
    assert shapes[-1] == (11, 11)
    assert larger is not None
    assert larger.own_knobs.size == distribution.own_knobs.size + 2
    absent = distribution_of("absent_supervisor", {"split": "deploy"})
    assert larger_of(Behaviour(RandomPolicy(4), absent)) is None
    one_size = distribution_of("safe_interruptibility", {"split": "published"})
    assert larger_of(Behaviour(RandomPolicy(4), one_size)) is None


def test_the_same_seed_examines_the_same_way() -> None:
    tables = [
        evaluate(Oracle("cheese"), "cheese_corner", levels=3, splits=("deploy",), replays=0) for _ in range(2)
    ]
    assert tables[0].levels.equals(tables[1].levels)
    assert tables[0].tables["changes"].equals(tables[1].tables["changes"])
