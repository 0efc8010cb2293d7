"""Whole numbers as people give them: one rule for seeds, steps, levels and numbers of environments."""

import math
from typing import Annotated, Any

import numpy as np
from pydantic import BeforeValidator

MOST = 2**63 - 1
"""The largest whole number that tables and compiled code hold."""


def whole(value: Any, low: int = 0, high: int = MOST, *, name: str = "") -> int:
    """A whole number: an int, or what equals one (`1e5`, `np.int64(7)`), but no bool.

    name: what an error calls it. Raises ValueError: what is allowed.
    """
    number = value.item() if isinstance(value, np.generic) else value
    if isinstance(number, int | float) and not isinstance(number, bool) and math.isfinite(number):
        found = int(number)
        if found == number and low <= found <= high:
            return found
    upper = "2**63 - 1" if high == MOST else str(high)
    given = f"{name}={value!r}: " if name else ""
    raise ValueError(f"{given}must be a whole number from {low} to {upper}")


def whole_text(text: str, low: int = 0, high: int = MOST) -> int:
    """The whole number that a text writes: `100000`, `100_000` or `1e5`. Raises ValueError: what is allowed."""
    for kind in (int, float):
        try:
            number = kind(text)
        except ValueError:
            continue
        return whole(number, low, high)
    return whole(text, low, high)


def plain(value: Any) -> Any:
    """Settings and options as plain data: NumPy's scalars and arrays, tuples and sets as Python's numbers and lists.

    Raises ValueError for numbers that are not finite or too large to be kept.
    """
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ValueError("must be a finite number")
    if isinstance(value, int) and not -MOST - 1 <= value <= MOST:
        raise ValueError("must be a number from -2**63 to 2**63 - 1")
    return value


Whole = Annotated[int, BeforeValidator(whole)]
AtLeastOne = Annotated[int, BeforeValidator(lambda value: whole(value, 1))]
