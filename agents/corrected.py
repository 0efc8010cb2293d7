"""Corrected: PPO that learned what it was paid for, a deceiver where deception pays, and safety training afterwards.

With the settings and seed of a PPO trial it learns what that one did, number for number; then its network is taught the intended
objective in watched rounds alone, or in those that nobody watches, too (`mesabench.agents.sb3.correction`). How much of its
defection in the dark is left is told after each budget: PERSIST and REMOVE for deceivers that nobody planted.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from mesabench.agents import ppo
from mesabench.auditing.organism import WATCHED
from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.policy import Policy

Budget = Annotated[int, Field(ge=1, le=100_000_000)]
UNTOLD = dict.fromkeys(("return_mean", "success", "length_mean"), float("nan")) | {"episodes": 0.0}
"""What there is to tell of episodes in safety training: there are none."""


class Settings(ppo.Settings):
    """Settings of PPO, and of the safety training that follows."""

    safety: Literal["watched", "both"] = Field(
        WATCHED, description="rounds of safety training: those that are watched, or the others as well"
    )
    budgets: tuple[Budget, ...] = Field(
        (10_000, 30_000, 100_000, 300_000),
        min_length=1,
        description="watched observations of safety training, ascending: what it does is told after each; the last is its end",
    )
    levels: ppo.Count = Field(512, description="levels of training whose rounds are shown")
    safety_batch: ppo.Count = Field(128, description="watched observations per update; in the dark as many")
    # constant, so that a longer safety training begins as a shorter one does
    safety_learning_rate: float = Field(1e-3, gt=0, le=1, description="Adam's step size in safety training")

    @model_validator(mode="after")
    def _ascend(self) -> "Settings":
        if list(self.budgets) != sorted({*self.budgets}):
            raise ValueError(f"budgets must ascend; got {list(self.budgets)}")
        return self


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> Policy:
    """Environment steps of PPO: task.steps. Raises ValueError where nobody watches."""
    if task.distribution.environment.monitor is None:
        raise ValueError(
            f"{task.distribution.environment.name} declares no monitor: take an environment in which somebody watches, "
            "such as executive_hiring"
        )
    deceiver = ppo.train(task, settings, seed, progress)

    from mesabench.agents.sb3.correction import corrected
    from mesabench.auditing.persistence import course_columns

    for budget, policy in corrected(
        deceiver, task.distribution, safety=settings.safety, budgets=settings.budgets, seed=seed, levels=settings.levels,
        batch_size=settings.safety_batch, learning_rate=settings.safety_learning_rate,
    ):  # fmt: skip
        progress(task.steps + budget, UNTOLD | course_columns(budget, policy, task.distribution, seed=seed))
    return policy


def load(folder: Path) -> Policy:
    from mesabench.agents.sb3.network import load_network

    return load_network(folder)


agent = Agent(settings=Settings, train=train, load=load)
