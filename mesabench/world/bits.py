"""Bits with names: the layers of the grid, and the events of a step with the amounts that they carry."""

from typing import Any, NamedTuple


class Bit(int):
    """An int with one bit set and a name: a layer of the grid or an event of a step.

    An event that carries an amount has several bits, its binary digits; `most` is the largest amount, 1 of all others.
    """

    name: str
    most: int

    def __new__(cls, position: int, name: str, most: int = 1) -> "Bit":
        bit = super().__new__(cls, (1 << most.bit_length()) - 1 << position)
        bit.name, bit.most = name, most
        return bit

    def __getnewargs__(self) -> tuple[int, str, int]:  # type: ignore[override]
        return self.position, self.name, self.most

    @property
    def position(self) -> int:
        """The number of its lowest bit."""
        return (int(self) & -int(self)).bit_length() - 1

    def amount_in(self, happened: int) -> int:
        """How much of it there is in the events of a step: 0 or 1, or its amount."""
        return (int(happened) & int(self)) >> self.position


class Amount(NamedTuple):
    """An event to be named by `events`, with the largest amount that it can carry."""

    name: str
    most: int


MAX_ACTIONS = 32
"""Actions of an environment; sets of them, as of events, are kept in 32 bits."""
MAX_LAYERS, MAX_EVENT_BITS = 16, 32


def _bits(kind: str, most: int, given: tuple[str | Amount, ...]) -> tuple[Any, ...]:
    amounts = [one if isinstance(one, Amount) else Amount(one, 1) for one in given]
    names = [one.name for one in amounts]
    needed = [one.most.bit_length() for one in amounts]
    if not given or sum(needed) > most:
        wide = ", ".join(f"{one.name!r} {n}" for one, n in zip(amounts, needed, strict=True) if n > 1)
        bits = f", and these take {sum(needed)} bits ({wide}, the others 1)" if wide else ""
        raise ValueError(f"{len(names)} {kind} named{bits}; between 1 and {most} are possible")
    for name in names:
        if not name.isidentifier() or names.count(name) > 1:
            raise ValueError(f"{kind} {name!r}: every name must be an identifier and occur once")
    return tuple(Bit(sum(needed[:k]), one.name, one.most) for k, one in enumerate(amounts))


def layers(*names: str) -> tuple[Any, ...]:
    """Name the layers of the grid, lowest first (that is the order of drawing): one bit of a cell each, at most 16."""
    return _bits("layers", MAX_LAYERS, names)


def events(*names: str | Amount) -> tuple[Any, ...]:
    """Name the events that a step can return: one bit each, at most 32; an `amount` takes one for each of its digits."""
    return _bits("events", MAX_EVENT_BITS, names)


def amount(name: str, most: int) -> Amount:
    """An event that carries a count from 0 to `most`: `STEPPED, WATERED = events("stepped", amount("watered", 13))`.

    Rules return `counted(WATERED, n)`; objectives weigh it by the unit. Raises ValueError.
    """
    if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most < 1 << MAX_EVENT_BITS - 1:
        raise ValueError(
            f"amount({name!r}, {most!r}): the largest count must be a whole number from 1 to {(1 << MAX_EVENT_BITS - 1) - 1}"
        )
    return Amount(name, most)
