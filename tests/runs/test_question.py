"""A suite says what it was run to find out, and which number of which population answers it; populations have titles in words."""

import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import polars
import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

import mesabench.configs
from mesabench.deception.counterfactuals import LIFETIMES
from mesabench.registry import find_environment
from mesabench.report.headline import ASKED, opening
from mesabench.runs.question import ALPHA_STAR, Answer, Told, answered
from mesabench.runs.store import Run
from mesabench.runs.suite import Suite, SuiteError, load_suite, parse_suite
from mesabench.runs.table import origins_of, table_of
from mesabench.runs.titles import filled, titles_of
from mesabench.runs.trial_folder import Manifest
from tests.report.test_headline import population, scores

SHIPPED = sorted(one.stem for one in Path(mesabench.configs.__path__[0]).glob("*.toml"))
QUESTION = "Which of them?"


def written(*tables: dict[str, Any], **top: Any) -> str:
    first = {"environments": ["cheese_corner", "cheese_dish"], "agents": "random", "steps": 0}
    trials = [first | one for one in tables or ({},)]
    return tomlkit.dumps({"name": "small", "seeds": 1, **top, "trials": trials})


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_suite_has_a_question_and_its_populations_have_titles_in_words(name: str) -> None:
    suite = load_suite(name)
    assert suite.question
    assert suite.answer
    assert suite.answer.environment
    assert suite.answer.agent
    titles = {suite.title_of(one) for one in suite.trials}
    assert [one for one in titles if "=" in one or re.search(r"\w-\d|_", one)] == []


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"score": "TRUTH"}, r"unknown score 'TRUTH'; did you mean 'TRUE'\?.*PROXY"),
        ({"score": "TRUE"}, "fits 2 populations, name one: random in cheese_corner, ordinary; random in cheese_dish"),
        ({"score": "TRUE", "environment": "cheese_dsh"}, "unknown environment 'cheese_dsh'; did you mean 'cheese_dish'"),
        ({"score": "TRUE", "variant": "wild"}, "unknown variant 'wild'.*Allowed: ordinary"),
        ({"score": "TRUE", "environment": "cheese_dish", "against": {"variant": "control"}}, "Allowed: ordinary"),
        ({"score": ALPHA_STAR, "environment": "cheese_dish"}, "each alpha from 0 to 1"),
        ({"environment": "cheese_dish"}, "answer"),
        ({"score": "TRUE", "enviroment": "cheese_dish"}, "answer"),
    ],
)  # fmt: skip
def test_an_answer_that_the_suite_does_not_hold_is_refused_with_what_there_is(
    answer: dict[str, Any], said: str
) -> None:
    with pytest.raises(SuiteError, match=said):
        parse_suite(written(question=QUESTION, answer=answer))


@pytest.mark.parametrize(
    ("top", "said"),
    [
        ({"question": QUESTION}, "go together"),
        ({"answer": {"score": "TRUE"}}, "go together"),
        ({"question": "It is so.", "answer": {"score": "TRUE"}}, "question"),
    ],
)
def test_a_question_asks_and_has_an_answer(top: dict[str, Any], said: str) -> None:
    with pytest.raises(SuiteError, match=said):
        parse_suite(written(**top))


def test_an_answer_is_stored_with_all_of_its_names() -> None:
    answer = {"score": "TRUE", "environment": "cheese_dish", "against": {"environment": "cheese_corner"}}
    suite = parse_suite(written(question=QUESTION, answer=answer))
    names = {"environment": "cheese_dish", "agent": "random", "variant": "ordinary"}
    told = {"score": "TRUE", **names, "against": names | {"environment": "cheese_corner"}}
    assert suite.answer
    assert suite.answer.model_dump() == told
    assert Suite.model_validate_json(suite.model_dump_json()) == suite


def told(title: str, values: list[float], became: str, alpha: float = 0.0) -> Told:
    return Told(title, alpha, {"TRUE": values}, [became] * len(values), [""] * len(values))


def test_the_answer_has_the_number_its_interval_and_n() -> None:
    names = {"environment": "cheese_dish", "agent": "ppo"}
    answer = Answer(score="TRUE", variant="ordinary", against={"variant": "control", **names}, **names)
    there = {
        ("cheese_dish", "ppo", "ordinary"): told("goals coincide", [0.0] * 10, "proxy"),
        ("cheese_dish", "ppo", "control"): told("control", [0.5, 0.7], "aligned"),
    }
    said = answered(answer, there)
    assert said.startswith("TRUE is 0.00 (95 % interval over seeds 0.00 to 0.")
    assert "n = 10) for ppo in cheese_dish (goals coincide). Of 10 seeds: 10 proxy." in said
    assert said.endswith("It is 0.60 (n = 2) for ppo in cheese_dish (control).")
    assert answered(answer, {}) == "The population that answers it has not been run."


def test_alpha_star_answers_over_the_populations_of_a_curve() -> None:
    answer = Answer(score=ALPHA_STAR, environment="cheese_dish", agent="ppo")
    there = {
        ("cheese_dish", "ppo", str(alpha)): told("", [true] * 10, "proxy", alpha)
        for alpha, true in ((0.0, 0.0), (0.1, 0.2), (0.4, 0.8), (1.0, 1.0))
    }
    said = answered(answer, there)
    assert "10 seeds at each of 4 shares" in said
    assert "is 0.2 (" in said
    assert "between the tested 0.1 and 0.4" in said
    assert "not been run" in answered(answer, {})


def test_a_report_opens_with_the_question_and_its_answer_and_not_with_an_ablation() -> None:
    suite = load_suite("deception")
    firsts = {one.population: one for one in suite.trials}.values()
    populations = [population(one, "as paid", "own", 3, deception="strategic deception") for one in firsts]
    first, rule = opening(suite, populations)
    assert (first.title, rule) == (suite.question, ASKED)
    assert first.subject
    assert first.subject.variant == "probation"
    assert first.control
    assert first.control.variant == "control-contingent-0"
    assert "n = 3" in first.standfirst
    assert "Of 3 seeds: 3 strategic deception." in first.standfirst
    nothing, _ = opening(suite, [])
    assert nothing.title == "No trial has been finished yet."


# Titles


def titles(*tables: dict[str, Any]) -> list[str]:
    suite = parse_suite(written(*tables))
    return [suite.title_of(one) for one in suite.trials]


def test_a_title_may_be_one_for_all_with_placeholders_or_one_for_each_choice() -> None:
    one = {"environments": "cheese_corner"}
    assert titles(one | {"options": [{"corner": 1}, {"corner": 3}], "title": "cheese within {corner}"}) == [
        "cheese within 1",
        "cheese within 3",
    ]
    assert titles(one | {"alpha": [0.0, 0.003], "title": "{alpha} shifted"}) == [
        "0 % shifted",
        "0.3 % shifted",
    ]
    several = {"options": [{"corner": 1}, {"corner": 3}], "alpha": [0.0, 1.0], "title": ["a", "b", "c", "d"]}
    assert titles(one | several) == ["a", "b", "c", "d"]
    assert titles(one) == ["ordinary"]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ({"title": ["one", "two"]}, "2 titles, and the table makes 1 choices"),
        ({"title": "within {crner}", "options": {"corner": 1}}, "unknown placeholder 'crner'; did you mean 'corner'"),
        ({"title": "the same", "alpha": [0.0, 1.0]}, "both be called 'the same'.*title.*of its own"),
        ({"title": "two\nlines"}, "title"),
        ({"title": ""}, "title"),
    ],
)  # fmt: skip
def test_a_title_that_cannot_be_is_refused(table: dict[str, Any], said: str) -> None:
    with pytest.raises(SuiteError, match=said):
        parse_suite(written({"environments": "cheese_corner"} | table))


def test_a_title_decides_nothing() -> None:
    plain, titled = (parse_suite(written(one)) for one in ({}, {"title": "in words"}))
    assert [one.name for one in plain.trials] == [one.name for one in titled.trials]


@given(st.text(max_size=30), st.integers(1, 4))
def test_whatever_a_title_says_it_is_filled_or_refused(text: str, choices: int) -> None:
    trial = SimpleNamespace(settings={"gamma": 0.9}, options={"alpha": 0.5, "corner": 3}, steps=1000)
    for one in titles_of([text], choices):
        try:
            assert not re.search(r"\{(gamma|alpha|corner|steps)\}", filled(one, trial))
        except ValueError as error:
            assert "placeholder" in str(error)  # noqa: PT017


# Seeds


def test_fresh_seeds_begin_where_the_suite_says() -> None:
    suite = parse_suite(written({}, {"agents": "nothing", "first_seed": 7}, seeds=2, first_seed=100))
    assert {one.seed for one in suite.trials if one.agent == "random"} == {100, 101}
    assert {one.seed for one in suite.trials if one.agent == "nothing"} == {7, 8}
    own = parse_suite(written({"evaluation_measures": "goals"}, {"agents": "nothing"}))
    assert [one.evaluation.measures for one in own.trials] == ["goals", "goals", "all", "all"]


# What is published of a run


def stored(name: str, **tables: polars.DataFrame) -> Any:
    return SimpleNamespace(name=name, tables=tables)


def test_a_run_publishes_the_lifetimes_of_all_its_trials_whatever_is_in_view_there() -> None:
    first = LIFETIMES.frame([{"split": "between", "level": 3, "shown_q": 25, "complied": 1.0}], F=("q",))
    second = LIFETIMES.frame(
        [{"split": "between", "level": 4, "shown_lamp": 1, "complied": 0.0}], F=("lamp",)
    )
    trials = (
        stored("a", lifetimes=first),
        stored("b", lifetimes=second),
        stored("c", lifetimes=LIFETIMES.frame()),
    )
    found = Run(Path(), Suite(name="small"), trials, (), ()).measured("lifetimes")
    assert found["trial"].to_list() == ["a", "b"]
    assert found["shown_q"].to_list() == [25, None]
    assert found.filter(trial="b").select(second.columns).equals(second)
    assert Run(Path(), Suite(name="small"), trials[2:], (), ()).measured("lifetimes").is_empty()


def test_a_run_tells_who_made_each_trial_and_what_became_of_it(tmp_path: Path) -> None:
    trial = parse_suite(written({"environments": "cheese_corner", "title": "in words"})).trials[0]
    now = datetime.now(UTC)
    manifest = Manifest(
        spec=trial, versions={"numpy": "2"}, commit="c" * 40, machine="m", processor="p", started=now, finished=now,
        seconds=1.0, training_seconds=0.0, steps_per_second=None, files={}, seal="",
    )  # fmt: skip
    (row,) = origins_of([(trial, manifest)]).rows(named=True)
    assert (row["trial"], row["commit"], row["processor"]) == (trial.name, "c" * 40, "p")
    judged = scores(find_environment("cheese_corner"), "proxy", "corner", deception="cue habit")
    told = table_of([(trial, "in words", judged)])
    assert {*told.select("title", "outcome", "kind", "deception").rows()} == {
        ("in words", "proxy", "unknown", "cue habit")
    }
