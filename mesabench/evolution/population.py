"""A population model at work: generation by generation, from a declaration (`mesabench.world.population`)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from types import SimpleNamespace
from typing import Any, NamedTuple

import numpy as np

from mesabench.engine.kernel_cache import kernel
from mesabench.streams import stream_seed
from mesabench.suggestion import unknown
from mesabench.world.population import BIRTHS, CAPACITY, GENERATIONS, SHIFT, Population


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

    n: int64 (generations + 1,), animals born. means: float64 (generations + 1, traits), NaN without animals.
    extinct_at: the generation in which none is born, None if there is always one.
    """

    n: np.ndarray
    means: np.ndarray
    extinct_at: int | None

    @property
    def trait(self) -> np.ndarray:
        """Mean of the first trait by generation: float64 (generations + 1,)."""
        return self.means[:, 0]

    @property
    def preference(self) -> np.ndarray:
        """Mean of the second by generation: float64 (generations + 1,)."""
        return self.means[:, 1]

    def measures(self) -> dict[str, float]:
        """What is measured of the run; `Population.measures` says what it means."""
        last = len(self.n) - 1 if self.extinct_at is None else self.extinct_at - 1
        return {
            "extinct": float(self.extinct_at is not None),
            "extinct_at": float("nan") if self.extinct_at is None else float(self.extinct_at),
            "trait": abs(float(self.trait[last])),
            "preference": float(self.preference[last]),
            "last_n": float(self.n[last]),
        }


def generations(
    population: Population, condition: str, seed: int, knobs: Mapping[str, object] | None = None
) -> Iterator[Generation]:
    """The first animals and every generation after them, until none is born or the run is over.

    knobs: win over the condition's own; `after.width` sets one once the world has changed. One stream for each seed, the same
    for every condition. Raises ValueError for an unknown condition and for knobs that are not to be.
    """
    if condition not in population.conditions:
        raise ValueError(unknown(f"condition of {population.name}", condition, population.conditions))
    before, after = population.conditions[condition].values(population.knobs, knobs or {})
    rng = np.random.Generator(np.random.PCG64(stream_seed(seed, "population", population.name)))
    start, live = _kernels(population)
    records = [_record(population, one) for one in (before, after)]
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
    n: list[int] = []
    means: list[np.ndarray] = []
    for one in generations(population, condition, seed, knobs):
        n.append(len(one.animals))
        means.append(one.animals.mean(0) if n[-1] else np.full(len(population.traits), np.nan))
    before, _ = population.conditions[condition].values(population.knobs, knobs or {})
    rest = 1 + getattr(before, GENERATIONS) - len(n)
    return Course(
        np.array(n + [0] * rest),
        np.array(means + [np.full(len(population.traits), np.nan)] * rest),
        None if n[-1] else len(n) - 1,
    )


def _record(population: Population, values: SimpleNamespace) -> Any:
    """All knobs as one record, which a rule reads by their names; choices are numbered."""
    encoded = {name: knob.encode(getattr(values, name)) for name, knob in population.knobs.items()}
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
