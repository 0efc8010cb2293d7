"""The vocabulary in which environments are written: plain Python over one state, compiled by Numba.

A rule is a function of a state ``s`` (one NumPy record, `mesabench.engine.state.state_dtype`). Everything here works the same
compiled and as plain Python (``NUMBA_DISABLE_JIT=1``), and allocates nothing.

Chance has one door: `draw`. While an environment runs, it reads the state's own counter-based stream; while the solver
explores, it replays a script of outcomes and notes how many there were, so that every branch of chance can be enumerated.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numba import njit


def rule(function: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a function of a state as part of an environment's rules, to be compiled into its kernels."""
    return njit(no_cpython_wrapper=True, no_cfunc_wrapper=True)(function)


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


class Bit(int):
    """An int with one bit set and a name: a layer of the grid or an event of a step.

    An event that carries an amount has several bits, its binary digits; `most` is the largest amount, 1 of all others.
    """

    name: str
    most: int

    def __new__(cls, position: int, name: str, most: int = 1) -> "Bit":
        bit = super().__new__(cls, (1 << most.bit_length()) - 1 << position)
        bit.name, bit.most = name, most
        return bit

    def __getnewargs__(self) -> tuple[int, str, int]:  # type: ignore[override]
        return self.position, self.name, self.most

    @property
    def position(self) -> int:
        """The number of its lowest bit."""
        return (int(self) & -int(self)).bit_length() - 1

    def amount_in(self, happened: int) -> int:
        """How much of it there is in the events of a step: 0 or 1, or its amount."""
        return (int(happened) & int(self)) >> self.position


class Amount(NamedTuple):
    """An event to be named by `events`, with the largest amount that it can carry."""

    name: str
    most: int


MAX_ACTIONS = 32
"""Actions of an environment; sets of them, as of events, are kept in 32 bits."""
MAX_LAYERS, MAX_EVENT_BITS = 16, 32


def _bits(kind: str, most: int, given: tuple[str | Amount, ...]) -> tuple[Any, ...]:
    amounts = [one if isinstance(one, Amount) else Amount(one, 1) for one in given]
    names = [one.name for one in amounts]
    needed = [one.most.bit_length() for one in amounts]
    if not given or sum(needed) > most:
        wide = ", ".join(f"{one.name!r} {n}" for one, n in zip(amounts, needed, strict=True) if n > 1)
        bits = f", and these take {sum(needed)} bits ({wide}, the others 1)" if wide else ""
        raise ValueError(f"{len(names)} {kind} named{bits}; between 1 and {most} are possible")
    for name in names:
        if not name.isidentifier() or names.count(name) > 1:
            raise ValueError(f"{kind} {name!r}: every name must be an identifier and occur once")
    return tuple(Bit(sum(needed[:k]), one.name, one.most) for k, one in enumerate(amounts))


def layers(*names: str) -> tuple[Any, ...]:
    """Name the layers of the grid, lowest first (that is the order of drawing): one bit of a cell each, at most 16."""
    return _bits("layers", MAX_LAYERS, names)


def events(*names: str | Amount) -> tuple[Any, ...]:
    """Name the events that a step can return: one bit each, at most 32; an `amount` takes one for each of its digits."""
    return _bits("events", MAX_EVENT_BITS, names)


def amount(name: str, most: int) -> Amount:
    """An event that carries a count from 0 to `most`: `STEPPED, WATERED = events("stepped", amount("watered", 13))`.

    Rules return `counted(WATERED, n)`; objectives weigh it by the unit. Raises ValueError.
    """
    if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most < 1 << MAX_EVENT_BITS - 1:
        raise ValueError(
            f"amount({name!r}, {most!r}): the largest count must be a whole number from 1 to {(1 << MAX_EVENT_BITS - 1) - 1}"
        )
    return Amount(name, most)


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
