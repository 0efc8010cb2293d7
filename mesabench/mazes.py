"""Where walls stand: open rooms, random blocks, spanning trees; and who can reach what.

All of them fill the whole grid of a state, border included, and are rules: compiled, without allocation (`s.distance`
(height, width) int16 and `s.queue` (height * width) int16 are the state's scratch space, not part of its content).
"""

import numpy as np

from mesabench.environment import Knob
from mesabench.rules import chance, draw, has, put, rule, take

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
    open_room(s, wall)
    height, width = s.grid.shape
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            if y + x > 2 and chance(s, density):
                put(s, y, x, wall)
    flood(s, 1, 1, wall)
    for y in range(1, height - 1):
        for x in range(1, width - 1):
            if s.distance[y, x] < 0:
                put(s, y, x, wall)


@rule
def spanning_tree(s, wall):
    """A maze without loops: Kruskal's algorithm over the cells with odd coordinates, edges in random order.

    Exactly one path joins any two cells. Where height or width is even, the last row or column is wall as well.
    """
    height, width = s.grid.shape
    rows = (height - 1) // 2
    columns = (width - 1) // 2
    last = height * width - 1
    for y in range(height):
        for x in range(width):
            s.grid[y, x] = wall
    # s.queue holds the edges still to be tried from its front, the parents of union-find (by cell) from its back
    edges = 0
    for y in range(rows):
        for x in range(columns):
            take(s, 2 * y + 1, 2 * x + 1, wall)
            cell = y * columns + x
            s.queue[last - cell] = cell
            if x + 1 < columns:
                s.queue[edges] = cell * 2
                edges += 1
            if y + 1 < rows:
                s.queue[edges] = cell * 2 + 1
                edges += 1
    joined = 1
    while joined < rows * columns:
        k = draw(s, edges)
        edges -= 1
        edge = np.int64(s.queue[k])
        s.queue[k] = s.queue[edges]
        cell = edge >> 1
        down = edge & 1
        a = _root(s, cell, last)
        b = _root(s, cell + (columns if down else 1), last)
        if a != b:
            s.queue[last - b] = a
            take(s, 2 * (cell // columns) + 1 + down, 2 * (cell % columns) + 2 - down, wall)
            joined += 1


@rule
def _root(s, cell, last):
    """The representative of a cell's tree; halves the path on the way."""
    parent = np.int64(s.queue[last - cell])
    while parent != cell:
        above = np.int64(s.queue[last - parent])
        s.queue[last - cell] = above
        cell = parent
        parent = above
    return cell


@rule
def flood(s, y, x, blocking):
    """Fill `s.distance` with the number of moves from (y, x) to every cell around blocking layers; -1 where there is no way.

    Returns the number of cells reached, (y, x) itself included.
    """
    height, width = s.grid.shape
    for i in range(height):
        for j in range(width):
            s.distance[i, j] = -1
    s.distance[y, x] = 0
    s.queue[0] = y * width + x
    head = 0
    tail = 1
    while head < tail:
        cell = np.int64(s.queue[head])
        head += 1
        cy = cell // width
        cx = cell - cy * width
        further = np.int64(s.distance[cy, cx]) + 1
        for k in range(4):
            ny = cy + int(k == 2) - int(k == 0)
            nx = cx + int(k == 3) - int(k == 1)
            if ny < 0 or nx < 0 or ny >= height or nx >= width:
                continue
            if s.distance[ny, nx] < 0 and not has(s, ny, nx, blocking):
                s.distance[ny, nx] = further
                s.queue[tail] = ny * width + nx
                tail += 1
    return tail
