"""The few worlds on which `make test` tries the engine are of every kind, and its processes take whole groups of tests."""

from types import SimpleNamespace

import pytest
from kinds import KIND_OF, KINDS

from mesabench import registry


@pytest.mark.parametrize("kind", KIND_OF)
def test_every_kind_of_world_is_among_those_that_are_always_tried(kind: str) -> None:
    """A world that is the first of its kind belongs into KINDS, in place of one that no kind needs any more."""
    of = [name for name, world in registry.environments().items() if KIND_OF[kind](world)]
    assert not of or {*of} & {*KINDS}, of


def test_the_tests_of_a_world_and_else_those_of_a_file_go_to_one_process(
    request: pytest.FixtureRequest,
) -> None:
    pytest.importorskip("xdist")
    two = SimpleNamespace(getvalue={"tx": ["popen", "popen"]}.get)
    scheduler = request.config.hook.pytest_xdist_make_scheduler(config=two, log=None)
    groups = [
        scheduler._split_scope(f"tests/{test}")
        for test in (
            "engine/test_vector.py::test_they_play[cheese_corner-NextStep-1]",
            "solver/test_optima.py::test_it[train-cheese_corner]",
            "a/test_b.py::test_it[cheese_corner_too]",
            "a/test_b.py::test_more",
        )
    ]
    assert groups == ["cheese_corner", "cheese_corner", "tests/a/test_b.py", "tests/a/test_b.py"]
