"""Evolution as the optimiser: what a genome develops into, a generation's lives in one batch, and the search over genomes.

All animals of a generation live on the same levels and with the same draws of chance (common random numbers), so what differs
between them is what they inherited. A genome is a vector of numbers; a `Code` says which network develops from it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution
from mesabench.engine.dynamics import RUNNING
from mesabench.engine.kernel_cache import kernel

SECTORS, NEAR = 8, 9


class Network(NamedTuple):
    """The weights of a population's networks, float64: first (animals, inputs, units) and its bias (animals, units); with hidden
    units the second layer likewise, else of no size."""

    first: np.ndarray
    first_bias: np.ndarray
    second: np.ndarray
    second_bias: np.ndarray


@dataclass(frozen=True)
class Code:
    """How genomes become networks of one hidden layer, or of none.

    groups: int (inputs,), which group of genes an input's weights are copied from; actions, hidden: units, 0 for no hidden layer.
    """

    groups: np.ndarray
    actions: int
    hidden: int = 0

    @classmethod
    def direct(cls, inputs: int, actions: int, hidden: int = 0) -> "Code":
        """A gene for every weight."""
        return cls(np.arange(inputs), actions, hidden)

    @classmethod
    def fovea(cls, grid: tuple[int, int, int], scalars: int, actions: int, hidden: int = 0) -> "Code":
        """An indirect code, sharp near the agent and coarse far from it.

        In every plane each of the 3 x 3 cells around the middle has genes of its own, and all cells farther off share those of
        their direction, one of eight. grid: (planes, height, width), the agent in the middle; scalars: inputs after the grid.
        """
        planes, height, width = grid
        y, x = np.mgrid[:height, :width] - np.array([height // 2, width // 2])[:, None, None]
        sector = NEAR + np.round(np.arctan2(y, x) / (2 * np.pi / SECTORS)).astype(int) % SECTORS
        place = np.where(np.maximum(abs(y), abs(x)) <= 1, 3 * (y + 1) + x + 1, sector).ravel()
        cells = np.add.outer((NEAR + SECTORS) * np.arange(planes), place).ravel()
        return cls(np.append(cells, (NEAR + SECTORS) * planes + np.arange(scalars)), actions, hidden)

    @property
    def _shapes(self) -> list[tuple[int, ...]]:
        groups = int(self.groups.max(initial=-1)) + 1
        if not self.hidden:
            return [(groups, self.actions), (self.actions,)]
        return [(groups, self.hidden), (self.hidden,), (self.hidden, self.actions), (self.actions,)]

    @property
    def genes(self) -> int:
        """The length of a genome."""
        return sum(int(np.prod(shape)) for shape in self._shapes)

    def develop(self, genomes: np.ndarray) -> Network:
        """genomes: float (animals, genes). Raises ValueError for another length and for what is no finite number."""
        genomes = np.asarray(genomes, float)
        if genomes.ndim != 2 or genomes.shape[1] != self.genes:
            raise ValueError(
                f"genomes must have the shape (animals, {self.genes}); got {genomes.shape}. This code develops "
                f"{len(self.groups)} inputs, {self.hidden} hidden units and {self.actions} actions; take genomes that evolved "
                "under the same code"
            )
        if not np.isfinite(genomes).all():
            animal, gene = np.argwhere(~np.isfinite(genomes))[0].tolist()
            raise ValueError(
                f"gene {gene} of genome {animal} is {genomes[animal, gene]}; every gene must be a finite number. Where the "
                "search itself came to it, lower sigma or learning_rate"
            )
        parts, at = [], 0
        for shape in self._shapes:
            size = int(np.prod(shape))
            parts.append(genomes[:, at : at + size].reshape(-1, *shape))
            at += size
        nothing = [np.zeros((len(genomes), 0, 0)), np.zeros((len(genomes), 0))]
        first, *rest = [*parts, *nothing][:4]
        return Network(np.ascontiguousarray(first[:, self.groups]), *map(np.ascontiguousarray, rest))


class Search(Protocol):
    """A search over genomes: `ask` for a generation, float (animals, genes), `tell` how fit each was, float (animals,)."""

    @property
    def mean(self) -> np.ndarray:
        """The middle of the distribution that is searched with, float (genes,)."""

    def ask(self) -> np.ndarray: ...

    def tell(self, genomes: np.ndarray, fitness: np.ndarray) -> None: ...


class Living(Protocol):
    """Whoever lives a generation, by its number: the fitness of genomes, float (animals, genes). rng: all chance that one does
    not leave to another; nothing else is carried from generation to generation."""

    rng: np.random.Generator

    def live(self, genomes: np.ndarray, number: int = 0, /) -> "Generation": ...


class OpenAIES:
    """Evolution strategies as of Salimans et al. 2017: antithetic pairs of fixed width, centred ranks, Adam on the mean.

    population: even.
    """

    def __init__(
        self, mean: np.ndarray, sigma: float, population: int, learning_rate: float, seed: int
    ) -> None:
        self.mean, self.sigma, self.learning_rate = np.array(mean, float), sigma, learning_rate
        self.pairs, self.rng = population // 2, np.random.default_rng(seed)
        self.generation, self.first, self.second = 0, np.zeros_like(self.mean), np.zeros_like(self.mean)

    def ask(self) -> np.ndarray:
        noise = self.rng.standard_normal((self.pairs, len(self.mean)))
        return self.mean + self.sigma * np.concatenate([noise, -noise])

    def tell(self, genomes: np.ndarray, fitness: np.ndarray) -> None:
        lower = (fitness[:, None] > fitness).sum(1) + (fitness[:, None] == fitness).sum(1) / 2
        slope = (lower / len(fitness) - 0.5) @ (genomes - self.mean) / (len(fitness) * self.sigma)
        self.generation += 1
        self.first += 0.1 * (slope - self.first)
        self.second += 0.001 * (slope**2 - self.second)
        bias = np.sqrt(1 - 0.999**self.generation) / (1 - 0.9**self.generation)
        self.mean += self.learning_rate * bias * self.first / (np.sqrt(self.second) + 1e-8)


class Generation(NamedTuple):
    """What a generation's lives came to. fitness: float (animals,), the mean discounted return; steps: of all lives together;
    columns: as of `mesabench.policies.agent.Progress`, and others that are to be told of it."""

    fitness: np.ndarray
    steps: int
    columns: dict[str, float]


class Lives:
    """The lives of a population, `levels` of them an animal, stepped in one batch.

    view: what turns observations, uint8 (n, planes, height, width), into a network's inputs, uint8 (n, inputs); scale: float
    (inputs,), what they are multiplied with. objective: what is paid. threads: as for a `Batch`; nothing depends on it.
    """

    def __init__(
        self,
        distribution: Distribution,
        objective: str,
        code: Code,
        view: Callable[[np.ndarray], np.ndarray],
        scale: np.ndarray,
        *,
        population: int,
        levels: int,
        seed: int,
        threads: int = 0,
    ) -> None:
        self.code, self.view, self.scale = code, view, np.asarray(scale, float)
        self.population, self.levels = population, levels
        self.batch = Batch(distribution, population * levels, objective=objective, threads=threads)
        self.rng = np.random.default_rng(seed)

    def live(self, genomes: np.ndarray, number: int = 0, /) -> Generation:
        """One generation, on levels and chance that no other meets. genomes: float (population, genes). Raises ValueError."""
        batch, network = self.batch, self.code.develop(genomes)
        environment = batch.distribution.environment
        batch.episodes["seed"] = np.tile(self.rng.integers(2**63, size=self.levels), self.population)
        batch.episodes["number"] = 0
        batch.reset()
        fitness = np.zeros((self.population, self.levels))
        lengths = np.zeros(batch.n, np.int64)
        worth = 1.0
        while (running := batch.status == RUNNING).any():
            draws = np.tile(self.rng.random(self.levels), self.population)
            actions, _ = choose(self.view(batch.observations), self.scale, network, running, draws)
            batch.step(actions)
            fitness += worth * np.where(running, batch.rewards, 0.0).reshape(fitness.shape)
            lengths += running
            worth *= environment.discount
        return Generation(fitness.mean(1), int(lengths.sum()), columns_of(batch, lengths))


def columns_of(batch: Batch, lengths: np.ndarray) -> dict[str, float]:
    """What a generation's lives came to, as of `mesabench.policies.agent.Progress`. lengths: int (n,)."""
    environment = batch.distribution.environment
    intended = environment.column(environment.intended)
    return {
        "return_mean": float(batch.returns[:, batch.paid].mean()),
        "success": float((batch.returns[:, intended] > 0).mean()),
        "length_mean": float(lengths.mean()),
        "episodes": float(batch.n),
    }


def choose(
    inputs: np.ndarray, scale: np.ndarray, network: Network, running: np.ndarray, draws: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Every animal's actions in its lives, int64 (n,), and their probabilities, float64 (n, actions), 0 where nothing runs.

    inputs: uint8 (n, inputs), an animal's lives one after the other; running: bool (n,); draws: float (n,) in [0, 1).
    """
    deep = network.second.shape[1] > 0
    outputs = network.second.shape[2] if deep else network.first.shape[2]
    actions, probabilities = np.zeros(len(inputs), np.int64), np.zeros((len(inputs), outputs))
    _choose(inputs, scale, *network, deep, running, draws, actions, probabilities)
    return actions, probabilities


@kernel()
def _choose(  # type: ignore[no-untyped-def]  # numba infers them
    inputs, scale, first, first_bias, second, second_bias, deep, running, draws, actions, probabilities
):
    """Few inputs are not zero: only their rows of the first layer are looked at."""
    n, size = inputs.shape
    lives = n // len(first)
    units, outputs = first.shape[2], probabilities.shape[1]
    sums = np.zeros(units)
    for i in range(n):
        if not running[i]:
            continue
        animal = i // lives
        for k in range(units):
            sums[k] = first_bias[animal, k]
        for j in range(size):
            if inputs[i, j]:
                value = inputs[i, j] * scale[j]
                for k in range(units):
                    sums[k] += value * first[animal, j, k]
        odds = probabilities[i]
        if deep:
            for a in range(outputs):
                odds[a] = second_bias[animal, a]
            for k in range(units):
                if sums[k] > 0:
                    for a in range(outputs):
                        odds[a] += sums[k] * second[animal, k, a]
        else:
            odds[:] = sums
        odds[:] = np.exp(odds - odds.max())
        odds[:] /= odds.sum()
        left = draws[i]
        while left >= odds[actions[i]] and actions[i] < outputs - 1:
            left -= odds[actions[i]]
            actions[i] += 1
