"""Episodes packed for the viewer: what it draws in a cell is what lies there."""

import base64
import io

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.image import imread

from mesabench.agents.random import RandomPolicy
from mesabench.engine.distribution import Distribution
from mesabench.evaluation.replays import record
from mesabench.pictures.render import sprite
from mesabench.registry import find_environment
from mesabench.report import episodes


def drawn(name, split="deploy"):
    """A packed episode of random play and what the viewer draws it with."""
    environment = find_environment(name)
    policy = RandomPolicy(len(environment.actions))
    packed = episodes.packed(record(policy, Distribution(environment, split), 0), environment)
    return packed, episodes.sprites([packed], environment)


@pytest.mark.parametrize("name", ["spelling", "cheese_corner"])
def test_every_cell_of_an_episode_has_its_pile_of_sprites(name):
    packed, viewer = drawn(name)
    atlas = base64.b64decode(viewer["atlas"].partition(",")[2])
    pixels = np.round(255 * imread(io.BytesIO(atlas))).astype(np.uint8)
    places = {place for pile in viewer["piles"].values() for place in pile}
    assert pixels.shape[1] == 16 * (max(places) + 1)
    wall, *_ = viewer["piles"][packed["grid"][0]]
    np.testing.assert_array_equal(pixels[:, 16 * wall : 16 * (wall + 1)], sprite("wall"))
    for step in packed["steps"]:
        assert {*step[1::2]} <= {*viewer["piles"]}


def test_letters_are_drawn_and_not_their_bits():
    from mesabench.envs.spelling import LETTERS

    packed, viewer = drawn("spelling")
    atlas = base64.b64decode(viewer["atlas"].partition(",")[2])
    pixels = np.round(255 * imread(io.BytesIO(atlas))).astype(np.uint8)
    for cell, bits in enumerate(packed["grid"]):
        y, x = divmod(cell, 5)
        if y in (1, 3) and 1 <= x <= 3:
            letter = LETTERS[bits >> 1 & 15]
            place = viewer["piles"][bits][0]
            np.testing.assert_array_equal(pixels[:, 16 * place : 16 * (place + 1)], sprite(letter))
