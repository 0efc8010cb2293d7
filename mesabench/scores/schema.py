"""How what an evaluation leaves is declared: tables with their columns, and records. A trial stores each under its name."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars

from mesabench.suggestion import unknown
from mesabench.world.objective import RESERVED

NAME = re.compile(r"[a-z][a-z0-9_]*")
TAKEN = ("curve", "manifest", "policy", "scores")
"""Names of the files that a trial has beside its tables and records."""


@dataclass(frozen=True)
class Column:
    """A column. kind: of its values, one of int, float, str, bool; meaning: what it tells, in a few words."""

    name: str
    kind: type
    meaning: str

    def names(self, things: Mapping[str, Iterable[str]]) -> Iterator[str]:
        """The columns of a table that it stands for."""
        yield self.name

    def is_of(self, column: str) -> bool:
        """Whether it stands for a column."""
        return column == self.name


@dataclass(frozen=True)
class Each(Column):
    """A column for each of several things, called `return_cheese`, `return_corner`: this alone makes and reads such names.

    letter: what the things are, as the documentation has it: `return_G`, G being an objective.
    """

    letter: str = "G"

    def of(self, thing: str) -> str:
        """The column of one thing."""
        return f"{self.name}_{thing}"

    def names(self, things: Mapping[str, Iterable[str]]) -> Iterator[str]:
        return map(self.of, things.get(self.letter, ()))

    def is_of(self, column: str) -> bool:
        return column.startswith(f"{self.name}_")

    def thing(self, column: str) -> str:
        """The thing that a column is of."""
        return column.removeprefix(f"{self.name}_")

    def things(self, columns: Iterable[str]) -> list[str]:
        """The things of which there are columns, in their order."""
        return [self.thing(one) for one in columns if self.is_of(one)]

    def row(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """Part of a row: the values of things, under their columns' names."""
        return {self.of(thing): value for thing, value in values.items()}

    def read(self, table: polars.DataFrame, things: Sequence[str]) -> np.ndarray:
        """(rows, things): the columns of these things."""
        return table.select([self.of(thing) for thing in things]).to_numpy()


@dataclass(frozen=True)
class Schema:
    """A table: its name, what its rows are, and its columns. A trial stores it as `<name>.parquet`.

    published: whether a run stores those of all of its trials as one table beside its scores, too.
    """

    name: str
    sentence: str
    columns: tuple[Column, ...]
    published: bool = False

    def __post_init__(self) -> None:
        _refuse_name("table", self.name)
        for each in (one for one in self.columns if isinstance(one, Each)):
            for own in each.things(one.name for one in self.columns if one is not each):
                if own not in RESERVED:
                    raise ValueError(
                        f"column {each.of(own)!r} of table {self.name!r} would be the {each.name!r} of something called {own!r}: "
                        f"give it a name that does not begin with {each.of('')!r}"
                    )

    def frame(self, rows: Iterable[Mapping[str, Any]] = (), **things: Iterable[str]) -> polars.DataFrame:
        """A table of these rows, empty without any. things: by letter, those that columns are of (see `Each`)."""
        kinds: Any = {name: one.kind for one in self.columns for name in one.names(things)}
        return polars.DataFrame(list(rows), schema=kinds)

    def refuse_unknown(self, columns: Iterable[str]) -> None:
        """Raises ValueError for a column that is not declared."""
        for column in columns:
            if not any(one.is_of(column) for one in self.columns):
                raise ValueError(
                    unknown(f"column of table {self.name!r}", column, [one.name for one in self.columns])
                )


@dataclass(frozen=True)
class Record:
    """Plain data that is no table: its name and what it holds. A trial stores it as `<name>.json`."""

    name: str
    sentence: str

    def __post_init__(self) -> None:
        _refuse_name("record", self.name)


def _refuse_name(kind: str, name: str) -> None:
    if not NAME.fullmatch(name):
        raise ValueError(f"{kind} {name!r}: it names a file; small letters, digits and _ make its name")
    if name in TAKEN:
        raise ValueError(f"{kind} {name!r}: a trial has a file of this name already; choose another")
