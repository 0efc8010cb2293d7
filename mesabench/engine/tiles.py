"""The pictures that pixel observations are gathered from: one for each content of a cell, and one for each number in view.

They are those of `mesabench.pictures.render`, drawn when they are first needed: a kernel that lacks one asks for it.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

from mesabench.pictures.render import label, render_rgb
from mesabench.world.field import Field
from mesabench.world.sight import MOST_PIXELS

_WANTED, _DRAWN = 1, 2


class Box(NamedTuple):
    """The part of the bar in which a number is read: its field, where its pictures begin in the tables, its place, its size, and
    the largest value that has a picture."""

    name: str
    at: int
    top: int
    left: int
    tall: int
    wide: int
    high: int


class Label(NamedTuple):
    """The pictures of the numbers that a field has by cell: where they begin in the tables, and the largest value."""

    name: str
    at: int
    high: int


def _as_it_is(grid: np.ndarray, layers: tuple[str, ...]) -> tuple[np.ndarray, tuple[str, ...]]:
    """By name and not by lambda: distributions are pickled, and tiles with them."""
    return grid, layers


class Tiles:
    """layers: the layers' names by bit, '' for one that is not seen; highs: of the numbers in view, the largest value of each;
    labels: the fields with numbers by cell. width: of the view, in cells; side: of a cell, in pixels.
    drawing(grid, layers) -> the grid and the names that pictures show. sprites: as for `render_rgb`.

    tables: uint8 (bytes,), what kernels read. Byte 0: whether a kernel lacks a tile. Then for each content of a cell, twice its
    bits and the parity of row + column, whether its tile is drawn, and the tile, (3, side, side). From `bar_start` on, the bar
    below the level, (3, bar, width * side), with all numbers 0; for each box, the picture of every value; for each label,
    (side, side, 4) of every value.
    """

    def __init__(
        self,
        layers: tuple[str, ...] = (),
        highs: Mapping[str, int] | None = None,
        labels: Mapping[str, Field] | None = None,
        width: int = 0,
        side: int = 0,
        drawing: Callable[..., Any] = _as_it_is,
        sprites: str = "",
    ) -> None:
        self.layers, self.side, self.drawing, self.sprites = layers, side, drawing, sprites
        self.visible = sum(1 << k for k, name in enumerate(layers) if name)
        self.stride = 1 + 3 * side * side
        kinds = 2 << len(layers) if side else 0
        self.bar_start = 1 + kinds * self.stride
        bar, self.boxes, numbers = _bar(dict(highs or {}), width, side, self.bar_start, sprites)
        self.bar = bar.shape[1]
        self.labels, written = _labels(labels or {}, side, self.bar_start + bar.size + numbers.size)
        numbers = np.concatenate([numbers, written])
        # memory that nothing was written to costs nothing: most contents never occur
        self.tables = np.zeros(self.bar_start + bar.size + numbers.size if side else 0, np.uint8)
        self.tables[self.bar_start : self.bar_start + bar.size] = bar.ravel() if side else 0
        self.tables[self.bar_start + bar.size :] = numbers if side else 0

    def complete(self) -> bool:
        """Draw what kernels lack; whether there was anything, so that observations have to be written again."""
        if not self.tables.size or not self.tables[0]:
            return False
        self.tables[0] = 0
        kinds = self.tables[1 : self.bar_start].reshape(-1, self.stride)
        cell = np.uint8 if len(self.layers) <= 8 else np.uint16
        for kind in np.flatnonzero(kinds[:, 0] == _WANTED):
            grid, names = self.drawing(np.full((1, 2), kind >> 1, cell), self.layers)
            pair = render_rgb(grid, names, cell=self.side, sprites=self.sprites)
            tile = pair[:, self.side * (kind & 1) :][:, : self.side]
            kinds[kind, 1:] = tile.transpose(2, 0, 1).ravel()
            kinds[kind, 0] = _DRAWN
        return True


def _labels(fields: Mapping[str, Field], side: int, start: int) -> tuple[tuple[Label, ...], np.ndarray]:
    """The label of each field, and the pictures of all their values, flat."""
    labels, pictures = [], [np.zeros(0, np.uint8)]
    for place, (name, field) in enumerate(fields.items()):
        (texts,) = field.cells(np.arange(field.high + 1)[None])
        drawn = np.stack([label(text, place, len(fields), side) for text in texts])
        if len(np.unique(drawn.reshape(len(drawn), -1), axis=0)) < len(drawn):
            raise ValueError(
                f"cells of {side} pixels are too small to read the numbers {name!r} in: try rgb{MOST_PIXELS // 2}, or planes "
                "instead of rgb"
            )
        labels.append(Label(name, start, field.high))
        pictures.append(drawn.ravel())
        start += drawn.size
    return tuple(labels), np.concatenate(pictures)


def _bar(
    highs: dict[str, int], width: int, side: int, start: int, sprites: str
) -> tuple[np.ndarray, tuple[Box, ...], np.ndarray]:
    """The bar with all numbers 0, uint8 (3, height, width), the box of each number, and all boxes' pictures, flat."""
    if not highs:
        return np.zeros((3, 0, width * side), np.uint8), (), np.zeros(0, np.uint8)

    def drawn(**values: int) -> np.ndarray:
        floor = np.zeros((1, width), np.uint8)
        status = {name: values.get(name, 0) for name in highs}
        picture = render_rgb(floor, (), cell=side, status=status, sprites=sprites)
        return picture[side:].transpose(2, 0, 1)

    bar, boxes, pictures = drawn(), [], []
    start += bar.size
    for name, high in highs.items():
        values = np.stack([drawn(**{name: value}) for value in range(high + 1)])
        if len(np.unique(values.reshape(high + 1, -1), axis=0)) <= high:
            raise ValueError(
                f"a view {width} cells wide is too narrow to read the number {name!r} in: a wider one, or planes instead of rgb"
            )
        (top, bottom), (left, right) = (
            np.flatnonzero((values != bar).any((0, 1, axis)))[[0, -1]].tolist() for axis in (3, 2)
        )
        part = values[:, :, top : bottom + 1, left : right + 1]
        boxes.append(Box(name, start, top, left, part.shape[2], part.shape[3], high))
        pictures.append(part.ravel())
        start += part.size
    return bar, tuple(boxes), np.concatenate(pictures)
