"""The graph of a level: every state that it can reach, found by the rules that run the environment. None is written again."""

from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import numpy as np

from mesabench.engine.batch import Batch, strange_events
from mesabench.engine.distribution import Distribution
from mesabench.engine.kernel_cache import kernel
from mesabench.engine.kernels import Engine
from mesabench.engine.state import hash_words
from mesabench.solver.kinds import Kinds, kinds_of
from mesabench.world.environment import Environment
from mesabench.world.rules import MAX_DRAWS, rule

MAX_STATES = 1_000_000
MAX_OUTCOMES = 64
"""Different outcomes of one action that are still enumerated."""
DONE, TOO_MANY_STATES, TOO_MANY_OUTCOMES, FULL, STRANGE_EVENTS = range(5)


class UnsolvableError(ValueError):
    """The level is beyond exact treatment; the message says why."""


@dataclass(frozen=True, eq=False)
class LevelGraph:
    """The Markov decision process of one level. State 0 is the start; states are numbered breadth-first.

    The outcomes of action a in state s are transitions first[s * A + a] .. first[s * A + a + 1] - 1. Ends, and what cannot be
    reached before the time limit, are no states: their successor is -1.

    content: uint64 (states, words); successor: int32 (transitions,); probability: float64 (transitions,);
    events: uint32 (transitions,); reached: int64 (depths,), how many states take at most so many steps; horizon: steps.
    """

    distribution: Distribution
    level: int
    digest: int
    layout: int
    horizon: int
    content: np.ndarray
    reached: np.ndarray
    first: np.ndarray
    successor: np.ndarray
    probability: np.ndarray
    events: np.ndarray

    def __repr__(self) -> str:
        where = f"{self.environment.name}, {self.distribution.split}"
        return f"LevelGraph({where}, level {self.level}: {self.n_states} states)"

    @property
    def environment(self) -> Environment:
        return self.distribution.environment

    @property
    def n_states(self) -> int:
        return len(self.content)

    @property
    def n_actions(self) -> int:
        return len(self.distribution.actions)

    @property
    def deterministic(self) -> bool:
        return len(self.successor) == self.n_states * self.n_actions

    @cached_property
    def kinds(self) -> Kinds:
        """Transitions by what happens and how likely it is."""
        return kinds_of(self.probability, self.events)

    @cached_property
    def after(self) -> np.ndarray:
        """uint32 (transitions,): the successor, or the number of states where there is none: for arrays with one place more."""
        return np.where(self.successor < 0, self.n_states, self.successor).astype(np.uint32)

    @cached_property
    def rewards(self) -> np.ndarray:
        """float64 (transitions, objectives)."""
        return self.pays(self.environment.weights)

    def pays(self, weights: np.ndarray) -> np.ndarray:
        """What weights of events, float (event bits, ...), pay for every transition: float64 (transitions, ...)."""
        return self.kinds_pay(weights)[self.kinds.of]

    def kinds_pay(self, weights: np.ndarray) -> np.ndarray:
        """The same for every kind of transition: float64 (kinds, ...)."""
        bits = (self.kinds.events[:, None] >> np.arange(len(self.environment.weights))) & 1
        return bits @ weights

    def states(self, ids: slice | np.ndarray = slice(None)) -> np.ndarray:
        """State records of the given states, with the level's time limit, the clock at 0 and no chance drawn."""
        records = self.distribution.engine.states_of(self.content[ids])
        records["_max_steps"] = self.horizon
        return records

    def observations(self, ids: slice | np.ndarray = slice(None)) -> np.ndarray:
        """uint8 (states, planes, height, width): what the agent sees in the given states."""
        return self.distribution.engine.observations(self.states(ids))

    @cached_property
    def _index(self) -> dict[bytes, int]:
        return {row.tobytes(): k for k, row in enumerate(self.content)}

    def find(self, state: Any) -> int:
        """The number of a state, one record. Raises KeyError if the level cannot reach it."""
        return self._index[self.distribution.engine.content_of(state).tobytes()]


def explore(
    distribution: Distribution, level: int, *, max_states: int = MAX_STATES, max_outcomes: int = MAX_OUTCOMES
) -> LevelGraph:
    """Every state that a level can reach. Raises UnsolvableError if there are too many of them, or of a step's outcomes."""
    batch = Batch(distribution, 1, observe=False, threads=1)
    batch.reset(levels=np.array([level], np.int64))
    return _explored(
        distribution,
        level,
        batch.states,
        int(batch.digests[0]),
        int(batch.layouts[0]),
        max_states,
        max_outcomes,
    )


def explore_state(distribution: Distribution, level: int, start: np.ndarray) -> LevelGraph:
    """The same of a level that begins in another state: a (1,) array of records, grid and agent as set by hand.

    level: the seed of the level that it was made from. Raises UnsolvableError.
    """
    states = start.copy()
    digest = int(distribution.engine.settle(states)[0])
    return _explored(distribution, level, states, digest, digest, MAX_STATES, MAX_OUTCOMES)


def _explored(
    distribution: Distribution,
    level: int,
    start: np.ndarray,
    digest: int,
    layout: int,
    max_states: int,
    max_outcomes: int,
) -> LevelGraph:
    engine = distribution.engine
    explore_on = _explorer(engine)
    horizon, n_actions = int(start["_max_steps"][0]), len(distribution.actions)
    work = engine.states(1)
    margin = n_actions * (max_outcomes + 2)  # what one state can add
    states, transitions = 4 * margin, 16 * margin
    content = np.zeros((states, engine.content.stop - engine.content.start), np.uint64)
    content[0] = engine.content_of(start)[0]
    first = np.zeros((states + 1) * n_actions, np.int64)
    successor, probability = np.zeros(transitions, np.int32), np.zeros(transitions)
    events, reached = np.zeros(transitions, np.uint32), np.zeros(horizon + 1, np.int64)
    progress, trouble = np.array([0, 1, 0, 0]), FULL
    while trouble == FULL:
        table = np.full(4 * len(content), -1, np.int32)
        with np.errstate(over="ignore"):
            trouble = explore_on(
                content, table, first, successor, probability, events, reached, progress, work, horizon, max_states,
                max_outcomes, margin,
            )  # fmt: skip
        _, n, used, depth = progress.tolist()
        if trouble == FULL and n + margin > len(content):
            content = _longer(content)
            first = _longer(first)
        if trouble == FULL and used + margin > len(successor):
            successor, probability, events = _longer(successor), _longer(probability), _longer(events)
    if trouble == STRANGE_EVENTS:
        raise strange_events(distribution.environment)
    if trouble != DONE:
        what = (
            f"{max_states} states" if trouble == TOO_MANY_STATES else f"{max_outcomes} outcomes of one step"
        )
        raise UnsolvableError(f"{distribution.environment.name}, level {level}: more than {what}")
    return LevelGraph(
        distribution, level, digest, layout, horizon, content[:n].copy(), reached[: depth + 1], first[: n * n_actions + 1].copy(),
        successor[:used].copy(), probability[:used].copy(), events[:used].copy(),
    )  # fmt: skip


def _longer(array: np.ndarray) -> np.ndarray:
    """A copy with twice the room."""
    return np.concatenate((array, np.zeros_like(array)))


@rule
def _slot(table, content, words, begin, size):
    """Where a state (words[begin:begin + size]) stands in the hash table, or the free place where it belongs."""
    slot = np.int64(hash_words(words, begin, begin + size) % np.uint64(len(table)))
    while table[slot] >= 0:
        known = table[slot]
        k = 0
        while k < size and content[known, k] == words[begin + k]:
            k += 1
        if k == size:
            break
        slot = slot + 1 if slot + 1 < len(table) else 0
    return slot


@rule
def _next_script(s):
    """Turn the odometer of a step's draws by one; False when every outcome has been seen."""
    for k in range(np.int64(s._drawn) - 1, -1, -1):
        if s._script[k] + 1 < s._radix[k]:
            s._script[k] += 1
            return True
        s._script[k] = 0
    return False


@cache
def _explorer(engine: Engine) -> Any:
    take_step, strange = engine.dynamics.take_step, engine.dynamics.strange
    begin, stop = engine.content.start, engine.content.stop
    size = stop - begin
    n_actions = len(engine.actions)

    @kernel(engine.dtype.descr)
    def explore_on(
        content, table, first, successor, probability, events, reached, progress, states, horizon, max_states, max_outcomes,
        margin,
    ):  # fmt: skip
        """Breadth-first. An odometer over a step's draws runs it once for every outcome of chance; equal ones are merged.

        progress: states expanded, states found, transitions, depth. Goes on from there until all is done or the arrays are
        full. (They are made longer elsewhere: a kernel that exchanges its arrays counts references at every step.)
        """
        current, n, used, depth = progress[0], progress[1], progress[2], progress[3]
        for known in range(n):
            table[_slot(table, content, content[known], 0, size)] = known
        s, words = states[0], states.view(np.uint64)
        trouble = DONE
        if current == 0:
            reached[0] = 1
        while current < n and trouble == DONE:
            if n + margin > len(content) or used + margin > len(successor):
                trouble = FULL
                break
            if current == reached[depth]:
                depth += 1
                reached[depth] = n
            for action in range(n_actions):
                beginning = used
                for k in range(MAX_DRAWS):
                    s._script[k] = 0
                more = True
                while more and trouble == DONE:
                    for k in range(size):
                        words[begin + k] = content[current, k]
                    s._scripted = 1
                    s._drawn = 0
                    s._overflow = 0
                    s._weight = 1.0
                    found, over = take_step(s, action)
                    more = _next_script(s)
                    if strange(found):
                        trouble = STRANGE_EVENTS
                        break
                    if s._overflow or used - beginning > max_outcomes:
                        trouble = TOO_MANY_OUTCOMES
                    if s._weight == 0.0:
                        continue
                    target = -1
                    if not over:
                        slot = _slot(table, content, words, begin, size)
                        target = np.int64(table[slot])
                        if target < 0 and depth + 1 < horizon:
                            if n == max_states:
                                trouble = TOO_MANY_STATES
                                break
                            for k in range(size):
                                content[n, k] = words[begin + k]
                            target = n
                            table[slot] = n
                            n += 1
                    known = beginning
                    while known < used and not (successor[known] == target and events[known] == found):
                        known += 1
                    if known == used:
                        successor[used], probability[used], events[used] = target, 0.0, found
                        used += 1
                    probability[known] += s._weight
                first[current * n_actions + action + 1] = used
            current += 1
        progress[0], progress[1], progress[2], progress[3] = current, n, used, depth
        return trouble

    return explore_on
