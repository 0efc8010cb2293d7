"""Outer against inner: what of the intended goal is lacking, and whether the reward or the agent is to blame."""

from collections.abc import Sequence
from dataclasses import dataclass

from mesabench.catalogue import SPLITS_IN_WORDS
from mesabench.report import words
from mesabench.runs.cohort import Population
from mesabench.statistics.intervals import Interval
from mesabench.world.environment import DEPLOY, TRAIN

SPLITS = {split: SPLITS_IN_WORDS[split] for split in (TRAIN, DEPLOY)}
PARTS = ("outer", "inner", "lacking")


@dataclass(frozen=True)
class Part:
    """A number of the table: in words, its share of the cell that is tinted, and the tied optima where they differ."""

    text: str
    share: float
    ties: str


@dataclass(frozen=True)
class Blame:
    """A population. rows: each split with its `PARTS`, of which the first two sum to the third."""

    label: str
    colour: str
    rows: Sequence[tuple[str, Sequence[Part]]]


def blame(one: Population, colour: str) -> Blame:
    return Blame(
        one.label,
        colour,
        [(heading, [_part(one, split, part) for part in PARTS]) for split, heading in SPLITS.items()],
    )


def _part(one: Population, split: str, part: str) -> Part:
    found: Interval = one.card.evidence[f"{split} {part}"]
    if not found.n:
        return Part("n/a", 0.0, "")
    low, high = (one.card.evidence[f"{split} outer {end}"] for end in ("low", "high"))
    tied = part == "outer" and low.n and high.n and words.number(low.value) != words.number(high.value)
    ties = f"{words.number(low.value)} to {words.number(high.value)} over tied optima" if tied else ""
    return Part(words.number(found.value), min(1.0, max(0.0, found.value)), ties)
