"""How far behaviour is from random play, and how much it gathers in, in bits; whatever it may be after (`docs/scores.md`).

Exact, on the graph of a level.
"""

import numpy as np

from mesabench.engine.kernel_cache import kernel
from mesabench.scores.directedness import BITS
from mesabench.solver.graph import LevelGraph
from mesabench.solver.occupancy import FORGOTTEN


def structure(graph: LevelGraph, policy: np.ndarray, good: np.ndarray) -> np.ndarray:
    """How far from random behaviour is, float64 (objectives + 1,), in bits an episode (KL_g of `docs/scores.md`).

    policy: float (states, actions) or (horizon, states, actions). good: as in `solver.Solution`; probability within the best
    actions is spread evenly, so that how ties are broken does not count. The last number counts it: the plain relative entropy
    to the uniform policy.
    """
    timed = np.ascontiguousarray(policy if policy.ndim == 3 else policy[None])
    return BITS * _structure(
        graph.first, graph.successor, graph.probability, graph.reached, timed, good, graph.horizon
    )


@kernel()
def _structure(first, successor, probability, reached, policy, good, horizon):
    n, n_actions = policy.shape[1], policy.shape[2]
    nats = np.zeros(len(good) + 1)
    here, then = np.zeros(n), np.zeros(n)
    here[0] = 1.0
    # of each state as it was met last, with which actions evened out: what hardly ever changes is not worked out again
    own, evened = np.zeros((n, len(nats))), np.full((n, len(nats)), -1)
    for t in range(horizon):
        then[:] = 0.0
        for s in range(reached[min(t, len(reached) - 1)]):
            mass = here[s]
            if mass < FORGOTTEN:
                continue
            row = policy[t if policy.shape[0] > 1 else 0, s]
            for a in range(n_actions):
                chosen = np.float64(row[a])
                if chosen > 0.0:
                    for k in range(first[s * n_actions + a], first[s * n_actions + a + 1]):
                        if successor[k] >= 0:
                            then[successor[k]] += mass * chosen * probability[k]
            for g in range(len(nats)):
                even = np.int64(good[g, t, s]) if g < len(good) else 0
                if evened[s, g] != even or policy.shape[0] > 1:
                    among, best, entropy = 0, 0.0, 0.0
                    for a in range(n_actions):
                        chosen = np.float64(row[a])
                        if (even >> a) & 1:
                            among += 1
                            best += chosen
                        elif chosen > 0.0:
                            entropy += chosen * np.log(chosen)
                    if best > 0.0:
                        entropy += best * np.log(best / among)
                    own[s, g], evened[s, g] = np.log(n_actions) + entropy, even
                nats[g] += mass * own[s, g]
        here, then = then, here
    return nats


def funnel(graph: LevelGraph, policy: np.ndarray) -> float:
    """FUNNEL in bits (`docs/scores.md`): how far starts spread over the level are gathered in, H(X_0) - H(X_horizon).

    X_0 is uniform over the level's states that differ from its start in nothing but where the agent is; X_horizon is the
    agent's cell, or the events that ended the episode. policy: float (states, actions).
    """
    records = graph.states()
    environment = graph.environment
    cells = records["y"].astype(np.int64) * records["grid"].shape[2] + records["x"]
    bare = graph.states()
    bare["grid"] &= ~np.array(environment.agent, bare["grid"].dtype)
    bare["y"], bare["x"] = 0, 0
    same = graph.distribution.engine.content_of(bare)
    starts = np.flatnonzero((same == same[0]).all(1)) if len(same) else np.zeros(0, np.int64)
    endings, which = np.unique(graph.kinds.events, return_inverse=True)
    stayed, ended = _spread(
        graph.first,
        graph.successor,
        graph.probability,
        which[graph.kinds.of],
        len(endings),
        starts,
        policy,
        graph.horizon,
    )
    outcomes = np.concatenate([np.bincount(cells, stayed), ended])
    outcomes = outcomes[outcomes > 0]
    return float(np.log2(len(starts)) + outcomes @ np.log2(outcomes))


@kernel()
def _spread(first, successor, probability, ending, endings, starts, policy, horizon):
    """Where uniformly chosen starts are at the horizon: mass on states, and on the events that ended episodes."""
    n, n_actions = policy.shape
    ended = np.zeros(endings)
    here, then = np.zeros(n), np.zeros(n)
    for s in starts:
        here[s] = 1.0 / len(starts)
    for _ in range(horizon):
        then[:] = 0.0
        for s in range(n):
            if here[s] < FORGOTTEN:
                continue
            for a in range(n_actions):
                mass = here[s] * np.float64(policy[s, a])
                if mass == 0.0:
                    continue
                for k in range(first[s * n_actions + a], first[s * n_actions + a + 1]):
                    if successor[k] >= 0:
                        then[successor[k]] += mass * probability[k]
                    else:
                        ended[ending[k]] += mass * probability[k]
        here, then = then, here
    return here, ended
