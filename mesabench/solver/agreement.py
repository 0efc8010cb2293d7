"""Does a level do what its graph says? Sampled play, held against it step by step.

The graph is made by rules that see a state's content alone. Rules that keep something elsewhere (in scratch space, in a global)
play otherwise than exact scores have it.
"""

import numpy as np

from mesabench.engine.batch import Batch
from mesabench.engine.kernels import RUNNING, TERMINATED
from mesabench.solver.graph import LevelGraph
from mesabench.streams import drawn, generator, stream_seed

EPISODES = 128
STEPS = 200
"""Of an episode, at most."""
SIGNS = 8
"""Ways to tell the outcomes of a step in two, beside those by event."""
FALSE_ALARM = 1e-9
"""Chance that a graph that is right is taken for a wrong one, for each number that is compared."""


def disagreement(graph: LevelGraph, seed: int = 0) -> str | None:
    """Where play differs from the graph, in words; None if it does not.

    A policy without memory plays by chance. No step may have an outcome that the graph does not know; and how often the outcomes
    of chance come may not be further from what it says than Freedman's inequality allows (a martingale, its variance known).
    """
    environment, n_actions, names = graph.environment, graph.n_actions, graph.distribution.actions
    purpose = ("agreement", graph.distribution.split, str(graph.level))
    rng = generator(stream_seed(seed, *purpose))
    policy = (1 / n_actions + rng.dirichlet(np.ones(n_actions), graph.n_states)) / 2
    batch = Batch(graph.distribution, EPISODES, observe=False, threads=1)
    for i in range(EPISODES):
        batch.seed(i, stream_seed(seed, *purpose, str(i)))
    batch.reset(levels=np.full(EPISODES, graph.level, np.int64))

    n = len(graph.events)
    bits = (graph.events[:, None] >> np.arange(len(environment.weights))) & 1
    marks = np.concatenate([bits, rng.integers(2, size=(n, SIGNS))], 1).astype(float)
    off, variance = np.zeros(marks.shape[1]), np.zeros(marks.shape[1])
    state = np.zeros(EPISODES, np.int64)
    for t in range(min(graph.horizon, STEPS)):
        running = np.flatnonzero(batch.status == RUNNING)
        actions = drawn(policy[state], rng.random(EPISODES))
        batch.step(actions)
        for i in running.tolist():
            row = state[i] * n_actions + actions[i]
            known = slice(graph.first[row], graph.first[row + 1])
            same = graph.events[known] == batch.events[i]
            if t + 1 < graph.horizon:  # what comes after the last step is no state
                try:
                    state[i] = -1 if batch.status[i] == TERMINATED else graph.find(batch.states[i])
                except KeyError:
                    state[i] = -2
                same &= graph.successor[known] == state[i]
            if not same.any():
                happened = environment.happened(batch.events[i])
                return (
                    f"{graph.distribution.split}, level {graph.level}: in step {t + 1}, {names[actions[i]]!r} "
                    f"has an outcome that its graph does not foresee ({' and '.join(happened) or 'no event'})"
                )
            if len(same) > 1 and same.sum() == 1:
                chance = graph.probability[known]
                mean = chance @ marks[known]
                off += marks[known][same][0] - mean
                variance += chance @ (marks[known] - mean) ** 2
    doubt = np.log(2 * len(off) / FALSE_ALARM)
    wrong = np.abs(off) > np.sqrt(2 * variance * doubt) + 2 * doubt / 3
    if wrong.any():
        return (
            f"{graph.distribution.split}, level {graph.level}: outcomes of chance do not come as often as the graph says "
            f"({np.abs(off)[wrong].max():.0f} times too often or too seldom)"
        )
    return None
