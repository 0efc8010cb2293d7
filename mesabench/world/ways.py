"""Ways from a cell to all others: how far each of them is, and which step leads nearer.

Rules, compiled and without allocation, as those of `mesabench.world.mazes`, which offers them. Their own scratch space is
`s._flood` (3, words) uint64, cells as bits, or for large grids `s._queue` (height * width) int16.
"""

import numpy as np

from mesabench.world.rules import ahead, draw, has, rule

_UNSEEN, _SHUT, _ASKED = -1, -2, -3


@rule
def listed(s, layer):
    """List in `s.queue` the cells with any of the layers, row by row, as y * width + x; returns how many they are."""
    height, width = s.grid.shape
    number = 0
    for y in range(height):
        row = 0
        for x in range(width):
            row |= np.int64(s.grid[y, x])
        if row & layer:  # most rows have none, and several cells are joined at once
            for x in range(width):
                if has(s, y, x, layer):
                    s.queue[number] = y * width + x
                    number += 1
    return number


@rule
def flood(s, y, x, blocking, until=0):
    """Fill `s.distance` with the number of moves from (y, x) to every cell around blocking layers; -1 where there is no way.

    The border counts as blocked, and from it nothing is reached. Returns the number of cells reached, (y, x) itself included.
    until: if above 0, the first so many cells in `s.queue`, as `listed` lists them, are all that is asked for: the flood ends
    with the farthest of them, and whatever is farther away stays -1.
    """
    if s.grid.size <= BITWISE:
        return _flood_by_bits(s, y, x, blocking, until)
    return _flood_by_queue(s, y, x, blocking, until)


BITWISE = 256
"""Cells of a grid up to which it is quicker to flood by bits: a step costs as much as there are words, however few it reaches."""


@rule
def _flood_by_queue(s, y, x, blocking, until):
    height, width = s.grid.shape
    columns = np.uint64(width)  # unsigned numbers spare the checks for negative ones
    for i in range(height):
        for j in range(width):
            border = i == 0 or j == 0 or i == height - 1 or j == width - 1
            s.distance[i, j] = _SHUT if border or has(s, i, j, blocking) else _UNSEEN
    asked = 0 if until > 0 else 1
    for k in range(until):
        cell = np.uint64(s.queue[k])
        cy = cell // columns
        cx = cell - cy * columns
        asked += s.distance[cy, cx] != _ASKED and (cy != y or cx != x)
        if s.distance[cy, cx] == _UNSEEN and (cy != y or cx != x):
            s.distance[cy, cx] = _ASKED
    s.distance[y, x] = 0
    s._queue[0] = y * width + x
    head = 0
    tail = int(0 < y < height - 1 and 0 < x < width - 1)
    behind = 0  # the end of those that are as far away as the one before the head
    while head < tail and (asked > 0 or head < behind):
        if head == behind:
            behind = tail
        cell = np.uint64(s._queue[np.uint64(head)])
        head += 1
        cy = cell // columns
        cx = cell - cy * columns
        further = np.int64(s.distance[cy, cx]) + 1
        # every neighbour is written down and kept if it is new: no processor can foretell whether it is
        for k in range(4):
            ny = cy + np.uint64(k == 2) - np.uint64(k == 0)
            nx = cx + np.uint64(k == 3) - np.uint64(k == 1)
            known = np.int64(s.distance[ny, nx])
            new = int(known == _UNSEEN) | int(known == _ASKED)
            s.distance[ny, nx] = further if new else known
            s._queue[np.uint64(tail)] = ny * columns + nx
            tail += new
            asked -= int(known == _ASKED)
    for i in range(height):
        for j in range(width):
            s.distance[i, j] = max(np.int64(s.distance[i, j]), -1)
    return tail


@rule
def _flood_by_bits(s, y, x, blocking, until):
    """All cells of one distance are reached at once, as bits: 64 cells to a word, row behind row."""
    height, width = s.grid.shape
    words = (height * width + 63) // 64
    rows, columns = (
        width // 64,
        np.uint64(width % 64),
    )  # by how many words and bits one row lies behind another
    pad = rows + 1  # words of zeros before and behind, so that nothing asks where the grid ends
    for i in range(height):
        for j in range(width):
            s.distance[i, j] = -1
    s.distance[y, x] = 0
    if y <= 0 or x <= 0 or y >= height - 1 or x >= width - 1:
        return 0
    for k in range(words + 2 * pad):
        s._flood[0, k] = s._flood[1, k] = s._flood[_FREE, k] = 0
    start = y * width + x
    _free_row(s, y, blocking)
    s._flood[0, pad + start // 64] = _1 << np.uint64(start % 64)
    s._flood[_FREE, pad + start // 64] &= ~(_1 << np.uint64(start % 64))
    reached = 1
    further = 0
    coming = _1
    while coming and not (until > 0 and _all_reached(s, until)):
        last = further % 2
        further += 1
        coming = np.uint64(0)
        for i in (y - further, y + further):  # no more of the grid is read than the flood can have come to
            if 0 < i < height - 1:
                _free_row(s, i, blocking)
        for k in range(pad, pad + words):
            here = s._flood[last, k]
            beside = here << _1 | s._flood[last, k - 1] >> _63 | here >> _1 | s._flood[last, k + 1] << _63
            below = s._flood[last, k - rows] << columns | s._flood[last, k - pad] >> _1 >> (_63 - columns)
            above = s._flood[last, k + rows] >> columns | s._flood[last, k + pad] << _1 << (_63 - columns)
            new = (beside | below | above) & s._flood[_FREE, k]
            s._flood[_FREE, k] ^= new
            s._flood[1 - last, k] = new
            coming |= new
            first = np.uint64(64 * (k - pad))
            while new:
                cell = first + _place_of_lowest(new)
                s.distance[cell // np.uint64(width), cell % np.uint64(width)] = further
                reached += 1
                new &= new - _1
    return reached


_FREE = 2
"""The row of `s._flood` with the cells that a flood has still to reach; the others have those that it reached last, in turn."""
_1, _7, _56, _58, _63 = (np.uint64(k) for k in (1, 7, 56, 58, 63))
_BYTES = np.uint64(0x0101010101010101)
_GATHER = np.uint64(0x0102040810204080)
_DE_BRUIJN = 0x03F79D71B4CB0A89
_PLACES = np.argsort([(_DE_BRUIJN << k) % (1 << 64) >> 58 for k in range(64)]).astype(np.uint64)


@rule
def _place_of_lowest(bits):
    """The number of the lowest bit that is set (Leiserson, Prokop & Randall 1998)."""
    return _PLACES[(bits & (~bits + _1)) * np.uint64(_DE_BRUIJN) >> _58]


@rule
def _all_reached(s, number):
    columns = np.uint64(s.grid.shape[1])
    found = 0
    for k in range(number):
        cell = np.uint64(s.queue[k])
        found += s.distance[cell // columns, cell % columns] >= 0
    return found == number


@rule
def _free_row(s, y, blocking):
    """Note the cells of an inner row, its ends left out, that are not blocked."""
    width = s.grid.shape[1]
    pad = width // 64 + 1
    for first in range(0, width, 64):
        free = np.uint64(0)
        for x in range(first, min(first + 64, width) - 7, 8):
            free |= _eight_free(s, y, x, blocking) << np.uint64(x - first)
        for x in range(max(first, min(first + 64, width) // 8 * 8), min(first + 64, width)):
            free |= np.uint64(not has(s, y, x, blocking)) << np.uint64(x - first)
        if first == 0:
            free &= ~_1
        if first + 64 >= width:
            free &= ~(_1 << np.uint64(width - 1 - first))
        at = y * width + first
        s._flood[_FREE, pad + at // 64] |= free << np.uint64(at % 64)
        s._flood[_FREE, pad + at // 64 + 1] |= free >> _1 >> np.uint64(63 - at % 64)


@rule
def _eight_free(s, y, x, blocking):
    """Of the eight cells from (y, x) on, those that are not blocked, as bits."""
    free = np.uint64(0)
    if s.grid.itemsize > 1:
        for k in range(8):
            free |= np.uint64(not has(s, y, x + k, blocking)) << np.uint64(k)
        return free
    cells = np.uint64(0)
    for k in range(8):
        cells |= np.uint64(s.grid[y, x + k]) << np.uint64(8 * k)
    blocked = cells & _BYTES * np.uint64(blocking)
    most = ~(_BYTES << _7)
    free = ~((blocked & most) + most | blocked) >> _7 & _BYTES  # a byte is 1 where nothing blocks
    return free * _GATHER >> _56


@rule
def towards(s, y, x, avoid):
    """The step (dy, dx) that leads from (y, x) one cell down `s.distance`, to where `flood` began; (0, 0) if there is none.

    Of several ways, one is drawn; cells with a layer to avoid are none. For whatever walks by itself: flood from where it wants
    to go, ask for the step, and `push` it.
    """
    if s.distance[y, x] < 1:
        return 0, 0
    ways = 0
    for action in range(4):
        dy, dx = ahead(action)
        ways += s.distance[y + dy, x + dx] == s.distance[y, x] - 1 and not has(s, y + dy, x + dx, avoid)
    if ways == 0:
        return 0, 0
    k = draw(s, ways) if ways > 1 else 0
    for action in range(4):
        dy, dx = ahead(action)
        if s.distance[y + dy, x + dx] == s.distance[y, x] - 1 and not has(s, y + dy, x + dx, avoid):
            if k == 0:
                return dy, dx
            k -= 1
    return 0, 0
