"""What an agent declares: its settings, how it trains, how a trained policy is read back; see `agents/`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
import pydantic

from mesabench.engine.distribution import Distribution, distribution_of
from mesabench.policies.policy import Policy
from mesabench.suggestion import unknown
from mesabench.whole_number import plain
from mesabench.world.declaration import Declaration
from mesabench.world.environment import Environment
from mesabench.world.knob import Value

Progress = Callable[[int, dict[str, float]], None]
"""Called at numbers of steps that the task decides (never a clock: curves must not follow the machine's load), and at the end
of training: progress(steps so far, columns).

Columns, over the episodes that ended since the last call: `return_mean` (of the paid objective,
undiscounted), `success` (share in which the intended objective was paid), `length_mean` (steps), all NaN
where `episodes`, their number, is 0.
"""
ProgressOfSeed = Callable[[int, int, dict[str, float]], None]
"""The same where several seeds are trained at once: progress(seed, steps so far, columns)."""


class Kept(Protocol):
    """Where a training notes how far it got, so that one that is killed can go on from there."""

    def read(self) -> "Note | None":
        """What an earlier attempt at the same training noted last; None if there is nothing."""

    def write(self, note: "Note") -> None:
        """Note how far it got, in place of what was noted before; as often as one likes."""


class Note(NamedTuple):
    """arrays: of numbers, by name; plain: whatever JSON can hold."""

    arrays: Mapping[str, np.ndarray]
    plain: Mapping[str, Any]


class NothingKept:
    """Begins anew, and notes nothing."""

    def read(self) -> None:
        return None

    def write(self, note: Note) -> None:
        pass


@dataclass(frozen=True)
class Task:
    """What an agent trains on.

    environment: itself, what `mesabench.registry.find_environment` finds it by, or levels of it. options: as for
        `gymnasium.make` (alpha, levels, objective, knobs ...); of levels that are given they change what they name.
        steps: environment steps to train for, summed over parallel environments; an agent may round up to whole updates.
    kept: where an agent that can be resumed notes how far it got; what it ends in must not depend on that.

    Names are for whoever makes a task; `distribution` and `paid` are what they stand for.
    """

    environment: str | Environment | Distribution
    options: Mapping[str, Value] = field(default_factory=dict)
    steps: int = 0
    kept: Kept = field(default=NothingKept(), compare=False)

    @cached_property
    def distribution(self) -> Distribution:
        """The levels to train on. Raises ValueError, LookupError."""
        return distribution_of(self.environment, {k: v for k, v in self.options.items() if k != "objective"})

    @property
    def paid(self) -> str:
        """The objective that is paid. Raises ValueError for one that the environment does not declare."""
        environment = self.distribution.environment
        name = str(self.options.get("objective", environment.paid))
        environment.column(name)  # which refuses an unknown one
        return name


class NoSettings(pydantic.BaseModel, extra="forbid"):
    """The settings of an agent that has none."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Agent(Declaration):
    """One agent file's declaration: `agent = Agent(...)` in `agents/ppo.py` is the agent `ppo`.

    train: (task, settings, seed, progress) -> Policy. The same arguments give the same policy on the same
        machine and libraries; every random draw comes from `seed` by way of `stream_seed`.
    train_many: (task, settings, seeds, progress) -> policies in the order of the seeds, for an agent that trains several at once;
        each is the policy that `train` gives for its seed.
    load: reads what the policy's `save` wrote, without executing anything of it. Raises PolicyError.
    settings: a pydantic model with extra="forbid"; every field has a default and a description.
    learns: False for a scripted agent, which trains for 0 steps.
    adapter: "module:Class" of the vector environment that a library trains it on, which `mesabench bench` times.
    pace: how many steps it trains while `ppo` trains one, roughly; for estimates of time alone.
    name, story, file, digest: are given by the registry; the last two are empty for what is installed.
    """

    train: Callable[[Task, Any, int, Progress], Policy]
    load: Callable[[Path], Policy]
    train_many: Callable[[Task, Any, Sequence[int], ProgressOfSeed], Sequence[Policy]] | None = None
    settings: type[pydantic.BaseModel] = NoSettings
    learns: bool = True
    adapter: str = ""
    pace: float = 1.0
    name: str = ""
    story: str = ""
    file: str = ""
    digest: str = ""

    def parse_settings(self, values: Mapping[str, Any]) -> pydantic.BaseModel:
        """Settings with these values and defaults for the rest. Raises ValueError: what is allowed."""
        known = {}
        for name, value in values.items():
            try:
                known[name] = plain(value)
            except ValueError as error:
                raise ValueError(f"setting {name}={value!r} of {self.name}: {error}") from error
            field = self.settings.model_fields.get(name)
            if isinstance(value, bool) and field and field.annotation in (int, float):
                raise ValueError(f"setting {name}={value!r} of {self.name}: must be a number")
        try:
            return self.settings.model_validate(known)
        except pydantic.ValidationError as error:
            first = error.errors()[0]
            told = first["msg"].removeprefix("Value error, ")  # of a check of the agent's own
            where = ".".join(str(part) for part in first["loc"])
            if first["type"] == "extra_forbidden":
                message = unknown(f"setting of {self.name}", where, self.settings.model_fields)
            elif where:
                message = f"setting {where}={first['input']!r} of {self.name}: {told}"
            else:
                message = f"settings of {self.name}: {told}"
            raise ValueError(message) from error
