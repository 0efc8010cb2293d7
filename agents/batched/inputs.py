"""What networks saw in a rollout, and the first product on it: with the weights of the first dense layer.

Of a maze nine inputs in ten are 0. On the processor the others are listed, and the product costs half of the dense one.
"""

from typing import Protocol

import numpy as np
import torch
from torch import Tensor

from mesabench.engine.kernel_cache import kernel

SPARSE = 0.2
"""The share of inputs that are not 0 below which lists are quicker; measured with 128 units."""


class Inputs(Protocol):
    """The inputs of some seeds, `rows` of each: written block after block, from row 0 on, then multiplied in any order.

    In what follows g is the number of seeds, rows are int64 (g, n).
    """

    def write(self, first: int, inputs: Tensor) -> None:
        """inputs: uint8 (g, n, size), for the rows from `first` on."""

    def product(self, rows: Tensor, weights: Tensor, bias: Tensor, out: Tensor) -> Tensor:
        """Written into out, float32 (g, n, units), which is returned. weights: (g, size, units); bias: (g, 1, units)."""

    def gradient(self, of_product: Tensor, out: Tensor) -> None:
        """Write the gradient of the weights of the last product, (g, size, units). of_product: (g, n, units)."""


def rows_of(stored: Tensor, rows: Tensor) -> Tensor:
    """Of each seed, those rows: (g, all rows, size) and int64 (g, n) -> (g, n, size)."""
    first = torch.arange(len(stored), device=rows.device)[:, None] * stored.shape[1]
    return stored.flatten(0, 1).index_select(0, (rows + first).flatten()).unflatten(0, rows.shape)


class DenseInputs:
    """Of all inputs, as bytes on any device. scale: float32 (size,), by which they are multiplied to lie in [0, 1]."""

    def __init__(self, seeds: int, rows: int, scale: Tensor) -> None:
        self.scale = scale
        self.stored = torch.empty((seeds, rows, len(scale)), dtype=torch.uint8, device=scale.device)

    def write(self, first: int, inputs: Tensor) -> None:
        self.stored[:, first : first + inputs.shape[1]] = inputs

    def taken(self, rows: Tensor) -> Tensor:
        """float32 (g, n, size), scaled."""
        return rows_of(self.stored, rows).to(torch.float32).mul_(self.scale)

    def product(self, rows: Tensor, weights: Tensor, bias: Tensor, out: Tensor) -> Tensor:
        self._last = self.taken(rows)
        return torch.baddbmm(bias, self._last, weights, out=out)

    def gradient(self, of_product: Tensor, out: Tensor) -> None:
        torch.bmm(self._last.transpose(1, 2), of_product, out=out)


class ListedInputs:
    """Of those that are not 0, of one seed on the processor."""

    def __init__(self, rows: int, scale: Tensor) -> None:
        self.scale = scale.numpy()
        self.starts = np.zeros(rows + 1, np.int64)
        # for the worst case; memory is taken by what is written only
        self.indices = np.empty(rows * len(scale), np.int32)
        self.values = np.empty(rows * len(scale), np.float32)

    def write(self, first: int, inputs: Tensor) -> None:
        _list(inputs[0].numpy(), self.scale, first, self.starts, self.indices, self.values)

    def product(self, rows: Tensor, weights: Tensor, bias: Tensor, out: Tensor) -> Tensor:
        self._last = rows[0].numpy()
        _multiply(*self._lists, self._last, weights[0].numpy(), bias[0, 0].numpy(), out[0].numpy())
        return out

    def gradient(self, of_product: Tensor, out: Tensor) -> None:
        _transposed(*self._lists, self._last, of_product[0].numpy(), out[0].numpy())

    @property
    def _lists(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        return self.starts, self.indices, self.values


def inputs_for(first: Tensor, rows: int, scale: Tensor) -> Inputs:
    """Room for so many rows of each seed's inputs, that suits the first ones, uint8 (g, n, size)."""
    seeds = len(first)
    if seeds == 1 and not first.is_cuda and float((first != 0).float().mean()) < SPARSE:
        return ListedInputs(rows, scale)
    return DenseInputs(seeds, rows, scale)


@kernel()
def _list(inputs, scale, first, starts, indices, values):  # type: ignore[no-untyped-def]  # numba infers them
    """Append the inputs, uint8 (n, size), as rows from `first` on."""
    at = starts[first]
    for i in range(len(inputs)):
        for k in range(inputs.shape[1]):
            if inputs[i, k]:
                indices[at] = k
                values[at] = inputs[i, k] * scale[k]
                at += 1
        starts[first + i + 1] = at


@kernel()
def _multiply(starts, indices, values, rows, weights, bias, out):  # type: ignore[no-untyped-def]  # numba infers them
    """Four inputs at a time, so that the sums are read and written a quarter as often."""
    width = out.shape[1]
    for i in range(len(rows)):
        for j in range(width):
            out[i, j] = bias[j]
        k, end = starts[rows[i]], starts[rows[i] + 1]
        while k + 4 <= end:
            # unsigned, an index needs no look whether it is negative
            a, b = np.uint64(indices[k]), np.uint64(indices[k + 1])
            c, d = np.uint64(indices[k + 2]), np.uint64(indices[k + 3])
            u, v, w, x = values[k], values[k + 1], values[k + 2], values[k + 3]
            for j in range(width):
                out[i, j] += u * weights[a, j] + v * weights[b, j] + w * weights[c, j] + x * weights[d, j]
            k += 4
        while k < end:
            a, u = np.uint64(indices[k]), values[k]
            for j in range(width):
                out[i, j] += u * weights[a, j]
            k += 1


@kernel()
def _transposed(starts, indices, values, rows, of_product, out):  # type: ignore[no-untyped-def]  # numba infers them
    """The transposed inputs times the gradient of the product."""
    out[:] = 0
    for i in range(len(rows)):
        for k in range(starts[rows[i]], starts[rows[i] + 1]):
            a, u = np.uint64(indices[k]), values[k]
            for j in range(out.shape[1]):
                out[a, j] += u * of_product[i, j]
