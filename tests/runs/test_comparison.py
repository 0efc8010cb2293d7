"""Populations against each other: which comparisons are made, and what their p-values are corrected for."""

from math import comb
from types import SimpleNamespace

import polars
import pytest

from mesabench import registry
from mesabench.runs.cohort import Population
from mesabench.runs.comparison import contrasts
from mesabench.scores.level_table import CEILING, FLOOR, RETURN
from mesabench.scores.score import Score

ENVIRONMENT = registry.find_environment("cheese_corner")


def population(environment: str, agent: str, variant: str, alpha: float, *true: float) -> Population:
    def trial(seed: int) -> SimpleNamespace:
        identity = {"agent": agent, "options": {"alpha": alpha}, "seed": seed, "environment": environment}
        return SimpleNamespace(
            agent=agent, variant=variant, options={"alpha": alpha}, settings={}, identity=identity
        )

    seeds = [
        SimpleNamespace(
            trial=trial(k), scores=SimpleNamespace(scores={"TRUE": Score(value)}), levels=levels(value)
        )
        for k, value in enumerate(true)
    ]
    return Population(ENVIRONMENT.named(environment, ""), seeds)


def levels(true: float) -> polars.DataFrame:
    """Levels on which an agent has this score, whether it is hard or easy ones that it masters."""
    names = ENVIRONMENT.objective_names
    rows = [
        {"split": "deploy", "level": k, "digest": str(k), "disambiguating": True}
        | FLOOR.row(dict.fromkeys(names, 0.0)) | CEILING.row(dict.fromkeys(names, 1.0))
        | RETURN.row(dict.fromkeys(names, float(k < 50 * true)))
        for k in range(50)
    ]  # fmt: skip
    return polars.DataFrame(rows)


def test_what_is_compared_with_what() -> None:
    low, high = (0.0, 0.1, 0.0, 0.2, 0.0) * 2, (0.9, 1.0, 0.8, 0.7, 0.95) * 2
    ordinary, control = (
        population("a", "ppo", "ordinary", 0, *low),
        population("a", "ppo", "control", 1, *high),
    )
    partly = population("a", "ppo", "alpha-0.1", 0.1, *high)
    other = population("a", "dqn", "ordinary", 0, *high)
    elsewhere = [population("b", "ppo", "ordinary", 0, *high), population("b", "ppo", "control", 1, *high)]
    single = population("a", "oracle", "ordinary", 0, 1.0)
    found = contrasts([ordinary, partly, control, other, *elsewhere, single], ["TRUE"])["TRUE"]
    assert [(one.environments, one.first, one.second) for one in found] == [
        (("a",), "ppo, ordinary", "ppo, control"),
        (("a",), "ppo, alpha=0.1", "ppo, control"),
        (("b",), "ppo, ordinary", "ppo, control"),
        (("a",), "ppo, ordinary", "dqn, ordinary"),
        (("a", "b"), "ppo, ordinary", "ppo, control"),
    ]
    assert [one.improvement.value for one in found] == [0, 0.5, 0.5, 0, 0.25]
    assert [one.p for one in found[:4]] == pytest.approx([4 * 2 / comb(20, 10), 1, 1, 4 * 2 / comb(20, 10)])
    assert found[4].p is None
    assert found[0].difference.value == pytest.approx(0.06 - 0.87, abs=0.005)
    assert found[0].difference.high < 0
    for one in found:
        assert one.elsewhere.low <= one.improvement.low <= one.improvement.high <= one.elsewhere.high
    assert found == contrasts([ordinary, partly, control, other, *elsewhere, single], ["TRUE"])["TRUE"]


def test_no_p_value_for_few_seeds() -> None:
    few_seeds = [
        population("a", "ppo", "ordinary", 0, 0, 0, 0),
        population("a", "ppo", "control", 1, 1, 1, 1),
    ]
    (one,) = contrasts(few_seeds, ["TRUE"])["TRUE"]
    assert (one.improvement.value, one.improvement.low, one.p) == (0, None, None)


def test_p_values_are_corrected_for_all_scores_that_are_shown() -> None:
    def both(one: Population) -> Population:
        for seed in one.seeds:
            seed.scores["COMP"] = seed.scores["TRUE"]
        return one

    sides = [
        both(population("a", "ppo", "ordinary", 0, *[0.0] * 10)),
        both(population("a", "ppo", "control", 1, *[1.0] * 10)),
    ]
    (alone,) = contrasts(sides, ["TRUE"])["TRUE"]
    found = contrasts(sides, ["TRUE", "COMP"])
    assert alone.p == pytest.approx(2 / comb(20, 10))
    assert [one.p for score in found.values() for one in score] == pytest.approx([2 * alone.p] * 2)
