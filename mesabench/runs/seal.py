"""Seals: a digest that a JSON object carries, by which damage is noticed. It keeps nobody from changing both."""

from collections.abc import Mapping
from typing import Any

from mesabench.runs.trial import digest

SEAL = "seal"


def sealed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Plain data as JSON gives it back (lists, no tuples), with its seal. Raises ValueError for a number that is not finite."""
    return {**data, SEAL: digest(data)}


def is_whole(data: Mapping[str, Any]) -> bool:
    """Whether data that was read is what was sealed; without a seal it is not. Raises ValueError as `sealed` does."""
    return data.get(SEAL) == digest({key: value for key, value in data.items() if key != SEAL})
