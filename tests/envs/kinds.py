"""Worlds that differ in kind: what belongs to the engine or to the scores is held on these whenever the tests run.

On all the others it is held by `make test-all`. So the time of `make test` does not grow with the number of worlds.
"""

from collections.abc import Callable, Container, Iterable

import pytest

from mesabench import registry
from mesabench.world.environment import Environment

KINDS = ("cheese_corner", "executive_hiring", "follow_me", "spelling", "sweet_tooth", "tomato_watering")
"""Among them is every kind of `KIND_OF` that there is: test_kinds.py holds it."""

KIND_OF: dict[str, Callable[[Environment], bool]] = {
    "the reward is right": lambda world: world.paid == world.intended,
    "the reward is wrong": lambda world: world.paid != world.intended,
    "levels in pairs": lambda world: world.paired,
    "levels without pairs": lambda world: not world.paired,
    "no pools": lambda world: not world.pools,
    "no fields": lambda world: not world.fields,
    "fields with many values": lambda world: any(one.shape for one in world.fields),
    "fields that last": lambda world: any(one.lasts for one in world.fields),
    "numbers in view": lambda world: bool(world.numbers),
    "more than four actions": lambda world: len(world.actions) > 4,
    "more than eight layers": lambda world: len(world.layers) > 8,
    "more than two splits": lambda world: len(world.splits) > 2,
    "derived fields": lambda world: world.settle is not None,
    "an event that counts once": lambda world: bool(int(world.once)),
    "a monitor": lambda world: world.monitor is not None,
    "bounds": lambda world: world.bounds is not None,
    "partial sight": lambda world: world.sight.partial,
    "pixels": lambda world: bool(world.sight.pixels),
    "no proxies": lambda world: not world.proxies,
    "no first goals": lambda world: not world.first_goals,
}
"""What makes a world different to the engine, the solver and the scores -> whether it is so."""

OTHERS = pytest.mark.slow(
    reason="the code is the one that the worlds of KINDS run; here it meets every world's own rules"
)


OWN_RULES = pytest.mark.slow(
    reason="only this world's own file can break it, and it compiles what no quick test needs; quickly, every world plays as ever"
)
"""For what is tested of a world that is none of KINDS, or of a size of its own. Its quick sibling is in test_uncompiled.py."""


def sweep(names: Iterable[str], long: Container[str] = ()) -> list[object]:
    """Parameters of a test that is to hold in each of these worlds. long: where it takes long, of whatever kind they are."""
    quick = [name for name in KINDS if name not in long]
    return [name if name in quick else pytest.param(name, marks=OTHERS) for name in names]


in_every_world = pytest.mark.parametrize("environment", registry.environments(), indirect=True)
"""For a test with the fixture `environment`: every world, in `make test` too. For what its declaration alone can have wrong."""
