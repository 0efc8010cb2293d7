"""Where the time of a trial goes, part by part: `mesabench bench cheese_corner --evaluation`."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from typing import Any
from unittest import mock

from mesabench import registry, solver
from mesabench.cli.adapter import STEPS
from mesabench.evaluation import evaluation
from mesabench.policies.agent import Task
from mesabench.policies.behaviour import Behaviour
from mesabench.scores.examination import Examination
from mesabench.scores.measure import Measure, Measures
from mesabench.tables import Table

LEVELS = 100
"""Levels of each split that are evaluated."""
TRAINING, REST = "training", "the rest of the evaluation"
PARTS: tuple[tuple[Any, str, str], ...] = (
    (solver, "explore", "levels made into graphs of states"),
    (evaluation, "reference_of", "floors, ceilings and optima"),
    (evaluation, "bounded_of", "floors and ceilings by bounds"),
    (Behaviour, "table", "the policy asked for its probabilities"),
    (solver, "evaluate", "exact returns and first goals"),
    (evaluation, "sample_level", "levels played"),
    (Examination, "columns", "the examination of deploy levels"),
)
"""What is timed: where a function is looked up, its name there, and what it does, in words."""


@dataclass(frozen=True)
class TrialTime:
    """One trial's processor time, in seconds, by its parts in the order in which they first came.

    Each moment counts once, for the innermost part that was under way. A part with a name like `scores.goals` is a measure, with
    whatever it plays and solves itself.
    """

    agent: str
    environment_name: str
    steps: int
    levels: int
    parts: Mapping[str, float]

    def table(self) -> Table:
        """The parts beside the training, the longest first."""
        training = self.parts[TRAINING]
        rest = sum(self.parts.values()) - training
        rows = [
            (name, f"{seconds:.2f}", f"{seconds / training:.0%}" if training > 0 else "-")
            for name, seconds in sorted(self.parts.items(), key=lambda one: (one[0] != TRAINING, -one[1]))
        ]
        title = (
            f"A trial of {self.agent} in {self.environment_name}, {self.steps} steps and {self.levels} levels of each split: "
            f"{training:.1f} s of training, {rest:.1f} s of evaluation"
        )
        return Table(title, ("part", "seconds of processor time", "of training"), rows)


class _Clock:
    """Processor time of this thread, given to the innermost part that is under way."""

    def __init__(self) -> None:
        self.parts: dict[str, float] = {}
        self.under_way: list[str] = []
        self.last = 0.0

    @contextmanager
    def within(self, name: str) -> Iterator[None]:
        self._turn()
        self.under_way.append(name)
        self.parts.setdefault(name, 0.0)
        try:
            yield
        finally:
            self._turn()
            self.under_way.pop()

    def timed(self, function: Callable[..., Any], name: str) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            with self.within(name):
                return function(*arguments, **options)

        return call

    def _turn(self) -> None:
        now = time.thread_time()
        if self.under_way:
            self.parts[self.under_way[-1]] += now - self.last
        self.last = now


def measure(
    agent: str,
    environment: str,
    options: Mapping[str, Any] | None = None,
    *,
    steps: int = STEPS,
    levels: int = LEVELS,
) -> TrialTime:
    """Train an agent with its default settings, evaluate what it learned, and see where the time goes; see `TrialTime`.

    What is compiled for it is compiled before. Raises LookupError for an unknown agent or environment.
    """
    found = registry.find_agent(agent)
    settings = found.parse_settings({})
    task = Task(environment, options or {}, steps if found.learns else 0)

    def trial(clock: _Clock, task: Task, levels: int) -> None:
        with clock.within(TRAINING):
            policy = found.train(task, settings, 0, lambda steps, columns: None)
        with clock.within(REST):
            evaluation.evaluate(policy, environment, options, levels=levels)

    trial(_Clock(), replace(task, steps=task.steps // 8), 1)
    clock = _Clock()
    with ExitStack() as stack:
        for home, name, words in PARTS:
            stack.enter_context(mock.patch.object(home, name, clock.timed(getattr(home, name), words)))
        asked = evaluation.asked

        def timed(measures: Measures) -> dict[str, Measure]:
            return {
                name: replace(one, find=clock.timed(one.find, name)) for name, one in asked(measures).items()
            }

        stack.enter_context(mock.patch.object(evaluation, "asked", timed))
        trial(clock, task, levels)
    return TrialTime(agent, task.distribution.environment.name, task.steps, levels, clock.parts)
