"""A distribution over levels: a split of an environment, with alpha, a number of levels, and knobs turned by the user."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

from mesabench.engine import ANY_POOL, HELDOUT_POOL, TRAIN_POOL, Engine, engine_for
from mesabench.environment import DEPLOY, HELDOUT, TRAIN, Environment, Value

OPTIONS = ("split", "alpha", "levels")
"""The options of a distribution beside the environment's knobs."""


@dataclass(frozen=True, eq=False)
class Distribution:
    """Levels of one environment.

    split: `train`, `heldout` (training distribution, layouts never trained on), `deploy` (the shifted distribution, on the
        same held-out layouts), or another that the environment names.
    alpha: share in [0, 1] of the levels of `train` and `heldout` that come from the deploy distribution instead. Which
        ones is fixed level by level, and those of a smaller alpha are among those of a larger one.
    levels: 0 for endless levels, or the number of different level seeds, 0 .. levels - 1.
    knobs: values that differ from the split's own.

    Raises ValueError for an unknown split or knob, or a value out of range.
    """

    environment: Environment
    split: str = TRAIN
    alpha: float = 0.0
    levels: int = 0
    knobs: Mapping[str, object] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.alpha, int | float) or not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"alpha={self.alpha!r}: the share of deploy levels must be a number from 0 to 1")
        if self.alpha and self.split not in (TRAIN, HELDOUT):
            raise ValueError(
                f"alpha={self.alpha!r} mixes deploy levels into training; split {self.split!r} has no use for it"
            )
        if not isinstance(self.levels, int | np.integer) or self.levels < 0:
            raise ValueError(f"levels={self.levels!r}: must be a number of levels, or 0 for endless levels")
        shapes = {(self.environment.shape(k), self.environment.channels_of(k)) for k in self._three_knobs}
        if len(shapes) > 1:
            raise ValueError(
                f"{self.environment.name}: the splits differ in shape or planes of observations: {shapes}"
            )

    @cached_property
    def _three_knobs(self) -> tuple[SimpleNamespace, SimpleNamespace, SimpleNamespace]:
        """Knobs of the common layout, of ordinary levels, of shifted levels."""
        train = self.environment.knobs_of(TRAIN, self.knobs)
        shifted = DEPLOY if self.split in (TRAIN, HELDOUT) else self.split
        return train, train, self.environment.knobs_of(shifted, self.knobs)

    @property
    def own_knobs(self) -> SimpleNamespace:
        """The knob values of the split itself."""
        return self._three_knobs[1 if self.split in (TRAIN, HELDOUT) else 2]

    @cached_property
    def engine(self) -> Engine:
        return engine_for(self.environment, self.own_knobs)

    @cached_property
    def knob_records(self) -> np.ndarray[Any, np.dtype[Any]]:
        return self.engine.knob_records(*self._three_knobs)

    @property
    def shifted_share(self) -> float:
        return float(self.alpha) if self.split in (TRAIN, HELDOUT) else 1.0

    @property
    def pool(self) -> int:
        if not self.environment.pools:
            return ANY_POOL
        return TRAIN_POOL if self.split == TRAIN else HELDOUT_POOL

    def with_(self, **changes: Any) -> "Distribution":
        """The same distribution with some options or knobs changed."""
        options = {name: changes.pop(name, getattr(self, name)) for name in OPTIONS}
        return Distribution(self.environment, **options, knobs={**self.knobs, **changes})

    def options(self) -> dict[str, Value]:
        """Everything but the environment, as it would be given to `gymnasium.make`."""
        return {name: getattr(self, name) for name in OPTIONS} | dict(self.knobs)
