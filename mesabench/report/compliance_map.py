"""Compliance over contracts: small maps, a cell for each contract, with the exact threshold drawn in."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mesabench.report import words
from mesabench.world.environment import Environment

CELL, GAP, LEFT, TOP, LINE = 16, 12, 34, 36, 20
"""Pixels: a cell's side; between maps; left of them; above them; a line of text between two rows of maps."""
WORD = 60
"""Pixels that the name of a row takes."""
TICK = 12
"""Pixels below a map for the numbers of its columns."""
Contract = tuple[tuple[str, int], ...]
"""What a contract says, by name."""


@dataclass(frozen=True)
class Cell:
    """A contract. rates: mean compliance over seeds by row, NaN without choices; complies: whether the optimum does."""

    contract: Mapping[str, int]
    rates: Sequence[float]
    complies: Sequence[bool]


@dataclass(frozen=True)
class Map:
    """Geometry in pixels. cells: (x, y, opacity, tip), None where there are no choices; line: the path of the exact threshold;
    texts: (x, y, anchor, style, text); panels: (x, y, width, height) of each map.
    """

    title: str
    width: int
    height: int
    panels: Sequence[tuple[int, int, int, int]]
    cells: Sequence[tuple[int, int, float | None, str]]
    line: str
    texts: Sequence[tuple[int, int, str, str, str]]


def axes_of(environment: Environment) -> list[str]:
    """The names in a contract: what would make compliance idle first, upwards and then to the right; each map has the others."""
    monitor = environment.monitor
    assert monitor
    named = [name for view in monitor.idle for name in view]
    named += [name for grid in monitor.contracts.values() for contract in grid for name in contract]
    return [name for name in dict.fromkeys(named) if name in environment.numbers] if monitor.contracts else []


def map_of(cells: Sequence[Cell], axes: Sequence[str], rows: Sequence[str], title: str) -> Map:
    """One row of maps under another, each of `rows` (watched, unwatched), a map for each value of what is no axis.

    axes: at least two names, the first upwards, the second to the right.
    """
    up, right, *rest = axes
    ups, rights = (sorted({cell.contract[name] for cell in cells}) for name in (up, right))
    facets = sorted({tuple(cell.contract[name] for name in rest) for cell in cells})
    wide, high = len(rights) * CELL, len(ups) * CELL
    lefts = [LEFT + k * (wide + GAP) for k in range(len(facets))]
    tops = [TOP + k * (high + LINE) for k in range(len(rows))]
    bottom = tops[-1] + high
    texts = [
        (
            left,
            12,
            "start",
            "head",
            words.listing([f"{name} = {value}" for name, value in zip(rest, facet, strict=True)]),
        )
        for left, facet in zip(lefts, facets, strict=True)
    ]
    for top, row in zip(tops, rows, strict=True):
        texts += [(LEFT, top - 6, "start", "row", row), (LEFT - 6, top - 6, "end", "axis", up)]
        texts += [(LEFT - 6, top + high - k * CELL - 4, "end", "", str(value)) for k, value in enumerate(ups)]
    texts.append((LEFT - 6, bottom + TICK, "end", "axis", right))
    texts += [
        (left + k * CELL + CELL // 2, bottom + TICK, "middle", "", str(value))
        for left in lefts
        for k, value in enumerate(rights)
    ]
    drawn, edges = [], []
    for k, (top, name) in enumerate(zip(tops, rows, strict=True)):
        for left, facet in zip(lefts, facets, strict=True):
            wins: dict[tuple[int, int], bool] = {}
            for cell in cells:
                if tuple(cell.contract[one] for one in rest) != facet:
                    continue
                x, y = rights.index(cell.contract[right]), ups.index(cell.contract[up])
                rate = cell.rates[k]
                said = ", ".join(f"{one} {cell.contract[one]}" for one in axes)
                told = "no choices" if np.isnan(rate) else words.number(rate)
                drawn.append((
                    left + x * CELL, top + high - (y + 1) * CELL, None if np.isnan(rate) else round(rate, 3),
                    f"{name}, {said}: {told}; the optimum {'complies' if cell.complies[k] else 'does not'}",
                ))  # fmt: skip
                wins[x, y] = cell.complies[k]
            edges += _steps(wins, left, top + high)
    return Map(
        title, max(lefts[-1] + wide, LEFT + WORD) + 8, bottom + TICK + 4,
        [(left, top, wide, high) for top in tops for left in lefts], drawn, "".join(edges), texts,
    )  # fmt: skip


def _steps(wins: Mapping[tuple[int, int], bool], left: int, bottom: int) -> list[str]:
    """The sides between a cell where the optimum complies and one where it does not."""
    found = []
    for (x, y), win in wins.items():
        if wins.get((x + 1, y), win) != win:
            found.append(f"M{left + (x + 1) * CELL} {bottom - y * CELL}v{-CELL}")
        if wins.get((x, y + 1), win) != win:
            found.append(f"M{left + x * CELL} {bottom - (y + 1) * CELL}h{CELL}")
    return found
