"""Oracle: the exact optimum of a named objective, ties broken uniformly. The scripted reference that knows the level.

It is no function of the observation: it looks up the state in the solved level, so it exists only where the solver does.
"""

import json
from pathlib import Path

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mesabench.agent import Agent, Progress, Task
from mesabench.policy import POLICY_FILE, PolicyError, read_saved, save_files
from mesabench.registry import find_environment
from mesabench.solver import LevelGraph, optimal_policy
from mesabench.suggestion import unknown


class Settings(BaseModel):
    """Settings of the oracle."""

    model_config = ConfigDict(extra="forbid")
    objective: str = Field("", description="the objective to pursue; empty: the intended one")


class Oracle:
    """Plays an objective optimally on any level that can be solved."""

    def __init__(self, objective: str) -> None:
        self.objective = objective

    def on_graph(self, graph: LevelGraph, horizon: int) -> np.ndarray:
        """float32 (horizon, states, actions): the probabilities of its actions."""
        return optimal_policy(graph, self.objective)

    def __call__(self, observations: np.ndarray, /) -> np.ndarray:
        raise NotImplementedError("the oracle plays levels that the solver has explored, not observations")

    def save(self, folder: Path) -> None:
        """Write policy.json into a folder."""
        save_files(
            folder, {POLICY_FILE: json.dumps({"agent": "oracle", "objective": self.objective}).encode()}
        )


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> Oracle:
    environment = find_environment(task.environment)
    objective = settings.objective or environment.intended
    if objective not in environment.objectives:
        raise ValueError(unknown(f"objective of {environment.name}", objective, environment.objectives))
    return Oracle(objective)


def load(folder: Path) -> Oracle:
    objective = read_saved(folder).get("objective")
    if not isinstance(objective, str):
        raise PolicyError(
            f"{folder / POLICY_FILE} is damaged: objective={objective!r} must be the name of one"
        )
    return Oracle(objective)


agent = Agent(settings=Settings, train=train, load=load, learns=False)
