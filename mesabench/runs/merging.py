"""Put the results of one suite together that were made in several places: by its shards, or on several machines.

Nothing is written before all is known to fit. Each trial then appears whole or not at all, so that a merge that was cut short is
finished by the same command; and one that is done changes nothing when it is repeated.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from mesabench.disk import RUNS, sole_writer
from mesabench.runs import origin
from mesabench.runs.job import Stored, packed, unpack
from mesabench.runs.published import refuse_published
from mesabench.runs.replicate import StoredReplicate
from mesabench.runs.store import SUITE, Run, load_run, write_suite, write_tables
from mesabench.runs.suite import Suite
from mesabench.runs.trial_folder import StoreError

MOST_NAMED = 5
"""How many faults of a kind a message names."""


class MergeError(ValueError):
    """Results that do not belong together; the message says which, and why."""


@dataclass(frozen=True)
class Merged:
    """What came of it. added, kept: numbers of trials that came from elsewhere, and that were there; missing: names of those that
    are nowhere; broken: (folder, reason) of what could not be read."""

    folder: Path
    suite: Suite
    added: int
    kept: int
    missing: tuple[str, ...]
    broken: tuple[tuple[Path, str], ...]

    def lines(self) -> Iterator[str]:
        """That in words."""
        there = self.added + self.kept
        kept = f", {self.kept} of them from before" if self.kept else ""
        yield f"{self.suite.name}: {there} of {there + len(self.missing)} trials are in {self.folder}{kept}"
        if self.missing:
            yield f"missing: {_listed(self.missing)}"


def merge(sources: Sequence[Path | str], results: Path | str = RUNS) -> Merged:
    """Copy the trials of several folders of one suite into its folder in `results`, and write the tables of all.

    What is damaged is left out and listed. Raises MergeError for results of different suites or versions, and for a trial that is
    there twice with different contents; StoreError for what is no run's folder, or a published run; BusyError, OSError.
    """
    runs = [_whole_run(Path(one)) for one in _distinct(sources)]
    if not runs:
        raise MergeError("there is nothing to merge: name the folders of at least one run")
    suite = runs[0].suite
    for run in runs[1:]:
        _refuse_other_suite(runs[0], run)
    folder = Path(results) / suite.name
    refuse_published(folder)
    with sole_writer(folder), _empty_no_more(folder):
        runs = [run for run in runs if not _same(run.folder, folder)]
        if (folder / SUITE).exists():
            before = _whole_run(folder)
            _refuse_other_suite(before, *runs[:1])
            runs.insert(0, before)  # what is there already comes first, and stays
        chosen = _chosen(runs)
        write_suite(folder, suite)
        added = [one for one in chosen.values() if not _same(one.folder.parent, folder)]
        for one in added:
            unpack(packed(one), folder / one.name)
        there = write_tables(folder, suite)
    broken = [(run.folder / name, reason) for run in runs for name, reason in run.broken if name not in there]
    missing = tuple(one.name for one in suite.jobs if one.name not in there)
    return Merged(folder, suite, len(added), len(there) - len(added), missing, tuple(broken))


def _distinct(sources: Sequence[Path | str]) -> list[str]:
    return list({os.path.realpath(one): str(one) for one in sources}.values())


def _same(one: Path, other: Path) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)


def _whole_run(folder: Path) -> Run:
    run = load_run(folder)
    for name, reason in run.broken:
        if name == SUITE:
            what = "is missing" if "is missing" in reason else "is damaged"
            raise StoreError(f"{folder}: its {SUITE} {what}, so that nobody knows which suite it is of")
    return run


def _refuse_other_suite(run: Run, *others: Run) -> None:
    for other in others:
        one, two = (each.suite.model_dump(mode="json", exclude={"files"}) for each in (run, other))
        differ = [key for key in one if one[key] != two[key]]
        if not differ:
            continue
        where = f"{run.folder} and {other.folder} hold results of different suites"
        if "name" in differ:
            raise MergeError(f"{where}: {run.suite.name!r} and {other.suite.name!r}")
        names = [{job.name for job in each.suite.jobs} for each in (run, other)]
        only = sorted(names[0] ^ names[1])
        told = (
            f"{len(only)} trials are in one of them only, {_listed(only)}"
            if only
            else f"they differ in {', '.join(differ)}"
        )
        raise MergeError(f"{where}: both are called {run.suite.name!r}, but {told}")


def _chosen(runs: Sequence[Run]) -> dict[str, Stored]:
    """Of each trial that the suite names the first that is there. Raises MergeError where they do not belong together."""
    chosen: dict[str, Stored] = {}
    torn: list[str] = []
    for run in runs:
        stored: tuple[Stored, ...] = (*run.trials, *run.replicates)
        for one in stored:
            first = next(iter(chosen.values()), one)
            if differ := origin.differing(first.versions, one.versions):
                raise MergeError(f"{first.folder} and {one.folder} were made by different versions: {differ}")
            other = chosen.setdefault(one.name, one)
            if changed := _changed(one, other):
                torn.append(f"{other.folder} and {one.folder} ({', '.join(changed)})")
    if torn:
        raise MergeError(
            f"{len(torn)} trials are there twice, with different contents: {_listed(torn)}; delete the one that is wrong"
        )
    return chosen


def _changed(one: Stored, other: Stored) -> list[str]:
    """What of a trial's results differs, without what only tells when and where they were made."""
    names = sorted({*one.files, *other.files})
    changed = [name for name in names if one.files.get(name) != other.files.get(name)]
    if isinstance(one, StoredReplicate) and isinstance(other, StoredReplicate):
        mine, theirs = ([*map(str, each.measures.items()), *each.remarks] for each in (one, other))
        changed += ["measures"] if mine != theirs else []
    return changed


@contextmanager
def _empty_no_more(folder: Path) -> Iterator[None]:
    """A merge that is refused leaves no empty folder behind."""
    try:
        yield
    except MergeError:
        with suppress(OSError):
            folder.rmdir()
        raise


def _listed(words: Sequence[str]) -> str:
    return ", ".join(words[:MOST_NAMED]) + (
        f" and {len(words) - MOST_NAMED} more" if len(words) > MOST_NAMED else ""
    )
