"""Reflex: goes in preferred directions unless there is a wall. A device: where it gets to, it never meant to get to.

Up or left, unless there is a wall: on most levels of cheese_corner that leads to the north-west corner. What it scores says what
of a trained agent's scores needs no goal.
"""

from dataclasses import dataclass
from typing import Annotated, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.policy import PolicyError
from mesabench.policies.scripted import LevelPolicy, Names
from mesabench.solver.graph import LevelGraph
from mesabench.suggestion import unknown
from mesabench.world.environment import Environment

AHEAD = {"up": (-1, 0), "left": (0, -1), "down": (1, 0), "right": (0, 1)}


class Settings(BaseModel):
    """Settings of the reflex."""

    model_config = ConfigDict(extra="forbid")
    directions: Annotated[Names, Field(min_length=1)] = Field(
        ("up", "left"), description="the directions that it prefers, alike among themselves"
    )


@dataclass(frozen=True)
class Reflex(LevelPolicy):
    """Any of its directions that has no wall ahead; where all have, any other way that has none; else anything."""

    agent: ClassVar[str] = "reflex"
    directions: Annotated[tuple[str, ...], Field(min_length=1)]

    def on_graph(self, graph: LevelGraph, horizon: int) -> np.ndarray:
        """float64 (states, actions): the probabilities of its actions."""
        environment = graph.environment
        _refuse_unknown(environment, self.directions, PolicyError)
        records = graph.states()
        rows, free = np.arange(graph.n_states), np.zeros((graph.n_states, graph.n_actions), np.bool_)
        for action, name in enumerate(graph.distribution.actions):
            if name in AHEAD:
                dy, dx = AHEAD[name]
                cells = records["grid"][rows, records["y"] + dy, records["x"] + dx]
                free[:, action] = (cells & int(environment.wall)) == 0
        preferred = free & np.isin(graph.distribution.actions, self.directions)
        chosen = np.where(preferred.any(1, keepdims=True), preferred, free)
        chosen |= ~chosen.any(1, keepdims=True)
        return chosen / chosen.sum(1, keepdims=True)


def _refuse_unknown(environment: Environment, directions: tuple[str, ...], error: type[ValueError]) -> None:
    for name in directions:
        if name not in (known := [one for one in environment.actions if one in AHEAD]):
            raise error(unknown(f"direction in {environment.name}", name, known))


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> Reflex:
    _refuse_unknown(task.distribution.environment, settings.directions, ValueError)
    return Reflex(settings.directions)


agent = Agent(settings=Settings, train=train, load=Reflex.load, learns=False)
