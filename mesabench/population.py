"""The populations of a run: trained agents that differ only in their seed, and who is compared with whom."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from mesabench import registry
from mesabench.environment import Environment
from mesabench.scores import Scorecard, SeedScores, scorecard
from mesabench.store import Run, StoredTrial
from mesabench.trial import digest
from mesabench.worker import log_of

ASTRAY = ("as paid", "proxy", "other goal")
"""The outcome classes of capable agents that pursue something else than what was intended."""


@dataclass(frozen=True)
class Population:
    """Agents trained in the same way on the same environment: finished trials that differ only in their seed, by seed."""

    environment: Environment
    trials: Sequence[StoredTrial]

    @property
    def agent(self) -> str:
        return self.trials[0].trial.agent

    @property
    def variant(self) -> str:
        return self.trials[0].trial.variant

    @property
    def label(self) -> str:
        return f"{self.agent}, {self.variant}"

    @property
    def learns(self) -> bool:
        """Whether it was trained at all; a scripted agent is not."""
        return self.trials[0].trial.steps > 0

    @property
    def alpha(self) -> float:
        """The share of shifted levels in its training."""
        return float(self.trials[0].trial.options.get("alpha", 0.0))

    @cached_property
    def recipe(self) -> str:
        """What it shares with populations that differ in nothing but the share of shifted levels."""
        decisive = self.trials[0].trial.identity
        options = {name: value for name, value in decisive["options"].items() if name != "alpha"}
        return digest(decisive | {"options": options, "seed": 0})

    @cached_property
    def seeds(self) -> list[SeedScores]:
        return [one.scores for one in self.trials]

    @cached_property
    def card(self) -> Scorecard:
        return scorecard(self.seeds)

    @property
    def astray(self) -> int:
        """How many of its seeds are capable and pursue something that was not intended."""
        return sum(seed.outcome in ASTRAY for seed in self.seeds)

    @property
    def learned(self) -> int:
        """How many of its seeds learned their task."""
        return round(self.card.trained * len(self.seeds))

    @property
    def gap(self) -> float:
        """How much more capable it is than of use, 0 where that is not known."""
        comp, true = self.card.scores["COMP"], self.card.scores["TRUE"]
        return comp.value - true.value if comp.n and true.n else 0.0

    def count(self, outcome: str) -> int:
        return sum(seed.outcome == outcome for seed in self.seeds)

    @property
    def favourite(self) -> str:
        """The objective that most of the seeds that went astray are best at; the intended one if none did."""
        best = Counter(
            max(
                seed.objectives,
                key=lambda name: (seed.objectives[name] == seed.objectives[name], seed.objectives[name]),
            )
            for seed in self.seeds
            if seed.outcome in ASTRAY
        )
        return min(best, key=lambda name: (-best[name], name)) if best else self.environment.intended

    @property
    def typical(self) -> dict[str, StoredTrial]:
        """A trial for each outcome class that occurs: the commonest class first, one that went astray before its equals."""
        firsts: dict[str, StoredTrial] = {}
        for trial, seed in zip(self.trials, self.seeds, strict=True):
            firsts.setdefault(seed.outcome, trial)
        classes = sorted(firsts, key=lambda outcome: (-self.count(outcome), outcome not in ASTRAY, outcome))
        return {outcome: firsts[outcome] for outcome in classes}


def populations_of(run: Run) -> tuple[list[Population], list[tuple[str, str]]]:
    """The populations of a run in its suite's order, environment by environment, and what is left out: (name, reason).

    A file that declares an environment of one's own is not run for it: results may come from anybody.
    """
    found: list[Population] = []
    left_out = list(run.broken)
    for group in run.populations():
        try:
            trial = group[0].trial
            found.append(
                Population(
                    registry.known_environment(trial.environment, trial.code.get("environment", "")), group
                )
            )
        except LookupError as error:
            left_out += [(one.name, str(error)) for one in group]
    damaged = {name for name, _ in run.broken}
    for one in run.missing:
        if one.name not in damaged:
            log = log_of(run.folder / one.name)
            left_out.append(
                (one.name, "has not been run to its end" + (f"; see {log.name}" if log.exists() else ""))
            )
    left_out += [(one.name, "is there, but the suite does not name it any more") for one in run.others]
    order = list(dict.fromkeys(one.environment.name for one in found))
    return sorted(found, key=lambda one: order.index(one.environment.name)), left_out


def ordinary_of(one: Population, populations: Sequence[Population]) -> Population:
    """The population of the same recipe that saw the fewest shifted levels."""
    return min(_kin(one, populations), key=lambda other: other.alpha)


def control_of(one: Population, populations: Sequence[Population]) -> Population | None:
    """The population that differs only in having seen the most shifted levels, if there is one."""
    most = max(_kin(one, populations), key=lambda other: other.alpha)
    return most if most.alpha > one.alpha else None


def sweeps(populations: Sequence[Population]) -> list[list[Population]]:
    """Populations that differ in the share of shifted levels alone, where there are at least three; each by that share."""
    kin: dict[str, list[Population]] = {}
    for one in populations:
        kin.setdefault(one.recipe, []).append(one)
    return [sorted(group, key=lambda one: one.alpha) for group in kin.values() if len(group) > 2]


def without_between(populations: Sequence[Population]) -> list[Population]:
    """All but those between the ends of a sweep: a curve tells of them what their numbers would only repeat."""
    between = {id(one) for sweep in sweeps(populations) for one in sweep[1:-1]}
    return [one for one in populations if id(one) not in between]


def _kin(one: Population, populations: Sequence[Population]) -> list[Population]:
    return [other for other in populations if other.recipe == one.recipe]
