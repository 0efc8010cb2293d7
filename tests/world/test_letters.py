"""Letters in cells: pictures show the letter that bits spell, and nothing that differs looks alike."""

import numpy as np
import pytest

from mesabench.catalogue import legend
from mesabench.pictures.render import render_rgb
from mesabench.pictures.text import render_ansi
from mesabench.registry import find_environment
from mesabench.world.letters import Letters
from mesabench.world.rules import layers

WALL, ONE, TWO, PEN = layers("wall", "one", "two", "pen")
NAMES, GLYPHS = ("wall", "one", "two", "pen"), ("#", "1", "2", "_")
SPELLER = find_environment("spelling")


def text(grid: list[list[int]], letters: str = "abc") -> str:
    written = Letters((ONE, TWO), letters).written((np.array(grid, np.uint8), NAMES, GLYPHS), WALL)
    return render_ansi(*written, colour=False)


def test_a_cell_without_a_wall_shows_the_letter_of_its_number_below_all_else() -> None:
    assert text([[WALL, 0, ONE, TWO, ONE | PEN]]) == "##a b c _b"


def test_bits_on_a_wall_and_numbers_without_a_letter_are_drawn_as_the_layers_they_are() -> None:
    assert text([[WALL | ONE, ONE | TWO]]) == "1#21"


@pytest.mark.parametrize("text", ["", "abcde", "aab", "a b", "a\n"])
def test_letters_that_cannot_be_told_apart_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"possible|every one must be visible and occur once"):
        Letters((ONE, TWO), text)


def test_every_letter_of_the_speller_has_its_own_picture() -> None:
    grid = sum(int(bit) * (np.arange(32)[None] >> k & 1) for k, bit in enumerate(SPELLER.letters.bits))
    shown, names, _ = SPELLER.drawing(grid)
    tiles = [render_rgb(shown[:, [k]], names).tobytes() for k in range(32)]
    assert len({*tiles}) == 32


def test_the_legend_leaves_letters_to_themselves() -> None:
    grid = np.array([[1, 0, 2, 32]], np.uint8)
    assert legend(SPELLER, [grid]) == [
        "# wall",
        "_ pen",
        "two letters in a cell: the second lies beneath the first",
    ]


def test_a_letter_that_is_the_glyph_of_a_layer_is_refused() -> None:
    from dataclasses import replace

    with pytest.raises(ValueError, match="'_' is a letter and the glyph of a layer"):
        replace(SPELLER, letters=Letters(SPELLER.letters.bits, "abc_"))
