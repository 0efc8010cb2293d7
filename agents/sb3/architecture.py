"""The network of an agent as data: what a user sets, and what is stored beside the weights. Imports no PyTorch."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from mesabench.agents.sb3.view import Kind, View
from mesabench.engine.distribution import Distribution

Width = Annotated[int, Field(ge=1, le=65_536)]


class Architecture(BaseModel):
    """A network but for its weights; the fields are those of `NetworkSettings`, the view made for one environment."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    view: View
    network: Literal["mlp", "cnn"]
    hidden: tuple[Width, ...]
    filters: tuple[Width, ...]


class NetworkSettings(BaseModel):
    """The settings of a network for small grids."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    view: Kind = Field(
        "centred", description="the grid moved so that the agent is in its middle, or as it is"
    )
    network: Literal["mlp", "cnn"] = Field(
        "mlp",
        description="dense layers alone, or convolutions before them: of 3 x 3 cells, of pixels first of one cell",
    )
    hidden: tuple[Width, ...] = Field((128, 128), description="sizes of the dense layers")
    filters: tuple[Width, ...] = Field((16, 16), description="filters of each convolution of a cnn")

    def architecture(self, distribution: Distribution) -> Architecture:
        """The network for a distribution's observations. Raises ValueError where they cannot be centred."""
        view = View.of(distribution, self.view)
        return Architecture(view=view, network=self.network, hidden=self.hidden, filters=self.filters)
