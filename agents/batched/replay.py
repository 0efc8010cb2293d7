"""CUDA graphs: many small operations, recorded once and then started by one."""

from collections.abc import Callable

import torch
from torch import Tensor

EAGER = 3
"""Calls before recording: libraries set themselves up in the first ones."""


class Replayed:
    """A function of one tensor on a GPU, always of one shape, that reads and writes only tensors which stay where they are.

    Its first calls are ordinary ones; then it is recorded, and what it recorded is replayed.
    """

    def __init__(self, function: Callable[[Tensor], None]) -> None:
        self.function, self.calls = function, 0
        self.graph: torch.cuda.CUDAGraph | None = None

    def __call__(self, given: Tensor) -> None:
        self.calls += 1
        if self.graph is None and self.calls <= EAGER:
            self.function(given)
            return
        if self.graph is None:
            self.given = given.clone()
            torch.cuda.synchronize()
            graph = torch.cuda.CUDAGraph()
            with torch.cuda.graph(graph):  # which records, and runs nothing
                self.function(self.given)
            self.graph = graph
        self.given.copy_(given)
        self.graph.replay()
