"""Results on disk: one folder per trial, written whole or not at all, checked when read; nothing in them is ever executed."""

import hashlib
import io
import json
import math
import os
import re
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import polars
from pydantic import AwareDatetime, BaseModel, ValidationError

from mesabench import registry
from mesabench.disk import new_folder, save_files
from mesabench.evaluation.scorecard import SeedScores
from mesabench.policies.policy import Policy
from mesabench.runs import origin
from mesabench.runs.seal import is_whole, sealed
from mesabench.runs.suite import Suite
from mesabench.runs.table import table_of
from mesabench.runs.trial import MOST_LETTERS, Trial
from mesabench.suggestion import unknown

MANIFEST, SCORES, CURVE, LEVELS, CHANGES, LIFETIMES, REPLAYS = (
    "manifest.json", "scores.json", "curve.parquet", "levels.parquet", "changes.parquet", "lifetimes.parquet",
    "replays.json",
)  # fmt: skip
SUITE, TABLE, REPORT = "suite.json", "table.parquet", "report.html"
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
class StoredTrial:
    """A finished trial as it was read back, whole."""

    folder: Path
    manifest: Manifest
    scores: SeedScores

    @property
    def trial(self) -> Trial:
        return self.manifest.spec

    @property
    def name(self) -> str:
        return self.folder.name

    @property
    def seed(self) -> int:
        return self.trial.seed

    @cached_property
    def curve(self) -> polars.DataFrame:
        """Training: step, episodes, return_mean (of the paid objective), success, length_mean."""
        return polars.read_parquet(self.folder / CURVE, glob=False)

    @cached_property
    def levels(self) -> polars.DataFrame:
        """One row per evaluated level; columns: `docs/scores.md`."""
        return polars.read_parquet(self.folder / LEVELS, glob=False)

    @cached_property
    def changes(self) -> polars.DataFrame:
        """One row per level that was changed to see whether the policy plans anew; columns: `docs/scores.md`."""
        return polars.read_parquet(self.folder / CHANGES, glob=False)

    @cached_property
    def lifetimes(self) -> polars.DataFrame:
        """What it did watched and unwatched, contract by contract: `counterfactuals.table_of`. Empty where nobody watches."""
        return polars.read_parquet(self.folder / LIFETIMES, glob=False)

    @property
    def replays(self) -> list[dict[str, Any]]:
        return list(self._recorded["replays"])

    @property
    def lived(self) -> list[dict[str, Any]]:
        """Lifetimes to look at (`mesabench.evaluation.replays.lifetimes_lived`), none where nobody watches."""
        return list(self._recorded["lived"])

    @cached_property
    def _recorded(self) -> dict[str, Any]:
        recorded: dict[str, Any] = json.loads((self.folder / REPLAYS).read_bytes())
        return recorded

    def policy(self) -> Policy:
        """The trained policy. Raises PolicyError, LookupError."""
        agent = registry.known_agent(self.trial.agent, self.trial.code.get("agent", ""))
        policy: Policy = agent.load(self.folder)
        return policy


@dataclass(frozen=True)
class Run:
    """The results of one suite.

    trials: whole ones, in the suite's order; missing: those that the suite names and that are not there, or damaged;
    others: whole ones that the suite no longer names; broken: (name, reason) of whatever could not be read.
    """

    folder: Path
    suite: Suite
    trials: tuple[StoredTrial, ...]
    others: tuple[StoredTrial, ...]
    broken: tuple[tuple[str, str], ...]

    @property
    def missing(self) -> tuple[Trial, ...]:
        there = {one.name for one in self.trials}
        return tuple(trial for trial in self.suite.trials if trial.name not in there)

    def populations(self) -> list[tuple[StoredTrial, ...]]:
        """The trials in groups that differ in nothing but the seed, by seed."""
        groups: dict[str, list[StoredTrial]] = {}
        for one in self.trials:
            groups.setdefault(one.trial.population, []).append(one)
        return [tuple(sorted(group, key=lambda one: one.seed)) for group in groups.values()]

    def table(self) -> polars.DataFrame:
        """One row per trial and number (scores and the evidence beside them), those of `others` left out."""
        return table_of((one.trial, one.scores) for one in self.trials)


def write_trial(
    folder: Path,
    trial: Trial,
    *,
    policy: Policy,
    curve: Sequence[Mapping[str, float]],
    levels: polars.DataFrame,
    changes: polars.DataFrame,
    lifetimes: polars.DataFrame,
    replays: Mapping[str, Any],
    scores: SeedScores,
    started: datetime,
    training_seconds: float,
    seconds: float,
) -> None:
    """Store a finished trial, in place of what may be there. Raises OSError, ValueError; then nothing new is there."""
    with new_folder(folder) as beside:
        policy.save(beside)
        save_files(
            beside,
            {
                CURVE: _parquet(_curve_table(curve)),
                LEVELS: _parquet(levels),
                CHANGES: _parquet(changes),
                LIFETIMES: _parquet(lifetimes),
                SCORES: _json(scores.to_json()),
                REPLAYS: _json(replays, indent=None),
            },
        )
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
        save_files(beside, {MANIFEST: _json(sealed(manifest))})


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
        for name in (SCORES, CURVE, LEVELS, CHANGES, LIFETIMES, REPLAYS):
            if name not in manifest.files:
                raise StoreError(
                    f"{MANIFEST} does not list {name}: written by an older version, to be run again"
                )
        for name, expected in manifest.files.items():
            if Path(name).name != name or _sha256(folder / name) != expected:
                raise StoreError(f"{name} was changed after it was written, or cut off")
        return StoredTrial(folder, manifest, _scores(folder / SCORES))
    except FileNotFoundError as error:
        raise StoreError(f"{Path(str(error.filename)).name} is missing") from error
    except ValidationError as error:
        first = error.errors()[0]
        raise StoreError(f"{MANIFEST}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from error
    except StoreError:
        raise
    except (OSError, ValueError, TypeError, AttributeError, LookupError, RecursionError) as error:
        raise StoreError(f"cannot be read: {error or type(error).__name__}") from error


def load_run(folder: Path | str, suite: Suite | None = None) -> Run:
    """Read the results of a suite, by default of the one that its folder names; what is damaged is listed, not raised.

    Raises StoreError if there is no such folder, or it is no run's.
    """
    folder = Path(folder)
    require_run(folder)
    broken: list[tuple[str, str]] = []
    if suite is None:
        try:
            suite = Suite.model_validate_json((folder / SUITE).read_bytes().removeprefix(BOM_UTF8))
        except FileNotFoundError:
            broken.append((SUITE, "is missing: all trials there are count"))
        except (OSError, ValueError) as error:
            broken.append((SUITE, f"is damaged, all trials there are count: {str(error).splitlines()[0]}"))
    found: dict[str, StoredTrial] = {}
    for one in sorted(folder.iterdir()):
        if one.is_dir() and not one.name.startswith("."):
            try:
                found[one.name] = load_trial(one)
            except StoreError as error:
                broken.append((one.name, str(error)))
    suite = suite or Suite(name=_suite_name(folder))
    named = [trial.name for trial in suite.trials] or list(found)
    trials = tuple(found.pop(name) for name in named if name in found)
    return Run(folder, suite, trials, tuple(found.values()), tuple(broken))


def require_run(folder: Path, name: str = "SUITE") -> None:
    """Raise StoreError where a folder holds neither a suite nor a trial's folder, with what may have been meant.

    name: of the suite whose run is wanted.
    """
    if not folder.is_dir():
        if nearby := [one.name for one in _runs_in(folder.parent)]:
            raise StoreError(unknown("results folder", folder.name, nearby))
        raise StoreError(f"there is no folder {folder}; `mesabench run {name}` makes one")
    if (folder / SUITE).exists() or any(folder.glob(f"*/{MANIFEST}")):
        return
    if (folder / MANIFEST).exists():
        hint = f"it is a trial's, of the run {folder / '..'}"
    elif runs := _runs_in(folder):
        hint = f"but there is {', '.join(map(str, runs))}"
    else:
        hint = f"`mesabench run {name}` makes one"
    raise StoreError(f"{folder} is no run's folder, since it holds neither {SUITE} nor a trial; {hint}")


def _runs_in(folder: Path) -> list[Path]:
    return sorted(one.parent for one in folder.glob(f"*/{SUITE}"))


def _suite_name(folder: Path) -> str:
    """What to call a run that does not tell its suite: its folder's name, as far as a suite may be called so."""
    name = re.sub(r"[^A-Za-z0-9_]+", "-", os.path.basename(os.path.abspath(folder))).strip("-")
    return name[:MOST_LETTERS].strip("-") or "run"


def write_suite(folder: Path, suite: Suite) -> None:
    """Note in a run's folder what is being run, but not where files of one's own lie. Raises OSError."""
    save_files(folder, {SUITE: _json(suite.model_dump(mode="json", exclude={"files"}))})


def write_table(run: Run) -> Path:
    """Store `run.table()` beside its trials, replacing an older one, and return its path. Raises OSError."""
    save_files(run.folder, {TABLE: _parquet(run.table())})
    return run.folder / TABLE


def _curve_table(rows: Sequence[Mapping[str, float]]) -> polars.DataFrame:
    """What agents told about their training; columns of their own are kept."""
    extra = dict.fromkeys((name for row in rows for name in row if name not in CURVE_COLUMNS), polars.Float64)
    columns = CURVE_COLUMNS | extra
    return polars.DataFrame(
        [{name: row.get(name) for name in columns} for row in rows], schema=columns, strict=False
    )


def _parquet(table: polars.DataFrame) -> bytes:
    buffer = io.BytesIO()
    table.write_parquet(buffer)
    return buffer.getvalue()


def _json(value: Any, indent: int | None = 2) -> bytes:
    """Strict JSON, in which NaN is null."""
    return (json.dumps(_without_nan(value), indent=indent, allow_nan=False) + "\n").encode()


def _without_nan(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_nan(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_without_nan(item) for item in value]
    return None if isinstance(value, float) and math.isnan(value) else value


def _scores(file: Path) -> SeedScores:
    data = json.loads(file.read_bytes())
    for numbers in (data["first"], data["objectives"]):
        numbers.update({name: math.nan for name, value in numbers.items() if value is None})
    return SeedScores.from_json(data)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
