"""Checks of play: that chance comes from the seed alone, and that copies go on alike."""

import pickle
from typing import Any

import numpy as np

from mesabench import registry
from mesabench.adapters.env import GridEnv
from mesabench.adapters.vector import GridVectorEnv
from mesabench.testing.levels import _check_states, levels_of, splits_of
from mesabench.testing.report import Broken, NotApplicable
from mesabench.world.environment import DEPLOY, Environment

STEPS = 100
"""Steps of random play."""


def check_play(environment: Environment, levels: int) -> str:
    """Random play stays within the grid, and fields and observations within their ranges."""
    rng = np.random.default_rng(0)
    ends = 0
    happened = 0
    for split in splits_of(environment):
        batch = levels_of(environment, split, levels)
        highs = batch.engine.channel_highs[:, None, None]
        for _ in range(STEPS):
            batch.step(rng.integers(0, len(batch.distribution.actions), levels), autoreset=True)
            _check_states(environment, split, batch.states)
            if (batch.observations > highs).any():
                raise Broken(
                    f"{split}: an observation exceeds its plane's range", "Raise the field's `high`."
                )
            ends += int((batch.terminated | batch.truncated).sum())
            happened |= int(np.bitwise_or.reduce(batch.events))
            for event in environment.events:
                many = int((batch.events & np.uint32(event)).max()) >> event.position
                if many > event.most:
                    raise Broken(
                        f"{split}: {event.name!r} came {many} times in one step, and is declared with at most {event.most}",
                        f"Declare amount({event.name!r}, {many}), or bound the count in the rules.",
                    )
    never = [event.name for event in environment.events if not happened & event]
    rare = f"; random play never met {', '.join(never)}" if never else ""
    return f"{levels * STEPS * len(splits_of(environment)):,} steps, {ends:,} episodes ended{rare}"


_PURE = "Rules may depend on the state alone: take chance from `draw`, keep no globals, expect nothing of scratch space."


def check_determinism(environment: Environment, levels: int) -> str:
    """The same seeds give the same episodes, alone, in a batch and in two threads."""
    n = min(levels, 64)

    def played(size: int, threads: int) -> list[tuple[np.ndarray, ...]]:
        vector = GridVectorEnv(environment, size, split=DEPLOY, threads=threads)
        observations, infos = vector.reset(seed=0)
        steps: list[tuple[np.ndarray, ...]] = [(observations, *infos.values())]
        for t in range(STEPS):
            *results, infos = vector.step((np.arange(size) * 7 + t * t) % vector.single_action_space.n)
            steps.append((*results, *infos.values()))
        return [tuple(array[: min(n, 3)] for array in step) for step in steps]

    runs = [played(n, 1), played(n, 2), played(min(n, 3), 1)]
    for other in runs[1:]:
        for mine, theirs in zip(runs[0], other, strict=True):
            if not all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True)):
                raise Broken("the same seeds gave different episodes", _PURE)
    for split in splits_of(environment):
        batch = levels_of(environment, split, n)
        digests = batch.digests.copy()
        for _ in range(10):
            batch.step(np.zeros(n, np.int64))
        batch.reset(levels=np.arange(n)[::-1])
        if not np.array_equal(batch.digests[::-1], digests):
            raise Broken(f"{split}: a level came out differently after others had been played", _PURE)
    return f"{STEPS} steps came out the same in a batch of {n}, in one of {min(n, 3)} and in two threads"


def check_pickling(environment: Environment, levels: int) -> str:
    """A pickled environment goes on where it was."""
    try:
        known = registry.find_environment(environment.reference) is environment
    except registry.UnknownNameError:
        known = False
    if not known:
        raise NotApplicable(
            "a pickle holds the environment's name, and by its name this one is not to be found"
        )
    env = GridEnv(environment, split=DEPLOY)
    env.reset(seed=0)
    env.step(0)
    other: Any = pickle.loads(pickle.dumps(env))
    for t in range(STEPS):
        if not env.running:
            break
        mine, theirs = (one.step(t % len(env.distribution.actions)) for one in (env, other))
        if not np.array_equal(mine[0], theirs[0]) or mine[1:] != theirs[1:]:
            raise Broken("a pickled copy went another way", _PURE)
    return "in the middle of an episode"
