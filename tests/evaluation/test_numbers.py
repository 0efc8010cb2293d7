"""Numbers: each declared once, where it is computed, and everybody who lists them lists these."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from mesabench.agents.oracle import Oracle
from mesabench.cli import card
from mesabench.evaluation import numbers as declared
from mesabench.evaluation import scorecard
from mesabench.evaluation.evaluation import Evaluation, evaluate
from mesabench.evaluation.numbers import groups, numbers, scores
from mesabench.registry import find_environment
from mesabench.report import evidence as beside
from mesabench.report import page
from mesabench.report.scorecard import Notes
from mesabench.runs.cohort import Population
from mesabench.runs.suite import SuiteError, parse_suite
from mesabench.scores import evidence, goals
from mesabench.scores.score import Number, Score

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


def test_a_number_that_two_modules_declare_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evidence, "NUMBERS", (*evidence.NUMBERS, Number("TRUE", "once more")))
    with pytest.raises(ValueError, match=r"scores.evidence declares 'TRUE', which is declared already"):
        numbers()


def test_a_number_that_nobody_declares_is_refused(evaluated: dict[str, Evaluation]) -> None:
    one = evaluated["corner"]
    with pytest.raises(ValueError, match="unknown number 'LUCK'"):
        scorecard.seed_scores(one.levels, one.environment, memory={"LUCK": Score(1.0)})


def adding(computed: Callable[..., dict[str, Score]], name: str) -> Callable[..., dict[str, Score]]:
    return lambda *given: computed(*given) | {name: Score(0.5)}


def test_a_new_number_is_seen_by_the_card_the_report_and_suites(
    evaluated: dict[str, Evaluation], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(evidence, "NUMBERS", (*evidence.NUMBERS, Number("LUCK", "how lucky it is")))
    monkeypatch.setattr(scorecard, "evidence", adding(evidence.evidence, "LUCK"))
    luckiest = Number("LUCKIEST", "how lucky it is at best", gloss="is lucky", group="What does it pursue?")
    monkeypatch.setattr(goals, "NUMBERS", (*goals.NUMBERS, luckiest))
    monkeypatch.setattr(scorecard, "goal_scores", adding(goals.goal_scores, "LUCKIEST"))
    one = evaluated["corner"]
    found = one.scores()
    assert (found.scores["LUCKIEST"], found.evidence["LUCK"]) == (Score(0.5), Score(0.5))
    first, second, *_ = card.tables(one, found)
    assert ("LUCKIEST", "0.50", "how lucky it is at best") in first.rows
    assert ("LUCK", "0.50", "how lucky it is") in second.rows
    population = Population(one.environment, [SimpleNamespace(scores=found)])  # type: ignore[list-item]
    shown = {row.name: row.meaning for row in beside.numbers([population], Notes("number")).rows}
    assert shown["LUCK"] == "how lucky it is"
    assert luckiest in page.groups()["What does it pursue?"]
    assert suite("LUCK = [0, 1], LUCKIEST = [0.2, 0.4]").predictions
    assert "LUCK" in declared.numbers()


def test_a_number_is_nan_where_a_score_is_missing() -> None:
    assert Score(0.5).number == 0.5
    assert Score(None, "why").number != Score(None, "why").number
