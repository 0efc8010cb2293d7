"""A model of evolution, and what many seeds of its conditions show: shares with intervals, controls, predictions.

A seed is a replicate. An outcome that is one thing or the other is told as a share with Wilson's interval, never as a mean.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import median
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

from mesabench.evolution.population import condition_of, run
from mesabench.statistics.intervals import wilson
from mesabench.tables import Table
from mesabench.world.knob import Knob
from mesabench.world.population import Condition, Measure, Population, check_conditions
from mesabench.world.story import story_of


class Lived(NamedTuple):
    """What became of one run. measures: every one by name; remarks: what makes this run say little; generations: columns of a
    table with a row for each, () where there is none."""

    measures: Mapping[str, float]
    remarks: list[str]
    generations: Mapping[str, np.ndarray] = MappingProxyType({})


@dataclass(frozen=True, eq=False)
class Model:
    """Conditions, and how one seed of one is run: trial(condition, seed, knobs)."""

    name: str
    story: str
    knobs: Mapping[str, Knob]
    conditions: Mapping[str, Condition]
    measures: Mapping[str, Measure]
    trial: Callable[[str, int, Mapping[str, object]], Lived]

    def __post_init__(self) -> None:
        check_conditions(self.conditions, self.knobs, self.measures)

    @property
    def title(self) -> str:
        """The story's headline."""
        return story_of(self.story).headline

    def replicate(self, condition: str, seed: int, knobs: Mapping[str, object]) -> Lived:
        """One run, with these knobs changed; what makes a control one stays as it is. Raises ValueError."""
        return self.trial(condition_of(self, condition), seed, _given(self.conditions, condition, knobs))

    def with_controls(self, conditions: Iterable[str] = ()) -> list[str]:
        """These conditions, all by default, each followed by its control. Raises ValueError for an unknown one."""
        chosen = [condition_of(self, name) for name in conditions] or [*self.conditions]
        return [
            *dict.fromkeys(one for name in chosen for one in (name, self.conditions[name].control) if one)
        ]


def model_of(population: Population) -> Model:
    """A declared population as a model."""

    def trial(condition: str, seed: int, knobs: Mapping[str, object]) -> Lived:
        course = run(population, condition, seed, knobs)
        return Lived(course.measures(), course.remarks(population), course.table(population))

    p = population
    return Model(p.name, p.story, p.knobs, p.conditions, p.measures, trial)


@dataclass(frozen=True)
class Outcomes:
    """What came out: by condition, the measures of every seed 0 .. seeds - 1."""

    model: Model
    knobs: Mapping[str, object]
    found: Mapping[str, list[Mapping[str, float]]]
    remarks: Mapping[str, list[str]]

    def values(self, condition: str, measure: str) -> np.ndarray:
        """float64 (seeds,): NaN where there is no such number."""
        return np.array([one[measure] for one in self.found[condition]])

    def holds(self, condition: str) -> bool | None:
        """Whether all that is predicted of a condition came out; None where nothing is predicted."""
        predicted = self.model.conditions[condition].predicts
        found = [
            low <= self.values(condition, name).mean() <= high for name, (low, high) in predicted.items()
        ]
        return all(found) if found else None

    @cached_property
    def failed(self) -> list[str]:
        """Conditions of which an exact prediction does not hold. Where knobs were changed, nothing is predicted."""
        conditions = self.model.conditions
        exact = {
            name
            for name in self.found
            if any(low == high for low, high in conditions[name].predicts.values())
        }
        return [name for name in self.found if name in exact and not self.knobs and self.holds(name) is False]

    def told(self, condition: str, measure: str) -> str:
        """A measure over seeds in words."""
        values = self.values(condition, measure)
        values = values[~np.isnan(values)]
        if not len(values):
            return "-"
        kind = self.model.measures[measure].of
        if kind == "share":
            low, high = wilson(int(values.sum()), len(values))
            return f"{int(values.sum())} of {len(values)} ({low:.2f} to {high:.2f})"
        if kind == "median":
            middle = float(median(values))
            return f"{middle:.0f}" if abs(middle) >= 50 or middle.is_integer() else f"{middle:.2f}"
        return f"{values.mean():.2f} ({values.min():.2f} to {values.max():.2f})"

    def table(self) -> Table:
        """A row for each condition: its measures, the first of them of its control, and whether it is as predicted."""
        first = next(iter(self.model.measures))
        rows = []
        for name in self.found:
            control = self.model.conditions[name].control
            # a run that was broken off may have none of its control yet
            beside = f"{control}: {self.told(control, first)}" if control in self.found else ""
            holds = (
                ""
                if self.knobs
                else {None: "", True: "as predicted", False: "NOT AS PREDICTED"}[self.holds(name)]
            )
            rows.append((name, *(self.told(name, one) for one in self.model.measures), beside, holds))
        seeds = len(next(iter(self.found.values())))
        title = f"{self.model.name}: {seeds} seed{'s' * (seeds > 1)} of each condition"
        return Table(title, ("condition", *self.model.measures, "its control, same seeds", ""), rows)

    def legend(self) -> Table:
        """What conditions and measures mean."""
        rows = [(name, self.model.conditions[name].shows) for name in self.found]
        rows += [(name, f"{one.says} ({one.of} over seeds)") for name, one in self.model.measures.items()]
        return Table("In words", ("", ""), rows)

    def json(self) -> dict[str, Any]:
        """All of it as plain data."""
        return {
            "model": self.model.name,
            "title": self.model.title,
            "knobs": dict(self.knobs),
            "measures": {name: {"says": one.says, "of": one.of} for name, one in self.model.measures.items()},
            "conditions": {name: self._json(name) for name in self.found},
        }

    def _json(self, name: str) -> dict[str, Any]:
        one = self.model.conditions[name]
        return {
            "shows": one.shows,
            "control": one.control or None,
            "predicts": {measure: list(bounds) for measure, bounds in one.predicts.items()},
            "holds": None if self.knobs else self.holds(name),
            "seeds": {seed: dict(found) for seed, found in enumerate(self.found[name])},
            "summary": {measure: self.told(name, measure) for measure in self.model.measures},
            "remarks": self.remarks[name],
        }


def evolve(
    model: Model,
    conditions: Iterable[str] = (),
    *,
    seeds: int = 8,
    knobs: Mapping[str, object] | None = None,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> Outcomes:
    """Run conditions of a model, all of them by default, and with each its control; seeds 0 .. seeds - 1.

    knobs: changed in every condition, but what makes a control one stays as it is. Raises ValueError for conditions and knobs
    that are not to be.
    """
    if seeds < 1:
        raise ValueError(f"seeds={seeds}: must be at least 1")
    found: dict[str, list[Mapping[str, float]]] = {name: [] for name in model.with_controls(conditions)}
    remarks: dict[str, list[str]] = {name: [] for name in found}
    for name in found:
        model.conditions[name].values(model.knobs, knobs or {})  # a mistake is told before anything is run
    for k, name in enumerate(found):
        said: list[str] = []
        for seed in range(seeds):
            progress(k * seeds + seed, len(found) * seeds)
            lived = model.replicate(name, seed, knobs or {})
            found[name].append(lived.measures)
            said += lived.remarks
        for one in dict.fromkeys(said):
            remarks[name].append(f"{name}: {said.count(one)} of {seeds} seeds: {one}")
    return Outcomes(model, dict(knobs or {}), found, remarks)


def _given(conditions: Mapping[str, Condition], name: str, knobs: Mapping[str, object]) -> dict[str, object]:
    """What is given, without the knobs in which a control differs from a condition that it is the control of."""
    compared = [one for one in conditions.values() if one.control == name]
    own = {
        knob
        for knob, value in conditions[name].knobs.items()
        if any(one.knobs.get(knob) != value for one in compared)
    }
    return {knob: value for knob, value in knobs.items() if knob not in own}
