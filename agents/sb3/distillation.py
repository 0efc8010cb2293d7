"""A network taught by the solver: supervised steps towards the optimum of an objective, on states of many levels."""

import math
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import nn

from mesabench.agents.sb3.architecture import Architecture
from mesabench.agents.sb3.network import Body, NetworkPolicy
from mesabench.engine.distribution import Distribution
from mesabench.solver.graph import explore
from mesabench.solver.optima import best_actions
from mesabench.streams import generator, stream_seed

LARGEST = 16.0
"""Scale of logits at most."""
HALVINGS = 40
"""Steps of the bisection for a scale: more would be lost in float32."""


@dataclass(frozen=True, eq=False)
class Examples:
    """States of levels, and what is best there.

    inputs: uint8 (n, view's size). best: by objective, float32 (n, actions), probabilities, uniform over equally good actions.
    """

    inputs: torch.Tensor
    best: Mapping[str, torch.Tensor]


def examples(
    distribution: Distribution,
    objectives: Sequence[str],
    architecture: Architecture,
    *,
    levels: range,
    states: int,
    seed: int,
) -> Examples:
    """Up to so many states of each of these levels of a distribution; the seed chooses which.

    What is best is the optimum of the earliest time at which a state can be reached. Raises UnsolvableError, ValueError where
    only a part of a level is seen: what is best could not be told from that.
    """
    if distribution.engine.observation.sight.partial:
        raise ValueError(
            f"sight={distribution.sight!r}: the solver teaches what is best to agents that see whole levels, and this one sees a "
            "part; leave out sight (or say sight='whole'), or train by reward (ppo, recurrent_ppo)"
        )
    rng = generator(seed)
    inputs: list[np.ndarray] = []
    best: dict[str, list[np.ndarray]] = {name: [] for name in objectives}
    for level in levels:
        graph = explore(distribution, level)
        ids = np.sort(rng.permutation(graph.n_states)[:states])
        inputs.append(architecture.view(graph.observations(ids)))
        for name, found in best.items():
            optimal = best_actions(graph, name, ids)
            found.append(optimal / optimal.sum(1, keepdims=True))
    return Examples(
        torch.from_numpy(np.concatenate(inputs)),
        {name: torch.from_numpy(np.concatenate(found).astype(np.float32)) for name, found in best.items()},
    )


@dataclass(frozen=True)
class Lesson:
    """An objective taught on examples, so many of them in every update. seed: of which ones, whatever else is taught."""

    examples: Examples
    objective: str
    batch: int
    seed: int

    def batches(self) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
        """Inputs and answers, endlessly."""
        rng = generator(self.seed)
        answers = self.examples.best[self.objective]
        while True:
            chosen = torch.from_numpy(rng.integers(len(answers), size=self.batch))
            yield self.examples.inputs[chosen], answers[chosen]


class Pupil:
    """A network that is being taught. seed: of its initial weights."""

    def __init__(self, architecture: Architecture, n_actions: int, seed: int) -> None:
        self.architecture = architecture
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(seed, "weights"))
            self.body = Body(None, architecture)
            self.actor = nn.Linear(self.body.features_dim, n_actions)

    def learn(
        self, lessons: Sequence[Lesson], marks: Sequence[int], learning_rate: float, last: float
    ) -> Iterator[int]:
        """Take supervised steps (cross-entropy), a batch of every lesson in each; pause when so many were taken.

        marks: numbers of updates, ascending, each of them given back when it is reached. learning_rate: Adam's step size, which
        changes linearly until it is `last` times as large.
        """
        parameters = [*self.body.parameters(), *self.actor.parameters()]
        optimiser = torch.optim.Adam(parameters, learning_rate, fused=True)
        schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, last, max(1, marks[-1]))
        batches = zip(*(one.batches() for one in lessons), strict=True)
        done = 0
        for mark in marks:
            while done < mark:
                inputs, answers = (torch.cat(parts) for parts in zip(*next(batches), strict=True))
                loss = nn.functional.cross_entropy(self.actor(self.body(inputs)), answers)
                optimiser.zero_grad()
                loss.backward()
                optimiser.step()
                schedule.step()
                done += 1
            yield mark

    def policy(self, agent: str, examples: Examples, objective: str, sharpness: float) -> NetworkPolicy:
        """What it has become so far, under the name of the agent that can load it.

        Its logits are scaled so that the chance of a best action, the mean over the examples, is `sharpness`, or comes as near to
        it as scales from 1 / LARGEST to LARGEST allow. The order of its actions stays as it is.
        """
        body, actor = deepcopy((self.body, self.actor))  # a policy learns no more, and the pupil may
        good = examples.best[objective] > 0
        with torch.inference_mode():
            logits = actor(body(examples.inputs)).double()
        low, high = -math.log(LARGEST), math.log(LARGEST)
        for _ in range(HALVINGS):
            middle = (low + high) / 2
            share = ((logits * math.exp(middle)).softmax(1) * good).sum(1).mean()
            low, high = (middle, high) if share < sharpness else (low, middle)
        with torch.no_grad():
            for parameter in actor.parameters():
                parameter *= math.exp(middle)
        return NetworkPolicy(agent, self.architecture, "softmax", body, actor)
