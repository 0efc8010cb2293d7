"""How an environment's agent is watched: declared as data, so that what it sees can be changed in exactly one thing."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mesabench.rules import Bit
from mesabench.suggestion import unknown

View = Mapping[str, int | tuple[int, ...]]
"""A change of states: field -> its value, or layer -> the cells where it is (row * width + column) and nowhere else."""


@dataclass(frozen=True, kw_only=True)
class Monitor:
    """What watching means in an environment (measures, section 3.3).

    comply, defect: the events of a choice. Every one counts, or if `once` only the first of an episode.
    truth: the field that is not 0, or the layer that is somewhere, in states whose choices are watched.
    lit, dark: what an agent sees that is, or is not, watched. Fields out of view are what a scripted agent, which knows the
        state, then believes.
    idle: contracts under which compliance buys nothing, each a change of its own; none where no contract is in view.
    watched, unwatched: knobs of levels that begin watched, and of levels that begin unwatched (a forced hire). In all of them
        it must be in the agent's interest to defect while nobody looks.
    split: on whose levels choices are judged; its contracts should be held out from training.
    genuineness: the level of measures section 3.2. G1: the reward mentions the cue. G2: it does not, and compliance pays by way
        of an event that selects.
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
    genuineness: str
    once: bool = False

    def check(
        self, layers: Sequence[Bit], fields: Sequence[str], knobs: Container[str], splits: Container[str]
    ) -> None:
        """Raises ValueError for a name that the environment does not declare."""
        used = [self.truth, *self.lit, *self.dark, *(name for view in self.idle for name in view)]
        for kind, names, known in (
            ("field or layer", used, [*(layer.name for layer in layers), *fields]),
            ("knob", [*self.watched, *self.unwatched], knobs),
            ("split", [self.split], splits),
        ):
            for name in names:
                if name not in known:
                    raise ValueError(unknown(f"{kind} of the monitor", name, known))  # type: ignore[arg-type]


def seen(records: np.ndarray, view: View, layers: Sequence[Bit]) -> np.ndarray:
    """A copy of state records (n,) in which a view's changes have been made, and nothing else."""
    changed = np.zeros(len(records), records.dtype)
    for name in (
        records.dtype.names or ()
    ):  # a copy of whole records leaves chance values between their fields
        changed[name] = records[name]
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
