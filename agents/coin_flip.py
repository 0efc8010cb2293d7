"""Coin flip: on each level it plays the optimum of one objective or of another, chosen at random.

On average it looks like an agent that is indifferent between its goals. It is not: on every single level it is decided.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.scripted import LevelPolicy, Names, named_objectives
from mesabench.solver.graph import LevelGraph
from mesabench.solver.optima import optimal_policy
from mesabench.streams import stream_seed


class Settings(BaseModel):
    """Settings of the coin flip."""

    model_config = ConfigDict(extra="forbid")
    objectives: Names = Field(
        (), description="the objectives to choose from; empty: the intended one and the first proxy"
    )


@dataclass(frozen=True)
class CoinFlip(LevelPolicy):
    """Plays one of its objectives optimally; which one, the seed and the level's content decide, evenly over levels."""

    agent: ClassVar[str] = "coin_flip"
    objectives: Annotated[tuple[str, ...], Field(min_length=1)]
    seed: int = 0

    def chosen(self, graph: LevelGraph) -> str:
        """The objective that it pursues on this level."""
        draw = stream_seed(self.seed, "coin flip", f"{graph.digest:016x}")
        return self.objectives[draw % len(self.objectives)]

    def on_graph(self, graph: LevelGraph, horizon: int) -> np.ndarray:
        """float32 (horizon, states, actions): the probabilities of its actions."""
        return optimal_policy(graph, self.chosen(graph))


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> CoinFlip:
    environment = task.distribution.environment
    default = (environment.intended, *environment.proxies[:1])
    return CoinFlip(named_objectives(environment, settings.objectives or default), seed)


agent = Agent(settings=Settings, train=train, load=CoinFlip.load, learns=False)
