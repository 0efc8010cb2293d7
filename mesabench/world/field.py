"""What a state holds beside the layers of its grid: numbers, one for the whole level or one for each cell."""

import string
from dataclasses import dataclass
from typing import Any

import numpy as np

GRID = (-1, -1)
"""The shape of a field that has a number for each cell of the grid."""
SYMBOLS = string.digits[1:] + string.ascii_letters


@dataclass(frozen=True)
class Field:
    """A number (or small array) of the state beside the grid, reset to 0 in every new level.

    high: the largest value, the least being 0. shape: () for a single number, `GRID` for one number a cell, or any other, which
    cannot be seen. What is in view (see `Sight`) is an observation plane, with a `high` from 1 to 255: a single number fills it,
    numbers by cell stand in their places.
    says: what a value means in words, one text for each value from 0 on ("lamp dark", "lamp lit"), or a pattern
    for all of them, with {} for the value and {s} for the plural ("{} round{s} left"). By default the name and the value.
    symbols: of numbers by cell, the characters that stand for 1, 2, ... in pictures and texts (`string.ascii_lowercase` for
    letters). By default 1 to 9, a to z, A to Z, or where they do not suffice, the numbers themselves. 0 is a `.`.
    lasts: whether it outlives the episode. It is 0 when an environment is seeded, and kept when the next episode of the same
    stream begins. It is no part of the level: one that is asked for by its seed begins with 0 in it, and that is what exact
    scores are about. Only `step` may use it.
    """

    name: str
    high: int
    shape: tuple[int, ...] = ()
    says: str | tuple[str, ...] = ""
    symbols: str = ""
    lasts: bool = False

    def __post_init__(self) -> None:
        if hasattr(np.record, self.name):
            raise ValueError(
                f"field {self.name!r}: NumPy's records have a {self.name} of their own, which rules in plain Python would "
                "read in its place; take another name"
            )
        try:
            self.told(0)
        except (AttributeError, LookupError, ValueError) as error:
            raise ValueError(
                f"field {self.name!r}, says={self.says!r}: only {{}}, the value, and {{s}}, the plural, may stand in braces"
            ) from error
        if self.by_cell and not 1 <= self.high <= np.iinfo(np.int16).max:
            raise ValueError(
                f"field {self.name!r}, high={self.high}: with shape=GRID, it must be from 1 to {np.iinfo(np.int16).max}"
            )
        if self.symbols:
            fit = {one for one in self.symbols if one.isprintable() and not one.isspace() and one not in ".="}
            if not self.by_cell or len(self.symbols) != self.high or len(fit) != self.high:
                raise ValueError(
                    f"field {self.name!r}, symbols={self.symbols!r}: with shape=GRID, there must be {self.high} different "
                    "visible characters, one for each value from 1 to `high`, and neither `.` nor `=` among them"
                )

    def told(self, value: int) -> str:
        """A value in words."""
        if not isinstance(self.says, str) and value < len(self.says):
            return self.says[value]
        pattern = (
            self.says if self.says and isinstance(self.says, str) else f"{self.name.replace('_', ' ')} {{}}"
        )
        return pattern.format(value, s="" if value == 1 else "s")

    @property
    def by_cell(self) -> bool:
        """Whether it has a number for each cell."""
        return self.shape == GRID

    @property
    def can_be_seen(self) -> bool:
        """Whether an observation plane can hold it."""
        return (self.by_cell or not self.shape) and 1 <= self.high <= 255

    @property
    def marks(self) -> str:
        """The characters that stand for the values from 1 on; empty where numbers do."""
        return self.symbols or (SYMBOLS[: self.high] if self.high <= len(SYMBOLS) else "")

    def symbol(self, value: int) -> str:
        """What stands for a value of a cell."""
        if value == 0:
            return "."
        return self.marks[value - 1] if self.marks and 0 < value <= self.high else str(value)

    def rows(self, values: np.ndarray) -> list[str]:
        """The numbers of all cells, int (height, width), a text for each row; blanks divide them unless each is a character."""
        width = max((len(self.symbol(value)) for value in values.ravel().tolist()), default=1)
        gap = "" if self.marks else " "
        return [gap.join(self.symbol(value).rjust(width) for value in row) for row in values.tolist()]

    def cells(self, values: np.ndarray) -> list[list[str]]:
        """What is written into the cells of a picture, '' for 0: its letter or digit, or the number where that would be mistaken.

        Pictures know no small letters, and no signs.
        """
        numbers = [str(value) for value in range(1, self.high + 1)]
        marks = [
            mark if mark.isascii() and mark.isalnum() else number
            for mark, number in zip(self.marks or numbers, numbers, strict=True)
        ]
        distinct = len({*map(str.upper, marks)}) == self.high
        written = {0: ""} | dict(enumerate(marks if distinct else numbers, 1))
        return [[written.get(value, str(value)) for value in row] for row in values.tolist()]

    def read(self, row: str) -> list[int | None]:
        """The values that a row says, None for what is no value: the reverse of `rows`."""
        known = {".": 0} | {mark: k for k, mark in enumerate(self.marks, 1)}
        if self.marks:
            return [known.get(one) for one in row]
        numbers = [int(one) if one.isdecimal() and len(one) < 6 else known.get(one) for one in row.split()]
        return [one if one is not None and one <= self.high else None for one in numbers]

    def dtype(self, grid: tuple[int, int]) -> np.dtype[Any]:
        """As it lies in the record of a state whose grid has this shape."""
        return np.dtype((np.int16, grid)) if self.by_cell else np.dtype((np.int32, self.shape))
