"""Levels do what their graphs say, and graphs that say something else are found."""

import dataclasses

import numpy as np
import pytest

from mesabench.engine.distribution import Distribution
from mesabench.registry import find_environment
from mesabench.solver.agreement import disagreement
from mesabench.solver.graph import explore


@pytest.fixture(scope="module")
def by_chance():
    """A level whose outcomes of chance are seldom evenly likely."""
    graph = explore(Distribution(find_environment("executive_hiring"), "deploy", knobs={"lies": 20}), 1)
    assert not graph.deterministic
    return graph


def test_chances_that_differ_are_found(by_chance) -> None:
    graph = by_chance
    assert disagreement(graph) is None
    probability = graph.probability.copy()
    for row in range(len(graph.first) - 1):
        own = slice(graph.first[row], graph.first[row + 1])
        probability[own] = (
            [0.9, *np.full(len(probability[own]) - 1, 0.1)] if len(probability[own]) > 1 else 1.0
        )
    assert "do not come as often" in disagreement(dataclasses.replace(graph, probability=probability))


def test_outcomes_that_are_missing_are_found(by_chance) -> None:
    graph = by_chance
    for changed in (
        {"events": np.where(graph.events, graph.events ^ 1, 0).astype(np.uint32)},
        {"successor": np.where(graph.successor > 0, graph.successor - 1, graph.successor).astype(np.int32)},
    ):
        assert "does not foresee" in disagreement(dataclasses.replace(graph, **changed))
