"""Evolution of networks: random variation and selection in place of gradients, on the same task as `ppo`.

A generation is a population of animals; each lives on the same few training levels, acts by the network that developed from its
genome, and counts by the return that it collects. What is left after training is the network of the middle genome, an ordinary
one. By default few genes develop into many weights, as sharp near the agent as they are coarse far from it (`fovea`), and the
search is a separable CMA-ES (Ros & Hansen 2008, by the library `cma`); Salimans et al. 2017 (`openai`) is there to compare.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, model_validator

from mesabench.agents.sb3.architecture import Architecture
from mesabench.agents.sb3.view import Kind, View
from mesabench.evolution.lineage import evolve
from mesabench.evolution.search import Code, Lives, OpenAIES, Search
from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.policy import Policy
from mesabench.streams import stream_seed

if TYPE_CHECKING:
    from mesabench.agents.sb3.network import NetworkPolicy

Count = Annotated[int, Field(ge=1, le=100_000)]


class Settings(BaseModel):
    """Settings of evolution, tried on cheese_corner (size 7, alpha 0 and 1)."""

    model_config = ConfigDict(extra="forbid", frozen=True)
    algorithm: Literal["cma", "openai"] = Field(
        "cma", description="the search: separable CMA-ES, or OpenAI's evolution strategies"
    )
    code: Literal["fovea", "direct"] = Field(
        "fovea", description="few genes that develop into all weights, or a gene for every weight"
    )
    hidden: int = Field(0, ge=0, le=4096, description="units of the hidden layer; 0 for a linear network")
    view: Kind = Field(
        "centred", description="the grid moved so that the agent is in its middle, or as it is"
    )
    population: int = Field(64, ge=4, le=100_000, description="animals in a generation")
    # more levels make fitness surer and generations fewer: 64 learn less in the same steps
    levels_per_generation: Count = Field(16, description="training levels on which every animal lives")
    sigma: float = Field(0.1, gt=0, le=100, description="how widely genes vary at first")
    learning_rate: float = Field(0.05, gt=0, le=10, description="Adam's step size; of openai alone")

    @model_validator(mode="after")
    def _fits(self) -> "Settings":
        if self.algorithm == "openai" and self.population % 2:
            raise ValueError(f"population={self.population} must be even, as animals of openai come in pairs")
        if self.code == "fovea" and self.view != "centred":
            raise ValueError('code = "fovea" needs view = "centred"; with view = "grid" use code = "direct"')
        return self


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> Policy:
    from mesabench.agents.sb3.network import NetworkPolicy  # first: its error names the extra that is missing

    distribution = task.distribution
    architecture = architecture_of(distribution, settings)
    code = code_of(architecture.view, len(distribution.actions), settings)
    lives = Lives(
        distribution, task.paid, code, architecture.view, architecture.view.scale,
        population=settings.population,
        levels=settings.levels_per_generation,
        seed=stream_seed(seed, "environments"),
    )  # fmt: skip
    # with hidden units nothing varies around zero: what one layer changes, the other hides
    start = np.random.default_rng(stream_seed(seed, "weights")).normal(0.0, settings.sigma, code.genes)
    search: Search
    if settings.algorithm == "cma":
        search = SeparableCMA(start, settings.sigma, settings.population, stream_seed(seed, "algorithm"))
    else:
        search = OpenAIES(
            start, settings.sigma, settings.population, settings.learning_rate, stream_seed(seed, "algorithm")
        )
    return grown(evolve(search, lives, task.steps, progress, task.kept), code, architecture, NetworkPolicy)


def architecture_of(distribution: Any, settings: Settings) -> Architecture:
    """The network that develops from genomes. Raises ValueError where observations cannot be centred."""
    hidden = (settings.hidden,) if settings.hidden else ()
    return Architecture(view=View.of(distribution, settings.view), network="mlp", hidden=hidden, filters=())


def code_of(view: View, actions: int, settings: Settings) -> Code:
    if settings.code == "direct":
        return Code.direct(view.size, actions, settings.hidden)
    return Code.fovea(view.grid_shape, len(view.scalars), actions, settings.hidden)


def grown(
    genome: np.ndarray, code: Code, architecture: Architecture, policy: "type[NetworkPolicy]"
) -> Policy:
    """The policy that develops from a genome, float (genes,)."""
    import torch

    from mesabench.agents.sb3.network import Body

    network = code.develop(genome[None])
    with torch.random.fork_rng(devices=[]):
        body = Body(None, architecture)
        actor = torch.nn.Linear(body.features_dim, code.actions)
    layers = [body.dense[0], actor] if code.hidden else [actor]
    for layer, weights, bias in zip(layers, network[::2], network[1::2], strict=False):
        layer.load_state_dict({"weight": torch.from_numpy(weights[0].T), "bias": torch.from_numpy(bias[0])})
    return policy("evolution", architecture, "softmax", body, actor)


class SeparableCMA:
    """CMA-ES with a diagonal covariance matrix (Ros & Hansen 2008), by the library `cma`, on a random stream of its own."""

    def __init__(self, mean: np.ndarray, sigma: float, population: int, seed: int) -> None:
        try:
            import cma
        except ImportError as error:
            raise ImportError(
                f"{error}; this agent needs an extra: pip install 'mesabench[agents]'"
            ) from error
        rng = np.random.default_rng(seed)
        self._strategy = cma.CMAEvolutionStrategy(
            mean,
            sigma,
            {
                "CMA_diagonal": True,
                "popsize": population,
                "seed": float("nan"),  # NumPy's global stream is left alone
                "randn": lambda *shape: rng.standard_normal(shape),
                "verbose": -9,
            },
        )

    @property
    def mean(self) -> np.ndarray:
        return np.array(self._strategy.mean)

    def ask(self) -> np.ndarray:
        return np.array(self._strategy.ask())

    def tell(self, genomes: np.ndarray, fitness: np.ndarray) -> None:
        self._strategy.tell(list(genomes), (-fitness).tolist())


def load(folder: Path) -> Policy:
    from mesabench.agents.sb3.network import load_network

    return load_network(folder)


agent = Agent(settings=Settings, train=train, load=load)
