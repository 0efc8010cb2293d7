"""Exact evaluation = sampled evaluation; every level exactly once; a result says which of the two it is."""

from collections.abc import Callable
from typing import Any

import numpy as np
import polars
import polars.testing
import pytest
from kinds import sweep

from mesabench import registry
from mesabench.agents.oracle import Oracle
from mesabench.agents.random import RandomPolicy
from mesabench.engine.distribution import distribution_of
from mesabench.evaluation.evaluation import evaluate
from mesabench.policies.behaviour import Behaviour
from mesabench.policies.policy import PolicyError
from mesabench.policies.probabilities import AGAIN
from mesabench.solver.graph import explore

NAMES = sweep(sorted(registry.environments()))


def arbitrary_policy(seed: int, actions: int = 4) -> Callable[[np.ndarray], np.ndarray]:
    """A stochastic policy without memory, different in every state."""

    def policy(observations: np.ndarray) -> np.ndarray:
        flat = observations.reshape(len(observations), -1).astype(float)
        weights = np.random.default_rng(seed).normal(size=(flat.shape[1], actions))
        logits = 0.2 * (flat @ weights)
        odds = np.exp(logits - logits.max(1, keepdims=True))
        return odds / odds.sum(1, keepdims=True)

    return policy


@pytest.mark.parametrize("name", NAMES)
def test_exact_and_sampled_evaluation_agree(name: str) -> None:
    policy = arbitrary_policy(3, len(registry.find_environment(name).actions))
    own: dict[str, Any] = {"levels": 2, "splits": ("train", "deploy"), "replays": 0, "measures": "goals"}
    exact = evaluate(policy, name, exact=True, **own).levels
    sampled = evaluate(policy, name, exact=False, episodes=600, **own).levels
    assert exact["exact"].all()
    assert not sampled["exact"].any()
    for column in (c for c in exact.columns if c.startswith("return_")):
        error = sampled[column.replace("return", "stderr")].to_numpy()
        # what no episode met shows no error; as much as one in two hundred of them may pay is missed then
        most = np.abs(exact[column.replace("return", "ceiling")].to_numpy())
        slack = 4.5 * error + 5e-3 + np.where(error == 0, 5e-3 * most, 0)
        assert (np.abs(exact[column].to_numpy() - sampled[column].to_numpy()) <= slack).all(), column
    for column in (c for c in exact.columns if c.startswith("first_")):
        share = exact[column].to_numpy()
        error = np.sqrt(share * (1 - share) / 600)
        assert (np.abs(share - sampled[column].to_numpy()) <= 4.5 * error + 5e-3).all(), column


@pytest.mark.parametrize("name", NAMES)
def test_shares_of_first_goals_sum_to_one_and_scores_stay_below_the_ceiling(name: str) -> None:
    policy = arbitrary_policy(1, len(registry.find_environment(name).actions))
    table = evaluate(policy, name, levels=2, replays=0, measures="goals").levels
    for kind in ("first", "random"):
        shares = table.select(polars.sum_horizontal(polars.col(f"^{kind}_.*$")))
        np.testing.assert_allclose(shares.to_numpy(), 1, atol=1e-9)
    for objective in registry.find_environment(name).objectives:
        assert (table[f"return_{objective}"] <= table[f"ceiling_{objective}"] + 1e-9).all()
        assert (table[f"floor_{objective}"] <= table[f"ceiling_{objective}"] + 1e-9).all()


def test_the_random_policy_is_the_floor() -> None:
    table = evaluate(RandomPolicy(4), "cheese_corner", levels=5, replays=0).levels
    for objective in registry.find_environment("cheese_corner").objectives:
        np.testing.assert_allclose(table[f"return_{objective}"], table[f"floor_{objective}"], atol=1e-6)


def test_the_same_seed_gives_the_same_samples() -> None:
    tables = [
        evaluate(
            arbitrary_policy(1), "cheese_corner", levels=3, exact=False, episodes=7, seed=seed, replays=0
        ).levels
        for seed in (5, 5, 6)
    ]
    assert tables[0].equals(tables[1])
    assert not tables[0].equals(tables[2])


def test_held_out_and_deploy_levels_are_pairs_and_nothing_was_trained_on() -> None:
    table = evaluate(RandomPolicy(4), "cheese_corner", levels=30, replays=0).levels
    layouts = {
        split: table.filter(polars.col("split") == split)["layout"].to_list()
        for split in ("train", "heldout", "deploy")
    }
    assert layouts["heldout"] == layouts["deploy"]
    assert not set(layouts["train"]) & set(layouts["heldout"])


def test_only_levels_that_were_trained_on_count_as_training_levels() -> None:
    table = evaluate(RandomPolicy(4), "cheese_corner", {"levels": 3}, levels=5, replays=0).levels
    assert table.filter(polars.col("split") == "train")["level"].to_list() == [0, 1, 2]
    assert table.filter(polars.col("split") == "deploy")["level"].to_list() == [0, 1, 2, 3, 4]


def test_a_policy_that_answers_with_actions_is_sampled_and_says_so() -> None:
    table = evaluate(
        lambda observations: np.zeros(len(observations), int),
        "cheese_corner",
        levels=2,
        episodes=5,
        replays=0,
    ).levels
    assert not table["exact"].any()
    assert (table["episodes"] == 5).all()


def test_a_policy_with_memory_is_sampled_with_its_state_kept() -> None:
    class Walker:
        recurrent = True

        def __call__(
            self, observations: np.ndarray, state: np.ndarray | None
        ) -> tuple[np.ndarray, np.ndarray]:
            state = np.zeros(len(observations), int) if state is None else state + 1
            return state % 4, state

    table = evaluate(Walker(), "cheese_corner", levels=2, episodes=3, replays=0).levels
    assert (table["stderr_cheese"] < 1e-12).all()  # no chance anywhere: every episode is the same


@pytest.mark.parametrize(
    ("answer", "complaint"),
    [
        (lambda o: np.full((len(o), 3), 1 / 3), "shape"),
        (lambda o: np.full((len(o), 4), np.nan), "finite"),
        (lambda o: np.full((len(o), 4), 0.3), "sum to 1"),
        (lambda o: np.full(len(o), 4), "not one of"),
    ],
)
def test_a_wrong_policy_is_refused(answer: Callable[[np.ndarray], np.ndarray], complaint: str) -> None:
    with pytest.raises(PolicyError, match=complaint):
        evaluate(answer, "cheese_corner", levels=1)


def test_replays_show_twins_of_disambiguating_levels() -> None:
    replays = evaluate(Oracle("corner"), "cheese_corner", levels=10, replays=3).replays
    assert [one["split"] for one in replays] == ["heldout", "deploy"] * 3
    for held_out, deploy in zip(replays[0::2], replays[1::2], strict=True):
        assert held_out["layout"] == deploy["layout"]
        assert deploy["first"] == "corner"
        assert len(deploy["grids"]) == len(deploy["path"]) == len(deploy["events"]) == deploy["length"] + 1
        assert len(deploy["grids"][0]) == deploy["height"] * deploy["width"]


def test_what_a_memory_is_good_for_is_told_of_every_policy() -> None:
    found = evaluate(Oracle("cheese"), "cheese_corner", levels=3, splits=("deploy",), replays=0)
    assert found.scores().evidence["ADAPT"].reason == "no memory"


def test_what_a_policy_remembers_to_have_seen_does_not_change() -> None:
    class Rememberer:
        recurrent = True

        def __call__(
            self, observations: np.ndarray, state: list[np.ndarray] | None
        ) -> tuple[np.ndarray, Any]:
            state = state or []
            for seen, copied in state:
                np.testing.assert_array_equal(seen, copied)
            return np.full(len(observations), len(state) % 4), [*state, (observations, observations.copy())]

    evaluate(Rememberer(), "cheese_corner", levels=1, episodes=2, replays=0, measures="goals")


@pytest.mark.parametrize("name", ["keys_and_chests", "cheese_corner"])
def test_states_that_look_alike_are_shown_to_a_policy_once(name: str) -> None:
    distribution = distribution_of(name, {"split": "deploy"})
    graph = explore(distribution, 0)
    seen = graph.observations()
    own, shown = arbitrary_policy(3), []

    def policy(observations: np.ndarray) -> np.ndarray:
        shown.append(len(observations))
        return own(observations)

    behaviour = Behaviour(policy, distribution)
    del shown[:]
    (table,) = behaviour.table(graph)
    different = len(np.unique(seen.reshape(len(seen), -1), axis=0))
    assert different < len(seen)
    assert sum(shown) == different + min(different, AGAIN), "once, and a few once more"
    np.testing.assert_allclose(table, own(seen), atol=1e-12)


class WithMemory:
    recurrent = True

    def __call__(self, observations: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        return arbitrary_policy(2)(observations), 0 if state is None else state + 1


@pytest.mark.parametrize(
    "policy",
    [arbitrary_policy(2), lambda seen: arbitrary_policy(2)(seen).argmax(1), WithMemory()],
    ids=["probabilities", "actions", "memory"],
)
def test_a_levels_row_depends_neither_on_how_many_there_are_nor_on_the_order_of_splits(policy: Any) -> None:
    own: dict[str, Any] = {"options": {"size": 7}, "episodes": 4, "replays": 0}
    whole = evaluate(policy, "cheese_corner", levels=4, **own).levels.sort("split", "level")
    fewer = evaluate(policy, "cheese_corner", levels=2, **own).levels.sort("split", "level")
    turned = evaluate(policy, "cheese_corner", levels=4, splits=("deploy", "heldout", "train"), **own).levels
    for other, kept in ((fewer, whole.filter(polars.col("level") < 2)), (turned, whole)):
        polars.testing.assert_frame_equal(
            other.sort("split", "level").select(kept.columns), kept, check_exact=True
        )
