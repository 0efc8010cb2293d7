"""Mazes: trees are trees, what is free is connected, distances are those of a plain search."""

import types
from collections import deque

import numpy as np
import pytest
from numba import njit

from mesabench import registry
from mesabench.engine.array_bounds import plain
from mesabench.engine.state import state_dtype
from mesabench.world import mazes, ways

WALL, OTHER = 1, 2


@njit
def trees(states):
    for i in range(len(states)):
        mazes.spanning_tree(states[i], WALL)


@njit
def blocks(states, density):
    for i in range(len(states)):
        mazes.random_blocks(states[i], WALL, density)


@njit
def floods(states, y, x, blocking, until=0):
    reached = np.zeros(len(states), np.int64)
    for i in range(len(states)):
        reached[i] = mazes.flood(states[i], y, x, blocking, until)
    return reached


@pytest.fixture
def states() -> np.ndarray:
    """300 empty states of 9 x 14 cells, each with a random stream of its own."""
    dtype, _ = state_dtype(registry.find_environment("cheese_corner"), (9, 14))
    states = np.zeros(300, dtype)
    states["_rng"] = np.random.default_rng(0).integers(0, 2**64, 300, np.uint64)
    with np.errstate(over="ignore"):
        yield states


def neighbours(y: int, x: int) -> list[tuple[int, int]]:
    return [(y - 1, x), (y, x - 1), (y + 1, x), (y, x + 1)]


def distances(free: np.ndarray, y: int, x: int) -> np.ndarray:
    """Breadth-first search with a deque: int (h, w), -1 where there is no way."""
    found = np.full(free.shape, -1)
    found[y, x] = 0
    queue = deque([(y, x)])
    while queue:
        here = queue.popleft()
        for cell in neighbours(*here):
            if (
                0 <= cell[0] < free.shape[0]
                and 0 <= cell[1] < free.shape[1]
                and free[cell]
                and found[cell] < 0
            ):
                found[cell] = found[here] + 1
                queue.append(cell)
    return found


def passages(free: np.ndarray) -> int:
    """The number of pairs of neighbouring free cells."""
    return int((free[1:] & free[:-1]).sum() + (free[:, 1:] & free[:, :-1]).sum())


def is_closed(free: np.ndarray) -> bool:
    return not (free[0].any() or free[-1].any() or free[:, 0].any() or free[:, -1].any())


def test_a_spanning_tree_is_one(states) -> None:
    trees(states)
    height, width = states["grid"].shape[1:]
    rows, columns = (height - 1) // 2, (width - 1) // 2
    assert set(np.unique(states["grid"])) == {0, WALL}
    for grid in states["grid"]:
        free = grid == 0
        assert is_closed(free)
        assert free[1 : 2 * rows : 2, 1 : 2 * columns : 2].all()
        assert free.sum() == 2 * rows * columns - 1, "every cell, and one passage less than cells"
        assert passages(free) == free.sum() - 1, "no loops"
        assert (distances(free, 1, 1) >= 0).sum() == free.sum(), "connected"


def test_spanning_trees_differ_and_use_every_passage_alike(states) -> None:
    trees(states)
    assert len(np.unique(states["grid"].reshape(300, -1), axis=0)) == 300
    height, width = states["grid"].shape[1:]
    across = (states["grid"][:, 1 : height - 1 : 2, 2 : width - 2 : 2] == 0).mean(0)
    down = (states["grid"][:, 2 : height - 2 : 2, 1 : width - 1 : 2] == 0).mean(0)
    shares = np.concatenate(
        [across[:, : (width - 1) // 2 - 1].ravel(), down[: (height - 1) // 2 - 1].ravel()]
    )
    assert shares.min() > 0.4
    assert shares.max() < 0.95


@pytest.mark.parametrize("density", [0.0, 0.2, 0.5])
def test_what_random_blocks_leave_free_is_connected(states, density: float) -> None:
    blocks(states, density)
    for grid in states["grid"]:
        free = grid == 0
        assert is_closed(free)
        assert free[1, 1]
        assert (distances(free, 1, 1) >= 0).sum() == free.sum()
    inner = states["grid"][:, 1:-1, 1:-1] == WALL
    if density == 0:
        assert not inner.any()
    if density == 0.2:  # next to the corner nothing is ever cut off from it but by its own wall
        n = len(inner)
        for wall in (inner[:, 0, 1], inner[:, 1, 0]):
            assert abs(wall.mean() - density) < 4 * np.sqrt(density * (1 - density) / n) + 0.05


def test_a_flood_measures_distances(states) -> None:
    blocks(states, 0.3)
    for blocking, y, x in ((WALL, 1, 1), (WALL | OTHER, 3, 4)):
        states["grid"][::2, 2, 2:5] |= OTHER
        states["grid"][:, y, x] = 0
        reached = floods(states, y, x, blocking)
        for state, count in zip(states, reached, strict=True):
            expected = distances((state["grid"] & blocking) == 0, y, x)
            np.testing.assert_array_equal(state["distance"], expected)
            assert count == (expected >= 0).sum()


def test_a_flood_ends_with_the_farthest_cell_that_is_asked_for(states) -> None:
    """By the definition of `until`: what is not farther has its distance, what is farther has none."""
    blocks(states, 0.3)
    floods(states, 3, 4, WALL)
    whole = states["distance"].copy()
    for asked in ([0], [3 * 14 + 4], [1 * 14 + 1], [5 * 14 + 9, 3 * 14 + 5]):
        states["queue"][:, : len(asked)] = asked
        floods(states, 3, 4, WALL, len(asked))
        far = whole.reshape(len(states), -1)[:, asked]
        bound = np.where((far < 0).any(1), np.iinfo(np.int16).max, far.max(1))
        np.testing.assert_array_equal(states["distance"], np.where(whole <= bound[:, None, None], whole, -1))


SHAPES = ((3, 3), (8, 8), (5, 13), (10, 20), (16, 16), (4, 64), (3, 85), (85, 3))


def scratch(grid: np.ndarray) -> types.SimpleNamespace:
    """A state with nothing but a grid and scratch space, in which others have worked before."""
    width = grid.shape[1]
    words = (grid.size + 63) // 64 + 2 * (width // 64 + 1)
    return types.SimpleNamespace(
        grid=grid,
        distance=np.full(grid.shape, 7, np.int16),
        queue=np.zeros(grid.size, np.int16),
        _queue=np.zeros(grid.size, np.int16),
        _flood=np.full((4, words), 99, np.uint64),
    )


@pytest.mark.parametrize("shape", SHAPES)
def test_large_grids_are_flooded_as_small_ones_are(shape: tuple[int, int]) -> None:
    """There by a queue, here by bits: the same distances, whoever is asked for. As plain Python: it needs many shapes."""
    rng = np.random.default_rng(1)
    for _ in range(4):
        grid = (rng.random(shape) < 0.3).astype(np.uint8)
        y, x = rng.integers(0, shape[0]), rng.integers(0, shape[1])
        found = []
        for until in (0, 1, 3):
            cells = rng.integers(0, grid.size, 3)
            for walk in (ways.flood, ways._flood_by_queue):
                one = scratch(grid)
                one.queue[:3] = cells
                reached = plain(walk)(one, y, x, WALL, until)
                found.append((reached, one.distance.tolist()))
        assert found[::2] == found[1::2]


@pytest.mark.parametrize("shape", [*SHAPES, (25, 30)])
@pytest.mark.parametrize("cell", [np.uint8, np.uint16])
def test_what_is_listed_is_what_is_there(shape: tuple[int, int], cell: type) -> None:
    rng = np.random.default_rng(2)
    for share in (0, 0.03, 1):
        one = scratch(np.where(rng.random(shape) < share, rng.integers(0, 256, shape), 0).astype(cell))
        number = plain(ways.listed)(one, 2 | 128)
        np.testing.assert_array_equal(one.queue[:number], np.flatnonzero(one.grid & (2 | 128)))


@njit
def signposts(states, y, x, blocking, until, actions, steps=1):
    """Put them up, and note for every cell which actions lead nearer."""
    for i in range(len(states)):
        mazes.signpost(states[i], y, x, blocking, until, steps)
        for v in range(actions.shape[1]):
            for u in range(actions.shape[2]):
                actions[i, v, u] = mazes.nearer(states[i], v, u)


@pytest.mark.parametrize("walls", [0, 0.05, 0.3])
def test_signposts_lead_where_distances_fall(states, walls: float) -> None:
    """From every cell, or from those that are asked for: beside, far away, cut off, in a wall, on the border, at the goal."""
    blocks(states, walls)
    states["grid"][:, 3, 4] = 0
    floods(states, 3, 4, WALL)
    distance = np.pad(states["distance"], ((0, 0), (1, 1), (1, 1)), constant_values=-1)
    here = distance[:, 1:-1, 1:-1]
    around = (distance[:, :-2, 1:-1], distance[:, 1:-1, :-2], distance[:, 2:, 1:-1], distance[:, 1:-1, 2:])
    expected = sum(((one == here - 1) & (here > 0)) << action for action, one in enumerate(around))
    actions = np.zeros(here.shape, np.int64)
    signposts(states, 3, 4, WALL, 0, actions)
    np.testing.assert_array_equal(actions, expected)
    for asked in (
        [2 * 14 + 4],
        [3 * 14 + 3, 4 * 14 + 4],
        [3 * 14 + 5, 7 * 14 + 12],
        [0],
        [3 * 14 + 4],
        [16, 60],
    ):
        states["queue"][:, : len(asked)] = asked
        signposts(states, 3, 4, WALL, len(asked), actions)
        flat = len(states), -1
        np.testing.assert_array_equal(
            actions.reshape(flat)[:, asked], expected.reshape(flat)[:, asked], err_msg=str(asked)
        )
        assert not (actions & ~expected).any(), "nowhere a wrong way"
        signposts(states, 3, 4, WALL, len(asked), actions, 3)
        for state, leads, all_leads in zip(states, actions, expected, strict=True):
            for cell in asked:
                reached = {divmod(cell, state["grid"].shape[1])}
                for _ in range(3):
                    assert all(leads[one] == all_leads[one] for one in reached), (
                        "for three steps on, whichever are taken"
                    )
                    reached = {
                        (y + dy, x + dx)
                        for y, x in reached
                        for k, (dy, dx) in enumerate(((-1, 0), (0, -1), (1, 0), (0, 1)))
                        if all_leads[y, x] >> k & 1
                    }
    for y, x, asked in ((0, 0, 0), (0, 4, 14 + 4), (5, 13, 5 * 14 + 12)):
        states["queue"][:, 0] = asked
        signposts(states, y, x, WALL, 1, actions)
        assert not actions.any(), "from the border nothing is reached"


def test_a_flood_stays_within_its_state(states) -> None:
    """Whatever blocks it or does not: records lie side by side."""
    blocks(states, 0.3)
    before = states.copy()
    floods(states[1:-1], 1, 1, OTHER)
    for name in ("grid", "y", "x", "_rng", "_clock"):
        np.testing.assert_array_equal(states[name], before[name])
    np.testing.assert_array_equal(states[[0, -1]], before[[0, -1]])


def test_from_the_border_nothing_is_reached(states) -> None:
    """There a rule may stand whose search for a free cell has failed."""
    before = states.copy()
    for y, x in ((0, 0), (8, 3), (4, 13)):
        assert not floods(states, y, x, WALL).any()
    for name in ("grid", "y", "x", "_rng"):
        np.testing.assert_array_equal(states[name], before[name])
