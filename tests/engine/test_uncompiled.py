"""The rules are plain Python: without Numba's compiler they play exactly the same."""

import hashlib
import os
import subprocess
import sys

import numpy as np
import pytest
from kinds import KINDS, OTHERS

from mesabench import registry
from mesabench.adapters.vector import GridVectorEnv
from mesabench.world.environment import DEPLOY, TRAIN

STEPS = 40


SEEN = {"cheese_corner": "5x5 opaque rgb", "night_porter": "5x7"}
"""Environments of which a sight other than their own is looked at."""


def digest(name: str) -> str:
    """A digest of all that comes out of three environments in so many steps, of both splits."""
    result = hashlib.sha256()
    for split in (TRAIN, DEPLOY):
        vector = GridVectorEnv(name, 3, split=split, sight=SEEN.get(name, ""), threads=1)
        observations, infos = vector.reset(seed=1)
        for t in range(STEPS):
            for array in (observations, *infos.values()):
                result.update(array.tobytes())
            actions = (np.arange(3) + t * t) % len(vector.environment.actions)
            observations, rewards, terminated, truncated, infos = vector.step(actions)
            for array in (rewards, terminated, truncated):
                result.update(array.tobytes())
        result.update(vector.batch.states.tobytes())
    return result.hexdigest()


@pytest.mark.parametrize(
    "names",
    [KINDS, pytest.param(sorted({*registry.environments()} - {*KINDS}), marks=OTHERS)],
    ids=["kinds", "others"],
)
def test_compiled_rules_play_like_plain_python(names: tuple[str, ...]) -> None:
    """One process that compiles nothing does for all environments."""
    environ = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    path = os.pathsep.join(filter(None, sys.path))  # it imports `kinds`, too
    done = subprocess.run(
        [sys.executable, __file__, *names],
        env=environ | {"PYTHONPATH": path}, capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    plain = dict(line.split() for line in done.stdout.splitlines())
    assert plain == {name: digest(name) for name in names}


if __name__ == "__main__":
    for name in sys.argv[1:]:
        print(name, digest(name))
