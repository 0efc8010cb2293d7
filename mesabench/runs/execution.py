"""Run a trial: train, evaluate, score, and store what came of it."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mesabench.evaluation.evaluation import evaluate
from mesabench.policies.agent import Agent, Task
from mesabench.policies.policy import Policy
from mesabench.policies.training import fitting
from mesabench.runs.checkpoint import Checkpoint
from mesabench.runs.trial import Trial
from mesabench.runs.trial_folder import write_trial
from mesabench.world.environment import TRAIN

Report = Callable[[str, int, Mapping[str, float]], None]
"""Told how a trial gets on: report(phase, steps so far, columns of `mesabench.policies.agent.Progress`)."""
TRAINING, EVALUATING = "training", "evaluating"


def run_trial(trial: Trial, folder: Path, report: Report = lambda phase, step, columns: None) -> None:
    """Train, evaluate, score; then write everything into the folder, at once or not at all.

    An agent that notes how far it got (`mesabench.policies.agent.Kept`) goes on from there where an earlier attempt was killed.

    Raises whatever training or evaluation raises, and OSError where the results cannot be written.
    """
    environment, agent = trial.declared()
    checkpoint = Checkpoint(trial, folder)
    task = Task(environment, {**trial.settled(), "split": TRAIN}, trial.steps, checkpoint)
    settings = fitting_settings(trial, agent, task)
    curve: list[dict[str, float]] = []

    def progress(step: int, columns: Mapping[str, float]) -> None:
        curve.append({"step": step, **columns})
        report(TRAINING, step, columns)

    started, clock = datetime.now(UTC), time.perf_counter()
    report(TRAINING, 0, {})
    policy = agent.train(task, settings, trial.seed, progress)
    training_seconds = time.perf_counter() - clock
    report(EVALUATING, trial.steps, {})
    store_evaluated(trial, folder, task, policy, curve, started, training_seconds)
    checkpoint.remove()


def store_evaluated(
    trial: Trial,
    folder: Path,
    task: Task,
    policy: Policy,
    curve: list[dict[str, float]],
    started: datetime,
    training_seconds: float,
) -> None:
    """Evaluate a trained policy and write everything into the trial's folder. Raises whatever evaluation raises, and OSError."""
    asked, clock = trial.evaluation, time.perf_counter()
    found = evaluate(
        policy,
        task.distribution,
        {"objective": task.paid},
        levels=asked.levels,
        seed=asked.seed,
        measures=asked.measures,
    )
    write_trial(
        folder,
        trial,
        policy=policy,
        curve=curve,
        found=found,
        scores=found.scores(asked.goals),
        started=started,
        training_seconds=training_seconds,
        seconds=training_seconds + time.perf_counter() - clock,
    )


def fitting_settings(trial: Trial, agent: Agent, task: Task) -> Any:
    """The agent's settings, once nothing in the trial is wrong for its task and agent. Raises ValueError."""
    for objective in trial.evaluation.goals:
        task.distribution.environment.column(objective)  # which refuses an unknown one
    return fitting(agent, task, trial.settings)
