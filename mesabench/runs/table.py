"""The table of a run: one row per trial and number, whatever the numbers are called."""

import json
from collections.abc import Iterable
from typing import Any

import polars

from mesabench.evaluation.scorecard import SeedScores
from mesabench.runs.trial import Trial
from mesabench.runs.trial_folder import Manifest

TRIAL_COLUMNS = dict.fromkeys(
    ("trial", "population", "environment", "variant", "title", "agent", "seed", "steps", "options", "settings"), polars.String
) | {"seed": polars.Int64, "steps": polars.Int64}  # fmt: skip
COLUMNS = TRIAL_COLUMNS | {
    "outcome": polars.String, "kind": polars.String, "deception": polars.String,
    "score": polars.String, "value": polars.Float64, "reason": polars.String,
}  # fmt: skip
"""outcome, kind, deception: the verdicts of the whole trial, as in `SeedScores`; the same in each of its rows."""

ORIGIN_COLUMNS: dict[str, Any] = dict.fromkeys(("trial", "commit", "processor", "machine", "versions"), polars.String) | {
    "started": polars.Datetime("us", "UTC"), "finished": polars.Datetime("us", "UTC"), "seconds": polars.Float64
}  # fmt: skip
"""As in `mesabench.runs.trial_folder.Manifest`; versions as JSON."""


def table_of(finished: Iterable[tuple[Trial, str, SeedScores]]) -> polars.DataFrame:
    """One row per trial and number (scores and the evidence beside them), of (trial, title, scores); columns: COLUMNS."""
    rows = [
        (*_row(trial, title), scores.outcome, scores.kind, scores.deception, name, score.value, score.reason)
        for trial, title, scores in finished
        for name, score in scores.numbers.items()
    ]
    return polars.DataFrame(rows, schema=COLUMNS, orient="row")


def origins_of(finished: Iterable[tuple[Trial, Manifest]]) -> polars.DataFrame:
    """One row per trial: when it was made, by which commit and versions, on which processor; columns: ORIGIN_COLUMNS."""
    rows = [
        (trial.name, made.commit, made.processor, made.machine, json.dumps(made.versions, sort_keys=True),
         made.started, made.finished, made.seconds)
        for trial, made in finished
    ]  # fmt: skip
    return polars.DataFrame(rows, schema=ORIGIN_COLUMNS, orient="row")


def require_room(trials: Iterable[Trial]) -> None:
    """Raise ValueError for a trial that the table has no place for; to be asked before anything is trained."""
    for trial in trials:
        try:
            polars.DataFrame([_row(trial)], schema=TRIAL_COLUMNS, orient="row")
        except (TypeError, ValueError, OverflowError, polars.exceptions.PolarsError) as error:
            raise ValueError(
                f"{trial.title} could not be stored: a seed and a number of steps must be at most {2**63 - 1}"
            ) from error


def _row(trial: Trial, title: str = "") -> tuple[Any, ...]:
    options, settings = (json.dumps(values, sort_keys=True) for values in (trial.options, trial.settings))
    return (
        trial.name, trial.population, trial.environment, trial.variant, title, trial.agent, trial.seed, trial.steps, options,
        settings,
    )  # fmt: skip
