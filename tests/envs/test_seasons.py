"""Seasons: what there is in each of them, the rules once more in plain Python, and optima by hand."""

import numpy as np
import pytest
from drawn import optimum, played
from kinds import OWN_RULES

from mesabench.engine.batch import Batch
from mesabench.engine.distribution import distribution_of

pytestmark = OWN_RULES

GAMMA = 0.97
UP, LEFT, DOWN, RIGHT = range(4)
MOVES = ((-1, 0), (0, -1), (1, 0), (0, 1))
LINE, GEM, YELLOW, RED = "line", "gem", frozenset(("red", "green")), frozenset(("red",))
SEASONS = {
    "train": [{(LINE, YELLOW), (GEM, RED)}],
    "deploy": [{(LINE, RED), (GEM, YELLOW)}],
    "spring": [{(shape, YELLOW), (shape, RED)} for shape in (LINE, GEM)],
    "autumn": [{(LINE, colour), (GEM, colour)} for colour in (YELLOW, RED)],
}
"""What there may be in a level: shapes, and the planes of their colours."""
MAP = """
#########
#......X#
#########
#########
#########
#########
#########
#Y..@...#
#########
"""


@pytest.mark.parametrize("split", SEASONS)
def test_a_season_is_played_as_its_rules_say(split: str) -> None:
    """Beside plain Python: the mouse walks round walls, and the first object that it touches decides and ends the episode."""
    number = 200
    distribution = distribution_of("seasons", {"split": split})
    environment = distribution.environment
    names = {layer.name: int(layer) for layer in environment.layers}
    batch = Batch(distribution, number, threads=1)
    batch.reset(levels=np.arange(number))
    grids = batch.states["grid"].copy()
    things = []
    for grid in grids:
        cells = {
            (int(y), int(x)): {name for name, bit in names.items() if grid[y, x] & bit}
            for y, x in np.argwhere(grid)
        }
        things.append({
            where: (shape, frozenset(of & {"red", "green", "blue"}))
            for where, of in cells.items() for shape in (LINE, GEM) if shape in of
        })  # fmt: skip
    kinds = [{*one.values()} for one in things]
    assert all(kind in SEASONS[split] for kind in kinds)
    assert all(0.4 < kinds.count(kind) / number < 0.6 or len(SEASONS[split]) == 1 for kind in SEASONS[split])
    places = [(int(state["y"]), int(state["x"])) for state in batch.states]
    rng, running = np.random.default_rng(0), np.ones(number, bool)
    for _ in range(64):
        before, actions = batch.returns.copy(), rng.integers(4, size=number)
        batch.step(actions)
        for i in np.flatnonzero(running):
            dy, dx = MOVES[actions[i]]
            ahead = places[i][0] + dy, places[i][1] + dx
            places[i] = places[i] if grids[i][ahead] & names["wall"] else ahead
            shape, colour = things[i].get(places[i], ("", frozenset()))
            paid = dict(zip(environment.objectives, batch.returns[i] - before[i], strict=True))
            assert (paid["shape"], paid["colour"]) == (shape == LINE, colour == YELLOW)
            assert bool(batch.terminated[i]) == bool(shape)
            assert (batch.states["y"][i], batch.states["x"][i]) == places[i]
        running &= ~batch.terminated & ~batch.truncated
    assert not running.all()


def drawn(left: str, right: str) -> str:
    return MAP.replace("X", "#").replace("@...", "@..X") + f"Y = {left}\nX = {right}\nwanted = 3\n"


def test_the_nearest_that_is_wanted_is_worth_its_distance() -> None:
    """Left and right, three steps away each; and who wants a shape or a colour that both have goes to either."""
    three = pytest.approx(GAMMA**2)
    conflict = drawn("line + red", "gem + red + green")
    for name, action in (("shape", LEFT), ("colour", RIGHT)):
        best = optimum("seasons", conflict, name)
        assert best.value == three
        assert played("seasons", conflict, [action] * 3, name) == [0, 0, 1]
        assert sum(played("seasons", conflict, [RIGHT + LEFT - action] * 3, name)) == 0
    agree = drawn("line + red + green", "gem + red")
    assert optimum("seasons", agree, "shape").returns[:2] == pytest.approx([GAMMA**2] * 2)


def test_the_colours_of_the_two_must_differ() -> None:
    with pytest.raises(ValueError, match="must differ"):
        distribution_of("seasons", {"other": "yellow"})
