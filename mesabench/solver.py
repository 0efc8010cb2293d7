"""Exact answers about one level: every state it can reach, the optimum of every objective, the value of any policy.

Time is counted in steps to the level's horizon (`max_steps`), rewards are discounted by gamma**t for the step that begins
at time t = 0, 1, ...: a goal reached by the d-th step is worth gamma**(d - 1). States do not contain the clock, so an
optimal policy may depend on the time left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit

from mesabench.levelgraph import LevelGraph, UnsolvableError, explore

__all__ = [
    "LevelGraph",
    "Optimum",
    "Outcome",
    "UnsolvableError",
    "action_values",
    "evaluate",
    "explore",
    "optimal_actions",
    "optimal_policy",
    "optimum",
    "replay",
    "uniform_policy",
]

TIE = 1e-9
"""Actions whose values differ by less, relative to the largest, are equally good."""


@dataclass(frozen=True)
class Optimum:
    """What optimal play of one objective achieves from the start, by backward induction over the horizon.

    value: its own optimal value; returns: float64 (others,), the value of each of the other objectives asked for, under
    uniform choice among optimal actions; low, high: float64 (others,), the least and the most of it that some optimal policy
    achieves; first: float64 (classes,), the chance that each class of events is the first to occur.
    """

    value: float
    returns: np.ndarray
    low: np.ndarray
    high: np.ndarray
    first: np.ndarray


def optimum(
    graph: LevelGraph, objective: str, others: Sequence[str] | None = None, classes: Sequence[int] = ()
) -> Optimum:
    """Solve a level for an objective; `others` (default: all objectives) and `classes` (masks of events) cost extra time."""
    names = graph.environment.objective_names
    columns = [names.index(name) for name in (names if others is None else others)]
    hits = (graph.events[:, None].astype(np.int64) & np.array(classes, np.int64)) != 0
    met = hits.sum(1, keepdims=True)
    pays = np.concatenate((graph.rewards[:, columns], hits / np.maximum(met, 1)), axis=1)
    factors = np.concatenate(
        (
            np.full((len(pays), len(columns)), graph.environment.discount),
            np.repeat(1.0 * (met == 0), len(classes), 1),
        ),
        axis=1,
    )
    value, mean, low, high, _, _ = _backward(*_process(graph, objective), pays, factors, False, _NOWHERE)
    n = len(columns)
    return Optimum(value, mean[:n], low[:n], high[:n], mean[n:])


def optimal_policy(graph: LevelGraph, objective: str | np.ndarray) -> np.ndarray:
    """float32 (horizon, states, actions): the probabilities of optimal play, uniform over equally good actions.

    objective: the name of one, or weights of one's own, float (events,).
    """
    best = optimal_actions(graph, objective)[..., None] >> np.arange(graph.n_actions, dtype=np.uint16) & 1
    return best.astype(np.float32) / np.maximum(best.sum(-1, keepdims=True, dtype=np.float32), 1)


def optimal_actions(graph: LevelGraph, objective: str | np.ndarray) -> np.ndarray:
    """uint16 (horizon, states): bit a is set where action a is among the best; 0 where a state cannot be reached by then."""
    return _backward(*_process(graph, objective), *_nothing(graph), True, _NOWHERE)[4]


def action_values(graph: LevelGraph, objective: str | np.ndarray, path: np.ndarray) -> np.ndarray:
    """float64 (steps, actions): what each action is worth at each step of a path, optimal play following.

    path: int64 (steps,), the state at each time, at most the horizon. Values are as seen from that time: what a step pays at
    once counts in full.
    """
    return _backward(*_process(graph, objective), *_nothing(graph), False, path)[5]


_NOWHERE = np.zeros(0, np.int64)


def _nothing(graph: LevelGraph) -> tuple[np.ndarray, np.ndarray]:
    """No further columns."""
    return np.zeros((len(graph.successor), 0)), np.zeros((len(graph.successor), 0))


def _process(graph: LevelGraph, objective: str | np.ndarray) -> tuple[Any, ...]:
    if isinstance(objective, str):
        objective = graph.environment.weights[:, graph.environment.objective_names.index(objective)]
    rewards = graph.pays(objective)
    return (graph.first, graph.successor, graph.probability, graph.reached, rewards, graph.n_actions, graph.horizon,
            graph.environment.discount)  # fmt: skip


@njit(nogil=True, cache=True)
def _backward(
    first, successor, probability, reached, rewards, n_actions, horizon, discount, pays, factors, keep, path
):
    """Values of optimal play, and of further columns along it: a transition pays `pays` and passes on `factors` of what follows.

    keep: whether to return the best actions; path: where to return the values of actions.
    Only states that can be reached by time t are looked at for time t; they come first in the numbering.
    """
    n = (len(first) - 1) // n_actions
    columns = pays.shape[1]
    value, value_now = np.zeros(n), np.zeros(n)
    mean, low, high = np.zeros((n, columns)), np.zeros((n, columns)), np.zeros((n, columns))
    mean_now, low_now, high_now = np.zeros((n, columns)), np.zeros((n, columns)), np.zeros((n, columns))
    good = np.zeros((horizon if keep else 0, n), np.uint16)
    along = np.zeros((len(path), n_actions))
    q = np.zeros(n_actions)
    for t in range(horizon - 1, -1, -1):
        for s in range(reached[min(t, len(reached) - 1)]):
            best, largest = -np.inf, 0.0
            for a in range(n_actions):
                total = 0.0
                for k in range(first[s * n_actions + a], first[s * n_actions + a + 1]):
                    after = value[successor[k]] if successor[k] >= 0 else 0.0
                    total += probability[k] * (rewards[k] + discount * after)
                q[a] = total
                best = max(best, total)
                largest = max(largest, abs(total))
            value_now[s] = best
            bar = best - TIE * largest
            if keep:
                for a in range(n_actions):
                    good[t, s] |= np.uint16(int(q[a] >= bar) << a)
            if t < len(path) and path[t] == s:
                along[t] = q
            for c in range(columns):
                ties = 0
                total, least, most = 0.0, np.inf, -np.inf
                for a in range(n_actions):
                    if q[a] < bar:
                        continue
                    ties += 1
                    own, own_low, own_high = 0.0, 0.0, 0.0
                    for k in range(first[s * n_actions + a], first[s * n_actions + a + 1]):
                        then, p, pay, factor = successor[k], probability[k], pays[k, c], factors[k, c]
                        if then >= 0:
                            own += p * (pay + factor * mean[then, c])
                            own_low += p * (pay + factor * low[then, c])
                            own_high += p * (pay + factor * high[then, c])
                        else:
                            own, own_low, own_high = own + p * pay, own_low + p * pay, own_high + p * pay
                    total += own
                    least, most = min(least, own_low), max(most, own_high)
                mean_now[s, c], low_now[s, c], high_now[s, c] = total / ties, least, most
        value, value_now = value_now, value
        mean, mean_now = mean_now, mean
        low, low_now = low_now, low
        high, high_now = high_now, high
    return value[0], mean[0].copy(), low[0].copy(), high[0].copy(), good, along


@dataclass(frozen=True)
class Outcome:
    """What a policy does on a level, exactly or on average over samples.

    returns: float64 (objectives,), expected discounted returns; plain: the same undiscounted; first: float64 (classes,), the
    chance that each class of events is the first to occur (those that occur in one step share it); length: steps.
    """

    returns: np.ndarray
    plain: np.ndarray
    first: np.ndarray
    length: float


def evaluate(graph: LevelGraph, policy: np.ndarray, classes: Sequence[int] = ()) -> Outcome:
    """Exact evaluation of a policy by its occupancy of the states.

    policy: float (states, actions) probabilities, or (horizon, states, actions) where they depend on time;
    classes: masks of events whose first occurrence is asked for.
    """
    timed = np.ascontiguousarray(policy if policy.ndim == 3 else policy[None])
    discounted, plain, first, length = _forward(
        graph.first, graph.successor, graph.probability, graph.reached, graph.events, timed, graph.horizon,
        graph.environment.discount, np.array(classes, np.int64), len(graph.environment.events),
    )  # fmt: skip
    weights = graph.environment.weights
    return Outcome(discounted @ weights, plain @ weights, first, length)


@njit(nogil=True, cache=True)
def _forward(first, successor, probability, reached, events, policy, horizon, discount, classes, n_events):
    n, n_actions = policy.shape[1], policy.shape[2]
    discounted, plain, met_first = np.zeros(n_events), np.zeros(n_events), np.zeros(len(classes))
    here, fresh = (
        np.zeros(n),
        np.zeros(n),
    )  # mass in each state; the part of it that has met no class of events yet
    then, fresh_then = np.zeros(n), np.zeros(n)
    here[0] = fresh[0] = 1.0
    factor, length = 1.0, 0.0
    for t in range(horizon):
        alive = 0.0
        for s in range(n):
            then[s] = fresh_then[s] = 0.0
        for s in range(reached[min(t, len(reached) - 1)]):
            mass = here[s]
            if mass == 0.0:
                continue
            alive += mass
            for a in range(n_actions):
                chosen = np.float64(policy[t if policy.shape[0] > 1 else 0, s, a])
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
                                met_first[c] += fresh[s] * p / met
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
    return discounted, plain, met_first, length


def replay(graph: LevelGraph, actions: np.ndarray, objective: str) -> float:
    """The expected discounted return of an objective when actions, int64 (steps,), are played without looking."""
    rewards = graph.pays(graph.environment.weights[:, graph.environment.objective_names.index(objective)])
    steps = actions[: graph.horizon].astype(np.int64)
    return float(_replay(graph.first, graph.successor, graph.probability, rewards, graph.n_actions, steps,
                         graph.environment.discount))  # fmt: skip


@njit(nogil=True, cache=True)
def _replay(first, successor, probability, rewards, n_actions, actions, discount):
    n = (len(first) - 1) // n_actions
    here, then = np.zeros(n), np.zeros(n)
    here[0] = 1.0
    value, factor = 0.0, 1.0
    for a in actions:
        then[:] = 0.0
        for s in range(n):
            if here[s] > 0.0:
                for k in range(first[s * n_actions + a], first[s * n_actions + a + 1]):
                    value += factor * here[s] * probability[k] * rewards[k]
                    if successor[k] >= 0:
                        then[successor[k]] += here[s] * probability[k]
        here, then = then, here
        factor *= discount
    return value


def uniform_policy(graph: LevelGraph) -> np.ndarray:
    """float64 (states, actions): the policy that chooses at random, the floor of every score."""
    return np.full((graph.n_states, graph.n_actions), 1.0 / graph.n_actions)
