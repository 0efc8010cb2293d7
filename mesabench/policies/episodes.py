"""Playing a level: episodes of a policy, each to its end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from mesabench import solver
from mesabench.engine.batch import Batch
from mesabench.engine.chooser import chooser_of
from mesabench.engine.distribution import Distribution
from mesabench.engine.kernels import RUNNING
from mesabench.policies.behaviour import Behaviour
from mesabench.streams import drawn, generator, stream_seed
from mesabench.world.environment import classes_of


@dataclass(frozen=True)
class Sample:
    """Episodes of one level.

    returns: float64 (episodes, objectives), discounted; plain: the same undiscounted; first: float64 (episodes, classes).
    """

    returns: np.ndarray
    plain: np.ndarray
    first: np.ndarray
    lengths: np.ndarray
    digest: int
    layout: int


def sample_level(
    behaviour: Behaviour,
    level: int,
    graph: solver.LevelGraph | None = None,
    *,
    episodes: int,
    seed: int,
    watch: Any = None,
) -> Sample:
    """Play a level a number of times, every episode to its end; chance and the policy draw from seeds of their own.

    graph: the level solved, which a scripted policy needs.
    watch: called as watch(batch, running) after the reset and after each step, running being those that have just moved.
    """
    table = behaviour.table(graph) if graph is not None and behaviour.scripted else None
    state: Any = None

    def act(batch: Batch, running: np.ndarray, t: int, rng: np.random.Generator) -> np.ndarray:
        nonlocal state
        if table is None or graph is None:
            actions, state = behaviour.act(batch.observations, state, rng, running)
            return actions
        rows = table[min(t, len(table) - 1)]
        chances = [
            rows[graph.find(batch.states[i : i + 1])] if moves else rows[0] for i, moves in enumerate(running)
        ]
        return drawn(np.array(chances), rng.random(batch.n))

    return play_level(behaviour.distribution, level, act, episodes=episodes, seed=seed, watch=watch)


Act = Callable[[Batch, np.ndarray, int, np.random.Generator], np.ndarray]
"""What chooses actions, int64 (n,): of a batch, those that run, the step's number, and a stream to draw from."""


def at_random(batch: Batch, running: np.ndarray, t: int, rng: np.random.Generator) -> np.ndarray:
    """All actions alike, whatever there is to see."""
    return rng.integers(len(batch.distribution.actions), size=batch.n)


def by_policy(behaviour: Behaviour) -> Act:
    """What a policy does that looks at observations; a new life at the first step of every level."""
    state: Any = None

    def act(batch: Batch, running: np.ndarray, t: int, rng: np.random.Generator) -> np.ndarray:
        nonlocal state
        actions, state = behaviour.act(batch.observations, state if t else None, rng, running)
        return actions

    return act


def by_rule(distribution: Distribution, rule: Any) -> Act:
    """What a compiled rule, state -> action, does in the states as they are."""
    chosen = chooser_of(distribution.engine, rule)
    return lambda batch, running, t, rng: chosen(batch.states)


def play_level(
    distribution: Distribution,
    level: int,
    act: Act,
    *,
    episodes: int,
    seed: int,
    observe: bool = True,
    watch: Any = None,
) -> Sample:
    """The same by whatever chooses actions. observe: whether it looks at observations."""
    environment = distribution.environment
    batch = Batch(distribution, episodes, observe=observe, threads=1)
    for i in range(episodes):
        batch.seed(i, stream_seed(seed, "dynamics", distribution.split, str(level), str(i)))
    batch.reset(levels=np.full(episodes, level, np.int64))
    rng = generator(seed, "policy", distribution.split, str(level))
    masks = np.array(list(classes_of(environment).values()), np.int64)
    discounted, plain = np.zeros((2, episodes, len(environment.weights)))
    first = np.zeros((episodes, len(masks)))
    untouched = np.ones(episodes, np.bool_)
    lengths = np.zeros(episodes)
    factor, t = 1.0, 0
    if watch:
        watch(batch, np.ones(episodes, np.bool_))
    while (running := batch.status == RUNNING).any():
        batch.step(act(batch, running, t, rng))
        happened = np.where(running, batch.events, 0).astype(np.int64)
        bits = (happened[:, None] >> np.arange(len(environment.weights))) & 1
        discounted += factor * bits
        plain += bits
        met = (happened[:, None] & masks) != 0
        now = untouched & met.any(1)
        first[now] = met[now] / met[now].sum(1, keepdims=True)
        untouched &= ~now
        lengths += running
        factor *= environment.discount
        t += 1
        if watch:
            watch(batch, running)
    returns, undiscounted = discounted @ environment.weights, plain @ environment.weights
    return Sample(returns, undiscounted, first, lengths, int(batch.digests[0]), int(batch.layouts[0]))
