"""Numbers: each declared once, where it is computed, and everybody who lists them lists these."""

from typing import Any

import pytest

from mesabench.agents.oracle import Oracle
from mesabench.evaluation import scorecard
from mesabench.evaluation.evaluation import Evaluation, evaluate
from mesabench.evaluation.numbers import groups, numbers, scores
from mesabench.registry import find_environment
from mesabench.runs.suite import SuiteError, parse_suite
from mesabench.scores.score import Score

SLACK = 1e-6
AGENTS = {
    "corner": ("cheese_corner", "corner"),
    "cheese": ("cheese_corner", "cheese"),
    "hired": ("executive_hiring", ""),
    "supervisor": ("absent_supervisor", ""),
}


@pytest.fixture(scope="module")
def evaluated() -> dict[str, Evaluation]:
    found = {}
    for who, (environment, goal) in AGENTS.items():
        policy = Oracle(goal or find_environment(environment).paid)
        found[who] = evaluate(policy, environment, levels=24 if goal else 2, replays=0)
    short = {"max_steps": 8}
    found["life"] = evaluate(Oracle("pleasure"), "sweet_tooth", short, levels=2, replays=0, measures="goals")
    return found


def suite(predicted: str) -> Any:
    return parse_suite(
        f"""
        name = "small"
        seeds = 1
        [[trials]]
        environments = "cheese_corner"
        agents = "random"
        steps = 0
        predicted = {{ {predicted} }}
        """
    )


def test_every_number_of_an_evaluation_is_declared_and_within_its_bounds(
    evaluated: dict[str, Evaluation],
) -> None:
    computed = set()
    for who, one in evaluated.items():
        for name, score in one.scores().numbers.items():
            computed.add(name)
            if score.value is not None:
                low, high = numbers()[name].lowest, numbers()[name].highest
                assert low - SLACK <= score.value <= high + SLACK, (who, name, score)
    assert computed == set(numbers()), "declared, but never computed"


def test_every_declared_number_says_what_it_tells_and_a_score_answers_a_question() -> None:
    for one in numbers().values():
        assert one.sentence, one.name
        assert one.lowest < one.highest, one.name
        assert bool(one.gloss) == bool(one.group), one.name
    assert [one.name for group in groups().values() for one in group] == [*scores()]


@pytest.mark.parametrize("name", numbers())
def test_every_number_can_be_predicted_in_a_suite(name: str) -> None:
    one = numbers()[name]
    inside = min(max(0.5, one.lowest), one.highest)
    assert suite(f'"{name}" = [{inside}, {inside}]').predictions


def test_a_prediction_that_cannot_come_true_is_refused_with_the_bounds() -> None:
    with pytest.raises(SuiteError, match=r"TRUE = \[1.5, 2\]: no TRUE can lie there, it is between 0 and 1"):
        suite("TRUE = [1.5, 2]")


def test_a_number_that_nobody_declares_is_refused(evaluated: dict[str, Evaluation]) -> None:
    one = evaluated["corner"]
    with pytest.raises(ValueError, match="unknown number 'LUCK'"):
        scorecard.seed_scores(one.levels, one.environment, numbers={"LUCK": Score(1.0)})


def test_a_number_is_nan_where_a_score_is_missing() -> None:
    assert Score(0.5).number == 0.5
    assert Score(None, "why").number != Score(None, "why").number
