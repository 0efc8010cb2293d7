"""What a run costs beside its trials, in each pool: the table of scale.md, by python docs/scale_overhead.py

Trials are dummies: each worker evaluates one and stores that for all others, so that next to nothing is computed. What is left is
what runs them: messages, files, seals, and their being read back. The processor time is that of the process that runs the suite;
workers are not in it.
"""

import os
import resource
import subprocess
import sys
import tempfile
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from rich.console import Console

from mesabench.evaluation.evaluation import evaluate
from mesabench.policies.agent import NoSettings, Task
from mesabench.runs.execution import Report
from mesabench.runs.runner import run_suite
from mesabench.runs.suite import Suite
from mesabench.runs.trial import EvaluationSettings, Trial
from mesabench.runs.trial_folder import write_trial

FEW, MANY = 100, 2_000
POOLS = ("processes", "ray")
HEADER = f"| pool | processor time a trial, ms | memory with {FEW} trials, MB | with {MANY:,}, MB |"


def trial(seed: int) -> Trial:
    return Trial(
        environment="cheese_corner", options={"alpha": 0.0, "size": 5}, agent="nothing", settings={}, steps=0, seed=seed,
        variant="dummy", evaluation=EvaluationSettings(levels=1, measures="goals"),
    )  # fmt: skip


@cache
def once():
    """A policy and what an evaluation found of it."""
    one = trial(0)
    _, agent = one.declared()
    task = Task(one.environment, one.settled())
    policy = agent.train(task, NoSettings(), 0, lambda steps, columns: None)
    found = evaluate(policy, task.distribution, levels=1, measures="goals")
    return policy, found, found.scores(())


def dummy(trial: Trial, folder: Path, report: Report) -> None:
    """Runs a trial by storing what another came to."""
    policy, found, scores = once()
    write_trial(
        folder, trial, policy=policy, curve=[], found=found, scores=scores, started=datetime.now(UTC),
        training_seconds=0.0, seconds=0.0,
    )  # fmt: skip


def measured(pool: str, trials: int) -> tuple[float, float]:
    """Processor seconds and the largest memory (MB) of the process that runs the suite: this one, which should be new."""
    import scale_overhead  # by this name workers import it, too

    one = trial(0)
    seeds = tuple(
        one.model_copy(update={"seed": seed}) for seed in range(trials)
    )  # as a suite's file makes them
    suite = Suite(name="dummies", trials=seeds)
    before = _seconds()
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w") as nowhere:
        result = run_suite(
            suite, folder, workers=2, on=None if pool == "processes" else pool, console=Console(file=nowhere),
            run=scale_overhead.dummy,
        )  # fmt: skip
    assert (result.finished, result.exit_code) == (trials, 0), result
    return _seconds() - before, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def table() -> str:
    """Each measurement in a process of its own."""
    lines = [HEADER, "|---|---|---|---|"]
    for pool in POOLS:
        told = {}
        for trials in (FEW, MANY):
            done = subprocess.run(
                [sys.executable, __file__, pool, str(trials)], capture_output=True, text=True, check=True
            )
            told[trials] = [float(word) for word in done.stdout.split()[-2:]]
        (few, small), (many, large) = told[FEW], told[MANY]
        lines.append(f"| {pool} | {1000 * (many - few) / (MANY - FEW):.1f} | {small:.0f} | {large:.0f} |")
    return "\n".join(lines)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(*measured(sys.argv[1], int(sys.argv[2])))
    else:
        print(table())
