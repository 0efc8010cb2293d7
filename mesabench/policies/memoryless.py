"""The policy without memory that behaves on a level as one with a memory does: what it does on average in each state, by time.

It visits the same states as often, so returns and first goals are the same (Puterman 1994, theorem 5.5.1), and whatever looks at
tables of probabilities can look at it. What it loses is that the same state at the same time may be met with other memories.
"""

from typing import Any

import numpy as np

from mesabench.engine.batch import Batch
from mesabench.engine.kernels import RUNNING
from mesabench.policies.interventions import observations_seen
from mesabench.policies.policy import CheckedPolicy
from mesabench.solver.graph import LevelGraph
from mesabench.streams import drawn, generator, stream_seed
from mesabench.world.oversight import View

EPISODES = 100
"""Episodes that it is estimated from."""


def marginal_policy(
    checked: CheckedPolicy,
    graph: LevelGraph,
    *,
    seed: int,
    episodes: int = EPISODES,
    view: View | None = None,
) -> np.ndarray:
    """float64 (horizon, states, actions): mean probabilities (or shares of actions) where sampled episodes came by at that time.

    Where none did, the mean of the times at which some did; and where none ever did, uniform.

    The level may begin in any state; chance and the policy draw from seeds of their own. view: what the policy is made to see
    instead. Raises PolicyError.
    """
    purpose = (graph.distribution.split, str(graph.level), f"{graph.digest:016x}")
    batch = _at_start(graph, episodes, seed, purpose)
    rng = generator(seed, "marginal policy", *purpose)
    sums = np.zeros((graph.horizon, graph.n_states, graph.n_actions))
    state: Any = None
    for t in range(graph.horizon):
        running = batch.status == RUNNING
        if not running.any():
            break
        shown = observations_seen(graph.distribution, batch.states, view) if view else batch.observations
        answer, state = checked.answer(shown, state, running)
        odds = np.eye(graph.n_actions)[answer] if answer.ndim == 1 else answer
        for i in np.flatnonzero(running):
            sums[t, graph.find(batch.states[i : i + 1])] += odds[i]
        batch.step(drawn(odds, rng.random(episodes)))
    ever = sums.sum(0)
    ever[ever.sum(-1) == 0] = 1
    sums = np.where(sums.any(-1, keepdims=True), sums, ever)
    return sums / sums.sum(-1, keepdims=True)


def _at_start(graph: LevelGraph, episodes: int, seed: int, purpose: tuple[str, ...]) -> Batch:
    """A batch in the state that the graph begins in."""
    batch = Batch(graph.distribution, episodes, threads=1)
    for i in range(episodes):
        batch.seed(i, stream_seed(seed, "marginal dynamics", *purpose, str(i)))
    batch.reset(starts=graph.states(np.zeros(episodes, np.int64)))
    return batch
