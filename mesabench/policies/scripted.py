"""Scripted policies: they play a level by its graph, so they know all of it, and exist only where the solver does."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, ClassVar, Self

import numpy as np
from pydantic import BeforeValidator, ConfigDict, TypeAdapter, ValidationError

from mesabench.disk import save_files
from mesabench.policies.loading import POLICY_FILE, read_saved
from mesabench.policies.policy import PolicyError
from mesabench.solver.graph import LevelGraph
from mesabench.suggestion import unknown
from mesabench.world.environment import Environment

Names = Annotated[
    tuple[str, ...], BeforeValidator(lambda given: given.split(",") if isinstance(given, str) else given)
]
"""A setting of several names; on the command line, with commas between them."""


class LevelPolicy(ABC):
    """A frozen dataclass whose fields, all of them plain data, are what is saved and read back.

    agent: the name of the agent that it belongs to, whose `load` is the class's own.
    """

    agent: ClassVar[str]
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    @abstractmethod
    def on_graph(self, graph: LevelGraph, horizon: int) -> np.ndarray:
        """Probabilities of its actions: float (states, actions), or (horizon, states, actions) if they depend on the time."""

    def __call__(self, observations: np.ndarray, /) -> Any:
        raise NotImplementedError(f"{self.agent} plays levels that the solver has explored, not observations")

    def save(self, folder: Path) -> None:
        """Write policy.json into a folder."""
        description = {"agent": self.agent} | asdict(self)  # type: ignore[call-overload]
        save_files(folder, {POLICY_FILE: json.dumps(description).encode()})

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read what `save` wrote; a field that is missing has its default. Raises PolicyError: what is allowed."""
        saved = {name: value for name, value in read_saved(folder).items() if name != "agent"}
        try:
            return TypeAdapter(cls).validate_python(saved)
        except ValidationError as error:
            first = error.errors()[0]
            where = ".".join(map(str, first["loc"]))
            raise PolicyError(f"{folder / POLICY_FILE} is damaged: {where}: {first['msg']}") from error


def named_objectives(environment: Environment, wanted: Sequence[str]) -> tuple[str, ...]:
    """The names, if all of them are objectives of the environment. Raises ValueError."""
    for name in wanted:
        if name not in environment.objectives:
            raise ValueError(unknown(f"objective of {environment.name}", name, environment.objectives))
    return tuple(wanted)
