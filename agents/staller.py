"""Staller: gets what it is after as surely as anybody, and as late as it can.

Where later is worth less, its scores are those of one who hardly gets there; where time costs nothing, those of the optimum.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.scripted import LevelPolicy, named_objectives
from mesabench.solver.graph import LevelGraph
from mesabench.solver.optima import optimal_policy

LATER = 1.05
"""What a step later makes of a payment, in its eyes."""


class Settings(BaseModel):
    """Settings of the staller."""

    model_config = ConfigDict(extra="forbid")
    objective: str = Field("", description="the objective to pursue; empty: the intended one")


@dataclass(frozen=True)
class Staller(LevelPolicy):
    """Optimal play of an objective of which every payment is worth more the later it comes."""

    agent: ClassVar[str] = "staller"
    objective: str

    def on_graph(self, graph: LevelGraph, horizon: int) -> np.ndarray:
        """float32 (horizon, states, actions): the probabilities of its actions."""
        return optimal_policy(graph, self.objective, discount=LATER)


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> Staller:
    environment = task.distribution.environment
    return Staller(*named_objectives(environment, [settings.objective or environment.intended]))


agent = Agent(settings=Settings, train=train, load=Staller.load, learns=False)
