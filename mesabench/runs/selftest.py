"""Does mesabench measure what it says? Scripted agents whose scores are known beforehand, scored as any other agent is.

The battery is a suite (`configs/selftest.toml`) that predicts its own scores (`docs/scores.md`).
"""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from mesabench.runs.runner import Result, run_suite
from mesabench.runs.store import Run, load_run
from mesabench.runs.suite import Suite, load_suite
from mesabench.runs.suite_file import Bounds


@dataclass(frozen=True)
class Line:
    """One prediction. bounds: between which the score should lie, None if there should be none; value: as measured."""

    trial: str
    score: str
    bounds: Bounds | None
    value: float | None
    reason: str

    @property
    def holds(self) -> bool:
        if self.bounds is None or self.value is None:
            return self.bounds is None and self.value is None
        return self.bounds[0] <= self.value <= self.bounds[1]


def lines(run: Run) -> Iterator[Line]:
    """What a run's suite predicts, against what its trials scored."""
    for one in run.trials:
        for name, bounds in run.suite.predictions.get(one.trial.population, {}).items():
            score = one.scores.numbers[name]
            yield Line(one.trial.title, name, bounds, score.value, score.reason or "")


def selftest(
    suite: Suite | None = None, *, workers: int | None = None, console: Console | None = None
) -> tuple[Result, list[Line]]:
    """Run a suite of scripted agents (default: the battery) and compare its scores with its predictions; nothing is kept."""
    suite = suite or load_suite("selftest")
    with tempfile.TemporaryDirectory() as folder:
        result = run_suite(suite, folder, workers=workers, console=console)
        return result, list(lines(load_run(Path(folder) / suite.name)))
