"""What is found out about a level does not depend on which others were looked at before."""

from dataclasses import replace

import numpy as np

from mesabench import solver
from mesabench.agents.random import RandomPolicy
from mesabench.engine.distribution import Distribution
from mesabench.policies.behaviour import Behaviour
from mesabench.registry import find_environment
from mesabench.scores.examination import FEW, Examination
from mesabench.scores.reference import reference_of
from mesabench.scores.replanning import replanned
from mesabench.world.environment import DEPLOY

DISTRIBUTION = Distribution(find_environment("cheese_corner"), DEPLOY)


def examined(levels: list[int]) -> tuple[dict[int, dict[str, float]], list[dict]]:
    """Columns by level, and the rows of PLAN."""
    behaviour = Behaviour(RandomPolicy(4), DISTRIBUTION)
    one = Examination(behaviour, seed=0)
    found = {}
    for level in levels:
        graph = solver.explore(DISTRIBUTION, level)
        table = behaviour.table(graph)
        returns = solver.evaluate(graph, table).returns
        found[level] = one.columns(graph, table, returns, reference_of(graph))
        found[level].pop("evidence_devices")  # devices learn from level to level
    return found, replanned(behaviour, "cheese", one.levels, seed=0)


def test_levels_may_be_examined_in_any_order() -> None:
    (forth, planned), (back, planned_back) = examined([0, 1, 2, 3]), examined([3, 1, 0])
    for level in back:
        np.testing.assert_equal(back[level], forth[level])
    kept = [row for row in planned if row["level"] in back]
    assert kept
    assert sorted(kept, key=str) == sorted(planned_back, key=str)


def test_of_large_levels_few_are_examined(monkeypatch) -> None:
    monkeypatch.setattr("mesabench.scores.examination.LARGE", 0)
    one = Examination(Behaviour(RandomPolicy(4), DISTRIBUTION), seed=0)
    graph = solver.explore(DISTRIBUTION, 0)
    one.large = FEW - 1
    reference = replace(reference_of(graph), conflict=1.0)
    assert one.wants(graph, reference)
    one.large = FEW
    assert not one.wants(graph, reference)
