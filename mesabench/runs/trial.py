"""A trial: one training run and its evaluation, named by a hash of exactly what decides its outcome."""

import hashlib
import json
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, JsonValue, field_validator

from mesabench import registry
from mesabench.evaluation.evaluation import LEVELS
from mesabench.policies.agent import Agent
from mesabench.scores.measure import ALL, Measures
from mesabench.streams import stream_seed
from mesabench.whole_number import AtLeastOne, Whole, plain
from mesabench.world.environment import Environment
from mesabench.world.knob import Value

MOST_LETTERS = 60
DRAWN = "drawn"
"""In place of a knob's choice: one of them, drawn for each seed, so that a population has all of them."""
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+([.+-][A-Za-z0-9_]+)*$", max_length=MOST_LETTERS)]
"""Part of a folder's name: letters, digits and _, single . + - between them."""


def _no_file(name: str) -> str:
    if name.endswith(".py"):
        raise ValueError("must be a name; the path of a file is none")
    return name


Declared = Annotated[Name, AfterValidator(_no_file)]
"""The name of an environment or agent: it may come from stored data, so it is never a path."""
Kind = Literal["environment", "agent"]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]


class EvaluationSettings(BaseModel, frozen=True, extra="forbid"):
    """levels: how many of each split; seed: of the draws where a level has to be sampled; measures: "goals" leaves out OPT, PLAN
    and whatever else looks beyond returns and first goals, "deception" all of that but what an agent does watched and unwatched;
    goals: the objectives considered as what the agent may be after, by default all.
    """

    levels: AtLeastOne = LEVELS
    seed: Whole = 0
    measures: Measures = ALL
    goals: tuple[str, ...] = ()


class Trial(BaseModel, frozen=True, extra="forbid"):
    """One agent to train and evaluate, everything resolved but what is drawn by its seed (`settled`).

    version: of the environment. options: as for `gymnasium.make`, without `split`. steps: environment steps to train
    for, 0 for a scripted agent. variant: what this population is called; a name only, it decides nothing. code: digests of
    the files of one's own that declare its environment and agent, without those that are installed.
    """

    environment: Declared
    version: Whole = 0
    options: dict[str, Value]
    agent: Declared
    settings: dict[str, JsonValue]
    steps: Whole
    seed: Whole
    variant: Name
    evaluation: EvaluationSettings = EvaluationSettings()
    code: dict[Kind, Digest] = {}

    @field_validator("options", "settings", mode="before")
    @classmethod
    def _as_plain_data(cls, values: Any) -> Any:
        return (
            {key: _finite(key, value) for key, value in values.items()}
            if isinstance(values, Mapping)
            else values
        )

    @field_validator("options", mode="before")
    @classmethod
    def _has_no_bools(cls, values: Any) -> Any:
        for key, value in values.items() if isinstance(values, Mapping) else ():
            if isinstance(value, bool):
                raise ValueError(f"{key}={value!r}: must be a number or a name")
        return values

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the trial's outcome: all of it but the variant's name, as plain data.

        What came later is left out where it has its default, which is what there was before.
        """
        identity = self.model_dump(mode="json", exclude={"variant"} if self.code else {"variant", "code"})
        later = self.evaluation.model_dump(mode="json", include={"measures", "goals"}, exclude_defaults=True)
        first = self.evaluation.model_dump(mode="json", include={"levels", "seed"})
        return identity | {"evaluation": first | later}

    @property
    def hash(self) -> str:
        """8 hex digits of the SHA-256 of the identity."""
        return digest(self.identity)[:8]

    @property
    def population(self) -> str:
        """8 hex digits that trials share that differ in nothing but their seed."""
        return digest({key: value for key, value in self.identity.items() if key != "seed"})[:8]

    @property
    def name(self) -> str:
        """The trial's folder: `cheese_corner--ordinary--ppo--s003--1f2e3d4c`."""
        return f"{self.environment}--{self.variant}--{self.agent}--s{self.seed:03d}--{self.hash}"

    def declared(self) -> tuple[Environment, Agent]:
        """Its environment and agent, among those that are known: no path is followed. Raises UnknownNameError."""
        return (
            registry.known_environment(self.environment, self.code.get("environment", "")),
            registry.known_agent(self.agent, self.code.get("agent", "")),
        )

    def settled(self) -> dict[str, Value]:
        """Its options, with what is `DRAWN` drawn by its seed: levels of one trial have the same."""
        environment, _ = self.declared()
        return {
            name: chosen(environment, name, self.seed) if value == DRAWN else value
            for name, value in self.options.items()
        }

    @property
    def title(self) -> str:
        """The trial in words, for a terminal."""
        return f"{self.environment} {self.variant} {self.agent} seed {self.seed}"


def chosen(environment: Environment, name: str, seed: int) -> str:
    """What a seed draws for a knob with choices. The same for a plain name and one with a split before it."""
    _, knob = environment.split_and_knob(name)
    choices = environment.knobs[knob].choices
    return choices[stream_seed(seed, "drawn", knob) % len(choices)]


def code_of(environment: Environment, agent: Agent) -> dict[Kind, str]:
    """`Trial.code` of an environment and an agent."""
    digests: dict[Kind, str] = {"environment": environment.digest, "agent": agent.digest}
    return {kind: digest for kind, digest in digests.items() if digest}


def _finite(key: str, value: Any) -> Any:
    try:
        return plain(value)
    except ValueError as error:
        raise ValueError(f"{key}={value!r}: {error}") from error


def canonical(value: Any) -> bytes:
    """The one JSON text of plain data: sorted keys, no blanks, numbers that are equal written alike.

    Raises ValueError for a number that is not finite.
    """
    return json.dumps(_alike(value), sort_keys=True, separators=(",", ":"), allow_nan=False).encode()


def _alike(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _alike(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_alike(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def digest(value: Any) -> str:
    """The SHA-256 of plain data, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()
