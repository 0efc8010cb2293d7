"""Transitions by kind: what happens, and how likely it is.

A level has a hundred thousand transitions and some twenty kinds. What objectives pay is told by the kind, and a table of twenty
rows stays near at hand while the transitions pass by.
"""

from typing import Any, NamedTuple

import numpy as np

from mesabench.engine.kernel_cache import kernel


class Kinds(NamedTuple):
    """of: uint32 (transitions,), the kind of each; probability: float64 (kinds,); events: uint32 (kinds,)."""

    of: np.ndarray
    probability: np.ndarray
    events: np.ndarray


def kinds_of(probability: np.ndarray, events: np.ndarray) -> Kinds:
    """Kinds are numbered as they come. probability: float64 (transitions,); events: uint32 (transitions,)."""
    of, examples = _numbered(probability.view(np.uint64), events)
    return Kinds(of, probability[examples], events[examples])


@kernel()
def _numbered(bits: np.ndarray, events: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The kind of every transition, and one transition of every kind, by a hash table with open addressing."""
    n = len(events)
    of, examples = np.empty(n, np.uint32), np.empty(n, np.int64)
    table = np.full(2 * n + 1, -1, np.int64)
    found = 0
    for k in range(n):
        slot: Any = np.int64((bits[k] ^ (np.uint64(events[k]) << np.uint64(40))) % np.uint64(len(table)))
        while table[slot] >= 0:
            example = examples[table[slot]]
            if bits[example] == bits[k] and events[example] == events[k]:
                break
            slot = slot + 1 if slot + 1 < len(table) else 0
        if table[slot] < 0:
            table[slot] = found
            examples[found] = k
            found += 1
        of[k] = table[slot]
    return of, examples[:found].copy()
