"""Descriptions of objectives continue a sentence, so that no headline is without its verb."""

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinds import in_every_world

from mesabench import registry
from mesabench.report.words import infinitive
from mesabench.testing import Broken, check_declaration
from mesabench.world import Environment, Field, Objective
from mesabench.world.infinitive import NO_VERBS, trouble

CORNER = registry.find_environment("cheese_corner")


def described(text: str) -> Environment:
    return dataclasses.replace(CORNER, objectives={**CORNER.objectives, "corner": Objective({}, text)})


@in_every_world
def test_every_description_is_an_infinitive(environment: Environment) -> None:
    for name, objective in environment.objectives.items():
        assert objective.description, name
        assert trouble(objective.description) is None, (name, objective.description)


@pytest.mark.parametrize(
    "text",
    [
        "own payoff: items of one's own colour",
        "the principal's item in every round, by choice or by autopilot",
        "the reward again, and rather by turning back than by going on",
        "items of one's own colour",
        "Reach the cheese",
        "reach the cheese.",
        "reaching the cheese",
        "reached the cheese",
        "to reach the cheese",
        "go round clockwise: +1 for every such move",
        "+1 for every move",
        "",
    ],
)
def test_what_cannot_follow_to_is_refused_and_never_pasted(text: str) -> None:
    assert trouble(text)
    assert infinitive(described(text), "corner") == "pursue corner"
    if text:
        with pytest.raises(Broken, match="learned to"):
            check_declaration(described(text), 1)


@pytest.mark.parametrize(
    "text",
    [
        "press on",
        "focus on it",
        "feed the mouse",
        "bring it home",
        "shed light",
        "go to and fro",
        "den Käse finden",
    ],
)
def test_what_can_follow_to_is_let_through(text: str) -> None:
    assert trouble(text) is None
    assert infinitive(described(text), "corner") == text


@given(st.text(), st.sampled_from(sorted(NO_VERBS)))
def test_any_text_is_judged_and_none_that_begins_with_an_article_passes(text: str, word: str) -> None:
    said = trouble(text)
    assert said is None or said
    assert trouble(f"{word} {text}")


@given(st.integers(0, 255))
def test_a_field_says_every_value_in_words(value: int) -> None:
    assert Field("rounds_left", 255).told(value) == f"rounds left {value}"
    assert (
        Field("left", 255, says="{} round{s} left").told(value)
        == f"{value} round{'' if value == 1 else 's'} left"
    )
    lamp = Field("lamp", 255, says=("lamp dark", "lamp lit")).told(value)
    assert lamp == {0: "lamp dark", 1: "lamp lit"}.get(value, f"lamp {value}")


@pytest.mark.parametrize("says", ["{value} left", "{} and {}", "{", "{0.real.x}"])
def test_a_field_whose_words_cannot_be_filled_in_is_refused(says: str) -> None:
    with pytest.raises(ValueError, match="may stand in braces"):
        Field("left", 9, says=says)


@in_every_world
def test_every_field_in_view_is_told_in_words_of_its_own(environment: Environment) -> None:
    for field in environment.shown:
        assert field.says, field.name
