"""A number that is measured of a policy: how it is declared, and its value, which may be missing and then says why."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Number:
    """One number that is measured of a policy, declared by the module that computes it, in its `MEASURE`.

    sentence: what it tells. lowest, highest: the bounds between which it lies, but for the error of sampled episodes. gloss: the
    sentence in a few words, for the head of a column. group: the question that it answers; a number with a group is a score and
    stands in the scorecard, one without is evidence and stands beside it. `mesabench.evaluation.numbers` gathers them all.
    """

    name: str
    sentence: str
    lowest: float = 0.0
    highest: float = 1.0
    gloss: str = ""
    group: str = ""


LEARNED, PURSUIT, BLAME, MANNER = (
    "Did it learn?", "What does it pursue?", "What is to blame?", "How does it go about it?"
)  # fmt: skip
"""The questions that scores answer, each a group of the scorecard's columns."""


@dataclass(frozen=True)
class Score:
    """A number, or the reason why there is none; a number may carry a note instead."""

    value: float | None
    reason: str | None = None

    @property
    def number(self) -> float:
        """The value; NaN where it is missing."""
        return float("nan") if self.value is None else self.value


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
