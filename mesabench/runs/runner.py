"""Run a suite: what is finished is kept, what fails does not stop the others."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from rich.console import Console

from mesabench.disk import RUNS, clear_unfinished, sole_writer
from mesabench.notebook import Rows, Tabular
from mesabench.runs.execution import run_trial
from mesabench.runs.job import Job, RunTrial, load_job, work_of
from mesabench.runs.pool import (
    Begun,
    Event,
    Failed,
    Finished,
    Pool,
    Progressed,
    Retried,
    Unable,
)
from mesabench.runs.processes import Processes
from mesabench.runs.progress import Display
from mesabench.runs.published import refuse_published
from mesabench.runs.shard import Shard
from mesabench.runs.store import survey, write_suite, write_tables
from mesabench.runs.suite import Suite
from mesabench.runs.table import require_room
from mesabench.runs.trial_folder import StoreError
from mesabench.runs.worker import log_of, refuse_in_worker
from mesabench.whole_number import whole


@dataclass(frozen=True)
class Result(Tabular):
    """What became of a suite.

    finished, kept: numbers of trials that were run, and that were there already, of those that are there at the end; failed:
    trial name -> reason; stopped: why the run ended before its end, '' if it did not.
    """

    folder: Path
    finished: int = 0
    kept: int = 0
    failed: Mapping[str, str] = field(default_factory=dict)
    stopped: str = ""
    interrupted: bool = False

    @property
    def exit_code(self) -> int:
        """For a process: 0 if every trial of the suite is there, 130 after Ctrl-C, else 1."""
        return 130 if self.interrupted else int(bool(self.failed or self.stopped))

    def headline(self) -> str:
        ended = f"; stopped: {self.stopped}" if self.stopped else ""
        return f"{self.finished + self.kept} trials are in {self.folder}, {len(self.failed)} failed{ended}"

    def rows(self) -> Rows:
        counts = [("finished", str(self.finished)), ("there already", str(self.kept))]
        return [("trials", ""), *counts, *((f"failed: {name}", why) for name, why in self.failed.items())]


def run_suite(
    suite: Suite,
    results: Path | str = RUNS,
    *,
    workers: int | None = None,
    shard: Shard | str | None = None,
    on: str | None = None,
    console: Console | None = None,
    run: RunTrial = run_trial,
) -> Result:
    """Run what a suite's folder in `results` does not hold yet, and write the tables of all its trials.

    workers: trials at a time, by default one for each processor. shard: as "3/16", the third of sixteen parts of the suite, in a
    folder of its own; `mesabench.runs.merging.merge` puts them together. on: "ray" for a Ray of its own on this machine, "auto",
    "HOST:PORT" or "ray://HOST:PORT" for a cluster; by default processes of this machine. run: runs one trial; must be importable
    by its name. One of the caller's own script needs `if __name__ == "__main__":` there, as always with spawned processes.

    A damaged trial is reported and run again. Raises BusyError, StoreError for a published run, ValueError for a trial that
    could not be stored, OSError.
    """
    refuse_in_worker()
    workers = None if workers is None else whole(workers, 1, name="workers")
    console = console or Console(highlight=False)
    shard = Shard.parse(shard) if isinstance(shard, str) else shard
    folder = shard.folder(Path(results), suite.name) if shard else Path(results) / suite.name
    jobs = shard.jobs(suite.jobs) if shard else suite.jobs
    refuse_published(folder)
    require_room(suite.trials)
    with closing(_pool(on, run, suite.files, workers)) as pool, sole_writer(folder):
        write_suite(folder, suite)
        before, broken = survey(folder, suite)
        kept = before & {one.name for one in jobs}
        todo = tuple(one for one in jobs if one.name not in kept)
        with Display(console, folder.name, todo, len(jobs) - len(todo)) as display:
            for name, reason in broken:
                display.say(f"damaged: {name}: {reason}", "yellow")
            course = _Course(folder, display)
            try:
                course.run(pool, todo)
            finally:
                pool.close()
                clear_unfinished(folder)
        try:
            there = write_tables(folder, suite)
        except OSError as error:
            course.stopped = course.stopped or f"the tables of the run could not be written: {error}"
            there, _ = survey(folder, suite)
    lost = dict.fromkeys(sorted((kept | course.finished) - there), "is not there any more, or damaged")
    result = Result(
        folder,
        len(there & course.finished),
        len(there & kept),
        course.failed | lost,
        course.stopped,
        course.interrupted,
    )
    _conclude(display, len(jobs), result)
    return result


def _pool(on: str | None, run: RunTrial, files: Sequence[str], number: int | None) -> Pool:
    if on is None:
        return Processes(run, files, number)
    from mesabench.runs.cluster import Cluster  # Ray is an extra

    return Cluster(on, run, files, number)


def _conclude(display: Display, jobs: int, result: Result) -> None:
    there = result.finished + result.kept
    kept = f", {result.kept} of them from before" if result.kept else ""
    display.say(f"{display.name}: {there} of {jobs} trials are in {result.folder}{kept}")
    for name, reason in result.failed.items():
        log = log_of(result.folder / name)
        display.say(f"failed: {name}: {reason}" + (f"; see {log}" if log.exists() else ""), "red")
    if result.stopped:
        display.say(f"stopped: {result.stopped}", "bold red")
    if result.exit_code:
        display.say("The same command again runs what is missing and keeps what is finished.")


class _Course:
    """How a run goes. failed: trial name -> reason; stopped: why no more trials are begun."""

    def __init__(self, folder: Path, display: Display) -> None:
        self.folder, self.display = folder, display
        self.finished: set[str] = set()
        self.failed: dict[str, str] = {}
        self.stopped = ""
        self.interrupted = False

    def run(self, pool: Pool, jobs: Sequence[Job]) -> None:
        """Have a pool do the jobs, the longest first."""
        try:
            for events in pool.work(sorted(jobs, key=work_of, reverse=True), self.folder):
                for event in events:
                    self._hear(event)
                self.display.tick()
                if self.stopped:
                    break
        except KeyboardInterrupt:
            self.stopped, self.interrupted = "interrupted", True

    def _hear(self, event: Event) -> None:
        match event:
            case Begun(job):
                self.display.start(job)
            case Progressed(job, phase, step, columns):
                self.display.progress(job, phase, step, columns)
            case Retried(job, reason):
                self.display.say(f"again: {job.title}: {reason}", "yellow")
            case Finished(job):
                self._keep(job)
            case Unable(reason):
                self.stopped = reason
            case Failed(job, reason, full):
                self._fail(job, reason)
                if full:
                    self.stopped = "the disk is full; make room, nothing that was finished is lost"

    def _keep(self, job: Job) -> None:
        """Count a job as finished once its results are seen to be there."""
        try:
            stored = load_job(job, self.folder / job.name)
        except StoreError as error:
            self._fail(job, f"its results are not right: {error}")
            return
        self.finished.add(job.name)
        log_of(self.folder / job.name).unlink(missing_ok=True)
        self.display.finish(stored)

    def _fail(self, job: Job, reason: str) -> None:
        self.failed[job.name] = reason
        self.display.fail(job, reason)
