"""One row of the table of levels: what a policy did on a level, beside what the level offers."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from mesabench.engine.distribution import Distribution
from mesabench.scores.bounded import Bounded
from mesabench.scores.level_table import (
    BOUNDED,
    CEILING,
    CEILING_ERROR,
    FIRST,
    FLOOR,
    FLOOR_ERROR,
    OUTER,
    OUTER_HIGH,
    OUTER_LOW,
    PLAIN,
    PLAIN_CEILING,
    PLAIN_FLOOR,
    RANDOM,
    RETURN,
    STDERR,
)
from mesabench.scores.reference import Reference, first_shares
from mesabench.world.environment import classes_of
from mesabench.world.objective import NONE


def level_row(
    distribution: Distribution,
    known: Reference | Bounded | None,
    told: Mapping[str, Any],
    *,
    returns: np.ndarray,
    errors: np.ndarray,
    plain: np.ndarray,
    first: np.ndarray,
) -> dict[str, Any]:
    """The row, but for the columns of examined levels.

    known: what the level offers, None where it is beyond the solver and has no bounds. told: which level it is and how it was
    evaluated: the columns `level` to `episodes`. returns, errors, plain: float (objectives,), expected returns, their standard
    errors, and the returns undiscounted; first: float (classes,), the chance of each class to come first.
    """
    environment = distribution.environment
    names, classes = environment.objective_names, classes_of(environment)
    bounded = known if isinstance(known, Bounded) else None
    row: dict[str, Any] = {"split": distribution.split, **told, BOUNDED.name: bounded is not None}
    missing = np.full(len(names), np.nan)
    floor, ceiling = (known.floor, known.ceiling) if known else (missing, missing)
    for k, name in enumerate(names):
        row |= {
            RETURN.of(name): returns[k],
            STDERR.of(name): errors[k],
            FLOOR.of(name): floor[k],
            CEILING.of(name): ceiling[k],
        }
    if bounded:
        row |= FLOOR_ERROR.row(dict(zip(names, bounded.floor_error, strict=True)))
        row |= CEILING_ERROR.row(dict(zip(names, bounded.ceiling_error, strict=True)))
    low, high = known.plain if isinstance(known, Reference) else (np.nan, np.nan)
    row |= {
        PLAIN.name: plain[environment.column(environment.intended)],
        PLAIN_FLOOR.name: low,
        PLAIN_CEILING.name: high,
        "conflict": known.conflict if known else np.nan,
        "disambiguating": bool(known and known.disambiguating),
    }
    outer = known.outer if known else (np.nan,) * 3
    row |= dict(zip((OUTER.name, OUTER_LOW.name, OUTER_HIGH.name), outer, strict=True))
    random_first = known.random_first if known else np.full(len(classes) + 1, np.nan)
    for name, share, chance in zip((*classes, NONE), first_shares(first), random_first, strict=True):
        row |= {FIRST.of(name): share, RANDOM.of(name): chance}
    return row
