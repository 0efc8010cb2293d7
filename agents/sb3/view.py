"""What a network sees of an observation: the whole grid, or the same grid moved so that the agent is in its middle.

Centred, "a wall on the left" is the same input wherever the agent stands, so one unit learns it once; in the fixed grid it
is another input in every cell. Both show everything: nothing is cut off, and the closed border tells where the agent is.
"""

from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from mesabench.engine.distribution import Distribution
from mesabench.engine.kernel_cache import kernel

Kind = Literal["centred", "grid"]
Size = Annotated[int, Field(ge=1, le=4096)]
Plane = Annotated[int, Field(ge=0)]


class View(BaseModel):
    """Turns observations, uint8 (n, planes, height, width), into a network's inputs, uint8 (n, size).

    The inputs are the planes of the grid (those of `grid_shape`), then one number for each plane that has the same value
    everywhere. Centred, the agent's own plane would always be the same, and is left out.

    shape: that of one observation. highs: the largest value in each plane. scalars: the planes with one value
    everywhere. agent: the planes that show the agent alone. cell: how many inputs a cell is wide and high, 1 but of pixels.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: Kind
    shape: tuple[Size, Size, Size]
    highs: tuple[Annotated[int, Field(ge=1, le=255)], ...]
    scalars: tuple[Plane, ...]
    agent: tuple[Plane, ...]
    cell: Size = 1

    @model_validator(mode="after")
    def _fits(self) -> "View":
        planes = self.shape[0]
        if len(self.highs) != planes or any(k >= planes for k in (*self.scalars, *self.agent)):
            raise ValueError(f"highs, scalars and agent must fit {planes} planes")
        if self.kind == "centred" and not self.agent:
            raise ValueError(
                'the agent is in no plane of the observation, so nothing can be centred; use view = "grid"'
            )
        return self

    @classmethod
    def of(cls, distribution: Distribution, kind: Kind) -> "View":
        """The view of a distribution's observations. Raises ValueError where the agent cannot be seen.

        What is centred already, and pixels, are left as they are: the view is then the grid.
        """
        seen = distribution.engine.observation
        return cls(
            kind="grid" if seen.sight.follows or seen.sight.pixels else kind,
            shape=seen.shape,
            highs=tuple(seen.highs.tolist()),
            scalars=seen.scalars,
            agent=seen.agent,
            cell=seen.sight.pixels or 1,
        )

    @cached_property
    def _planes(self) -> tuple[int, ...]:
        hidden = {*self.scalars, *(self.agent if self.kind == "centred" else ())}
        return tuple(k for k in range(self.shape[0]) if k not in hidden)

    @cached_property
    def grid_shape(self) -> tuple[int, int, int]:
        """(planes, height, width) of the first inputs: centred, twice the grid less its border on either side."""
        _, height, width = self.shape
        if self.kind == "grid":
            return len(self._planes), height, width
        return len(self._planes), 2 * height - 3, 2 * width - 3

    @cached_property
    def size(self) -> int:
        """The number of inputs."""
        return int(np.prod(self.grid_shape)) + len(self.scalars)

    @cached_property
    def scale(self) -> np.ndarray:
        """float32 (size,): what to multiply the inputs with so that they lie in [0, 1]."""
        highs = np.array(self.highs, np.float32)
        cells = np.prod(self.grid_shape[1:], dtype=int)
        return np.concatenate(
            [np.repeat(1 / highs[list(self._planes)], cells), 1 / highs[list(self.scalars)]]
        )

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        """observations: uint8 (n, planes, height, width) -> uint8 (n, size)."""
        n = len(observations)
        cells = int(np.prod(self.grid_shape))
        inputs = np.zeros((n, self.size), np.uint8)
        inputs[:, cells:] = observations[:, list(self.scalars), 0, 0]
        grid = inputs[:, :cells]
        if self.kind == "grid":
            grid[:] = observations[:, list(self._planes)].reshape(n, -1)
        else:
            _centre(observations, self.agent[0], np.array(self._planes), inputs)
        return inputs


@kernel()
def _centre(observations, agent, planes, inputs):  # type: ignore[no-untyped-def]  # numba infers them
    """Write the planes of observations, uint8 (n, all planes, height, width), into inputs, uint8 (n, size), moved."""
    n, _, height, width = observations.shape
    tall, wide = 2 * height - 3, 2 * width - 3
    for i in range(n):
        y = x = 1
        # within the border, where the agent is in every level: whatever else an observation says must not move writes elsewhere
        for j in range(1, height - 1):
            for k in range(1, width - 1):
                if observations[i, agent, j, k]:
                    y, x = j, k
        for p in range(len(planes)):
            start = (p * tall + height - 2 - y) * wide + width - 2 - x
            for j in range(height):
                # unsigned, an index needs no look whether it is negative, and rows are copied as a whole
                at = np.uint64(start + j * wide)
                for k in range(width):
                    inputs[i, at + np.uint64(k)] = observations[i, planes[p], j, k]
