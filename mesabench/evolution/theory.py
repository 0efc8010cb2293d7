"""What sexual selection must do, on paper: Lande's lines of equilibria and their stability, Kirkpatrick's line.

Lande (1981): a male trait z, normal with variance s2 and additive variance G; a female preference y, which costs nothing; their
additive covariance B. Males survive with exp(-z^2 / 2 w2): those who do are normal with variance sw2 = s2 w2 / (s2 + w2). Females
then mate in proportion to psi(z; y). With S the males' change of mean by both, a generation changes z by G S / 2 s2 and y by
B S / 2 s2, so everything moves along slope B/G, and S = 0 is a line of equilibria y = k z. It is stable where B/G < k; where
B/G > k, trait and preference run away.
"""

from typing import Literal

import numpy as np

Preference = Literal["psychophysical", "relative", "absolute"]


def surviving(variance: float, width: float) -> float:
    """sw2, the variance of males who survive: two normal densities multiplied."""
    return variance * width / (variance + width)


def differential(
    z: float, y: float, preference: Preference, variance: float, width: float, tolerance: float = 1.0
) -> float:
    """S, the change of the males' mean by survival and mating, with the preference of the mean female.

    psychophysical: psi = exp(y z), which shifts a normal density by y sw2. relative: psi is normal about the survivors' mean + y,
    absolute: about y, both with variance `tolerance`: the mean moves towards it by sw2 / (sw2 + tolerance).
    """
    left = surviving(variance, width)
    mean = z * width / (variance + width)  # of the survivors
    pull = left / (left + tolerance)
    mated = {
        "psychophysical": mean + y * left,
        "relative": mean + y * pull,
        "absolute": mean + (y - mean) * pull,
    }
    return mated[preference] - z


def line(
    preference: Preference, variance: float, width: float, tolerance: float = 1.0, females_pay: float = 0.0
) -> float:
    """k, the slope dy/dz of the line of equilibria: above it lie runaways.

    psychophysical 1 / w2; relative (tolerance + sw2) / w2; absolute 1 + tolerance / w2: where `differential` is 0. If
    females pay too, surviving with exp(-(females_pay z)^2 / 2 w2), the two sexes' changes must add up to 0; k is higher by what
    it takes to make up for theirs, z s2 f2 / (f2 s2 + w2).
    """
    left = surviving(variance, width)
    pull = left / (left + tolerance)
    slope = {
        "psychophysical": 1 / width,
        "relative": (tolerance + left) / width,
        "absolute": 1 + tolerance / width,
    }
    theirs = variance * females_pay**2 / (females_pay**2 * variance + width)
    return slope[preference] + theirs / (left if preference == "psychophysical" else pull)


def growth(slope: float, additive: float, variance: float, width: float) -> float:
    """By what the distance y - z / w2 from the line is multiplied in a generation, with a psychophysical preference.

    slope: B/G. additive: G. Below 1 the population returns to the line, above 1 it runs away: 1 + G sw2 (B/G - 1 / w2) / 2 s2.
    """
    return 1 + additive * surviving(variance, width) * (slope - 1 / width) / (2 * variance)


def generation(
    z: float, y: float, preference: Preference, *, slope: float, additive: float, variance: float, width: float,
    tolerance: float = 1.0,
) -> tuple[float, float]:  # fmt: skip
    """Both means one generation on, with constant G and B: the deterministic core."""
    moved = additive * differential(z, y, preference, variance, width, tolerance) / (2 * variance)
    return z + moved, y + slope * moved


def kirkpatrick_line(choosy: float, cost: float, odds: float) -> float:
    """The frequency t of a costly ornament in equilibrium with a frequency of choosy females (Kirkpatrick 1982, haploid).

    Ornamented males survive with 1 - cost; choosy females prefer them by `odds`. In equilibrium both kinds of males have as many
    children: with t' = t (1 - s) / (1 - s t), (1 - s) (1 - p + p a / (1 - t' + a t')) = 1 - p + p / (1 - t' + a t'), so
    t = (p (1 - s) (a - 1) / s - 1) / (a (1 - s) - 1), within 0 and 1.
    """
    return float(np.clip((choosy * (1 - cost) * (odds - 1) / cost - 1) / (odds * (1 - cost) - 1), 0, 1))


def kirkpatrick_generation(
    frequencies: np.ndarray, cost: float, odds: float, recombination: float = 0.5
) -> np.ndarray:
    """The haploid two-locus recursion, exactly.

    frequencies: float64 (2, 2), [ornament, choosy], sum 1, of either sex at birth. Returns those of the next generation.
    """
    males = frequencies * np.array([[1], [1 - cost]])
    males = males / males.sum()
    liked = (
        np.array([[1.0, 1.0], [1.0, odds]])[:, :, None] * males[None]
    )  # [choosy, ornament, his choosiness gene]
    liked /= liked.sum((1, 2), keepdims=True)
    pairs = np.einsum("tp,puq->tpuq", frequencies, liked)  # hers, hers, his, his
    together = (pairs.sum((2, 3)) + pairs.sum((0, 1))) / 2  # both genes from one parent
    apart = (pairs.sum((1, 2)) + pairs.sum((0, 3)).T) / 2  # one from each
    return (1 - recombination) * together + recombination * apart
