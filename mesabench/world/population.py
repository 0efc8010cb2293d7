"""What a population model declares: traits, the rules of a life, named conditions and what is predicted of them.

Data only, as an environment's declaration is; `mesabench.evolution.population` compiles the rules and runs them. Nobody acts in
such a model and nothing is rewarded: who leaves children decides.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, Literal

from mesabench.suggestion import unknown
from mesabench.world.declaration import Declaration
from mesabench.world.knob import Knob, Value

AFTER = "after"
"""`after.width` is the knob `width` once the world has changed."""
SHIFT, GENERATIONS, CAPACITY, BIRTHS = "shift", "generations", "capacity", "births"
NEEDED = {
    GENERATIONS: "how long a run is",
    SHIFT: "the generation from which `after` holds, 0 for never",
    CAPACITY: "animals that are born at most in a generation",
    BIRTHS: "children of a mated female, on average",
}
"""Knobs that every population has."""


@dataclass(frozen=True)
class Measure:
    """One number of a run. says: what it means. of: how it is told of many seeds."""

    says: str
    of: Literal["share", "median", "mean"] = "mean"


@dataclass(frozen=True)
class Condition:
    """One way in which a model is run.

    shows: what it is for, in a sentence. knobs: what differs from the model's own values; after: what differs once the world
    has changed. control: the condition that it is compared with, seed by seed; a control has none.
    predicts: bounds for the mean over seeds of what is measured. Where both are equal, the prediction is exact.
    """

    shows: str
    knobs: Mapping[str, Value] = field(default_factory=dict)
    after: Mapping[str, Value] = field(default_factory=dict)
    control: str = ""
    predicts: Mapping[str, tuple[float, float]] = field(default_factory=dict)

    def values(
        self, knobs: Mapping[str, Knob], given: Mapping[str, object]
    ) -> tuple[SimpleNamespace, SimpleNamespace]:
        """All knobs before and after the world changes; `given` wins over the condition's own. Raises ValueError."""
        plain = {name: value for name, value in given.items() if not name.startswith(f"{AFTER}.")}
        later = {name.removeprefix(f"{AFTER}."): value for name, value in given.items() if name not in plain}
        for name in (*plain, *later):
            if name not in knobs:
                raise ValueError(unknown("knob", name, knobs))
        before: dict[str, object] = {name: knob.default for name, knob in knobs.items()}
        before |= {**self.knobs, **plain}
        first, last = (
            SimpleNamespace(**{name: knobs[name].parse(name, value) for name, value in one.items()})
            for one in (before, {**before, **self.after, **later})
        )
        return first, last


def check_conditions(
    conditions: Mapping[str, Condition], knobs: Mapping[str, Knob], measures: Mapping[str, Measure]
) -> None:
    """Every condition sets knobs that there are, predicts what is measured, and has its control. Raises ValueError."""
    controls = {one.control for one in conditions.values()}
    for name, one in conditions.items():
        if one.control and one.control not in conditions:
            raise ValueError(f"condition {name!r}: {unknown('control', one.control, conditions)}")
        if not one.control and name not in controls:
            raise ValueError(
                f"condition {name!r} has no control and is none: say control=... with the condition that lacks what it shows"
            )
        for measure in one.predicts:
            if measure not in measures:
                raise ValueError(f"condition {name!r}: {unknown('measure', measure, measures)}")
        for knob in (*one.knobs, *one.after):
            if knob not in knobs:
                raise ValueError(f"condition {name!r}: {unknown('knob', knob, knobs)}")
        one.values(knobs, {})


@dataclass(frozen=True, kw_only=True, eq=False)
class Population(Declaration):
    """One population model's declaration: two sexes, generations that do not overlap.

    An animal is a row of numbers, float64 (traits,), in the order of `traits`; the first is the one that a run is read by, the
    second the preference for it. Rules, compiled with `mesabench.world.rule`; `knobs` has one number by the name of each knob:

    `found(animal, knobs, rng)` writes the row of one of the first animals.
    `survive(animal, female, knobs)` returns the chance to grow up.
    `choose(female, males, knobs, rng)` returns the row of her mate among the grown males, float64 (males, traits), or -1.
    `beget(mother, father, child, knobs, rng)` writes the child's row.

    name, story, file, digest: are given by the registry.
    """

    traits: tuple[str, ...]
    found: Callable[..., Any]
    survive: Callable[..., Any]
    choose: Callable[..., Any]
    beget: Callable[..., Any]
    knobs: Mapping[str, Knob]
    conditions: Mapping[str, Condition]
    name: str = ""
    story: str = ""
    file: str = ""
    digest: str = ""

    def __post_init__(self) -> None:
        if len(self.traits) < 2:
            raise ValueError(f"traits={self.traits}: needs two at least, a trait and the preference for it")
        for name, words in NEEDED.items():
            if name not in self.knobs:
                raise ValueError(f"knobs must include {name!r}: {words}")
        check_conditions(self.conditions, self.knobs, self.measures)

    @property
    def measures(self) -> dict[str, Measure]:
        """What is measured of each run."""
        return {
            "persists": Measure("whether animals live to the end of the run", "share"),
            "extinct at": Measure("the first generation without animals", "median"),
            "trait": Measure(f"mean {self.traits[0]}, whatever the sign, in the last generation that lives", "median"),
            "preference": Measure(f"mean {self.traits[1]} then", "median"),
            "last N": Measure("animals born in that generation", "median"),
        }  # fmt: skip
