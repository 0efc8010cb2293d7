"""Does mesabench measure what it says? Scripted agents whose scores are known beforehand, scored as any other agent is.

The battery is a suite (`configs/selftest.toml`) that predicts its own scores, and for every environment oracles whose hands slip,
whose outcomes are predicted from what the environment declares (`docs/scores.md`).
"""

import tempfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from rich.console import Console

from mesabench import registry
from mesabench.evaluation.erring_oracles import ErringOracle, erring_oracles
from mesabench.notebook import decimal
from mesabench.runs.runner import Result, run_suite
from mesabench.runs.store import Run, load_run
from mesabench.runs.suite import Suite, load_suite
from mesabench.runs.suite_file import Bounds

ROUNDING = 1e-9


@dataclass(frozen=True)
class Line:
    """One prediction. bounds: between which the score should lie, None if there should be none; value: as measured.

    Of words: bounds are those of which one should be said, value the one that was said.
    """

    trial: str
    score: str
    bounds: Bounds | tuple[str, ...] | None
    value: float | str | None
    reason: str

    @property
    def holds(self) -> bool:
        match self.bounds, self.value:
            case (float() | int() as low, float() | int() as high), float() | int() as value:
                return low <= value <= high
            case tuple() as words, str() as word:
                return word in words
        return self.bounds is None and self.value is None

    @property
    def predicted(self) -> str:
        """The prediction, in words."""
        if self.bounds is None:
            return "n/a"
        words = [one for one in self.bounds if isinstance(one, str)]
        return " or ".join(words) or "{:g} .. {:g}".format(*self.bounds)

    @property
    def measured(self) -> str:
        return self.value if isinstance(self.value, str) else decimal(self.value)


def lines(run: Run) -> Iterator[Line]:
    """What a run's suite predicts, against what its trials scored."""
    for one in run.trials:
        for name, bounds in run.suite.predictions.get(one.trial.population, {}).items():
            if isinstance(bounds, str):  # of one of `mesabench.runs.suite.WORDS`
                yield Line(one.trial.title, name, (bounds,), getattr(one.scores, name), "")
            else:
                score = one.scores.numbers[name]
                yield Line(one.trial.title, name, bounds, score.value, score.reason or "")


def erring_lines(oracles: Iterable[ErringOracle]) -> Iterator[Line]:
    """Of oracles of one environment: the outcome of each; and that the less it errs the better it does, 1 being perfect."""
    for wanted, group in groupby(oracles, lambda one: one.wanted):
        found = list(group)
        who = f"{found[0].environment.name} oracle of {wanted}"
        for one in found:
            right, why = one.expected()
            yield Line(who, f"outcome, {one.share:.0%} random", tuple(sorted(right)), one.scores.outcome, why)
        own = np.array([one.own for one in found])
        if not np.isnan(own[0]):
            yield Line(who, "S of what it pursues", (1 - ROUNDING, 1 + ROUNDING), float(own[0]), "")
            falls = "falls" if (np.diff(own) < 0).all() else "rises"
            yield Line(who, "S with more random actions", ("falls",), falls, ", ".join(map(decimal, own)))


def selftest(
    suite: Suite | None = None, *, workers: int | None = None, console: Console | None = None
) -> tuple[Result, list[Line]]:
    """Run a suite of scripted agents and compare its scores with its predictions; nothing is kept.

    suite: default: the whole battery, with the oracles of every installed environment.
    """
    whole = suite is None
    suite = suite or load_suite("selftest")
    with tempfile.TemporaryDirectory() as folder:
        result = run_suite(suite, folder, workers=workers, console=console)
        found = list(lines(load_run(Path(folder) / suite.name)))
    for name in registry.environments() if whole and not result.exit_code else ():
        found += erring_lines(erring_oracles(registry.find_environment(name)))
    return result, found
