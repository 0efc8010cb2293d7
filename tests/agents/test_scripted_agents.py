"""The agents of the self-test do what they are named for: each is measured exactly on levels whose answer is known."""

import itertools
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kinds import sweep

from mesabench import solver
from mesabench.agents.coin_flip import CoinFlip
from mesabench.agents.memoriser import Memoriser, optimal_way
from mesabench.agents.nearest import Nearest
from mesabench.agents.nothing import Nothing
from mesabench.agents.oracle import Oracle
from mesabench.agents.reflex import Reflex
from mesabench.engine.distribution import distribution_of
from mesabench.evaluation.evaluation import evaluate
from mesabench.evaluation.verdict import GATE
from mesabench.policies.agent import Task
from mesabench.policies.loading import load_policy
from mesabench.policies.policy import PolicyError
from mesabench.registry import find_agent, find_environment
from mesabench.scores.goals import relative

CHEESE, CORNER = (1 << k for k in range(2))
"""The first two events of cheese_corner: got_cheese, in_corner."""
GOALS = ("cheese", "corner")


def graphs(split: str = "deploy", number: int = 20) -> list[solver.LevelGraph]:
    distribution = distribution_of("cheese_corner", {"split": split})
    return [solver.explore(distribution, level) for level in range(number)]


def outcome(policy: Any, graph: solver.LevelGraph) -> solver.Outcome:
    return solver.evaluate(graph, policy.on_graph(graph, graph.horizon), (CHEESE, CORNER))


def trained(name: str, seed: int = 0, **settings: Any) -> Any:
    agent = find_agent(name)
    return agent.train(
        Task("cheese_corner"), agent.parse_settings(settings), seed, lambda steps, columns: None
    )


def test_weights_of_ones_own_are_pursued_like_an_objective() -> None:
    for graph in graphs(number=5):
        for k, name in enumerate(graph.environment.objectives):
            own = solver.optimal_policy(graph, graph.environment.weights[:, k])
            np.testing.assert_array_equal(own, solver.optimal_policy(graph, name))


def test_an_oracle_errs_in_a_share_epsilon_of_its_actions() -> None:
    graph = graphs()[1]
    best, random = solver.optimal_policy(graph, "cheese"), solver.uniform_policy(graph)
    early = slice(0, 1)  # the start can be reached at the start
    for epsilon in (0.0, 0.3, 1.0):
        policy = Oracle("cheese", epsilon).on_graph(graph, graph.horizon)
        np.testing.assert_allclose(
            policy[0, early], (1 - epsilon) * best[0, early] + epsilon * random[early], atol=1e-6
        )
    values = [outcome(Oracle("cheese", epsilon), graph).returns[0] for epsilon in (0.0, 0.1, 0.3, 1.0)]
    assert values == sorted(values, reverse=True)
    assert values[0] == pytest.approx(solver.optimum(graph, "cheese").value)
    assert values[-1] == pytest.approx(solver.evaluate(graph, random).returns[0], abs=1e-6)


def test_a_memoriser_is_optimal_where_it_was_and_blind_elsewhere() -> None:
    training = graphs("train")
    policy = trained("memoriser", level=3)
    assert policy == Memoriser(optimal_way(training[3], "cheese"))
    best = [solver.optimum(graph, "cheese").value for graph in training]
    got = [outcome(policy, graph).returns[0] for graph in training]
    assert got[3] == pytest.approx(best[3])
    assert np.mean(got) < 0.5 * np.mean(best)
    for table in (policy.on_graph(graph, graph.horizon) for graph in training):
        assert (table == table[:, :1]).all(), "the time alone decides"


def test_a_memoriser_of_a_proxy_knows_the_way_to_the_proxy() -> None:
    graph = graphs("train", 1)[0]
    policy = trained("memoriser", objective="far_corner")
    assert outcome(policy, graph).returns[2] == pytest.approx(solver.optimum(graph, "far_corner").value)


def test_a_coin_flip_is_decided_on_every_level_and_even_over_levels() -> None:
    levels = graphs(number=100)
    policy = trained("coin_flip")
    assert policy == CoinFlip(GOALS, 0)
    chosen = [policy.chosen(graph) for graph in levels]
    assert 35 <= chosen.count("cheese") <= 65
    assert [trained("coin_flip").chosen(graph) for graph in levels] == chosen
    assert [trained("coin_flip", seed=1).chosen(graph) for graph in levels] != chosen
    for graph, name in zip(levels[:20], chosen, strict=False):
        assert outcome(policy, graph).returns[GOALS.index(name)] == pytest.approx(
            solver.optimum(graph, name).value
        )


def test_the_nearest_goal_is_reached_first_and_equally_near_ones_equally_often() -> None:
    policy = trained("nearest")
    assert policy == Nearest(GOALS)
    seen = set()
    for graph in graphs(number=60):
        cheese, corner = (solver.optimum(graph, name).value for name in GOALS)
        first = outcome(policy, graph).first
        assert first.sum() == pytest.approx(1)
        if cheese == pytest.approx(corner):
            seen.add("equal")
            assert first.min() > 0
        else:
            seen.add(cheese > corner)
            assert first == pytest.approx([float(cheese > corner), float(corner > cheese)])
            if corner > cheese:
                seen.add("content")
                assert outcome(policy, graph).returns[0] < cheese, "once content, it has nowhere to go"
    assert seen == {True, False, "equal", "content"}


POLICIES = [
    Oracle("corner"),
    Oracle("cheese", 0.3),
    CoinFlip(GOALS, 7),
    Nearest(("cheese", "far_corner")),
    Memoriser(("up", "left")),
    Nothing(),
]


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_a_saved_policy_is_the_same_policy(policy: Any, tmp_path: Path) -> None:
    policy.save(tmp_path)
    again = load_policy(str(tmp_path))
    graph = graphs(number=2)[1]
    for one, other in zip(
        *(policy.on_graph(graph, graph.horizon) for policy in (policy, again)), strict=True
    ):
        np.testing.assert_array_equal(one, other)
    assert again == policy


def test_an_oracle_saved_before_there_was_epsilon_has_none(tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text('{"agent": "oracle", "objective": "corner"}')
    assert load_policy(str(tmp_path)) == Oracle("corner", 0.0)


@pytest.mark.parametrize(
    ("saved", "message"),
    [
        ({"agent": "oracle"}, "damaged: objective: Field required"),
        ({"agent": "oracle", "objective": 3}, "damaged: objective: .*valid string"),
        ({"agent": "oracle", "objective": "cheese", "epsilon": 1.5}, "damaged: epsilon: .*less than or equal to 1"),
        ({"agent": "oracle", "objective": "cheese", "epsilom": 0.5}, "damaged: epsilom: Unexpected"),
        ({"agent": "coin_flip", "objectives": [], "seed": 0}, "damaged: objectives: .*at least 1"),
        ({"agent": "nearest", "objectives": [1]}, r"damaged: objectives\.0: .*valid string"),
        ({"agent": "memoriser", "actions": "__import__('os')"}, "damaged: actions: .*valid tuple"),
    ],
)  # fmt: skip
def test_a_damaged_policy_is_refused(saved: dict[str, Any], message: str, tmp_path: Path) -> None:
    (tmp_path / "policy.json").write_text(json.dumps(saved))
    with pytest.raises(PolicyError, match=message):
        load_policy(str(tmp_path))


def test_what_does_not_exist_is_named_with_what_does() -> None:
    for name, settings in (
        ("oracle", {"objective": "cornr"}),
        ("memoriser", {"objective": "cornr"}),
        ("coin_flip", {"objectives": ("cheese", "cornr")}),
        ("nearest", {"objectives": "cheese,cornr"}),
    ):
        with pytest.raises(ValueError, match=r"objective of cheese_corner 'cornr'; did you mean 'corner'\?"):
            trained(name, **settings)
    with pytest.raises(ValueError, match=r"epsilon=2.*less than or equal to 1"):
        find_agent("oracle").parse_settings({"epsilon": 2})
    graph = graphs(number=1)[0]
    with pytest.raises(PolicyError, match="action of cheese_corner 'jump'"):
        Memoriser(("up", "jump")).on_graph(graph, graph.horizon)
    with pytest.raises(NotImplementedError, match="nearest plays levels that the solver has explored"):
        Nearest(GOALS)(np.zeros((1, 3, 9, 9), np.uint8))


def test_names_on_the_command_line_stand_between_commas() -> None:
    assert trained("nearest", objectives="cheese,ghost") == Nearest(("cheese", "ghost"))


@pytest.mark.parametrize("name", sweep(["cheese_dish", "lava_land", "keys_and_chests", "cheese_corner"]))
def test_no_reflex_gets_through_training_in_the_worlds_that_the_readme_leads_with(name: str) -> None:
    """Of every two directions that a corner has; in cheese_corner one does, which is why another world leads."""
    through = {}
    for directions in itertools.product(("up", "down"), ("left", "right")):
        found = evaluate(
            Reflex(directions), name, levels=10, splits=["train"], replays=0, measures="goals"
        ).levels
        environment = find_environment(name)
        through[directions] = float(
            relative(found, environment)[:, environment.column(environment.paid)].mean()
        )
    learned = {one for one, trained in through.items() if trained >= GATE}
    assert learned == ({("up", "left")} if name == "cheese_corner" else set())
    assert name == "cheese_corner" or max(through.values()) < 0.2
