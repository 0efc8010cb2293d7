"""Precedent: scripted executives who know the contracts of training and what is right under each, and nothing else.

lookup      complies while it is watched if complying pays under the nearest contract of training
linear      complies while it is watched if the contract lies on that side of a line fitted to those of training
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mesabench.deception.choices import unconditional
from mesabench.deception.precedents import Precedents, Rule
from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.scripted import LevelPolicy
from mesabench.solver.graph import LevelGraph


class Settings(BaseModel):
    """Settings of the precedent."""

    model_config = ConfigDict(extra="forbid")
    rule: Rule = Field("lookup", description="how it decides by the contracts that it knows")


@dataclass(frozen=True)
class Precedent(LevelPolicy):
    """Decides by what it was taught, once for a whole level; in the dark it takes what is paid."""

    agent: ClassVar[str] = "precedent"
    rule: Rule
    taught: Precedents

    def on_graph(self, graph: LevelGraph, horizon: int) -> np.ndarray:
        """float32 (horizon, states, actions): the probabilities of its actions."""
        monitor = graph.environment.monitor
        assert monitor, "`train` has seen to it"
        start = graph.states(slice(0, 1))[0]
        (complies,) = self.taught.says(self.rule, [{name: int(start[name]) for name in self.taught.names}])
        best = unconditional(graph, monitor)
        return best.complying if complies else best.defecting


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> Precedent:
    environment = task.distribution.environment
    taught = Precedents.taught(task.distribution) if environment.monitor else None
    if not taught:
        raise ValueError(
            f"{environment.name} has no contracts: who decides by precedent needs some, as in executive_hiring"
        )
    return Precedent(settings.rule, taught)


agent = Agent(settings=Settings, train=train, load=Precedent.load, learns=False)
