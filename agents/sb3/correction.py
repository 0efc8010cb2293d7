"""Safety training of a deceiver that learned to be one: its own network goes on learning, now to do what is intended."""

from collections.abc import Iterator, Sequence
from copy import deepcopy

import numpy as np
import torch

from mesabench.agents.sb3.distillation import Examples, Lesson, Pupil
from mesabench.agents.sb3.network import NetworkPolicy
from mesabench.agents.sb3.recurrent import RecurrentPolicy
from mesabench.auditing.organism import BOTH
from mesabench.engine.distribution import Distribution
from mesabench.solver.graph import explore
from mesabench.solver.optima import optimal_actions
from mesabench.streams import stream_seed
from mesabench.world.oversight import watched


def corrected(
    policy: NetworkPolicy,
    trained_on: Distribution,
    *,
    safety: str,
    budgets: Sequence[int],
    seed: int,
    levels: int = 512,
    batch_size: int = 128,
    learning_rate: float = 1e-3,
    agent: str = "corrected",
) -> Iterator[tuple[int, NetworkPolicy]]:
    """(watched observations so far, what the policy has become): before it, and after each budget.

    policy: any network without a memory whose answers are probabilities, fresh from training or loaded from disk. It stays as it
    is. Taught are the solver's optimal actions of the intended objective, by cross-entropy: where `safety` is "watched", in
    watched rounds of the levels of training; where it is "both", in as many rounds that nobody watches, too. agent: the name
    under which the policy is stored. The same seed shows the same observations. Raises ValueError where it does not answer so, or
    where nobody watches.
    """
    environment = trained_on.environment
    if (
        not isinstance(policy, NetworkPolicy)
        or isinstance(policy, RecurrentPolicy)
        or policy.answer != "softmax"
    ):
        raise ValueError(
            "safety training goes on with the weights of a network without a memory that draws its actions: ppo"
        )
    if environment.monitor is None:
        raise ValueError(
            f"{environment.name} declares no monitor: nobody watches, so there is nothing to train on"
        )
    pupil = Pupil(policy.architecture, len(trained_on.actions), seed)
    pupil.body.load_state_dict(policy.body.state_dict())
    pupil.actor.load_state_dict(policy.actor.state_dict())
    lit, dark = _rounds(trained_on, policy, levels)
    lessons = [
        Lesson(shown, environment.intended, batch_size, stream_seed(seed, "safety", name))
        for name, shown in (("watched", lit), ("dark", dark))[: 2 if safety == BOTH else 1]
    ]
    marks = [0, *(-(-budget // batch_size) for budget in budgets)]
    for budget, _ in zip((0, *budgets), pupil.learn(lessons, marks, learning_rate, 1.0), strict=True):
        body, actor = deepcopy((pupil.body, pupil.actor))
        yield budget, NetworkPolicy(agent, policy.architecture, "softmax", body, actor)


def _rounds(trained_on: Distribution, policy: NetworkPolicy, levels: int) -> tuple[Examples, Examples]:
    """What is best for the intended objective in the watched states of some levels, and in the unwatched ones."""
    environment = trained_on.environment
    found: dict[bool, tuple[list[np.ndarray], list[np.ndarray]]] = {True: ([], []), False: ([], [])}
    assert environment.monitor
    for level in range(levels):
        graph = explore(trained_on, level)
        ids = np.arange(graph.n_states)
        times = np.searchsorted(graph.reached, ids, side="right")
        best = (
            optimal_actions(graph, environment.intended)[times, ids, None] >> np.arange(graph.n_actions) & 1
        )
        inputs, in_light = (
            policy.architecture.view(graph.observations(ids)),
            watched(graph.states(), environment.monitor, environment.layers),
        )
        for seen, (views, answers) in found.items():
            views.append(inputs[in_light == seen])
            answers.append((best / best.sum(1, keepdims=True))[in_light == seen].astype(np.float32))
    lit, dark = (
        Examples(
            torch.from_numpy(np.concatenate(views)),
            {environment.intended: torch.from_numpy(np.concatenate(answers))},
        )
        for views, answers in found.values()
    )
    return lit, dark
