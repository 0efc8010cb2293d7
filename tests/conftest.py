"""What several test files share: every environment there is, and batches of its levels."""

import os

# as in `mesabench run`: small networks are quicker on one thread, and the workers of pytest share the machine
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from kinds import sweep

from mesabench import registry
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution
from mesabench.solver.graph import LevelGraph
from mesabench.world.environment import HELDOUT, Environment

Levels = Callable[..., Batch]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """`make test` shares out the tests among its processes by `groups.group_of`."""
    from groups import Groups

    return Groups(config, log)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for mark in item.iter_markers("slow"):
            if not mark.kwargs.get("reason"):
                raise pytest.UsageError(
                    f"{item.nodeid}: say what makes it worth its time: @pytest.mark.slow(reason=...)"
                )


@pytest.fixture(params=sweep(registry.environments()))
def environment(request: pytest.FixtureRequest) -> Environment:
    """Each environment in turn, in `make test` only those that differ in kind (`kinds.KINDS`).

    What a declaration alone can have wrong is tested `in_every_world`. Tests leave it at its default size, so that they share
    its compiled kernels.
    """
    return registry.find_environment(request.param)


@pytest.fixture
def splits(environment: Environment) -> tuple[str, ...]:
    return (*environment.splits, HELDOUT)


@pytest.fixture(scope="session")
def levels() -> Levels:
    """A batch that stands at the start of the levels of seeds 0 .. number - 1 of a distribution."""

    def levels(environment: Environment, split: str, number: int, **options: Any) -> Batch:
        knobs = {name: options.pop(name) for name in list(options) if name in environment.knobs}
        batch = Batch(Distribution(environment, split, knobs=knobs, **options), number, observe=False)
        batch.reset(levels=np.arange(number))
        return batch

    return levels


@pytest.fixture(scope="session")
def random_process() -> Callable[..., LevelGraph]:
    """Draws processes so small that they can be solved by their definition."""

    def random_process(
        seed: int,
        *,
        states: int = 4,
        actions: int = 2,
        horizon: int = 3,
        outcomes: int = 2,
        ends: bool = True,
    ) -> LevelGraph:
        """A small Markov decision process with an event for every transition, all states reachable from the start."""
        rng = np.random.default_rng(seed)
        n = states * actions * outcomes
        successor = rng.integers(-1 if ends else 0, states, n).astype(np.int32)
        probability = rng.dirichlet(np.ones(outcomes), states * actions).ravel()
        environment: Any = SimpleNamespace(
            discount=0.9,
            actions=("a", "b", "c")[:actions],
            events=range(4),
            weights=np.eye(4),
            objective_names=tuple("abcd"),
            column="abcd".index,
        )
        distribution: Any = SimpleNamespace(environment=environment, actions=environment.actions)
        return LevelGraph(
            distribution, 0, 0, 0, horizon, np.zeros((states, 1), np.uint64), np.array([states], np.int64),
            np.arange(0, n + 1, outcomes), successor, probability, (1 << rng.integers(0, 4, n)).astype(np.uint32),
        )  # fmt: skip

    return random_process
