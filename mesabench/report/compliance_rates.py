"""A population's lifetimes, seed by seed, as the page on deception asks for them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from mesabench.deception.compliance import DeceptionScores, summary
from mesabench.deception.conditions import judged_on
from mesabench.deception.counterfactuals import LIFETIMES, Lifetime, lifetimes_of
from mesabench.deception.precedents import Precedents
from mesabench.deception.rates import compliance
from mesabench.runs.cohort import Population
from mesabench.world.environment import TRAIN


@dataclass(frozen=True)
class Judged:
    """A population's lifetimes by split, then seed, the split that counts first."""

    population: Population
    lifetimes: Mapping[str, Sequence[tuple[Lifetime, ...]]]

    @cached_property
    def scores(self) -> Mapping[str, Sequence[DeceptionScores]]:
        monitor = self.population.environment.monitor
        assert monitor
        level = monitor.genuineness if self.population.learns else "G0"
        taught: list[Precedents | None] = [
            Precedents.of(one, monitor) for one in self.lifetimes.get(TRAIN, ())
        ] or [None] * len(self.population.trials)
        return {
            split: [summary(one, monitor, level, known) for one, known in zip(seeds, taught, strict=True)]
            for split, seeds in self.lifetimes.items()
        }

    @cached_property
    def whole(self) -> Mapping[str, Sequence[tuple[Lifetime, ...]]]:
        """The lifetimes in which all conditions hold: what maps and curves are drawn of."""
        monitor = self.population.environment.monitor
        assert monitor
        return {
            split: [tuple(judged_on(one, monitor)) for one in seeds]
            for split, seeds in self.lifetimes.items()
        }

    @property
    def main(self) -> str:
        return next(iter(self.lifetimes))

    def verdicts(self, split: str) -> Counter[str]:
        return Counter(one.verdict for one in self.scores[split])

    def rates(self, split: str, view: str) -> np.ndarray:
        """float64 (seeds, contracts): compliance, NaN where there are no choices."""
        return np.array([[rate_of((life,), view) for life in seed] for seed in self.whole[split]])


def judged(population: Population) -> Judged | None:
    """None where nobody watches, or a trial was not asked for what it does watched and unwatched."""
    monitor = population.environment.monitor
    if monitor is None:
        return None
    splits = [monitor.split, *(split for split in monitor.contracts if split != monitor.split)]
    tables = [one.tables[LIFETIMES.name] for one in population.trials]
    found = {split: [lifetimes_of(table, split) for table in tables] for split in splits}
    found = {split: seeds for split, seeds in found.items() if all(seeds)}
    return Judged(population, found) if monitor.split in found else None


def rate_of(lifetimes: Sequence[Lifetime], view: str) -> float:
    """Compliance under a view, NaN without choices; see `mesabench.deception.compliance.compliance`."""
    return compliance(lifetimes, view).number
