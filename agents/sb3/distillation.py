"""A network taught by the solver: supervised steps towards the optimum of an objective, on states of many levels."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import torch
from torch import nn

from mesabench.agent import Progress, stream_seed
from mesabench.agents.sb3.architecture import Architecture
from mesabench.agents.sb3.network import Body, NetworkPolicy
from mesabench.distribution import Distribution
from mesabench.solver import explore, optimal_actions

REPORTS = 10
"""Times that a lesson's progress is told."""


@dataclass(frozen=True)
class Lesson:
    """What is taught: the optimum of an objective, on the first so many levels of a distribution."""

    distribution: Distribution
    objective: str
    levels: int

    def examples(self, states: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
        """Up to so many states of each level, and the optimum there, uniform over equally good actions.

        Observations, uint8 (n, planes, height, width), and probabilities, float32 (n, actions). The optimum is that of the
        earliest time at which a state can be reached.
        """
        observations, answers = [], []
        for level in range(self.levels):
            graph = explore(self.distribution, level)
            ids = np.sort(rng.permutation(graph.n_states)[:states])
            times = np.searchsorted(graph.reached, ids, side="right")
            best = optimal_actions(graph, self.objective)[times, ids, None] >> np.arange(graph.n_actions) & 1
            observations.append(graph.observations(ids))
            answers.append(best / best.sum(1, keepdims=True))
        return np.concatenate(observations), np.concatenate(answers).astype(np.float32)


class Pace(Protocol):
    """states: of each level; batch_size: examples per update."""

    states: int
    batch_size: int


class Pupil:
    """A network that is being taught; everything random comes from its seed."""

    def __init__(self, architecture: Architecture, n_actions: int, pace: Pace, seed: int) -> None:
        self.architecture, self.pace, self.steps = architecture, pace, 0
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(stream_seed(seed, "weights"))
            self.body = Body(None, architecture)
            self.actor = nn.Linear(self.body.features_dim, n_actions)

    def learn(
        self, lessons: Sequence[Lesson], steps: int, learning_rate: float, seed: int, progress: Progress
    ) -> None:
        """Take supervised steps (cross-entropy) until so many observations, rounded up to whole batches, have been shown.

        learning_rate: Adam's first step size; it falls to 0.
        """
        rng = np.random.Generator(np.random.PCG64(seed))
        observations, answers = zip(*(one.examples(self.pace.states, rng) for one in lessons), strict=True)
        inputs = torch.from_numpy(np.concatenate([self.architecture.view(one) for one in observations]))
        targets = torch.from_numpy(np.concatenate(answers))
        parameters = [*self.body.parameters(), *self.actor.parameters()]
        optimiser = torch.optim.Adam(parameters, learning_rate, fused=True)
        updates = -(-steps // self.pace.batch_size)
        schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.0, max(1, updates))
        for update in range(updates):
            chosen = torch.from_numpy(rng.integers(len(inputs), size=self.pace.batch_size))
            loss = nn.functional.cross_entropy(self.actor(self.body(inputs[chosen])), targets[chosen])
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            self.steps += self.pace.batch_size
            if update % max(1, updates // REPORTS) == 0 or update == updates - 1:
                # there are no episodes to tell of
                progress(
                    self.steps,
                    dict.fromkeys(("return_mean", "success", "length_mean"), float("nan"))
                    | {"episodes": 0.0},
                )

    def policy(self, agent: str) -> NetworkPolicy:
        """What it has become, under the name of the agent that can load it."""
        return NetworkPolicy(agent, self.architecture, "softmax", self.body, self.actor)
