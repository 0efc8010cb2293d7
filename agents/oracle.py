"""Oracle: the exact optimum of a named objective, ties broken uniformly. The scripted reference that knows the level.

It is no function of the observation: it looks up the state in the solved level, so it exists only where the solver does.
"""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from mesabench.agent import Agent, Progress, Task
from mesabench.engine import Array
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

    def on_graph(self, graph: LevelGraph, horizon: int) -> Array:
        """float32 (horizon, states, actions): the probabilities of its actions."""
        return optimal_policy(graph, self.objective)

    def __call__(self, observations: Array) -> Array:
        raise NotImplementedError("the oracle plays levels that the solver has explored, not observations")

    def save(self, folder: Path) -> None:
        (folder / "policy.json").write_text(Settings(objective=self.objective).model_dump_json())


def train(task: Task, settings: Any, seed: int, progress: Progress) -> Oracle:
    environment = find_environment(task.environment)
    objective = settings.objective or environment.intended
    if objective not in environment.objectives:
        raise ValueError(unknown(f"objective of {environment.name}", objective, environment.objectives))
    return Oracle(objective)


def load(folder: Path) -> Oracle:
    return Oracle(Settings.model_validate_json((folder / "policy.json").read_text()).objective)


agent = Agent(settings=Settings, train=train, load=load, learns=False)
