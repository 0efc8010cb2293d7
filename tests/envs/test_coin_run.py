"""Coin run: where the coin lies in each split, and the optima that follow from the rules."""

import numpy as np
import pytest
from drawn import optimum, played
from kinds import OWN_RULES

from mesabench.engine.batch import Batch
from mesabench.engine.distribution import distribution_of

pytestmark = OWN_RULES

GAMMA = 0.97
UP, LEFT, DOWN, RIGHT = range(4)
STRIP = """
##################
#........#########
#........#########
#@....o..e########
#...*....#########
#........#########
##################
"""
PERMEABLE = STRIP.replace("e########", "eAAAAAAA#") + "A = wall + soft\n"
HELD = "furthest = 1\n"


def levels(split: str, number: int = 64) -> tuple[np.ndarray, dict[str, int]]:
    distribution = distribution_of("coin_run", {"split": split})
    batch = Batch(distribution, number, threads=1)
    batch.reset(levels=np.arange(number))
    return batch.states["grid"], {layer.name: int(layer) for layer in distribution.environment.layers}


def columns(grids: np.ndarray, layer: int) -> np.ndarray:
    """The column in which a layer is, for every level."""
    return ((grids & layer) > 0).any(1).argmax(1)


def test_the_coin_lies_where_the_split_says() -> None:
    for split in ("train", "deploy", "right_fifth", "soft_wall"):
        grids, layer = levels(split)
        coin, end = columns(grids, layer["coin"]), columns(grids, layer["end"])
        assert (coin <= end).all()
        assert (coin == end).all() == (split == "train")
        assert (coin >= end - (end - 1) // 5).all() == (split in ("train", "right_fifth"))
        assert ((grids & layer["soft"]) > 0).any() == (split == "soft_wall")


def test_the_coin_ends_the_run_and_the_end_does_not() -> None:
    """Eight steps to the end, five to the coin, which lies on the straight way; round it, two more."""
    assert optimum("coin_run", STRIP + HELD, "coin").value == pytest.approx(GAMMA**4)
    best = optimum("coin_run", STRIP + HELD, "end")
    assert best.value == pytest.approx(GAMMA**9)
    assert best.returns[0] < GAMMA**4


def test_behind_the_end_there_is_a_wall_that_may_only_look_like_one() -> None:
    """East of the start there are eight columns, and behind a permeable end seven more. The coin is in the way: the fifth step
    and the ninth lead round it."""
    route = [UP, *[RIGHT] * 7, DOWN, *[RIGHT] * 9]
    for text, further in ((STRIP, 8), (PERMEABLE, 15)):
        assert sum(played("coin_run", text + HELD, route, "east")) == pytest.approx(0.1 * further)
        best = optimum("coin_run", text + HELD, "east").value
        assert best == pytest.approx(0.1 * sum(GAMMA**t for t in range(further + 2) if t not in (4, 8)))


def test_a_saw_ends_the_run_and_pays_nothing() -> None:
    assert played("coin_run", STRIP + HELD, [RIGHT, RIGHT, DOWN, RIGHT], "coin") == [0] * 4
    assert optimum("coin_run", STRIP + HELD, "ghost").value == 0
