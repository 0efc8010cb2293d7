"""The pool of this machine: worker processes, one job at a time each."""

from collections.abc import Iterator, Sequence
from multiprocessing.connection import wait
from pathlib import Path

from mesabench.engine.threads import processors
from mesabench.runs.job import Job, RunTrial, work_of
from mesabench.runs.pool import Begun, Event, Failed, Finished, Progressed, Unable
from mesabench.runs.worker import REPORT_EVERY, Worker, refuse_unimportable


class Processes:
    """number: of workers, by default one for each processor. Raises ValueError for a `run` that they cannot import."""

    def __init__(self, run: RunTrial, files: Sequence[str], number: int | None = None) -> None:
        refuse_unimportable(run)
        self.files, self.run, self.number = files, run, number or processors()
        self.workers: list[Worker] = []

    def work(self, jobs: Sequence[Job], folder: Path) -> Iterator[Sequence[Event]]:
        """As `mesabench.runs.pool.Pool` says."""
        todo = list(jobs)
        while todo or self._busy:
            events: list[Event] = []
            while todo and len(self._busy) < self.number:
                events.append(Begun(self._begin(todo, folder)))
            wait([w for worker in self._busy for w in worker.signs_of_life], timeout=REPORT_EVERY)
            for worker in self._busy:
                events += self._heard(worker)
            yield events

    @property
    def _busy(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.trial]

    def _begin(self, todo: list[Job], folder: Path) -> Job:
        """Give the next job to an idle worker, or a new one: of the longest, one whose environment it has compiled."""
        idle = [worker for worker in self.workers if not worker.trial and worker.process.is_alive()]
        worker = idle[0] if idle else Worker(self.run, self.files)
        if not idle:
            self.workers.append(worker)
        elsewhere = {other.environment for other in self.workers}
        longest = (one for one in todo if work_of(one) == work_of(todo[0]))
        job = min(
            longest, key=lambda one: (one.environment != worker.environment, one.environment in elsewhere)
        )
        todo.remove(job)
        worker.begin(job, folder / job.name)
        return job

    def _heard(self, worker: Worker) -> Iterator[Event]:
        for kind, *what in worker.messages():
            if kind == "died":
                self.workers.remove(worker)
            if not (job := worker.trial):
                continue  # it has died after it had finished
            if kind == "progress":
                yield Progressed(job, *what)
                continue
            worker.trial = None
            if kind == "finished":
                yield Finished(job)
            elif kind == "died" and not worker.ready and worker.process.exitcode in (0, 1):
                yield Unable(what[0])  # no other would do better
            else:
                reason, full = what
                yield Failed(job, reason, full)

    def close(self) -> None:
        """End all workers, in the middle of their trials if need be."""
        for worker in self.workers:
            worker.stop()
        for worker in self.workers:
            worker.join()
        self.workers.clear()
