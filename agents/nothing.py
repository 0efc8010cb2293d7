"""Nothing: keeps still. Waits where the environment has an action for it, pushes against a wall where one is near, else goes up.

It is found by the level's graph (an action that leads back to the same state), so that it really does as little as it can.
"""

import json
from pathlib import Path

import numpy as np

from mesabench.agent import Agent, NoSettings, Progress, Task
from mesabench.policy import POLICY_FILE, save_files
from mesabench.solver import LevelGraph


class Nothing:
    """Takes an action that changes nothing, if there is one."""

    def on_graph(self, graph: LevelGraph, horizon: int) -> np.ndarray:
        """float64 (states, actions)."""
        actions = graph.n_actions
        origin = np.repeat(np.arange(graph.n_states * actions), np.diff(graph.first))
        stays = np.bincount(
            origin, graph.probability * (graph.successor == origin // actions), graph.n_states * actions
        )
        return np.eye(actions)[stays.reshape(-1, actions).argmax(1)]

    def __call__(self, observations: np.ndarray, /) -> np.ndarray:
        raise NotImplementedError("this agent plays levels that the solver has explored, not observations")

    def save(self, folder: Path) -> None:
        """Write policy.json into a folder."""
        save_files(folder, {POLICY_FILE: json.dumps({"agent": "nothing"}).encode()})


def train(task: Task, settings: NoSettings, seed: int, progress: Progress) -> Nothing:
    return Nothing()


def load(folder: Path) -> Nothing:
    return Nothing()


agent = Agent(train=train, load=load, learns=False)
