"""A fitted device is one of the devices, and what it collects is what its episodes collect."""

import numpy as np
import pytest

from mesabench import solver
from mesabench.agents.constant import ConstantPolicy
from mesabench.agents.oracle import Oracle
from mesabench.agents.reflex import Reflex
from mesabench.engine.distribution import distribution_of
from mesabench.policies.agent import Task
from mesabench.policies.policy import PolicyError
from mesabench.registry import find_agent
from mesabench.scores.attribution import goals_of, sample_episode, walls_around
from mesabench.scores.fitted_device import FittedDevice, fitted
from mesabench.solver.graph import LevelGraph


@pytest.fixture(scope="module")
def graphs() -> list[LevelGraph]:
    levels = distribution_of("cheese_corner", {"split": "deploy"})
    return [solver.explore(levels, level) for level in range(12)]


def learned(policy: Reflex | Oracle, graphs: list[LevelGraph]) -> FittedDevice:
    rng, goals = np.random.default_rng(0), goals_of(graphs[0].environment)
    tables = [policy.on_graph(graph, graph.horizon) for graph in graphs]
    return fitted(
        [(g, sample_episode(g, table, rng).up_to(goals)) for g, table in zip(graphs, tables, strict=True) for _ in range(8)],
        graphs[0].n_actions,
    )  # fmt: skip


def test_a_device_learns_a_reflex_and_gets_as_far_as_it(graphs: list[LevelGraph]) -> None:
    reflex = Reflex(("up", "left"))
    device = learned(reflex, graphs)
    assert device.name == "walls"
    own = [solver.evaluate(g, reflex.on_graph(g, g.horizon)).returns[1] for g in graphs]
    its = [device.value(g, "corner") for g in graphs]
    assert np.mean(its) > 0.7 * np.mean(own)
    assert np.mean(its) > 3 * np.mean([device.value(g, "far_corner") for g in graphs])


def test_a_goal_that_moves_about_is_beyond_a_device(graphs: list[LevelGraph]) -> None:
    device, new = learned(Oracle("cheese"), graphs[:6]), graphs[6:]
    its = np.mean([device.value(g, "cheese") for g in new])
    floor = np.mean([solver.evaluate(g, solver.uniform_policy(g)).returns[0] for g in new])
    ceiling = np.mean([solver.optimum(g, "cheese", []).value for g in new])
    assert (its - floor) / (ceiling - floor) < 0.5


def test_what_a_device_collects_is_exact(graphs: list[LevelGraph]) -> None:
    """Of one that minds the walls alone there is a table of the level's states, which the solver evaluates."""
    device, graph = learned(Reflex(("up", "left")), graphs), graphs[0]
    table = np.array([device.probabilities(one) for one in walls_around(graph, np.arange(graph.n_states))])
    assert device.value(graph, "corner") == pytest.approx(solver.evaluate(graph, table).returns[1], abs=1e-12)
    for name in ("uniform", "constant"):
        counts = {0: np.array([0.0, 9.0, 0.0, 0.0])} if name == "constant" else {}
        one = FittedDevice(name, counts, 4)
        even = np.tile(one.probabilities(0), (graph.n_states, 1))
        assert one.value(graph, "corner") == pytest.approx(solver.evaluate(graph, even).returns[1], abs=1e-12)
    straight = ConstantPolicy(1, 4)(np.zeros((graph.n_states, 1)))
    last = FittedDevice("last action", {one: np.array([0.0, 1e9, 0.0, 0.0]) for one in range(-1, 4)}, 4)
    assert last.value(graph, "corner") == pytest.approx(solver.evaluate(graph, straight).returns[1], abs=1e-6)


def test_a_reflex_goes_where_there_is_no_wall_and_names_its_directions(graphs: list[LevelGraph]) -> None:
    graph = graphs[0]
    odds = Reflex(("up", "left")).on_graph(graph, graph.horizon)
    np.testing.assert_allclose(odds.sum(1), 1)
    stays = graph.successor.reshape(-1, 4) == np.arange(graph.n_states)[:, None]
    assert not (odds[stays] > 0).any()  # it runs into no wall
    at_choice = ~stays[:, :2].all(1)
    assert not odds[at_choice, 2:].any()
    agent = find_agent("reflex")
    with pytest.raises(ValueError, match="did you mean 'up'"):
        agent.train(
            Task("cheese_corner"), agent.parse_settings({"directions": "upp"}), 0, lambda steps, columns: None
        )
    with pytest.raises(PolicyError, match="direction"):
        Reflex(("stay",)).on_graph(graph, graph.horizon)
