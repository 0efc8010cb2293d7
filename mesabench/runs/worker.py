"""Worker processes: each runs one trial after another, tells how it gets on, and takes nobody with it when it dies."""

import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from multiprocessing import get_context, parent_process, process
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any

from mesabench import registry
from mesabench.disk import is_full
from mesabench.ownfile import told
from mesabench.runs import origin
from mesabench.runs.execution import Report, run_trial
from mesabench.runs.job import Job, RunTrial, run_job
from mesabench.runs.together import Bundle, run_together
from mesabench.runs.trial import Trial

# Never fork: OpenMP and Numba's threads do not survive it.
PROCESSES = get_context("spawn")
ONE_THREAD = dict.fromkeys(
    ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS",
     "NUMBA_NUM_THREADS", "POLARS_MAX_THREADS"), "1",
)  # fmt: skip
"""A worker has one core to itself, and the number of threads changes the last digits of what PyTorch adds up."""
REPORT_EVERY = 0.2
"""Seconds between two reports of a worker; also between two looks at the workers."""
GRACE = 5.0
"""Seconds that a worker has to end when told to."""
UNGUARDED = 'workers import the script that starts them, and must be able to: put what it does under `if __name__ == "__main__":`'


def refuse_in_worker() -> None:
    """End this process if it is a worker that is still being set up: its script starts runs wherever it is imported."""
    if getattr(process.current_process(), "_inheriting", False):
        os._exit(1)  # the parent says why


def refuse_unimportable(run: RunTrial) -> None:
    """Raises ValueError for a function of a script that no other process can read: from a pipe, or typed in."""
    script = sys.modules["__main__"]
    if getattr(run, "__module__", "") == "__main__" and not os.path.isfile(getattr(script, "__file__", "")):
        raise ValueError(f"{run} is in no file, so that workers cannot import it: put it in one")


def log_of(folder: Path) -> Path:
    """What a trial printed, and its traceback; kept if it failed."""
    return folder.with_name(f"{folder.name}.log")


class Worker:
    """A process that runs one bundle of jobs after another and tells how each gets on.

    running: what it was given and has not told the end of, by name.

    Each has a pipe of its own. A queue for all would have a lock for all, and a process killed while it holds that lock
    silences the others for good.
    """

    def __init__(self, run: RunTrial, files: Sequence[str]) -> None:
        self.running: dict[str, Job] = {}
        self.environment = ""
        self.ready, self.reason = False, ""
        self.connection, theirs = PROCESSES.Pipe()
        self.process = PROCESSES.Process(target=_serve, args=(theirs, run, tuple(files)))
        with _conditions(), nullcontext() if run is not run_trial else _without_script():
            self.process.start()
        theirs.close()

    @property
    def signs_of_life(self) -> tuple[Any, ...]:
        """What `multiprocessing.connection.wait` watches: a message, or the end of the process."""
        return self.connection, self.process.sentinel

    def begin(self, bundle: Bundle, folder: Path) -> None:
        """folder: that of the run."""
        self.running, self.environment = {one.name: one for one in bundle}, bundle[0].environment
        with suppress(OSError):  # it has died: the next look at it tells
            self.connection.send((bundle, folder))

    def messages(self) -> Iterator[tuple[Any, ...]]:
        """What it has told since last asked: kind, name of the job, and more; ("died", "", reason, False) if it is no more."""
        dead = not self.process.is_alive()  # asked first: what a dead one has told is in the pipe by now
        try:
            while self.connection.poll():
                kind, *what = self.connection.recv()
                if kind == "unable":
                    self.reason = what[0]
                    continue
                self.ready = True
                if kind != "ready":
                    yield kind, *what
        except (EOFError, OSError):
            dead = True
        if dead:
            self.join()
            yield "died", "", self.epitaph(), False

    def epitaph(self) -> str:
        """Why the process is no more."""
        code = self.process.exitcode or 0
        if self.reason:
            return self.reason
        if code == -signal.SIGKILL:
            return "its process was killed; the usual reason is too little memory: try fewer workers"
        if code < 0:
            return f"its process was ended by {signal.Signals(-code).name}"
        return f"its process ended by itself, with exit code {code}" if self.ready else UNGUARDED

    def stop(self) -> None:
        """Have it end: an idle one of itself, a busy one in the middle of its trial."""
        if self.running:
            self.process.terminate()
        self.connection.close()

    def join(self) -> None:
        """Wait for its end, and help where that takes too long."""
        for more in (self.process.terminate, self.process.kill):
            self.process.join(GRACE)
            if self.process.is_alive():
                more()
        self.process.join()


@contextmanager
def _without_script() -> Iterator[None]:
    """Have a worker begin without the script that starts it, of which it needs nothing: a notebook, text from a pipe."""
    script = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = script


@contextmanager
def _conditions() -> Iterator[None]:
    """What a worker inherits: one thread for every library, and deaf ears for Ctrl-C, which the parent answers."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    main = threading.current_thread() is threading.main_thread()
    os.environ.update(ONE_THREAD)
    answer = signal.signal(signal.SIGINT, signal.SIG_IGN) if main else None
    try:
        yield
    finally:
        if main:
            signal.signal(signal.SIGINT, answer)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _serve(connection: Connection, run: RunTrial, files: Sequence[str]) -> None:
    """What a worker process does."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_die_with_parent, daemon=True).start()
    origin.commit()  # of the code as it is now, not as it may be when a trial ends
    try:
        registry.take(files)
    except Exception as error:  # a file of somebody's own, edited meanwhile
        connection.send(("unable", str(error)))
        return
    connection.send(("ready",))
    while True:
        try:
            bundle, folder = connection.recv()
        except EOFError:
            return
        if len(bundle) > 1:
            _attempt_together(bundle, folder, connection)
            continue
        (job,) = bundle
        kind, *what = attempt(job, folder / job.name, _reporter(connection, job), run)
        connection.send((kind, job.name, *what))


def attempt(job: Job, folder: Path, report: Report, run: RunTrial) -> tuple[Any, ...]:
    """Run a job, what it prints into its log: ("finished",), or ("failed", reason, whether a disk is full)."""
    try:
        with _printing_to(log_of(folder)):
            run_job(job, folder, report, run)
    except Exception as error:  # whatever it is, it is this job's end and no other's
        return _failed(error)
    return ("finished",)


def _failed(error: Exception) -> tuple[str, str, bool]:
    reason = told(error) or "".join(traceback.format_exception_only(error)).strip()
    return "failed", reason, is_full(error)


def _attempt_together(trials: Sequence[Trial], folder: Path, connection: Connection) -> None:
    """Run trials whose seeds are trained at once, and send how each ends. What they print goes into the first one's log."""
    untold = list(trials)

    def ended(one: Trial, error: Exception | None) -> None:
        untold.remove(one)
        if error is None:
            connection.send(("finished", one.name))
            return
        with suppress(OSError):
            log = log_of(folder / one.name)
            log.unlink(missing_ok=True)
            with log.open("x") as file:
                traceback.print_exception(error, file=file)
        kind, *what = _failed(error)
        connection.send((kind, one.name, *what))

    try:
        with _printing_to(log_of(folder / trials[0].name)):
            run_together(trials, folder, lambda one: _reporter(connection, one), ended)
    except Exception as error:
        for one in list(untold):
            ended(one, error)


def _reporter(connection: Connection, job: Job) -> Report:
    return sparing(lambda *what: connection.send(("progress", job.name, *what)))


def _die_with_parent() -> None:
    parent = parent_process()
    assert parent, "a worker has a parent"
    parent.join()
    os._exit(1)


def sparing(send: Report, every: float = REPORT_EVERY) -> Report:
    """Sends what a job reports on its way, not too often. every: seconds."""
    last: dict[str, float] = {}

    def report(phase: str, step: int, columns: Mapping[str, float]) -> None:
        now = time.monotonic()
        if now - last.get(phase, -every) >= every:
            last[phase] = now
            send(phase, step, dict(columns))

    return report


@contextmanager
def _printing_to(log: Path) -> Iterator[None]:
    """Whatever is printed, by native code too, goes to a file, as does the traceback of an error or a crash."""
    log.unlink(missing_ok=True)
    with log.open("x", buffering=1) as file:  # "x" follows no link that somebody has put there
        sys.stdout.flush()
        sys.stderr.flush()
        kept = os.dup(1), os.dup(2)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        faulthandler.enable(file)
        try:
            yield
        except Exception:
            traceback.print_exc(file=file)
            raise
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            faulthandler.disable()
            for descriptor, original in zip(kept, (1, 2), strict=True):
                os.dup2(descriptor, original)
                os.close(descriptor)
