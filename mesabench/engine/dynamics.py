"""An environment's dynamics as small compiled functions of one record: make a level, begin an episode, step.

They loop over no environments and know no threads: whatever loops (`kernels` on the processor's threads, the solver's
exploration, another device) compiles them into its own kernel, so a step is one and the same everywhere.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit

from mesabench.engine.state import hash_words, level_words
from mesabench.world.environment import Environment
from mesabench.world.rules import GOLDEN, mix, rule

RUNNING, TERMINATED, TRUNCATED = 0, 1, 2
ANY_POOL, TRAIN_POOL, HELDOUT_POOL = 0, 1, 2
OWN_LEVEL, AS_IT_STANDS = -1, -2
"""In place of a level's seed: the next of the environment's own stream, or the state that the record already holds."""
ATTEMPTS = 2000
"""Levels drawn at most in search of one that is possible and belongs to the pool asked for."""
HELDOUT_SHARE = np.uint64(8)
"""One layout in this many is held out from training."""

# domains of the random streams; every draw of a run belongs to exactly one
_LAYOUT, _SHIFT, _MIXTURE, _LEVEL, _DYNAMICS = (np.uint64(0x6D657361_00000000 + k) for k in range(1, 6))
_0, _1, _11 = (np.uint64(k) for k in (0, 1, 11))

inlined = njit(inline="always")
"""For what is called in one place: as a function, the compiler would optimise it, and all it calls, once more."""


class Dynamics(NamedTuple):
    """Functions for kernels to call, each on one state `s` or the row of one.

    take_step(s, action) -> (events, whether the episode is over by them); events beyond the declared ones are `strange`
    strange(events) -> whether there is a bit among them that belongs to no event: an amount beyond its digits, a slip
    play(s, action, episode, terms) -> (reward, events): a step of a running episode, with its bookkeeping
    begin(s, words, row, episode, level, terms, knobs) -> whether there is such a level: the next episode
    digest(words, row) -> uint64, of a state's content but fields that last; words: uint64 (states * words), flat
    settle(s): derived fields made right, in a state whose grid and agent were set by hand
    """

    take_step: Any
    strange: Any
    play: Any
    begin: Any
    digest: Any
    settle: Any


@rule
def _nothing(s, knobs):
    pass


@rule
def _settled(s):
    pass


def dynamics_of(environment: Environment, dtype: np.dtype[Any], content: slice) -> Dynamics:
    """The dynamics for one layout of the record."""
    # what the functions close over: constants of compilation
    layout, step = environment.layout, environment.step
    shift, settle = environment.shift or _nothing, environment.settle or _settled
    ends, once = int(environment.ends), int(environment.once)
    paired = environment.paired
    every = sum(map(int, environment.events))
    n_bits, n_objectives = environment.weights.shape
    n_words, end = dtype.itemsize // 8, content.stop
    level_content = level_words(environment, dtype, content)
    first, last = level_content.start, level_content.stop

    @rule
    def digest(words, row):
        return hash_words(words, row * n_words + first, row * n_words + last)

    @inlined
    def take_step(s, action):
        happened = step(s, action)
        if once:
            happened = happened & ~(int(s.seen) & once)
            s.seen = int(s.seen) | (happened & once)
        return happened, (happened & ends) != 0

    @rule
    def strange(happened):
        return happened & ~every != 0

    @inlined
    def play(s, action, episode, terms):
        happened, over = take_step(s, action)
        s._clock += 1
        reward = 0.0
        if happened:
            paid = terms.paid
            for e in range(n_bits):
                if (happened >> e) & 1:
                    reward += terms.weights[e, paid]
                    for o in range(n_objectives):
                        episode.returns[o] += terms.weights[e, o]
        if over:
            episode.status = TERMINATED
        elif s._clock >= s._max_steps:
            episode.status = TRUNCATED
        return reward, happened

    @rule
    def in_pool(layout_digest, pool):
        heldout = layout_digest % HELDOUT_SHARE == _0
        return pool == ANY_POOL or heldout == (pool == HELDOUT_POOL)

    @inlined
    def make_level(s, words, row, level, terms, knobs):
        """Fill a state with a level; returns whether one was found, its layout's digest and its own."""
        start = mix(level ^ _MIXTURE)
        shifted = float(start >> _11) < terms.shifted_share * 9007199254740992.0
        own = knobs[2 if shifted else 1]
        twin = knobs[1 if shifted else 2]
        common = knobs[0] if paired else own
        pool = terms.pool
        s._scripted = 0
        for attempt in range(ATTEMPTS):
            seed = mix(level + np.uint64(attempt) * GOLDEN)
            layout_digest = whole_digest = _0
            # held-out levels come in pairs: a layout counts only if the other member of the pair is possible too
            for member in range(1 if pool == TRAIN_POOL or not paired else 0, 2):
                for k in range(first, last):
                    words[row * n_words + k] = _0
                s.failed = 0
                s._rng = mix(seed ^ _LAYOUT)
                layout(s, common)
                if paired:
                    layout_digest = digest(words, row)
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
            whole_digest = digest(words, row)
            if not paired:
                layout_digest = whole_digest
                if not in_pool(whole_digest, pool):
                    continue
            s._clock = 0
            s._max_steps = own.max_steps
            return True, layout_digest, whole_digest
        return False, _0, _0

    @inlined
    def begin(s, words, row, episode, level, terms, knobs):
        """level: a seed, OWN_LEVEL or AS_IT_STANDS. Chance draws from the environment's own stream in any case.

        Fields that last go on from one of its own levels to the next, and begin at 0 on any other.
        """
        goes_on = level == OWN_LEVEL and episode.number > 0
        stream = mix(episode.seed + np.uint64(episode.number + 1) * GOLDEN)
        episode.number += 1
        if level == AS_IT_STANDS:
            s._scripted = 0
            episode.level = -1
            episode.digest = digest(words, row)
            episode.layout = episode.digest
            found = True
        else:
            if level < 0:
                level = np.int64(mix(stream ^ _LEVEL) >> _1)
                if terms.levels > 0:
                    level = level % terms.levels
            if not goes_on:
                for k in range(last, end):
                    words[row * n_words + k] = _0
            found, layout_digest, whole_digest = make_level(s, words, row, np.uint64(level), terms, knobs)
            episode.level = level
            episode.layout = layout_digest
            episode.digest = whole_digest
        s._rng = mix(stream ^ _DYNAMICS)
        for o in range(n_objectives):
            episode.returns[o] = 0.0
        episode.status = RUNNING if found else TRUNCATED  # there is nothing to step
        return found

    return Dynamics(take_step, strange, play, begin, digest, settle)
