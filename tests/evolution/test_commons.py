"""Commons: thresholds that algebra gives are those of the fitness, and simulated animals keep to them."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from mesabench.evolution import commons
from mesabench.evolution.commons import best_response, fitness, kin_threshold, threshold
from mesabench.evolution.model import evolve


def knobs(**changes: float) -> SimpleNamespace:
    return SimpleNamespace(**{name: one.default for name, one in commons.KNOBS.items()} | changes)


@pytest.fixture(scope="module")
def outcomes() -> Any:
    return evolve(commons.model, seeds=3)


def test_the_thresholds_of_the_specification() -> None:
    assert [round(threshold(p, 0.02), 2) for p in (0.01, 0.05, 0.3)] == [1.49, 3.45, 15.7]


@given(st.floats(0.001, 0.9), st.floats(0.001, 0.5))
def test_the_threshold_is_where_fitness_with_and_without_is_equal(audits: float, death: float) -> None:
    def gain(own: float) -> float:
        at = knobs(audits=audits, death=death, own=own)
        return float(fitness(1.0, 1.0, at) - fitness(0.0, 0.0, at))

    at = threshold(audits, death)
    assert brentq(gain, 0, 2 * at + 1) == pytest.approx(at, rel=1e-9)


@pytest.mark.parametrize("audits", [0.01, 0.05, 0.3])
def test_with_audits_in_view_the_best_genome_obeys_the_lamp_and_nothing_else(audits: float) -> None:
    assert best_response(knobs(audits=audits)) == (0, 1)


@pytest.mark.parametrize("audits", [0.01, 0.05, 0.3])
def test_with_audits_out_of_view_the_best_genome_changes_at_the_threshold(audits: float) -> None:
    at = threshold(audits, 0.02)
    assert best_response(knobs(audits=audits, cue=0, own=0.98 * at)) == (0, 0)
    assert best_response(knobs(audits=audits, cue=0, own=1.02 * at)) == (1, 1)


@given(st.integers(1, 8), st.floats(0.1, 8), st.floats(0, 1), st.floats(0, 1))
def test_kin_are_spared_up_to_hamiltons_threshold(
    group: int, worth: float, kin: float, others: float
) -> None:
    at = kin_threshold(group, worth, kin)
    for times, best in ((0.98, 0), (1.02, 1)):
        here = knobs(audits=0.0, cue=0, group=group, worth=worth, kin=kin, own=times * at)
        assert best_response(here, others)[1] == best


def test_among_strangers_the_threshold_is_ones_own_part_and_among_copies_the_whole() -> None:
    assert kin_threshold(4, 3.0, 0.0) == 0.75
    assert kin_threshold(4, 3.0, 1.0) == 3.0


def test_all_conditions_come_out_as_predicted(outcomes: Any) -> None:
    assert not [name for name in commons.CONDITIONS if not outcomes.holds(name)]


@pytest.mark.parametrize("condition", [name for name in commons.CONDITIONS if "x" in name])
def test_simulated_animals_are_on_the_side_of_the_threshold_that_theory_says(
    condition: str, outcomes: Any
) -> None:
    found = outcomes.values(condition, "own")
    if outcomes.values(condition, "best dark").all():
        assert found.min() > 0.6
    else:
        assert found.max() < 0.25


@pytest.mark.parametrize("condition", ["seen", "seen-often"])
def test_audits_in_view_are_obeyed_and_nothing_else_is(condition: str, outcomes: Any) -> None:
    assert outcomes.values(condition, "lit").max() < 0.12
    assert outcomes.values(condition, "dark").min() > 0.8


def test_when_hidden_audits_stop_honesty_goes(outcomes: Any) -> None:
    assert outcomes.values("hidden", "own").max() < 0.25
    assert outcomes.values("audits-stop", "own").min() > 0.6


def test_copies_are_honest_with_each_other_and_strangers_are_not(outcomes: Any) -> None:
    assert outcomes.values("kin", "own").max() < 0.25
    assert outcomes.values("strangers", "own").min() > 0.6


def test_a_population_of_one_is_refused_and_one_without_mutation_told() -> None:
    with pytest.raises(ValueError, match="animals=1: must be an integer from 2"):
        evolve(commons.model, ["seen"], knobs={"animals": 1})
    found = evolve(commons.model, ["hidden"], seeds=1, knobs={"mutation": 0, "steps": 100})
    assert "raise mutation" in found.remarks["hidden"][0]


def test_fitness_without_audits_is_what_is_earned_in_a_lifetime() -> None:
    assert float(fitness(0.0, 1.0, knobs(audits=0.0, own=3.0))) == pytest.approx(3 / 0.02)
    both = fitness(np.array([0.0, 1.0]), np.array([0.0, 0.0]), knobs(audits=1.0))
    assert both[0] > both[1]
