"""Run a suite: worker processes, one trial at a time each; what is finished is kept, what fails does not stop the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import wait
from pathlib import Path

from rich.console import Console

from mesabench.disk import RUNS, clear_unfinished, sole_writer
from mesabench.engine.threads import processors
from mesabench.runs.execution import run_trial
from mesabench.runs.progress import Display, Job, work_of
from mesabench.runs.published import refuse_published
from mesabench.runs.replicate import Replicate, load_replicate
from mesabench.runs.store import load_run, write_suite, write_tables
from mesabench.runs.suite import Suite
from mesabench.runs.table import require_room
from mesabench.runs.together import Bundle, bundles_of
from mesabench.runs.trial_folder import StoreError, load_trial
from mesabench.runs.worker import (
    REPORT_EVERY,
    RunTrial,
    Worker,
    log_of,
    refuse_in_worker,
    refuse_unimportable,
)
from mesabench.whole_number import whole


@dataclass(frozen=True)
class Result:
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


def run_suite(
    suite: Suite,
    results: Path | str = RUNS,
    *,
    workers: int | None = None,
    console: Console | None = None,
    run: RunTrial = run_trial,
) -> Result:
    """Run what a suite's folder in `results` does not hold yet, and write the tables of all its trials.

    workers: processes, by default one for each processor. run: runs one trial; must be importable by its name. One of the
    caller's own script needs `if __name__ == "__main__":` there, as always with spawned processes.

    A damaged trial is reported and run again. Raises BusyError, StoreError for a published run, ValueError for a trial that
    could not be stored, OSError.
    """
    refuse_in_worker()
    refuse_unimportable(run)
    workers = None if workers is None else whole(workers, 1, name="workers")
    console = console or Console(highlight=False)
    folder = Path(results) / suite.name
    refuse_published(folder)
    require_room(suite.trials)
    with sole_writer(folder):
        write_suite(folder, suite)
        before = load_run(folder, suite)
        todo = before.missing
        with Display(console, suite.name, todo, len(before.there)) as display:
            for name, reason in before.broken:
                display.say(f"damaged: {name}: {reason}", "yellow")
            crew = _Crew(folder, suite.files, run, workers or processors(), display)
            try:
                crew.work(todo)
            except KeyboardInterrupt:
                crew.stopped, crew.interrupted = "interrupted", True
            finally:
                crew.end()
                clear_unfinished(folder)
        after = load_run(folder, suite)
        try:
            write_tables(after)
        except OSError as error:
            crew.stopped = crew.stopped or f"the tables of the run could not be written: {error}"
    there, kept = after.there, before.there
    lost = dict.fromkeys(sorted((kept | crew.finished) - there), "is not there any more, or damaged")
    result = Result(
        folder,
        len(there & crew.finished),
        len(there & kept),
        crew.failed | lost,
        crew.stopped,
        crew.interrupted,
    )
    _conclude(display, suite, result)
    return result


def _conclude(display: Display, suite: Suite, result: Result) -> None:
    there = result.finished + result.kept
    kept = f", {result.kept} of them from before" if result.kept else ""
    display.say(f"{suite.name}: {there} of {len(suite.jobs)} trials are in {result.folder}{kept}")
    for name, reason in result.failed.items():
        log = log_of(result.folder / name)
        display.say(f"failed: {name}: {reason}" + (f"; see {log}" if log.exists() else ""), "red")
    if result.stopped:
        display.say(f"stopped: {result.stopped}", "bold red")
    if result.exit_code:
        display.say("The same command again runs what is missing and keeps what is finished.")


def _work(bundle: Bundle) -> int:
    return sum(map(work_of, bundle))


class _Crew:
    """The workers of a run. failed: trial name -> reason; stopped: why no more trials are begun."""

    def __init__(
        self, folder: Path, files: Sequence[str], run: RunTrial, number: int, display: Display
    ) -> None:
        self.folder, self.files, self.run, self.number, self.display = folder, files, run, number, display
        self.workers: list[Worker] = []
        self.finished: set[str] = set()
        self.failed: dict[str, str] = {}
        self.stopped = ""
        self.interrupted = False

    def work(self, trials: Sequence[Job]) -> None:
        """Run the trials, the longest first."""
        # a run function of one's own runs one trial
        many = self.run is run_trial
        bundles = bundles_of(trials, self.number) if many else [(one,) for one in trials]
        todo = sorted(bundles, key=_work, reverse=True)
        while (todo or self._busy) and not self.stopped:
            while todo and len(self._busy) < self.number:
                self._begin(todo)
            wait([w for worker in self._busy for w in worker.signs_of_life], timeout=REPORT_EVERY)
            for worker in self._busy:
                self._listen(worker)
            self.display.tick()

    @property
    def _busy(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.running]

    def _begin(self, todo: list[Bundle]) -> None:
        """Give the next trials to an idle worker, or a new one: of the longest, those whose environment it has compiled."""
        idle = [worker for worker in self.workers if not worker.running and worker.process.is_alive()]
        worker = idle[0] if idle else Worker(self.run, self.files)
        if not idle:
            self.workers.append(worker)
        elsewhere = {other.environment for other in self.workers}
        longest = (bundle for bundle in todo if _work(bundle) == _work(todo[0]))
        bundle = min(
            longest,
            key=lambda one: (one[0].environment != worker.environment, one[0].environment in elsewhere),
        )
        todo.remove(bundle)
        for trial in bundle:
            self.display.start(trial)
        worker.begin(bundle, self.folder)

    def _listen(self, worker: Worker) -> None:
        for kind, name, *what in worker.messages():
            if kind == "progress":
                self.display.progress(worker.running[name], *what)
            elif kind == "finished":
                self._keep(worker.running.pop(name))
            elif kind == "failed":
                self._end(worker, [name], *what)
            else:
                self.workers.remove(worker)
                self._end(worker, list(worker.running), *what)

    def _end(self, worker: Worker, names: Sequence[str], reason: str, full: bool) -> None:
        """Trials of a worker came to nothing. full: there was no room on the disk."""
        lost = [worker.running.pop(name) for name in names]
        if lost and not worker.ready and worker.process.exitcode in (0, 1):
            self.stopped = reason  # no other would do better
            return
        for trial in lost:
            self._fail(trial, reason)
        if full:
            self.stopped = "the disk is full; make room, nothing that was finished is lost"

    def _keep(self, trial: Job) -> None:
        """Count a trial as finished once its results are seen to be there."""
        try:
            load = load_replicate if isinstance(trial, Replicate) else load_trial
            stored = load(self.folder / trial.name)
        except StoreError as error:
            self._fail(trial, f"its results are not right: {error}")
            return
        self.finished.add(trial.name)
        log_of(self.folder / trial.name).unlink(missing_ok=True)
        self.display.finish(stored)

    def _fail(self, trial: Job, reason: str) -> None:
        self.failed[trial.name] = reason
        self.display.fail(trial, reason)

    def end(self) -> None:
        """End all workers, in the middle of their trials if need be."""
        for worker in self.workers:
            worker.stop()
        for worker in self.workers:
            worker.join()
