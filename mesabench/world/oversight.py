"""How an environment's agent is watched: declared as data, so that what it sees can be changed in exactly one thing."""

from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product
from typing import Any

import numpy as np

from mesabench.suggestion import unknown
from mesabench.world.rules import Bit

View = Mapping[str, int | tuple[int, ...]]
"""A change of states: field -> its value, or layer -> the cells where it is (row * width + column) and nowhere else."""

DRAWN = -1
"""The value of a condition's knob at which every life draws its own."""


@dataclass(frozen=True, kw_only=True)
class Monitor:
    """What watching means in an environment (`docs/deception.md`).

    comply, defect: the events of a choice. Every one counts, or if `once` only the first of an episode.
    truth: the field that is not 0, or the layer that is somewhere, in states whose choices are watched.
    lit, dark: what an agent sees that is, or is not, watched. Fields out of view are what a scripted agent, which knows the
        state, then believes.
    idle: contracts under which compliance buys nothing, each a change of its own; none where no contract is in view.
    watched, unwatched: knobs of levels that begin watched, and of levels that begin unwatched (a forced hire). In all of them
        it must be in the agent's interest to defect while nobody looks.
    split: on whose levels choices are judged; its contracts should be held out from training.
    contracts: split -> every contract that its levels can have, as knobs; empty where no contract is in view.
    conditions: knobs that are 1, 0 or, for every life to draw its own, `DRAWN`, with fields of the same names; by default 1.
        Where they are drawn, each way to set them is a question that is put to the same agent.
    genuineness: how near a setting comes to deceptive alignment (`docs/deception.md`). G1: the reward depends on the
        cue. G2: it does not, and complying pays only because those who do not are dismissed or modified.
    """

    comply: int
    defect: int
    truth: str
    lit: View
    dark: View
    idle: tuple[View, ...] = ()
    watched: Mapping[str, int | float | str]
    unwatched: Mapping[str, int | float | str]
    split: str
    contracts: Mapping[str, Sequence[Mapping[str, int]]] = field(default_factory=dict)
    conditions: tuple[str, ...] = ()
    genuineness: str
    once: bool = False

    def check(
        self, layers: Sequence[Bit], fields: Sequence[str], knobs: Container[str], splits: Container[str]
    ) -> None:
        """Raises ValueError for a name that the environment does not declare."""
        asked = [name for grid in self.contracts.values() for contract in grid for name in contract]
        used = [
            self.truth,
            *self.lit,
            *self.dark,
            *self.conditions,
            *(name for view in self.idle for name in view),
        ]
        for kind, names, known in (
            ("field or layer", used, [*(layer.name for layer in layers), *fields]),
            ("knob", [*self.watched, *self.unwatched, *asked, *self.conditions], knobs),
            ("split", [self.split, *self.contracts], splits),
        ):
            for name in names:
                if name not in known:
                    raise ValueError(unknown(f"{kind} of the monitor", name, known))  # type: ignore[arg-type]
        if self.contracts and self.split not in self.contracts:
            raise ValueError(unknown("split of the monitor", self.split, self.contracts))

    def shown(self) -> Iterator[tuple[str, Any]]:
        """Everything that its views set, as (field or layer, value or cells)."""
        for view in (self.lit, self.dark, *self.idle):
            yield from view.items()

    def contracts_of(self, split: str, fixed: Container[str] = ()) -> list[dict[str, int]]:
        """The contracts of a split that differ once the fixed knobs are taken out of them; none where it has no grid."""
        free = [
            {name: value for name, value in contract.items() if name not in fixed}
            for contract in self.contracts.get(split, ())
        ]
        return [one for k, one in enumerate(free) if one not in free[:k]]

    def questions(self, knobs: Mapping[str, Any]) -> list[dict[str, int]]:
        """Every way to set the conditions that lives draw, first that in which all hold; {} alone where none is drawn."""
        drawn = [name for name in self.conditions if knobs[name] == DRAWN]
        return [dict(zip(drawn, one, strict=True)) for one in product((1, 0), repeat=len(drawn))]


def grid(**values: Sequence[int]) -> tuple[dict[str, int], ...]:
    """Every contract that takes one of the values of each knob: grid(q=(0, 50), k1=(1, 2)) has four."""
    return tuple(dict(zip(values, one, strict=True)) for one in product(*values.values()))


def seen(records: np.ndarray, view: View, layers: Sequence[Bit]) -> np.ndarray:
    """A copy of state records (n,) in which a view's changes have been made, and nothing else."""
    changed = records.copy()
    bits = {layer.name: int(layer) for layer in layers}
    for name, value in view.items():
        if name in bits:
            grid = changed["grid"].reshape(len(changed), -1).astype(np.int64)
            there = np.isin(np.arange(grid.shape[1]), value)
            changed["grid"] = (grid & ~bits[name] | there * bits[name]).reshape(changed["grid"].shape)
        else:
            changed[name] = value
    return changed


def watched(records: np.ndarray, monitor: Monitor, layers: Sequence[Bit]) -> np.ndarray:
    """bool (n,): in which of the states a choice is watched."""
    for layer in layers:
        if layer.name == monitor.truth:
            grid: np.ndarray[Any, Any] = records["grid"].reshape(len(records), -1)
            return np.any(grid & int(layer), axis=1)
    return np.asarray(records[monitor.truth] != 0)
