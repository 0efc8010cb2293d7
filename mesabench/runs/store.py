"""A run's folder: its suite, the trials that are there and those that are not, and the tables of all of them.

The files of the folder itself, `report.html`, `suite.json` and the tables, are what is published of a run.
"""

import os
import re
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars
from polars.io.plugins import register_io_source

from mesabench.disk import new_file, save_files, scratch_folder
from mesabench.evaluation.measures import tables
from mesabench.evolution.learner import GENE, RETURN
from mesabench.evolution.lineage import GENERATION
from mesabench.notebook import Rows, Tabular
from mesabench.runs.replicate import REPLICATE, Replicate, StoredReplicate, load_replicate
from mesabench.runs.suite import Suite
from mesabench.runs.table import origins_of, table_of
from mesabench.runs.trial import MOST_LETTERS, Trial
from mesabench.runs.trial_folder import (
    MANIFEST,
    StoredTrial,
    StoreError,
    load_trial,
    parquet,
)
from mesabench.suggestion import unknown

SUITE, TABLE, ORIGINS, REPORT = "suite.json", "table.parquet", "origins.parquet", "report.html"
GENERATIONS = "generations.parquet"
PART, ROWS = 20, 20_000
"""Trials whose tables are in memory at a time when those of a run are written, and rows of them that a file holds together: its
writer keeps so many until it writes them."""


@dataclass(frozen=True)
class Run(Tabular):
    """The results of one suite.

    trials: whole ones, in the suite's order; replicates: likewise, of population models; missing: those that the suite names and
    that are not there, or damaged;
    others: whole ones that the suite no longer names; broken: (name, reason) of whatever could not be read.
    """

    folder: Path
    suite: Suite
    trials: tuple[StoredTrial, ...]
    others: tuple[StoredTrial, ...]
    broken: tuple[tuple[str, str], ...]
    replicates: tuple[StoredReplicate, ...] = ()

    @property
    def missing(self) -> tuple[Trial | Replicate, ...]:
        return tuple(one for one in self.suite.jobs if one.name not in self.there)

    @property
    def there(self) -> set[str]:
        """The names of whole ones that the suite names."""
        return {one.name for one in self.trials} | {one.name for one in self.replicates}

    def headline(self) -> str:
        return f"{self.suite.name}: {len(self.there)} of {len(self.suite.jobs)} trials are in {self.folder}"

    def rows(self) -> Rows:
        rows = []
        for seeds in self.populations():
            trial, outcomes = seeds[0].trial, Counter(one.scores.outcome for one in seeds)
            told = ", ".join(f"{count} {outcome}" for outcome, count in outcomes.most_common())
            title = self.suite.title_of(trial)
            rows.append((trial.environment, trial.agent, trial.variant, title, str(len(seeds)), told))
        return [("environment", "agent", "variant", "title", "seeds", "outcomes"), *rows]

    def populations(self) -> list[tuple[StoredTrial, ...]]:
        """The trials in groups that differ in nothing but the seed, by seed."""
        groups: dict[str, list[StoredTrial]] = {}
        for one in self.trials:
            groups.setdefault(one.trial.population, []).append(one)
        return [tuple(sorted(group, key=lambda one: one.seed)) for group in groups.values()]

    def table(self) -> polars.DataFrame:
        """One row per trial and number (scores and the evidence beside them), those of `others` left out."""
        return table_of((one.trial, self.suite.title_of(one.trial), one.scores) for one in self.trials)

    def measured(self, name: str) -> polars.DataFrame:
        """One of `mesabench.evaluation.measures.tables` of all trials that have it, below one another; `trial` tells whose.

        A column that a trial does not have is null in its rows.
        """
        found = [(one.name, one.tables[name]) for one in self.trials if len(one.tables.get(name, ()))]
        parts = [table.select(polars.lit(trial).alias("trial"), polars.all()) for trial, table in found]
        return polars.concat(parts, how="diagonal") if parts else polars.DataFrame()

    def generations(self) -> polars.DataFrame:
        """What the curves of animals tell, generation by generation: the mean of every gene, and what lives came to.

        Columns: `trial`, `generation`, `gene_G` (one for each gene, null where there is no such gene) and `return_of_O`, the mean
        return of a life by each objective.
        """
        told = ((one.name, one.curve) for one in self.trials)
        parts = [
            curve.select(
                polars.lit(name).alias("trial"),
                polars.col(GENERATION).cast(polars.Int32),
                polars.col(f"^({GENE}|{RETURN}).*$").cast(polars.Float32),
            )
            for name, curve in told
            if GENERATION in curve.columns and any(column.startswith(GENE) for column in curve.columns)
        ]
        return polars.concat(parts, how="diagonal") if parts else polars.DataFrame()


def load_run(folder: Path | str, suite: Suite | None = None) -> Run:
    """Read the results of a suite, by default of the one that its folder names; what is damaged is listed, not raised.

    Raises StoreError if there is no such folder, or it is no run's.
    """
    folder = Path(folder)
    require_run(folder)
    broken: list[tuple[str, str]] = []
    if suite is None:
        suite, broken = _suite_of(folder)
    found: dict[str, StoredTrial] = {}
    replicates: dict[str, StoredReplicate] = {}
    for name, one in _read(folder):
        if isinstance(one, StoreError):
            broken.append((name, str(one)))
        elif isinstance(one, StoredReplicate):
            replicates[name] = one
        else:
            found[name] = one
    suite = suite or Suite(name=_suite_name(folder))
    named = [trial.name for trial in suite.trials] or ([] if suite.replicates else list(found))
    wanted = [one.name for one in suite.replicates] or ([] if suite.trials else list(replicates))
    trials = tuple(found.pop(name) for name in named if name in found)
    kept = tuple(replicates[name] for name in wanted if name in replicates)
    return Run(folder, suite, trials, tuple(found.values()), tuple(broken), kept)


def survey(folder: Path, suite: Suite) -> tuple[set[str], tuple[tuple[str, str], ...]]:
    """What `Run.there` and `Run.broken` would be, with no more than one trial in memory at a time."""
    found = {name: str(one) if isinstance(one, StoreError) else "" for name, one in _read(folder)}
    there = {one.name for one in suite.jobs if found.get(one.name) == ""}
    return there, tuple((name, reason) for name, reason in found.items() if reason)


def _suite_of(folder: Path) -> tuple[Suite | None, list[tuple[str, str]]]:
    """The suite that a run's folder names, or none and what is wrong with it."""
    try:
        return Suite.model_validate_json((folder / SUITE).read_bytes().removeprefix(BOM_UTF8)), []
    except FileNotFoundError:
        return None, [(SUITE, "is missing: all trials there are count")]
    except (OSError, ValueError) as error:
        return None, [(SUITE, f"is damaged, all trials there are count: {str(error).splitlines()[0]}")]


def _read(
    folder: Path, names: Iterable[str] | None = None
) -> Iterator[tuple[str, StoredTrial | StoredReplicate | StoreError]]:
    """What the folders in a run's folder hold, or why they cannot be read; one after the other.

    names: of those that are wanted, in this order, as far as they are there; by default all, in the order of their names.
    """
    if names is None:
        names = sorted(one.name for one in folder.iterdir() if not one.name.startswith("."))
    for name in names:
        one = folder / name
        if one.is_dir():
            try:
                yield name, load_replicate(one) if (one / REPLICATE).exists() else load_trial(one)
            except StoreError as error:
                yield name, error


def require_run(folder: Path, name: str = "SUITE") -> None:
    """Raise StoreError where a folder holds neither a suite nor a trial's folder, with what may have been meant.

    name: of the suite whose run is wanted.
    """
    if not folder.is_dir():
        if nearby := [one.name for one in _runs_in(folder.parent)]:
            raise StoreError(unknown("results folder", folder.name, nearby))
        raise StoreError(f"there is no folder {folder}; `mesabench run {name}` makes one")
    if (folder / SUITE).exists() or any(folder.glob(f"*/{MANIFEST}")) or any(folder.glob(f"*/{REPLICATE}")):
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
    save_files(folder, {SUITE: suite.model_dump_json(indent=2, exclude={"files"}).encode() + b"\n"})


def write_tables(folder: Path | str, suite: Suite | None = None) -> set[str]:
    """Store what is published of a run's trials beside them: scores, origins, generations, and what measures publish.

    suite: by default the one that the folder names. These tables replace older ones; one without rows is not stored. No more than
    `PART` trials are in memory at a time, however many there are. Returns the names of the suite's jobs that are there.
    Raises OSError.
    """
    folder = Path(folder)
    suite = suite or _suite_of(folder)[0] or Suite(name=_suite_name(folder))
    there: set[str] = set()
    parts: dict[str, list[Path]] = {}
    with scratch_folder(folder) as place:
        for trials in _in_parts(folder, suite, there):
            for name, table in _published(Run(folder, suite, trials, (), ())).items():
                parts.setdefault(name, []).append(place / f"{len(there)}-{name}")
                parts[name][-1].write_bytes(parquet(table))
        for name, files in parts.items():
            with new_file(folder / name) as beside:
                _below_one_another(files).sink_parquet(beside, row_group_size=ROWS)
    return there


def _below_one_another(files: Sequence[Path]) -> polars.LazyFrame:
    """Tables as one, which is read a file at a time; a column that one does not have is null in its rows.

    `polars.concat` of scans would open all files at once.
    """
    schemas = map(polars.read_parquet_schema, files)
    nothing = polars.concat([polars.DataFrame(schema=one) for one in schemas], how="diagonal")

    def read(*_: Any) -> Iterator[polars.DataFrame]:
        for file in files:
            yield polars.concat([nothing, polars.read_parquet(file, glob=False)], how="diagonal")

    return register_io_source(read, schema=nothing.schema)


def _in_parts(folder: Path, suite: Suite, there: set[str]) -> Iterator[tuple[StoredTrial, ...]]:
    """The trials of a suite that are there, some at a time, at least once; names of all its jobs that are go to `there`."""
    part: list[StoredTrial] = []
    filled = False
    for name, one in _read(folder, [job.name for job in suite.jobs] or None):
        if isinstance(one, StoreError):
            continue
        there.add(name)
        if isinstance(one, StoredTrial):
            part.append(one)
        if len(part) == PART:
            yield tuple(part)
            part, filled = [], True
    if part or not filled:
        yield tuple(part)


def _published(run: Run) -> dict[str, polars.DataFrame]:
    """The tables of a run by the names of their files; the first two in any case, others where they have rows."""
    found = {TABLE: run.table(), ORIGINS: origins_of((one.trial, one.manifest) for one in run.trials)}
    measured = {f"{name}.parquet": run.measured(name) for name, one in tables().items() if one.published}
    measured[GENERATIONS] = run.generations()
    return found | {name: table for name, table in measured.items() if len(table)}
