"""Letters in cells, each as a number in bits: rules and agents know the bits, pictures show the letter.

A number for each cell (`Field(shape=GRID, symbols=...)`) can be a letter, too. There are both because agents see them
differently: bits are layers, a plane of 0 and 1 for each, in which no letter is more than another; the field is one plane,
however many letters there are, in which `a` is little and `z` much. Pictures follow. Bits are drawn as layers are, into the text
of a level as well; numbers, which may have several digits, are written over a cell and below the text.
"""

from dataclasses import dataclass

import numpy as np

from mesabench.world.rules import Bit

Drawing = tuple[np.ndarray, tuple[str, ...], tuple[str, ...]]
"""A grid (height, width), the names of its bits, and a character for each."""


@dataclass(frozen=True)
class Letters:
    """A cell without a wall holds the letter whose number its bits spell.

    bits: the layers that count 1, 2, 4 ...; text: the letters by number, from 0 on. What spells no number of these is drawn as
    the layers that it is.

    Raises ValueError for more letters than the bits can count, for equal ones and for what cannot be seen.
    """

    bits: tuple[Bit, ...]
    text: str

    def __post_init__(self) -> None:
        if not 1 <= len(self.text) <= 2 ** len(self.bits):
            raise ValueError(
                f"{len(self.text)} letters for {len(self.bits)} bits; from 1 to {2 ** len(self.bits)} are possible"
            )
        for letter in self.text:
            if not letter.isprintable() or letter.isspace() or self.text.count(letter) > 1:
                raise ValueError(f"letter {letter!r}: every one must be visible and occur once")

    def written(self, drawing: Drawing, wall: Bit) -> Drawing:
        """The same picture with letters, which lie below all else that is in their cells."""
        grid, names, glyphs = drawing
        n = len(self.text)
        bits = grid.astype(np.uint64)
        numbers = np.zeros_like(bits)
        for k, bit in enumerate(self.bits):
            numbers |= (bits & np.uint64(bit) != 0).astype(np.uint64) << np.uint64(k)
        spelt = (bits & np.uint64(wall) == 0) & (numbers < n)
        rest = np.where(spelt, bits & ~np.uint64(sum(self.bits)), bits) << np.uint64(n)
        letters = np.where(spelt, np.uint64(1) << np.where(spelt, numbers, 0).astype(np.uint64), np.uint64(0))
        return rest | letters, (*self.text, *names), (*self.text, *glyphs)
