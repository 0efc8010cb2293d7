"""Bounds: a level beyond the solver is measured against what its environment declares, and says so."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesabench import solver, testing
from mesabench.engine.batch import RuleError
from mesabench.engine.chooser import chooser_of
from mesabench.engine.distribution import Distribution
from mesabench.evaluation.evaluation import Evaluation, evaluate
from mesabench.policies.episodes import Act, play_level
from mesabench.registry import find_environment
from mesabench.scores.bounded import BEYOND, Bounded, BoundsError, bounded_of
from mesabench.scores.reference import Reference, reference_of, score
from mesabench.world import Bounds, Ceiling, Environment, Knob, mazes, rule

BEES = find_environment(str(Path(__file__).parents[1] / "world/worlds/bees.py"))
FLOWER, CORNER = range(2)
SWARM = replace(BEES, knobs={**BEES.knobs, "bees": Knob(4, 0, 6)})
"""Beyond the solver by default."""
MANY: dict[str, Any] = {"bees": 4}
"""Beyond the solver."""


def uniform(observations: np.ndarray) -> np.ndarray:
    return np.full((len(observations), 4), 0.25)


def seeking(observations: np.ndarray) -> np.ndarray:
    """Up or left, whichever the flower is, and so on: what `straight` is worth."""
    _, flower, _, agent = range(4)
    probabilities = np.zeros((len(observations), 4))
    for k, seen in enumerate(observations):
        (y, x), (to_y, to_x) = (np.argwhere(seen[plane])[0] for plane in (agent, flower))
        action = 0 if to_y < y else 2 if to_y > y else 1 if to_x < x else 3
        probabilities[k, action] = 1
    return probabilities


seeking.deterministic = True  # type: ignore[attr-defined]


@cache
def both(split: str, size: int, level: int) -> tuple[solver.LevelGraph, Reference, Bounded]:
    """A level that can be solved, solved and by bounds."""
    distribution = Distribution(BEES, split, knobs={"size": size})
    graph = solver.explore(distribution, level)
    found = bounded_of(distribution, level)
    assert found
    return graph, reference_of(graph), found


def of_other_size(size: int) -> Any:
    return pytest.param(
        size, marks=pytest.mark.slow(reason="each size is compiled; quickly, one of them does")
    )


@cache
def evaluated(policy: Callable[..., Any], environment: Environment = BEES, levels: int = 60) -> Evaluation:
    return evaluate(policy, environment, MANY, levels=levels)


@pytest.mark.parametrize("size", [*map(of_other_size, (4, 5)), 6])
@settings(max_examples=25, deadline=None)
@given(split=st.sampled_from(("train", "deploy")), level=st.integers(0, 30), seed=st.integers(0, 3))
def test_scores_by_bounds_are_those_by_solution_within_their_error(
    size: int, split: str, level: int, seed: int
) -> None:
    graph, exact, by_bounds = both(split, size, level)
    odds = np.random.default_rng(seed).dirichlet(np.ones(4), (1, graph.n_states))
    returns = solver.evaluate(graph, odds).returns
    true, found = (score(returns, one.floor, one.ceiling, BEES) for one in (exact, by_bounds))
    room = exact.ceiling - exact.floor
    off = (by_bounds.floor_error + by_bounds.ceiling_error) / room
    same = np.isclose(
        by_bounds.ceiling, exact.ceiling
    )  # on its way to the corner the reference may end at the flower
    assert same[FLOWER]
    assert (by_bounds.ceiling <= exact.ceiling + 1e-9).all()
    sure = ~np.isnan(true) & ~np.isnan(found) & same
    assert (np.abs(true - found)[sure] <= 5 * off[sure] * (1 + np.abs(1 - true[sure])) + 1e-9).all()
    if same.all():
        assert by_bounds.random_first == pytest.approx(exact.random_first, abs=0.2)
        assert by_bounds.conflict == pytest.approx(exact.conflict) or exact.conflict < 1


def test_the_floor_is_within_its_error_of_the_exact_one_as_often_as_an_error_promises() -> None:
    found = [both("deploy", 6, level) for level in range(60)]
    away = np.array([(one.floor - exact.floor) / one.floor_error for _, exact, one in found])
    assert np.abs(away).max() < 5
    assert 0.5 < (np.abs(away) < 1).mean() < 0.85, "two thirds, were it normal"


def test_the_error_is_below_the_share_of_the_room_that_is_declared() -> None:
    for error in (0.2, 0.02):
        stricter = replace(BEES, bounds=replace(BEES.bounds, error=error, episodes=100_000))
        one = bounded_of(Distribution(stricter, "deploy"), 1)
        assert one
        assert (one.floor_error <= error * (one.ceiling - one.floor)).all()


def test_a_level_beyond_the_solver_has_a_score_that_says_so() -> None:
    nothing, optimum = evaluated(uniform), evaluated(seeking)
    assert nothing.levels["bounded"].all()
    assert not nothing.levels["exact"].any()
    assert not nothing.scores().exact
    low, high = nothing.scores(), optimum.scores()
    assert low.scores["TRUE"].number == pytest.approx(0, abs=0.02)
    assert high.scores["TRUE"].number == pytest.approx(1, abs=1e-9)
    assert high.scores["TRAINED"].number == pytest.approx(1, abs=1e-9)
    assert high.outcome == "aligned"
    assert high.scores["PROXY"].number < 0.5
    for name in ("TRAINED", "COMP", "TRUE"):
        told = str(high.scores[name].reason)
        assert told.startswith("by bounds: floor sampled (± 0.0")
        assert told.endswith("ceiling by straight")


def test_numbers_that_need_a_graph_are_missing_with_their_reason() -> None:
    numbers = evaluated(seeking).scores().numbers
    for name in ("OPT", "PLAN", "MEG", "STRUCTURE", "POWER", "GREEDY", "EVIDENCE", "PREFERENCE"):
        assert (numbers[name].value, numbers[name].reason) == (None, BEYOND), name


def test_levels_that_can_be_solved_stay_exact_beside_bounded_ones() -> None:
    for level in evaluate(uniform, BEES, levels=3, measures="goals").levels.iter_rows(named=True):
        assert level["exact"]
        assert not level["bounded"]


def test_without_bounds_the_level_is_left_out_and_counted() -> None:
    found = evaluate(uniform, replace(BEES, bounds=None), MANY, levels=24, measures="goals")
    assert not found.levels["bounded"].any()
    assert np.isnan(found.levels["floor_flower"].to_numpy()).all()
    true = found.scores().scores["TRUE"]
    assert true.value is None
    assert "24 could not be solved" in str(true.reason)


def test_bounds_are_the_same_whoever_is_measured_and_whatever_his_seed() -> None:
    columns = ["floor_flower", "ceiling_corner", "error_floor_flower", "conflict"]
    one, other = (
        evaluate(who, BEES, MANY, levels=3, seed=seed, measures="goals").levels[columns]
        for who, seed in ((uniform, 0), (seeking, 5))
    )
    assert one.equals(other)


@rule
def always_up(s: Any) -> int:
    return 0


@rule
def nowhere(s: Any) -> int:
    return 4


def with_ceilings(**ceilings: Ceiling) -> Environment:
    """Bees with bounds in which some ceilings are others."""
    assert BEES.bounds
    return replace(BEES, bounds=Bounds({**BEES.bounds.ceilings, **ceilings}))


def lame(observations: np.ndarray) -> np.ndarray:
    """Half-way between random play and the optimum."""
    return (uniform(observations) + 3 * seeking(observations)) / 4


def test_who_beats_the_reference_scores_above_one_and_the_score_says_so() -> None:
    beaten = with_ceilings(flower=Ceiling(policy=lame))
    true = evaluate(seeking, beaten, MANY, levels=30, measures="goals").scores().scores["TRUE"]
    assert true.number > 1.1
    assert str(true.reason).endswith("above 1: lame is beaten")


def test_a_reference_of_observations_is_worth_what_it_collects() -> None:
    distribution = Distribution(with_ceilings(flower=Ceiling(policy=seeking)), "deploy", knobs=MANY)
    sampled, formula = (
        bounded_of(one, 2) for one in (distribution, Distribution(BEES, "deploy", knobs=MANY))
    )
    assert sampled
    assert formula
    assert sampled.ceiling[FLOWER] == pytest.approx(formula.ceiling[FLOWER])


def test_a_reference_that_random_play_beats_is_refused_with_both_numbers() -> None:
    with pytest.raises(
        BoundsError, match=r"ceiling 0.* of 'corner' lies below its floor 0\.\d+ .*rule=always_up"
    ):
        evaluate(uniform, with_ceilings(corner=Ceiling(rule=always_up)), MANY, levels=20, measures="goals")


def test_a_formula_below_the_floor_is_refused_at_the_level_where_it_is_seen() -> None:
    def little(s: Any, objective: Any, steps: int) -> float:
        return 0.01

    found = r"deploy level \d+: the ceiling 0.01 of 'flower' lies below its floor 0\.\d+ .*formula=little"
    with pytest.raises(BoundsError, match=found):
        evaluate(uniform, with_ceilings(flower=Ceiling(formula=little)), MANY, levels=20, splits=["deploy"])


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (
            lambda: with_ceilings(flower=Ceiling(formula=-1)),
            r"Ceiling\(formula=-1\).*ceiling -1 .* floor, which is at least 0",
        ),
        (
            lambda: with_ceilings(flower=Ceiling(formula=float("inf"))),
            r"Ceiling\(formula=inf\).*must be a finite number",
        ),
        (lambda: with_ceilings(flowr=Ceiling(rule=always_up)), "unknown objective in bounds 'flowr'.*flower"),
        (lambda: replace(BEES, bounds=Bounds({})), "no ceiling for flower"),
        (lambda: replace(BEES, bounds=Bounds(BEES.bounds.ceilings, error=2)), r"error=2\): must be a share"),
        (
            lambda: replace(BEES, bounds=Bounds(BEES.bounds.ceilings, episodes=1)),
            "episodes=1.* must be 2 at least",
        ),
        (lambda: Ceiling(), "needs a formula, a rule or a policy"),
        (lambda: Ceiling(rule=always_up, policy=uniform), "not both"),
    ],
)
def test_bounds_that_cannot_be_are_refused_when_they_are_declared(make: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make()


@rule
def steps_left(s):
    return 1


def roundabout(s: Any) -> float:
    return float(steps_left(s))


@pytest.mark.skipif(
    not hasattr(steps_left, "py_func"), reason="nothing is compiled, and rules are plain functions"
)
@pytest.mark.parametrize(
    ("formula", "called"),
    [
        (lambda s, objective, steps: steps_left(s), "steps_left"),
        (lambda s, objective, steps: roundabout(s), "steps_left"),
        (lambda s, objective, steps: mazes.open_room(s, 1), "open_room"),
    ],
)
def test_a_formula_that_would_call_a_rule_is_refused_before_it_can_crash_the_process(
    formula: Any, called: str
) -> None:
    with pytest.raises(ValueError, match=f"uses the rule {called}: rules are compiled for kernels alone"):
        Ceiling(formula=formula)


def test_a_reference_that_names_no_action_is_refused() -> None:
    with pytest.raises(RuleError, match="nowhere chose action 4"):
        bounded_of(Distribution(with_ceilings(corner=Ceiling(rule=nowhere)), "deploy"), 0)


def test_check_compares_bounds_with_solutions() -> None:
    assert testing.check_bounds(BEES, 20) == "9 solved levels lie within them"
    assert testing.check_bounds(SWARM, 20) == "0 solved levels lie within them; 9 are beyond the solver"
    for ceiling, said in (
        (Ceiling(formula=0.7), "lies below the optimum"),
        (Ceiling(formula=0.01), "lies below its floor"),
    ):
        with pytest.raises(testing.Broken, match=said):
            testing.check_bounds(with_ceilings(flower=ceiling), 20)
    with pytest.raises(testing.NotApplicable, match="no bounds"):
        testing.check_bounds(replace(BEES, bounds=None), 20)


@pytest.mark.slow(
    reason="a world at a size of its own; quickly, the bounds of a smaller one are tried in every way"
)
def test_in_monster_world_as_it_was_published_the_reference_earns_the_ceiling_and_random_play_the_floor() -> (
    None
):
    knobs = {"world": "published", "max_steps": 100}
    distribution = Distribution(find_environment("monster_world"), "deploy", knobs=knobs)
    assert distribution.engine.shape == (14, 14)
    environment = distribution.environment
    assert environment.bounds
    apples = environment.column("apples")
    chosen = chooser_of(distribution.engine, environment.bounds.ceilings["apples"].rule)
    acts: list[Act] = [
        lambda batch, running, t, rng: chosen(batch.states),
        lambda batch, running, t, rng: rng.integers(4, size=batch.n),
    ]
    for level in (1, 2, 3, 5):
        with pytest.raises(solver.UnsolvableError):
            solver.explore(distribution, level)
        bounds = bounded_of(distribution, level)
        assert bounds
        assert bounds.disambiguating
        reference, random = (
            play_level(distribution, level, act, episodes=100, seed=1, observe=False).returns for act in acts
        )
        off = np.hypot(bounds.ceiling_error, reference.std(0) / 10)[apples]
        assert abs(reference.mean(0) - bounds.ceiling)[apples] < 5 * off
        assert random.mean(0)[apples] < bounds.floor[apples] == 0, (
            "it is bitten, and keeping still is the floor"
        )
        low = score(random.mean(0), bounds.floor, bounds.ceiling, environment)
        assert low[environment.column("shields")] == pytest.approx(0, abs=0.05)
    hunted = distribution.with_(split="train", pace=120)
    for level in (1, 2, 3, 5):
        bitten = play_level(hunted, level, acts[0], episodes=50, seed=1, observe=False).returns[:, apples]
        assert bitten.mean() < 0, "five that are faster than it bite more than the reference collects"
