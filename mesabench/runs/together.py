"""Seeds that are trained at once: which trials a worker is given together, and how it runs them. Each is a trial of its own."""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from mesabench.policies.agent import Task
from mesabench.runs.execution import EVALUATING, TRAINING, Report, fitting_settings, store_evaluated
from mesabench.runs.job import Job
from mesabench.runs.trial import Trial, canonical
from mesabench.world.environment import TRAIN

Bundle = tuple[Job, ...]
"""What a worker is given at a time: one job, or trials that differ in nothing but their seed."""


def bundles_of(jobs: Sequence[Job], workers: int) -> list[Bundle]:
    """The jobs as workers are given them: the seeds of an agent with `train_many` in one share for each worker, others alone."""
    found: list[Bundle] = []
    populations: dict[tuple[object, ...], list[Trial]] = {}
    for job in jobs:
        if isinstance(job, Trial) and _at_once(job):
            # where an option is drawn by the seed, seeds have levels of their own
            key = job.population, job.variant, canonical(job.settled())
            populations.setdefault(key, []).append(job)
        else:
            found.append((job,))
    for trials in populations.values():
        shares = min(workers, len(trials))
        found += [tuple(trials[k::shares]) for k in range(shares)]
    return found


def _at_once(trial: Trial) -> bool:
    try:
        return trial.declared()[1].train_many is not None
    except LookupError:  # the trial will say so
        return False


def run_together(
    trials: Sequence[Trial],
    folder: Path,
    report: Callable[[Trial], Report],
    ended: Callable[[Trial, Exception | None], None],
) -> None:
    """Train the seeds of one population at once; then evaluate and store each, as `run_trial` does, in the run's folder.

    report: gives what is told how a trial gets on. ended: told of each once it is stored, or why it could not be. Raises what
    training raises.
    """
    first = trials[0]
    environment, agent = first.declared()
    assert agent.train_many, f"{agent.name} trains one seed at a time"
    task = Task(environment, {**first.settled(), "split": TRAIN}, first.steps)
    settings = fitting_settings(first, agent, task)
    of_seed = {trial.seed: trial for trial in trials}
    curves: dict[int, list[dict[str, float]]] = {seed: [] for seed in of_seed}
    reports = {seed: report(trial) for seed, trial in of_seed.items()}

    def progress(seed: int, step: int, columns: Mapping[str, float]) -> None:
        curves[seed].append({"step": step, **columns})
        reports[seed](TRAINING, step, columns)

    started, clock = datetime.now(UTC), time.perf_counter()
    for seed in of_seed:
        reports[seed](TRAINING, 0, {})
    policies = agent.train_many(task, settings, tuple(of_seed), progress)
    share = (time.perf_counter() - clock) / len(trials)
    for (seed, trial), policy in zip(of_seed.items(), policies, strict=True):
        reports[seed](EVALUATING, trial.steps, {})
        try:
            store_evaluated(trial, folder / trial.name, task, policy, curves[seed], started, share)
        except Exception as error:  # its own end, and no other's
            ended(trial, error)
        else:
            ended(trial, None)
