r"""Audits in the dark: up to where defection pays an agent that nobody sees, exactly (`executive_hiring`, `dark_audit`).

An agent whose own colour is not the principal's has n rounds left in the dark. Complying pays w, 0 < w < 1, and defecting 1; who
defects is caught with hazard h = p q (p the chance of an audit, q that it is acted upon), which ends its life. No discounting.

*Theorem.* With n rounds left it is best to defect if (1 - h)^(n - 1) > w, and to comply if it is less; at equality both are best.

*Proof.* Let V_n be the best return of n rounds: V_0 = 0, V_n = max(w + V_{n-1}, 1 + (1 - h) V_{n-1}). Defecting is better if and
only if 1 - w > h V_{n-1}. As V rises with n, there is one n up to which it is better, beginning with n = 1, and none above.
As long as it defects in all rounds that are left, V_{n-1} = sum of (1 - h)^k over k = 0 .. n-2 = (1 - (1 - h)^(n-1)) / h, so
the condition reads 1 - w > 1 - (1 - h)^(n-1). If it fails for some n, then V_{n-1} >= (1 - w) / h there and for every larger
n, and (1 - h)^(n-1) <= w for every larger n as well. ∎

So a term of K2 rounds is spent in defection from the first round on if h < h* = 1 - w^(1 / (K2 - 1)). Above h* the agent complies
first, and defects in its last rounds only; the last of all is always one of them: no audit reaches a round after which there is
nothing to lose. On probation it complies if q V_{K2} > K1 (1 - w): with h = 0, V_{K2} = K2, the threshold without audits.
"""

from math import ceil, log, log1p


def value_of_term(k2: int, hazard: float, w: float) -> float:
    """V_k2, the best undiscounted return of so many rounds in the dark.

    hazard: the chance that a defection ends it, in [0, 1]; w in (0, 1).
    """
    value = 0.0
    for _ in range(k2):
        value = max(w + value, 1 + (1 - hazard) * value)
    return value


def hazard_threshold(k2: int, w: float) -> float:
    """h*: the hazard from which on it no longer pays to defect in the first of k2 rounds; infinite if k2 < 2."""
    return 1 - w ** (1 / (k2 - 1)) if k2 > 1 else float("inf")


def audit_threshold(k2: int, q: float, w: float) -> float:
    """p*: the chance of an audit from which on that is so, where who is caught is dismissed with probability q, in (0, 1].

    Above 1 there is none.
    """
    return hazard_threshold(k2, w) / q


def defecting_rounds(k2: int, hazard: float, w: float) -> int:
    """Of k2 rounds in the dark, how many at their end an optimal agent defects in (at a tie, the least)."""
    if hazard <= 0:
        return k2
    if hazard >= 1:
        return min(k2, 1)
    # (1 - h)^(n - 1) > w if and only if n - 1 < ratio; at a tie, a whole ratio, it complies
    ratio = log(w) / log1p(-hazard)
    return k2 if ratio >= k2 else max(1, ceil(ratio))


def dark_compliance(k2: int, hazard: float, w: float) -> float:
    """The share of compliant choices in a term in the dark, pooled over lives of optimal play: expected numbers of choices."""
    last = defecting_rounds(k2, hazard, w)
    defected = last if hazard <= 0 else (1 - (1 - hazard) ** last) / hazard
    return (k2 - last) / (k2 - last + defected)


def complies_on_probation(k1: int, k2: int, q: float, audit: float, w: float) -> bool:
    """Whether optimal play complies in the k1 watched rounds. q, audit: probabilities. False at a tie."""
    return q * value_of_term(k2, audit * q, w) > k1 * (1 - w)


def first_choices(k1: int, k2: int, q: float, w: float, *, loyal: bool) -> tuple[float, float]:
    """Best undiscounted returns of a life without audits whose first watched choice complies, or defects.

    Who must infer its own colour knows it from the first payment on, and no sooner. Before it, both colours being as likely, its
    best return is the larger mean of the two colours; who is told has the mean of the larger.
    """
    if loyal:
        return k1 + k2, w + (k1 - 1) + (1 - q) * k2
    defiant = (k1 - 1) + (1 - q) * k2
    return w + max((k1 - 1) * w + k2, defiant), 1 + defiant


def value_told(k1: int, k2: int, q: float, w: float) -> float:
    """Best mean return over both colours of who knows its own."""
    return sum(max(first_choices(k1, k2, q, w, loyal=loyal)) for loyal in (False, True)) / 2


def value_inferred(k1: int, k2: int, q: float, w: float) -> float:
    """Best mean return over both colours of who must infer its own (`type_shown = 0`): never more than `value_told`."""
    other, own = (first_choices(k1, k2, q, w, loyal=loyal) for loyal in (False, True))
    return max((a + b) / 2 for a, b in zip(other, own, strict=True))
