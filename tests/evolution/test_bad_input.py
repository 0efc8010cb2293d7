"""What cannot evolve is refused, or reported as such, and the message names what to change."""

import re

import pytest

import mesabench
from mesabench.evolution.model import evolve
from mesabench.evolution.models import find_model
from mesabench.world.knob import Knob
from mesabench.world.population import Condition, Measure, check_conditions


@pytest.mark.parametrize(("agent", "world"), [("animal", "sweet_tooth"), ("evolution", "cheese_corner")])
def test_a_population_of_one_is_refused(agent, world) -> None:
    with pytest.raises(ValueError, match=r"population=1.*greater than or equal to"):
        mesabench.train(agent, world, steps=100, population=1)


@pytest.mark.parametrize(
    ("options", "said"), [({"max_steps": 2}, "2 steps.*raise max_steps"), ({"max_steps": 30, "mates": 0}, "objective")]
)  # fmt: skip
def test_a_life_shorter_than_a_meal_and_a_world_without_children_are_reported(options, said) -> None:
    with pytest.warns(UserWarning, match=f"nothing was selected.*{said}"):
        mesabench.train("animal", "sweet_tooth", steps=200, options=options, population=8, lives=1)


SMALL = {"generations": 3, "capacity": 20}


@pytest.mark.parametrize(
    ("knobs", "said"),
    [
        ({"preference_variance": 0.0}, "preference does not vary"),
        ({"antler_variance": 0.0}, "antlers does not vary"),
        ({"births": 0.0}, "dies out before anything is inherited.*raise births"),
    ],
)
def test_traits_without_variance_and_extinction_at_once_are_remarked_upon(knobs, said) -> None:
    remarks = evolve(find_model("irish_elk"), ["choice"], seeds=1, knobs=SMALL | knobs).remarks["choice"]
    assert len(remarks) == 1
    assert re.search(said, remarks[0])


def test_a_world_in_which_no_life_is_better_than_another_is_refused() -> None:
    with pytest.raises(ValueError, match="set one of them to 1"):
        evolve(find_model("guard"), ["guard"], seeds=1, knobs={"paid_dark": 0})


@pytest.mark.parametrize("knobs", [{"own": 1.0}, {"own": 0.75, "group": 4, "worth": 3.0}])
def test_a_world_in_which_genes_drift_is_reported(knobs) -> None:
    short = {"steps": 100, "audits": 0.0}
    remarks = evolve(find_model("commons"), ["unaudited"], seeds=1, knobs=short | knobs).remarks["unaudited"]
    assert len(remarks) == 1
    assert re.search(r"no genome is fitter.*change own", remarks[0])
    assert not evolve(find_model("commons"), ["unaudited"], seeds=1, knobs=short | {"own": 1.1}).remarks[
        "unaudited"
    ]


def test_what_is_to_change_in_a_world_that_never_changes_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^settings of animal: shift_alpha=0.5 without shift.*say shift="):
        mesabench.train("animal", "sweet_tooth", steps=100, shift_alpha=0.5)


def test_a_condition_without_its_control_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'alone' has no control.*control="):
        check_conditions({"alone": Condition("nothing")}, {"n": Knob(1, 1, 2, "n")}, {"m": Measure("m")})
