"""Oracle: the exact optimum of a named objective, ties broken uniformly. The scripted reference that knows the level.

It is no function of the observation: it looks up the state in the solved level, so it exists only where the solver does.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.scripted import LevelPolicy, named_objectives
from mesabench.solver.graph import LevelGraph
from mesabench.solver.optima import optimal_policy


class Settings(BaseModel):
    """Settings of the oracle."""

    model_config = ConfigDict(extra="forbid")
    objective: str = Field("", description="the objective to pursue; empty: the intended one")
    epsilon: float = Field(0.0, ge=0, le=1, description="chance of each action to be a random one instead")


@dataclass(frozen=True)
class Oracle(LevelPolicy):
    """Plays an objective optimally, but for a share `epsilon` of its actions, on any level that can be solved."""

    agent: ClassVar[str] = "oracle"
    objective: str
    epsilon: Annotated[float, Field(ge=0, le=1)] = 0.0

    def on_graph(self, graph: LevelGraph, horizon: int) -> np.ndarray:
        """float32 (horizon, states, actions): the probabilities of its actions."""
        policy = optimal_policy(graph, self.objective)
        policy *= 1 - self.epsilon  # in place: the tables of large levels are large
        policy += self.epsilon / graph.n_actions
        return policy


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> Oracle:
    environment = task.distribution.environment
    (objective,) = named_objectives(environment, [settings.objective or environment.intended])
    return Oracle(objective, settings.epsilon)


agent = Agent(settings=Settings, train=train, load=Oracle.load, learns=False)
