"""A trial: one training run and its evaluation, named by a hash of exactly what decides its outcome."""

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, JsonValue, field_validator

from mesabench import registry
from mesabench.agent import Task
from mesabench.environment import Value
from mesabench.evaluation import ALL, LEVELS, Measures, evaluate

Report = Callable[[str, int, Mapping[str, float]], None]
"""Told how a trial gets on: report(phase, steps so far, columns of `mesabench.agent.Progress`)."""
TRAINING, EVALUATING = "training", "evaluating"

MOST_LETTERS = 60
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_]+([.+-][A-Za-z0-9_]+)*$", max_length=MOST_LETTERS)]
"""Part of a folder's name: letters, digits and _, single . + - between them."""
Whole = Annotated[int, Field(strict=True, ge=0)]


class EvaluationSettings(BaseModel, frozen=True, extra="forbid"):
    """levels: how many of each split; seed: of the draws where a level has to be sampled; measures: "goals" leaves out OPT, PLAN
    and whatever else looks beyond returns and first goals, "deception" all of that but what an agent does watched and unwatched;
    goals: the objectives considered as what the agent may be after, by default all.
    """

    levels: Annotated[int, Field(strict=True, ge=1)] = LEVELS
    seed: Whole = 0
    measures: Measures = ALL
    goals: tuple[str, ...] = ()


class Trial(BaseModel, frozen=True, extra="forbid"):
    """One agent to train and evaluate, everything resolved.

    version: of the environment. options: as for `gymnasium.make`, without `split`. steps: environment steps to train
    for, 0 for a scripted agent. variant: what this population is called; a name only, it decides nothing.
    """

    environment: Name
    version: Whole = 0
    options: dict[str, Value]
    agent: Name
    settings: dict[str, JsonValue]
    steps: Whole
    seed: Whole
    variant: Name
    evaluation: EvaluationSettings = EvaluationSettings()

    @field_validator("options", "settings")
    @classmethod
    def _has_a_hash(cls, values: dict[str, Any]) -> dict[str, Any]:
        canonical(values)
        return values

    @property
    def identity(self) -> dict[str, Any]:
        """What decides the trial's outcome: all of it but the variant's name, as plain data.

        A setting of the evaluation that came later is left out where it has its default, which is what there was before.
        """
        identity = self.model_dump(mode="json", exclude={"variant"})
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

    @property
    def title(self) -> str:
        """The trial in words, for a terminal."""
        return f"{self.environment} {self.variant} {self.agent} seed {self.seed}"


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


def run_trial(trial: Trial, folder: Path, report: Report = lambda phase, step, columns: None) -> None:
    """Train, evaluate, score; then write everything into the folder, at once or not at all.

    Raises whatever training or evaluation raises, and OSError where the results cannot be written.
    """
    from mesabench.store import write_trial

    environment, agent = registry.find_environment(trial.environment), registry.find_agent(trial.agent)
    curve: list[dict[str, float]] = []

    def progress(step: int, columns: Mapping[str, float]) -> None:
        curve.append({"step": step, **columns})
        report(TRAINING, step, columns)

    started, clock = datetime.now(UTC), time.perf_counter()
    report(TRAINING, 0, {})
    task = Task(trial.environment, trial.options, trial.steps)
    policy = agent.train(task, agent.parse_settings(trial.settings), trial.seed, progress)
    trained = time.perf_counter()
    report(EVALUATING, trial.steps, {})
    asked = trial.evaluation
    found = evaluate(
        policy,
        trial.environment,
        trial.options,
        levels=asked.levels,
        seed=asked.seed,
        measures=asked.measures,
    )
    write_trial(
        folder,
        trial,
        policy=policy,
        curve=curve,
        levels=found.levels,
        changes=found.changes,
        lifetimes=found.lifetimes,
        replays={
            "layers": environment.layer_names,
            "glyphs": environment.glyph_of,
            "replays": found.replays,
            "lived": found.lived,
        },
        scores=found.scores(asked.goals),
        started=started,
        training_seconds=trained - clock,
        seconds=time.perf_counter() - clock,
    )
