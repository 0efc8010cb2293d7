"""Heredity: children of two parents, and the Price equation: what selection changes, what heredity changes, and that nothing else
does (Price 1970, 1972)."""

from typing import NamedTuple

import numpy as np


class Price(NamedTuple):
    """change = selection + transmission, an identity: the difference is rounding.

    change: mean of the children minus mean of the parents. selection: covariance of children and trait over the mean of children.
    transmission: by how much children differ from their parents, each parent weighed by its children.
    """

    change: float
    selection: float
    transmission: float


def price(parents: np.ndarray, children: np.ndarray, of: np.ndarray) -> Price:
    """The change of a trait's mean from one generation to the next, in its two parts.

    parents: float (n,), the trait of everybody in a generation, with or without children. children: float (m,). of: int (m, k),
    the rows of each child's k parents, 1 or 2: to each of two parents a child counts one half. Raises ValueError.
    """
    parents, children, of = np.asarray(parents, float), np.asarray(children, float), np.asarray(of)
    if not len(children) or of.ndim != 2 or len(of) != len(children) or of.shape[1] not in (1, 2):
        raise ValueError(
            f"children of shape {children.shape} and of of shape {of.shape}: there must be a child, and for each child "
            "a row of one or two parents"
        )
    if not np.isfinite(parents).all() or not np.isfinite(children).all():
        raise ValueError(
            "traits must be finite: an animal whose trait is NaN or infinite has no mean to add to"
        )
    if of.min() < 0 or of.max() >= len(parents):
        raise ValueError(f"of names parents {of.min()} to {of.max()}; there are 0 to {len(parents) - 1}")
    share = 1 / of.shape[1]
    fitness = share * np.bincount(of.ravel(), minlength=len(parents))
    differences = (children[:, None] - parents[of]).ravel()
    received = share * np.bincount(
        of.ravel(), differences, len(parents)
    )  # fitness times a parent's mean difference
    mean = fitness.mean()
    covariance = (fitness * parents).mean() - mean * parents.mean()
    return Price(children.mean() - parents.mean(), covariance / mean, received.mean() / mean)


class Truncation:
    """A search over genomes by truncation selection: the fitter share are parents, a child is the mean of two, and mutates.

    Every gene is from -1 to 1, and at the start uniform within. share: of the population that are parents, two at least;
    mutation: standard deviation. Raises ValueError.
    """

    def __init__(self, genes: int, population: int, share: float, mutation: float, seed: int) -> None:
        self.parents = int(share * population)
        if self.parents < 2:
            raise ValueError(
                f"of {population} animals, a share of {share:g} are {self.parents} parents: there must be two at least; raise "
                "the population or the share"
            )
        self.mutation, self.rng = mutation, np.random.default_rng(seed)
        self.animals = self.rng.uniform(-1, 1, (population, genes))
        self.of = np.full((population, 2), -1)
        """The rows of each animal's two parents in the generation before, int (animals, 2); -1 where there was none."""

    @property
    def mean(self) -> np.ndarray:
        """The mean genome, float (genes,)."""
        return self.animals.mean(0)

    def ask(self) -> np.ndarray:
        """The generation that is to live, float (animals, genes)."""
        return self.animals

    def tell(self, genomes: np.ndarray, fitness: np.ndarray) -> None:
        """genomes: float (animals, genes), fitness: float (animals,). Of equals, any may be chosen."""
        order = np.lexsort((self.rng.random(len(fitness)), -fitness))
        self.of = order[self.rng.integers(self.parents, size=(len(genomes), 2))]
        children = genomes[self.of].mean(1)
        self.animals = np.clip(children + self.rng.normal(0, self.mutation, children.shape), -1, 1)
