"""The Price equation is an identity: for drawn families, and in every generation of the elk."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesabench.evolution.heredity import price
from mesabench.evolution.population import generations
from mesabench.registry import find_population

TRAITS = st.floats(-10, 10)


@st.composite
def families(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n = draw(st.integers(1, 12))
    k = draw(st.sampled_from([1, 2]))
    m = draw(st.integers(1, 20))
    parents = np.array(draw(st.lists(TRAITS, min_size=n, max_size=n)))
    children = np.array(draw(st.lists(TRAITS, min_size=m, max_size=m)))
    rows = draw(st.lists(st.integers(0, n - 1), min_size=m * k, max_size=m * k))
    return parents, children, np.array(rows).reshape(m, k)


@given(families())
def test_a_change_is_selection_and_transmission_and_nothing_else(family) -> None:
    found = price(*family)
    assert found.change == pytest.approx(found.selection + found.transmission, abs=1e-12)


@given(families())
def test_the_parts_are_those_of_the_definition(family) -> None:
    parents, children, of = family
    fitness = np.array([(of == k).sum() / of.shape[1] for k in range(len(parents))])
    mean_difference = np.array(
        [
            np.mean(
                [child - parent for child, row in zip(children, of, strict=True) for one in row if one == k]
            )
            if fitness[k]
            else 0.0
            for k, parent in enumerate(parents)
        ]
    )
    found = price(*family)
    selection = np.cov(fitness, parents, bias=True)[0, 1] / fitness.mean() if len(parents) > 1 else 0.0
    assert found.selection == pytest.approx(selection, abs=1e-9)
    assert found.transmission == pytest.approx((fitness * mean_difference).mean() / fitness.mean(), abs=1e-9)


def test_without_selection_or_without_change_in_heredity_a_part_is_nothing() -> None:
    parents = np.array([1.0, 2.0, 3.0])
    even = price(parents, parents + 0.5, np.array([[0], [1], [2]]))
    assert even.selection == pytest.approx(0)
    assert even.transmission == pytest.approx(0.5)
    true = price(parents, np.array([3.0, 3.0]), np.array([[2], [2]]))
    assert (true.selection, true.transmission) == pytest.approx((1, 0))


@pytest.mark.parametrize("condition", ["choice", "both-pay", "shift", "random"])
def test_it_holds_in_every_generation_of_the_elk_until_the_last(condition: str) -> None:
    elk = find_population("irish_elk")
    before, checked = None, 0
    for one in generations(elk, condition, 3, {"capacity": 200}):
        if before is not None and len(one.animals):
            of = np.stack([one.mothers, one.fathers], axis=1)
            for trait in range(len(elk.traits)):
                found = price(before.animals[:, trait], one.animals[:, trait], of)
                assert found.change == pytest.approx(found.selection + found.transmission, abs=1e-12)
            checked += 1
        before = one
    assert checked > 50


def test_choice_selects_for_antlers_and_random_mating_does_not() -> None:
    elk = find_population("irish_elk")
    parts = {}
    for condition in ("choice", "random"):
        found = [*generations(elk, condition, 0, {"generations": 60})]
        parts[condition] = sum(
            price(
                old.animals[:, 0], new.animals[:, 0], np.stack([new.mothers, new.fathers], axis=1)
            ).selection
            for old, new in pairwise(found)
        )
    assert parts["choice"] > 2
    assert abs(parts["random"]) < 1


@pytest.mark.parametrize(
    ("parents", "children", "of", "words"),
    [
        ([1.0], [], np.zeros((0, 1), int), "there must be a child"),
        ([1.0], [1.0], np.zeros((1, 3), int), "one or two parents"),
        ([1.0], [np.nan], np.zeros((1, 1), int), "must be finite"),
        ([1.0], [1.0], np.ones((1, 1), int), "there are 0 to 0"),
    ],
)
def test_families_that_are_none_are_refused(parents, children, of, words) -> None:
    with pytest.raises(ValueError, match=words):
        price(parents, children, of)
