"""A replicate: one run of a population model under one condition, by one seed. No agent is trained, and nothing is scored.

It is to a population model what a trial is to an agent: a suite names it, a worker runs it, and a folder holds what came of it.
"""

import json
import os
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import polars
from pydantic import BaseModel, ConfigDict

from mesabench.disk import new_folder, save_files
from mesabench.evolution.model import Model, Outcomes, model_of
from mesabench.evolution.models import find_model
from mesabench.registry import known_population
from mesabench.runs import origin
from mesabench.runs.seal import is_whole, sealed
from mesabench.runs.trial import Declared, Digest, Name, digest
from mesabench.runs.trial_folder import StoreError, parquet, strict_json
from mesabench.whole_number import Whole
from mesabench.world.knob import Value

REPLICATE, GENERATIONS = "replicate.json", "generations.parquet"
WORK = 100_000
"""What one counts in training steps, roughly, for the time that is left."""


class Replicate(BaseModel):
    """One run to be made, everything resolved. knobs: changed in every condition; code: digest of a file of one's own."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    population: Declared
    condition: Name
    knobs: dict[str, Value] = {}
    seed: Whole
    code: Digest | None = None

    @property
    def name(self) -> str:
        """Its folder: `irish_elk--choice--s003--1f2e3d4c`."""
        decisive = digest(self.model_dump(mode="json"))[:8]
        return f"{self.population}--{self.condition}--s{self.seed:03d}--{decisive}"

    @property
    def title(self) -> str:
        """In words, for a terminal."""
        return f"{self.population} {self.condition} seed {self.seed}"

    @property
    def environment(self) -> str:
        """What a worker compiles for it."""
        return self.population

    @property
    def steps(self) -> int:
        """Steps of training: none."""
        return 0

    @property
    def model(self) -> Model:
        """Its model, among those that are known: no path is followed. Raises UnknownNameError."""
        if self.code:
            return model_of(known_population(self.population, self.code))
        return find_model(self.population)


def run_replicate(
    one: Replicate, folder: Path, report: Callable[[str, int, Mapping[str, float]], None]
) -> None:
    """Run it and write its folder, at once or not at all. Raises whatever the model raises, and OSError."""
    started, clock = datetime.now(UTC), time.perf_counter()
    report("running", 0, {})
    lived = one.model.replicate(one.condition, one.seed, one.knobs)
    with new_folder(folder) as beside:
        table = parquet(polars.DataFrame(dict(lived.generations)))
        save_files(beside, {GENERATIONS: table})
        measures = {name: None if value != value else value for name, value in lived.measures.items()}
        told = {
            "spec": one.model_dump(mode="json"),
            "measures": measures,
            "remarks": list(lived.remarks),
            "versions": origin.versions(),
            "commit": origin.commit(),
            "machine": origin.machine(),
            "started": started.isoformat(timespec="seconds"),
            "seconds": round(time.perf_counter() - clock, 3),
            "files": {GENERATIONS: digest(table.hex())},
        }
        save_files(beside, {REPLICATE: strict_json(sealed(told))})


@dataclass(frozen=True)
class StoredReplicate:
    """One that is there. measures: by name, NaN where there is no such number; generations: a row for each, empty where a model
    tells of none; versions: as `mesabench.runs.origin` tells; files: digests of what it holds beside `replicate.json`."""

    folder: Path
    trial: Replicate
    measures: Mapping[str, float]
    remarks: tuple[str, ...]
    generations: polars.DataFrame
    seconds: float
    versions: Mapping[str, str | None]
    files: Mapping[str, str]

    @property
    def name(self) -> str:
        return self.trial.name


def load_replicate(folder: Path) -> StoredReplicate:
    """Read one and check that it is as it was written. Raises StoreError, which says what is not."""
    folder = Path(os.path.abspath(folder))
    try:
        data = json.loads((folder / REPLICATE).read_bytes())
        if not is_whole(data):
            raise StoreError(f"{REPLICATE} was changed after it was written")
        one = Replicate.model_validate(data["spec"])
        if one.name != folder.name:
            raise StoreError(f"{REPLICATE} describes another run, {one.name}")
        if digest((folder / GENERATIONS).read_bytes().hex()) != data["files"][GENERATIONS]:
            raise StoreError(f"{GENERATIONS} was changed after it was written, or cut off")
        measures = {
            name: float("nan") if value is None else float(value) for name, value in data["measures"].items()
        }
        table = polars.read_parquet(folder / GENERATIONS, glob=False)
        return StoredReplicate(
            folder, one, measures, tuple(data["remarks"]), table, float(data["seconds"]), dict(data["versions"]),
            dict(data["files"]),
        )  # fmt: skip
    except StoreError:
        raise
    except FileNotFoundError as error:
        raise StoreError(f"{Path(str(error.filename)).name} is missing") from error
    except (OSError, ValueError, TypeError, LookupError, AttributeError, RecursionError) as error:
        raise StoreError(f"cannot be read: {error or type(error).__name__}") from error


def outcomes_of(stored: Iterable[StoredReplicate]) -> list[tuple[Outcomes, dict[str, list[StoredReplicate]]]]:
    """What came out, model by model, and the replicates themselves by condition and seed. Conditions without a full set of seeds
    count with those that they have; measures that a model has no more are left out. Raises UnknownNameError."""
    groups: dict[str, list[StoredReplicate]] = {}
    for one in stored:
        key = digest([one.trial.population, one.trial.code, one.trial.knobs])
        groups.setdefault(key, []).append(one)
    told = []
    for group in groups.values():
        first = group[0].trial
        model = first.model
        kept: dict[str, list[StoredReplicate]] = {}
        for one in sorted(group, key=lambda one: one.trial.seed):
            if one.trial.condition in model.conditions and set(model.measures) <= set(one.measures):
                kept.setdefault(one.trial.condition, []).append(one)
        order = [name for name in model.conditions if name in kept]
        seeds: dict[str, list[Mapping[str, float]]] = {
            name: [one.measures for one in kept[name]] for name in order
        }
        remarks = {
            name: list(dict.fromkeys(said for one in kept[name] for said in one.remarks)) for name in order
        }
        if order:
            told.append((Outcomes(model, first.knobs, seeds, remarks), {name: kept[name] for name in order}))
    return told
