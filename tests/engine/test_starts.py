"""Episodes that begin in given states: they go on as those that the states are from, and nothing impossible is begun in."""

import os
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from mesabench import registry
from mesabench.adapters.vector import GridVectorEnv
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution
from mesabench.solver.graph import explore
from mesabench.world.environment import DEPLOY, Environment

N, STEPS = 8, 6


def played(environment: Environment) -> Batch:
    """Some steps into its episodes."""
    batch = Batch(Distribution(environment, DEPLOY), N, threads=1)
    for i in range(N):
        batch.seed(i, 100 + i)
    batch.reset()
    step(batch)
    return batch


def step(batch: Batch) -> None:
    for t in range(STEPS):
        batch.step((np.arange(N) + t * t) % len(batch.distribution.environment.actions))


def goes_on(environment: Environment) -> None:
    theirs = played(environment)
    going = theirs.status == 0
    mine = Batch(theirs.distribution, N, threads=1)
    mine.reset()
    mine.reset(going, starts=theirs.states)
    np.testing.assert_array_equal(mine.observations[going], theirs.observations[going])
    np.testing.assert_array_equal(mine.digests[going], theirs.engine.settle(theirs.states.copy())[going])
    assert (mine.levels[going] == -1).all()
    assert not mine.returns.any()
    before = theirs.returns.copy()
    mine.states["_rng"] = theirs.states["_rng"]  # the same luck
    step(mine)
    step(theirs)
    for name in ("observations", "status", "terminated", "truncated"):
        np.testing.assert_array_equal(getattr(mine, name)[going], getattr(theirs, name)[going])
    np.testing.assert_allclose(mine.returns[going], (theirs.returns - before)[going], atol=1e-12)
    content = theirs.engine.content_of
    np.testing.assert_array_equal(content(mine.states)[going], content(theirs.states)[going])


def test_episodes_from_given_states_go_on_as_those_they_are_from(environment) -> None:
    goes_on(environment)


def test_they_do_in_plain_python_too() -> None:
    environ = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, __file__], env=environ, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr


def test_the_start_of_a_level_has_that_levels_digest_and_chance_comes_from_the_own_stream(
    environment,
) -> None:
    by_level, by_state = (Batch(Distribution(environment, DEPLOY), N, threads=1) for _ in range(2))
    for i in range(N):
        by_level.seed(i, i)
        by_state.seed(i, i)
    by_level.reset(levels=np.arange(N))
    by_state.reset(starts=by_level.states)
    np.testing.assert_array_equal(by_state.digests, by_level.digests)
    np.testing.assert_array_equal(by_state.states["_rng"], by_level.states["_rng"])
    for batch in (by_level, by_state):
        step(batch)
    np.testing.assert_array_equal(by_state.observations, by_level.observations)


def test_every_state_of_a_graph_can_be_begun_in() -> None:
    graph = explore(Distribution(registry.find_environment("cheese_corner")), 0)
    batch = Batch(graph.distribution, graph.n_states, threads=1)
    batch.reset(starts=graph.states())
    np.testing.assert_array_equal(batch.observations, graph.observations())
    assert (batch.status == 0).all()


def test_a_vector_begins_in_given_states() -> None:
    theirs = played(registry.find_environment("cheese_corner"))
    vector = GridVectorEnv("cheese_corner", N, split=DEPLOY)
    observations, infos = vector.reset(seed=0, options={"starts": theirs.states})
    np.testing.assert_array_equal(observations, theirs.observations)
    assert (infos["level"] == -1).all()
    with pytest.raises(ValueError, match="exclude each other"):
        vector.reset(options={"starts": theirs.states, "levels": np.arange(N)})


WRONG: dict[str, tuple[Any, str]] = {
    "an open border": (lambda s: s["grid"].__setitem__((3, 0, 2), 0), "record 3: its border is not closed by 'wall'"),
    "an agent in the border": (lambda s: s["y"].__setitem__(2, 0), r"record 2: its agent .* \(1, 1\) to \(7, 7\)"),
    "an agent far away": (lambda s: s["x"].__setitem__(5, 1 << 30), "record 5: its agent"),
    "no time left": (lambda s: s["_max_steps"].__setitem__(1, 0), "record 1: it has no time left"),
    "a clock before the beginning": (lambda s: s["_clock"].__setitem__(1, -1), "record 1: its clock"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_a_state_in_which_nothing_can_begin_is_refused_and_nothing_changes(case: str) -> None:
    change, words = WRONG[case]
    batch = played(registry.find_environment("cheese_corner"))
    starts, before = batch.states.copy(), batch.states.tobytes()
    change(starts)
    with pytest.raises(ValueError, match=words):
        batch.reset(starts=starts)
    assert batch.states.tobytes() == before


@pytest.mark.parametrize("starts", [np.zeros(N), np.zeros(3, np.uint8), []])
def test_what_is_no_array_of_states_is_refused(starts: Any) -> None:
    batch = played(registry.find_environment("cheese_corner"))
    with pytest.raises(ValueError, match=r"8 state records of cheese_corner .* got .* of shape"):
        batch.reset(starts=starts)


if __name__ == "__main__":
    # uncompiled they are slow, and the rules are the same: no field and many, chance, unpaired levels, derived fields
    for name in ("cheese_corner", "monster_world", "sweet_tooth", "spelling", "tomato_watering"):
        goes_on(registry.find_environment(name))
