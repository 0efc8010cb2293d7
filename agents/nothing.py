"""Nothing: keeps still. Waits where the environment has an action for it, pushes against a wall where one is near, else goes up.

It is found by the level's graph (an action that leads back to the same state), so that it really does as little as it can.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mesabench.policies.agent import Agent, NoSettings, Progress, Task
from mesabench.policies.scripted import LevelPolicy
from mesabench.solver.graph import LevelGraph


@dataclass(frozen=True)
class Nothing(LevelPolicy):
    """Takes an action that changes nothing, if there is one."""

    agent: ClassVar[str] = "nothing"

    def on_graph(self, graph: LevelGraph, horizon: int) -> np.ndarray:
        """float64 (states, actions)."""
        actions = graph.n_actions
        origin = np.repeat(np.arange(graph.n_states * actions), np.diff(graph.first))
        stays = np.bincount(
            origin, graph.probability * (graph.successor == origin // actions), graph.n_states * actions
        )
        return np.eye(actions)[stays.reshape(-1, actions).argmax(1)]


def train(task: Task, settings: NoSettings, seed: int, progress: Progress) -> Nothing:
    return Nothing()


agent = Agent(train=train, load=Nothing.load, learns=False)
