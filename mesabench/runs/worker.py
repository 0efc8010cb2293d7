"""Worker processes: each runs one trial after another, tells how it gets on, and takes nobody with it when it dies."""

import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
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
from mesabench.runs.replicate import Replicate, run_replicate
from mesabench.runs.together import Bundle, run_together
from mesabench.runs.trial import Trial

RunTrial = Callable[[Trial, Path, Report], None]
"""Runs a trial and writes its folder, as `mesabench.runs.execution.run_trial` does."""

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
    """A process that runs one bundle of trials after another and tells how each gets on.

    running: what it has been given and has not told the end of, by name.

    Each has a pipe of its own. A queue for all would have a lock for all, and a process killed while it holds that lock
    silences the others for good.
    """

    def __init__(self, run: RunTrial, files: Sequence[str]) -> None:
        self.running: dict[str, Trial | Replicate] = {}
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
        """What it has told since last asked: kind, name of the trial, and more; ("died", "", reason, False) if it is no more."""
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
        _run(bundle, folder, run, connection)


def _run(bundle: Bundle, folder: Path, run: RunTrial, connection: Connection) -> None:
    """Run a bundle and tell of the end of each of its trials, whatever it is; it is no end of others."""
    untold = {one.name for one in bundle}

    def ended(one: Trial | Replicate, error: Exception | None) -> None:
        untold.remove(one.name)
        if error is None:
            connection.send(("finished", one.name))
            return
        if len(bundle) > 1:
            _note(error, log_of(folder / one.name))
        reason = told(error) or "".join(traceback.format_exception_only(error)).strip()
        connection.send(("failed", one.name, reason, is_full(error)))

    try:
        with _printing_to(log_of(folder / bundle[0].name)):
            if len(bundle) > 1:
                trials = [one for one in bundle if isinstance(one, Trial)]
                run_together(trials, folder, lambda one: _reporter(connection, one.name), ended)
            else:
                make: Any = run_replicate if isinstance(bundle[0], Replicate) else run
                make(bundle[0], folder / bundle[0].name, _reporter(connection, bundle[0].name))
    except Exception as error:
        for one in bundle:
            if one.name in untold:
                ended(one, error)
    else:
        for one in bundle:
            if one.name in untold:
                ended(one, None)


def _note(error: Exception, log: Path) -> None:
    """Where an error came from, in a log of its own."""
    with suppress(OSError):
        log.unlink(missing_ok=True)
        with log.open("x") as file:
            traceback.print_exception(error, file=file)


def _die_with_parent() -> None:
    parent = parent_process()
    assert parent, "a worker has a parent"
    parent.join()
    os._exit(1)


def _reporter(connection: Connection, name: str) -> Report:
    """Sends what a trial reports on its way, not too often."""
    last: dict[str, float] = {}

    def report(phase: str, step: int, columns: Mapping[str, float]) -> None:
        now = time.monotonic()
        if now - last.get(phase, -REPORT_EVERY) >= REPORT_EVERY:
            last[phase] = now
            connection.send(("progress", name, phase, step, dict(columns)))

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
