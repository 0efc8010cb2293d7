"""Draws by a number of a stream: one rule for actions and for chance."""

import numpy as np
import pytest

from mesabench.streams import drawn


def test_what_is_impossible_is_never_drawn_not_even_by_0() -> None:
    odds = np.array([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])
    for number in (0.0, 0.5, np.nextafter(1, 0)):
        assert drawn(odds, np.full(3, number)).tolist() == [1, 2, 0]


def test_draws_are_as_probable_as_they_are_said_to_be() -> None:
    odds = np.array([0.2, 0.5, 0.3])
    numbers = (np.arange(1000) + 0.5) / 1000
    found = drawn(np.tile(odds, (1000, 1)), numbers)
    assert np.bincount(found).tolist() == [200, 500, 300]
    assert (np.diff(found) >= 0).all()


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_what_rounding_leaves_over_is_the_last_ones(kind: type) -> None:
    odds = np.full((1, 3), 1 / 3, kind) - kind(1e-4)
    assert drawn(odds, np.array([np.nextafter(1, 0)])).tolist() == [2]


def test_what_is_drawn_already_stands() -> None:
    assert drawn(np.array([2, 0]), np.array([0.1, 0.9])).tolist() == [2, 0]
