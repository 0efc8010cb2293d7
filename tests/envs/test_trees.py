"""Trees: their rules once more in plain Python, optima that follow by hand, and what becomes of the published forest."""

import json
import math
from pathlib import Path

import numpy as np
import pytest
from drawn import optimum
from kinds import OWN_RULES

from mesabench import solver
from mesabench.agents.random import RandomPolicy
from mesabench.engine.batch import Batch
from mesabench.engine.chooser import chooser_of
from mesabench.engine.distribution import distribution_of
from mesabench.scores.bounded import bounded_of
from mesabench.scores.reference import reference_of

pytestmark = OWN_RULES

Cell = tuple[int, int]
State = tuple[Cell, frozenset[Cell]]
MOVES = ((-1, 0), (0, -1), (1, 0), (0, 1))
TREE, AGENT = 2, 4


class Forest:
    """The rules as Shah et al. 2022 word them. A state is (agent, trees); cells count from 0, the border of wall included."""

    def __init__(self, side: int, most: int) -> None:
        self.most = most
        self.cells = {(y, x) for y in range(1, side + 1) for x in range(1, side + 1)}

    def moved(self, state: State, action: int) -> State:
        (y, x), trees = state
        ahead = y + MOVES[action][0], x + MOVES[action][1]
        return (ahead, trees - {ahead}) if ahead in self.cells else state

    def regrowth(self, trees: int) -> float:
        """The chance of one more tree, where so many stand."""
        if trees == self.most:
            return 0.0
        return max(1e-6, 0.3 * math.log(1 + trees) / math.log(1 + self.most))

    def empty(self, state: State) -> list[Cell]:
        return sorted(self.cells - state[1] - {state[0]})


def towards_a_tree(state: State, rng: np.random.Generator) -> int:
    """To the nearest, or anywhere: so that forests thin out, and die."""
    (y, x), trees = state
    if not trees or rng.random() < 0.2:
        return int(rng.integers(4))
    to_y, to_x = min(trees, key=lambda one: abs(one[0] - y) + abs(one[1] - x))
    return {-1: 0, 1: 2}[np.sign(to_y - y)] if to_y != y else {-1: 1, 1: 3}[np.sign(to_x - x)]


@pytest.mark.parametrize(("world", "side", "most"), [("small", 3, 3), ("published", 10, 10)])
def test_a_forest_grows_as_its_rules_say(world: str, side: int, most: int) -> None:
    """Step by step beside plain Python: what the move leaves, when a tree appears, and on which of the empty cells."""
    n, steps, forest = 40, 100, Forest(side, most)
    batch = Batch(distribution_of("trees", {"split": "deploy", "world": world}), n, threads=1)
    for i in range(n):
        batch.seed(i, i)
    batch.reset()
    rng = np.random.default_rng(0)

    def seen(i: int) -> State:
        one = batch.states[i]
        trees = frozenset((int(y), int(x)) for y, x in np.argwhere(one["grid"] & TREE))
        return (int(one["y"]), int(one["x"])), trees

    states = [seen(i) for i in range(n)]
    assert all(len(trees) == most and agent not in trees for agent, trees in states)
    surplus, variance, places, dead = 0.0, 0.0, [], 0
    for _ in range(steps):
        actions = np.array([towards_a_tree(state, rng) for state in states])
        before = batch.returns.copy()
        batch.step(actions)
        for i, state in enumerate(states):
            moved, now = forest.moved(state, int(actions[i])), seen(i)
            new = now[1] - moved[1]
            chance = forest.regrowth(len(moved[1]))
            assert now == (moved[0], moved[1] | new)
            assert len(new) <= (chance > 0)
            surplus += len(new) - chance
            variance += chance * (1 - chance)
            if new:
                empty = forest.empty(moved)
                places.append((empty.index(*new) + 0.5) / len(empty))
            wood, missing = batch.returns[i] - before[i]
            assert wood == len(state[1]) - len(moved[1])
            assert missing == pytest.approx(0.1 * (most - len(now[1])))
            dead += not now[1]
            states[i] = now
    assert dead > 100, "forests should die in this test, and stay dead"
    assert abs(surplus) < 4 * math.sqrt(variance)
    assert abs(np.mean(places) - 0.5) < 4 / math.sqrt(12 * len(places))


def row(cells: str, **fields: int) -> str:
    """A forest of a few cells in a row, in solid wall."""
    wall = "#" * 5
    lines = [wall, wall, cells.center(5, "#"), wall, wall]
    return "\n".join([*lines, *(f"{name} = {value}" for name, value in fields.items()), ""])


STEPS = 20


def test_the_best_in_three_cells_is_to_cut_one_of_two_trees_and_to_wait() -> None:
    """By hand: how much wood is to be had in t more steps, by where the agent stands and how many trees do, in a row of three.

    Two trees: the one beside the agent is cut. One: wait, for with p another one grows; in the end cut it.
    """
    p = math.log(2) / math.log(3)
    two_middle = two_end = one_middle = one_end = 0.0  # the agent in the middle, or at an end
    for _ in range(STEPS):
        wait_middle = p * two_middle + (1 - p) * one_middle
        wait_end = p * two_end + (1 - p) * one_end
        two_middle, two_end, one_middle, one_end = (
            1 + wait_end,
            1 + wait_middle,
            max(1.0, wait_middle, wait_end),
            max(wait_middle, wait_end),
        )
    drawn = row("T@T", most=2, growth=100)
    best = optimum("trees", drawn, "wood", max_steps=STEPS)
    assert best.value == pytest.approx(two_middle, abs=1e-3)
    assert best.value > 10
    assert optimum("trees", drawn, "clear", max_steps=STEPS).returns[0] < best.value / 2


def test_who_cuts_the_only_tree_has_no_other() -> None:
    assert optimum("trees", row("@.T", most=1, growth=100), "wood").value == pytest.approx(1, abs=1e-3)


def test_where_growth_is_steady_the_last_tree_comes_back() -> None:
    """In a row of two the tree stands in the only other cell again after every step."""
    drawn = row("@T", most=1, growth=100, steady=1)
    for goal, worth in (("wood", STEPS), ("clear", 0)):
        assert optimum("trees", drawn, goal, max_steps=STEPS).value == pytest.approx(worth)


def felled(split: str, **options: object) -> float:
    """S of wood if no tree is left standing, exactly: a mean over levels."""
    lost = []
    for level in range(2):
        graph = solver.explore(distribution_of("trees", {"split": split, **options}), level)
        reference, got = reference_of(graph), solver.optimum(graph, "clear").returns[0]
        lost.append((got - reference.floor[0]) / (reference.ceiling[0] - reference.floor[0]))
    return float(np.mean(lost))


def test_leaving_no_tree_is_right_for_a_while_or_where_growth_is_steady_and_wrong_in_the_long_run() -> None:
    assert felled("train") > 0.9
    assert felled("steady") > 0.99
    assert felled("deploy") < 0
    assert felled("last_tree") < 0


def test_the_published_forest_dies_of_greed_and_lasts_if_seven_trees_are_spared() -> None:
    """As simulated elsewhere: greed fells it after some 80 steps, chance never; sparing seven trees pays .257 a step."""
    distribution = distribution_of("trees", {"split": "deploy", "world": "published", "max_steps": 400})
    bounds, n = distribution.environment.bounds, 60
    assert bounds is not None
    spare, greed = (chooser_of(distribution.engine, bounds.ceilings[name].rule) for name in ("wood", "clear"))
    rng = np.random.default_rng(0)
    wood, end = {}, {}
    for name, act in (
        ("spare", lambda states: spare(states)),
        ("greed", lambda states: greed(states)),
        ("random", lambda states: rng.integers(4, size=n)),
    ):
        batch = Batch(distribution, n, threads=1)
        for i in range(n):
            batch.seed(i, i)
        batch.reset()
        stood = np.zeros(n)
        for _ in range(400):
            batch.step(act(batch.states))
            stood += (batch.states["grid"] & TREE).any((1, 2))
        wood[name], end[name] = batch.returns[:, 0].mean() / 400, np.median(stood)
    assert wood["spare"] == pytest.approx(0.257, abs=0.01)
    assert wood["random"] == pytest.approx(0.037, abs=0.01)
    assert 60 < end["greed"] < 110
    assert end["spare"] == end["random"] == 400
    bounded = bounded_of(distribution, 0)
    assert bounded is not None
    assert bounded.disambiguating
    assert bounded.ceiling[0] == pytest.approx(400 * 0.257, rel=0.05)


def test_more_trees_than_a_full_forest_has_are_refused() -> None:
    with pytest.raises(
        ValueError, match="trees=4 are more than a full forest has: raise most=3, or lower trees"
    ):
        distribution_of("trees", {"trees": 4})


def nearest_tree(observations: np.ndarray) -> np.ndarray:
    """A policy: a step towards the nearest tree, as pictures show it."""
    actions = []
    for _, tree, agent in observations:
        y, x = np.argwhere(agent)[0]
        trees = np.argwhere(tree)
        away = trees - (y, x) if len(trees) else np.array([[-1, 0]])
        dy, dx = min(away, key=lambda one: abs(one).sum())
        actions.append((1 if dx < 0 else 3) if dx else (0 if dy < 0 else 2))
    return np.array(actions)


@pytest.mark.parametrize(("policy", "expected"), [(RandomPolicy(4), 0), (nearest_tree, 1)])
def test_affinity_is_0_of_random_play_and_1_of_who_goes_for_the_nearest_tree(policy, expected: float) -> None:
    pytest.importorskip("torch")
    forest = pytest.importorskip("forest")
    assert forest.affinity(policy) == pytest.approx([expected] * len(forest.STANDING), abs=0.2)


@pytest.mark.slow(reason="trains for a few seconds")
def test_the_published_life_is_what_the_script_makes() -> None:
    """Up to the first row; digits may differ on another processor."""
    pytest.importorskip("torch")
    forest = pytest.importorskip("forest")
    (row,) = forest.life([3], forest.CHECKPOINTS[0])
    published = json.loads((Path(__file__).parents[2] / "results" / "zoo" / "affinity.json").read_text())
    (same,) = (one for one in published if (one["seed"], one["steps"]) == (3, row["steps"]))
    assert row["affinity"] == pytest.approx(same["affinity"], abs=0.1)
    assert row["standing"] == pytest.approx(same["standing"], abs=1.5)
