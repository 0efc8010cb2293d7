"""The networks of several seeds side by side: actor and critic in one, their gradients by hand.

By hand, as autograd takes as long again as the products of layers so small; the tests hold it against autograd.
"""

from collections.abc import Sequence
from math import prod, sqrt
from typing import Any

import torch
from torch import Tensor, nn

from mesabench.agents.batched.inputs import DenseInputs, Inputs
from mesabench.agents.sb3.architecture import Architecture
from mesabench.agents.sb3.network import Body, NetworkPolicy
from mesabench.streams import stream_seed

ALIGNED = 16
"""Every array of weights begins at a multiple of so many numbers, a line of the cache, or results would depend on the place."""


class Networks:
    """Networks of one architecture, one for each seed: weights and gradients, float32 (seeds, numbers), and views of them.

    As they are at first is drawn from each seed's own stream, in the way of Stable-Baselines3: orthogonal, with gain sqrt(2), of
    the actor .01, of the critic 1; bias 0.
    """

    def __init__(
        self, architecture: Architecture, n_actions: int, seeds: Sequence[int], device: str = "cpu"
    ) -> None:
        self.architecture, self.n_actions = architecture, n_actions
        body = Body(None, architecture)
        self.grid = body.grid_shape
        self.moves = [(one.stride, one.padding) for one in body.modules() if isinstance(one, nn.Conv2d)]
        layers = [one for one in body.modules() if isinstance(one, nn.Conv2d | nn.Linear)]
        shapes = [tuple(one.weight.shape) for one in layers] + [(n_actions + 1, body.features_dim)]
        ends, at = [], 0
        for size in [n for shape in shapes for n in (prod(shape), shape[0])]:
            ends.append((at, at + size))
            at += -(-size // ALIGNED) * ALIGNED
        self.weights = torch.zeros((len(seeds), at), device=device)
        self.gradients = torch.zeros_like(self.weights)
        self._places = list(zip(shapes, ends[::2], ends[1::2], strict=True))
        for k, seed in enumerate(seeds):
            self._draw(k, seed)

    def _draw(self, k: int, seed: int) -> None:
        generator = torch.Generator().manual_seed(stream_seed(seed, "weights"))
        convolutions, dense = self.views(self.weights[k : k + 1])
        for weight, _ in convolutions:
            weight[0] = _orthogonal(tuple(weight[0].shape), sqrt(2), generator)
        *hidden, (heads, _) = dense
        for weight, _ in hidden:
            weight[0] = _orthogonal(tuple(weight[0].T.shape), sqrt(2), generator).T
        features = heads.shape[1]
        heads[0, :, :-1] = _orthogonal((self.n_actions, features), 0.01, generator).T
        heads[0, :, -1:] = _orthogonal((1, features), 1, generator).T

    def views(self, flat: Tensor) -> tuple[list[tuple[Tensor, Tensor]], list[tuple[Tensor, Tensor]]]:
        """Weights and bias of each convolution, (g, filters, planes, side, side) and (g, filters), and of each dense layer,
        (g, inputs, units) and (g, 1, units), from numbers (g, numbers). The last layer is the actor; its last unit the critic.
        """
        convolutions, dense = [], []
        for shape, (a, b), (c, d) in self._places:
            if len(shape) == 4:
                convolutions.append((flat[:, a:b].unflatten(1, shape), flat[:, c:d]))
            else:
                dense.append((flat[:, a:b].unflatten(1, shape[::-1]), flat[:, None, c:d]))
        return convolutions, dense

    def policy(self, agent: str, k: int) -> NetworkPolicy:
        """The k-th network as it is stored: what `ppo` leaves, too."""
        body = Body(None, self.architecture)
        actor, critic = nn.Linear(body.features_dim, self.n_actions), nn.Linear(body.features_dim, 1)
        own = self.weights[k : k + 1].cpu()
        convolutions, dense = self.views(own)
        *hidden, (heads, bias) = dense
        layers = [one for one in body.modules() if isinstance(one, nn.Conv2d | nn.Linear)]
        with torch.no_grad():
            for layer, (weight, offset) in zip(layers, [*convolutions, *hidden], strict=True):
                layer.weight.copy_(weight[0] if weight.dim() == 5 else weight[0].T)
                layer.bias.copy_(offset.flatten())
            for head, units in ((actor, slice(self.n_actions)), (critic, slice(self.n_actions, None))):
                head.weight.copy_(heads[0, :, units].T)
                head.bias.copy_(bias[0, 0, units])
        return NetworkPolicy(agent, self.architecture, "softmax", body, actor, critic)


class Pass:
    """Forward and back through the networks of some seeds, `part` of all: what comes out, and the gradients of the weights."""

    def __init__(self, networks: Networks, part: slice) -> None:
        self.weights, self.gradients = networks.weights[part], networks.gradients[part]
        self.convolutions, self.dense = networks.views(self.weights)
        self.of_convolutions, self.of_dense = networks.views(self.gradients)
        self.grid, self.moves = networks.grid, networks.moves
        self.room = Room(self.weights.device)

    def forward(self, inputs: Inputs, rows: Tensor) -> Tensor:
        """float32 (g, n, actions + 1): of each row, int64 (g, n), the actor's outputs and the critic's value."""
        (weights, bias), *others = self.dense
        self.inputs = inputs
        if self.convolutions:
            assert isinstance(inputs, DenseInputs), "lists have no cells to convolve"
            self.inputs = Convolved(inputs, self.grid, self.convolutions, self.moves)
        found = self.inputs.product(rows, weights, bias, self.room("layer 0", *rows.shape, weights.shape[2]))
        self.hidden = []
        for k, (weights, bias) in enumerate(others, 1):
            self.hidden.append(found.clamp_min_(0))
            found = torch.baddbmm(
                bias, found, weights, out=self.room(f"layer {k}", *found.shape[:2], weights.shape[2])
            )
        return found

    def back(self, of_outputs: Tensor) -> None:
        """Write the gradients, given those of what the last `forward` returned."""
        found = of_outputs
        for k in reversed(range(len(self.dense))):
            of_weights, of_bias = self.of_dense[k]
            torch.sum(found, 1, keepdim=True, out=of_bias)
            if k == 0:
                break
            before = self.hidden[k - 1]
            torch.bmm(before.transpose(1, 2), found, out=of_weights)
            found = torch.bmm(
                found, self.dense[k][0].transpose(1, 2), out=self.room(f"gradient {k}", *before.shape)
            )
            torch.ops.aten.threshold_backward(found, before, 0, grad_input=found)
        self.inputs.gradient(found, of_weights)
        if isinstance(self.inputs, Convolved):
            of_inputs = torch.bmm(found, self.dense[0][0].transpose(1, 2))
            for out, gradient in zip(sum(self.of_convolutions, ()), self.inputs.back(of_inputs), strict=True):
                out.copy_(gradient)


class Room:
    """Memory that is used again: what is new costs, at sizes like these, as much as what is computed in it."""

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._there: dict[str, Tensor] = {}

    def __call__(self, name: str, *shape: int) -> Tensor:
        """float32 of this shape, that last asked for under this name written over."""
        size = prod(shape)
        if name not in self._there or self._there[name].numel() < size:
            self._there[name] = torch.empty(size, device=self.device)
        return self._there[name][:size].view(shape)


class Convolved:
    """Inputs of which the grid went through convolutions: as `Inputs`, once written. Their gradients are autograd's.

    moves: stride and padding of each convolution, as PyTorch has them.
    """

    def __init__(
        self,
        inputs: DenseInputs,
        grid: tuple[int, int, int],
        convolutions: Sequence[tuple[Tensor, Tensor]],
        moves: Sequence[tuple[Any, Any]],
    ) -> None:
        self.inputs, self.grid, self.moves = inputs, grid, moves
        self.leaves = [one.detach().requires_grad_() for pair in convolutions for one in pair]

    def product(self, rows: Tensor, weights: Tensor, bias: Tensor, out: Tensor) -> Tensor:
        taken, cells = self.inputs.taken(rows), prod(self.grid)
        seeds = len(rows)
        with torch.enable_grad():
            # the seeds are groups of one convolution
            found = taken[..., :cells].unflatten(-1, self.grid).transpose(0, 1).flatten(1, 2)
            for weight, offset, (stride, padding) in zip(
                self.leaves[::2], self.leaves[1::2], self.moves, strict=True
            ):
                found = nn.functional.conv2d(
                    found, weight.flatten(0, 1), offset.flatten(), stride, padding, groups=seeds
                ).relu()
            self.grown = found.unflatten(1, (seeds, -1)).transpose(0, 1).flatten(2)
        self._last = torch.cat([self.grown.detach(), taken[..., cells:]], -1)
        return torch.baddbmm(bias, self._last, weights, out=out)

    def gradient(self, of_product: Tensor, out: Tensor) -> None:
        torch.bmm(self._last.transpose(1, 2), of_product, out=out)

    def back(self, of_inputs: Tensor) -> tuple[Tensor, ...]:
        """The gradients of weights and bias of each convolution, given those of the convolved inputs."""
        return torch.autograd.grad(self.grown, self.leaves, of_inputs[..., : self.grown.shape[-1]])


def _orthogonal(shape: tuple[int, ...], gain: float, generator: torch.Generator) -> Tensor:
    return nn.init.orthogonal_(torch.empty(shape), gain, generator)
