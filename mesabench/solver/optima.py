"""Exact answers about one level: every state it can reach, the optimum of every objective, the value of any policy.

Time is counted in steps to the level's horizon (`max_steps`), rewards are discounted by gamma**t for the step that begins
at time t = 0, 1, ...: a goal reached by the d-th step is worth gamma**(d - 1). States do not contain the clock, so an
optimal policy may depend on the time left.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mesabench.engine.kernel_cache import kernel
from mesabench.notebook import Rows, Tabular
from mesabench.solver.graph import LevelGraph
from mesabench.solver.occupancy import evaluate

TIE = 1e-9
"""Actions whose values differ by less, relative to the largest, are equally good."""
LANES = 4
"""Objectives solved side by side: numbers that a vector register holds."""
_NOWHERE = np.zeros(0, np.int64)


@dataclass(frozen=True)
class Solution:
    """Optimal play of some objectives, each for itself, by backward induction over the horizon.

    values: float64 (objectives,), from the start; good: uint32 (objectives, horizon, states), bit a is set where action a is
    among the best, 0 where a state cannot be reached by then; along: float64 (objectives, steps, actions), what each action is
    worth at each step of a path, optimal play following, as seen from that time: what a step pays at once counts in full.
    """

    values: np.ndarray
    good: np.ndarray
    along: np.ndarray


def solve(
    graph: LevelGraph,
    objectives: Sequence[str | np.ndarray],
    *,
    keep: bool = True,
    path: np.ndarray = _NOWHERE,
    discount: float | None = None,
) -> Solution:
    """Solve a level for some objectives: names, or weights of one's own, float (event bits,). It costs the least for all at once.

    keep: whether the best actions are asked for; path: int64 (steps,), the state at each time, at most the horizon;
    discount: in place of the environment's.
    """
    n = len(objectives)
    pays = graph.kinds_pay(np.stack([_weights(graph, one) for one in objectives], 1))
    values = np.zeros(n)
    good = np.zeros((n, graph.horizon if keep else 0, graph.n_states), np.uint32)
    along = np.zeros((n, len(path), graph.n_actions))
    for k in range(0, n, LANES):
        own = slice(k, min(k + LANES, n))
        lanes = np.zeros((len(pays), LANES))
        lanes[:, : own.stop - k] = pays[:, own]
        values[own] = _backward(
            *_process(graph, lanes, discount), graph.horizon, good[own], along[own], path
        )[: own.stop - k]
    return Solution(values, good, along)


def _weights(graph: LevelGraph, objective: str | np.ndarray) -> np.ndarray:
    if isinstance(objective, str):
        return graph.environment.weights[:, graph.environment.column(objective)]
    return objective


def _process(graph: LevelGraph, pays: np.ndarray, discount: float | None = None) -> tuple[Any, ...]:
    """The level as kernels take it. pays: float (kinds, columns)."""
    kinds = graph.kinds
    factor = graph.environment.discount if discount is None else discount
    return (graph.first, graph.after, kinds.of, kinds.probability[:, None] * pays,
            kinds.probability * factor, graph.reached, graph.n_actions)  # fmt: skip


@kernel()
def look_ahead(first, after, kind, expected, passed, n_actions, value, s, q):
    """Write into q (actions, LANES) what each action in a state is worth, value (states + 1, LANES) being what follows.

    A transition is worth what is `expected` of its kind, and `passed` times what follows.
    """
    k = first[s * n_actions]
    for a in range(n_actions):
        q0, q1, q2, q3 = 0.0, 0.0, 0.0, 0.0  # the lanes, written out to stay in registers
        end = first[s * n_actions + a + 1]
        while k < end:
            what, then = kind[k], after[k]
            p = passed[what]
            q0 += expected[what, 0] + p * value[then, 0]
            q1 += expected[what, 1] + p * value[then, 1]
            q2 += expected[what, 2] + p * value[then, 2]
            q3 += expected[what, 3] + p * value[then, 3]
            k += 1
        q[a, 0], q[a, 1], q[a, 2], q[a, 3] = q0, q1, q2, q3


@kernel()
def _backward(first, after, kind, expected, passed, reached, n_actions, horizon, good, along, path):
    """Values from the start, float64 (LANES,). Fills `good` and `along`, which may hold fewer lanes.

    Only states that can be reached by time t are looked at for time t; they come first in the numbering. Where more time no
    longer changes any value, it never will.
    """
    n = (len(first) - 1) // n_actions
    value, now = np.zeros((n + 1, LANES)), np.zeros((n + 1, LANES))
    q, best, least = np.zeros((n_actions, LANES)), np.zeros(LANES), np.zeros(LANES)
    t, changed = horizon, True
    while t > 0 and changed:
        t -= 1
        changed = False
        for s in range(reached[min(t, len(reached) - 1)]):
            look_ahead(first, after, kind, expected, passed, n_actions, value, s, q)
            for c in range(LANES):
                best[c] = least[c] = q[0, c]
            for a in range(1, n_actions):
                for c in range(LANES):
                    best[c], least[c] = max(best[c], q[a, c]), min(least[c], q[a, c])
            for c in range(LANES):
                changed |= value[s, c] != best[c]
                now[s, c] = best[c]
            if good.shape[1]:
                for c in range(len(good)):
                    bar = best[c] - TIE * max(abs(best[c]), abs(least[c]))
                    mask = 0
                    for a in range(n_actions):
                        mask |= int(q[a, c] >= bar) << a
                    good[c, t, s] = mask
            if t < len(path) and path[t] == s:
                for c in range(len(along)):
                    for a in range(n_actions):
                        along[c, t, a] = q[a, c]
        value, now = now, value
    for earlier in range(t):  # the same as at time t
        for c in range(len(good)):
            for s in range(reached[min(earlier, len(reached) - 1)] if good.shape[1] else 0):
                good[c, earlier, s] = good[c, t, s]
        if earlier < len(path):
            look_ahead(first, after, kind, expected, passed, n_actions, value, path[earlier], q)
            for c in range(len(along)):
                for a in range(n_actions):
                    along[c, earlier, a] = q[a, c]
    return value[0].copy()


def optimal_actions(
    graph: LevelGraph, objective: str | np.ndarray, *, discount: float | None = None
) -> np.ndarray:
    """uint32 (horizon, states): bit a is set where action a is among the best; 0 where a state cannot be reached by then."""
    return solve(graph, [objective], discount=discount).good[0]


def best_actions(
    graph: LevelGraph, objective: str | np.ndarray, states: np.ndarray | None = None
) -> np.ndarray:
    """bool (states, actions): what is best in each state at the earliest time at which it can be reached.

    objective: as for `optimal_policy`. states: int64 (n,), which ones, by default all.
    """
    ids = np.arange(graph.n_states) if states is None else states
    earliest = np.searchsorted(graph.reached, ids, side="right")
    best = optimal_actions(graph, objective)[earliest, ids]
    return (best[:, None] >> np.arange(graph.n_actions, dtype=np.uint32) & 1).astype(np.bool_)


def optimal_policy(
    graph: LevelGraph, objective: str | np.ndarray, *, discount: float | None = None
) -> np.ndarray:
    """float32 (horizon, states, actions): the probabilities of optimal play, uniform over equally good actions.

    objective: the name of one, or weights of one's own, float (event bits,), as in a column of `Environment.weights`.
    discount: in place of the environment's.
    """
    best = (
        optimal_actions(graph, objective, discount=discount)[..., None]
        >> np.arange(graph.n_actions, dtype=np.uint32)
        & 1
    )
    return best.astype(np.float32) / np.maximum(best.sum(-1, keepdims=True, dtype=np.float32), 1)


def leeway(graph: LevelGraph, good: np.ndarray, other: str) -> tuple[float, float]:
    """The least and the most of an objective that can be had by playing good actions only, as `optimal_actions` tells them."""
    pays = graph.kinds_pay(_weights(graph, other))[:, None]
    low, high = (sign * _most(*_process(graph, sign * pays), good) for sign in (-1.0, 1.0))
    return low, high


@kernel()
def _most(first, after, kind, expected, passed, reached, n_actions, good):
    n = good.shape[1]
    value, now = np.zeros(n + 1), np.zeros(n + 1)
    for t in range(len(good) - 1, -1, -1):
        for s in range(reached[min(t, len(reached) - 1)]):
            best = -np.inf
            for a in range(n_actions):
                if (good[t, s] >> a) & 1:
                    total = 0.0
                    for k in range(first[s * n_actions + a], first[s * n_actions + a + 1]):
                        total += expected[kind[k], 0] + passed[kind[k]] * value[after[k]]
                    best = max(best, total)
            now[s] = best
        value, now = now, value
    return value[0]


@dataclass(frozen=True)
class Optimum(Tabular):
    """What optimal play of one objective achieves from the start.

    value: its own optimal value; returns: float64 (others,), the value of each of the other objectives asked for, under
    uniform choice among optimal actions; low, high: float64 (others,), the least and the most of it that some optimal policy
    achieves. objective, others: their names.
    """

    objective: str
    value: float
    others: tuple[str, ...]
    returns: np.ndarray
    low: np.ndarray
    high: np.ndarray

    def headline(self) -> str:
        return f"optimal play of {self.objective}: {self.value:.3f}"

    def rows(self) -> Rows:
        numbers = (map("{:.3f}".format, one) for one in (self.returns, self.low, self.high))
        return [("objective", "its value then", "least", "most"), *zip(self.others, *numbers, strict=True)]


def optimum(graph: LevelGraph, objective: str, others: Sequence[str] | None = None) -> Optimum:
    """Solve a level for an objective; others (default: all objectives) cost extra time."""
    others = graph.environment.objective_names if others is None else others
    solution = solve(graph, [objective], keep=bool(others))
    value = float(solution.values[0])
    if not others:
        return Optimum(objective, value, (), np.zeros(0), np.zeros(0), np.zeros(0))
    returns = evaluate(graph, solution.good[0]).returns[[graph.environment.column(name) for name in others]]
    low, high = np.array([leeway(graph, solution.good[0], name) for name in others]).T
    return Optimum(objective, value, tuple(others), returns, low, high)
