"""Lande's and Kirkpatrick's results, found again without their algebra."""

from math import exp

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from mesabench.evolution import theory
from mesabench.evolution.population import run
from mesabench.registry import find_population

GRID = np.linspace(-40, 40, 40_001)
PREFERENCES = "psychophysical", "relative", "absolute"


def numerically(
    z: float, y: float, preference: str, variance: float, width: float, tolerance: float
) -> float:
    """S on a grid of males: who survives, who is liked, and by how much their mean has moved."""
    log = -((GRID - z) ** 2) / (2 * variance) - GRID**2 / (2 * width)
    survivors = np.exp(log - log.max())
    mean = (survivors * GRID).sum() / survivors.sum()
    log += {
        "psychophysical": y * GRID,
        "relative": -((GRID - mean - y) ** 2) / (2 * tolerance),
        "absolute": -((GRID - y) ** 2) / (2 * tolerance),
    }[preference]
    mated = np.exp(log - log.max())
    return float((mated * GRID).sum() / mated.sum()) - z


@pytest.mark.parametrize("preference", PREFERENCES)
@pytest.mark.parametrize(
    ("variance", "width", "tolerance"), [(1.0, 4.0, 2.0), (0.5, 25.0, 1.0), (2.0, 2.0, 0.7)]
)
def test_the_slope_of_the_line_is_that_of_roots_found_on_a_grid(
    preference, variance, width, tolerance
) -> None:
    points = np.array([0.5, 1.0, 2.0])
    roots = [
        brentq(lambda y, z=z: numerically(z, y, preference, variance, width, tolerance), -30, 30)
        for z in points
    ]
    assert roots / points == pytest.approx(
        [theory.line(preference, variance, width, tolerance)] * 3, abs=1e-8
    )
    for z, y in ((1.0, 0.3), (-2.0, 1.5)):
        of_algebra = theory.differential(z, y, preference, variance, width, tolerance)
        assert of_algebra == pytest.approx(
            numerically(z, y, preference, variance, width, tolerance), abs=1e-8
        )


@pytest.mark.parametrize("preference", PREFERENCES)
@pytest.mark.parametrize("females_pay", [0.5, 1.0])
def test_where_females_pay_the_line_is_where_both_sexes_changes_cancel(preference, females_pay) -> None:
    variance, width, z = 1.0, 4.0, 1.5

    def both(y: float) -> float:
        log = -((GRID - z) ** 2) / (2 * variance) - (females_pay * GRID) ** 2 / (2 * width)
        females = np.exp(log - log.max())
        change = float((females * GRID).sum() / females.sum()) - z
        return change + numerically(z, y, preference, variance, width, 2.0)

    assert brentq(both, -30, 30) / z == pytest.approx(
        theory.line(preference, variance, width, 2.0, females_pay), abs=1e-8
    )


def test_if_females_pay_as_much_as_males_the_psychophysical_line_is_twice_as_steep() -> None:
    assert theory.line("psychophysical", 0.5, 25.0, females_pay=1.0) == pytest.approx(2 / 25)


@pytest.mark.parametrize("slope", [0.05, 0.2, 0.2499, 0.2501, 0.4, 1.0])
def test_the_distance_to_the_line_grows_by_the_factor_on_both_sides_of_the_threshold(slope: float) -> None:
    variance, width, additive = 1.0, 4.0, 0.5
    z, y = 1.0, 1.7
    distance = y - z * theory.line("psychophysical", variance, width)
    factor = theory.growth(slope, additive, variance, width)
    assert (factor > 1) == (slope > 1 / width)
    for _ in range(20):
        z, y = theory.generation(
            z, y, "psychophysical", slope=slope, additive=additive, variance=variance, width=width
        )
        distance *= factor
        assert y - z / width == pytest.approx(distance, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("preference", PREFERENCES)
def test_the_line_parts_return_from_runaway(preference: theory.Preference) -> None:
    settings = {"variance": 1.0, "width": 4.0, "additive": 0.5, "tolerance": 2.0}
    k = theory.line(preference, 1.0, 4.0, 2.0)
    for times, returns in ((0.8, True), (1.2, False)):
        z, y = 1.0, k + 0.1
        for _ in range(200):
            z, y = theory.generation(z, y, preference, slope=times * k, **settings)
        assert (abs(y - k * z) < 0.1) == returns


@pytest.mark.parametrize(
    "start", [(0.3, 0.9), (0.25, 0.5), (0.35, 0.2), (0.3, 0.05), (0.2, 0.99), (0.4, 0.6)]
)
def test_the_two_locus_recursion_ends_on_kirkpatricks_line(start: tuple[float, float]) -> None:
    choosy, ornament = start
    found = np.outer([1 - ornament, ornament], [1 - choosy, choosy])
    for _ in range(5_000):
        found = theory.kirkpatrick_generation(found, cost=0.4, odds=4.0)
        found /= found.sum()
    at = theory.kirkpatrick_line(found[:, 1].sum(), cost=0.4, odds=4.0)
    assert found[1].sum() == pytest.approx(at, abs=1e-4)


def test_some_of_these_ends_lie_within_the_line_and_not_at_its_ends() -> None:
    inner = [theory.kirkpatrick_line(p, 0.4, 4.0) for p in (0.25, 0.3, 0.35)]
    assert all(0.01 < t < 0.99 for t in inner)
    assert inner == sorted(inner)


@given(
    st.lists(st.floats(0.01, 1), min_size=4, max_size=4),
    st.floats(0, 0.5),
    st.floats(0.01, 0.9),
    st.floats(1, 9),
)
def test_the_recursion_keeps_frequencies_frequencies(weights, recombination, cost, odds) -> None:
    start = np.array(weights).reshape(2, 2) / sum(weights)
    after = theory.kirkpatrick_generation(start, cost, odds, recombination)
    assert after.sum() == pytest.approx(1)
    assert (after >= 0).all()


def test_random_mating_lowers_the_ornament_as_one_locus_does() -> None:
    start = np.array([[0.25, 0.25], [0.25, 0.25]])
    after = theory.kirkpatrick_generation(start, cost=0.2, odds=1.0)
    males = 0.5 * 0.8 / (0.5 + 0.5 * 0.8)
    assert after[1].sum() == pytest.approx((0.5 + males) / 2)


def test_the_elk_run_away_where_their_covariance_says_so() -> None:
    """B/G of generations 20 to 60 lies above Lande's threshold where antlers run away, and below it where they do not."""
    elk = find_population("irish_elk")
    for condition, above in (("choice", True), ("narrow", False)):
        width = elk.conditions[condition].values(elk.knobs, {})[0].width
        course = run(elk, condition, 0, {"generations": 60})
        ratio = float(np.mean(course.inheritance[20:61]))
        assert 0.1 < ratio < 0.3
        assert (ratio > theory.line("psychophysical", 0.75, width)) == above


def test_a_preference_of_a_fixed_strength_ends_at_the_equilibrium_of_the_line() -> None:
    """No shift, a fixed preference, both sexes pay: antlers come to rest where survival and mating cancel."""
    elk = find_population("irish_elk")
    course = run(
        elk, "no-shift", 0, {"generations": 1500}
    )  # a hundred of them bring it two thirds of the way
    variance = float(course.covariances[600:, 0, 0].mean()) + 0.25  # genes and what is not inherited
    slope = theory.line("psychophysical", variance, 9.0, females_pay=1.0)
    assert float(course.trait[600:].mean()) == pytest.approx(0.55 / slope, rel=0.1)


def test_survivors_of_a_narrow_width_vary_less() -> None:
    assert theory.surviving(1.0, 1.0) == 0.5
    assert exp(-theory.surviving(1.0, 1e9)) == pytest.approx(exp(-1))
