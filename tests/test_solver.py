"""The solver against the environment it claims to solve, and against itself."""

import numpy as np
import pytest

from mesabench import registry, solver
from mesabench.gridenv import GridEnv, distribution_of

NAMES = sorted(registry.environments())
SPLITS = ("train", "deploy")


def graph_of(name: str, split: str, level: int = 0) -> solver.LevelGraph:
    return solver.explore(distribution_of(name, {"split": split}), level)


def collected(graph: solver.LevelGraph, objective: str, episodes: int) -> np.ndarray:
    """Discounted returns that the greedy optimal policy collects through Gymnasium."""
    env = GridEnv(graph.environment, split=graph.distribution.split, objective=objective)
    policy = solver.optimal_policy(graph, objective)
    returns = np.zeros(episodes)
    for episode in range(episodes):
        env.reset(seed=episode, options={"level": graph.level})
        t, over = 0, False
        while not over:
            state = graph.find(env.batch.states[0])
            _, reward, terminated, truncated, _ = env.step(int(policy[t, state].argmax()))
            returns[episode] += graph.environment.discount**t * reward
            t, over = t + 1, terminated or truncated
    return returns


@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("name", NAMES)
def test_the_solved_value_is_what_optimal_play_collects(name: str, split: str) -> None:
    for level in range(3):
        graph = graph_of(name, split, level)
        for objective in graph.environment.objectives:
            value = solver.optimum(graph, objective).value
            if graph.deterministic:
                assert collected(graph, objective, 1)[0] == pytest.approx(value, abs=1e-9)
            elif level == 0:
                returns = collected(graph, objective, 400)
                assert abs(returns.mean() - value) <= 4 * returns.std() / 20 + 1e-9


@pytest.mark.parametrize("name", NAMES)
def test_evaluating_the_optimal_policy_gives_the_optimum(name: str) -> None:
    graph = graph_of(name, "deploy", 1)
    for k, objective in enumerate(graph.environment.objectives):
        best = solver.optimum(graph, objective)
        outcome = solver.evaluate(graph, solver.optimal_policy(graph, objective))
        np.testing.assert_allclose(outcome.returns, best.returns, rtol=1e-6, atol=1e-9)
        assert best.returns[k] == pytest.approx(best.value)
        assert (best.low <= best.returns + 1e-9).all()
        assert (best.returns <= best.high + 1e-9).all()


@pytest.mark.parametrize("name", NAMES)
def test_no_policy_beats_the_optimum(name: str) -> None:
    graph = graph_of(name, "deploy", 2)
    rng = np.random.default_rng(0)
    optima = np.array([solver.optimum(graph, objective).value for objective in graph.environment.objectives])
    for _ in range(5):
        policy = rng.dirichlet(np.full(graph.n_actions, 0.3), graph.n_states)
        assert (solver.evaluate(graph, policy).returns <= optima + 1e-9).all()


@pytest.mark.parametrize("name", NAMES)
def test_probabilities_of_outcomes_sum_to_one(name: str) -> None:
    for split in SPLITS:
        graph = graph_of(name, split)
        totals = np.add.reduceat(graph.probability, graph.first[:-1])
        np.testing.assert_allclose(totals, 1.0, rtol=1e-12)
        assert graph.successor.max() == graph.n_states - 1
        assert (np.diff(graph.first) >= 1).all()


@pytest.mark.parametrize("name", NAMES)
def test_every_step_of_the_environment_is_a_transition_of_the_graph(name: str) -> None:
    graph = graph_of(name, "deploy", 3)
    env = GridEnv(name, split="deploy")
    rng = np.random.default_rng(1)
    for episode in range(10):
        env.reset(seed=episode, options={"level": 3})
        over = False
        while not over:
            state, action = graph.find(env.batch.states[0]), int(rng.integers(graph.n_actions))
            observation, _, over, truncated, info = env.step(action)
            ks = range(
                graph.first[state * graph.n_actions + action],
                graph.first[state * graph.n_actions + action + 1],
            )
            if truncated:
                break
            after = -1 if over else graph.find(env.batch.states[0])
            assert (after, info["events"]) in {(int(graph.successor[k]), int(graph.events[k])) for k in ks}
            if after >= 0:
                np.testing.assert_array_equal(observation, graph.observations(np.array([after]))[0])


def test_a_goal_reached_by_the_dth_step_is_worth_gamma_to_the_d_minus_one() -> None:
    distribution = distribution_of("cheese_corner", {"split": "deploy"})
    for level in range(20):
        graph = solver.explore(distribution, level)
        distance, frontier = 0, {0}
        ends = int(graph.environment.ends)
        while not any(
            graph.events[k] & ends
            for s in frontier
            for k in range(graph.first[4 * s], graph.first[4 * s + 4])
        ):
            frontier = {
                int(graph.successor[k])
                for s in frontier
                for k in range(graph.first[4 * s], graph.first[4 * s + 4])
            }
            distance += 1
        assert solver.optimum(graph, "cheese").value == pytest.approx(graph.environment.discount**distance)


def test_the_horizon_is_respected() -> None:
    distribution = distribution_of("cheese_corner", {"split": "deploy", "max_steps": 2})
    values = [solver.optimum(solver.explore(distribution, level), "cheese").value for level in range(30)]
    assert set(np.round(values, 6)) <= {0.0, 1.0, round(distribution.environment.discount, 6)}
    assert 0.0 in values


def test_too_many_states_are_refused_with_the_reason() -> None:
    with pytest.raises(solver.UnsolvableError, match="more than 10 states"):
        solver.explore(distribution_of("cheese_corner", {}), 0, max_states=10)
