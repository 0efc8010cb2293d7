"""The probabilities that a policy without memory gives for what it sees, asked for twice."""

import numpy as np

from mesabench.policies.policy import CheckedPolicy, PolicyError, name_of

CHUNK = 2048
"""Observations given to a policy at once: what its layers make of so many stays in the processor's cache."""
AGAIN, AGAIN_IN = 64, (1, 1, 1, 5)
"""Observations of a level for which a policy is asked twice; the sizes of batches in which it is, the rest in one."""


def probabilities_of(checked: CheckedPolicy, observations: np.ndarray) -> np.ndarray:
    """What a policy without memory does, float64 (n, actions).

    observations: uint8 (n, planes, height, width); each is shown once, however often it occurs. Raises PolicyError, also where
    the policy answers otherwise when it is asked again.
    """
    once, number = distinct(observations)
    seen = observations[once]
    told = np.concatenate([checked.probabilities(seen[k : k + CHUNK]) for k in range(0, len(seen), CHUNK)])
    _ask_again(checked, seen, told)
    return told[number]


def _ask_again(checked: CheckedPolicy, observations: np.ndarray, told: np.ndarray) -> None:
    """Ask for some probabilities once more, in another order and in batches of other sizes.

    The last digits of a network's depend on the size of the batch, and so, where two actions are as good as equal, does which of
    them is the best: a few observations may differ.
    """
    n = len(observations)
    asked = np.linspace(n - 1, 0, min(n, AGAIN)).astype(np.int64)
    batches = np.split(asked, np.cumsum(AGAIN_IN)[np.cumsum(AGAIN_IN) < len(asked)])
    again = np.concatenate([checked.probabilities(observations[rows]) for rows in batches])
    differ = checked.differs(again, told[asked])
    if differ.sum() > len(asked) // 32:
        worst = int(np.abs(again - told[asked]).max(1).argmax())
        size = next(len(rows) for rows in batches if asked[worst] in rows)
        before, now = (", ".join(f"{p:.3f}" for p in row) for row in (told[asked[worst]], again[worst]))
        raise PolicyError(
            f"{name_of(checked.policy)} answers an observation in two ways, which differ for {differ.sum()} of {len(asked)} "
            f"observations: [{before}] in a batch of {min(n, CHUNK)}, [{now}] when asked again in a batch of {size}. "
            "Probabilities must depend on the observation alone: put a network into evaluation mode (dropout, batch "
            "normalisation), keep nothing from call to call. A policy that draws answers with actions, not with probabilities"
        )


def distinct(observations: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which observations, uint8 (n, ...), to look at so as to see each once, int64 (distinct,), and which of these each is, (n,).

    States look alike where something is hidden, or is known to have happened already.
    """
    flat = np.ascontiguousarray(observations).reshape(len(observations), -1)
    places: dict[bytes, int] = {}
    rows = flat.view(np.dtype((np.void, flat.shape[1])))[:, 0].tolist()
    number = np.array([places.setdefault(row, len(places)) for row in rows])
    return np.unique(number, return_index=True)[1], number
