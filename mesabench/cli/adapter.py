"""What the way between environments and a library that learns costs: `mesabench bench --agent ppo`."""

import importlib
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from mesabench import registry
from mesabench.engine.batch import Batch
from mesabench.policies.agent import Task
from mesabench.suggestion import unknown

STEPS = 65_536
"""Steps of the training that is measured; an eighth of them come before, for what is compiled and loaded."""


@dataclass(frozen=True)
class Training:
    """One training and where its processor time went.

    seconds: of processor time in the thread that trains, which other programs do not change. adapter, environment: shares of
    them, 0 .. 1: in the adapter, with the environments' own steps, resets and observations, and in these alone.
    """

    agent: str
    environment_name: str
    steps: int
    seconds: float
    adapter: float
    environment: float

    def __str__(self) -> str:
        return (
            f"adapter of {self.agent}: {self.adapter:.1%} of its training time in {self.environment_name}"
            f" (environment's own share {self.environment:.1%}; {self.steps / self.seconds / 1e3:.3g} k steps/s)"
        )


def measure(agent: str, environment: str, options: Mapping[str, Any] | None = None) -> Training:
    """Train an agent with its default settings and see how much of the time its adapter takes; see `Training`.

    Raises UnknownNameError, and ValueError for an agent that declares no adapter.
    """
    found = registry.find_agent(agent)
    if not found.adapter:
        with_one = [name for name in registry.agents() if registry.find_agent(name).adapter]
        raise ValueError(unknown("agent with an adapter", agent, with_one))
    settings = found.parse_settings({})
    found.train(Task(environment, options or {}, STEPS // 8), settings, 0, lambda steps, columns: None)
    module, name = found.adapter.split(":")
    adapter = getattr(importlib.import_module(module), name)
    with ExitStack() as stack:
        within = stack.enter_context(_timed(adapter, "reset", "step_wait"))
        own = stack.enter_context(_timed(Batch, "reset", "step", "renew"))
        begin = time.thread_time()
        found.train(Task(environment, options or {}, STEPS), settings, 1, lambda steps, columns: None)
        seconds = time.thread_time() - begin
    return Training(agent, environment, STEPS, seconds, sum(within) / seconds, sum(own) / seconds)


@contextmanager
def _timed(cls: type[Any], *methods: str) -> Iterator[list[float]]:
    """The seconds of processor time that each call of these methods takes meanwhile."""
    seconds: list[float] = []

    def timed(method: Any) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            begin = time.thread_time()
            try:
                return method(*args, **options)
            finally:
                seconds.append(time.thread_time() - begin)

        return call

    with mock.patch.multiple(cls, **{name: timed(getattr(cls, name)) for name in methods}):
        yield seconds
