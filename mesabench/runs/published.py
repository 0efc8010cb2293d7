"""Published runs: a table and a report whose trials were left out. Nothing may write into them: it would replace them by less."""

from pathlib import Path

import polars

from mesabench.disk import RUNS
from mesabench.runs.store import REPORT, TABLE
from mesabench.runs.trial_folder import MANIFEST, StoreError

NOTHING = b"No trial has been finished yet."
"""What the report of a run says as long as there is nothing to lose."""


def refuse_published(folder: Path | str) -> None:
    """Raise StoreError where a folder holds the table or the report of a run most of whose trials are not there.

    A run of which single folders were deleted, to have these trials run again, is none; nor is a folder that is not there.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return
    there = {one.parent.name for one in folder.glob(f"*/{MANIFEST}")}
    named = _named(folder / TABLE)
    if named and len(named - there) > len(named & there):
        says = f"{len(named - there)} of the {len(named)} trials in its {TABLE} are not there"
    elif not there and (named is None or (not (folder / TABLE).exists() and _tells(folder / REPORT))):
        says = "it tells of trials, and none of them is there"
    else:
        return
    suite = folder.resolve().name
    raise StoreError(
        f"{folder} is a published run: {says}, so its table and report could not be made again. Try `mesabench run {suite}`, "
        f"which makes the trials in {RUNS / suite}. If this is a run of your own whose trials you deleted, delete {TABLE} and "
        f"{REPORT}, too"
    )


def _named(table: Path) -> set[str] | None:
    """The trials in a run's table: none where there is no table, None where it cannot be read."""
    try:
        return {
            *polars.read_parquet(table, columns=["trial"], glob=False)["trial"]
            .cast(polars.String)
            .drop_nulls()
        }
    except FileNotFoundError:
        return set()
    except (OSError, polars.exceptions.PolarsError):
        return None


def _tells(report: Path) -> bool:
    return report.exists() and NOTHING not in report.read_bytes()
