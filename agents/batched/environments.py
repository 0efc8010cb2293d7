"""The environments of several seeds, stepped in one compiled batch, on the processor or on an NVIDIA GPU."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from mesabench.agents.sb3.view import View
from mesabench.engine.batch import Batch
from mesabench.engine.kernels import RUNNING, TRUNCATED
from mesabench.policies.agent import Task
from mesabench.streams import stream_seed


class Ended(NamedTuple):
    """Episodes that have ended, k of them: the row of the seed, the return of the paid objective, whether the intended one was
    paid, the length in steps."""

    seeds: Tensor
    returns: Tensor
    successes: Tensor
    lengths: Tensor


class Moved(NamedTuple):
    """What a step brought. rewards: float32 (seeds, count), of one scale; ended: bool (seeds, count).

    cut: where episodes were cut off by the time limit, int64 (k,), numbered over all environments; final: what was seen there
    last, uint8 (k, size).
    """

    rewards: Tensor
    ended: Tensor
    cut: Tensor
    final: Tensor


class Environments:
    """`count` environments of each seed, as `ppo` has them: environment i of a seed has the same levels whoever stands beside it.

    Rewards are divided by the largest weight of the paid objective. inputs: uint8 (seeds, count, view.size), of what is seen now.
    """

    def __init__(self, task: Task, view: View, seeds: Sequence[int], count: int, device: str) -> None:
        levels, self.device = task.distribution, device
        n, environment = len(seeds) * count, levels.environment
        first = np.array([stream_seed(seed, "environments") for seed in seeds], np.int64)
        own = (first[:, None] + np.arange(count)).ravel()
        if device == "cpu":
            # each worker has a core to itself
            self.batch, self.view = Batch(levels, n, objective=task.paid, threads=1), _on_processor(view)
            for i, seed in enumerate(own.tolist()):
                self.batch.seed(i, seed)
        else:
            from mesabench.engine.cuda import CudaBatch

            self.batch, self.view = CudaBatch(levels, n, objective=task.paid), DeviceView(view, device)
            self.batch.seed_all(own)
        self.paid, self.intended = self.batch.paid, environment.column(environment.intended)
        self.scale = 1 / (environment.largest[self.paid] or 1)
        self.shape = len(seeds), count
        self.lengths = torch.zeros(n, dtype=torch.int64, device=device)
        self.finished: list[Ended] = []
        self.batch.reset()
        self._look()

    def step(self, actions: Tensor) -> Moved:
        """actions: int64 (seeds, count). Episodes that end are told in `finished`, and the next have begun."""
        batch, flat = self.batch, actions.flatten()
        batch.step(flat.numpy() if self.device == "cpu" else flat)
        status, none = self._here(batch.status), self.lengths[:0]
        rewards = self._here(batch.rewards).to(torch.float32) * self.scale
        ended, cut, final = status != RUNNING, none, self.inputs[0, :0]
        self.lengths += 1
        if ended.any():
            rows = ended.nonzero()[:, 0]
            returns, lengths = self._here(batch.returns)[rows], self.lengths[rows]
            successes = returns[:, self.intended] > 0
            self.finished.append(Ended(rows // self.shape[1], returns[:, self.paid], successes, lengths))
            cut = (status == TRUNCATED).nonzero()[:, 0]
            if len(cut):
                final = self.view(self._here(batch.observations)[cut])
            self.lengths[rows] = 0
            batch.reset(ended.cpu().numpy())
        self._look()
        return Moved(rewards.view(self.shape), ended.view(self.shape), cut, final)

    def _look(self) -> None:
        self.inputs = self.view(self._here(self.batch.observations)).unflatten(0, self.shape)

    def _here(self, array: Any) -> Tensor:
        """An array of the batch as a tensor, without a copy."""
        return torch.as_tensor(array, device=self.device)


def _on_processor(view: View) -> Any:
    return lambda observations: torch.from_numpy(view(observations.numpy()))


class DeviceView:
    """A `View` in PyTorch's own operations, for observations that lie on a device."""

    def __init__(self, view: View, device: str) -> None:
        self.kind, self.agent = view.kind, view.agent
        hidden = {*view.scalars, *(view.agent if view.kind == "centred" else ())}
        self.planes = torch.tensor([k for k in range(view.shape[0]) if k not in hidden], device=device)
        self.scalars = torch.tensor(view.scalars, dtype=torch.int64, device=device)
        _, self.height, self.width = view.shape
        self.tall, self.wide = view.grid_shape[1:]

    def __call__(self, observations: Tensor) -> Tensor:
        """observations: uint8 (n, planes, height, width) -> uint8 (n, size)."""
        grid = observations[:, self.planes]
        if self.kind == "centred":
            grid = self._centred(observations, grid)
        return torch.cat([grid.flatten(1), observations[:, self.scalars, 0, 0]], 1)

    def _centred(self, observations: Tensor, grid: Tensor) -> Tensor:
        within = observations[:, self.agent[0], 1:-1, 1:-1]
        cells = within.flatten(1) != 0
        # the last cell that shows it, the first of all if none does
        numbers = torch.arange(cells.shape[1], device=cells.device)
        at = (cells * numbers).amax(1)
        across = within.shape[2]
        rows = self._source(at // across + 1, self.height, self.tall)
        columns = self._source(at % across + 1, self.width, self.wide)
        padded = torch.nn.functional.pad(grid, (0, 1, 0, 1))  # outside is 0
        n = torch.arange(len(grid), device=grid.device)[:, None, None, None]
        planes = torch.arange(grid.shape[1], device=grid.device)[None, :, None, None]
        return padded[n, planes, rows[:, None, :, None], columns[:, None, None, :]]

    @staticmethod
    def _source(centre: Tensor, size: int, shown: int) -> Tensor:
        """For each row or column that is shown, the one of the grid, or that of the padding."""
        source = torch.arange(shown, device=centre.device) - (size - 2) + centre[:, None]
        return torch.where((source >= 0) & (source < size), source, size)
