"""What a policy does: one object that answers for every kind of policy, so that nobody else has to ask which kind it is."""

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution
from mesabench.policies.interventions import believed, observations_seen, timed
from mesabench.policies.memoryless import marginal_policy
from mesabench.policies.policy import TOLERANCE, CheckedPolicy, PolicyError, name_of
from mesabench.policies.probabilities import probabilities_of
from mesabench.solver.graph import LevelGraph
from mesabench.world.oversight import View

LOOKED_AT = 32_768
"""States whose observations are held at once."""
TRIED = 8
"""Rows on which a policy is tried before anything is asked: what draws anew hardly draws the same in all of them."""


class Behaviour:
    """A policy on the levels of a distribution.

    policy: any callable, see `mesabench.policies.policy`, or a scripted one (`mesabench.policies.scripted`). One without memory
        is tried at once, on the first level's first observation, `TRIED` times.
    distribution: whose levels; other levels with the same actions may be asked about, too, if it `accepts` what they look like.
    seed: of the episodes that a table is estimated from where there is no exact one.

    Raises PolicyError.
    """

    def __init__(self, policy: Any, distribution: Distribution, *, seed: int = 0) -> None:
        self.policy, self.distribution, self.seed = policy, distribution, seed
        self.scripted = hasattr(policy, "on_graph")
        """Whether it plays by a level's graph, and not by what it sees."""
        first = None
        if not self.scripted:
            batch = Batch(distribution, TRIED)
            batch.reset(levels=np.zeros(TRIED, np.int64))
            first = batch.observations
        self._checked = CheckedPolicy(policy, len(distribution.actions), first)
        self._told: WeakKeyDictionary[LevelGraph, np.ndarray] = WeakKeyDictionary()

    @property
    def recurrent(self) -> bool:
        """Whether it has a memory."""
        return self._checked.recurrent

    @property
    def exact(self) -> bool:
        """Whether `table` holds its own probabilities, rather than estimates of them."""
        return self.scripted or self._checked.exact

    def demand_exact(self, asked: str) -> None:
        """Raise PolicyError where it is not `exact`. asked: who asks for exact probabilities, as the message begins."""
        if self.exact:
            return
        if self.recurrent:
            why = "it has a memory (recurrent = True)"
        elif not self._checked.steady:
            why = "it answers the same observations otherwise when it is asked again"
        else:
            why = "it answers with actions; if its action is a function of what it sees, let it say so: deterministic = True"
        raise PolicyError(f"{asked}: what {name_of(self.policy)} does in a state can only be sampled: {why}")

    def table(self, graph: LevelGraph, view: View | None = None) -> np.ndarray:
        """Probabilities of its actions in every state of a level: float (1 or horizon, states, actions). For reading.

        view: what it is made to see instead, while the level goes on as it was. Where it is not `exact` (it has a memory, answers
        with actions, or draws its probabilities anew), what the policy without memory does that visits the same states as often,
        estimated from sampled episodes (`mesabench.policies.memoryless`). Raises PolicyError.
        """
        view = view or {}
        if self.scripted:
            return self._checked_table(
                believed(self.policy, graph, view)
                if view
                else timed(self.policy.on_graph(graph, graph.horizon)),
                graph,
            )
        if not self.exact:
            return marginal_policy(self._checked, graph, seed=self.seed, view=view)
        if not view and graph in self._told:
            return self._told[graph]
        parts = (
            observations_seen(graph.distribution, graph.states(slice(start, start + LOOKED_AT)), view)
            for start in range(0, graph.n_states, LOOKED_AT)
        )
        table = np.concatenate([probabilities_of(self._checked, seen) for seen in parts])[None]
        if not view:  # of tables that depend on the time, hundreds of times as large, none is kept
            table.flags.writeable = False  # several measures read it
            self._told[graph] = table
        return table

    def answer(
        self, observations: np.ndarray, state: Any, running: np.ndarray | None = None
    ) -> tuple[np.ndarray, Any]:
        """Its checked actions, int64 (n,), or probabilities, float64 (n, actions), and its new state: `CheckedPolicy.answer`."""
        return self._checked.answer(observations, state, running)

    def act(
        self,
        observations: np.ndarray,
        state: Any,
        rng: np.random.Generator,
        running: np.ndarray | None = None,
    ) -> tuple[np.ndarray, Any]:
        """Its actions, int64 (n,), drawn where it gives probabilities, and its new state: `CheckedPolicy.act`."""
        return self._checked.act(observations, state, rng, running)

    def accepts(self, observations: np.ndarray) -> bool:
        """Whether it answers to observations of this shape, uint8 (n, planes, height, width). A scripted one looks at none."""
        if self.scripted:
            return True
        try:
            self.answer(observations, None)
        except Exception:  # whatever a stranger's policy says to a shape that it does not know
            return False
        return True

    def features(self, observations: np.ndarray) -> np.ndarray:
        """Activations of its last layer but one, float64 (n, units). Raises PolicyError where it shows none."""
        if not hasattr(self.policy, "features"):
            raise PolicyError(
                f"{name_of(self.policy)} shows no activations: it has no method `features`, which takes observations, uint8 "
                "(n, planes, height, width), and answers with floats, (n, units)"
            )
        return self._checked.features(observations)

    def _checked_table(self, table: np.ndarray, graph: LevelGraph) -> np.ndarray:
        """A scripted one's. Of states that cannot be reached at a time it may say less, or nothing at all."""
        shapes = [(times, graph.n_states, graph.n_actions) for times in (1, graph.horizon)]
        if table.shape not in shapes or not (table >= 0).all() or (table.sum(-1) > 1 + TOLERANCE).any():
            raise PolicyError(
                f"{name_of(self.policy)}: on_graph must answer with probabilities, at least 0 and of sum 1, of shape "
                f"{shapes[0][1:]}, or {shapes[1]} if they depend on the time; got {table.dtype} of shape {table.shape}"
            )
        return table
