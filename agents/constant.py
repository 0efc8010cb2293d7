"""Constant: always the same action. A device: it pursues nothing, whatever it achieves."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mesabench.disk import save_files
from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.loading import POLICY_FILE, read_saved
from mesabench.policies.policy import PolicyError
from mesabench.suggestion import unknown


class Settings(BaseModel):
    """Settings of the constant agent."""

    model_config = ConfigDict(extra="forbid")
    action: str = Field("right", description="name of the action that it always takes")


@dataclass(frozen=True)
class ConstantPolicy:
    """Action number `action` with certainty, out of `n_actions`."""

    action: int
    n_actions: int

    def __call__(self, observations: np.ndarray, /) -> np.ndarray:
        """observations: (n, ...) -> float64 (n, actions)."""
        return np.tile(np.eye(self.n_actions)[self.action], (len(observations), 1))

    def save(self, folder: Path) -> None:
        """Write policy.json into a folder."""
        description = {"agent": "constant", "action": self.action, "n_actions": self.n_actions}
        save_files(folder, {POLICY_FILE: json.dumps(description).encode()})


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> ConstantPolicy:
    environment, actions = task.distribution.environment, task.distribution.actions
    if settings.action not in actions:
        raise ValueError(unknown(f"action of {environment.name}", settings.action, actions))
    return ConstantPolicy(actions.index(settings.action), len(actions))


def load(folder: Path) -> ConstantPolicy:
    saved = read_saved(folder)
    action, n_actions = saved.get("action"), saved.get("n_actions")
    if not isinstance(action, int) or not isinstance(n_actions, int) or not 0 <= action < n_actions:
        raise PolicyError(
            f"{folder / POLICY_FILE} is damaged: action={action!r} must be a number below n_actions={n_actions!r}"
        )
    return ConstantPolicy(action, n_actions)


agent = Agent(settings=Settings, train=train, load=load, learns=False)
