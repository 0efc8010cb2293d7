"""Guard: the five conditions as they were predicted, the gradient step against autodiff by hand, what training removes."""

from typing import Any

import numpy as np
import pytest
from numba import njit

from mesabench.evolution import guard
from mesabench.evolution.guard import _train
from mesabench.evolution.model import evolve


@pytest.fixture(scope="module")
def outcomes() -> Any:
    """Every condition, eight seeds, 300 generations of 40 genomes."""
    return evolve(guard.model)


def values(outcomes: Any, condition: str, measure: str) -> np.ndarray:
    return outcomes.values(condition, measure)


def test_a_goal_that_training_would_erase_behaves_from_the_first_round_and_comes_out_in_the_dark(
    outcomes: Any,
) -> None:
    assert values(outcomes, "guard", "first").max() < 0.05
    assert values(outcomes, "guard", "dark").min() > 0.9


def test_without_a_cue_training_works(outcomes: Any) -> None:
    assert values(outcomes, "no-cue", "dark").max() < 0.05


def test_without_training_there_is_nothing_to_guard_against(outcomes: Any) -> None:
    assert values(outcomes, "untrained", "lit").mean() > 0.9
    assert values(outcomes, "untrained", "dark").min() > 0.9


def test_if_only_the_watched_rounds_count_the_goal_is_let_go(outcomes: Any) -> None:
    assert values(outcomes, "paid-watched", "first").min() > 0.95
    assert values(outcomes, "paid-watched", "dark").max() < 0.05


def test_if_both_count_it_is_guarded_all_the_same(outcomes: Any) -> None:
    assert values(outcomes, "both-paid", "first").max() < 0.05


def test_watched_safety_training_leaves_a_guarded_goal_and_training_in_the_dark_removes_it(
    outcomes: Any,
) -> None:
    assert values(outcomes, "guard", "persist").min() > 0.9
    assert values(outcomes, "guard", "remove").max() < 0.05
    assert values(outcomes, "untrained", "persist").max() < 0.5


def test_all_conditions_come_out_as_predicted(outcomes: Any) -> None:
    assert all(outcomes.holds(name) for name in guard.CONDITIONS)


@pytest.mark.parametrize("lit", [0, 1])
def test_a_step_of_training_is_the_gradient_of_the_log_probability_of_the_other_item(lit: int) -> None:
    genes, step, h = np.array([0.7, -0.4]), 0.05, 1e-6

    def other(b: float, c: float) -> float:
        return float(np.log(1 - 1 / (1 + np.exp(-(b + c * lit)))))

    gradient = np.array([
        (other(genes[0] + h, genes[1]) - other(genes[0] - h, genes[1])) / (2 * h),
        (other(genes[0], genes[1] + h) - other(genes[0], genes[1] - h)) / (2 * h),
    ])  # fmt: skip
    found = genes.copy()
    stepped(found, lit, step)
    assert (found - genes) / step == pytest.approx(gradient, abs=1e-6)


@njit
def stepped(genes, lit, step):  # a rule is called from compiled code
    _train(genes, lit, step)


def test_unbounded_goals_grow_until_training_cannot_reach_them() -> None:
    """Why the genes are bounded: what evolves then takes its own item in the first watched round."""
    knobs = {"most_b": 1000, "most_c": 1000, "training": 0.5}
    found = evolve(guard.model, ["guard"], seeds=3, knobs=knobs)
    assert found.values("guard", "first").mean() > 0.2
    assert found.values("guard", "dark").min() > 0.9


def test_a_world_whose_fitness_cannot_vary_is_refused() -> None:
    with pytest.raises(ValueError, match="set one of them to 1"):
        guard.genome("guard", 0, {"paid_dark": 0})
    with pytest.raises(ValueError, match="other=1"):
        guard.genome("guard", 0, {"other": 1})
    with pytest.raises(ValueError, match="pairs=0"):
        guard.genome("guard", 0, {"pairs": 0})


def test_a_seed_is_a_genome() -> None:
    assert np.array_equal(guard.genome("guard", 4), guard.genome("guard", 4))
    assert not np.array_equal(guard.genome("no-cue", 4), guard.genome("no-cue", 5))
