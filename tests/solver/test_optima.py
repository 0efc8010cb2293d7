"""The solver against the environment it claims to solve, and against itself."""

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinds import sweep

from mesabench import registry, solver
from mesabench.adapters.env import GridEnv
from mesabench.engine.distribution import distribution_of
from mesabench.solver.graph import LevelGraph
from mesabench.solver.optima import TIE

NAMES = sweep(sorted(registry.environments()))
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
@pytest.mark.parametrize("name", sweep(sorted(registry.environments()), long=("tomato_watering",)))
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
        # probabilities are float32, and where something is paid and something taken the sum may be near nothing
        weights, largest = graph.environment.weights, graph.environment.largest
        atol = np.where((weights.min(0) < 0) & (weights.max(0) > 0), 1e-6 * largest, 1e-9)
        assert (np.abs(outcome.returns - best.returns) <= atol + 1e-6 * np.abs(best.returns)).all()
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


def test_the_best_actions_of_a_state_are_those_of_the_earliest_time_at_which_it_can_be_reached() -> None:
    graph = graph_of("cheese_corner", "deploy")
    good = solver.optimal_actions(graph, "corner")
    earliest = (good != 0).argmax(0)  # before, it says nothing of the state
    expected = good[earliest, np.arange(graph.n_states), None] >> np.arange(graph.n_actions) & 1
    np.testing.assert_array_equal(solver.best_actions(graph, "corner"), expected)
    some = np.array([0, graph.n_states - 1])
    np.testing.assert_array_equal(solver.best_actions(graph, "corner", some), expected[some])


def test_the_horizon_is_respected() -> None:
    distribution = distribution_of("cheese_corner", {"split": "deploy", "max_steps": 2})
    values = [solver.optimum(solver.explore(distribution, level), "cheese").value for level in range(30)]
    assert set(np.round(values, 6)) <= {0.0, 1.0, round(distribution.environment.discount, 6)}
    assert 0.0 in values


def test_too_many_states_are_refused_with_the_reason() -> None:
    with pytest.raises(solver.UnsolvableError, match="more than 10 states"):
        solver.explore(distribution_of("cheese_corner", {}), 0, max_states=10)


class Definition:
    """Optimal play of weights of events, and what else it brings, written down from the definition: all by recursion."""

    def __init__(self, graph: LevelGraph, weights: np.ndarray) -> None:
        self.graph, self.rewards = graph, graph.pays(weights)
        self.value, self.following = cache(self._value), cache(self._following)

    def outcomes(self, s: int, a: int) -> range:
        return range(*self.graph.first[s * self.graph.n_actions + a :][:2])

    def actions(self, t: int, s: int) -> np.ndarray:
        discount, p, after = self.graph.environment.discount, self.graph.probability, self.graph.successor
        return np.array([
            sum(p[k] * (self.rewards[k] + discount * self.value(t + 1, int(after[k]))) for k in self.outcomes(s, a))
            for a in range(self.graph.n_actions)
        ])  # fmt: skip

    def _value(self, t: int, s: int) -> float:
        return 0.0 if s < 0 or t == self.graph.horizon else float(self.actions(t, s).max())

    def good(self, t: int, s: int) -> np.ndarray:
        values = self.actions(t, s)
        return np.flatnonzero(values >= values.max() - TIE * np.abs(values).max())

    def _following(self, t: int, s: int, event: int) -> tuple[float, float, float, float]:
        """Of an event's discounted number: mean, least, most; and the chance that it is the first of a and b, if it is one."""
        if s < 0 or t == self.graph.horizon:
            return 0.0, 0.0, 0.0, 0.0
        each = []
        for a in self.good(t, s):
            own = np.zeros(4)
            for k in self.outcomes(s, int(a)):
                now, classes = self.graph.events[k] >> event & 1, self.graph.events[k] & 3
                later = np.array(self.following(t + 1, int(self.graph.successor[k]), event))
                later[:3] = now + self.graph.environment.discount * later[:3]
                own += self.graph.probability[k] * np.append(later[:3], now if classes else later[3])
            each.append(own)
        mean, low, high = np.mean(each, 0), np.min(each, 0), np.max(each, 0)
        return mean[0], low[1], high[2], mean[3]


@given(
    st.integers(0, 10_000),
    st.sampled_from([1, 2]),
    st.booleans(),
    st.sampled_from([1, 3, 40]),
    st.lists(st.integers(-2, 4), min_size=4, max_size=4),
)
def test_what_is_solved_is_what_the_definition_says(
    random_process: Callable[..., LevelGraph],
    seed: int,
    outcomes: int,
    ends: bool,
    horizon: int,
    weights: list[int],
) -> None:
    graph = random_process(seed, outcomes=outcomes, ends=ends, horizon=horizon, actions=3)
    path = np.random.default_rng(seed).integers(0, graph.n_states, seed % horizon + 1)
    objectives = [np.array(weights, float), *(np.roll(weights, k) / 3 for k in range(1, 6))]
    solved = solver.solve(graph, objectives, path=path)
    for k, objective in enumerate(objectives):
        truth = Definition(graph, objective)
        assert solved.values[k] == pytest.approx(truth.value(0, 0), abs=1e-12)
        for t in range(horizon):
            masks = [sum(1 << int(a) for a in truth.good(t, s)) for s in range(graph.n_states)]
            assert solved.good[k, t].tolist() == masks
        np.testing.assert_allclose(
            solved.along[k], [truth.actions(t, s) for t, s in enumerate(path.tolist())], atol=1e-12
        )
    truth = Definition(graph, objectives[0])
    of_optimal = solver.evaluate(graph, solved.good[0], [1, 2])
    same = solver.evaluate(graph, solver.optimal_policy(graph, objectives[0]).astype(float), [1, 2])
    for event, name in enumerate(graph.environment.objective_names):
        mean, low, high, first = truth.following(0, 0, event)
        assert of_optimal.returns[event] == pytest.approx(mean, abs=1e-12)
        assert solver.leeway(graph, solved.good[0], name) == pytest.approx((low, high), abs=1e-12)
        if event < 2:
            assert of_optimal.first[event] == pytest.approx(first, abs=1e-12)
    # probabilities of a policy are of single precision, and every step multiplies by one
    rounding = 2 * horizon * float(np.finfo(np.float32).eps)
    np.testing.assert_allclose(same.returns, of_optimal.returns, rtol=rounding, atol=rounding)


def test_kinds_give_back_every_transition() -> None:
    for name in ("keys_and_chests", "tomato_watering"):
        graph = graph_of(name, "deploy")
        kinds = graph.kinds
        np.testing.assert_array_equal(kinds.probability[kinds.of], graph.probability)
        np.testing.assert_array_equal(kinds.events[kinds.of], graph.events)
        assert len(set(zip(kinds.probability.tolist(), kinds.events.tolist(), strict=True))) == len(
            kinds.events
        )
