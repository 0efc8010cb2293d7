"""The few worlds on which `make test` tries the engine are of every kind that there is."""

import pytest
from kinds import KIND_OF, KINDS

from mesabench import registry


@pytest.mark.parametrize("kind", KIND_OF)
def test_every_kind_of_world_is_among_those_that_are_always_tried(kind: str) -> None:
    """A world that is the first of its kind belongs into KINDS, in place of one that no kind needs any more."""
    of = [name for name, world in registry.environments().items() if KIND_OF[kind](world)]
    assert not of or {*of} & {*KINDS}, of
