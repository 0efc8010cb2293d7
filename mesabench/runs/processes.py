"""The pool of this machine: worker processes, one job at a time each, or seeds that are trained at once."""

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Sequence
from multiprocessing.connection import wait
from operator import itemgetter
from pathlib import Path

from mesabench.engine.threads import processors
from mesabench.runs.execution import run_trial
from mesabench.runs.job import Job, RunTrial, work_of
from mesabench.runs.pool import Begun, Event, Failed, Finished, Progressed, Unable
from mesabench.runs.together import Bundle, bundles_of
from mesabench.runs.worker import REPORT_EVERY, Worker, refuse_unimportable


class Todo:
    """Bundles that nobody has begun, by their work, the longest first, and by environment."""

    def __init__(self, bundles: Iterable[Bundle]) -> None:
        self.bundles: dict[float, dict[str, deque[Bundle]]] = {}
        for work, bundle in sorted(((_work(one), one) for one in bundles), key=itemgetter(0), reverse=True):
            self.bundles.setdefault(work, {}).setdefault(bundle[0].environment, deque()).append(bundle)

    def __bool__(self) -> bool:
        return bool(self.bundles)

    def take(self, compiled: str, elsewhere: Collection[str]) -> Bundle:
        """Of the longest, one whose environment a worker has compiled, or else one that no other has. Some must be left."""
        work, longest = next(iter(self.bundles.items()))
        environment = min(longest, key=lambda one: (one != compiled, one in elsewhere))
        bundle = longest[environment].popleft()
        if not longest[environment]:
            del longest[environment]
        if not longest:
            del self.bundles[work]
        return bundle


def _work(bundle: Bundle) -> float:
    return sum(map(work_of, bundle))


class Processes:
    """number: of workers, by default one for each processor. Raises ValueError for a `run` that they cannot import."""

    def __init__(self, run: RunTrial, files: Sequence[str], number: int | None = None) -> None:
        refuse_unimportable(run)
        self.files, self.run, self.number = files, run, number or processors()
        self.workers: list[Worker] = []

    def work(self, jobs: Sequence[Job], folder: Path) -> Iterator[Sequence[Event]]:
        """As `mesabench.runs.pool.Pool` says."""
        # a function of one's own runs one trial
        bundles = bundles_of(jobs, self.number) if self.run is run_trial else [(job,) for job in jobs]
        todo = Todo(bundles)
        while todo or self._busy:
            events: list[Event] = []
            while todo and len(self._busy) < self.number:
                events += map(Begun, self._begin(todo, folder))
            wait([w for worker in self._busy for w in worker.signs_of_life], timeout=REPORT_EVERY)
            for worker in self._busy:
                events += self._heard(worker)
            yield events

    @property
    def _busy(self) -> list[Worker]:
        return [worker for worker in self.workers if worker.running]

    def _begin(self, todo: Todo, folder: Path) -> Bundle:
        """Give the next bundle to an idle worker, or a new one."""
        idle = [worker for worker in self.workers if not worker.running and worker.process.is_alive()]
        worker = idle[0] if idle else Worker(self.run, self.files)
        if not idle:
            self.workers.append(worker)
        bundle = todo.take(worker.environment, {other.environment for other in self.workers})
        worker.begin(bundle, folder)
        return bundle

    def _heard(self, worker: Worker) -> Iterator[Event]:
        for kind, name, *what in worker.messages():
            if kind == "progress":
                yield Progressed(worker.running[name], *what)
            elif kind == "finished":
                yield Finished(worker.running.pop(name))
            elif kind == "failed":
                yield Failed(worker.running.pop(name), *what)
            else:
                self.workers.remove(worker)
                lost, worker.running = list(worker.running.values()), {}
                if lost and not worker.ready and worker.process.exitcode in (0, 1):
                    yield Unable(what[0])  # no other would do better
                else:
                    yield from (Failed(job, *what) for job in lost)

    def close(self) -> None:
        """End all workers, in the middle of their trials if need be."""
        for worker in self.workers:
            worker.stop()
        for worker in self.workers:
            worker.join()
        self.workers.clear()
