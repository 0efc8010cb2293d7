"""A trial's folder: written whole or not at all, checked when it is read; nothing in it is ever executed."""

import hashlib
import io
import json
import math
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any, TypeVar

import polars
from pydantic import AwareDatetime, BaseModel, ValidationError

from mesabench import registry
from mesabench.disk import new_folder, save_files
from mesabench.evaluation.evaluated import Evaluated
from mesabench.evaluation.measures import tables
from mesabench.evaluation.scorecard import SeedScores
from mesabench.policies.policy import Policy
from mesabench.runs import origin
from mesabench.runs.seal import is_whole, sealed
from mesabench.runs.trial import Trial
from mesabench.scores.schema import TAKEN, Schema

MANIFEST, SCORES, CURVE, LEVELS = "manifest.json", "scores.json", "curve.parquet", "levels.parquet"
T = TypeVar("T")
CURVE_COLUMNS = {"step": polars.Int64, "episodes": polars.Int64} | dict.fromkeys(
    ("return_mean", "success", "length_mean"), polars.Float64
)


class StoreError(ValueError):
    """Results that are damaged or not there; the message says what is wrong."""


class Manifest(BaseModel, frozen=True, extra="forbid"):
    """What a trial's folder holds and where it comes from.

    commit, processor: as `mesabench.runs.origin` tells, None and "" where an older version did not note them. files: SHA-256 of
    every other file; seal: `mesabench.runs.seal`. Times are UTC; seconds: all of it; training_seconds: the part before
    evaluation; steps_per_second: of training, None without any.
    """

    spec: Trial
    versions: dict[str, str | None]
    commit: str | None = None
    machine: str
    processor: str = ""
    started: AwareDatetime
    finished: AwareDatetime
    seconds: float
    training_seconds: float
    steps_per_second: float | None
    files: dict[str, str]
    seal: str


@dataclass(frozen=True)
class StoredTrial(Evaluated):
    """A finished trial as it was read back, whole.

    tables, records: of its evaluation, by name, each read when it is asked for. A table of a measure that did not exist when the
    trial was stored is empty.
    """

    folder: Path
    manifest: Manifest
    scores: SeedScores
    tables: Mapping[str, polars.DataFrame]
    records: Mapping[str, Any]

    @property
    def trial(self) -> Trial:
        return self.manifest.spec

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def seed(self) -> int:
        return self.trial.seed

    @property
    def versions(self) -> Mapping[str, str | None]:
        return self.manifest.versions

    @property
    def files(self) -> Mapping[str, str]:
        """What came of it, without when and where: the SHA-256 of each file, the same however often it is run."""
        return self.manifest.files

    @cached_property
    def curve(self) -> polars.DataFrame:
        """Training: step, episodes, return_mean (of the paid objective), success, length_mean."""
        return _table(self.folder / CURVE)

    def policy(self) -> Policy:
        """The trained policy. Raises PolicyError, LookupError."""
        agent = registry.known_agent(self.trial.agent, self.trial.code.get("agent", ""))
        policy: Policy = agent.load(self.folder)
        return policy


class _Kept(Mapping[str, T]):
    """What files hold, by their names without the suffix, each read when it is asked for; and what there is beside them."""

    def __init__(self, files: Iterable[Path], read: Callable[[Path], T], others: Mapping[str, T]) -> None:
        self.files = {one.stem: one for one in files if one.stem not in TAKEN}
        self.read, self.there = read, dict(others)

    def __getitem__(self, name: str) -> T:
        if name in self.files:
            self.there[name] = self.read(self.files.pop(name))
        return self.there[name]

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys((*self.there, *self.files)))

    def __len__(self) -> int:
        return len({*self.there, *self.files})


def write_trial(
    folder: Path,
    trial: Trial,
    *,
    policy: Policy,
    curve: Sequence[Mapping[str, float]],
    found: Evaluated,
    scores: SeedScores,
    started: datetime,
    training_seconds: float,
    seconds: float,
) -> None:
    """Store a finished trial, in place of what may be there. Raises OSError, ValueError; then nothing new is there."""
    with new_folder(folder) as beside:
        policy.save(beside)
        files = {CURVE: parquet(_curve_table(curve)), SCORES: strict_json(scores.to_json())}
        files |= {f"{name}.parquet": parquet(table) for name, table in found.tables.items()}
        files |= {f"{name}.json": strict_json(one, indent=None) for name, one in found.records.items()}
        if twice := [name for name in files if (beside / name).exists()]:
            raise ValueError(
                f"the policy wrote {', '.join(twice)}, which the results use themselves; choose another name"
            )
        save_files(beside, files)
        manifest = {
            "spec": trial.model_dump(mode="json"),
            "versions": origin.versions(),
            "commit": origin.commit(),
            "machine": origin.machine(),
            "processor": origin.processor(),
            "started": started.isoformat(timespec="seconds"),
            "finished": datetime.now(UTC).isoformat(timespec="seconds"),
            "seconds": round(seconds, 3),
            "training_seconds": round(training_seconds, 3),
            "steps_per_second": round(trial.steps / training_seconds, 1) if trial.steps else None,
            "files": {file.name: _sha256(file) for file in sorted(beside.iterdir())},
        }
        save_files(beside, {MANIFEST: strict_json(sealed(manifest))})


def load_trial(folder: Path) -> StoredTrial:
    """Read a trial and check that every file is as it was written. Raises StoreError, which says what is not."""
    folder = Path(os.path.abspath(folder))  # "." has no name
    try:
        data = json.loads((folder / MANIFEST).read_bytes())
        manifest = Manifest.model_validate(data)
        if not is_whole(data):
            raise StoreError(f"{MANIFEST} was changed after it was written")
        if manifest.spec.name != folder.name:
            raise StoreError(f"{MANIFEST} describes another trial, {manifest.spec.name}")
        for name in (SCORES, CURVE, LEVELS):
            if name not in manifest.files:
                raise StoreError(
                    f"{MANIFEST} does not list {name}: written by an older version, to be run again"
                )
        for name, expected in manifest.files.items():
            if Path(name).name != name or _sha256(folder / name) != expected:
                raise StoreError(f"{name} was changed after it was written, or cut off")
        scores = SeedScores.from_json(json.loads((folder / SCORES).read_bytes()))
        kept = [folder / name for name in manifest.files]
        empty = {name: _empty(one) for name, one in tables().items()}
        found = _Kept((one for one in kept if one.suffix == ".parquet"), _table, empty)
        records = _Kept((one for one in kept if one.suffix == ".json"), _plain, {})
        return StoredTrial(folder, manifest, scores, found, records)
    except FileNotFoundError as error:
        raise StoreError(f"{Path(str(error.filename)).name} is missing") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise StoreError(f"{MANIFEST}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except StoreError:
        raise
    except (OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise StoreError(f"cannot be read: {error or type(error).__name__}") from error


@cache
def _empty(schema: Schema) -> polars.DataFrame:
    """A table of a trial without rows; the same one for all, since a run holds thousands of trials."""
    return schema.frame()


def _curve_table(rows: Sequence[Mapping[str, float]]) -> polars.DataFrame:
    """What agents told about their training; columns of their own are kept."""
    extra = dict.fromkeys((name for row in rows for name in row if name not in CURVE_COLUMNS), polars.Float64)
    columns = CURVE_COLUMNS | extra
    return polars.DataFrame(
        [{name: row.get(name) for name in columns} for row in rows], schema=columns, strict=False
    )


def _table(file: Path) -> polars.DataFrame:
    return polars.read_parquet(file, glob=False)


def _plain(file: Path) -> Any:
    return json.loads(file.read_bytes())


def parquet(table: polars.DataFrame) -> bytes:
    """A table as a file's content."""
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    return buffer.getvalue()


def strict_json(value: Any, indent: int | None = 2) -> bytes:
    """Strict JSON, in which NaN is null."""
    return (json.dumps(_without_nan(value), indent=indent, allow_nan=False) + "\n").encode()


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
