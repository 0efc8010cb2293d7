"""The engine: an environment's dynamics compiled into loops over arrays of records, on the processor's threads."""

from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from mesabench.engine import threads
from mesabench.engine.dynamics import RUNNING as RUNNING
from mesabench.engine.dynamics import TERMINATED as TERMINATED
from mesabench.engine.dynamics import TRUNCATED as TRUNCATED
from mesabench.engine.dynamics import Dynamics, dynamics_of
from mesabench.engine.kernel_cache import kernel
from mesabench.engine.observation import Observation, observation_of
from mesabench.engine.state import episode_dtype, knobs_dtype, state_dtype, terms_dtype
from mesabench.world.environment import Environment

RESET, STEP = 0, 1


@dataclass(frozen=True, eq=False)
class Engine:
    """The compiled rules of one environment for one grid shape and one form of observations.

    words: what was asked to be seen instead of what the environment declares (`mesabench.world.sight`), '' for nothing.
    advance, observe, adopt: the kernels; `Batch` calls the first, and for states of one's own there are the methods.
    """

    environment: Environment
    shape: tuple[int, int]
    names: tuple[str, ...]
    words: str
    actions: tuple[str, ...]
    dtype: np.dtype[Any]
    content: slice
    dynamics: Dynamics
    observation: Observation
    advance: Any
    observe: Any
    adopt: Any

    @property
    def observation_shape(self) -> tuple[int, int, int]:
        return self.observation.shape

    @property
    def channels(self) -> tuple[str, ...]:
        """What each observation plane shows: layers and fields by name, `in_sight`, or colours."""
        return self.observation.channels

    @property
    def channel_highs(self) -> np.ndarray:
        """uint8 (channels,): the largest value in each observation plane; 1 for layers."""
        return self.observation.highs

    def __reduce__(self) -> tuple[Any, ...]:
        # compiled anew, or found in the cache
        return _build, (self.environment, self.shape, self.names, self.words, self.actions)

    def states(self, n: int) -> np.ndarray:
        """n zeroed state records."""
        return np.zeros(n, self.dtype)

    def observations(self, records: np.ndarray) -> np.ndarray:
        """uint8 (n, planes, height, width): what an agent sees in these states, records (n,)."""
        out = np.empty((len(records), *self.observation_shape), np.uint8)
        self.observe_into(np.require(records, requirements=("C", "W")), out)
        return out

    def observe_into(self, records: np.ndarray, out: np.ndarray) -> None:
        """The same written into an array that there is."""
        painter = self.observation.painter
        self.observe(records, out, painter.tables)
        if painter.complete():
            self.observe(records, out, painter.tables)

    def content_of(self, records: Any) -> np.ndarray:
        """uint64 (n, words): what tells states, records (n,) or a single one, apart. For reading: it may be a copy."""
        records = np.ascontiguousarray(records)
        return records.view(np.uint64).reshape(len(records), -1)[:, self.content]

    def states_of(self, content: np.ndarray) -> np.ndarray:
        """State records (n,) with this content, uint64 (n, words), and nothing else: no clock, no limit, no chance drawn."""
        records = self.states(len(content))
        records.view(np.uint64).reshape(len(content), -1)[:, self.content] = content
        return records

    def settle(self, records: np.ndarray) -> np.ndarray:
        """Complete states, records (n,), whose grid and agent were set by hand; returns the digests of their content.

        Fields that the rules derive are written in place. Digests: uint64 (n,).
        """
        digests = np.zeros(len(records), np.uint64)
        with np.errstate(over="ignore"):
            self.adopt(records, digests)
        return digests

    def knob_records(self, *knobs: Any) -> np.ndarray:
        """The knob values as records that rules can read."""
        declared = self.environment.knobs
        rows = [tuple(declared[name].encode(getattr(one, name)) for name in declared) for one in knobs]
        return np.array(rows, knobs_dtype(self.environment))


def engine_for(environment: Environment, knobs: Any, words: str = "") -> Engine:
    """The engine for these knob values and this sight; built once per environment, shape and form of observations.

    Raises ValueError for a sight that there cannot be.
    """
    environment.sight_of(words, knobs)
    names, actions = environment.in_view(knobs), environment.actions_of(knobs)
    return _build(environment, environment.shape(knobs), names, words, actions)


@cache
def _build(
    environment: Environment,
    shape: tuple[int, int],
    names: tuple[str, ...],
    words: str,
    actions: tuple[str, ...],
) -> Engine:
    dtype, content = state_dtype(environment, shape)
    dynamics = dynamics_of(environment, dtype, content)
    observation = observation_of(environment, environment.sight.given(words, environment.wall), names, dtype)
    play, begin, write_observation = dynamics.play, dynamics.begin, observation.write
    settle, digest, strange = dynamics.settle, dynamics.digest, dynamics.strange

    @kernel(dtype.descr, episode_dtype(environment).descr, terms_dtype(environment).descr)
    def advance(
        me, turn, claims, started, operation, states, episodes, terms, knobs, actions, chosen, levels, autoreset,
        observations, rewards, terminated, truncated, happened, tiles,
    ):  # fmt: skip
        """Thread `me`'s share (see `mesabench.engine.threads`) of a reset (of the chosen, to levels) or a step.

        Returns the first environment whose level could not be found, or that still runs and whose events are strange; or else
        the number of environments. One whose episode is over starts the next on its next step if `autoreset`, or waits.
        """
        n = len(states)
        words, raw = states.view(np.uint64), states.view(np.uint8)
        seen = observations.reshape(observations.size)
        threads.start(me, turn, started)
        while True:
            lo, hi = threads.claim(claims, me, n)
            if lo == hi:
                break
            for i in range(lo, hi):
                if operation == RESET and not chosen[i]:
                    continue
                episode = episodes[i]
                rewards[i] = 0.0
                happened[i] = 0
                if operation == RESET or (autoreset and episode.status != RUNNING):
                    level = levels[i] if operation == RESET else np.int64(-1)
                    if not begin(states[i], words, i, episode, level, terms[0], knobs):
                        threads.fail(claims, me, i, n)
                        break
                elif episode.status == RUNNING:
                    rewards[i], came = play(states[i], actions[i], episode, terms[0])
                    if strange(came):
                        episode.status = RUNNING
                        threads.fail(claims, me, i, n)
                        break
                    happened[i] = came
                terminated[i] = episode.status == TERMINATED
                truncated[i] = episode.status == TRUNCATED
                if seen.size:
                    write_observation(raw, i, seen, i, tiles)
            threads.finish(claims, hi - lo)
        return threads.settle(claims, me, turn, started, n)

    @kernel(dtype.descr)
    def observe(states, out, tiles):
        """Observations of states: uint8 (n, planes, height, width)."""
        raw, seen = states.view(np.uint8), out.reshape(out.size)
        for i in range(len(states)):
            write_observation(raw, i, seen, i, tiles)

    @kernel(dtype.descr)
    def adopt(states, digests):
        """`Engine.settle`."""
        words = states.view(np.uint64)
        for i in range(len(states)):
            settle(states[i])
            digests[i] = digest(words, i)

    return Engine(
        environment, shape, names, words, actions, dtype, content, dynamics, observation, advance, observe, adopt
    )  # fmt: skip
