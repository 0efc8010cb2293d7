"""Where walls stand: open rooms, random blocks, spanning trees; and who can reach what.

All of them fill the whole grid of a state, border included, and are rules: compiled, without allocation (`s.distance`
(height, width) int16 and `s.queue` (height * width) int16 are the state's scratch space, not part of its content).
"""

import numpy as np

from mesabench.world.knob import Knob
from mesabench.world.rules import chance, draw, put, rule, take
from mesabench.world.ways import flood as flood
from mesabench.world.ways import nearer as nearer
from mesabench.world.ways import signpost as signpost
from mesabench.world.ways import towards as towards

ROOM, BLOCKS, TREE = range(3)

KNOBS = {
    "size": Knob(9, 4, 99, "cells per side, the border included"),
    "maze": Knob(
        "blocks", choices=("room", "blocks", "tree"), help="open room, random blocks or spanning tree"
    ),
    "density": Knob(0.2, 0.0, 0.9, "share of inner cells that random blocks fill"),
}
"""The knobs that `build` reads; an environment takes them over with `knobs=mazes.KNOBS | {...}`."""


@rule
def build(s, wall, knobs):
    """Walls as the knobs `maze` and `density` say. Whatever is free is connected, and the inner north-west corner is free."""
    if knobs.maze == TREE:
        spanning_tree(s, wall)
    elif knobs.maze == BLOCKS:
        random_blocks(s, wall, knobs.density)
    else:
        open_room(s, wall)


@rule
def turn_over(s, south, east):
    """Turn the grid over where asked for: what was in the north is in the south, and in the east what was in the west."""
    height, width = s.grid.shape
    if south:
        for y in range(height // 2):
            for x in range(width):
                s.grid[y, x], s.grid[height - 1 - y, x] = s.grid[height - 1 - y, x], s.grid[y, x]
    if east:
        for y in range(height):
            for x in range(width // 2):
                s.grid[y, x], s.grid[y, width - 1 - x] = s.grid[y, width - 1 - x], s.grid[y, x]


@rule
def open_room(s, wall):
    """Walls around, nothing inside."""
    height, width = s.grid.shape
    for y in range(height):
        for x in range(width):
            if y == 0 or x == 0 or y == height - 1 or x == width - 1:
                put(s, y, x, wall)


@rule
def random_blocks(s, wall, density):
    """An open room in which every inner cell is a wall with probability `density`, independently.

    Cells that cannot be reached from the inner north-west corner, which stays free, are filled with wall: what is left is
    connected by construction.
    """
    height, width = s.grid.shape
    for y in range(height):
        for x in range(width):
            border = y == 0 or x == 0 or y == height - 1 or x == width - 1
            put(s, y, x, wall * (border or (y + x > 2 and chance(s, density))))
    flood(s, 1, 1, wall)
    for y in range(height):
        for x in range(width):
            put(s, y, x, wall * (s.distance[y, x] < 0))


@rule
def _root(s, cell):
    """The root of the tree that a cell belongs to, with the way to it halved (Tarjan & van Leeuwen 1984)."""
    above = np.uint64(s.queue[np.uint64(cell)])
    at = np.uint64(cell)
    while above != at:
        higher = s.queue[above]
        s.queue[at] = higher
        at = np.uint64(higher)
        above = np.uint64(s.queue[at])
    return at


@rule
def spanning_tree(s, wall):
    """A maze without loops: Kruskal's algorithm over the cells with odd coordinates, edges in random order.

    Exactly one path joins any two cells. Where height or width is even, the last row or column is wall as well.
    """
    height, width = s.grid.shape
    rows = (height - 1) // 2
    columns = (width - 1) // 2
    cells = rows * columns
    for y in range(height):
        for x in range(width):
            s.grid[y, x] = wall
    # s.queue holds for each cell another of its tree, nearer to the root, and behind these the edges still to be tried
    edges = 0
    for y in range(rows):
        for x in range(columns):
            take(s, 2 * y + 1, 2 * x + 1, wall)
            cell = y * columns + x
            s.queue[cell] = cell
            if x + 1 < columns:
                s.queue[cells + edges] = cell * 2
                edges += 1
            if y + 1 < rows:
                s.queue[cells + edges] = cell * 2 + 1
                edges += 1
    joined = 1
    while joined < cells:
        k = cells + draw(s, edges)
        edges -= 1
        edge = np.int64(s.queue[k])
        s.queue[k] = s.queue[cells + edges]
        cell = edge >> 1
        down = edge & 1
        here = _root(s, cell)
        there = _root(s, cell + (columns if down else 1))
        if here != there:
            s.queue[there] = here
            take(s, 2 * (cell // columns) + 1 + down, 2 * (cell % columns) + 2 - down, wall)
            joined += 1
