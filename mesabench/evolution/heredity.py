"""The Price equation: what selection changes, what heredity changes, and that nothing else does (Price 1970, 1972)."""

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
