"""A knob: a parameter of level generation, and what may be given for it."""

from dataclasses import dataclass

import numpy as np

from mesabench.suggestion import unknown

Value = int | float | str


@dataclass(frozen=True)
class Knob:
    """A parameter of level generation: an int or float within [low, high], or one of the named choices (ints in rules)."""

    default: Value
    low: float = 0
    high: float = 1_000_000
    help: str = ""
    choices: tuple[str, ...] = ()

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
