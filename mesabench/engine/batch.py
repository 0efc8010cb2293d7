"""Many environments side by side: the arrays that the kernel works on. Every adapter (Env, VectorEnv, SB3) steps a batch."""

from typing import Any

import numpy as np
from numba.core import config
from numba.core.errors import TypingError

from mesabench.engine.distribution import Distribution
from mesabench.engine.kernels import RESET, STEP, TRUNCATED
from mesabench.engine.threads import Crew, processors
from mesabench.suggestion import unknown
from mesabench.whole_number import whole

ENOUGH_PER_THREAD = 2048
"""Environments below which a second thread does not pay."""


class Batch:
    """The state of n environments over one distribution of levels.

    Environment i's k-th episode depends on its own seed and k alone: not on n, its neighbours, threads or the adapter.

    objective: the name of the objective that is paid (default: the one the environment trains on).
    observe: whether observations are written at all (the solver and benchmarks do without).
    threads: 0 chooses by n and the processors that this process may use.
    """

    def __init__(
        self,
        distribution: Distribution,
        n: int,
        *,
        objective: str | None = None,
        observe: bool = True,
        threads: int = 0,
    ) -> None:
        environment, engine = distribution.environment, distribution.engine
        n = whole(n, 1, name="n")
        self.distribution, self.engine, self.n = distribution, engine, n
        objective = objective or environment.paid
        if objective not in environment.objectives:
            raise ValueError(unknown(f"objective of {environment.name}", objective, environment.objectives))
        self.objective = objective
        self.weights = environment.weights
        self.paid = environment.objective_names.index(objective)
        threads = whole(threads, name="threads")  # 0 chooses by size
        threads = threads or max(1, min(processors(), n // ENOUGH_PER_THREAD))
        self.crew = Crew(1 if config.DISABLE_JIT else threads)
        self.states = engine.states(n)
        self.seeds = np.zeros(n, np.uint64)
        self.episodes = np.zeros(n, np.int64)
        self.status = np.full(n, TRUNCATED, np.uint8)  # nothing runs before it is reset
        self.levels = np.zeros(n, np.int64)
        self.layouts = np.zeros(n, np.uint64)
        self.digests = np.zeros(n, np.uint64)
        self.returns = np.zeros((n, len(self.weights[0])))
        self.observed = n if observe else 0
        self._spare: tuple[np.ndarray, ...] | None = None
        self.renew()

    def renew(self) -> None:
        """Give the next step arrays of its own to write to, so that those of the last one stay as they are."""
        n = self.n
        self.observations = np.empty((self.observed, *self.engine.observation_shape), np.uint8)
        self.rewards = np.empty(n)
        self.terminated = np.empty(n, np.bool_)
        self.truncated = np.empty(n, np.bool_)
        self.events = np.empty(n, np.uint16)

    def alternate(self) -> None:
        """Let the next step write over the arrays of the last but one."""
        last = self.observations, self.rewards, self.terminated, self.truncated, self.events
        if self._spare is None:
            self.renew()
        else:
            self.observations, self.rewards, self.terminated, self.truncated, self.events = self._spare
        self._spare = last

    def seed(self, i: int, seed: int) -> None:
        """Start environment i's stream of episodes anew. seed: from 0 to 2**63 - 1."""
        self.seeds[i] = seed
        self.episodes[i] = 0

    def reset(self, chosen: np.ndarray | None = None, levels: np.ndarray | None = None) -> None:
        """Start new episodes, on levels of each environment's own stream or on those given.

        chosen: bool (n,), default all; levels: int64 (n,) level seeds, -1 for one of the environment's own stream.
        """
        # copies of their own: for strided or read-only arrays Numba would compile the kernel again
        chosen = np.ones(self.n, np.bool_) if chosen is None else np.array(chosen, np.bool_)
        levels = np.full(self.n, -1, np.int64) if levels is None else np.array(levels, np.int64)
        self._advance(RESET, np.zeros(self.n, np.int64), chosen, levels, False)

    def step(self, actions: np.ndarray, *, autoreset: bool = False) -> None:
        """One step of every running environment; those whose episode is over wait, or start the next one if `autoreset`.

        actions: int64 (n,), each within the environment's actions.
        """
        if actions.shape != (self.n,) or actions.dtype.kind not in "iu":
            raise ValueError(
                f"actions must be {self.n} integers; got {actions.dtype} of shape {actions.shape}"
            )
        own = np.array(actions, np.int64)  # a copy, as in `reset`
        names = self.distribution.environment.actions
        if own.view(np.uint64).max(initial=0) >= len(names):  # read as unsigned, negative numbers are large
            wrong = actions[(own < 0) | (own >= len(names))][0]
            raise ValueError(f"action {wrong} is not one of 0..{len(names) - 1} ({', '.join(names)})")
        self._advance(STEP, own, self.terminated, self.levels, autoreset)

    def _advance(
        self, operation: int, actions: np.ndarray, chosen: np.ndarray, levels: np.ndarray, autoreset: bool
    ) -> None:
        distribution = self.distribution
        if operation == STEP:
            levels = _NO_LEVELS if self.n <= len(_NO_LEVELS) else np.full(self.n, -1, np.int64)

        def work(me: int, turn: int, claims: np.ndarray, started: np.ndarray) -> int:
            return self.engine.advance(
                me, turn, claims, started, operation, self.states, self.states_words, self.states_raw, actions, chosen,
                levels, self.seeds, self.episodes, self.status, self.levels, self.layouts, self.digests, self.returns,
                distribution.knob_records, distribution.shifted_share, distribution.pool, distribution.levels,
                self.weights, self.paid, autoreset, self.observations.reshape(-1), self.rewards, self.terminated,
                self.truncated, self.events,
            )  # fmt: skip

        try:
            if config.DISABLE_JIT:
                with np.errstate(over="ignore"):
                    failed = self.crew.share(work)
            else:
                failed = self.crew.share(work)
        except (AttributeError, KeyError, TypingError) as error:
            self._refuse_header(error)
            raise
        if failed < self.n:
            self._explain(failed)

    def _refuse_header(self, error: Exception) -> None:
        """Say so if rules do not compile for reading what is not theirs."""
        for name in (one[1:] for one in self.engine.dtype.names or () if one.startswith("_")):
            if f"'{name}'" in str(error):
                raise RuleError(
                    f"{self.distribution.environment.name}: rules ask for s.{name}, which is no part of the state: exact scores "
                    "would not know it. What rules need to know, time included, must be a field of their own: declare "
                    f"Field({name!r}, high=...) and set it in the rules"
                ) from error

    def _explain(self, i: int) -> None:
        environment, distribution = self.distribution.environment, self.distribution
        knobs = ", ".join(f"{name}={value}" for name, value in vars(distribution.own_knobs).items())
        raise LevelError(
            f"{environment.name}: no {distribution.split} level found for seed {self.levels[i]}: with these knobs everything "
            f"drawn was impossible or belonged to the other pool ({knobs}). Try a larger size or fewer objects"
        )

    @property
    def states(self) -> np.ndarray:
        """The records, one per environment; written in place by every step."""
        return self._states

    @states.setter
    def states(self, records: np.ndarray) -> None:
        self._states = records
        self.states_words = records.view(np.uint64).reshape(len(records), -1)
        self.states_raw = records.view(np.uint8).reshape(-1)

    def __getstate__(self) -> dict[str, Any]:
        """All but the views of the states, which would be arrays of their own in a copy."""
        return {
            name: value for name, value in vars(self).items() if name not in ("states_words", "states_raw")
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self.states = self._states


_NO_LEVELS = np.full(1 << 16, -1, np.int64)


class RuleError(ValueError):
    """Rules that ask for what they may not know."""


class LevelError(ValueError):
    """No level with the knobs, pool and seed asked for."""
