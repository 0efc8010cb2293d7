"""The point of indifference is where compliance passes one half, and where it does not there is a reason."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesabench.statistics.indifference import indifference

GAINS = np.array([-3.0, -1.0, -0.5, 0.5, 1.0, 4.0])


@given(st.permutations(range(len(GAINS))), st.integers(1, len(GAINS) - 1))
def test_a_step_is_passed_between_the_two_gains_where_it_is(order: list[int], k: int) -> None:
    rates = (np.arange(len(GAINS)) >= k).astype(float)
    found = indifference(GAINS[order], rates[order][None], seed=0)
    assert found.between == (GAINS[k - 1], GAINS[k])
    assert found.value == pytest.approx((GAINS[k - 1] + GAINS[k]) / 2)
    assert found.low is None  # of one seed


def test_noise_is_made_to_rise_and_unknown_contracts_say_nothing() -> None:
    rates = np.array([[0.0, 0.2, 0.1, np.nan, 0.9, 1.0]])
    found = indifference(GAINS, rates, seed=0)
    assert found.between == (-0.5, 1.0)
    # 0.2 and 0.1 are 0.15 each: the fit rises from there to 0.9
    assert found.value == pytest.approx(-0.5 + 1.5 * (0.5 - 0.15) / 0.75)


def test_contracts_that_pay_alike_count_together() -> None:
    found = indifference([0, 0, 1], [[0.0, 0.4, 0.8]], seed=0)
    assert found.value == pytest.approx((0.5 - 0.2) / (0.8 - 0.2))


def test_seeds_are_resampled_for_the_interval() -> None:
    steps = np.array([(at < GAINS).astype(float) for at in (-2, -0.7, -0.7, -0.7, 0, 0, 0, 0, 0.7, 2)])
    found = indifference(GAINS, steps, seed=0)
    assert found.low is not None
    assert found.high is not None
    assert found.value is not None
    assert -2 < found.low < found.value < found.high < 2
    assert found == indifference(GAINS, steps, seed=0)


@pytest.mark.parametrize(
    ("rates", "reason"),
    [
        ([1.0, 0.9, 1.0, 1.0, 1.0, 1.0], "in most rounds whatever"),
        ([0.0, 0.0, 0.0, 0.0, 0.1, 0.0], "less than half of the rounds whatever"),
        ([0.45, 0.45, 0.45, 0.55, 0.55, 0.55], "about as often whatever"),
        ([np.nan] * 6, "has no contract of which gain and compliance are both known"),
    ],
)
def test_where_there_is_none_it_says_why(rates: list[float], reason: str) -> None:
    found = indifference(GAINS, [rates], seed=0)
    assert found.value is None
    assert reason in str(found.reason)


def test_one_rate_of_each_contract_is_asked_for() -> None:
    with pytest.raises(ValueError, match=r"rates must be \(seeds, 6\)"):
        indifference(GAINS, [[0.0, 1.0]], seed=0)


@pytest.mark.parametrize("n", [10, 20])
def test_the_interval_holds_the_truth(n: int) -> None:
    """Each seed complies from a gain of its own on; half of all seeds do from 0.3."""
    rng, gains, held = np.random.default_rng(2), np.linspace(-2, 2, 33), []
    for k in range(120):
        rates = (gains >= rng.normal(0.3, 0.6, (n, 1))).astype(float)
        found = indifference(gains, rates, seed=k, resamples=200)
        held.append(
            found.low is not None and found.low - 0.07 <= 0.3 <= found.high + 0.07
        )  # half a step of the grid
    assert np.mean(held) >= 0.9
