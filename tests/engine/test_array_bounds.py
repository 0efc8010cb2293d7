"""Rules on arrays that know their bounds: as plain Python they play as compiled ones do, and whoever leaves an array is found."""

import numpy as np
import pytest

from mesabench.engine import array_bounds
from mesabench.engine.array_bounds import BoundedState, EndlessError, OutOfBoundsError, plain
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution
from mesabench.engine.level_text import from_text, to_text
from mesabench.registry import find_environment
from mesabench.world import mazes
from mesabench.world.environment import DEPLOY
from mesabench.world.rules import put, rule, take


def test_plain_rules_play_as_compiled_ones(environment) -> None:
    batch = Batch(Distribution(environment, DEPLOY), 3, observe=False, threads=1)
    batch.reset(levels=np.arange(3))
    mine, step = batch.states.copy(), plain(environment.step)
    for t in range(10):
        actions = (np.arange(3) + t * t) % len(environment.actions)
        for i in np.flatnonzero(batch.status == 0):
            step(BoundedState(mine[i]), int(actions[i]))
        batch.step(actions)
        for name in ("grid", "y", "x", "_rng", *(one.name for one in environment.fields)):
            np.testing.assert_array_equal(mine[name], batch.states[name])


@pytest.mark.parametrize("name", ["executive_hiring", "goal_guard", "idle_lamp"])
def test_a_corridor_longer_than_the_room_ends_in_the_room(name: str) -> None:
    distribution = Distribution(find_environment(name))
    batch = Batch(distribution, 1, threads=1)
    batch.reset(levels=np.zeros(1, np.int64))
    text = to_text(distribution.environment, batch.states[0])
    batch.states[:] = from_text(distribution, f"{text}\ncorridor = 99\n")[0]
    batch.status[:] = 0
    for action in (1, 0, 0, 0, 1, 1) * 5:
        batch.step(np.array([action]))
        height, width = batch.states["grid"].shape[1:]
        assert 0 < batch.states["y"][0] < height - 1
        assert 0 < batch.states["x"][0] < width - 1


TABLE = np.array([4, 5])


@rule
def deep(s, y, x):
    put(s, y, x, 1)


@rule
def reading(s, k):
    return TABLE[k] + s.queue[TABLE[k] + k]


@rule
def through_a_module(s, y, x):
    return mazes.flood(s, y, x, 1)


@rule
def forever(s):
    while s.grid[1, 1] == 0:
        take(s, 1, 1, 1)


CASES = {
    "a row too far": (deep, (9, 0), r"s.grid\[9, 0\], which has 9 x 9"),
    "a column too far": (deep, (0, 9), r"s.grid\[0, 9\]"),
    "from the end": (deep, (np.int64(-1), 0), r"s.grid\[-1, 0\]"),
    "a table": (reading, (2,), r"TABLE\[2\], which has 2"),
    "from the end of a table": (reading, (-1,), r"TABLE\[-1\]"),
    "a module": (through_a_module, (0, 9), r"s.distance\[0, 9\]"),
}


@pytest.mark.parametrize("case", CASES)
def test_whoever_leaves_an_array_is_told_where(case: str) -> None:
    function, arguments, words = CASES[case]
    states = Distribution(find_environment("cheese_corner")).engine.states(1)
    with pytest.raises(OutOfBoundsError, match=words):
        plain(function)(BoundedState(states[0]), *arguments)
    plain(deep)(BoundedState(states[0]), 8, 8)
    plain(reading)(BoundedState(states[0]), 1)


def test_rules_that_come_to_no_end_are_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(array_bounds, "ACCESSES", 20_000)
    states = Distribution(find_environment("cheese_corner")).engine.states(1)
    with pytest.raises(EndlessError, match="looks into its arrays"):
        plain(forever)(BoundedState(states[0]))


def test_copies_of_states_are_exact(environment) -> None:
    """All that lies in a record has a name: NumPy copies the rest, or not, as it likes."""
    states = Distribution(environment).engine.states(4)
    raw = states.view(np.uint8).reshape(-1)
    raw[:] = np.random.default_rng(0).integers(0, 2, raw.shape)
    for copy in (states.copy(), states[[0, 1, 2, 3]], np.concatenate([states[:2], states[2:]])):
        assert copy.tobytes() == states.tobytes()
