"""What lies in memory: the record of a state, the record of the episode that it belongs to, and the terms of play.

A state's *header* is the clock, the random stream and the solver's script, by names that begin with `_`: rules reach it through
`draw` and `chance` alone; its *content* (grid, agent, fields, events already seen) is what makes two states the same; its
*scratch* belongs to the rules while they run. Content is a whole number of 8-byte words, so states compare, hash and copy as
words.
"""

from functools import cache
from typing import Any

import numpy as np

from mesabench.world.bitboard import BITWISE
from mesabench.world.environment import Environment
from mesabench.world.rules import GOLDEN, MAX_DRAWS, mix, rule

_29 = np.uint64(29)
_HASH = np.uint64(0xD6E8FEB86659FD93)


def state_dtype(environment: Environment, shape: tuple[int, int]) -> tuple[np.dtype[Any], slice]:
    """The record of one state, and the slice of its 8-byte words that is content. Raises ValueError for too large a grid."""
    if min(shape) < 3 or shape[0] * shape[1] > np.iinfo(np.int16).max:
        small = "small; within its border of walls there must be a cell" if min(shape) < 3 else ""
        raise ValueError(
            f"a grid of {shape[0]} x {shape[1]} cells is too {small or 'large; at most 32767 cells are possible'}"
        )
    header = [
        ("_rng", np.uint64), ("_weight", np.float64), ("_clock", np.int32), ("_max_steps", np.int32),
        ("_scripted", np.uint8), ("_drawn", np.uint8), ("_overflow", np.uint8), ("failed", np.uint8),
        ("_script", np.uint8, (MAX_DRAWS,)), ("_radix", np.uint8, (MAX_DRAWS,)),
    ]  # fmt: skip
    cell = np.uint8 if len(environment.layers) <= 8 else np.uint16
    content = [
        ("grid", cell, shape), ("y", np.int32), ("x", np.int32), ("seen", np.uint32),
        *((one.name, one.dtype(shape)) for one in environment.fields if not one.lasts),
    ]  # fmt: skip
    lasting = [(one.name, one.dtype(shape)) for one in environment.fields if one.lasts]
    cells = shape[0] * shape[1]
    words = -(-cells // 64) + 2 * (shape[1] // 64 + 1)
    in_bits = cells <= BITWISE
    scratch = [  # what is used most lies nearest to the content: so the memory brings it along
        ("_flood", np.uint64, (4, words if in_bits else 1)), ("queue", np.int16, (cells,)),
        ("distance", np.int16, shape), ("_queue", np.int16, (1 if in_bits else cells,)),
    ]  # fmt: skip
    dtype, bounds = _record(header, content, lasting, scratch)
    return dtype, slice(bounds[0], bounds[2])


def level_words(environment: Environment, dtype: np.dtype[Any], content: slice) -> slice:
    """The words of a state's content that belong to its level: all but the fields that last, which come behind them."""
    offsets = {name: spec[1] for name, spec in (dtype.fields or {}).items()}
    lasting = [offsets[one.name] // 8 for one in environment.fields if one.lasts]
    return slice(content.start, min(lasting, default=content.stop))


@cache
def episode_dtype(environment: Environment) -> np.dtype[Any]:
    """What is known of the episode that an environment is in.

    seed: of its stream of episodes; number: how many of them have begun; level: the level's seed, -1 for one that was given;
    layout, digest: the digests of its first state, before and after the shift; returns: what each objective has paid so far;
    status: RUNNING, TERMINATED or TRUNCATED (`mesabench.engine.dynamics`).
    """
    return _record([
        ("seed", np.uint64), ("number", np.int64), ("level", np.int64), ("layout", np.uint64), ("digest", np.uint64),
        ("returns", np.float64, (len(environment.objective_names),)), ("status", np.uint8),
    ])[0]  # fmt: skip


@cache
def terms_dtype(environment: Environment) -> np.dtype[Any]:
    """What is the same for all environments of a batch: what is paid, and which levels there are (see `Distribution`)."""
    return _record([
        ("weights", np.float64, environment.weights.shape), ("paid", np.int64),
        ("shifted_share", np.float64), ("pool", np.int64), ("levels", np.int64),
    ])[0]  # fmt: skip


def knobs_dtype(environment: Environment) -> np.dtype[Any]:
    """The knob values, as rules read them."""
    kinds = [
        (name, np.float64 if isinstance(one.default, float) else np.int64)
        for name, one in environment.knobs.items()
    ]
    return np.dtype((np.record, kinds))


def _record(*parts: list[Any]) -> tuple[np.dtype[Any], list[int]]:
    """A record of several parts, each a whole number of words, and the word behind the end of each."""
    layout: list[tuple[str, np.dtype[Any]]] = []
    bounds: list[int] = []
    at = 0

    def align(size: int) -> None:
        """Fill up to a multiple of so many bytes, by a field: NumPy copies nothing that has no name."""
        nonlocal at
        if gap := -at % size:
            layout.append((f"_gap_{at}", np.dtype((np.uint8, gap))))
            at += gap

    for part in parts:
        for name, *form in part:
            dtype: np.dtype[Any] = np.dtype(tuple(form) if len(form) > 1 else form[0])
            align(dtype.base.itemsize)
            layout.append((str(name), dtype))
            at += dtype.itemsize
        align(8)
        bounds.append(at // 8)
    # declared to be aligned, as it is anyway: or else some compilers would read every number byte by byte
    return np.dtype((np.record, np.dtype(layout, align=True))), bounds


@rule
def hash_words(words, start, stop):
    """A 64-bit digest of words[start:stop] (uint64)."""
    h = GOLDEN
    for k in range(start, stop):
        h = (h ^ words[k]) * _HASH
        h = h ^ (h >> _29)
    return mix(h)


def fault(environment: Environment, records: np.ndarray) -> tuple[int, str] | None:
    """The first of these states (n,) in which no episode can begin, and why, in words; None if one can in each.

    Compiled rules look around the agent without asking where the grid ends, so they must not begin in just anything.
    """
    grid = records["grid"]
    _, height, width = grid.shape
    edges = (grid[:, 0], grid[:, -1], grid[:, :, 0], grid[:, :, -1])
    closed = np.all([((edge & int(environment.wall)) != 0).all(1) for edge in edges], axis=0)
    y, x = records["y"], records["x"]
    within = (y > 0) & (y < height - 1) & (x > 0) & (x < width - 1)
    checks = [
        (closed, f"its border is not closed by {environment.wall.name!r}"),
        (within, f"its agent is not within the border, in a cell (y, x) from (1, 1) to ({height - 2}, {width - 2})"),
        (records["_clock"] >= 0, "its clock `_clock` is negative"),
        (records["_clock"] < records["_max_steps"], "it has no time left: `_clock` must be below `_max_steps`"),
    ]  # fmt: skip
    for one in environment.fields:
        values = records[one.name].reshape(len(records), -1)
        fits = ((values >= 0) & (values <= one.high)).all(1)
        checks.append((fits, f"its field {one.name!r} is not from 0 to {one.high}"))
    for fine, trouble in checks:
        if not fine.all():
            return int(np.argmin(fine)), trouble
    return None
