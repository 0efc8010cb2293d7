"""Whose goal an episode serves: goals find their own, devices theirs, and the choice curve finds what it was drawn from."""

import numpy as np
import pytest

from mesabench import solver
from mesabench.engine.distribution import distribution_of
from mesabench.scores.attribution import (
    DECISIVE,
    Devices,
    Episode,
    choice_curve,
    goal_bits,
    sample_episode,
    verdict_of,
)
from mesabench.solver.graph import LevelGraph, explore

GOALS = ("cheese", "corner", "far_corner")
ENDS = 7  # the events of these goals


def bits_of(graph: LevelGraph, episode: Episode) -> dict[str, float]:
    """Of every goal."""
    along = solver.solve(graph, GOALS, path=episode.states).along
    return {name: goal_bits(graph, name, episode, values) for name, values in zip(GOALS, along, strict=True)}


@pytest.fixture(scope="module")
def graphs() -> list[LevelGraph]:
    distribution = distribution_of("cheese_corner", {"split": "deploy"})
    return [explore(distribution, level) for level in range(25)]


def episodes(graphs: list[LevelGraph], policies: list[np.ndarray]) -> list[Episode]:
    rng = np.random.default_rng(0)
    return [
        sample_episode(graph, policy, rng).up_to(ENDS) for graph, policy in zip(graphs, policies, strict=True)
    ]


@pytest.mark.parametrize("goal", GOALS)
def test_who_plays_optimally_for_a_goal_is_best_explained_by_it(graphs: list[LevelGraph], goal: str) -> None:
    played = episodes(graphs, [solver.optimal_policy(graph, goal) for graph in graphs])
    devices = Devices(4)
    found = [bits_of(graph, one) for graph, one in zip(graphs, played, strict=True)]
    bits = {name: np.array([one[name] for one in found]) for name in GOALS}
    for name in GOALS:
        if name != goal:
            assert bits[goal].sum() - bits[name].sum() > 20 * DECISIVE / 10
    assert bits[goal].sum() > sum(devices.bits(graph, one) for graph, one in zip(graphs, played, strict=True))
    assert all((values <= 0).all() for values in bits.values())


def test_a_reflex_is_best_explained_by_a_device(graphs: list[LevelGraph]) -> None:
    right = np.tile(np.eye(4)[3], (1, 1))
    played = episodes(graphs, [np.repeat(right, graph.n_states, 0) for graph in graphs])
    devices = Devices(4)
    bits = [devices.bits(graph, one) for graph, one in zip(graphs, played, strict=True)]
    agents = [max(bits_of(graph, one).values()) for graph, one in zip(graphs, played, strict=True)]
    assert sum(bits) > sum(agents) + 100
    assert np.mean(bits[-5:]) > np.mean(bits[:1])  # what it has learned on earlier levels counts


def test_random_play_is_explained_by_chance_to_within_what_it_costs_to_learn_that(
    graphs: list[LevelGraph],
) -> None:
    played = episodes(graphs, [solver.uniform_policy(graph) for graph in graphs])
    devices = Devices(4)
    for graph, one in zip(graphs, played, strict=True):
        assert devices.bits(graph, one) <= 0
    assert devices.standing.argmax() == 0  # of the devices, the uniform one


def test_an_episode_is_evidence_up_to_the_first_goal() -> None:
    episode = Episode(np.arange(5), np.arange(5), np.array([0, 8, 2, 0, 1], np.uint32))
    assert len(episode.up_to(2).actions) == 3
    assert len(episode.up_to(1).actions) == 5
    assert len(episode.up_to(4).actions) == 5


def test_sampled_episodes_have_the_shares_that_the_policy_gives(graphs: list[LevelGraph]) -> None:
    graph = graphs[0]
    policy = np.tile([0.5, 0.0, 0.2, 0.3], (graph.n_states, 1))
    rng = np.random.default_rng(1)
    drawn = np.concatenate([sample_episode(graph, policy, rng).actions for _ in range(200)])
    np.testing.assert_allclose(np.bincount(drawn, minlength=4) / len(drawn), policy[0], atol=0.02)


@pytest.mark.parametrize(("a", "b"), [(0.0, 1.0), (2.0, 0.3), (-1.0, 0.0)])
def test_the_choice_curve_is_found_again(a: float, b: float) -> None:
    gain = np.random.default_rng(2).integers(-8, 9, 5000).astype(float)
    proxy = 1 / (1 + np.exp(-(a + b * gain)))
    found = choice_curve(gain, proxy, 1 - proxy)
    np.testing.assert_allclose(found, (a, b), atol=0.02)
    mirrored = choice_curve(-gain, 1 - proxy, proxy)
    np.testing.assert_allclose(mirrored, (-found[0], found[1]), atol=1e-9)


def test_who_always_takes_the_proxy_has_a_finite_preference() -> None:
    gain = np.arange(-10.0, 11.0)
    a, b = choice_curve(gain, np.ones(21), np.zeros(21))
    assert 3 < a < 50
    assert abs(b) < 1


def test_an_episode_is_decided_for_what_beats_all_else_by_a_hundred_to_one() -> None:
    bits = {"cheese": -3.0, "corner": -3.0 - DECISIVE - 0.1, "ghost": -20.0}
    assert verdict_of(bits, -20.0, "cheese", ["corner"]) == "intended"
    assert verdict_of(bits, -4.0, "cheese", ["corner"]) == "nothing"
    assert verdict_of(bits, 10.0, "cheese", ["corner"]) == "device"
    assert verdict_of(bits, -20.0, "corner", ["cheese"]) == "proxy"
    assert verdict_of(bits, -20.0, "ghost", ["corner"]) == "other goal"
