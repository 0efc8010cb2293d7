"""The scorecard's rows: the scores of a population with all that is drawn of them, and its outcomes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from mesabench.evaluation.numbers import groups
from mesabench.evaluation.verdict import OUTCOMES
from mesabench.report import words
from mesabench.runs.cohort import Population
from mesabench.scores.bounded import BY_BOUNDS
from mesabench.scores.score import Score
from mesabench.statistics.intervals import Interval


@dataclass
class Notes:
    """Reasons why numbers are missing, each told once, numbered in the order in which they come up."""

    prefix: str
    reasons: dict[str, int] = field(default_factory=dict)

    def missing(self, seeds: Sequence[Score]) -> tuple[str, int] | None:
        """For how many seeds there is no number, and the note that says why; or what they rest on, if that is bounds."""
        reasons = [one.reason or "not measured" for one in seeds if one.value is None]
        if not reasons:
            bounded = [one.reason for one in seeds if one.reason and BY_BOUNDS in one.reason]
            return (BY_BOUNDS, self._numbered(bounded[0])) if bounded else None
        count = "n/a" if len(reasons) == len(seeds) else f"{len(reasons)} of {len(seeds)} n/a"
        return count, self._numbered(reasons[0].removeprefix("n/a: "))

    def _numbered(self, reason: str) -> int:
        return self.reasons.setdefault(reason[:1].upper() + reason[1:], len(self.reasons) + 1)


@dataclass(frozen=True)
class Cell:
    """A number of a population. dots: the seeds' values; positions are in [0, 1]; value None where missing says why."""

    name: str
    value: float | None
    low: float | None
    high: float | None
    dots: Sequence[float]
    missing: tuple[str, int] | None

    @property
    def place(self) -> float | None:
        return _bounded(self.value)

    @property
    def ends(self) -> tuple[float, float] | None:
        return None if self.low is None else (_bounded(self.low), _bounded(self.high))


@dataclass(frozen=True)
class Bar:
    """Shares that sum to 1: (name, share, text, style class)."""

    label: str
    parts: Sequence[tuple[str, float, str, str]]
    reference: bool = False

    @property
    def spoken(self) -> str:
        return ", ".join(f"{name} {text}" for name, _, text, _ in self.parts)


@dataclass(frozen=True)
class Row:
    """A population in the scorecard; groups: its cells, those of each of `mesabench.evaluation.numbers.groups`."""

    population: Population
    colour: str
    groups: Sequence[Sequence[Cell]]
    outcomes: Bar
    note: str


def row_of(one: Population, colour: str, notes: Notes) -> Row:
    exact, n = sum(seed.exact for seed in one.seeds), len(one.seeds)
    how = "exact" if exact == n else ("sampled" if not exact else f"{exact} of {n} exact")
    cells = [
        [
            cell_of(name, one.card.scores[name], [seed.scores[name] for seed in one.seeds], notes)
            for name in (score.name for score in group)
        ]
        for group in groups().values()
    ]
    outcomes = counted(one.card.outcomes, OUTCOMES, n)
    called = [
        (words.outcome_word(one, name), share, text, style) for name, share, text, style in outcomes.parts
    ]
    trained = words.plural(n, "seed") if one.learns else "scripted" if n == 1 else f"scripted, {n} seeds"
    return Row(one, colour, cells, replace(outcomes, parts=called), f"{trained}, {how}")


def cell_of(name: str, interval: Interval, seeds: Sequence[Score], notes: Notes) -> Cell:
    dots = sorted(_bounded(one.value) for one in seeds if one.value is not None)
    value = interval.value if interval.n else None
    return Cell(name, value, interval.low, interval.high, dots, notes.missing(seeds))


def counted(counts: Mapping[str, tuple[int, float, float]], names: Sequence[str], n: int) -> Bar:
    """How many of n seeds have each outcome, or are of each kind, that occurs."""
    parts = [
        (name, counts[name][0] / n, str(counts[name][0]), name.replace(" ", "-").replace(",", ""))
        for name in names
        if name in counts
    ]
    return Bar("", parts)


def _bounded(value: float | None) -> Any:
    return None if value is None else min(1.0, max(0.0, value))
