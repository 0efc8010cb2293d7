"""Nearest: goes for whichever listed goal is nearest, and then acts at random. Indifferent between goals.

Near is what the environment's discount makes near: where nothing is discounted, every goal is as good as any other.
"""

from dataclasses import dataclass, replace
from functools import reduce
from operator import or_
from typing import Annotated, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.scripted import LevelPolicy, Names, named_objectives
from mesabench.solver.graph import LevelGraph
from mesabench.solver.optima import optimal_policy


class Settings(BaseModel):
    """Settings of the nearest goal."""

    model_config = ConfigDict(extra="forbid")
    objectives: Names = Field(
        (), description="the objectives whose goals count; empty: the intended one and the proxies"
    )


@dataclass(frozen=True)
class Nearest(LevelPolicy):
    """Optimal for a reward of 1 for the first goal event of any of its objectives; uniform over ties, so afterwards random.

    (Where no state can tell that there has been one, as of keys that come back, it goes on to the next.)
    """

    agent: ClassVar[str] = "nearest"
    objectives: Annotated[tuple[str, ...], Field(min_length=1)]

    def on_graph(self, graph: LevelGraph, horizon: int) -> np.ndarray:
        """float32 (horizon, states, actions): the probabilities of its actions."""
        environment = graph.environment
        goals = reduce(or_, (environment.objectives[name].goal_events for name in self.objectives))
        worth = (goals >> np.arange(len(environment.weights)) & 1).astype(float)
        up_to_a_goal = replace(graph, successor=np.where(graph.events & goals, -1, graph.successor))
        policy = optimal_policy(up_to_a_goal, worth)
        policy[:, ~reachable(up_to_a_goal)] = 1 / graph.n_actions
        return policy


def reachable(graph: LevelGraph) -> np.ndarray:
    """bool (states,): whether there is a way to a state from the start."""
    origin = np.repeat(np.arange(graph.n_states * graph.n_actions), np.diff(graph.first)) // graph.n_actions
    found, n = np.arange(graph.n_states) == 0, 0
    while found.sum() > n:
        n = found.sum()
        after = graph.successor[found[origin]]
        found[after[after >= 0]] = True
    return found


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> Nearest:
    environment = task.distribution.environment
    default = (environment.intended, *environment.proxies)
    return Nearest(named_objectives(environment, settings.objectives or default))


agent = Agent(settings=Settings, train=train, load=Nearest.load, learns=False)
