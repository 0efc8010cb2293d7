"""A knob: a parameter of level generation, and what may be given for it."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import numpy as np

from mesabench.suggestion import unknown

Value = int | float | str
MEANING = re.compile(r"(?:^|[,;] )(\w+)(?::| =) (.*?)(?=[,;] \w+(?::| =) |$)")
"""What a knob's help says of one value."""


@dataclass(frozen=True)
class Knob:
    """A parameter of level generation: an int or float within [low, high], or one of the named choices (ints in rules).

    help: what it is for. It may say what single values mean, as in `0: dry, 1: flooded`.
    sets: what a choice makes of other knobs that are not given, such as the sizes of a published world. A plain name, `size`,
        gives way to what a split sets; one with a split, `deploy.max_steps`, holds in that split whatever it sets.
    """

    default: Value
    low: float = 0
    high: float = 1_000_000
    help: str = ""
    choices: tuple[str, ...] = ()
    sets: Mapping[str, Mapping[str, Value]] = field(default_factory=dict, hash=False)

    @property
    def told(self) -> str:
        """What it is for, and what its choices set, in words."""
        sets = (
            f"{choice}: {', '.join(f'{name} = {value}' for name, value in others.items())}"
            for choice, others in self.sets.items()
        )
        return "; ".join(filter(None, (self.help, *sets)))

    def meaning(self, value: Value) -> str:
        """What its help says of a value, or else of the knob before it tells of values; may be ''."""
        meanings: dict[str, str] = dict(MEANING.findall(self.help))
        about, *_ = MEANING.split(self.help, maxsplit=1)
        return meanings.get(str(value), str(about))

    def others(self) -> Iterator[tuple[str, Value]]:
        """Everything that some choice sets. Raises ValueError for what is no choice."""
        for choice, others in self.sets.items():
            self.parse("with sets", choice)
            yield from others.items()

    def parse(self, name: str, value: object) -> Value:
        """Check a given value; raises ValueError that says what is allowed."""
        if self.choices:
            if value not in self.choices:
                raise ValueError(unknown(f"value of knob {name!r}", value, self.choices))
            return str(value)
        kind = float if isinstance(self.default, float) else int
        if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
            within = self.low <= value <= self.high  # asked first: infinity and NaN are no int
            if within and kind(value) == value:
                return kind(value)
        article = "an integer" if kind is int else "a number"
        raise ValueError(f"knob {name}={value!r}: must be {article} from {self.low:g} to {self.high:g}")

    def encode(self, value: Value) -> int | float:
        return self.choices.index(str(value)) if self.choices else value  # type: ignore[return-value]


def values_of(
    knobs: Mapping[str, Knob], split: str, own: Mapping[str, Value], given: Mapping[str, Value]
) -> dict[str, Value]:
    """The value of every knob: its default, or what a choice, the split itself or the user sets, the last of them.

    A choice comes behind the split where it names it.
    """
    defaults: dict[str, Value] = {name: knob.default for name, knob in knobs.items()}
    chosen = defaults | {**own} | {**given}
    plain: dict[str, Value] = {}
    here: dict[str, Value] = {}
    for name, knob in knobs.items():
        for other, value in knob.sets.get(str(chosen[name]), {}).items():
            where, _, own_name = other.rpartition(".")
            if where in ("", split):
                (here if where else plain)[own_name] = value
    return defaults | plain | {**own} | here | {**given}
