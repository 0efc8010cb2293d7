"""A population model at work: generation by generation, from a declaration (`mesabench.world.population`)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from mesabench.engine.kernel_cache import kernel
from mesabench.streams import generator
from mesabench.suggestion import unknown
from mesabench.world.knob import Knob
from mesabench.world.population import BIRTHS, CAPACITY, GENERATIONS, SHIFT, Population

ROUNDING = 1e-20
"""A variance below which all have the same number."""


class Generation(NamedTuple):
    """Animals as they are born.

    animals: float64 (n, traits). female: bool (n,). mothers, fathers: int64 (n,), their rows in the generation before, -1 for
    """

    animals: np.ndarray
    female: np.ndarray
    mothers: np.ndarray
    fathers: np.ndarray


@dataclass(frozen=True)
class Course:
    """What became of a population.

    n: int64 (generations + 1,), animals born. means: float64 (generations + 1, traits); covariances: float64
    (generations + 1, 2, 2), of the first two traits; both are NaN without animals.
    extinct_at: the generation in which none is born, None if there is always one.
    """

    n: np.ndarray
    means: np.ndarray
    covariances: np.ndarray
    extinct_at: int | None

    @property
    def trait(self) -> np.ndarray:
        """Mean of the first trait by generation: float64 (generations + 1,)."""
        return self.means[:, 0]

    @property
    def preference(self) -> np.ndarray:
        """Mean of the second by generation: float64 (generations + 1,)."""
        return self.means[:, 1]

    @property
    def inheritance(self) -> np.ndarray:
        """B/G by generation, covariance of the two traits over the variance of the first: float64 (generations + 1,); NaN
        where the first does not vary. Above `mesabench.evolution.theory.line`, the trait runs away with its preference.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.covariances[:, 0, 1] / self.covariances[:, 0, 0]

    def measures(self) -> dict[str, float]:
        """What is measured of the run; `Population.measures` says what it means."""
        last = len(self.n) - 1 if self.extinct_at is None else self.extinct_at - 1
        return {
            "persists": float(self.extinct_at is None),
            "extinct at": float("nan") if self.extinct_at is None else float(self.extinct_at),
            "trait": abs(float(self.trait[last])),
            "preference": float(self.preference[last]),
            "last N": float(self.n[last]),
        }

    def table(self, population: Population) -> dict[str, np.ndarray]:
        """Columns of a table with a row for each generation: `generation`, `n`, the mean of each trait, and of the first two
        traits `variance`, that of the first, `covariance` and `inheritance`."""
        return {
            "generation": np.arange(len(self.n)),
            "n": self.n,
            **{name: self.means[:, k] for k, name in enumerate(population.traits)},
            "variance": self.covariances[:, 0, 0],
            "covariance": self.covariances[:, 0, 1],
            "inheritance": self.inheritance,
        }

    def remarks(self, population: Population) -> list[str]:
        """What makes a run say little, and what to change."""
        said = []
        if self.extinct_at == 1:
            said.append(
                "dies out before anything is inherited: the first animals leave no children; let more of them survive, or "
                f"raise {BIRTHS} or {CAPACITY}"
            )
        for k, name in enumerate(population.traits[:2]):
            if self.covariances[0, k, k] < ROUNDING:
                said.append(f"{name} does not vary and cannot evolve: give it variance")
        return said


def generations(
    population: Population, condition: str, seed: int, knobs: Mapping[str, object] | None = None
) -> Iterator[Generation]:
    """The first animals and every generation after them, until none is born or the run is over.

    knobs: win over the condition's own; `after.width` sets one once the world has changed. One stream for each seed, the same
    for every condition. Raises ValueError for an unknown condition and for knobs that are not to be.
    """
    given = population.conditions[condition_of(population, condition)]
    before, after = given.values(population.knobs, knobs or {})
    rng = stream(population.name, seed)
    start, live = _kernels(population)
    records = [record(population.knobs, one) for one in (before, after)]
    n = getattr(before, CAPACITY)
    animals, female = start(n, len(population.traits), records[0], rng)
    none = np.full(n, -1, np.int64)
    yield Generation(animals, female, none, none)
    for generation in range(getattr(before, GENERATIONS)):
        changed = 0 < getattr(before, SHIFT) <= generation
        one = Generation(*live(animals, female, records[changed], rng))
        yield one
        animals, female = one.animals, one.female
        if not len(animals):
            return


def run(
    population: Population, condition: str, seed: int, knobs: Mapping[str, object] | None = None
) -> Course:
    """One run of a condition; as `generations`."""
    given = population.conditions[condition_of(population, condition)]
    length = 1 + getattr(given.values(population.knobs, knobs or {})[0], GENERATIONS)
    n = np.zeros(length, np.int64)
    means = np.full((length, len(population.traits)), np.nan)
    covariances = np.full((length, 2, 2), np.nan)
    for k, one in enumerate(generations(population, condition, seed, knobs)):
        n[k] = len(one.animals)
        if n[k]:
            means[k] = one.animals.mean(0)
            covariances[k] = np.cov(one.animals[:, :2].T, bias=True)
    return Course(n, means, covariances, None if n.all() else int(n.argmin()))


def condition_of(model: Any, name: str) -> str:
    """The name of one of a model's conditions. Raises ValueError that tells which there are."""
    if name not in model.conditions:
        raise ValueError(unknown(f"condition of {model.name}", name, model.conditions))
    return name


def stream(name: str, seed: int) -> np.random.Generator:
    """The one random stream of a run, the same for every condition."""
    return generator(seed, "population", name)


def record(knobs: Mapping[str, Knob], values: SimpleNamespace) -> Any:
    """All knobs as one record, which a rule reads by their names; choices are numbered."""
    encoded = {name: knob.encode(getattr(values, name)) for name, knob in knobs.items()}
    kinds = [(name, np.float64 if isinstance(one, float) else np.int64) for name, one in encoded.items()]
    return np.rec.array([tuple(encoded.values())], dtype=kinds)[0]


@cache
def _kernels(population: Population) -> tuple[Any, Any]:
    """The rules of a population, compiled: its first animals, and from one generation to the next."""
    found, survive, choose, beget = population.found, population.survive, population.choose, population.beget

    @kernel(found)
    def start(n, traits, knobs, rng):
        animals = np.zeros((n, traits))
        female = np.zeros(n, np.bool_)
        for k in range(n):
            female[k] = rng.random() < 0.5
            found(animals[k], knobs, rng)
        return animals, female

    @kernel(survive, choose, beget)
    def live(animals, female, knobs, rng):
        grown = np.zeros(len(animals), np.bool_)
        for k in range(len(animals)):
            grown[k] = rng.random() < survive(animals[k], female[k], knobs)
        rows = np.flatnonzero(grown & ~female)
        males = animals[rows]
        mates = np.full(len(animals), -1)
        litters = np.zeros(len(animals), np.int64)
        if len(males):
            for k in np.flatnonzero(grown & female):
                mates[k] = choose(animals[k], males, knobs, rng)
                if mates[k] >= 0:
                    litters[k] = rng.poisson(knobs.births)
        mothers = np.repeat(np.arange(len(animals)), litters)
        n = min(len(mothers), knobs.capacity)
        for k in range(n if n < len(mothers) else 0):  # too many: any of them, each with the same chance
            other = k + int(rng.random() * (len(mothers) - k))
            mothers[k], mothers[other] = mothers[other], mothers[k]
        mothers = mothers[:n].copy()
        fathers = np.empty(n, np.int64)
        children = np.zeros((n, animals.shape[1]))
        daughters = np.zeros(n, np.bool_)
        for k in range(n):
            fathers[k] = rows[mates[mothers[k]]]
            daughters[k] = rng.random() < 0.5
            beget(animals[mothers[k]], animals[fathers[k]], children[k], knobs, rng)
        return children, daughters, mothers, fathers

    return start, live
