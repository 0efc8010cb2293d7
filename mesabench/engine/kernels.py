"""The engine: an environment's rules compiled into one batch kernel over an array of state records.

One record holds one running episode. Its *header* is the clock, the random stream and the solver's script, by names that begin
with `_`: rules reach it through `draw` and `chance` alone; its *content* (grid, agent, fields, events already seen) is what makes
two states the same; its *scratch* belongs to the rules while they run. Content is a whole number of 8-byte words, so states
compare, hash and copy as words.
"""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numba import njit

from mesabench.engine import threads
from mesabench.engine.kernel_cache import kernel
from mesabench.world.environment import Environment
from mesabench.world.rules import GOLDEN, MAX_DRAWS, mix, rule

RESET, STEP = 0, 1
RUNNING, TERMINATED, TRUNCATED = 0, 1, 2
ANY_POOL, TRAIN_POOL, HELDOUT_POOL = 0, 1, 2
ATTEMPTS = 2000
"""Levels drawn at most in search of one that is possible and belongs to the pool asked for."""
HELDOUT_SHARE = np.uint64(8)
"""One layout in this many is held out from training."""

# domains of the random streams; every draw of a run belongs to exactly one
_LAYOUT, _SHIFT, _MIXTURE, _LEVEL, _DYNAMICS = (np.uint64(0x6D657361_00000000 + k) for k in range(1, 6))
_0, _1, _11, _29 = (np.uint64(k) for k in (0, 1, 11, 29))
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
        ("grid", cell, shape), ("y", np.int32), ("x", np.int32), ("seen", np.uint16),
        *((one.name, one.dtype) for one in environment.fields),
    ]  # fmt: skip
    scratch = [("distance", np.int16, shape), ("queue", np.int16, (shape[0] * shape[1],))]
    layout: list[tuple[str, np.dtype[Any]]] = []
    bounds: list[int] = []
    at = 0

    def align(size: int) -> None:
        """Fill up to a multiple of so many bytes, by a field: NumPy copies nothing that has no name."""
        nonlocal at
        if gap := -at % size:
            layout.append((f"_gap_{at}", np.dtype((np.uint8, gap))))
            at += gap

    for part in (header, content, scratch):
        # numpy's stubs know no dtype of a pair that is put together at run time
        for name, *form in part:
            dtype: np.dtype[Any] = np.dtype(tuple(form) if len(form) > 1 else form[0])  # type: ignore[call-overload]
            align(dtype.base.itemsize)
            layout.append((str(name), dtype))
            at += dtype.itemsize
        align(8)
        bounds.append(at // 8)
    return np.dtype((np.record, layout)), slice(bounds[0], bounds[1])


@rule
def hash_words(words, row, start, stop):
    """A 64-bit digest of words[row, start:stop] (uint64)."""
    h = GOLDEN
    for k in range(start, stop):
        h = (h ^ words[row, k]) * _HASH
        h = h ^ (h >> _29)
    return mix(h)


_inline = njit(inline="always")
"""For what is called in one place: as a function, the compiler would optimise it, and all it calls, once more."""


@dataclass(frozen=True, eq=False)
class Engine:
    """The compiled rules of one environment for one grid shape and one list of observation planes."""

    environment: Environment
    shape: tuple[int, int]
    channels: tuple[str, ...]
    dtype: np.dtype[Any]
    content: slice
    advance: Any
    observe: Any
    adopt: Any
    knobs_dtype: np.dtype[Any]

    @property
    def observation_shape(self) -> tuple[int, int, int]:
        return (len(self.channels), *self.shape)

    @property
    def channel_highs(self) -> np.ndarray:
        """uint8 (channels,): the largest value in each observation plane; 1 for layers."""
        highs = {one.name: one.high for one in self.environment.fields}
        return np.array([highs.get(name, 1) for name in self.channels], np.uint8)

    def __reduce__(self) -> tuple[Any, ...]:
        return _build, (self.environment, self.shape, self.channels)  # compiled anew, or found in the cache

    def states(self, n: int) -> np.ndarray:
        """n zeroed state records."""
        return np.zeros(n, self.dtype)

    def knob_records(self, *knobs: Any) -> np.ndarray:
        """The knob values as records that rules can read."""
        declared = self.environment.knobs
        rows = [tuple(declared[name].encode(getattr(one, name)) for name in declared) for one in knobs]
        return np.array(rows, self.knobs_dtype)


def engine_for(environment: Environment, knobs: Any) -> Engine:
    """The engine for these knob values; built once per environment, shape and observation planes."""
    return _build(environment, environment.shape(knobs), environment.channels_of(knobs))


@rule
def _nothing(s, knobs):
    pass


@rule
def _settled(s):
    pass


@cache
def _build(environment: Environment, shape: tuple[int, int], channels: tuple[str, ...]) -> Engine:
    dtype, content = state_dtype(environment, shape)
    knobs_dtype = np.dtype((np.record, [
        (name, np.float64 if isinstance(knob.default, float) else np.int64)
        for name, knob in environment.knobs.items()
    ]))  # fmt: skip

    # what the kernels close over: constants of compilation
    layout, step = environment.layout, environment.step
    shift, settle = environment.shift or _nothing, environment.settle or _settled
    ends, once = int(environment.ends), int(environment.once)
    paired = environment.paired
    first, last = content.start, content.stop
    n_events, n_objectives = environment.weights.shape
    cells = shape[0] * shape[1]
    itemsize, offsets = dtype.itemsize, {name: spec[1] for name, spec in (dtype.fields or {}).items()}
    cell_bytes = dtype["grid"].base.itemsize
    plane_is_layer, plane_byte, plane_mask = _planes(environment, channels, offsets)
    n_planes = len(channels)

    @rule
    def write_observation(raw, row, out, slot):
        """Unpack one state's planes: raw uint8 (n * itemsize) -> out uint8 (slots * planes * cells), both flat."""
        # unsigned indices spare the check for negative ones, without which the loops become vector instructions
        source = np.uint64(row * itemsize)
        target = np.uint64(slot * n_planes * cells)
        for plane in range(n_planes):
            at = source + np.uint64(plane_byte[plane])
            mask = plane_mask[plane]
            if plane_is_layer[plane]:
                for j in range(cells):
                    present = raw[at + np.uint64(j * cell_bytes)] & mask
                    out[target + np.uint64(j)] = np.uint8(1) if present else np.uint8(0)
            else:
                for j in range(cells):
                    out[target + np.uint64(j)] = raw[at]
            target += np.uint64(cells)

    @_inline
    def make_level(s, words, row, level, knobs, alpha, pool):
        """Fill a state with a level; returns whether one was found, its layout's digest and its own."""
        start = mix(level ^ _MIXTURE)
        shifted = float(start >> _11) < alpha * 9007199254740992.0
        own = knobs[2 if shifted else 1]
        twin = knobs[1 if shifted else 2]
        common = knobs[0] if paired else own
        s._scripted = 0
        for attempt in range(ATTEMPTS):
            seed = mix(level + np.uint64(attempt) * GOLDEN)
            layout_digest = digest = _0
            # held-out levels come in pairs: a layout counts only if the other member of the pair is possible too
            for member in range(1 if pool == TRAIN_POOL or not paired else 0, 2):
                for k in range(first, last):
                    words[row, k] = _0
                s.failed = 0
                s._rng = mix(seed ^ _LAYOUT)
                layout(s, common)
                if paired:
                    layout_digest = hash_words(words, row, first, last)
                    if s.failed or not in_pool(layout_digest, pool):
                        s.failed = 1
                        break
                s._rng = mix(seed ^ _SHIFT)
                shift(s, own if member else twin)
                settle(s)
                if s.failed:
                    break
            if s.failed:
                continue
            digest = hash_words(words, row, first, last)
            if not paired:
                layout_digest = digest
                if not in_pool(digest, pool):
                    continue
            s._clock = 0
            s._max_steps = own.max_steps
            return True, layout_digest, digest
        return False, _0, _0

    @rule
    def in_pool(layout_digest, pool):
        heldout = layout_digest % HELDOUT_SHARE == _0
        return pool == ANY_POOL or heldout == (pool == HELDOUT_POOL)

    @_inline
    def begin(
        i,
        states,
        words,
        wanted,
        seeds,
        episodes,
        levels,
        layouts,
        digests,
        returns,
        knobs,
        alpha,
        pool,
        n_levels,
    ):
        """Start the next episode of environment i: on the wanted level if there is one, else on one of its own stream."""
        stream = mix(seeds[i] + np.uint64(episodes[i] + 1) * GOLDEN)
        episodes[i] += 1
        s = states[i]
        level = wanted[i]
        if level < 0:
            level = np.int64(mix(stream ^ _LEVEL) >> _1)
            if n_levels > 0:
                level = level % n_levels
        found, layout_digest, digest = make_level(s, words, i, np.uint64(level), knobs, alpha, pool)
        s._rng = mix(stream ^ _DYNAMICS)
        levels[i] = level
        layouts[i] = layout_digest
        digests[i] = digest
        for o in range(n_objectives):
            returns[i, o] = 0.0
        return found

    @kernel(layout, shift, settle, step, environment.weights.shape, dtype.descr)
    def advance(
        me, turn, claims, started, operation, states, words, raw, actions, chosen, wanted, seeds, episodes, status, levels,
        layouts, digests, returns, knobs, alpha, pool, n_levels, weights, paid, autoreset, observations, rewards, terminated,
        truncated, happened,
    ):  # fmt: skip
        """Thread `me`'s share (see `mesabench.engine.threads`) of a reset (of the chosen) or a step.

        Returns the first environment whose level could not be found, or the number of environments. One whose episode is over
        starts the next on its next step if `autoreset`, and else waits.
        """
        n = len(status)
        threads.start(me, turn, started)
        while True:
            lo, hi = threads.claim(claims, me, n)
            if lo == hi:
                break
            for i in range(lo, hi):
                if operation == RESET and not chosen[i]:
                    continue
                rewards[i] = 0.0
                happened[i] = 0
                if operation == RESET or (autoreset and status[i] != RUNNING):
                    if not begin(i, states, words, wanted, seeds, episodes, levels, layouts, digests, returns, knobs, alpha,
                                 pool, n_levels):  # fmt: skip
                        status[i] = TRUNCATED  # there is nothing to step
                        threads.fail(claims, me, i, n)
                        break
                    status[i] = RUNNING
                elif status[i] == RUNNING:
                    s = states[i]
                    found = step(s, actions[i])
                    if once:
                        found = found & ~(int(s.seen) & once)
                        s.seen = int(s.seen) | (found & once)
                    s._clock += 1
                    if found:
                        reward = 0.0
                        for e in range(n_events):
                            if (found >> e) & 1:
                                reward += weights[e, paid]
                                for o in range(n_objectives):
                                    returns[i, o] += weights[e, o]
                        rewards[i] = reward
                        happened[i] = found
                        if found & ends:
                            status[i] = TERMINATED
                    if s._clock >= s._max_steps and status[i] == RUNNING:
                        status[i] = TRUNCATED
                terminated[i] = status[i] == TERMINATED
                truncated[i] = status[i] == TRUNCATED
                if observations.size:
                    write_observation(raw, i, observations, i)
            threads.finish(claims, hi - lo)
        return threads.settle(claims, me, turn, started, n)

    @kernel(dtype.descr)
    def observe(raw, out, n):
        """Observations of n states: raw uint8 (n * itemsize) -> out uint8 (n * planes * cells), both flat."""
        for i in range(n):
            write_observation(raw, i, out, i)

    @kernel(settle, dtype.descr)
    def adopt(states, words, digests, n):
        """Make n states whose grid and agent were set by hand complete: derived fields and digests (uint64, n)."""
        for i in range(n):
            settle(states[i])
            digests[i] = hash_words(words, i, first, last)

    return Engine(environment, shape, channels, dtype, content, advance, observe, adopt, knobs_dtype)


def _planes(
    environment: Environment, channels: tuple[str, ...], offsets: dict[str, int]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Per observation plane: whether it is a layer, the byte of the record it starts at, the bit mask within a byte."""
    planes: list[tuple[bool, int, int]] = []
    shown = {one.name for one in environment.fields if one.shown}
    for name in channels:
        if name in environment.layer_names:
            bit = environment.layer_names.index(name)
            planes.append((True, offsets["grid"] + bit // 8, 1 << bit % 8))
        elif name in shown:
            planes.append((False, offsets[name], 255))
        else:
            allowed = ", ".join((*environment.layer_names, *sorted(shown)))
            raise ValueError(f"{environment.name}: cannot observe {name!r}; allowed: {allowed}")
    is_layer, byte, mask = zip(*planes, strict=True)
    return np.array(is_layer), np.array(byte), np.array(mask, np.uint8)
