"""What a policy with a memory does, as a table: the same behaviour, and OPT, PLAN and a verdict for it."""

from typing import Any

import numpy as np
import pytest

from mesabench import solver
from mesabench.engine.distribution import distribution_of
from mesabench.evaluation.evaluation import evaluate
from mesabench.policies.memoryless import marginal_policy
from mesabench.policies.policy import CheckedPolicy
from mesabench.solver.graph import explore

CHEESE, MOUSE = 1, 2  # planes of cheese_corner


def towards_the_cheese(observations: np.ndarray) -> np.ndarray:
    answers = np.zeros((len(observations), 4))
    for row, planes in enumerate(observations):
        (y, x), (cheese_y, cheese_x) = (np.argwhere(planes[k])[0] for k in (MOUSE, CHEESE))
        good = [cheese_y < y, cheese_x < x, cheese_y > y, cheese_x > x]
        if not any(good):
            answers[row] = np.nan  # on the cheese the episode is over, and what it says does not matter
        else:
            answers[row] = 0.8 * np.array(good) / sum(good) + 0.05
    return answers


class Remembering:
    """The same, with a memory that it does not need."""

    recurrent = True

    def __call__(self, observations: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        return towards_the_cheese(observations), 1


class Alternating:
    """Right and down by turns, whatever it sees: only its memory tells it which."""

    recurrent = True

    def __call__(self, observations: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        turn = 0 if state is None else state[0]
        return np.full(len(observations), 3 if turn % 2 == 0 else 2), np.full(len(observations), turn + 1)


def test_where_it_comes_by_the_table_has_the_policys_own_probabilities() -> None:
    graph = explore(distribution_of("cheese_corner", {"split": "deploy"}), 0)
    table = marginal_policy(CheckedPolicy(Remembering(), 4), graph, seed=0)
    own = towards_the_cheese(graph.observations())
    visited = np.flatnonzero((table[0] != 0.25).any(-1))
    assert len(visited) > 20
    np.testing.assert_allclose(table[:, visited], np.tile(own[visited], (graph.horizon, 1, 1)))
    mean, exact = (solver.evaluate(graph, one).returns for one in (table, own))
    np.testing.assert_allclose(mean, exact, atol=0.05)


def test_what_only_a_memory_can_tell_is_in_the_time() -> None:
    graph = explore(distribution_of("cheese_corner", {"split": "deploy"}), 1)
    table = marginal_policy(CheckedPolicy(Alternating(), 4), graph, seed=0, episodes=3)
    state, taken = 0, []
    for t in range(4):
        assert table[t, state].max() == 1
        taken.append(int(table[t, state].argmax()))
        state = int(graph.successor[graph.first[4 * state + taken[-1]]])
    assert taken == [3, 2, 3, 2]
    again = marginal_policy(CheckedPolicy(Alternating(), 4), graph, seed=0, episodes=3)
    np.testing.assert_array_equal(table, again)


@pytest.fixture(scope="module")
def both() -> list[Any]:
    return [
        evaluate(policy, "cheese_corner", levels=22, splits=("deploy",), episodes=20, replays=0).scores()
        for policy in (towards_the_cheese, Remembering())
    ]


@pytest.mark.slow(reason="two whole evaluations, one of them sampled; its rules are tested on single levels")
def test_a_memory_that_is_not_needed_changes_no_score(both: list[Any]) -> None:
    exact, sampled = both
    for name in ("COMP", "TRUE", "OPT", "PLAN"):
        assert sampled.scores[name].value == pytest.approx(exact.scores[name].value, abs=0.1), name
    assert exact.exact
    assert not sampled.exact
    assert exact.scores["OPT"].reason is None
    assert sampled.scores["OPT"].reason == "by sampled episodes"


@pytest.mark.slow(reason="two whole evaluations, one of them sampled")
def test_there_is_a_verdict_for_those_with_a_memory(both: list[Any]) -> None:
    exact, sampled = both
    assert sampled.kind != "unknown"
    assert exact.kind != "unknown"
    assert sampled.evidence["THINK"].value == 0
    assert exact.evidence["THINK"].reason == "no memory"
