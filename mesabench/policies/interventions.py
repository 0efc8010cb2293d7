"""What a policy is made to see: its view is changed in one thing, while the level itself goes on as it was."""

from typing import Any

import numpy as np

from mesabench.engine.distribution import Distribution
from mesabench.solver.graph import LevelGraph, explore_state
from mesabench.world.oversight import View, seen


def observations_seen(distribution: Distribution, records: np.ndarray, view: View) -> np.ndarray:
    """uint8 (n, planes, height, width): what states look like, changed as a view says. records: (n,) of the engine."""
    return distribution.engine.observations(seen(records, view, distribution.environment.layers))


def believed(policy: Any, graph: LevelGraph, view: View) -> np.ndarray:
    """float (horizon, states, actions): what a scripted policy does in each state, made to see it as a view says.

    It plays the level that it believes in: one that goes on from what it is made to see.
    """
    records = seen(graph.states(), view, graph.environment.layers)
    table = np.zeros((graph.horizon, len(records), graph.n_actions))
    missing = list(range(len(records)))
    while missing:
        other = explore_state(graph.distribution, graph.level, records[missing[0] : missing[0] + 1])
        answers = timed(policy.on_graph(other, graph.horizon))
        # a table that depends on the time is empty where a state cannot be reached by then: it stands for later, too
        reachable = answers.any(-1).argmax(0)
        times = np.maximum(np.arange(graph.horizon)[:, None], reachable) % len(answers)
        answers = np.take_along_axis(answers, times[..., None], 0)
        still = []
        for s in missing:
            try:
                table[:, s] = answers[:, other.find(records[s : s + 1])]
            except KeyError:
                still.append(s)
        missing = still
    return table


def timed(table: np.ndarray) -> np.ndarray:
    """A table of probabilities, (states, actions) or (horizon, states, actions), as (1 or horizon, states, actions)."""
    return table if table.ndim == 3 else table[None]
