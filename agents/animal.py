"""Animal: evolution of learners. A genome says what feels good and how one learns; an animal learns from it within its life.

A generation is a population of animals; each lives a few lives in the training world, and its fitness is what is paid there:
in `sweet_tooth`, children. With `shift` the world changes after some generations, and evolution goes on. What is left after
training is the mean genome of the last generation. Whoever has it is born knowing nothing and becomes an optimiser of its own
drives (`mesabench.evolution.drives`, `mesabench.evolution.learner`).
"""

import json
import zlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, model_validator

from mesabench.disk import save_files
from mesabench.evolution.drives import Minds, Nature
from mesabench.evolution.heredity import Truncation
from mesabench.evolution.learner import Body, Lifetimes, Memory, act
from mesabench.evolution.lineage import evolve
from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.loading import POLICY_FILE, read_saved
from mesabench.policies.policy import PolicyError
from mesabench.streams import stream_seed

Count = Annotated[int, Field(ge=1, le=100_000)]


class Settings(BaseModel):
    """Settings of the evolution of animals, tried on sweet_tooth."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    reward: Literal["drives", "fitness"] = Field(
        "drives", description="what an animal learns from: inherited drives, or its children themselves"
    )
    learning: bool = Field(True, description="whether it learns within its life, or acts by reflexes")
    innate: bool = Field(
        False, description="whether there are genes for how much each look attracts from birth on"
    )
    feeling: float = Field(0.3, ge=0, le=1, description="chance that fullness, or a child, is felt")
    hungry: int = Field(2, ge=0, le=255, description="energy below which an animal is hungry")
    population: int = Field(100, ge=2, le=100_000, description="animals in a generation")
    lives: Count = Field(4, description="lives of each of them")
    parents: float = Field(
        0.25, gt=0, le=1, description="share of the animals that become parents, the fittest"
    )
    mutation: float = Field(
        0.08, ge=0, le=2, description="standard deviation of mutations, of genes from -1 to 1"
    )
    # unsaid where the world stays as it is: trials without a shift keep their names, and what is stored of them counts
    shift: int = Field(
        0,
        ge=0,
        le=100_000,
        exclude_if=lambda shift: not shift,
        description="generation from which on the world is another, 0 for never",
    )
    shift_alpha: float = Field(
        1, ge=0, le=1, exclude_if=lambda alpha: alpha == 1, description="share of shifted lives from then on"
    )

    @model_validator(mode="after")
    def _fits(self) -> "Settings":
        if int(self.parents * self.population) < 2:
            raise ValueError(
                f"parents={self.parents:g} of population={self.population} are fewer than two parents: raise one of them"
            )
        if self.shift_alpha != 1 and not self.shift:
            raise ValueError(
                f"shift_alpha={self.shift_alpha:g} without shift: the world would never change; say shift=... too, or alpha "
                "for a share of shifted lives from the first generation on"
            )
        if not self.learning and not self.innate:
            raise ValueError(
                "learning=false without innate=true: nobody could prefer anything; reflexes need innate=true"
            )
        return self


@dataclass(frozen=True)
class Animal:
    """The policy: a genome. Its state is what it has learned so far in this life, a `Memory`; None at birth.

    genome: its genes, each from -1 to 1, as `nature.genes` names them. Raises ValueError for another genome.
    """

    genome: tuple[float, ...]
    nature: Nature
    body: Body
    recurrent: ClassVar[bool] = True
    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    def __post_init__(self) -> None:
        _ = self._minds  # which refuses a genome that is none
        if len(self.body.looks) != self.nature.looks:
            raise ValueError(
                f"looks={self.nature.looks}: its body tells {len(self.body.looks)} looks apart; the two must be the same number"
            )

    @cached_property
    def _minds(self) -> Minds:
        return self.nature.develop(np.array([self.genome]))

    @property
    def drives(self) -> dict[str, float]:
        """What it is after, by event: what one of them is worth to it. Empty for reflexes."""
        return dict(self.nature.drives(np.array(self.genome)))

    def __call__(self, observations: np.ndarray, state: Memory | None = None, /) -> tuple[np.ndarray, Memory]:
        """Actions, int64 (n,), and what it has learned; chance is each life's own, told by what it sees at birth."""
        if observations.shape[1] != self.body.planes:
            raise ValueError(
                f"this animal evolved where there are {self.body.planes} planes to see; got {observations.shape[1]}: let it live "
                "in the environment that it was trained in"
            )
        if state is None:
            births = (
                stream_seed(row, "life", str(zlib.crc32(seen.tobytes())))
                for row, seen in enumerate(observations)
            )
            state = Memory.at_birth(self._minds, np.fromiter(births, np.uint64, len(observations)))
        else:
            state = state.copy()
        return act(self.body, self._minds, observations, state, np.ones(len(observations), bool)), state

    def forgets(self, state: Memory) -> Memory:
        """The state of one who went through the same and learned nothing."""
        return state.forgotten(self._minds)

    def save(self, folder: Path) -> None:
        """Write policy.json, the genome as numbers."""
        saved = TypeAdapter(Animal).dump_python(self)
        save_files(folder, {POLICY_FILE: json.dumps({"agent": "animal"} | saved, indent=1).encode()})


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> Animal:
    distribution = task.distribution
    body = Body.of(distribution)
    generation = settings.population * settings.lives * distribution.own_knobs.max_steps
    if settings.shift * generation >= task.steps > 0 < settings.shift:
        raise ValueError(
            f"shift={settings.shift}: the world would never change, as {task.steps:,} steps are "
            f"{-(-task.steps // generation)} generations of {generation:,}; take more steps, or an earlier shift"
        )
    nature = Nature(
        settings.reward,
        settings.learning,
        settings.innate,
        settings.feeling,
        settings.hungry,
        len(body.looks),
    )
    lifetimes = Lifetimes(
        distribution, task.paid, nature,
        population=settings.population, lives=settings.lives, seed=stream_seed(seed, "environments"),
        shift=settings.shift, shift_alpha=settings.shift_alpha,
    )  # fmt: skip
    search = Truncation(
        len(nature.genes),
        settings.population,
        settings.parents,
        settings.mutation,
        stream_seed(seed, "weights"),
    )
    genome = evolve(search, lifetimes, task.steps, progress, task.kept)
    return Animal(tuple(genome.tolist()), nature, body)


def load(folder: Path) -> Animal:
    """Read what `save` wrote. Raises PolicyError: what is allowed."""
    saved: dict[str, Any] = {name: value for name, value in read_saved(folder).items() if name != "agent"}
    try:
        return TypeAdapter(Animal).validate_python(saved)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise PolicyError(
            f"{folder / POLICY_FILE} is damaged: {where + ': ' if where else ''}{first['msg']}"
        ) from error


agent = Agent(settings=Settings, train=train, load=load, pace=100)
