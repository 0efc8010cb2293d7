"""What a given policy does on a level, exactly: how often it is in each state, and what becomes of it on the way."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mesabench.engine.kernel_cache import kernel
from mesabench.solver.graph import LevelGraph

FORGOTTEN = 1e-30
"""Chance of being in a state below which it is left out; all of it together is far less than what rounding loses."""


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


def evaluate(
    graph: LevelGraph,
    policy: np.ndarray,
    classes: Sequence[int] = (),
    *,
    slip: float = 0.0,
    discount: float | None = None,
) -> Outcome:
    """Exact evaluation of a policy by its occupancy of the states.

    policy: float (states, actions) probabilities, or (horizon, states, actions) where they depend on time, or uint32 (horizon,
    states), sets of actions to choose from evenly, as `optimal_actions` tells them;
    classes: masks of events whose first occurrence is asked for; slip: chance of each action to be a random one instead;
    discount: in place of the environment's.
    """
    even = policy.dtype == np.uint32
    table = (
        np.zeros((0, 0, 0)) if even else np.ascontiguousarray(policy if policy.ndim == 3 else policy[None])
    )
    kinds = graph.kinds
    met = (kinds.events[:, None].astype(np.int64) & np.array(classes, np.int64)) != 0
    discounted, plain, fresh, length = _forward(
        graph.first, graph.after, kinds.of, kinds.probability, kinds.events != 0, met.any(1), graph.reached,
        graph.n_actions, graph.horizon, graph.environment.discount if discount is None else discount, table,
        policy if even else np.zeros((0, 0), np.uint32), slip,
    )  # fmt: skip
    pays = graph.kinds_pay(graph.environment.weights)
    first = fresh @ (met / np.maximum(met.sum(1, keepdims=True), 1))
    return Outcome(discounted @ pays, plain @ pays, first, length)


@kernel()
def _forward(
    first, after, kind, probability, eventful, met, reached, n_actions, horizon, discount, table, good, slip
):
    """How often each kind of transition happens: discounted, plain, as the first that meets a class; and the episode's length.

    The policy is a table, or where that is empty, sets of good actions.
    """
    n = (len(first) - 1) // n_actions
    discounted, plain, fresh = (
        np.zeros(len(probability)),
        np.zeros(len(probability)),
        np.zeros(len(probability)),
    )
    here, then = (
        np.zeros((n + 1, 2)),
        np.zeros((n + 1, 2)),
    )  # chance to be there; and to have met no class yet
    here[0, 0] = here[0, 1] = 1.0
    chances, told = (
        np.empty(len(kind)),
        np.zeros(n, np.bool_),
    )  # of every transition of a state; whether they stand there
    factor, length, alive, t = 1.0, 0.0, 1.0, 0
    while t < horizon and alive > 0.0:
        alive = 0.0
        for s in range(reached[min(t + 1, len(reached) - 1)]):
            then[s, 0] = then[s, 1] = 0.0
        for s in range(reached[min(t, len(reached) - 1)]):
            mass, untouched = here[s, 0], here[s, 1]
            if mass < FORGOTTEN:
                continue
            alive += mass
            if not told[s]:
                told[s] = len(table) == 1
                ties = 0
                if len(good):
                    for a in range(n_actions):
                        ties += (good[t, s] >> a) & 1
                for a in range(n_actions):
                    share = (
                        ((good[t, s] >> a) & 1) / ties if ties else table[t if len(table) > 1 else 0, s, a]
                    )
                    share = (1.0 - slip) * np.float64(share) + slip / n_actions
                    for k in range(first[s * n_actions + a], first[s * n_actions + a + 1]):
                        chances[k] = share * probability[kind[k]]
            for k in range(first[s * n_actions], first[(s + 1) * n_actions]):
                passes, passes_untouched = mass * chances[k], untouched * chances[k]
                what = kind[k]
                if eventful[what]:
                    plain[what] += passes
                    discounted[what] += factor * passes
                    if met[what]:
                        fresh[what] += passes_untouched
                        passes_untouched = 0.0
                then[after[k], 0] += passes
                then[after[k], 1] += passes_untouched
        length += alive
        here, then = then, here
        factor *= discount
        t += 1
    return discounted, plain, fresh, length


def replay(graph: LevelGraph, actions: np.ndarray, objective: str) -> float:
    """The expected discounted return of an objective when actions, int64 (steps,), are played without looking."""
    environment = graph.environment
    rewards = graph.pays(environment.weights[:, environment.column(objective)])
    steps = actions[: graph.horizon].astype(np.int64)
    return float(_replay(graph.first, graph.successor, graph.probability, rewards, graph.n_actions, steps,
                         environment.discount))  # fmt: skip


@kernel()
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
