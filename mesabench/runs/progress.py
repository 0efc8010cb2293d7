"""How a run gets on, on a terminal: live lines where it is one, otherwise a line for every trial and one now and then."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import isnan
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn
from rich.text import Text

from mesabench.runs.execution import TRAINING
from mesabench.runs.job import Job, Stored, training_work, work_of
from mesabench.runs.replicate import StoredReplicate

PLAIN_EVERY = 30.0
"""Seconds between two lines about running trials where there is no terminal."""


@dataclass
class _Running:
    trial: Job
    since: float
    line: TaskID
    phase: str = TRAINING
    step: int = 0
    columns: dict[str, float] = field(default_factory=dict)

    def spoken(self, now: float) -> tuple[str, str, str]:
        """Steps per second or else the phase, training return, time left; '' where not known."""
        rate = self.step / (now - self.since) if now > self.since else 0.0
        paid = self.columns.get("return_mean", float("nan"))
        training = self.phase == TRAINING
        return (
            f"{rate:,.0f} steps/s" if training and self.step else self.phase,
            "" if isnan(paid) else f"return {paid:.2f}",
            f"{clock((self.trial.steps - self.step) / rate)} left" if training and rate else "",
        )


class Display:
    """Shows a run; use it in a `with` block.

    name: the suite's; trials: those to be run; done: how many of the suite were there already. now: seconds, for tests.
    """

    def __init__(
        self,
        console: Console,
        name: str,
        trials: tuple[Job, ...],
        done: int,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.console, self.name, self.now = console, name, now
        self.total, self.ended, self.failed = len(trials) + done, done, 0
        self.work, self.work_done = sum(map(work_of, trials)), 0.0
        self.running: dict[str, _Running] = {}
        self.started = self.spoke = now()
        self.bars = Progress(
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            *(TextColumn(f"{{task.fields[{name}]}}", justify="right") for name in ("phase", "paid", "left")),
            console=console,
            transient=True,
            refresh_per_second=5,
            disable=not console.is_terminal,
        )
        self.whole = self.bars.add_task("", total=max(self.work, 1), phase="", paid="", left="")

    def __enter__(self) -> Self:
        self.bars.start()
        self.tick()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.bars.stop()

    def start(self, trial: Job) -> None:
        line = self.bars.add_task(trial.title, total=max(trial.steps, 1), phase="starting", paid="", left="")
        self.running[trial.name] = _Running(trial, self.now(), line)

    def progress(self, trial: Job, phase: str, step: int, columns: Mapping[str, float]) -> None:
        one = self.running[trial.name]
        if phase == TRAINING and step == 0:
            one.since = self.now()
        one.phase, one.step = phase, min(step, trial.steps)
        one.columns.update(columns)
        speed, paid, left = one.spoken(self.now())
        done = one.step if trial.steps else 1
        self.bars.update(one.line, completed=done, phase=speed, paid=paid, left=left)

    def finish(self, stored: Stored) -> None:
        """A trial ended well."""
        if isinstance(stored, StoredReplicate):
            measure, value = next(iter(stored.measures.items()))
            self._end(stored.trial, f"{clock(stored.seconds)}, {measure} {value:.2f}", "")
            return
        manifest = stored.manifest
        speed = f", {manifest.steps_per_second:,.0f} steps/s" if manifest.steps_per_second else ""
        self._end(stored.trial, f"{clock(manifest.seconds)}{speed}, {stored.scores.outcome}", "")

    def fail(self, trial: Job, reason: str) -> None:
        """A trial ended without a result."""
        self.failed += 1
        self._end(trial, f"FAILED: {reason}", "bold red")

    def say(self, text: str, style: str = "") -> None:
        """A line that stays."""
        self.console.print(Text(text, style=style), soft_wrap=True)

    def tick(self) -> None:
        """To be called a few times a second."""
        now = self.now()
        work = self.work_done + sum(training_work(one.trial, one.step) for one in self.running.values())
        left = f"{clock((now - self.started) * (self.work - work) / work)} left" if work else ""
        state = f"{self.ended} of {self.total}" + (f", {self.failed} failed" if self.failed else "")
        self.bars.update(
            self.whole, completed=work, description=f"[bold]{self.name}[/]", phase=state, left=left
        )
        if not self.console.is_terminal and now - self.spoke >= PLAIN_EVERY:
            self.spoke = now
            self.say(", ".join(filter(None, (f"{self.name}: {state} trials", left))))
            for one in self.running.values():
                share = f"{one.step / one.trial.steps:.0%}" if one.trial.steps else ""
                self.say("  " + ", ".join(filter(None, (one.trial.title, share, *one.spoken(now)))))

    def _end(self, trial: Job, text: str, style: str) -> None:
        one = self.running.pop(trial.name)
        self.bars.remove_task(one.line)
        self.work_done += work_of(trial)
        self.ended += 1
        self.say(f"[{self.ended}/{self.total}] {trial.title}: {text}", style)
        self.tick()


def clock(seconds: float) -> str:
    """Seconds as a person says them: 9 s, 2:05 min, 1:30 h."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    minutes, unit = (whole, "min") if whole < 3600 else (whole // 60, "h")
    return f"{minutes // 60}:{minutes % 60:02d} {unit}"
