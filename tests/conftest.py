"""What several test files share: every environment there is, and batches of its levels."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from mesabench import registry
from mesabench.batch import Batch
from mesabench.distribution import Distribution
from mesabench.environment import HELDOUT, Environment

Levels = Callable[..., Batch]


@pytest.fixture(params=registry.environments())
def environment(request: pytest.FixtureRequest) -> Environment:
    """Each environment in turn. Tests leave it at its default size, so that they share its compiled kernels."""
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
