"""Evolved drives: what an animal inherits. A genome weighs what is sensed, and sets how its bearer learns.

So the base optimiser is evolution, and what it makes is an optimiser with an objective of its own (Singh, Lewis & Barto 2009).
How animals learn from their drives is told in `mesabench.evolution.learner`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

import numpy as np

DRIVES = "sweet", "bitter", "contact", "fullness", "child"
"""What is sensed, in the order of the genes that weigh it. The last two are felt afterwards, and not always."""
FELT = {"fullness": "fed", "child": "child"}
"""The events that are felt, where they are called otherwise than the sense, or felt but sometimes."""
LEARNER = "learning_rate", "patience", "curiosity", "hope"
"""The genes of how it learns, which follow."""
GENES = (*DRIVES, *LEARNER)
NEEDS = 2
"""Hungry, or not: what is learned is kept for each by itself."""
OPTIMISM = 10.0
"""The largest value that anything may have at birth. Where all is worth less than hoped for, all is tried."""


@dataclass(frozen=True)
class Nature:
    """What all animals of a lineage have in common, whatever their genes.

    reward: "drives", or "fitness": then it is each child that feels good, and nothing else. learning: False for reflexes, which
    never change. innate: whether values at birth have a gene for each look. feeling: the chance that fullness, or a child, is
    felt. hungry: the energy below which it is hungry. looks: how many there are.
    """

    reward: Literal["drives", "fitness"] = "drives"
    learning: bool = True
    innate: bool = False
    feeling: float = 0.3
    hungry: int = 2
    looks: int = 6

    @property
    def genes(self) -> tuple[str, ...]:
        """Their names, in order."""
        if not self.innate:
            return GENES
        return GENES + tuple(f"{need}_{look}" for need in ("hungry", "ready") for look in range(self.looks))

    def develop(self, genomes: np.ndarray) -> "Minds":
        """genomes: float (animals, genes), each gene in [-1, 1]. Raises ValueError for another length, and for other numbers."""
        genomes = np.asarray(genomes, float)
        if genomes.ndim != 2 or genomes.shape[1] != len(self.genes):
            raise ValueError(
                f"genomes must have the shape (animals, {len(self.genes)}); got {genomes.shape}. Their genes are "
                f"{', '.join(self.genes)}"
            )
        if not (abs(genomes) <= 1).all():
            animal, gene = np.argwhere(~(abs(genomes) <= 1))[0].tolist()
            raise ValueError(
                f"gene {self.genes[gene]} of genome {animal} is {genomes[animal, gene]}; every gene is a number from -1 to 1"
            )
        n = len(genomes)
        rate, patience, curiosity, hope = genomes[:, len(DRIVES) : len(GENES)].T
        born = np.repeat(OPTIMISM * hope, NEEDS * (self.looks + 1)).reshape(n, NEEDS, self.looks + 1)
        if self.innate:
            born[:, :, :-1] = OPTIMISM * genomes[:, len(GENES) :].reshape(n, NEEDS, self.looks)
        drives = genomes[:, : len(DRIVES)] if self.reward == "drives" else np.tile([0.0, 0, 0, 0, 1], (n, 1))
        feeling = self.feeling if self.reward == "drives" else 1.0
        return Minds(
            np.ascontiguousarray(drives),
            (rate + 1) / 2 * self.learning,
            1 - 10.0 ** -(patience + 1.3),
            (curiosity + 1) / 4,
            born,
            feeling,
            self.hungry,
        )

    def drives(self, genome: np.ndarray) -> Mapping[str, float]:
        """By event, what it is worth to an animal with this genome on average; nothing to one that does not learn from it."""
        if not self.learning:
            return {}
        minds = self.develop(genome[None])
        weights = dict(zip(DRIVES, minds.drives[0].tolist(), strict=True))
        return {
            FELT.get(sense, sense): weight * (minds.feeling if sense in FELT else 1.0)
            for sense, weight in weights.items()
            if weight
        }


class Minds(NamedTuple):
    """What genomes develop into.

    drives: float64 (animals, drives). rate, patience, curiosity: float64 (animals,), how fast values are learned, by what they
    are discounted a step, and how often any option is tried. born: float64 (animals, needs, options), the values at birth. An
    option is a look to walk to, or as the last one, rest.
    """

    drives: np.ndarray
    rate: np.ndarray
    patience: np.ndarray
    curiosity: np.ndarray
    born: np.ndarray
    feeling: float
    hungry: int
