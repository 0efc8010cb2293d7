"""The numbers beside the scores, by what they tell, a column for each population."""

from collections.abc import Sequence
from dataclasses import dataclass

from mesabench.evaluation.numbers import sentence
from mesabench.report import words
from mesabench.report.outer_inner import PARTS, SPLITS
from mesabench.report.scorecard import Notes
from mesabench.runs.cohort import Population

SHOWN_ELSEWHERE = {f"{split} {part}" for split in SPLITS for part in (*PARTS, "outer low", "outer high")}


@dataclass(frozen=True)
class Row:
    """A row. cells: for each population its text, its interval and what is missing (see `Notes`)."""

    name: str
    meaning: str
    cells: Sequence[tuple[str, str, tuple[str, int] | None]]


@dataclass(frozen=True)
class Table:
    """rows: the numbers that at least one population has; absent: the names of the others, with what is missing."""

    rows: Sequence[Row]
    absent: Sequence[tuple[str, tuple[str, int] | None]]


def numbers(populations: Sequence[Population], notes: Notes) -> Table:
    names = dict.fromkeys(
        name for one in populations for name in one.card.evidence if name not in SHOWN_ELSEWHERE
    )
    rows = [Row(name, sentence(name), [_cell(one, name, notes) for one in populations]) for name in names]
    known = {row.name for row in rows if any(value for value, _, _ in row.cells)}
    return Table(
        [row for row in rows if row.name in known],
        [(row.name, row.cells[0][2]) for row in rows if row.name not in known],
    )


def _cell(one: Population, name: str, notes: Notes) -> tuple[str, str, tuple[str, int] | None]:
    found = one.card.evidence.get(name)
    if found is None:
        return "", "", None
    missing = notes.missing([seed.number(name) for seed in one.seeds])
    return words.number(found.value) if found.n else "", words.span(found), missing
