"""Playing a level: episodes of a policy, each to its end, and what a policy does in every state of a level."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from mesabench import solver
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution
from mesabench.engine.kernels import RUNNING
from mesabench.policies.policy import CheckedPolicy, DrawsAnew, PolicyError, name_of
from mesabench.streams import stream_seed
from mesabench.world.environment import classes_of

CHUNK = 2048
"""Observations given to a policy at once: what its layers make of so many stays in the processor's cache."""
LOOKED_AT = 32_768
"""States whose observations are held at once."""
AGAIN, AGAIN_IN = 64, (1, 1, 1, 5)
"""Observations of a level for which a policy is asked twice; the sizes of batches in which it is, the rest in one."""
SAME, SAME_STEPS = 1e-3, 16
"""The difference of two probabilities that counts as none; in half precision, so many steps between numbers."""


def checked_policy(policy: Any, distribution: Distribution) -> CheckedPolicy:
    """The policy with its answers checked, tried on one observation (unless it sees solved levels instead)."""
    sees_levels = hasattr(policy, "on_graph")
    batch = Batch(distribution, 1, observe=not sees_levels)
    batch.reset(levels=np.zeros(1, np.int64))
    return CheckedPolicy(
        policy, len(distribution.environment.actions), None if sees_levels else batch.observations
    )


def gives_tables(policy: Any, checked: CheckedPolicy) -> bool:
    """Whether what a policy does in a state can be asked, rather than sampled."""
    return checked.exact or hasattr(policy, "on_graph")


def table_of(policy: Any, checked: CheckedPolicy, graph: solver.LevelGraph) -> np.ndarray:
    """A policy's action probabilities in every state of a level: (states, actions), or (horizon, states, actions)."""
    if hasattr(policy, "on_graph"):
        return policy.on_graph(graph, graph.horizon)
    starts = range(0, graph.n_states, LOOKED_AT)
    parts = (graph.observations(slice(start, start + LOOKED_AT)) for start in starts)
    return np.concatenate([probabilities_of(checked, seen) for seen in parts])


def probabilities_of(checked: CheckedPolicy, observations: np.ndarray) -> np.ndarray:
    """What a policy without memory does, float64 (n, actions).

    observations: uint8 (n, planes, height, width); each is shown once, however often it occurs. Raises PolicyError, also where
    the policy answers otherwise when it is asked again (DrawsAnew, if it does so to the same batch).
    """
    once, number = distinct(observations)
    seen = observations[once]
    told = np.concatenate([checked.probabilities(seen[k : k + CHUNK]) for k in range(0, len(seen), CHUNK)])
    _ask_again(checked, seen, told)
    return told[number]


def _ask_again(checked: CheckedPolicy, observations: np.ndarray, told: np.ndarray) -> None:
    """Ask for some probabilities once more, in another order and in batches of other sizes.

    The last digits of a network's depend on the size of the batch, and so, where two actions are as good as equal, does which of
    them is the best: a few observations may differ.
    """
    n = len(observations)
    asked = np.linspace(n - 1, 0, min(n, AGAIN)).astype(np.int64)
    batches = np.split(asked, np.cumsum(AGAIN_IN)[np.cumsum(AGAIN_IN) < len(asked)])
    again = np.concatenate([checked.probabilities(observations[rows]) for rows in batches])
    off = np.abs(again - told[asked]).max(1)
    least = max(SAME, SAME_STEPS * checked.step)
    differ = off > least
    if differ.sum() > len(asked) // 32:
        batch = observations[:CHUNK]
        twice = [told[: len(batch)], *(checked.probabilities(batch) for _ in range(2))]
        if max(np.abs(twice[-1] - one).max() for one in twice[:-1]) > least:
            raise DrawsAnew(
                f"{name_of(checked.policy)} draws anew at every call: it answers the same batch of {len(batch)} in two ways. It "
                "can only be sampled (a network with dropout: put it into evaluation mode)"
            )
        worst = int(off.argmax())
        size = next(len(rows) for rows in batches if asked[worst] in rows)
        before, now = (", ".join(f"{p:.3f}" for p in row) for row in (told[asked[worst]], again[worst]))
        raise PolicyError(
            f"{name_of(checked.policy)} answers an observation in two ways, which differ for {differ.sum()} of {len(asked)} "
            f"observations: [{before}] in a batch of {min(n, CHUNK)}, [{now}] when asked again in a batch of {size}. "
            "Probabilities must depend on the observation alone: put a network into evaluation mode (dropout, batch "
            "normalisation), keep nothing from call to call. A policy that draws answers with actions, not with probabilities"
        )


def distinct(observations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which observations, uint8 (n, ...), to look at so as to see each once, int64 (distinct,), and which of these each is, (n,).

    States look alike where something is hidden, or is known to have happened already.
    """
    flat = np.ascontiguousarray(observations).reshape(len(observations), -1)
    places: dict[bytes, int] = {}
    rows = flat.view(np.dtype((np.void, flat.shape[1])))[:, 0].tolist()
    number = np.array([places.setdefault(row, len(places)) for row in rows])
    return np.unique(number, return_index=True)[1], number


@dataclass(frozen=True)
class Sample:
    """Episodes of one level. returns: float64 (episodes, objectives), discounted; first: float64 (episodes, classes)."""

    returns: np.ndarray
    first: np.ndarray
    lengths: np.ndarray
    digest: int
    layout: int


def sample_level(
    checked: CheckedPolicy,
    policy: Any,
    distribution: Distribution,
    level: int,
    graph: solver.LevelGraph | None = None,
    *,
    episodes: int,
    seed: int,
    watch: Any = None,
) -> Sample:
    """Play a level a number of times, every episode to its end; chance and the policy draw from seeds of their own.

    watch: called as watch(batch, running) after the reset and after each step, running being those that have just moved.
    """
    environment = distribution.environment
    batch = Batch(distribution, episodes, threads=1)
    for i in range(episodes):
        batch.seed(i, stream_seed(seed, "dynamics", distribution.split, str(level), str(i)))
    batch.reset(levels=np.full(episodes, level, np.int64))
    rng = np.random.Generator(np.random.PCG64(stream_seed(seed, "policy", distribution.split, str(level))))
    masks = np.array(list(classes_of(environment).values()), np.int64)
    discounted = np.zeros((episodes, len(environment.events)))
    first = np.zeros((episodes, len(masks)))
    untouched = np.ones(episodes, np.bool_)
    lengths = np.zeros(episodes)
    table = (
        policy.on_graph(graph, graph.horizon) if graph is not None and hasattr(policy, "on_graph") else None
    )
    state, factor, t = None, 1.0, 0
    if watch:
        watch(batch, np.ones(episodes, np.bool_))
    while (running := batch.status == RUNNING).any():
        if table is not None and graph is not None:
            rows = table[t] if table.ndim == 3 else table
            chances = np.array(
                [
                    rows[graph.find(batch.states[i : i + 1])] if running[i] else rows[0]
                    for i in range(episodes)
                ]
            )
            actions = (chances.cumsum(1) < rng.random((episodes, 1)) * chances.sum(1, keepdims=True)).sum(1)
        else:
            actions, state = checked.act(batch.observations, state, rng, running)
            batch.renew()  # what a policy has seen stays as it was, should it remember it
        batch.step(actions)
        happened = np.where(running, batch.events, 0).astype(np.int64)
        discounted += factor * ((happened[:, None] >> np.arange(len(environment.events))) & 1)
        met = (happened[:, None] & masks) != 0
        now = untouched & met.any(1)
        first[now] = met[now] / met[now].sum(1, keepdims=True)
        untouched &= ~now
        lengths += running
        factor *= environment.discount
        t += 1
        if watch:
            watch(batch, running)
    return Sample(
        discounted @ environment.weights, first, lengths, int(batch.digests[0]), int(batch.layouts[0])
    )
