"""Colour and shape: what is drawn, what is seen, and the optima that follow from the rules."""

import numpy as np
import pytest
from drawn import optimum
from kinds import OWN_RULES

from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution, distribution_of

pytestmark = OWN_RULES

NAME, GAMMA = "colour_shape", 0.97
MAZE = """
#########
#.....###
#.###.###
#.Y...###
#.#.#.###
#@...R###
#########
#########
#########
Y = gem + red + green
R = line + red
wanted = 3
"""


def levels(distribution: Distribution, number: int = 100) -> Batch:
    batch = Batch(distribution, number, threads=1)
    batch.reset(levels=np.arange(number))
    return batch


def test_the_best_for_each_feature_is_a_shortest_way() -> None:
    """Four steps to the east is a red line; two up and one to the east, a yellow gem. Either ends the episode."""
    for goal, other, steps in (("shape", 1, 4), ("colour", 0, 3)):
        best = optimum(NAME, MAZE, goal)
        assert best.value == pytest.approx(GAMMA ** (steps - 1))
        assert best.returns[other] == 0


def test_objects_are_the_features_of_training_together_or_apart() -> None:
    for split, objects in (
        ("train", [{"line", "red", "green"}]),
        ("deploy", [{"line", "red"}, {"gem", "red", "green"}]),
    ):
        batch = levels(distribution_of(NAME, {"split": split}))
        named = {layer.name: int(layer) for layer in batch.distribution.environment.layers}
        for grid in batch.states["grid"]:
            found = [
                {name for name in ("line", "gem", "red", "green", "blue") if cell & named[name]}
                for cell in grid[(grid & (named["line"] | named["gem"])) > 0]
            ]
            assert sorted(found, key=sorted) == sorted(objects, key=sorted)


def test_a_feature_fills_as_many_planes_as_its_salience() -> None:
    options = {"shape_planes": 2, "colour_planes": 3}
    shown = distribution_of(NAME, options).engine.channels
    assert [shown.count(name) for name in ("line", "gem", "red", "green", "blue")] == [2, 2, 3, 3, 3]


def test_colours_that_do_not_differ_are_refused() -> None:
    with pytest.raises(ValueError, match="must differ"):
        distribution_of(NAME, {"other": "yellow"})


def test_the_published_maze_has_no_dead_end() -> None:
    walls = levels(distribution_of(NAME, {"split": "published"}), 1).states["grid"][0] & 1
    for y, x in np.argwhere(walls == 0):
        assert 4 - walls[y - 1, x] - walls[y + 1, x] - walls[y, x - 1] - walls[y, x + 1] >= 2
