"""A distribution over levels: a split of an environment, with alpha, a number of levels, and knobs turned by the user."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

from mesabench import registry
from mesabench.engine.dynamics import ANY_POOL, HELDOUT_POOL, TRAIN_POOL
from mesabench.engine.kernels import Engine, engine_for
from mesabench.suggestion import UnknownOption
from mesabench.whole_number import whole
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN, Environment
from mesabench.world.knob import Value
from mesabench.world.sight import parsed

OPTIONS = ("split", "alpha", "levels", "sight")
"""The options of a distribution beside the environment's knobs."""


@dataclass(frozen=True)
class Distribution:
    """Levels of one environment. Two are equal if they have the same environment and were given the same.

    split: `train`, `heldout` (training distribution, layouts never trained on), `deploy` (the shifted distribution, on the
        same held-out layouts), or another that the environment names.
    alpha: share in [0, 1] of the levels of `train` and `heldout` that come from the deploy distribution instead. Which
        ones is fixed level by level, and those of a smaller alpha are among those of a larger one.
    levels: 0 for endless levels, or the number of different level seeds, 0 .. levels - 1.
    knobs: values that differ from the split's own. `deploy.corner` sets a knob in one split (`train` means `heldout`, too) and
        wins over a plain `corner`. A plain name sets a knob in every split, but for the shift: of knobs that `train`, `split` or
        the other split set themselves, it sets the one of `split`, as it is the only split named here.
    sight: what the agent sees instead of what the environment declares, in words: `5x5`, `rgb`, `5x5 opaque rgb`
        (`mesabench.world.sight.parsed`); '' for what it declares.

    What was given for one split holds in the others by `with_(split=...)`.

    Raises ValueError for an unknown split, knob or sight, or a value out of range.
    """

    environment: Environment
    split: str = TRAIN
    alpha: float = 0.0
    levels: int = 0
    knobs: Mapping[str, object] = field(default_factory=dict, hash=False)
    sight: str = ""

    def __post_init__(self) -> None:
        number = isinstance(self.alpha, int | float | np.integer | np.floating)
        if not number or isinstance(self.alpha, bool) or not 0.0 <= self.alpha <= 1.0:
            raise ValueError(f"alpha={self.alpha!r}: the share of deploy levels must be a number from 0 to 1")
        object.__setattr__(self, "alpha", float(self.alpha))
        if self.alpha and self.split not in (TRAIN, HELDOUT):
            raise ValueError(
                f"alpha={self.alpha!r} mixes deploy levels into training; split {self.split!r} has no use for it"
            )
        try:
            object.__setattr__(self, "levels", whole(self.levels, name="levels"))
        except ValueError as error:
            raise ValueError(f"{error}, or 0 for endless levels") from error
        for name in self.knobs:
            split, _ = self.environment.split_and_knob(name)
            if split:
                self.knobs_in(split)
        object.__setattr__(self, "sight", " ".join(parsed(self.sight)))
        for knobs in self._three_knobs:
            self.environment.sight_of(self.sight, knobs)
        shapes = {(self.environment.shape(k), self.environment.in_view(k)) for k in self._three_knobs}
        if len(shapes) > 1:
            raise ValueError(
                f"{self.environment.name}: the splits differ in shape or planes of observations: {shapes}"
            )
        if len({self.environment.actions_of(knobs) for knobs in self._three_knobs}) > 1:
            raise ValueError(f"{self.environment.name}: the splits differ in their actions")

    def __repr__(self) -> str:
        said = {name: value for name, value in self.options().items() if value or name in self.knobs}
        return f"Distribution({', '.join([self.environment.name, *(f'{k}={v!r}' for k, v in said.items())])})"

    @cached_property
    def _three_knobs(self) -> tuple[SimpleNamespace, SimpleNamespace, SimpleNamespace]:
        """Knobs of the common layout, of ordinary levels, of shifted levels."""
        train, other = (self.knobs_in(split) for split in (TRAIN, self._other))
        return train, train, other

    @property
    def _other(self) -> str:
        """The split that is not `train`: the one asked for, or the one that `alpha` mixes in."""
        return DEPLOY if self.split in (TRAIN, HELDOUT) else self.split

    def _given(self, split: str) -> dict[str, object]:
        """What is given for the knobs of a split."""
        base = _base(split)
        named = {self.environment.split_and_knob(name): value for name, value in self.knobs.items()}
        plain = {
            knob: value
            for (where, knob), value in named.items()
            if not where and base in _reached(self.environment, knob, self.split)
        }
        return plain | {knob: value for (where, knob), value in named.items() if where == base}

    @property
    def given(self) -> dict[str, object]:
        """What is given for the knobs of the split itself, by plain names."""
        return self._given(self.split)

    def knobs_in(self, split: str) -> SimpleNamespace:
        """The knob values of a split, as they are among these levels. Raises ValueError."""
        return self.environment.knobs_of(split, self._given(split))

    @property
    def own_knobs(self) -> SimpleNamespace:
        """The knob values of the split itself."""
        return self._three_knobs[1 if self.split in (TRAIN, HELDOUT) else 2]

    @cached_property
    def actions(self) -> tuple[str, ...]:
        """The names of the actions, by number."""
        return self.environment.actions_of(self.own_knobs)

    @cached_property
    def engine(self) -> Engine:
        return engine_for(self.environment, self.own_knobs, self.sight)

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
        """The same distribution with some options or knobs changed: `with_(split="deploy", size=7)`.

        In another split every knob keeps what was given for it, split by split: a plain name that means something else there is
        written out (`train.corner`), and `alpha` is 0, as it belongs to training. A plain name among the changes means the new
        split, and wins over what was given for that split before. Raises ValueError.
        """
        split = _base(changes.get("split", self.split))
        same = split == _base(self.split)
        options = {name: getattr(self, name) for name in OPTIONS} | ({} if same else {"alpha": 0.0})
        knobs = dict(self.knobs)
        for name in () if same else [name for name in knobs if "." not in name]:
            mine = _reached(self.environment, name, self.split)
            if mine != _reached(self.environment, name, split):
                value = knobs.pop(name)
                knobs = {f"{where}.{name}": value for where in mine} | knobs  # what names its split stands
        for name, value in changes.items():
            (options if name in OPTIONS else knobs)[name] = value
            knobs.pop(f"{split}.{name}", None)
        return Distribution(self.environment, **options, knobs=knobs)

    def options(self) -> dict[str, Value]:
        """Everything but the environment, as it would be given to `gymnasium.make`."""
        options: dict[str, Any] = {
            name: getattr(self, name) for name in OPTIONS if name != "sight" or self.sight
        }
        return options | dict(self.knobs)


def _base(split: str) -> str:
    """The split whose knobs a split has."""
    return TRAIN if split == HELDOUT else split


def _reached(environment: Environment, knob: str, split: str) -> tuple[str, ...]:
    """The splits in which a plain name sets a knob, where `split` is the one that is named."""
    shift = environment.shifted_knobs
    return tuple(
        one for one in environment.splits if one == _base(split) or knob not in shift(split) | shift(one)
    )


def alike(distribution: Distribution) -> list[tuple[str, str]]:
    """The pairs of splits, the first of a kind before the others, that are left with the same knobs.

    Not those that are declared with the same: a published world may be that of training.
    """
    declared = Distribution(distribution.environment)
    firsts: dict[str, SimpleNamespace] = {}
    pairs = []
    for split in distribution.environment.splits:
        knobs = distribution.with_(split=split).own_knobs
        twin = next((name for name, known in firsts.items() if known == knobs), None)
        if twin is None:
            firsts[split] = knobs
        elif declared.with_(split=twin).own_knobs != declared.with_(split=split).own_knobs:
            pairs.append((twin, split))
    return pairs


def distribution(environment: str | Environment, /, **options: Any) -> Distribution:
    """Levels of an environment: `distribution("cheese_corner", split="deploy", size=7)`.

    environment: its name, the path of its file, or itself. options: `split`, `alpha`, `levels` and knobs; see `Distribution`.
    Raises LookupError for an unknown environment, UnknownOption (a ValueError and a TypeError), ValueError.
    """
    return distribution_of(environment, options)


def distribution_of(
    environment: "str | Environment | Distribution", options: Mapping[str, Any]
) -> Distribution:
    """The distribution that keyword options (split, alpha, levels and knobs) describe, or change one to.

    Raises UnknownOption (a ValueError and a TypeError), ValueError, LookupError.
    """
    levels = environment if isinstance(environment, Distribution) else None
    found = levels.environment if levels else registry.find_environment(environment)  # type: ignore[arg-type]
    for name in options:
        if "." in name:
            found.split_and_knob(name)
        elif name not in OPTIONS and name not in found.knobs:
            allowed = {*OPTIONS, *found.knobs, "objective", "render_mode"}
            raise UnknownOption.named(f"option of {found.name}", name, allowed)
    if levels:
        return levels.with_(**options)
    knobs = {name: value for name, value in options.items() if name not in OPTIONS}
    return Distribution(found, **{name: options[name] for name in OPTIONS if name in options}, knobs=knobs)
