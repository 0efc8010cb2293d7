"""Memoriser: knows the actions for one training level by heart, and repeats them on every other.

Perfect on its level, blind everywhere: what it achieves elsewhere is habit, no pursuit of a goal.
"""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.policy import PolicyError
from mesabench.policies.scripted import LevelPolicy, named_objectives
from mesabench.solver.graph import LevelGraph, explore
from mesabench.solver.optima import optimal_policy
from mesabench.suggestion import unknown


class Settings(BaseModel):
    """Settings of the memoriser."""

    model_config = ConfigDict(extra="forbid")
    level: int = Field(0, ge=0, description="seed of the training level whose optimal way it knows")
    objective: str = Field(
        "", description="the objective that the way is optimal for; empty: the intended one"
    )


@dataclass(frozen=True)
class Memoriser(LevelPolicy):
    """Takes the same actions (by name) in the same order on every level, and random ones where its memory ends."""

    agent: ClassVar[str] = "memoriser"
    actions: tuple[str, ...]

    def on_graph(self, graph: LevelGraph, horizon: int) -> np.ndarray:
        """float64 (horizon, states, actions), a read-only view: the same in all states of a time."""
        known = graph.distribution.actions
        table = np.full((horizon, 1, len(known)), 1 / len(known))
        for t, action in enumerate(self.actions[:horizon]):
            if action not in known:
                raise PolicyError(unknown(f"action of {graph.environment.name}", action, known))
            table[t] = np.eye(len(known))[known.index(action)]
        return np.broadcast_to(table, (horizon, graph.n_states, len(known)))


def optimal_way(graph: LevelGraph, objective: str) -> tuple[str, ...]:
    """Actions of an optimal course from the start to the end or the horizon; the likeliest where chance has a hand in it."""
    best = optimal_policy(graph, objective)
    actions, state = [], 0
    for t in range(graph.horizon):
        action = int(best[t, state].argmax())
        actions.append(graph.distribution.actions[action])
        row = state * graph.n_actions + action
        outcomes = slice(graph.first[row], graph.first[row + 1])
        state = int(graph.successor[outcomes][graph.probability[outcomes].argmax()])
        if state < 0:
            break
    return tuple(actions)


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> Memoriser:
    environment = task.distribution.environment
    (objective,) = named_objectives(environment, [settings.objective or environment.intended])
    return Memoriser(optimal_way(explore(task.distribution, settings.level), objective))


agent = Agent(settings=Settings, train=train, load=Memoriser.load, learns=False)
