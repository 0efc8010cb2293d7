"""The network of an agent, and the policy that is left when training is over: PyTorch alone, stored as tensors and text."""

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, ValidationError

try:
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load, save
    from torch import nn
except ImportError as error:
    raise ImportError(f"{error}; this agent needs an extra: pip install 'mesabench[agents]'") from error

from mesabench.agents.sb3.architecture import Architecture
from mesabench.disk import save_files
from mesabench.policies.loading import POLICY_FILE, WEIGHTS_FILE, read_saved
from mesabench.policies.policy import PolicyError

CHUNK = 8192
"""Observations that pass through the network at once."""


class Body(nn.Module):
    """All layers but the last: inputs, (n, view's size) of any dtype -> features, float32 (n, features_dim).

    SB3 takes it as features extractor, hence the first argument, which is not used.
    """

    scale: torch.Tensor

    def __init__(self, observation_space: Any, architecture: Architecture) -> None:
        super().__init__()
        view = architecture.view
        self.grid_shape = planes, height, width = view.grid_shape
        self.register_buffer("scale", torch.from_numpy(view.scale), persistent=False)
        convolutions: list[nn.Module] = []
        if architecture.network == "cnn":
            # of pixels first one cell at a time
            side, stride = (view.cell, view.cell) if view.cell > 1 else (3, 1)
            for filters in architecture.filters:
                padding = int(
                    min(height, width) < side
                )  # else none: what is worth seeing lies within the border
                convolutions += [nn.Conv2d(planes, filters, side, stride, padding), nn.ReLU()]
                planes = filters
                height, width = ((length + 2 * padding - side) // stride + 1 for length in (height, width))
                side, stride = 3, 1
        self.convolutions = nn.Sequential(*convolutions, nn.Flatten()) if convolutions else None
        size = planes * height * width + len(view.scalars)
        dense: list[nn.Module] = []
        for hidden in architecture.hidden:
            dense += [nn.Linear(size, hidden), nn.ReLU()]
            size = hidden
        self.dense = nn.Sequential(*dense)
        self.features_dim = size

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        # converted first: of bytes and floats PyTorch makes the product one by one
        return self.of_scaled(inputs.to(self.scale.dtype, copy=True).mul_(self.scale))

    def of_scaled(self, scaled: torch.Tensor) -> torch.Tensor:
        """As `forward`, of inputs that are scaled already: float32 (n, view's size), in [0, 1]."""
        if self.convolutions is not None:
            cells = int(np.prod(self.grid_shape))
            grid = scaled[:, :cells].view(-1, *self.grid_shape)
            scaled = torch.cat([self.convolutions(grid), scaled[:, cells:]], 1)
        return self.dense(scaled)


class Saved(BaseModel):
    """The contents of `policy.json`.

    answer: the probabilities are the `softmax` of the last layer's outputs, or the `greedy` action is certain.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    agent: str
    architecture: Architecture
    n_actions: Annotated[int, Field(ge=1, le=256)]
    answer: Literal["softmax", "greedy"]
    critic: bool
    weights: str = Field(description="sha256 of weights.safetensors", pattern="^[0-9a-f]{64}$")


Description = TypeVar("Description", bound=Saved)
Network = TypeVar("Network", bound=nn.Module)


class NetworkPolicy(nn.Module):
    """A trained policy: called with observations, uint8 (n, planes, height, width), it gives float32 (n, actions).

    agent: the name of the agent that trained it. body: a `Body` of this architecture. actor, critic: linear layers on it.
    Raises PolicyError for observations of another shape than it was trained on.
    """

    def __init__(
        self,
        agent: str,
        architecture: Architecture,
        answer: Literal["softmax", "greedy"],
        body: nn.Module,
        actor: nn.Module,
        critic: nn.Module | None = None,
    ) -> None:
        super().__init__()
        self.agent, self.architecture, self.answer = agent, architecture, answer
        self.body, self.actor, self.critic = body, actor, critic
        self.requires_grad_(False)

    def forward(self, observations: np.ndarray) -> np.ndarray:
        outputs = self._outputs(observations, self.actor)
        if self.answer == "softmax":
            return outputs.softmax(1).numpy()
        return np.eye(outputs.shape[1], dtype=np.float32)[outputs.argmax(1).numpy()]

    def values(self, observations: np.ndarray) -> np.ndarray:
        """float32 (n,): the discounted return that the agent expects, in rewards as it was trained on; without a critic, of
        its best action. Raises PolicyError where neither is known, as after evolution."""
        if self.critic is None and self.answer == "softmax":
            raise PolicyError(f"{self.agent} expects no returns: it has no critic, only odds of actions")
        outputs = self._outputs(observations, self.critic or self.actor)
        return outputs.amax(1).numpy()

    def _outputs(self, observations: np.ndarray, last: nn.Module) -> torch.Tensor:
        self.check(observations)
        with torch.inference_mode():
            parts = [
                last(self.features(observations[k : k + CHUNK]))
                for k in range(0, max(1, len(observations)), CHUNK)
            ]
            return torch.cat(parts)

    def features(self, observations: np.ndarray) -> torch.Tensor:
        """What the body makes of observations: float32 (n, features_dim)."""
        return self.body(torch.from_numpy(self.architecture.view(observations)))

    def check(self, observations: np.ndarray) -> None:
        """Raise PolicyError for observations of another shape than it was trained on."""
        view = self.architecture.view
        if observations.shape[1:] != view.shape or observations.dtype != np.uint8:
            raise PolicyError(
                f"this policy was trained on observations uint8 (n, {', '.join(map(str, view.shape))}); got "
                f"{observations.dtype} {observations.shape}. Give the environment the options that it was trained with"
            )

    def save(self, folder: Path) -> None:
        """Write weights.safetensors and policy.json into a folder."""
        weights = save(self.state_dict())
        saved = self.described(hashlib.sha256(weights).hexdigest())
        save_files(folder, {WEIGHTS_FILE: weights, POLICY_FILE: saved.model_dump_json(indent=1).encode()})

    def described(self, weights: str) -> Saved:
        """The contents of its `policy.json`. weights: the sha256 of its weights as they are stored."""
        return Saved(
            agent=self.agent,
            architecture=self.architecture,
            n_actions=len(self.state_dict()["actor.bias"]),
            answer=self.answer,
            critic=self.critic is not None,
            weights=weights,
        )


def load_network(folder: Path) -> NetworkPolicy:
    """The policy saved in a folder. Raises PolicyError where files are missing, damaged or do not belong together."""
    return read_network(folder, Saved, _untrained)


def read_network(
    folder: Path, description_of: type[Description], make: Callable[[Description], Network]
) -> Network:
    """As `load_network`, for a policy of another kind: what `make` makes of its description, with its weights."""
    description, weights_file = Path(folder) / POLICY_FILE, Path(folder) / WEIGHTS_FILE
    try:
        saved = description_of.model_validate(read_saved(folder))
        weights = weights_file.read_bytes()
        if hashlib.sha256(weights).hexdigest() != saved.weights:
            raise PolicyError(
                f"{weights_file} is damaged: it is not the one that {POLICY_FILE} was written with"
            )
        # initial weights, soon replaced, are not drawn from the caller's stream
        with torch.random.fork_rng(devices=[]):
            policy = make(saved)
        policy.load_state_dict(load(weights))
    except ValidationError as error:
        first = error.errors()[0]
        raise PolicyError(
            f"{description} is damaged: {'.'.join(map(str, first['loc']))}: {first['msg']}"
        ) from error
    except OSError as error:
        raise PolicyError(f"{folder} holds no weights: {error}") from error
    except (SafetensorError, RuntimeError) as error:
        raise PolicyError(
            f"{weights_file} does not fit the architecture in {POLICY_FILE}: {error}"
        ) from error
    return policy


def _untrained(saved: Saved) -> NetworkPolicy:
    body = Body(None, saved.architecture)
    actor = nn.Linear(body.features_dim, saved.n_actions)
    critic = nn.Linear(body.features_dim, 1) if saved.critic else None
    return NetworkPolicy(saved.agent, saved.architecture, saved.answer, body, actor, critic)
