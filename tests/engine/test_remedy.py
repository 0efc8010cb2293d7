"""Where knobs leave no level, the one to change is named, and the value with which there are levels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from kinds import OWN_RULES

from mesabench.engine.batch import Batch, LevelError
from mesabench.engine.distribution import Distribution, distribution, distribution_of
from mesabench.engine.remedy import remedy

KNOBS = dict[str, Any]


def begin(world: str, options: KNOBS) -> None:
    """Begin episodes on the levels of the seeds 0 to 19."""
    Batch(distribution_of(world, options), 20, threads=1).reset(levels=np.arange(20))


def told(knobs: KNOBS) -> str:
    return " and ".join(f"{name}={value}" for name, value in knobs.items())


def case(world: str, given: KNOBS, works: KNOBS, **others: Any) -> object:
    return pytest.param(world, given, works, others, marks=OWN_RULES, id=f"{world}-{'-'.join(given)}")


@pytest.mark.parametrize(
    ("world", "given", "works", "others"),
    [
        # of a shape that other tests have compiled
        ("keys_and_chests", {"density": 0.9}, {"density": 0.1}, {"keys": 10, "chests": 10}),
        case("keys_and_chests", {"size": 4}, {"size": 7}, keys=10),
        case("whisky_gold", {"distance": 60}, {"distance": 5}),
        case("side_effects_sokoban", {"distance": 99}, {"distance": 3}, density=0.6),
        case("coin_run", {"saws": 99}, {"saws": 3}),
        case("trees", {"trees": 10}, {"trees": 3}, size=4, most=10),
        case("lava_land", {"size": 4}, {"size": 7}, lava=9),
        case("monster_world", {"size": 4}, {"size": 6}, monsters=9, apples=9),
        case("safe_interruptibility", {"size": 5}, {"size": 9}, split="deploy"),
        case("cheese_corner", {"size": 4}, {"size": 9}, split="deploy"),
        case("pottery_shop", {"size": 4, "shards": 99}, {"size": 6, "shards": 1}),
    ],
)  # fmt: skip
def test_the_knob_to_change_is_named_with_a_value_that_works(
    world: str, given: KNOBS, works: KNOBS, others: KNOBS
) -> None:
    with pytest.raises(LevelError) as caught:
        begin(world, given | others)
    assert f"There are levels with {told(works)} in place of {told(given)}" in str(caught.value)
    begin(world, others | works)


# What is asked, and in which order: by a search that knows the answer, so that nothing is compiled


def asking(fits: Callable[[KNOBS], bool]) -> tuple[list[KNOBS], Callable[[Distribution], bool]]:
    asked: list[KNOBS] = []

    def has_levels(levels: Distribution) -> bool:
        asked.append(dict(levels.knobs))
        return fits(asked[-1])

    return asked, has_levels


def test_knobs_that_have_their_defaults_are_not_at_fault() -> None:
    asked, search = asking(lambda knobs: "density" not in knobs)
    given = distribution("cheese_corner", density=0.9, max_steps=64)
    assert remedy(given, search) == "There are levels with density=0.2 in place of density=0.9"
    assert asked == [{"max_steps": 64}]


def test_every_knob_that_helps_alone_is_named() -> None:
    asked, search = asking(lambda knobs: len(knobs) < 3)
    given = distribution("cheese_corner", density=0.9, max_steps=5, corner=3)
    assert remedy(given, search) == (
        "There are levels with density=0.2 in place of density=0.9, or with max_steps=64 in place of max_steps=5, "
        "or with corner=1 in place of corner=3"
    )
    assert len(asked) == 3


def test_another_shape_is_compiled_only_where_nothing_else_helps() -> None:
    given = distribution("cheese_corner", size=4, density=0.9)
    asked, search = asking(lambda knobs: len(knobs) < 2)
    assert remedy(given, search) == "There are levels with density=0.2 in place of density=0.9"
    assert asked == [{"size": 4}]
    asked, search = asking(lambda knobs: "size" not in knobs)
    assert remedy(given, search) == "There are levels with size=9 in place of size=4"
    assert asked == [{"size": 4}, {"density": 0.9}]


def test_a_knob_of_one_split_is_told_by_its_name_there() -> None:
    _, search = asking(lambda knobs: "train.density" not in knobs)
    given = distribution("cheese_corner", **{"split": "deploy", "train.density": 0.9, "deploy.density": 0.5})
    assert remedy(given, search) == (
        "There are levels with train.density=0.2 and deploy.density=0.2 in place of train.density=0.9 and deploy.density=0.5"
    )


def test_knobs_of_which_no_single_one_helps_are_named_together() -> None:
    asked, search = asking(lambda knobs: not knobs)
    assert remedy(distribution("cheese_corner", max_steps=5, density=0.9), search) == (
        "There are levels with max_steps=64 and density=0.2 in place of max_steps=5 and density=0.9; "
        "to change one of them is not enough"
    )
    assert len(asked) == 3


def test_where_the_defaults_fail_no_knob_is_blamed() -> None:
    asked, search = asking(lambda knobs: False)
    assert remedy(distribution("cheese_corner", density=0.9), search) == (
        "With the defaults in place of density=0.9 there are none, either"
    )
    assert len(asked) == 1
    assert remedy(distribution("cheese_corner"), search) == "Every knob has its default here"
    assert len(asked) == 1


def test_what_many_missing_levels_have_in_common_is_looked_for_once() -> None:
    asked, search = asking(lambda knobs: not knobs)
    for _ in range(3):
        remedy(distribution("cheese_corner", density=0.9), search)
    assert len(asked) == 1
