"""Seasoned: PPO that was trained on other goals before the one that it is evaluated by.

Earlier seasons are splits of the same environment, each with an objective that is paid; their steps come before those of the
trial. The network and its optimiser go on from one season to the next. The last season is what PPO is trained on with the same
settings and seed, level for level, so PPO is the control that had no earlier season (Brown & Young 2026).
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from mesabench.agents import ppo
from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.policy import Policy
from mesabench.suggestion import unknown

Steps = Annotated[int, Field(ge=1, le=1_000_000_000)]


class Settings(ppo.Settings):
    """Settings of PPO, and the seasons before the last."""

    splits: tuple[str, ...] = Field(
        (), description="of earlier seasons, in order: the splits whose levels are played"
    )
    objectives: tuple[str, ...] = Field(
        (), description="the objective that is paid in each; by default what is paid in the last"
    )
    season_steps: tuple[Steps, ...] = Field(
        (), description="environment steps of each; by default as many as in the last"
    )

    @model_validator(mode="after")
    def _as_many(self) -> "Settings":
        for name in ("objectives", "season_steps"):
            if len(given := getattr(self, name)) not in (0, len(self.splits)):
                raise ValueError(
                    f"splits names {len(self.splits)} earlier seasons and {name} {len(given)}: give one for each season, or none"
                )
        return self


def earlier(task: Task, settings: Settings) -> list[Task]:
    """The seasons before the last: levels as in their splits, with layouts that are for training. Raises ValueError."""
    last = task.distribution
    before = []
    for k, split in enumerate(settings.splits):
        if split not in last.environment.splits:
            raise ValueError(unknown(f"split of {last.environment.name}", split, last.environment.splits))
        paid = settings.objectives[k] if settings.objectives else task.paid
        last.environment.column(paid)  # which refuses an unknown one
        steps = settings.season_steps[k] if settings.season_steps else task.steps
        levels = last.with_(alpha=0.0, **last.environment.splits[split])
        before.append(Task(levels, {"objective": paid}, steps))
    return before


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> Policy:
    """Environment steps of the last season: task.steps. Raises ValueError for a split or an objective that there is not."""
    return ppo.train(task, settings, seed, progress, earlier(task, settings))


def load(folder: Path) -> Policy:
    from mesabench.agents.sb3.network import load_network

    return load_network(folder)


agent = Agent(settings=Settings, train=train, load=load)
