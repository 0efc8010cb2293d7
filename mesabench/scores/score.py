"""A number that may be missing, and then says why."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Score:
    """A number, or the reason why there is none; a number may carry a note instead."""

    value: float | None
    reason: str | None = None


def said(value: float, otherwise: str) -> Score:
    """A number; where it is NaN, the reason instead."""
    return Score(None, otherwise) if np.isnan(value) else Score(float(value))


def mean(values: np.ndarray) -> float:
    """Mean over those that say something; NaN if there are none."""
    values = values.astype(np.float64)
    known = values[~np.isnan(values)]
    return float(known.mean()) if len(known) else float("nan")


def clip(value: float) -> float:
    """Within 0 .. 1; NaN stays."""
    return value if np.isnan(value) else min(1.0, max(0.0, value))
