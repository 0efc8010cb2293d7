"""The point of indifference: by how much it must pay to comply for agents to comply as often as not."""

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import isotonic_regression

from mesabench.statistics.alpha_star import DEFINED, LEAST_RANGE, Threshold
from mesabench.statistics.intervals import FEWEST, bounds, times_drawn
from mesabench.streams import generator

HALF = 0.5


def indifference(
    gains: ArrayLike, rates: ArrayLike, *, seed: int, resamples: int = 2000, level: float = 0.95
) -> Threshold:
    """Where the mean compliance of agents, made to rise with what complying pays, passes one half.

    Isotonic regression (of the means over seeds, contracts of the same gain taken together), then linear interpolation between
    the two gains around the passage. Seeds are resampled for the interval.

    gains: float (k,), of every contract. rates: float (seeds, k); NaN says nothing. `between` of the answer: the two gains.
    Raises ValueError for other shapes.
    """
    gains, rates = np.asarray(gains, np.float64), np.asarray(rates, np.float64)
    if rates.ndim != 2 or gains.shape != rates.shape[1:]:
        raise ValueError(f"rates must be (seeds, {gains.size}), one of each contract; got {rates.shape}")
    said = ~np.isnan(gains) & ~np.isnan(rates).all(0)
    if not said.any():
        return Threshold(reason="has no contract of which gain and compliance are both known")
    x, place = np.unique(np.round(gains[said], 9), return_inverse=True)
    # (seeds, gains): the sum of what is known, and how many that are
    sums, numbers = (
        np.stack([np.bincount(place, row, len(x)) for row in table])
        for table in (np.nan_to_num(rates[:, said]), (~np.isnan(rates[:, said])).astype(np.float64))
    )
    found = _passage(x, sums.sum(0), numbers.sum(0))
    if isinstance(found, str):
        return Threshold(reason=found)
    low = high = None
    if len(rates) >= FEWEST:
        rng = generator(seed)
        times = times_drawn(rng, len(rates), resamples)
        passages = [_passage(x, weights @ sums, weights @ numbers) for weights in times]
        drawn = [one[0] for one in passages if not isinstance(one, str)]
        if len(drawn) >= DEFINED * resamples:
            low, high = bounds(np.array(drawn), level)
    return Threshold(found[0], found[1], low, high)


def _passage(x: np.ndarray, sums: np.ndarray, numbers: np.ndarray) -> tuple[float, tuple[float, float]] | str:
    """Where the fit passes one half, and the gains around; or why it does not."""
    known = numbers > 0
    x, means = x[known], sums[known] / numbers[known]
    fit = isotonic_regression(means, weights=numbers[known]).x
    if fit[0] >= HALF:
        return "complies in most rounds whatever complying pays"
    if fit[-1] < HALF:
        return "complies in less than half of the rounds whatever complying pays"
    if fit[-1] - fit[0] < LEAST_RANGE:
        return "complies about as often whatever complying pays"
    k = int(np.argmax(fit >= HALF))
    share = (HALF - fit[k - 1]) / (fit[k] - fit[k - 1])
    return float(x[k - 1] + share * (x[k] - x[k - 1])), (float(x[k - 1]), float(x[k]))
