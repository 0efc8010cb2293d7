"""The rules are plain Python: without Numba's compiler they play exactly the same."""

import hashlib
import os
import subprocess
import sys

import numpy as np

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


def test_compiled_rules_play_like_plain_python() -> None:
    """Every environment; one process that compiles nothing does for all of them."""
    environ = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, __file__], env=environ, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    plain = dict(line.split() for line in done.stdout.splitlines())
    assert plain == {name: digest(name) for name in registry.environments()}


if __name__ == "__main__":
    for name in registry.environments():
        print(name, digest(name))
