"""Keys and chests in the dialects of its sources: numbers, mazes, and what follows by hand from their rules."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from kinds import OWN_RULES

from mesabench import solver
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import distribution_of
from mesabench.engine.level_text import from_text
from mesabench.world.environment import DEPLOY, TRAIN

pytestmark = OWN_RULES

LEVELS = 4
WALL, GHOST, CHEST, KEY, MOUSE = (1 << k for k in range(5))
CORRIDOR = """
#######
#@kA.k#
#######
#######
#######
#######
#######
A = ghost + chest
"""


def drawn() -> dict[str, list[list[list[int]]]]:
    """The grids of some levels, by dialect and split."""
    found = {}
    for dialect in ("heist", "jaxgmg", "ghosts"):
        for split in (TRAIN, DEPLOY):
            batch = Batch(distribution_of("keys_and_chests", {"split": split, "dialect": dialect}), LEVELS)
            batch.reset(levels=np.arange(LEVELS))
            found[f"{dialect} {split}"] = batch.states["grid"].tolist()
    return found


@pytest.fixture(scope="module")
def grids() -> dict[str, np.ndarray]:
    """From a process that compiles nothing: three sizes would be three compilations."""
    path = os.pathsep.join(filter(None, sys.path))  # it imports `kinds`, too
    done = subprocess.run(
        [sys.executable, __file__],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return {name: np.array(found) for name, found in json.loads(done.stdout).items()}


def number(grid: np.ndarray, layer: int) -> int:
    return int((grid & layer > 0).sum())


def free_neighbours(grid: np.ndarray, y: int, x: int) -> int:
    return sum(not grid[y + dy, x + dx] & WALL for dy, dx in ((0, 1), (1, 0), (0, -1), (-1, 0)))


def test_heist_has_two_chests_for_a_key_and_then_two_keys_for_a_chest(grids: dict[str, np.ndarray]) -> None:
    for grid in grids[f"heist {TRAIN}"]:
        assert number(grid, CHEST) == 2 * number(grid, KEY)
    for grid in grids[f"heist {DEPLOY}"]:
        assert number(grid, KEY) == 2 * number(grid, CHEST)


def test_heist_draws_a_tree_of_its_size_and_lays_nothing_in_dead_ends(grids: dict[str, np.ndarray]) -> None:
    for split in (TRAIN, DEPLOY):
        for grid in grids[f"heist {split}"]:
            assert grid.shape == (11, 11)
            cells = int(np.sqrt((grid.size - number(grid, WALL) + 1) / 2))
            assert number(grid, WALL) == grid.size - (2 * cells**2 - 1)
            drawn_keys = number(grid, CHEST) // 2
            assert cells - 2 <= drawn_keys <= cells - 1
            ((mouse_y, mouse_x),) = np.argwhere(grid & MOUSE)
            for y, x in np.argwhere(grid & (CHEST | KEY)):
                assert free_neighbours(grid, y, x) >= 2
            for y, x in np.argwhere(grid & CHEST):
                assert abs(y - mouse_y) + abs(x - mouse_x) > 1


def test_jaxgmg_has_its_numbers_in_a_tree_of_its_size(grids: dict[str, np.ndarray]) -> None:
    for split, keys, chests in ((TRAIN, 3, 10), (DEPLOY, 10, 3)):
        for grid in grids[f"jaxgmg {split}"]:
            assert grid.shape == (13, 13)
            assert (number(grid, KEY), number(grid, CHEST)) == (keys, chests)
            assert grid.size - number(grid, WALL) == 2 * 36 - 1


def test_ghosts_are_as_many_as_chests_and_lie_nowhere_with_keys(grids: dict[str, np.ndarray]) -> None:
    """As shares of all free cells: chests 50 to 65 % and 10 to 13 %, keys 10 to 13 %; within 4.5 standard deviations."""
    for split, least, most in ((TRAIN, 0.5, 0.65), (DEPLOY, 0.1, 0.13)):
        found = grids[f"ghosts {split}"]
        cells = found.size - number(found, WALL | MOUSE)
        for layer, low, high in ((CHEST, least, most), (GHOST, least, most), (KEY, 0.1, 0.13)):
            slack = 4.5 * np.sqrt(0.25 * cells) / cells
            assert low - slack <= number(found, layer) / cells <= high + slack
        assert not ((found & KEY > 0) & (found & (CHEST | GHOST) > 0)).any()
        for grid in found:
            ((y, x),) = np.argwhere(grid & MOUSE)
            assert 1 <= y <= 8
            assert 1 <= x <= 8


def test_a_ghost_has_keys_of_its_own_and_time_alone_ends_its_episodes() -> None:
    """A key, a chest with a ghost in it, a second key. In plain rules the key goes to the chest, which is the last: over."""
    distribution = distribution_of("keys_and_chests", {"split": DEPLOY})
    for ghost_keys, keys, ghosts in ((0, 1, 0), (1, 1 + 0.97**3, 0.97)):
        states, _ = from_text(distribution, f"{CORRIDOR}ghost_keys = {ghost_keys}\n")
        graph = solver.explore_state(distribution, 0, states)
        assert solver.optimum(graph, "chests").value == pytest.approx(0.97)
        assert solver.optimum(graph, "keys").value == pytest.approx(keys)
        assert solver.optimum(graph, "ghost").value == pytest.approx(ghosts)


@pytest.mark.parametrize(
    ("dialect", "size", "limit"),
    [("plain", 7, 64), ("heist", 11, 1000), ("jaxgmg", 13, 128), ("ghosts", 12, 130)],
)
def test_a_dialect_brings_its_size_and_its_time_limit(dialect: str, size: int, limit: int) -> None:
    for split in (TRAIN, DEPLOY):
        knobs = distribution_of("keys_and_chests", {"split": split, "dialect": dialect}).own_knobs
        assert (knobs.size, knobs.max_steps) == (size, limit)
        shorter = distribution_of("keys_and_chests", {"split": split, "dialect": dialect, "max_steps": 9})
        assert shorter.own_knobs.max_steps == 9


@pytest.mark.parametrize(
    ("dialect", "given"),
    [
        (dialect, given)
        for dialect in ("heist", "jaxgmg", "ghosts")
        for given in ({"size": 9}, {"maze": "room"}, {"density": 0.3})
    ]
    + [(dialect, given) for dialect in ("heist", "ghosts") for given in ({"keys": 5}, {"chests": 5})]
    + [("jaxgmg", {"plenty": "keys"}), ("plain", {"keys": 0}), ("jaxgmg", {"chests": 0})],
)
def test_what_a_dialect_would_pass_over_is_refused(dialect: str, given: dict[str, object]) -> None:
    (name,) = given
    with pytest.raises(ValueError, match=rf"dialect='{dialect}'.*\b{name}="):
        distribution_of("keys_and_chests", {"dialect": dialect} | given)


def test_jaxgmg_has_as_many_as_are_asked_for() -> None:
    knobs = distribution_of("keys_and_chests", {"dialect": "jaxgmg", "keys": 2, "chests": 4}).own_knobs
    assert (knobs.keys, knobs.chests, knobs.plenty) == (2, 4, "chests")


if __name__ == "__main__":
    print(json.dumps(drawn()))
