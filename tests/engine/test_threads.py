"""Threads share out a batch's work: the same results, errors that arrive, no processor time when there is nothing to do."""

import copy
import os
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from mesabench.adapters.vector import GridVectorEnv
from mesabench.engine.batch import Batch, LevelError
from mesabench.engine.distribution import distribution_of
from mesabench.engine.threads import UNFINISHED, Crew

N = 1000
"""Several pieces for each thread, and not a whole number of them."""


def batch(threads: int, n: int = N) -> Batch:
    made = Batch(distribution_of("cheese_corner", {"max_steps": 5}), n, threads=threads)
    for i in range(n):
        made.seed(i, i)
    return made


def helpers() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "mesabench helper"]


@pytest.mark.parametrize("threads", [2, 3, 5])
def test_results_do_not_depend_on_threads(threads: int) -> None:
    one, many = batch(1), batch(threads)
    for each in (one, many):
        each.reset()
    actions = np.random.default_rng(0).integers(0, 4, (60, N))
    for k, row in enumerate(actions):
        for each in (one, many):
            each.step(row, autoreset=True)
        if k % 20 == 10:
            time.sleep(0.002)  # the helpers fall asleep
        for name in (
            "observations",
            "rewards",
            "terminated",
            "truncated",
            "events",
            "levels",
            "digests",
            "returns",
        ):
            np.testing.assert_array_equal(getattr(one, name), getattr(many, name))
        assert one.states["grid"].tobytes() == many.states["grid"].tobytes()


def test_the_first_level_that_is_missing_is_named_whoever_looked_for_it() -> None:
    told = []
    for threads in (1, 2, 3):
        tight = Batch(distribution_of("cheese_corner", {"density": 0.9, "size": 4}), N, threads=threads)
        for i in range(N):
            tight.seed(i, i)
        with pytest.raises(LevelError) as caught:
            tight.reset()
        told.append(str(caught.value))
    assert len(set(told)) == 1


def test_an_error_in_a_helper_arrives_and_the_next_turn_is_done() -> None:
    crew, left = Crew(2), threading.Event()

    def fails(me, turn, claims, started):
        if me:
            raise ZeroDivisionError("in a rule")
        return UNFINISHED

    def fails_here(me, turn, claims, started):
        if me:
            begun.set()
            time.sleep(0.05)
            left.set()
            return UNFINISHED
        begun.wait(5)
        raise ValueError("here")

    for _ in range(3):
        with pytest.raises(ZeroDivisionError, match="in a rule"):
            crew.share(fails)
    begun = threading.Event()
    with pytest.raises(ValueError, match="here"):
        crew.share(fails_here)
    assert left.is_set(), "a helper was still at work"
    assert crew.share(lambda me, turn, claims, started: 7) == 7


def test_nobody_waits_for_a_helper_that_comes_late() -> None:
    crew, gate = Crew(2), threading.Event()
    assert crew.share(lambda me, *rest: int(me and gate.wait(5))) == 0
    begin = time.perf_counter()
    assert crew.share(lambda me, *rest: 7) == 7
    assert time.perf_counter() - begin < 1
    gate.set()


def test_helpers_sleep_when_there_is_nothing_to_do_and_end_with_their_batch() -> None:
    before = helpers()  # those of batches that are gone may still be ending
    many = batch(3)
    many.reset()
    own = [one for one in helpers() if one not in before]
    assert len(own) == 2
    time.sleep(0.01)
    busy = time.process_time()
    time.sleep(0.3)
    assert time.process_time() - busy < 0.1
    del many
    for one in own:
        one.join(5)
        assert not one.is_alive()


def test_a_copy_has_helpers_of_its_own() -> None:
    vector = GridVectorEnv("cheese_corner", N, threads=2)
    vector.reset(seed=0)
    twin = copy.deepcopy(vector)
    for k in range(8):
        for one, other in zip(
            vector.step(np.full(N, k % 4))[:4], twin.step(np.full(N, k % 4))[:4], strict=True
        ):
            np.testing.assert_array_equal(one, other)


FORKING = """
import os, sys
import numpy as np
from mesabench.engine.batch import Batch
from mesabench.adapters.env import distribution_of

batch = Batch(distribution_of("cheese_corner", {}), 1000, threads=2)
batch.reset()
child = os.fork()
for k in range(20):
    batch.step(np.full(1000, k % 4), autoreset=True)
assert len(batch.crew.helpers) == 1
if child:
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a system without fork")
def test_a_forked_process_finds_helpers_of_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", FORKING], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
