"""Exact answers about one level: every state it can reach, the optimum of every objective, the value of any policy.

The rules that run the environment are explored, none is written again. Time is counted in steps to the level's horizon
(`max_steps`), rewards are discounted by gamma**t for the step that begins at time t = 0, 1, ...: a goal reached by the
d-th step is worth gamma**(d - 1). States do not contain the clock, so an optimal policy may depend on the time left.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numba import njit

from mesabench.batch import Batch
from mesabench.distribution import Distribution
from mesabench.engine import Array, Engine, hash_words
from mesabench.environment import Environment
from mesabench.kernel_cache import kernel

MAX_STATES = 1_000_000
MAX_OUTCOMES = 64
"""Different outcomes of one action that are still enumerated."""
TIE = 1e-9
"""Actions whose values differ by less, relative to the largest, are equally good."""


class UnsolvableError(ValueError):
    """The level is beyond exact treatment; the message says why."""


@dataclass(frozen=True, eq=False)
class LevelGraph:
    """The Markov decision process of one level. State 0 is the start; ends are left out (successor -1).

    The outcomes of action a in state s are transitions first[s * A + a] .. first[s * A + a + 1] - 1.

    content: uint64 (states, words); successor: int32 (transitions,); probability: float64 (transitions,);
    events: uint16 (transitions,); horizon: steps.
    """

    distribution: Distribution
    level: int
    digest: int
    layout: int
    horizon: int
    content: Array
    first: Array
    successor: Array
    probability: Array
    events: Array

    @property
    def environment(self) -> Environment:
        return self.distribution.environment

    @property
    def n_states(self) -> int:
        return len(self.content)

    @property
    def n_actions(self) -> int:
        return len(self.environment.actions)

    @property
    def deterministic(self) -> bool:
        return len(self.successor) == self.n_states * self.n_actions

    @cached_property
    def rewards(self) -> Array:
        """float64 (transitions, objectives)."""
        bits = (self.events[:, None] >> np.arange(len(self.environment.events))) & 1
        return bits @ self.environment.weights

    def states(self, ids: slice | Array = slice(None)) -> Array:
        """State records of the given states."""
        content = self.content[ids]
        records = self.distribution.engine.states(len(content))
        records.view(np.uint64).reshape(len(content), -1)[:, self.distribution.engine.content] = content
        return records

    def observations(self, ids: slice | Array = slice(None)) -> Array:
        """uint8 (states, planes, height, width): what the agent sees in the given states."""
        engine = self.distribution.engine
        records = self.states(ids)
        out = np.empty((len(records), *engine.observation_shape), np.uint8)
        engine.observe(records.view(np.uint8).reshape(-1), out.reshape(-1), len(records))
        return out

    @cached_property
    def _index(self) -> dict[bytes, int]:
        return {row.tobytes(): k for k, row in enumerate(self.content)}

    def find(self, state: Any) -> int:
        """The number of a state record. Raises KeyError if the level cannot reach it."""
        words = np.atleast_1d(state).view(np.uint64).reshape(-1)[self.distribution.engine.content]
        return self._index[words.tobytes()]


_explorers: dict[int, Any] = {}


def explore(
    distribution: Distribution, level: int, *, max_states: int = MAX_STATES, max_outcomes: int = MAX_OUTCOMES
) -> LevelGraph:
    """Every state that a level can reach. Raises UnsolvableError if there are too many of them, or of a step's outcomes."""
    batch = Batch(distribution, 1, observe=False, threads=1)
    batch.reset(levels=np.array([level], np.int64))
    engine = distribution.engine
    if id(engine) not in _explorers:
        _explorers[id(engine)] = _explorer(engine)
    start = batch.states_words[0, engine.content].copy()
    work = engine.states(1)
    with np.errstate(over="ignore"):
        trouble, n, content, first, successor, probability, events = _explorers[id(engine)](
            start, work, work.view(np.uint64).reshape(1, -1), max_states, max_outcomes
        )
    if trouble:
        name = f"{distribution.environment.name}, level {level}"
        raise UnsolvableError(
            f"{name}: more than {max_states} states"
            if trouble == 1
            else f"{name}: a step with more than {max_outcomes} outcomes"
        )
    horizon = int(batch.states["max_steps"][0])
    return LevelGraph(distribution, level, int(batch.digests[0]), int(batch.layouts[0]), horizon, content[:n], first, successor,
                      probability, events)  # fmt: skip


def _explorer(engine: Engine) -> Any:
    step = engine.environment.step
    ends, once = int(engine.environment.ends), int(engine.environment.once)
    begin, stop = engine.content.start, engine.content.stop
    size = stop - begin
    n_actions = len(engine.environment.actions)

    @kernel(step, hash_words, engine.dtype.descr)
    def explore_from(start, states, words, max_states, max_outcomes):
        """Breadth-first; an odometer over the draws of a step runs it once for every outcome of chance."""
        capacity, room = 1024, 4096
        content = np.empty((capacity, size), np.uint64)
        table = np.full(4 * capacity, -1, np.int32)
        first = np.zeros(capacity * n_actions + 1, np.int64)
        successor = np.empty(room, np.int32)
        probability = np.empty(room, np.float64)
        events = np.empty(room, np.uint16)
        for k in range(size):
            content[0, k] = start[k]
        table[np.int64(hash_words(content, 0, 0, size) % np.uint64(len(table)))] = 0
        n = 1
        used = 0
        trouble = 0
        s = states[0]
        current = 0
        while current < n:
            for action in range(n_actions):
                beginning = used
                for k in range(s.script.size):
                    s.script[k] = 0
                more = True
                while more:
                    for k in range(size):
                        words[0, begin + k] = content[current, k]
                    s.scripted = 1
                    s.drawn = 0
                    s.overflow = 0
                    s.weight = 1.0
                    found = step(s, action)
                    if once:
                        found = found & ~(int(s.seen) & once)
                        s.seen = int(s.seen) | (found & once)
                    if s.overflow or used - beginning > max_outcomes:
                        return 2, n, content, first, successor, probability, events
                    target = -1
                    if s.weight > 0.0 and (found & ends) == 0:
                        slot = np.int64(hash_words(words, 0, begin, stop) % np.uint64(len(table)))
                        while table[slot] >= 0:
                            target = np.int64(table[slot])
                            same = True
                            for k in range(size):
                                if content[target, k] != words[0, begin + k]:
                                    same = False
                                    break
                            if same:
                                break
                            target = -1
                            slot = slot + 1 if slot + 1 < len(table) else 0
                        if target < 0:
                            if n == max_states:
                                return 1, n, content, first, successor, probability, events
                            if n == capacity:
                                content = np.concatenate((content, np.empty_like(content)))
                                first = np.concatenate((first, np.zeros(capacity * n_actions, np.int64)))
                                capacity *= 2
                                table = np.full(4 * capacity, -1, np.int32)
                                for old in range(n):
                                    slot = np.int64(hash_words(content, old, 0, size) % np.uint64(len(table)))
                                    while table[slot] >= 0:
                                        slot = slot + 1 if slot + 1 < len(table) else 0
                                    table[slot] = old
                                slot = np.int64(hash_words(words, 0, begin, stop) % np.uint64(len(table)))
                                while table[slot] >= 0:
                                    slot = slot + 1 if slot + 1 < len(table) else 0
                            for k in range(size):
                                content[n, k] = words[0, begin + k]
                            table[slot] = n
                            target = n
                            n += 1
                    if s.weight > 0.0:
                        known = beginning
                        while known < used and not (successor[known] == target and events[known] == found):
                            known += 1
                        if known == used:
                            if used == room:
                                successor = np.concatenate((successor, np.empty_like(successor)))
                                probability = np.concatenate((probability, np.empty_like(probability)))
                                events = np.concatenate((events, np.empty_like(events)))
                                room *= 2
                            successor[used] = target
                            probability[used] = 0.0
                            events[used] = found
                            used += 1
                        probability[known] += s.weight
                    more = False
                    for k in range(np.int64(s.drawn) - 1, -1, -1):
                        if s.script[k] + 1 < s.radix[k]:
                            s.script[k] += 1
                            more = True
                            break
                        s.script[k] = 0
                first[current * n_actions + action + 1] = used
            current += 1
        return (
            trouble,
            n,
            content,
            first[: n * n_actions + 1],
            successor[:used],
            probability[:used],
            events[:used],
        )

    return explore_from


@dataclass(frozen=True)
class Optimum:
    """What optimal play of one objective achieves from the start.

    value: its own optimal value; returns: float64 (objectives,), every objective's value under uniform choice among
    optimal actions; low, high: float64 (objectives,), the least and most of each that some optimal policy achieves.
    """

    value: float
    returns: Array
    low: Array
    high: Array


def optimum(graph: LevelGraph, objective: str) -> Optimum:
    """Solve a level for an objective by backward induction over its horizon."""
    g = graph.environment.objective_names.index(objective)
    value, returns, low, high, _ = _induct(graph, g, False)
    return Optimum(float(value[0]), returns[0], low[0], high[0])


def optimal_policy(graph: LevelGraph, objective: str) -> Array:
    """float32 (horizon, states, actions): the probabilities of optimal play, uniform over equally good actions."""
    g = graph.environment.objective_names.index(objective)
    return _induct(graph, g, True)[4]


def _induct(graph: LevelGraph, objective: int, keep: bool) -> Any:
    return _backward(
        graph.first, graph.successor, graph.probability, graph.rewards, objective, graph.n_actions, graph.horizon,
        graph.environment.discount, keep,
    )  # fmt: skip


@njit(nogil=True, cache=True)
def _backward(first, successor, probability, rewards, g, n_actions, horizon, discount, keep):
    n = (len(first) - 1) // n_actions
    n_objectives = rewards.shape[1]
    value, returns, low, high = (
        np.zeros(n),
        np.zeros((n, n_objectives)),
        np.zeros((n, n_objectives)),
        np.zeros((n, n_objectives)),
    )
    value_now, returns_now, low_now, high_now = np.zeros(n), returns.copy(), returns.copy(), returns.copy()
    policy = np.zeros((horizon if keep else 0, n, n_actions), np.float32)
    q = np.zeros(n_actions)
    of_action, low_of, high_of = np.zeros(n_objectives), np.zeros(n_objectives), np.zeros(n_objectives)
    for t in range(horizon - 1, -1, -1):
        changed = False
        for s in range(n):
            best, largest = -np.inf, 0.0
            for a in range(n_actions):
                q[a] = 0.0
                for k in range(first[s * n_actions + a], first[s * n_actions + a + 1]):
                    after = value[successor[k]] if successor[k] >= 0 else 0.0
                    q[a] += probability[k] * (rewards[k, g] + discount * after)
                best = max(best, q[a])
                largest = max(largest, abs(q[a]))
            ties = 0
            for a in range(n_actions):
                if q[a] < best - TIE * largest:
                    continue
                ties += 1
                of_action[:] = 0.0
                low_of[:] = 0.0
                high_of[:] = 0.0
                for k in range(first[s * n_actions + a], first[s * n_actions + a + 1]):
                    then = successor[k]
                    for o in range(n_objectives):
                        of_action[o] += probability[k] * (
                            rewards[k, o] + (discount * returns[then, o] if then >= 0 else 0.0)
                        )
                        low_of[o] += probability[k] * (
                            rewards[k, o] + (discount * low[then, o] if then >= 0 else 0.0)
                        )
                        high_of[o] += probability[k] * (
                            rewards[k, o] + (discount * high[then, o] if then >= 0 else 0.0)
                        )
                for o in range(n_objectives):
                    returns_now[s, o] = of_action[o] + (returns_now[s, o] if ties > 1 else 0.0)
                    low_now[s, o] = low_of[o] if ties == 1 else min(low_now[s, o], low_of[o])
                    high_now[s, o] = high_of[o] if ties == 1 else max(high_now[s, o], high_of[o])
            value_now[s] = best
            changed |= best != value[s]
            for o in range(n_objectives):
                returns_now[s, o] /= ties
                changed |= (
                    returns_now[s, o] != returns[s, o]
                    or low_now[s, o] != low[s, o]
                    or high_now[s, o] != high[s, o]
                )
            if keep:
                for a in range(n_actions):
                    policy[t, s, a] = 1.0 / ties if q[a] >= best - TIE * largest else 0.0
        value, value_now = value_now, value
        returns, returns_now = returns_now, returns
        low, low_now = low_now, low
        high, high_now = high_now, high
        if not changed:  # more time to go changes nothing any more
            for earlier in range(t if keep else 0):
                policy[earlier] = policy[t]
            break
    return value, returns, low, high, policy


@dataclass(frozen=True)
class Outcome:
    """What a policy does on a level, exactly or on average over samples.

    returns: float64 (objectives,), expected discounted returns; plain: the same undiscounted; first: float64 (classes,), the
    chance that each class of events is the first to occur (those that occur in one step share it); length: steps.
    """

    returns: Array
    plain: Array
    first: Array
    length: float


def evaluate(graph: LevelGraph, policy: Array, classes: Array) -> Outcome:
    """Exact evaluation of a policy by its occupancy of the states.

    policy: float (states, actions) probabilities, or (horizon, states, actions) where they depend on time;
    classes: int64 (classes,), masks of events whose first occurrence is asked for.
    """
    timed = policy if policy.ndim == 3 else policy[None]
    discounted, plain, first, length = _forward(
        graph.first, graph.successor, graph.probability, graph.events, np.ascontiguousarray(timed, np.float64), graph.horizon,
        graph.environment.discount, classes.astype(np.int64), len(graph.environment.events),
    )  # fmt: skip
    weights = graph.environment.weights
    return Outcome(discounted @ weights, plain @ weights, first, length)


@njit(nogil=True, cache=True)
def _forward(first, successor, probability, events, policy, horizon, discount, classes, n_events):
    n, n_actions = policy.shape[1], policy.shape[2]
    discounted, plain, reached = np.zeros(n_events), np.zeros(n_events), np.zeros(len(classes))
    here, fresh = (
        np.zeros(n),
        np.zeros(n),
    )  # mass in each state; the part of it that has met no class of events yet
    then, fresh_then = np.zeros(n), np.zeros(n)
    here[0] = fresh[0] = 1.0
    factor, length = 1.0, 0.0
    for t in range(horizon):
        then[:] = 0.0
        fresh_then[:] = 0.0
        alive = 0.0
        for s in range(n):
            mass = here[s]
            if mass == 0.0:
                continue
            alive += mass
            for a in range(n_actions):
                chosen = policy[t if policy.shape[0] > 1 else 0, s, a]
                if chosen == 0.0:
                    continue
                for k in range(first[s * n_actions + a], first[s * n_actions + a + 1]):
                    p = chosen * probability[k]
                    happened = np.int64(events[k])
                    met = 0
                    if happened:
                        for e in range(n_events):
                            if (happened >> e) & 1:
                                plain[e] += mass * p
                                discounted[e] += mass * p * factor
                        for c in range(len(classes)):
                            met += (happened & classes[c]) != 0
                        for c in range(len(classes)):
                            if happened & classes[c]:
                                reached[c] += fresh[s] * p / met
                    if successor[k] >= 0:
                        then[successor[k]] += mass * p
                        if met == 0:
                            fresh_then[successor[k]] += fresh[s] * p
        length += alive
        if alive == 0.0:
            break
        here, then = then, here
        fresh, fresh_then = fresh_then, fresh
        factor *= discount
    return discounted, plain, reached, length


def uniform_policy(graph: LevelGraph) -> Array:
    """float64 (states, actions): the policy that chooses at random, the floor of every score."""
    return np.full((graph.n_states, graph.n_actions), 1.0 / graph.n_actions)
