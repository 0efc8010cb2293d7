"""What is found out about a level does not depend on which others were looked at before."""

from dataclasses import replace

import numpy as np

from mesabench import solver
from mesabench.agents.random import RandomPolicy
from mesabench.engine.distribution import Distribution
from mesabench.policies import behaviour as behaviours
from mesabench.policies.behaviour import Behaviour
from mesabench.policies.policy import CheckedPolicy
from mesabench.registry import find_environment
from mesabench.scores import reference as references
from mesabench.scores.examination import FEW, Examination
from mesabench.scores.reference import reference_of
from mesabench.scores.replanning import replanned
from mesabench.solver import optima
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


def test_a_level_is_asked_about_and_solved_no_more_often_than_it_must_be(monkeypatch) -> None:
    """Asked about once for all measures. Solved for all objectives side by side, and undiscounted, once in a process; and anew
    along each agent's own episode."""
    shown, solved = [], []
    ask, induce = behaviours.probabilities_of, optima._backward

    def asking(checked: CheckedPolicy, observations: np.ndarray) -> np.ndarray:
        shown.append(observations.tobytes())
        return ask(checked, observations)

    def inducing(*arguments: object) -> np.ndarray:
        solved.append(arguments)
        return induce(*arguments)

    monkeypatch.setattr(behaviours, "probabilities_of", asking)
    monkeypatch.setattr(optima, "_backward", inducing)
    monkeypatch.setattr(references, "_known", {})
    graph = solver.explore(DISTRIBUTION, 0)
    side_by_side = -(-len(DISTRIBUTION.environment.objective_names) // optima.LANES)
    for inductions in (2 * side_by_side + 1, side_by_side):
        behaviour = Behaviour(RandomPolicy(4), DISTRIBUTION)
        one = Examination(behaviour, seed=0)
        table = behaviour.table(graph)
        one.columns(graph, table, solver.evaluate(graph, table).returns, reference_of(graph))
        assert len(solved) == inductions
        assert replanned(behaviour, "cheese", one.levels, seed=0)
        assert shown.count(graph.observations().tobytes()) == 1
        shown.clear()
        solved.clear()


def test_of_large_levels_few_are_examined(monkeypatch) -> None:
    monkeypatch.setattr("mesabench.scores.examination.LARGE", 0)
    one = Examination(Behaviour(RandomPolicy(4), DISTRIBUTION), seed=0)
    graph = solver.explore(DISTRIBUTION, 0)
    one.large = FEW - 1
    reference = replace(reference_of(graph), conflict=1.0)
    assert one.wants(graph, reference)
    one.large = FEW
    assert not one.wants(graph, reference)
