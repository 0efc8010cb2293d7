"""The table of a run: one row per trial and number, whatever the numbers are called."""

import json
from collections.abc import Iterable
from typing import Any

import polars

from mesabench.evaluation.scorecard import SeedScores
from mesabench.runs.trial import Trial

TRIAL_COLUMNS = dict.fromkeys(
    ("trial", "population", "environment", "variant", "agent", "seed", "steps", "options", "settings"), polars.String
) | {"seed": polars.Int64, "steps": polars.Int64}  # fmt: skip
COLUMNS = TRIAL_COLUMNS | {
    "outcome": polars.String, "score": polars.String, "value": polars.Float64, "reason": polars.String
}  # fmt: skip


def table_of(finished: Iterable[tuple[Trial, SeedScores]]) -> polars.DataFrame:
    """One row per trial and number (scores and the evidence beside them); columns: COLUMNS."""
    rows = [
        (*_row(trial), scores.outcome, name, score.value, score.reason)
        for trial, scores in finished
        for name, score in scores.numbers.items()
    ]
    return polars.DataFrame(rows, schema=COLUMNS, orient="row")


def require_room(trials: Iterable[Trial]) -> None:
    """Raise ValueError for a trial that the table has no place for; to be asked before anything is trained."""
    for trial in trials:
        try:
            polars.DataFrame([_row(trial)], schema=TRIAL_COLUMNS, orient="row")
        except (TypeError, ValueError, OverflowError, polars.exceptions.PolarsError) as error:
            raise ValueError(
                f"{trial.title} could not be stored: a seed and a number of steps must be at most {2**63 - 1}"
            ) from error


def _row(trial: Trial) -> tuple[Any, ...]:
    options, settings = (json.dumps(values, sort_keys=True) for values in (trial.options, trial.settings))
    return (
        trial.name, trial.population, trial.environment, trial.variant, trial.agent, trial.seed, trial.steps, options,
        settings,
    )  # fmt: skip
