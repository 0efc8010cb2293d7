"""What a suite was run to find out: its question, and the population and number that answer it."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Self

from pydantic import BaseModel, Field

from mesabench.deception.compliance import NUMBERS as WATCHING
from mesabench.evaluation.numbers import bounds_of, numbers
from mesabench.runs.trial import Trial
from mesabench.statistics.alpha_star import Threshold, threshold
from mesabench.statistics.intervals import Interval, bootstrap_mean
from mesabench.suggestion import unknown

ALPHA_STAR = "alpha*"
"""In place of a score: where TRUE passes half of its rise, over populations that differ in alpha alone."""
Text = Annotated[str, Field(strict=True, min_length=1)]
Which = tuple[str, str, str]
"""A population as a suite names it: environment, agent and variant."""


class Named(BaseModel, frozen=True, extra="forbid"):
    """A population, by as many of its names as it takes to tell it from the others."""

    environment: Text | None = None
    agent: Text | None = None
    variant: Text | None = None

    def among(self, there: Iterable[Which]) -> list[Which]:
        wanted = (self.environment, self.agent, self.variant)
        return [
            one for one in there if all(name in (None, its) for name, its in zip(wanted, one, strict=True))
        ]


class Answer(Named, frozen=True):
    """What answers the question: a number of one population.

    score: one of `mesabench.evaluation.numbers.numbers`, or `ALPHA_STAR`, for which no variant is named. against: what is
    different about the population that it is compared with.
    """

    score: Text
    against: Named | None = None

    @property
    def other(self) -> Named | None:
        """The population that is compared with, all of its names."""
        if self.against is None:
            return None
        names = self.model_dump(include={*Named.model_fields})
        return Named.model_validate(names | self.against.model_dump(exclude_none=True))

    def resolved(self, trials: Sequence[Trial]) -> Self:
        """With every name that the suite's trials leave no choice about. Raises ValueError: what there is."""
        there = list(dict.fromkeys((one.environment, one.agent, one.variant) for one in trials))
        if self.score == ALPHA_STAR:
            alphas = {float(one.options["alpha"]) for one in trials if self.among([which(one)])}
            curve = self.among(there)
            populations = {one[:2] for one in curve}
            if (
                self.variant
                or self.against
                or len(populations) != 1
                or len(curve) != len(alphas)
                or not {0.0, 1.0} < alphas
            ):
                raise ValueError(
                    f"score = {ALPHA_STAR!r} needs one environment and agent, no variant, and a population "
                    "for each alpha from 0 to 1: "
                    f"{_listed(there)}"
                )
            ((environment, agent),) = populations
            return self.model_copy(update={"environment": environment, "agent": agent})
        if self.score not in (known := numbers()):
            raise ValueError(unknown("score", self.score, [*known, ALPHA_STAR]))
        environment, agent, variant = _one(self, there)
        mine = self.model_copy(update={"environment": environment, "agent": agent, "variant": variant})
        if mine.other is None:
            return mine
        names = zip(Named.model_fields, _one(mine.other, there), strict=True)
        return mine.model_copy(update={"against": Named.model_validate(dict(names))})


def which(trial: Trial) -> Which:
    return trial.environment, trial.agent, trial.variant


def _one(named: Named, there: Sequence[Which]) -> Which:
    found = named.among(there)
    if len(found) == 1:
        return found[0]
    wanted = ", ".join(f"{key} = {value!r}" for key, value in named if key in Named.model_fields and value)
    if found:
        raise ValueError(f"{wanted or 'no name'} fits {len(found)} populations, name one: {_listed(found)}")
    for place, (key, given) in enumerate(named.model_dump(include={*Named.model_fields}).items()):
        if given and given not in (names := dict.fromkeys(one[place] for one in there)):
            raise ValueError(unknown(key, given, names))
    raise ValueError(f"there is no population with {wanted}; there are {_listed(there)}")


def _listed(there: Sequence[Which]) -> str:
    return "; ".join(f"{agent} in {environment}, {variant}" for environment, agent, variant in there)


@dataclass(frozen=True)
class Told:
    """What a run holds of a population.

    title: in words; alpha: the share of shifted levels in its training; values: of every seed, by a number's name, NaN where
    there is none; outcomes, verdicts: of every seed (`SeedScores`), a verdict being '' where nobody watches.
    """

    title: str
    alpha: float
    values: Mapping[str, Sequence[float]]
    outcomes: Sequence[str]
    verdicts: Sequence[str]

    def became(self, score: str) -> str:
        """How many of its seeds turned out how: by their verdicts, where the score is one of watching, else by their outcomes."""
        watching = score in {one.name for one in WATCHING}
        counts = Counter(self.verdicts if watching and all(self.verdicts) else self.outcomes)
        return ", ".join(f"{count} {name}" for name, count in counts.most_common())

    def mean(self, score: str) -> Interval:
        lowest, highest = bounds_of(score)
        (one,) = bootstrap_mean(self.values.get(score, []), seed=0, lowest=lowest, highest=highest)
        return one


def answered(answer: Answer, there: Mapping[Which, Told]) -> str:
    """The answer in a sentence or two, with its number, interval and n, as far as a run has come."""
    if answer.score == ALPHA_STAR:
        sweep = sorted((there[one] for one in answer.among(there)), key=lambda one: one.alpha)
        if len(sweep) < 3:
            return "The populations that answer it have not been run."
        passed = threshold([one.alpha for one in sweep], [one.values["TRUE"] for one in sweep], seed=0)
        seeds = {len(one.outcomes) for one in sweep}
        each = f"{min(seeds)} seeds" if len(seeds) == 1 else f"{min(seeds)} to {max(seeds)} seeds"
        return f"{answer.agent} in {answer.environment}, {each} at each of {len(sweep)} shares: {_passed(passed)}"
    found = answer.among(there)
    if not found:
        return "The population that answers it has not been run."
    one = there[found[0]]
    said = [
        f"{answer.score} is {_mean(answer.score, one)} for {_named(found[0], one)}. "
        f"Of {len(one.outcomes)} seed{'' if len(one.outcomes) == 1 else 's'}: {one.became(answer.score)}."
    ]
    for other in answer.other.among(there) if answer.other else ():
        said.append(f"It is {_mean(answer.score, there[other])} for {_named(other, there[other])}.")
    return " ".join(said)


def _named(names: Which, one: Told) -> str:
    environment, agent, _ = names
    return f"{agent} in {environment}" + (f" ({one.title})" if one.title else "")


def _mean(score: str, one: Told) -> str:
    mean = one.mean(score)
    if not mean.n:
        return "n/a (n = 0)"
    interval = "" if mean.low is None else f"95 % interval over seeds {mean.low:.2f} to {mean.high:.2f}, "
    return f"{mean.value + 0.0:.2f} ({interval}n = {mean.n})"


def _passed(one: Threshold) -> str:
    if one.value is None or one.between is None:
        return f"there is no {ALPHA_STAR}, {one.reason}."
    interval = "" if one.low is None else f"95 % interval over seeds {one.low:.2g} to {one.high:.2g}, "
    left, right = one.between
    return (
        f"{ALPHA_STAR}, the share at which TRUE passes half of its rise, is {one.value:.2g} "
        f"({interval}between the tested {left:g} and {right:g})."
    )
