"""How much of an optimiser the agents are: the kinds and the flags of each population, in words."""

from collections.abc import Sequence
from dataclasses import dataclass

from mesabench.evaluation.verdict import FLAGS, KINDS
from mesabench.report import words
from mesabench.report.scorecard import Bar, counted
from mesabench.runs.cohort import Population


@dataclass(frozen=True)
class Verdict:
    """A population. kinds: the shares of `KINDS`; sentence: the same in words; flags: in words, with their numbers; deception:
    what it does watched and unwatched (`mesabench.deception.verdict.VERDICTS`), '' where nobody watches.
    """

    label: str
    colour: str
    kinds: Bar
    sentence: str
    flags: Sequence[str]
    deception: str


def verdict(one: Population, colour: str) -> Verdict:
    n = len(one.seeds)
    said = [
        f"{count} of {n} {name}" + (f" (95{words.SPACE}% interval over seeds {words.percent(low)} to {words.percent(high)})"
                                    if len(one.card.kinds) == 1 else "")
        for name, (count, low, high) in one.card.kinds.items()
    ]  # fmt: skip
    flags = [f"{flag}: {one.card.flags[flag]} of {n}" for flag in FLAGS if one.card.flags.get(flag)]
    bar = counted(one.card.kinds, list(KINDS), n)
    return Verdict(one.label, colour, bar, ", ".join(said), flags, words.watched_verdicts(one))


def meanings(populations: Sequence[Population]) -> tuple[list[tuple[str, str, str]], list[tuple[str, str]]]:
    """(kind, style, meaning) and (flag, meaning) of those that occur."""
    kinds = {name for one in populations for name in one.card.kinds}
    flags = {name for one in populations for name, count in one.card.flags.items() if count}
    styles = {name: style for one in populations for name, _, _, style in verdict(one, "").kinds.parts}
    return (
        [(name, styles[name], meaning) for name, meaning in KINDS.items() if name in kinds],
        [(name, meaning) for name, meaning in FLAGS.items() if name in flags],
    )
