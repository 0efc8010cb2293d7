"""The vocabulary in which environments are written: plain Python over one state, compiled by Numba.

A rule is a function of a state ``s`` (one NumPy record, `mesabench.engine.state.state_dtype`). Everything here works the same
compiled and as plain Python (``NUMBA_DISABLE_JIT=1``), and allocates nothing.

Chance has one door: `draw`. While an environment runs, it reads the state's own counter-based stream; while the solver
explores, it replays a script of outcomes and notes how many there were, so that every branch of chance can be enumerated.
"""

import numpy as np
from numba import literal_unroll

from mesabench.world.bits import Bit as Bit
from mesabench.world.bits import amount as amount
from mesabench.world.bits import events as events
from mesabench.world.bits import layers as layers
from mesabench.world.compilation import rule as rule

UP, LEFT, DOWN, RIGHT, STAY = range(5)
MOVES = ("up", "left", "down", "right")
"""The four moves; an environment whose agent may wait declares `MOVES + ("stay",)`."""

MAX_DRAWS = 12
"""Draws in one step that the solver can enumerate."""
MAX_OUTCOMES = 255
"""Outcomes of one draw that the solver can enumerate."""

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLY_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLY_2 = np.uint64(0x94D049BB133111EB)
_30, _27, _31, _32, _11 = (np.uint64(k) for k in (30, 27, 31, 32, 11))


@rule
def mix(z):
    """The finaliser of splitmix64: uint64 -> uint64, a bijection (Steele, Lea & Flood 2014)."""
    z = (z ^ (z >> _30)) * _MULTIPLY_1
    z = (z ^ (z >> _27)) * _MULTIPLY_2
    return z ^ (z >> _31)


@rule
def _script(s, n):
    """The scripted outcome of the next draw; notes the number of outcomes for the odometer."""
    k = np.int64(s._drawn)
    if k >= MAX_DRAWS or n > MAX_OUTCOMES:
        s._overflow = 1
        return 0
    s._drawn = k + 1
    s._radix[k] = n
    return np.int64(s._script[k])


@rule
def draw(s, n):
    """A uniform integer in [0, n). The one source of chance in rules (with `chance`, which counts as a draw)."""
    if s._scripted:
        s._weight = s._weight / n
        return _script(s, n)
    s._rng = s._rng + GOLDEN
    return np.int64(((mix(s._rng) >> _32) * np.uint64(n)) >> _32)


@rule
def chance(s, p):
    """True with probability p in [0, 1]. Certain outcomes (p = 0 or 1) draw nothing."""
    if p <= 0.0:
        return False
    if p >= 1.0:
        return True
    if s._scripted:
        hit = _script(s, 2) == 1
        s._weight = s._weight * (p if hit else 1.0 - p)
        return hit
    s._rng = s._rng + GOLDEN
    return float(mix(s._rng) >> _11) < p * 9007199254740992.0  # 2**53


@rule
def _place(k, seed):
    return mix(mix(np.uint64(seed)) + np.uint64(k + 1) * GOLDEN)


@rule
def shuffled(k, n, seed):
    """The k-th of 0 .. n - 1 in an order that the seed alone decides, without a draw: for a fixed choice of a few of many.

    The first few of an order are among its first many. It takes n**2 steps.
    """
    for one in range(n):
        earlier = 0
        for other in range(n):
            earlier += _place(other, seed) < _place(one, seed)
        if earlier == k:
            return one
    return 0


@rule
def choose(s, *weights):
    """k with a probability in proportion to the k-th weight: choose(s, 3.0, 1.0) is 0 in three cases of four, and 1 in one.

    Weights below 0 count as 0. Where fewer than two are above it, nothing is drawn; where none is, the choice is 0.
    """
    total, possible, last, n = 0.0, 0, 0, 0
    for weight in literal_unroll(weights):  # whole numbers and others side by side
        if weight > 0.0:
            total += weight
            possible += 1
            last = n
        n += 1
    if possible < 2:
        return last
    if s._scripted:
        chosen = _script(s, n)
        bar = 0.0
    else:
        s._rng = s._rng + GOLDEN
        bar = float(mix(s._rng) >> _11) / 9007199254740992.0 * total  # 2**53
        chosen = -1
    k, below, share = 0, 0.0, 0.0
    for weight in literal_unroll(weights):
        if weight > 0.0:
            below += weight
            if chosen < 0 and bar < below:
                chosen = k
            if chosen == k:
                share = weight / total
        k += 1  # noqa: SIM113 - Numba cannot number what it unrolls
    if s._scripted:
        s._weight = s._weight * share
        return chosen
    return chosen if chosen >= 0 else last  # rounding


@rule
def counted(event, n):
    """An event that carries an amount, n times: to be joined to others with `|`.

    Where n is negative or has more digits than the event, no number but -1 is returned: whatever joins it, the step is refused.
    """
    unit = event & -event
    return n * unit if 0 <= n <= event // unit else -1


@rule
def has(s, y, x, layer):
    """Whether any of the layers is present in a cell."""
    return (np.int64(s.grid[y, x]) & layer) != 0


@rule
def put(s, y, x, layer):
    """Add layers to a cell."""
    s.grid[y, x] = np.int64(s.grid[y, x]) | layer


@rule
def take(s, y, x, layer):
    """Remove layers from a cell."""
    s.grid[y, x] = np.int64(s.grid[y, x]) & ~layer


@rule
def clear(s):
    """Take all layers off the grid, for a level that is painted over another."""
    for y in range(s.grid.shape[0]):
        for x in range(s.grid.shape[1]):
            s.grid[y, x] = 0


@rule
def count(s, layer):
    """The number of cells in which any of the layers is present."""
    total = 0
    for y in range(s.grid.shape[0]):
        for x in range(s.grid.shape[1]):
            total += (np.int64(s.grid[y, x]) & layer) != 0
    return total


@rule
def find(s, layer):
    """The first cell, row by row, in which any of the layers is present, as (y, x); (0, 0) if there is none."""
    for y in range(s.grid.shape[0]):
        for x in range(s.grid.shape[1]):
            if has(s, y, x, layer):
                return y, x
    return 0, 0


@rule
def put_agent(s, y, x, layer):
    """Set the agent down: its layer in the grid and its position in `s.y`, `s.x`."""
    put(s, y, x, layer)
    s.y = y
    s.x = x


@rule
def ahead(action):
    """The step (dy, dx) of an action: up, left, down, right; every other action stays."""
    return int(action == DOWN) - int(action == UP), int(action == RIGHT) - int(action == LEFT)


@rule
def move(s, action, layer, blocking):
    """Move the agent one cell unless a blocking layer is there; returns whether it moved.

    The border of every level is closed, so the cell ahead always exists.
    """
    dy, dx = ahead(action)
    y = np.int64(s.y) + dy
    x = np.int64(s.x) + dx
    if (dy == 0 and dx == 0) or has(s, y, x, blocking):
        return False
    take(s, s.y, s.x, layer)
    put_agent(s, y, x, layer)
    return True


@rule
def push(s, y, x, dy, dx, layer, blocking):
    """Move what lies in cell (y, x) of the given layers by (dy, dx), whoever pushes; returns whether it moved.

    It stays where it is if a blocking layer or the end of the grid is in the way, and where nothing of it lies, nothing moves.
    """
    to_y = y + dy
    to_x = x + dx
    what = np.int64(s.grid[y, x]) & layer
    within = 0 <= to_y < s.grid.shape[0] and 0 <= to_x < s.grid.shape[1]
    if what == 0 or (dy == 0 and dx == 0) or not within or has(s, to_y, to_x, blocking):
        return False
    take(s, y, x, what)
    put(s, to_y, to_x, what)
    return True


@rule
def free_cell_within(s, occupied, top, left, bottom, right):
    """A uniformly random cell without any of the layers in rows top..bottom-1 and columns left..right-1, as (y, x).

    If there is none, the level counts as impossible (it is drawn again, a bounded number of times) and (0, 0) is returned.
    """
    if (
        not s._scripted
    ):  # trying cells at random is fast; counting them is certain, and has one draw for the solver
        for _ in range(20):
            k = draw(s, (bottom - top) * (right - left))
            y = top + k // (right - left)
            x = left + k % (right - left)
            if not has(s, y, x, occupied):
                return y, x
    free = 0
    for y in range(top, bottom):
        for x in range(left, right):
            free += (np.int64(s.grid[y, x]) & occupied) == 0
    if free == 0:
        s.failed = 1
        return 0, 0
    k = draw(s, free)
    for y in range(top, bottom):
        for x in range(left, right):
            if (np.int64(s.grid[y, x]) & occupied) == 0:
                if k == 0:
                    return y, x
                k -= 1
    return 0, 0


@rule
def free_cell(s, occupied):
    """A uniformly random cell of the whole grid without any of the layers, as (y, x); see `free_cell_within`."""
    return free_cell_within(s, occupied, 0, 0, s.grid.shape[0], s.grid.shape[1])


@rule
def scatter(s, layer, number, occupied):
    """Put a layer into `number` different random cells that hold none of the occupied layers."""
    for _ in range(number):
        y, x = free_cell(s, occupied | layer)
        put(s, y, x, layer)
