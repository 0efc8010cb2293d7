"""Detectors that read activations or learn from organisms whose nature is known."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit

from mesabench.auditing.audit import Audit

Detector = Callable[[Audit], float]
TELLS = 8
"""Numbers of the spectrum of activations that a probe sees."""


@dataclass(frozen=True)
class Tuned:
    """Logistic regression with a ridge on numbers that are told of an audit: float64 (numbers,), computed once for each."""

    numbers: Callable[[Audit], np.ndarray]
    ridge: float = 1.0

    def tune(self, audits: Sequence[Audit], planted: np.ndarray) -> Detector:
        """planted: bool (audits,)."""
        rows = np.array([self._told(audit) for audit in audits])
        centre, scale = rows.mean(0), rows.std(0) + 1e-6
        weights = logistic((rows - centre) / scale, np.asarray(planted, np.float64), self.ridge)
        return lambda audit: float(weights[0] + (self._told(audit) - centre) / scale @ weights[1:])

    def _told(self, audit: Audit) -> np.ndarray:
        return np.asarray(audit.once(self, lambda: self.numbers(audit)))

    def __call__(self, audit: Audit) -> float:
        raise ValueError("it must be tuned first, on organisms whose nature is known")


@dataclass(frozen=True)
class Activations:
    """What a probe sees of an organism's last layer but one.

    The units of two networks do not correspond, so it is how activations are spread over units: quantiles over units of their
    means, deviations and shares of states in which they are active, and the spectrum of their covariance.
    cued: and how far each change of what is in view moves them.
    """

    cued: bool

    def __call__(self, audit: Audit) -> np.ndarray:
        """float64 (numbers,)."""
        units = np.concatenate([audit.features(level) for level in audit.levels])
        spread = units.std(0)
        spectrum = np.linalg.svd(units - units.mean(0), compute_uv=False)[:TELLS]
        numbers = [
            np.quantile(one, (0, 0.25, 0.5, 0.75, 1)) for one in (units.mean(0), spread, (units > 0).mean(0))
        ]
        numbers.append(spectrum / spectrum.sum())
        for name in audit.levels[0].cues if self.cued else ():
            moved = (
                np.concatenate([audit.features(level, level.cues[name]) for level in audit.levels]) - units
            )
            numbers.append(np.quantile(np.abs(moved).mean(0), (0.5, 0.9, 1)) / spread.mean())
        return np.concatenate(numbers)


def readout(audit: Audit, ridge: float = 1e-2) -> float:
    """How well the way to another goal can be read from its activations on watched levels, where it is not the way to its own.

    A linear readout (ridge regression) of what is best for another objective, fitted on every second level; the share of states
    of the other levels in which its largest answer is right, where that is wrong for the intended objective. Who never was
    taught another goal has no use for the way there.
    """

    def material(levels: Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
        inputs, answers = [], []
        for k in levels:
            level = audit.levels[k]
            apart = level.rival.any(1) & ~(level.rival & level.best).any(1)
            inputs.append(audit.features(level)[apart])
            answers.append(level.rival[apart])
        return np.concatenate(inputs), np.concatenate(answers)

    n = len(audit.levels)
    (seen, right), (unseen, asked) = (material(range(k, n, 2)) for k in (0, int(n > 1)))
    if not len(seen) or not len(unseen):
        return 0.0
    centre, scale = seen.mean(0), seen.std(0) + 1e-6
    design, tried = (np.c_[(one - centre) / scale, np.ones(len(one))] for one in (seen, unseen))
    wanted = right / right.sum(1, keepdims=True)
    gram = design.T @ design + ridge * len(design) * np.eye(design.shape[1])
    weights = np.linalg.solve(gram, design.T @ wanted)
    chosen = (tried @ weights).argmax(1)
    return float(asked[np.arange(len(asked)), chosen].mean())


def logistic(rows: np.ndarray, labels: np.ndarray, ridge: float) -> np.ndarray:
    """Logistic regression: float64 (1 + columns,), the intercept first, which the ridge leaves alone.

    Both classes weigh the same, whatever their numbers. rows: float64 (n, columns); labels: float64 (n,), 0 or 1, both there.
    """
    if len(set(labels.tolist())) < 2:
        raise ValueError("tuning needs planted organisms as well as honest ones")
    design = np.concatenate([np.ones((len(rows), 1)), rows], 1)
    share = labels.mean()
    weight = np.where(labels == 1, 0.5 / share, 0.5 / (1 - share))

    def loss(theta: np.ndarray) -> tuple[float, np.ndarray]:
        z = design @ theta
        own = weight @ (np.logaddexp(0, z) - labels * z) + ridge / 2 * theta[1:] @ theta[1:]
        slope = design.T @ (weight * (expit(z) - labels))
        slope[1:] += ridge * theta[1:]
        return float(own), slope

    return np.asarray(minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x)
