"""Many environments side by side: the arrays that the kernel works on. Every adapter (Env, VectorEnv, SB3) steps a batch."""

from typing import Any, NamedTuple

import numpy as np
from numba.core import config
from numba.core.errors import TypingError

from mesabench.engine.distribution import Distribution
from mesabench.engine.dynamics import AS_IT_STANDS, OWN_LEVEL, RUNNING, TRUNCATED
from mesabench.engine.kernels import RESET, STEP
from mesabench.engine.remedy import SEARCHED, no_level
from mesabench.engine.state import episode_dtype, fault, terms_dtype
from mesabench.engine.threads import Crew, processors
from mesabench.whole_number import whole
from mesabench.world.environment import Environment

ENOUGH_PER_THREAD = 2048
"""Environments below which a second thread does not pay."""


class Outcome(NamedTuple):
    """What a reset or a step writes, for n environments.

    observations: uint8 (n, planes, height, width), or (0, ...) where none are wanted; rewards: float64 (n,); terminated,
    truncated: bool (n,); events: uint32 (n,), as bits.
    """

    observations: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray
    truncated: np.ndarray
    events: np.ndarray


class Batch:
    """The state of n environments over one distribution of levels.

    Environment i's k-th episode depends on its own seed and k alone: not on n, its neighbours, threads or the adapter.

    objective: the name of the objective that is paid (default: the one the environment trains on).
    observe: whether observations are written at all (the solver and benchmarks do without).
    threads: 0 chooses by n and the processors that this process may use.

    states: the records (n,) of `Engine.dtype`, written in place by every step; episodes: the records (n,) of
    `mesabench.engine.state.episode_dtype`; outcome: what the last reset or step wrote.
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
        self.objective, self.paid = objective, environment.column(objective)
        self.weights = environment.weights
        threads = whole(threads, name="threads")  # 0 chooses by size
        threads = threads or max(1, min(processors(), n // ENOUGH_PER_THREAD))
        self.crew = Crew(1 if config.DISABLE_JIT else threads)
        self.states = engine.states(n)
        self.episodes = np.zeros(n, episode_dtype(environment))
        self.status[:] = TRUNCATED  # nothing runs before it is reset
        self.terms = terms_of(distribution, objective)
        self.observed = n if observe else 0
        self._painter = engine.observation.painter
        self._spare: Outcome | None = None
        self._action = np.zeros(1, np.int64)
        self.renew()

    def renew(self) -> None:
        """Give the next step arrays of its own to write to, so that those of the last one stay as they are."""
        n = self.n
        self.outcome = Outcome(
            np.empty((self.observed, *self.engine.observation_shape), np.uint8),
            np.empty(n),
            np.empty(n, np.bool_),
            np.empty(n, np.bool_),
            np.empty(n, np.uint32),
        )

    def alternate(self) -> None:
        """Let the next step write over the arrays of the last but one."""
        last = self.outcome
        if self._spare is None:
            self.renew()
        else:
            self.outcome = self._spare
        self._spare = last

    @property
    def observations(self) -> np.ndarray:
        return self.outcome.observations

    @property
    def rewards(self) -> np.ndarray:
        return self.outcome.rewards

    @property
    def terminated(self) -> np.ndarray:
        return self.outcome.terminated

    @property
    def truncated(self) -> np.ndarray:
        return self.outcome.truncated

    @property
    def events(self) -> np.ndarray:
        return self.outcome.events

    # views of the columns of `episodes`

    @property
    def status(self) -> np.ndarray:
        return self.episodes["status"]

    @property
    def levels(self) -> np.ndarray:
        return self.episodes["level"]

    @property
    def layouts(self) -> np.ndarray:
        return self.episodes["layout"]

    @property
    def digests(self) -> np.ndarray:
        return self.episodes["digest"]

    @property
    def returns(self) -> np.ndarray:
        """float64 (n, objectives)."""
        return self.episodes["returns"]

    def seed(self, i: int, seed: int) -> None:
        """Start environment i's stream of episodes anew. seed: from 0 to 2**63 - 1."""
        self.episodes[i]["seed"], self.episodes[i]["number"] = seed, 0

    def reset(
        self,
        chosen: np.ndarray | None = None,
        levels: np.ndarray | None = None,
        starts: np.ndarray | None = None,
    ) -> None:
        """Start new episodes, on levels of each environment's own stream or on those given, or in given states.

        chosen: bool (n,), default all; levels: int64 (n,) level seeds, -1 for one of the environment's own stream.
        Fields that last go on where the stream does, and begin at 0 on a level that is given by its seed.
        starts: records (n,) of `Engine.dtype`, as `states`, `LevelGraph.states` and `from_text` give them: content, clock and
        time limit are theirs, the level is -1, the digest that of the content. Chance is drawn from each environment's own
        stream, as on levels; who wants the chance of other episodes too copies `states["_rng"]` after the reset.

        Raises ValueError for levels and starts at once, and for starts in which no episode can begin; LevelError.
        """
        # copies of their own: for strided or read-only arrays Numba would compile the kernel again
        chosen = np.ones(self.n, np.bool_) if chosen is None else np.array(chosen, np.bool_)
        if starts is not None:
            self.states[chosen] = self.checked_starts(starts, levels, chosen)[chosen]
            levels = np.full(self.n, AS_IT_STANDS, np.int64)
        levels = np.full(self.n, OWN_LEVEL, np.int64) if levels is None else np.array(levels, np.int64)
        self._advance(RESET, _NO_INTEGERS, chosen, levels, False)

    def checked_starts(
        self, starts: np.ndarray, levels: np.ndarray | None = None, chosen: np.ndarray | None = None
    ) -> np.ndarray:
        """The starts that `reset` would be given with these levels and this choice, as an array. Raises ValueError."""
        starts, environment = np.asarray(starts), self.distribution.environment
        if levels is not None:
            raise ValueError("levels and starts exclude each other: give the seeds of levels, or states")
        if starts.dtype != self.engine.dtype or starts.shape != (self.n,):
            raise ValueError(
                f"starts must be {self.n} state records of {environment.name} with a grid of {self.engine.shape}, as in "
                f"`Batch.states` or of `LevelGraph.states()`; got {starts.dtype.name} of shape {starts.shape}"
            )
        rows = np.arange(self.n) if chosen is None else np.flatnonzero(chosen)
        if found := fault(environment, starts[rows]):
            row, trouble = found
            raise ValueError(
                f"starts: no episode of {environment.name} can begin in record {rows[row]}: {trouble}"
            )
        return starts

    def step(self, actions: np.ndarray, *, autoreset: bool = False) -> None:
        """One step of every running environment; those whose episode is over wait, or start the next one if `autoreset`.

        actions: int64 (n,), each within the environment's actions.
        """
        if actions.shape != (self.n,) or actions.dtype.kind not in "iu":
            raise ValueError(
                f"actions must be {self.n} integers; got {actions.dtype} of shape {actions.shape}"
            )
        own = np.array(actions, np.int64)  # a copy, as in `reset`
        names = self.distribution.actions
        if own.view(np.uint64).max() >= len(names):  # read as unsigned, negative numbers are large
            wrong = actions[(own < 0) | (own >= len(names))][0]
            raise ValueError(f"action {wrong} is not one of 0..{len(names) - 1} ({', '.join(names)})")
        self._advance(STEP, own, _NO_CHOICE, _NO_INTEGERS, autoreset)

    def step_one(self, action: Any) -> None:
        """`step` of a batch of one, which takes a short way where the action is a plain number."""
        if type(action) in _PLAIN and 0 <= action < len(self.engine.actions):
            self._action[0] = action
            self._advance(STEP, self._action, _NO_CHOICE, _NO_INTEGERS, False)
        else:
            self.step(np.array([action]))

    def _advance(
        self, operation: int, actions: np.ndarray, chosen: np.ndarray, levels: np.ndarray, autoreset: bool
    ) -> None:
        arguments = (
            operation, self.states, self.episodes, self.terms, self.distribution.knob_records, actions, chosen, levels,
            autoreset, *self.outcome, self._painter.tables,
        )  # fmt: skip
        try:
            if config.DISABLE_JIT:
                with np.errstate(over="ignore"):
                    failed = self.crew.share(self.engine.advance, arguments)
            else:
                failed = self.crew.share(self.engine.advance, arguments)
        except (AttributeError, KeyError, TypingError) as error:
            self._refuse_header(error)
            raise
        if failed < self.n:
            if operation == STEP and self.status[failed] == RUNNING:
                raise strange_events(self.distribution.environment)
            self._explain(failed)
        if self._painter.side and self.observed and self._painter.complete():
            self.engine.observe_into(self.states, self.observations)

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
        raise LevelError(no_level(self.distribution, int(self.levels[i]), has_levels))


class _Search(Batch):
    """Looks for levels. Where there are none, it does not ask why: that would be another search."""

    def _explain(self, i: int) -> None:
        raise LevelError


def has_levels(distribution: Distribution) -> bool:
    """Whether the levels of a few seeds are all found, each among the first `ATTEMPTS` that are drawn for it."""
    try:
        _Search(distribution, SEARCHED, observe=False, threads=1).reset(levels=np.arange(SEARCHED))
    except LevelError:
        return False
    return True


_PLAIN = (int, np.int64)
_NO_INTEGERS, _NO_CHOICE = np.zeros(0, np.int64), np.zeros(0, np.bool_)
"""Where a reset has no actions, and a step no levels and no choice."""


def terms_of(distribution: Distribution, objective: str) -> np.ndarray:
    """The terms of play, one record of `mesabench.engine.state.terms_dtype`. objective: the one that is paid."""
    environment = distribution.environment
    terms = np.zeros(1, terms_dtype(environment))
    terms["weights"], terms["paid"] = environment.weights, environment.column(objective)
    terms["shifted_share"], terms["pool"] = distribution.shifted_share, distribution.pool
    terms["levels"] = distribution.levels
    return terms


class RuleError(ValueError):
    """Rules that ask for what they may not know, or say what they may not say."""


def strange_events(environment: Environment) -> RuleError:
    """The error of a step whose events have a bit that belongs to none of those declared."""
    amounts = [f"amount({one.name!r}, {one.most})" for one in environment.events if one.most > 1]
    more = (
        f"; or a count is negative or beyond its digits: raise that of {' or '.join(amounts)}"
        if amounts
        else ""
    )
    return RuleError(
        f"{environment.name}: `step` returned what is no sum of its events. Each that it returns must be named in events=(...), "
        f"and joined to the others with `|`{more}"
    )


class LevelError(ValueError):
    """No level with the knobs, pool and seed asked for."""
