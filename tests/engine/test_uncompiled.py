"""The rules are plain Python: without Numba's compiler they play exactly the same, and as ever."""

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from kinds import KINDS, OTHERS

from mesabench import registry
from mesabench.adapters.vector import GridVectorEnv
from mesabench.world.environment import DEPLOY, TRAIN

PLAYED = Path(__file__).with_name("played.json")
"""Of each environment (name and version): the first 12 hex digits of `digest` of a little play in each of its splits."""
STEPS = 40
LITTLE = {"number": 1, "steps": 8}
SEEN = {"cheese_corner": "5x5 opaque rgb", "night_porter": "5x7"}
"""Environments of which a sight other than their own is looked at."""


def digest(
    name: str, splits: tuple[str, ...] = (TRAIN, DEPLOY), sight: str = "", number: int = 3, steps: int = STEPS
) -> str:
    """A digest of all that comes out of so many environments in so many steps, of each split; what rules leave in their scratch
    space is their own affair."""
    result = hashlib.sha256()
    for split in splits:
        vector = GridVectorEnv(name, number, split=split, sight=sight, threads=1)
        observations, infos = vector.reset(seed=1)
        for t in range(steps):
            for array in (observations, *infos.values()):
                result.update(array.tobytes())
            actions = (np.arange(number) + t * t) % len(vector.environment.actions)
            observations, rewards, terminated, truncated, infos = vector.step(actions)
            for array in (rewards, terminated, truncated):
                result.update(array.tobytes())
        batch = vector.batch
        result.update(batch.engine.content_of(batch.states).tobytes() + batch.states["_rng"].tobytes())
    return result.hexdigest()


def played() -> dict[str, str]:
    """What `PLAYED` holds, today."""
    return {
        f"{name}-v{one.version}": digest(name, tuple(one.splits), **LITTLE)[:12]
        for name, one in registry.environments().items()
    }


def uncompiled(*arguments: str) -> dict[str, str]:
    """What this file prints, as JSON, in a process that compiles nothing."""
    path = os.pathsep.join(filter(None, sys.path))  # it imports `kinds`, too
    done = subprocess.run(
        [sys.executable, __file__, *arguments],
        env=os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": path},
        capture_output=True, text=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_world_plays_as_ever() -> None:
    """Of all worlds, without the time to compile them: whatever a changed rule changes is noticed whenever the tests run.

    If rules or levels must change, raise the environment's `version` (CONTRIBUTING.md), then write the file again:
    `NUMBA_DISABLE_JIT=1 PYTHONPATH=.:tests/envs python tests/engine/test_uncompiled.py > tests/engine/played.json`
    """
    assert uncompiled() == json.loads(PLAYED.read_text())


@pytest.mark.parametrize(
    "names",
    [KINDS, pytest.param(sorted({*registry.environments()} - {*KINDS}), marks=OTHERS)],
    ids=["kinds", "others"],
)
def test_compiled_rules_play_like_plain_python(names: tuple[str, ...]) -> None:
    """One process that compiles nothing does for all environments."""
    assert uncompiled(*names) == {name: digest(name, sight=SEEN.get(name, "")) for name in names}


if __name__ == "__main__":
    named = {name: digest(name, sight=SEEN.get(name, "")) for name in sys.argv[1:]}
    print(json.dumps(named or played(), indent=2))
