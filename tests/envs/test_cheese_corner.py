"""The corner may be any of the four: the same mazes turned over, and nothing else is different."""

import numpy as np
import pytest

from mesabench.engine.batch import Batch
from mesabench.engine.distribution import distribution_of
from mesabench.envs.cheese_corner import CHEESE, CORNER, FAR_CORNER, PLACES, WALL
from mesabench.registry import find_environment


def grids(split: str, place: str, n: int = 20) -> np.ndarray:
    batch = Batch(distribution_of("cheese_corner", {"split": split, "place": place}), n, observe=False)
    batch.reset(levels=np.arange(n))
    return batch.states["grid"].astype(np.int64)


def where(grid: np.ndarray, layer: int) -> list[int]:
    return np.argwhere(grid & int(layer))[0].tolist()


@pytest.mark.parametrize("place", PLACES)
def test_in_training_the_cheese_lies_in_the_corner_that_the_knob_names(place: str) -> None:
    y, x = 7 if "south" in place else 1, 7 if "east" in place else 1
    for grid in grids("train", place):
        assert where(grid, CHEESE) == where(grid, CORNER) == [y, x]
        far_y, far_x = where(grid, FAR_CORNER)
        assert (far_y > 4) == (y == 1)
        assert abs(far_y - y) + abs(far_x - x) > 5
    anywhere = [where(grid, CHEESE) for grid in grids("deploy", place)]
    assert len({tuple(one) for one in anywhere}) > 10


def test_the_mazes_of_another_corner_are_as_many_and_as_dense() -> None:
    walls = {place: (grids("train", place, 200) & int(WALL) != 0).mean() for place in PLACES}
    assert max(walls.values()) - min(walls.values()) < 0.02
    assert find_environment("cheese_corner").knobs["place"].default == "north_west"
