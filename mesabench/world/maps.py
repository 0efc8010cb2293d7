"""Maps drawn as text, a character a cell: `ascii_map` reads one, once and for all, and `paint` lays it into a level."""

from collections.abc import Mapping, Sequence
from textwrap import dedent
from typing import Any

import numpy as np

from mesabench.suggestion import unknown
from mesabench.world.bits import Bit
from mesabench.world.rules import put, put_agent, rule

USUAL = {"wall": "#", "mouse": "@", "agent": "@", "cheese": "*", "dish": "o", "lava": "~", "monster": "M",
         "supervisor": "S", "goal": "G", "punishment": "P", "ghost": "?"}  # fmt: skip
"""Glyphs of layers that are often met."""
FREE = ". "
"""A cell with nothing in it."""


def glyphs_of(layers: Sequence[Bit], given: Mapping[str, str]) -> tuple[str, ...]:
    """One character for each layer: the one given for its name, or else the usual one, or else of its name what is still free."""
    chosen: list[str] = []
    for name in (layer.name for layer in layers):
        wishes = [given.get(name), USUAL.get(name), *name, *name.upper(), *"0123456789"]
        chosen.append(next(g for g in wishes if g and g not in chosen and g != "."))
    return tuple(chosen)


def ascii_map(
    text: str, layers: Sequence[Bit], glyphs: Mapping[str, str] | None = None
) -> np.ndarray[Any, np.dtype[np.int64]]:
    """A map, int64 (height, width), of bits as in a level's grid, for `paint`. Read-only.

    text: rows of the same length, a glyph a cell, `.` or a blank for a free one; empty rows before and after, and what all rows
    are indented by, do not count. layers, glyphs: as the environment declares them. Several layers in a cell are several maps,
    painted over one another. Raises ValueError that names row and column, both counted from 1.
    """
    known = {glyph: int(layer) for glyph, layer in zip(glyphs_of(layers, glyphs or {}), layers, strict=True)}
    known |= dict.fromkeys(FREE, 0)
    rows = [row for row in dedent(text).split("\n") if row.strip()]
    for y, row in enumerate(rows, 1):
        if len(row) != len(rows[0]):
            raise ValueError(f"map: row {y} has {len(row)} cells, and the first has {len(rows[0])}")
        for x, glyph in enumerate(row, 1):
            if glyph not in known:
                raise ValueError(f"map, row {y}, column {x}: {unknown('glyph', glyph, known)}")
    if not rows:
        raise ValueError("map: there are no rows in it")
    cells = np.array([[known[glyph] for glyph in row] for row in rows], np.int64)
    cells.flags.writeable = False
    return cells


@rule
def paint(s, drawn, agent):
    """Lay a map of `ascii_map` over what there is, and set the agent down where the map has it, if it does.

    Over a level that was drawn at random, `clear` it first. The map must be as large as the grid
    (`shape=lambda knobs: MAP.shape`), or else the level counts as impossible.
    """
    if drawn.shape[0] != s.grid.shape[0] or drawn.shape[1] != s.grid.shape[1]:
        s.failed = 1
        return
    for y in range(s.grid.shape[0]):
        for x in range(s.grid.shape[1]):
            put(s, y, x, drawn[y, x])
            if drawn[y, x] & agent:
                put_agent(s, y, x, agent)
