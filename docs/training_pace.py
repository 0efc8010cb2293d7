"""Steps of training a processor second: python docs/training_pace.py prints the table of docs/performance.md.

PPO as Stable-Baselines3 has it, PPO without what Stable-Baselines3 does beside the algorithm (`ppo`), and PPO of ten seeds at
once (`ppo_batched`): in turns, in one process with one thread, so that what else the machine does falls on all alike.
"""

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import torch
from stable_baselines3 import PPO

from mesabench.agents.sb3 import annealed
from mesabench.policies.agent import Task
from mesabench.registry import find_agent
from mesabench.runs.suite import load_suite
from mesabench.tables import Table

TURNS, STEPS, SEEDS = 5, 100_000, 10
WORLDS = "cheese_corner", "executive_hiring"


class ByTheBook(annealed._Annealed, PPO):
    """The learner as it would be on Stable-Baselines3's own loop, optimiser and distributions."""

    def __init__(self, *args: Any, policy_kwargs: dict[str, Any], **kwargs: Any) -> None:
        del policy_kwargs["optimizer_kwargs"]
        super().__init__(*args, policy_kwargs=policy_kwargs, **kwargs)


@contextmanager
def by_the_book() -> Iterator[None]:
    """Let `ppo` train with it."""
    with mock.patch.object(annealed, "AnnealedPPO", ByTheBook):
        yield


def pace(agent: str, environment: str, seeds: tuple[int, ...], steps: int) -> float:
    """Steps of all seeds a processor second, with the recipe of the suite `ppo_batched`."""
    found = find_agent(agent)
    recipe = next(
        one
        for one in load_suite("ppo_batched").trials
        if (one.agent, one.environment) == (agent, environment)
    )
    settings = found.parse_settings(dict(recipe.settings))
    task = Task(environment, {**recipe.options, "split": "train"}, steps)
    begin = time.process_time()
    if found.train_many and len(seeds) > 1:
        found.train_many(task, settings, seeds, lambda *told: None)
    else:
        for seed in seeds:
            found.train(task, settings, seed, lambda *told: None)
    return len(seeds) * steps / (time.process_time() - begin)


def measured(environment: str, steps: int = STEPS, turns: int = TURNS) -> tuple[float, float, float]:
    """Medians over turns: steps a second by the book, and by which factor `ppo` and `ppo_batched` exceed it in the same turn."""
    torch.set_num_threads(1)  # as a trial has it: others would wait for each other, and that counts
    every = tuple(range(SEEDS))
    found = []
    for turn in range(turns + 1):
        with by_the_book():
            book = pace("ppo", environment, (turn,), steps)
        found.append(
            (
                book,
                pace("ppo", environment, (turn,), steps) / book,
                pace("ppo_batched", environment, every, steps // 4) / book,
            )
        )
    book, lean, many = (statistics.median(one) for one in zip(*found[1:], strict=True))  # the first compiles
    return book, lean, many


def table() -> str:
    rows = []
    for environment in WORLDS:
        book, lean, many = measured(environment)
        rows.append((environment, f"{book / 1000:.3g} k", f"{lean:.2f}", f"{many:.2f}"))
    columns = (
        "environment",
        "Stable-Baselines3, steps/s",
        "`ppo`, times as many",
        "`ppo_batched`, times as many",
    )
    return Table("Training", columns, rows).markdown()


if __name__ == "__main__":
    print(table())
