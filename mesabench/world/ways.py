"""Ways from a cell to all others: how far each of them is, and which step leads nearer.

Rules, compiled and without allocation, as those of `mesabench.world.mazes`, which offers them. Their own scratch space is
`s._flood` (4, words) uint64, cells as bits, or for large grids `s._queue` (height * width) int16.
"""

import numpy as np

from mesabench.world.bitboard import BITWISE, eight, inner, place_of_lowest, word
from mesabench.world.rules import ahead, draw, has, rule

_UNSEEN, _SHUT, _ASKED = -1, -2, -3
_1, _63 = np.uint64(1), np.uint64(63)


@rule
def listed(s, layer):
    """List in `s.queue` the cells with any of the layers, row by row, as y * width + x; returns how many they are."""
    number, width = 0, s.grid.shape[1]
    for begin in range(0, s.grid.size, 512):
        # first find the groups of eight that have any: few have, and a processor that must guess which loses its time
        some = np.uint64(0)
        for first in range(begin, min(begin + 512, s.grid.size - 7), 8):
            some |= np.uint64(eight(s, first, layer) != 0) << np.uint64((first - begin) // 8)
        while some:
            at = np.uint64(begin) + place_of_lowest(some) * np.uint64(8)
            here = eight(s, at, layer)
            while here:
                s.queue[number] = at + place_of_lowest(here)
                number += 1
                here &= here - _1
            some &= some - _1
    for cell in range(s.grid.size // 8 * 8, s.grid.size):
        s.queue[number] = cell
        number += has(s, cell // width, cell % width, layer)
    return number


@rule
def flood(s, y, x, blocking, until=0):
    """Fill `s.distance` with the number of moves from (y, x) to every cell around blocking layers; -1 where there is no way.

    The border counts as blocked, and from it nothing is reached. Returns the number of cells reached, (y, x) itself included.
    until: if above 0, the first so many cells in `s.queue`, as `listed` lists them, are all that is asked for: the flood ends
    with the farthest of them, and whatever is farther away stays -1.
    """
    if s.grid.size > BITWISE:
        return _flood_by_queue(s, y, x, blocking, until)
    for i in range(s.grid.shape[0]):
        for j in range(s.grid.shape[1]):
            s.distance[i, j] = -1
    s.distance[y, x] = 0
    return _flood_by_bits(s, y, x, blocking, until)


@rule
def signpost(s, y, x, blocking, until=0, steps=1):
    """Let `nearer` and `towards` lead to (y, x) around blocking layers, as `flood` does, in a fraction of its time.

    What `s.distance` holds afterwards is undefined. until: if above 0, the first so many cells in `s.queue`, as `listed` lists
    them, are all that is asked for: from each of them there is a lead for so many steps, and elsewhere there may be none.
    """
    if s.grid.size > BITWISE:
        _flood_by_queue(s, y, x, blocking, until)
    elif not _unobstructed(s, y, x, blocking, until, steps):
        _flood_by_bits(s, y, x, blocking, until, False)


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
def _unobstructed(s, y, x, blocking, until, steps):
    """Whether nothing lies between (y, x) and what is asked for, as mostly where somebody chases: then there is nothing to find.

    Where the whole rectangle between two cells is free, every step towards the other one lies on a shortest way.
    """
    if until <= 0 or not _within(s, y, x):
        return False
    width = s.grid.shape[1]
    _clear_reached(s)
    _reach(s, 0, y * width + x)
    for k in range(until):
        cell = np.int64(s.queue[k])
        v, u = cell // width, cell % width
        far = abs(v - y) + abs(u - x)
        if (far > 1 and steps > 1) or not _within(s, v, u):
            return False
        shut = False
        for i in range(min(y, v), max(y, v) + 1):
            for j in range(min(x, u), max(x, u) + 1):
                shut |= has(s, i, j, blocking)
        if shut:
            return False
        _reach(s, far % 3, cell)
        if v != y:
            _reach(s, (far - 1) % 3, cell + (width if v < y else -width))
        if u != x:
            _reach(s, (far - 1) % 3, cell + (1 if u < x else -1))
    return True


@rule
def _within(s, y, x):
    """Whether a cell is none of the border."""
    return 0 < y < s.grid.shape[0] - 1 and 0 < x < s.grid.shape[1] - 1


@rule
def _flood_by_bits(s, y, x, blocking, until, measured=True):
    """All cells of one distance are reached at once, as bits: 64 cells to a word, row behind row.

    Cells are kept by their distance modulo 3: neighbours differ by 1, so that is enough to know which of them is nearer.
    measured: whether to write down distances as well.
    """
    height, width = s.grid.shape
    words = (height * width + 63) // 64
    rows, columns = (
        width // 64,
        np.uint64(width % 64),
    )  # by how many words and bits one row lies behind another
    pad = rows + 1  # words of zeros before and behind, so that nothing asks where the grid ends
    _clear_reached(s)
    if not _within(s, y, x):
        return 0
    for k in range(words):
        s._flood[_FREE, pad + k] = ~word(s, k, blocking) & inner(height, width, k)
    start = y * width + x
    _reach(s, 0, start)
    s._flood[_FREE, pad + start // 64] &= ~(_1 << np.uint64(start % 64))
    reached, further, met = 1, 0, 0
    coming = _1
    while coming:
        while met < until and _reached(s, np.int64(s.queue[met])) >= 0:
            met += 1
        if 0 < until == met:
            break
        last = further % 3
        further += 1
        now = further % 3
        coming = np.uint64(0)
        for k in range(pad, pad + words):
            here = s._flood[last, k]
            beside = here << _1 | s._flood[last, k - 1] >> _63 | here >> _1 | s._flood[last, k + 1] << _63
            below = s._flood[last, k - rows] << columns | s._flood[last, k - pad] >> _1 >> (_63 - columns)
            above = s._flood[last, k + rows] >> columns | s._flood[last, k + pad] << _1 << (_63 - columns)
            new = (beside | below | above) & s._flood[_FREE, k]
            s._flood[_FREE, k] ^= new
            s._flood[now, k] |= new
            coming |= new
            first = np.uint64(64 * (k - pad))
            while measured and new:
                cell = first + place_of_lowest(new)
                s.distance[cell // np.uint64(width), cell % np.uint64(width)] = further
                reached += 1
                new &= new - _1
    return reached


_FREE = 3
"""The row of `s._flood` with the cells that a flood has still to reach; the three before it have those that it has reached."""


@rule
def _clear_reached(s):
    """Note that no cell has been reached."""
    for row in range(3):
        for k in range(s._flood.shape[1]):
            s._flood[row, k] = 0


@rule
def _reach(s, row, cell):
    """Put a cell into a row of `s._flood`."""
    s._flood[row, s.grid.shape[1] // 64 + 1 + cell // 64] |= _1 << np.uint64(cell % 64)


@rule
def _bit(s, row, cell):
    """Whether a cell is in a row of `s._flood`, as 1 or 0."""
    return np.int64(s._flood[row, s.grid.shape[1] // 64 + 1 + cell // 64] >> np.uint64(cell % 64) & _1)


@rule
def _reached(s, cell):
    """How far the last flood by bits has found a cell to be, modulo 3; -1 if it has not come there."""
    return _bit(s, 0, cell) + 2 * _bit(s, 1, cell) + 3 * _bit(s, 2, cell) - 1


@rule
def nearer(s, y, x):
    """The actions that lead from (y, x) one cell nearer to where `flood` or `signpost` began, as bits: bit k for action k.

    0 at the end of the way, where there is none, and where none was asked for.
    """
    actions = 0
    if s.grid.size > BITWISE:
        if s.distance[y, x] > 0:
            for action in range(4):
                dy, dx = ahead(action)
                actions |= int(s.distance[y + dy, x + dx] == s.distance[y, x] - 1) << action
        return actions
    cell = y * s.grid.shape[1] + x
    far = _reached(s, cell)
    if far >= 0:
        for action in range(4):
            dy, dx = ahead(action)
            actions |= _bit(s, (far + 2) % 3, cell + dy * s.grid.shape[1] + dx) << action
    return actions


@rule
def towards(s, y, x, avoid):
    """The step (dy, dx) that leads from (y, x) one cell nearer to where `flood` or `signpost` began; (0, 0) if there is none.

    Of several ways, one is drawn; cells with a layer to avoid are none. For whatever walks by itself: put up signposts to where
    it wants to go, ask for the step, and `push` it.
    """
    actions = nearer(s, y, x)
    if actions == 0:
        return 0, 0
    ways = 0
    for action in range(4):
        dy, dx = ahead(action)
        actions &= ~(int(has(s, y + dy, x + dx, avoid)) << action)
        ways += actions >> action & 1
    k = draw(s, ways) if ways > 1 else 0
    to_y, to_x = 0, 0
    for action in range(4):
        dy, dx = ahead(action)
        taken = (actions >> action & 1) * int(k == 0)
        to_y += dy * taken
        to_x += dx * taken
        k -= actions >> action & 1
    return to_y, to_x
