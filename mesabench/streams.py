"""Named seeds: every random draw has a stream of its own; and the one way to draw by a number of it."""

import hashlib

import numpy as np


def stream_seed(seed: int, *domain: str) -> int:
    """The seed, 0 .. 2**63 - 1, of the random stream of one purpose: stream_seed(trial's seed, "weights").

    Streams of different seeds or domains have nothing in common, neighbours included: the parallel
    environments of seeds 0 and 1, numbered on from here, do not meet.
    """
    text = "\0".join(("mesabench", *domain, str(seed)))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8]) >> 1


def generator(seed: int, *domain: str) -> np.random.Generator:
    """The random stream of one purpose; without a purpose, that of a seed that is one purpose's already."""
    return np.random.Generator(np.random.PCG64(stream_seed(seed, *domain) if domain else seed))


def drawn(odds: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Which of several things happens, int64 (n,), by one number in [0, 1) for each row of their probabilities, float (n, k).

    What has probability 0 does not; what a row lacks of 1, by rounding, is the last thing's. Where it is told already which one
    happens, int (n,), that stands.
    """
    if odds.ndim == 1:
        return odds
    return (np.cumsum(odds[:, :-1], axis=1) <= uniform[:, None]).sum(axis=1)
