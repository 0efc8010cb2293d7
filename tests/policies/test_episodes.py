"""Policies that say what they do are taken at their word only if they say the same when asked again."""

import itertools
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mesabench.engine.distribution import Distribution
from mesabench.evaluation.evaluation import evaluate
from mesabench.policies.policy import CheckedPolicy, PolicyError
from mesabench.policies.probabilities import AGAIN, probabilities_of
from mesabench.registry import find_environment
from mesabench.solver.graph import explore

torch = pytest.importorskip("torch")

UNIFORM = np.full(4, 0.25)
FIRST = np.eye(4)[0]


def answering(change: Callable[[np.ndarray, int], Any]) -> Callable[[np.ndarray], np.ndarray]:
    """Uniform probabilities with a change: change(rows, number of the call)."""
    calls = itertools.count()

    def policy(observations: np.ndarray) -> np.ndarray:
        rows = np.tile(UNIFORM, (len(observations), 1))
        change(rows, next(calls))
        return rows

    return policy


class Switching:
    """Actions, said to follow from the observation, that depend on the batch."""

    deterministic = True

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        return np.arange(len(observations)) % 2


def of_rows(rows: Any) -> Callable[[np.ndarray, int], None]:
    def change(answer: np.ndarray, call: int) -> None:
        answer[rows] = FIRST

    return change


def only(when: Callable[[np.ndarray, int], bool]) -> Callable[[np.ndarray, int], None]:
    def change(answer: np.ndarray, call: int) -> None:
        if when(answer, call):
            answer[:] = FIRST

    return change


rng = np.random.default_rng(0)
UNSTEADY = {
    "the first row": lambda: answering(of_rows(0)),
    "the last row": lambda: answering(of_rows(-1)),
    "every second row": lambda: answering(of_rows(slice(None, None, 2))),
    "one at a time": lambda: answering(only(lambda rows, call: len(rows) == 1)),
    "many at a time": lambda: answering(only(lambda rows, call: len(rows) > 1)),
    "the first calls": lambda: answering(only(lambda rows, call: call < 3)),
    "every third call": lambda: answering(only(lambda rows, call: call % 3 == 0)),
    "chance": lambda: lambda observations: rng.dirichlet(UNIFORM, len(observations)),
    "dropout": lambda: lambda observations: torch.softmax(torch.nn.functional.dropout(torch.ones(len(observations), 4)), 1),
    "switching": Switching,
}  # fmt: skip
DRAWN_ANEW = ("chance", "dropout")


@pytest.mark.parametrize("environment", ["boat_race", "keys_and_chests"])
@pytest.mark.parametrize("case", UNSTEADY)
def test_whoever_answers_otherwise_when_asked_again_is_not_believed(case: str, environment: str) -> None:
    """In a world of 8 observations, and in one of many: who draws anew is sampled, others are refused by name."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            found = evaluate(UNSTEADY[case](), environment, levels=1, measures="goals", replays=0)
            sampled, words = not found.levels["exact"].any(), str(said[0].message)
        except PolicyError as refused:
            sampled, words = False, str(refused)
    assert sampled or case not in DRAWN_ANEW
    assert ("so it is evaluated by sampling" if sampled else "answers an observation in two ways") in words


def test_who_draws_anew_does_as_well_as_its_mean() -> None:
    with pytest.warns(UserWarning, match="by sampling"):
        drawn = evaluate(
            UNSTEADY["chance"](), "boat_race", levels=1, measures="goals", replays=0, episodes=2000
        )
    mean = evaluate(
        lambda seen: np.tile(UNIFORM, (len(seen), 1)), "boat_race", levels=1, measures="goals", replays=0
    )
    off = drawn.levels["return_reward"] - mean.levels["return_reward"]
    assert (off.abs() < 4 * drawn.levels["stderr_reward"]).all()


def network(dtype: Any = torch.float32, *, sharp: float = 1.0, inside: bool = False) -> Any:
    """A policy whose answer, or all of whose arithmetic, is of a dtype."""
    torch.manual_seed(0)
    own = dtype if inside else torch.float32
    body = torch.nn.Sequential(
        torch.nn.Flatten(), torch.nn.LazyLinear(256), torch.nn.ReLU(), torch.nn.Linear(256, 4)
    ).to(own)
    return lambda seen: torch.softmax(sharp * body(torch.as_tensor(seen).to(own)), 1).to(dtype)


@pytest.mark.parametrize("environment", ["boat_race", "keys_and_chests"])
@pytest.mark.parametrize(
    "policy",
    [
        lambda: network(sharp=30.0),
        lambda: network(torch.float64),
        lambda: network(torch.float16),
        lambda: network(torch.bfloat16),
        lambda: network(torch.bfloat16, inside=True),
        lambda: lambda seen: np.tile(np.float16([0.1, 0.2, 0.3, 0.4]), (len(seen), 1)),
    ],
    ids=["single", "double", "float16", "bfloat16", "bfloat16 inside", "NumPy's float16"],
)
def test_the_last_digits_of_a_network_do_not_count(policy: Any, environment: str) -> None:
    found = evaluate(policy(), environment, levels=2, measures="goals", replays=0)
    assert found.levels["exact"].all()


def test_the_best_of_two_actions_that_are_as_good_as_equal_may_change_now_and_then() -> None:
    graph = explore(Distribution(find_environment("keys_and_chests")), 0)
    seen = graph.observations()[:1000]
    assert len(np.unique(seen.reshape(len(seen), -1), axis=0)) > AGAIN
    rare = seen[-1].tobytes()

    def policy(observations: np.ndarray) -> np.ndarray:
        rows = np.tile(UNIFORM, (len(observations), 1))
        if len(observations) < AGAIN:
            rows[[one.tobytes() == rare for one in observations]] = FIRST
        return rows

    checked = CheckedPolicy(policy, graph.n_actions)
    np.testing.assert_array_equal(probabilities_of(checked, seen), 0.25)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"levels": 0}, r"levels=.*: must be a whole number from 1"),
        ({"levels": -1}, r"levels=.*: must be a whole number from 1"),
        ({"levels": 2.5}, r"levels=.*: must be a whole number from 1"),
        ({"levels": True}, r"levels=.*: must be a whole number"),
        ({"levels": "3"}, r"levels=.*: must be a whole number"),
        ({"seed": -1}, r"seed=.*: must be a whole number from 0"),
        ({"seed": 2**64}, r"seed=.*: must be a whole number"),
        ({"episodes": 1}, r"episodes=.*: must be a whole number from 2"),
        ({"replays": -1}, r"replays=.*: must be a whole number from 0"),
        ({"splits": "deploy"}, r"must be a list of splits, as in splits=\['deploy'\]"),
        ({"splits": []}, "must be a list of splits"),
        ({"splits": ["train", "depoly"]}, "unknown split of boat_race 'depoly'; did you mean 'deploy'"),
        ({"exact": "yes"}, "exact='yes': must be True, False, or None"),
        ({"measures": "goal"}, "unknown measures 'goal'; did you mean 'goals'"),
        ({"options": {"objective": "rewrd"}}, "unknown objective of boat_race 'rewrd'; did you mean 'reward'"),
        ({"options": {"anywere": 1}}, "did you mean 'anywhere'"),
    ],
)  # fmt: skip
def test_what_cannot_be_evaluated_is_refused_before_anything_is_played(given: dict, words: str) -> None:
    asked = []

    def policy(observations: np.ndarray) -> np.ndarray:
        asked.append(len(observations))
        return np.tile(UNIFORM, (len(observations), 1))

    with pytest.raises(ValueError, match=words):
        evaluate(policy, "boat_race", **given)
    assert not asked


@pytest.mark.parametrize("two", [np.int64(2), np.uint8(2), 2.0, np.float32(2)])
def test_numbers_of_every_kind_that_are_whole_are_taken(two: Any) -> None:
    found = evaluate(lambda seen: np.tile(UNIFORM, (len(seen), 1)), "boat_race", levels=two, seed=two,
                     exact=np.True_, splits=("train",), measures="goals", replays=0)  # fmt: skip
    assert len(found.levels) == 2
    with pytest.raises(ValueError, match="scores are of the split 'deploy'; evaluated: train"):
        found.scores()
