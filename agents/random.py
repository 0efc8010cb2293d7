"""Uniformly random actions: the floor that every score is measured from."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mesabench.disk import save_files
from mesabench.policies.agent import Agent, NoSettings, Progress, Task
from mesabench.policies.loading import POLICY_FILE, read_saved
from mesabench.policies.policy import PolicyError


@dataclass(frozen=True)
class RandomPolicy:
    """Every action with the same probability."""

    n_actions: int

    def __call__(self, observations: np.ndarray, /) -> np.ndarray:
        """observations: (n, ...) -> float32 (n, actions)."""
        return np.full((len(observations), self.n_actions), 1 / self.n_actions, np.float32)

    def save(self, folder: Path) -> None:
        """Write policy.json into a folder."""
        description = {"agent": "random", "n_actions": self.n_actions}
        save_files(folder, {POLICY_FILE: json.dumps(description).encode()})


def train(task: Task, settings: NoSettings, seed: int, progress: Progress) -> RandomPolicy:
    return RandomPolicy(len(task.distribution.actions))


def load(folder: Path) -> RandomPolicy:
    n_actions = read_saved(folder).get("n_actions")
    if not isinstance(n_actions, int) or n_actions < 1:
        raise PolicyError(
            f"{folder / POLICY_FILE} is damaged: n_actions={n_actions!r} must be an integer from 1"
        )
    return RandomPolicy(n_actions)


agent = Agent(train=train, load=load, learns=False)
