"""The mindless device that explains a policy's behaviour best, as a policy: how far does it get without any goal?

It is one of `mesabench.scores.attribution.DEVICES`, with the table that it learned from episodes of the policy.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from mesabench.engine.kernel_cache import kernel
from mesabench.scores.attribution import DEVICES, Devices, Episode, walls_around
from mesabench.solver.graph import LevelGraph


@dataclass(frozen=True)
class FittedDevice:
    """name: one of `DEVICES`; counts: how often it saw each action, float (actions,), in each context that it knows."""

    name: str
    counts: dict[object, np.ndarray]
    n_actions: int

    def probabilities(self, context: object) -> np.ndarray:
        """float64 (actions,): of its actions in a context; even in one that it has never met."""
        counts = self.counts.get(context, np.zeros(self.n_actions))
        return (counts + 0.5) / (counts.sum() + self.n_actions / 2)

    def value(self, graph: LevelGraph, objective: str) -> float:
        """Its expected discounted return of an objective, exactly: it minds the walls around and its last action at most."""
        environment, n = graph.environment, self.n_actions
        patterns, pattern = np.unique(
            walls_around(graph, np.arange(graph.n_states))
            if "walls" in self.name
            else np.zeros(graph.n_states),
            return_inverse=True,
        )
        odds = np.empty((len(patterns), n + 1, n))  # the last action is n where there was none
        for k, wall in enumerate(patterns.astype(int).tolist()):
            for last in range(n + 1):
                before = last if last < n else -1
                contexts = {
                    "constant": 0,
                    "last action": before,
                    "walls": wall,
                    "walls and last action": (wall, before),
                }
                odds[k, last] = self.probabilities(contexts.get(self.name))
        kinds, pays = graph.kinds, graph.kinds_pay(environment.weights[:, environment.column(objective)])
        return float(
            _value(graph.first, graph.after, *kinds[:2], pays, graph.reached, pattern, odds, graph.horizon, environment.discount)
        )  # fmt: skip


def fitted(episodes: Iterable[tuple[LevelGraph, Episode]], n_actions: int) -> FittedDevice:
    """The device that foretells these episodes best, each before it has learned from it."""
    devices = Devices(n_actions)
    for graph, episode in episodes:
        devices.bits(graph, episode)
    best = int(np.argmax(devices.standing))
    return FittedDevice(DEVICES[best], devices.counts[best], n_actions)


@kernel()
def _value(first, after, kind, probability, pays, reached, pattern, odds, horizon, discount):
    """What a device collects whose action hangs on a state's pattern and on its own last action."""
    n, n_actions = len(pattern), odds.shape[2]
    here, then = np.zeros((n + 1, n_actions + 1)), np.zeros((n + 1, n_actions + 1))
    here[0, n_actions] = 1.0
    value, factor = 0.0, 1.0
    for t in range(horizon):
        then[: reached[min(t + 1, len(reached) - 1)]] = 0.0
        for s in range(reached[min(t, len(reached) - 1)]):
            for a in range(n_actions):
                mass = 0.0
                for last in range(n_actions + 1):
                    mass += here[s, last] * odds[pattern[s], last, a]
                if mass > 0.0:
                    for k in range(first[s * n_actions + a], first[s * n_actions + a + 1]):
                        what = kind[k]
                        if pays[what] != 0.0:
                            value += factor * mass * probability[what] * pays[what]
                        then[after[k], a] += mass * probability[what]
        here, then = then, here
        factor *= discount
    return value
