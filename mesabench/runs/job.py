"""A job: a trial or a replicate, whatever a suite has run. How it is run and read back, and how much work it is."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mesabench import registry
from mesabench.disk import new_folder, save_files
from mesabench.runs.execution import Report, run_trial
from mesabench.runs.replicate import (
    REPLICATE,
    WORK,
    Replicate,
    StoredReplicate,
    load_replicate,
    run_replicate,
)
from mesabench.runs.trial import Trial
from mesabench.runs.trial_folder import MANIFEST, StoredTrial, load_trial

Job = Trial | Replicate
Stored = StoredTrial | StoredReplicate
RunTrial = Callable[[Trial, Path, Report], None]
"""Runs a trial and writes its folder, as `mesabench.runs.execution.run_trial` does."""
STEPS_PER_LEVEL = 100
"""What evaluating one level counts in training steps, for the time that is left: rough, but trials without training count."""


def run_job(job: Job, folder: Path, report: Report, run: RunTrial = run_trial) -> None:
    """Run it and write its folder, at once or not at all. Raises what the job raises, and OSError."""
    make: Any = run_replicate if isinstance(job, Replicate) else run
    make(job, folder, report)


def load_job(job: Job, folder: Path) -> Stored:
    """Read what came of it. Raises StoreError."""
    return load_replicate(folder) if isinstance(job, Replicate) else load_trial(folder)


def packed(stored: Stored) -> dict[str, bytes]:
    """The files of a whole one, as they travel: those that its seal knows, and nothing else. Raises OSError."""
    seal = MANIFEST if isinstance(stored, StoredTrial) else REPLICATE
    return {name: (stored.folder / name).read_bytes() for name in (*stored.files, seal)}


def unpack(files: Mapping[str, bytes], folder: Path) -> None:
    """Write what was packed into a folder, at once or not at all. Raises OSError."""
    with new_folder(folder) as beside:
        save_files(beside, files)


def work_of(job: Job) -> float:
    """How much there is to do, in training steps of `ppo`, evaluation included; the same wherever it is asked.

    For the bar of a whole run, for the order of its jobs, and to share them out among shards.
    """
    if isinstance(job, Replicate):
        return WORK
    return training_work(job, job.steps) + 3 * STEPS_PER_LEVEL * job.evaluation.levels


def training_work(job: Job, steps: int) -> float:
    """How much of that is done once it has trained so many steps."""
    if isinstance(job, Replicate):
        return 0.0
    try:
        return steps / registry.known_agent(job.agent, job.code.get("agent", "")).pace
    except LookupError:  # the trial will say so
        return float(steps)
