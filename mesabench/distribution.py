"""A distribution over levels: a split of an environment, with alpha, a number of levels, and knobs turned by the user."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

from mesabench.engine import ANY_POOL, HELDOUT_POOL, TRAIN_POOL, Engine, engine_for
from mesabench.environment import DEPLOY, HELDOUT, TRAIN, Environment, Value
from mesabench.whole import whole

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
    knobs: values that differ from the split's own. A knob that the splits set themselves is the shift: its new value holds
        for the split asked for (`train` and `heldout` are one in this), the other keeps the value it declares.

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
        try:
            object.__setattr__(self, "levels", whole(self.levels, name="levels"))
        except ValueError as error:
            raise ValueError(f"{error}, or 0 for endless levels") from error
        shapes = {(self.environment.shape(k), self.environment.channels_of(k)) for k in self._three_knobs}
        if len(shapes) > 1:
            raise ValueError(
                f"{self.environment.name}: the splits differ in shape or planes of observations: {shapes}"
            )

    @cached_property
    def _three_knobs(self) -> tuple[SimpleNamespace, SimpleNamespace, SimpleNamespace]:
        """Knobs of the common layout, of ordinary levels, of shifted levels."""
        ordinary = self.split in (TRAIN, HELDOUT)
        shared = self._shared(self.knobs)
        train = self.environment.knobs_of(TRAIN, self.knobs if ordinary else shared)
        other = self.environment.knobs_of(
            DEPLOY if ordinary else self.split, shared if ordinary else self.knobs
        )
        return train, train, other

    def _shared(self, knobs: Mapping[str, object]) -> dict[str, object]:
        """Those of the knobs that no split sets: they mean the same in all of them."""
        shift = {name for values in self.environment.splits.values() for name in values}
        return {name: value for name, value in knobs.items() if name not in shift}

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
        """The same distribution with some options or knobs changed; another split starts from its own shift and alpha 0."""
        split = changes.get("split", self.split)
        same = split == self.split or {split, self.split} == {TRAIN, HELDOUT}
        options = {name: getattr(self, name) for name in OPTIONS} | ({} if same else {"alpha": 0.0})
        knobs = dict(self.knobs) if same else self._shared(self.knobs)
        for name, value in changes.items():
            (options if name in OPTIONS else knobs)[name] = value
        return Distribution(self.environment, **options, knobs=knobs)

    def options(self) -> dict[str, Value]:
        """Everything but the environment, as it would be given to `gymnasium.make`."""
        return {name: getattr(self, name) for name in OPTIONS} | dict(self.knobs)
