"""A Ray cluster as a pool: jobs are Ray tasks, their results come home as bytes, and no file system is shared.

A worker or node that dies costs the jobs in its hands, which are begun anew elsewhere, a few times; those that were finished are
stored here by then. Only as many jobs are handed over as keep the cluster busy, so that ten thousand take no more memory than a
hundred.
"""

import logging
import os
import re
import socket
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import ModuleType
from typing import Any

from mesabench.disk import is_full, save_file
from mesabench.engine.threads import processors
from mesabench.runs import node
from mesabench.runs.checkpoint import checkpoint_of
from mesabench.runs.job import Job, RunTrial, unpack
from mesabench.runs.pool import Begun, Event, Failed, Finished, Progressed, Retried, Unable
from mesabench.runs.worker import ONE_THREAD, REPORT_EVERY, log_of

LOCAL, SAME_MACHINE = "ray", "auto"
ADDRESS = re.compile(r"(?:ray://)?\[?(?P<host>[^/\s\[\]]+)\]?:(?P<port>\d{1,5})")
PATIENCE = 5.0
"""Seconds in which an address must answer."""
ATTEMPTS = 3
"""How often a job is begun whose worker or node dies."""
AHEAD = 2
"""Jobs that are handed over for each processor of the cluster: one in work, one that is ready to follow."""
LOOK_EVERY = 5.0
"""Seconds between two looks at how large the cluster is."""


class ClusterError(ValueError):
    """A cluster that is not there or cannot be used; the message says why, and what to try."""


class Cluster:
    """on: `ray` for a Ray of this process's own, `auto` for one that runs on this machine, HOST:PORT, or ray://HOST:PORT.

    A connection that this process has already is used, and left open. number: of jobs at a time, by default as many as there are
    processors. Raises ClusterError.
    """

    def __init__(self, on: str, run: RunTrial, files: Sequence[str], number: int | None = None) -> None:
        self.run, self.files, self.number = run, files, number
        self.ray = _imported()
        self.ours = not self.ray.is_initialized()
        if self.ours:
            _connect(self.ray, on, number)
        environment = {"env_vars": {**ONE_THREAD}}
        self.errand = self.ray.remote(num_cpus=1, max_retries=0, runtime_env=environment)(_errand())
        self.board = self.ray.remote(num_cpus=0, max_restarts=-1)(_board()).remote()
        self.dumps = self.ray.cloudpickle.dumps
        self.flying: dict[Any, Job] = {}
        self.looked, self.processors = -LOOK_EVERY, 1

    def work(self, jobs: Sequence[Job], folder: Path) -> Iterator[Sequence[Event]]:
        """As `mesabench.runs.pool.Pool` says."""
        waiting, deaths = deque(jobs), Counter[str]()
        begun: set[str] = set()
        news, asked = self.board.read.remote(), time.monotonic()
        while waiting or self.flying:
            while waiting and len(self.flying) < self._room():
                job = waiting.popleft()
                self.flying[self._send(job, folder)] = job
            events: list[Event] = []
            done, _ = self.ray.wait([*self.flying], num_returns=1, timeout=REPORT_EVERY)
            if self.ray.wait([news], timeout=0)[0] and time.monotonic() - asked > node.REPORT_EVERY:
                events += self._told(news)
                news, asked = self.board.read.remote(), time.monotonic()
            if done:
                done, _ = self.ray.wait([*self.flying], num_returns=len(self.flying), timeout=0)
            for one in done:
                events.append(self._outcome(one, folder, deaths))
                if isinstance(event := events[-1], Retried):
                    waiting.appendleft(event.job)
            yield [*_in_order(events, begun)]

    def _room(self) -> int:
        if self.number:
            return self.number
        if time.monotonic() - self.looked > LOOK_EVERY:
            self.looked = time.monotonic()
            self.processors = max(1, int(self.ray.cluster_resources().get("CPU", 1)))
        return AHEAD * self.processors

    def _send(self, job: Job, folder: Path) -> Any:
        kept = checkpoint_of(folder / job.name)
        checkpoint = kept.read_bytes() if kept.is_file() else None
        return self.errand.remote(
            node.parcel(self.dumps, job, self.run, self.files, checkpoint), self.board, job.name
        )

    def _told(self, news: Any) -> Iterator[Event]:
        there = {job.name: job for job in self.flying.values()}
        with suppress(self.ray.exceptions.RayError):  # the board's node died: it is put up elsewhere
            for name, what in self.ray.get(news).items():
                if name in there:
                    yield Progressed(there[name], *what)

    def _outcome(self, one: Any, folder: Path, deaths: Counter[str]) -> Event:
        """What became of a job that is in nobody's hands any more, its results stored."""
        job = self.flying.pop(one)
        place = folder / job.name
        try:
            found = node.Outcome(*self.ray.get(one))
        except self.ray.exceptions.RayTaskError as error:
            return Failed(job, _first_line(error.cause or error))
        except self.ray.exceptions.RayError as error:
            deaths[job.name] += 1
            reason = f"its worker or node died ({type(error).__name__})"
            if deaths[job.name] < ATTEMPTS:
                return Retried(
                    job, f"{reason}; it is begun anew, attempt {deaths[job.name] + 1} of {ATTEMPTS}"
                )
            return Failed(
                job, f"{reason}, {ATTEMPTS} times in a row; it may take more memory than a node has"
            )
        if found.kind == "unable":
            return Unable(found.reason)
        try:
            if found.kind == "failed":
                save_file(log_of(place), found.log)
                return Failed(job, found.reason, found.full)
            unpack(found.files, place)
        except OSError as error:
            return Failed(job, str(error), is_full(error))
        checkpoint_of(place).unlink(missing_ok=True)
        return Finished(job)

    def close(self) -> None:
        """End all jobs, in the middle if need be, and leave the cluster."""
        with suppress(Exception):  # it may be gone, which is as good
            for one in self.flying:
                self.ray.cancel(one, force=True)
            self.ray.kill(self.board)
        self.flying.clear()
        if self.ours:
            self.ours = False
            self.ray.shutdown()


def _in_order(events: Sequence[Event], begun: set[str]) -> Iterator[Event]:
    """Each job begun before all else that is told of it: one may end before it was heard of."""
    for event in events:
        if not isinstance(event, Unable) and event.job.name not in begun:
            begun.add(event.job.name)
            yield Begun(event.job)
        yield event


def _errand() -> Callable[..., Any]:
    """The task. Within a function, Ray sends its code and not its name, so that it can tell where mesabench is missing."""

    def errand(sent: bytes, board: Any, name: str) -> tuple[Any, ...]:
        import platform

        try:
            from mesabench.runs.node import carry_out
        except ImportError as error:
            return (
                "unable",
                f"the node {platform.node()} cannot import mesabench ({error}): install it there, in Ray's Python",
            )
        return tuple(carry_out(sent, lambda *what: board.note.remote(name, what)))

    return errand


def _board() -> type:
    """The actor on which jobs note how far they are, and where that is read; by its code, as `_errand`."""

    class Board:
        def __init__(self) -> None:
            self.notes: dict[str, Any] = {}

        def note(self, name: str, what: Any) -> None:
            self.notes[name] = what

        def read(self) -> dict[str, Any]:
            notes, self.notes = self.notes, {}
            return notes

    return Board


def _imported() -> ModuleType:
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
    try:
        import ray
    except ImportError as error:
        raise ClusterError(f"Ray is not installed ({error}): pip install 'mesabench[ray]'") from error
    return ray


def _connect(ray: ModuleType, on: str, number: int | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    if on == LOCAL:
        ray.init("local", num_cpus=number or processors(), include_dashboard=False, **quiet)
        return
    match = ADDRESS.fullmatch(on)
    if not match and on != SAME_MACHINE:
        raise ClusterError(
            f"{on!r} is no place to run on: write {LOCAL}, {SAME_MACHINE}, HOST:PORT (as in 10.0.0.1:6379) or ray://HOST:PORT"
        )
    if match:
        _refuse_silent(on, match["host"], int(match["port"]))
    try:
        ray.init(on, **quiet)
    except Exception as error:  # Ray has many kinds, a bare RuntimeError among them
        text = str(error)
        found = re.search(r"Ray: (\S+)\s+Python: (\S+).*?Ray: (\S+)\s+Python: (\S+)", text, re.DOTALL)
        if found:
            raise ClusterError(
                f"{on} has Ray {found[1]} on Python {found[2]}, and here are Ray {found[3]} on Python {found[4]}: "
                f"they must be the same; try pip install ray=={found[1]}"
            ) from error
        hint = (
            "; `ray start --head` starts one"
            if on == SAME_MACHINE
            else "; is it a Ray cluster of this version?"
        )
        raise ClusterError(f"{on} cannot be used: {_first_line(error)}{hint}") from error


def _refuse_silent(on: str, host: str, port: int) -> None:
    """Ray itself would try for minutes."""
    try:
        socket.create_connection((host, port), PATIENCE).close()
    except (OSError, OverflowError, UnicodeError) as error:
        raise ClusterError(
            f"nobody answers at {on} ({error}): is the cluster up, and its port open from here? "
            "`ray start --head` prints its address; a ray:// address has port 10001"
        ) from error


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    text = (
        f"{lines[0]} {lines[-1]}" if lines[0].endswith(":") else lines[0]
    )  # a traceback tells most at its end
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
