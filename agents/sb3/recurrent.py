"""A policy with a memory: the body of `mesabench.agents.sb3.network`, and a long short-term memory between it and the actor."""

from pathlib import Path
from typing import Literal

import numpy as np
import torch
from torch import nn

from mesabench.agents.sb3.architecture import Architecture, Width
from mesabench.agents.sb3.network import CHUNK, Body, NetworkPolicy, Saved, read_network
from mesabench.policies.policy import PolicyError

State = tuple[np.ndarray, np.ndarray]
"""What is remembered: output and cell of the LSTM (Hochreiter & Schmidhuber 1997), float32 (n, memory) each."""


class SavedRecurrent(Saved):
    """The contents of `policy.json`. memory: units of the LSTM."""

    answer: Literal["softmax"]
    critic: Literal[False]
    memory: Width


class RecurrentPolicy(NetworkPolicy):
    """A trained policy with a memory: called with observations, uint8 (n, planes, height, width), and its state.

    It gives probabilities, float32 (n, actions), and its new state; see `mesabench.policies.policy`. Row i of a state is that of
    environment i alone, so that rows can be picked.

    lstm: of one layer, on the body; actor: a linear layer on it. Raises PolicyError for observations of another shape than
    it was trained on, and for a state of another number of environments.
    """

    recurrent = True

    def __init__(
        self, agent: str, architecture: Architecture, body: nn.Module, lstm: nn.LSTM, actor: nn.Module
    ) -> None:
        super().__init__(agent, architecture, "softmax", body, actor)
        self.lstm = lstm
        self.requires_grad_(False)

    def forward(self, observations: np.ndarray, state: State | None) -> tuple[np.ndarray, State]:
        self.check(observations)
        n, units = len(observations), self.lstm.hidden_size
        if state is None:
            state = np.zeros((n, units), np.float32), np.zeros((n, units), np.float32)
        if any(one.shape != (n, units) for one in state):
            shapes = " and ".join(str(one.shape) for one in state)
            raise PolicyError(
                f"the state of {n} environments is two arrays ({n}, {units}); got {shapes}. Give what the last call "
                "returned for the same environments, or None at the start of an episode"
            )
        outputs, cells, answers = [], [], []
        with torch.inference_mode():
            for k in range(0, max(1, n), CHUNK):
                before = tuple(torch.from_numpy(one[None, k : k + CHUNK]) for one in state)
                _, (output, cell) = self.lstm(self.features(observations[k : k + CHUNK])[None], before)
                outputs.append(output[0])
                cells.append(cell[0])
                answers.append(self.actor(output[0]).softmax(1))
            return torch.cat(answers).numpy(), (torch.cat(outputs).numpy(), torch.cat(cells).numpy())

    def values(self, observations: np.ndarray) -> np.ndarray:
        """Raises PolicyError: what it expects depends on what it remembers, and its critic is not kept."""
        raise PolicyError("a policy with a memory has no value for an observation alone")

    def described(self, weights: str) -> SavedRecurrent:
        return SavedRecurrent(**super().described(weights).model_dump(), memory=self.lstm.hidden_size)


def load_recurrent(folder: Path) -> RecurrentPolicy:
    """The policy saved in a folder. Raises PolicyError where files are missing, damaged or do not belong together."""
    return read_network(folder, SavedRecurrent, _untrained)


def _untrained(saved: SavedRecurrent) -> RecurrentPolicy:
    body = Body(None, saved.architecture)
    lstm = nn.LSTM(body.features_dim, saved.memory)
    actor = nn.Linear(saved.memory, saved.n_actions)
    return RecurrentPolicy(saved.agent, saved.architecture, body, lstm, actor)
