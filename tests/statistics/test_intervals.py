"""Intervals over seeds: nominal coverage, rows kept together, silence where there is too little to say."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from mesabench.statistics.intervals import FEWEST, bootstrap_mean, performance_profile, wilson


def test_the_width_follows_the_level() -> None:
    values = np.random.default_rng(3).normal(size=30)
    widths = [
        one.high - one.low
        for level in (0.5, 0.8, 0.95)
        for one in bootstrap_mean(values, seed=0, level=level)
    ]
    assert widths[0] < widths[1] < widths[2]
    standard_error = values.std(ddof=1) / np.sqrt(30)
    assert widths[2] == pytest.approx(2 * 1.96 * standard_error, rel=0.1)


def test_rows_are_resampled_together() -> None:
    x = np.random.default_rng(0).normal(size=12)
    first, higher, difference = bootstrap_mean(
        np.stack([x, x + 1, x - x], axis=1), seed=5, lowest=(-4, -3, 0), highest=(4, 5, 0)
    )
    assert (higher.low, higher.high) == pytest.approx((first.low + 1, first.high + 1))
    assert (difference.low, difference.high) == (0, 0)


def test_a_missing_number_is_left_out_of_its_column_only() -> None:
    rng = np.random.default_rng(0)
    whole = rng.normal(size=(14, 2))
    holed = whole.copy()
    holed[[1, 4], 1] = np.nan
    before, after = bootstrap_mean(whole, seed=0), bootstrap_mean(holed, seed=0)
    assert after[0] == before[0]
    assert after[1].n == 12
    assert after[1].value == pytest.approx(np.delete(whole[:, 1], [1, 4]).mean())
    assert after[1].low < after[1].value < after[1].high


@pytest.mark.parametrize("n", range(FEWEST))
def test_few_seeds_have_no_interval(n: int) -> None:
    (one,) = bootstrap_mean(np.arange(float(n)), seed=0)
    assert (one.low, one.high, one.n) == (None, None, n)
    assert np.isnan(one.value) if n == 0 else one.value == (n - 1) / 2
    holed = np.full((20, 2), np.nan)
    holed[:n, 0] = 1
    few, none = bootstrap_mean(holed, seed=0)
    assert (few.low, few.n, none.low, none.n) == (None, n, None, 0)
    assert np.isnan(none.value)


def test_the_same_seed_gives_the_same_bytes() -> None:
    values = np.random.default_rng(1).normal(size=(20, 3))
    assert bootstrap_mean(values, seed=4) == bootstrap_mean(values.copy(order="F"), seed=4)
    assert bootstrap_mean(values, seed=4) != bootstrap_mean(values, seed=5)
    before = np.random.get_state()[1].tobytes()  # noqa: NPY002
    bootstrap_mean(values, seed=4)
    assert np.random.get_state()[1].tobytes() == before  # noqa: NPY002


@given(arrays(np.float64, (11, 2), elements=st.floats(-1, 1) | st.just(np.nan)))
def test_an_interval_lies_within_the_bounds(values: np.ndarray) -> None:
    found = bootstrap_mean(values, seed=0, lowest=-1, highest=1, resamples=50)
    for column, one in zip(values.T, found, strict=True):
        seen = column[~np.isnan(column)]
        assert one.n == len(seen)
        if one.low is not None:
            assert -1 - 1e-12 <= one.low <= one.high <= 1 + 1e-12


def test_ten_of_ten_are_no_certainty() -> None:
    (one,) = bootstrap_mean(np.ones(10), seed=0)
    assert (one.value, one.high, one.n) == (1.0, 1.0, 10)
    assert one.low == pytest.approx(wilson(10, 10)[0], abs=0.05)


def test_what_could_lie_anywhere_has_no_interval() -> None:
    rows = np.random.default_rng(0).normal(size=(20, 3))
    found = bootstrap_mean(rows, seed=0, lowest=(-10, -np.inf, -10), highest=(10, 10, np.inf))
    assert [one.low is None for one in found] == [False, True, True]
    assert [one.n for one in found] == [20, 20, 20]


@pytest.mark.parametrize(
    ("values", "options"),
    [
        ([1.0, np.inf, 2.0], {}),
        (np.zeros((2, 2, 2)), {}),
        ([1.0], {"level": 1.0}),
        ([1.0], {"resamples": 0}),
    ],
)
def test_what_makes_no_sense_is_refused(values: object, options: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="must"):
        bootstrap_mean(values, seed=0, **options)


@pytest.mark.parametrize(
    (
        "count",
        "n",
        "level",
        "expected",
    ),  # scipy.stats.binomtest(count, n).proportion_ci(level, method="wilson")
    [
        (0, 10, 0.95, (0.0000000000, 0.2775327999)),
        (5, 10, 0.95, (0.2365930905, 0.7634069095)),
        (19, 20, 0.95, (0.7638688066, 0.9911185512)),
        (3, 30, 0.8, (0.0493303918, 0.1921930259)),
        (100, 100, 0.99, (0.9377793123, 1.0000000000)),
    ],
)
def test_wilson_is_what_scipy_says(count: int, n: int, level: float, expected: tuple[float, float]) -> None:
    assert wilson(count, n, level) == pytest.approx(expected, abs=1e-9)


@given(st.integers(0, 60), st.integers(1, 60), st.sampled_from((0.8, 0.95, 0.99)))
def test_wilson_holds_the_share(count: int, n: int, level: float) -> None:
    count = min(count, n)
    low, high = wilson(count, n, level)
    assert 0 <= low <= count / n <= high <= 1
    assert wilson(n - count, n, level) == pytest.approx((1 - high, 1 - low), abs=1e-12)


def test_wilson_of_nothing_and_of_nonsense() -> None:
    assert wilson(0, 0) == (0, 1)
    with pytest.raises(ValueError, match="3 of 2"):
        wilson(3, 2)


@given(
    st.lists(st.lists(st.floats(0, 1) | st.just(np.nan), max_size=12), max_size=3),
    st.lists(st.floats(-0.1, 1.1), min_size=2, max_size=5),
)
def test_a_profile_is_the_share_above_and_falls(groups: list[list[float]], thresholds: list[float]) -> None:
    thresholds.sort()
    profile = performance_profile(groups, thresholds)
    known = np.array([one for group in groups for one in group if not np.isnan(one)])
    for tau, one in zip(thresholds, profile, strict=True):
        assert one.n == len(known)
        assert np.isnan(one.value) if len(known) == 0 else one.value == pytest.approx(np.mean(known > tau))
    if len(known):
        assert all(after.value <= before.value for before, after in pairwise(profile))
    sizes = [sum(not np.isnan(one) for one in group) for group in groups]
    assert (profile[0].low is None) == (min([size for size in sizes if size], default=0) < FEWEST)
