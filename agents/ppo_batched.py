"""PPO of many seeds at once, on PyTorch alone: the algorithm of `ppo` in less time.

Settings, network and stored policy are those of `ppo`. The seeds of a population are trained together, on the processor or on an
NVIDIA GPU, each with streams of its own; on the processor a seed's policy is the same, bit for bit, whichever seeds are trained
beside it.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import Field

from mesabench.agents import ppo
from mesabench.policies.agent import Agent, Progress, ProgressOfSeed, Task
from mesabench.policies.policy import Policy


class Settings(ppo.Settings):
    """Settings of PPO, and where it runs."""

    device: Literal["cpu", "cuda"] = Field(
        "cpu", description="`cuda` trains on an NVIDIA GPU, environments included"
    )


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> Policy:
    (policy,) = train_many(task, settings, (seed,), lambda seed, step, columns: progress(step, columns))
    return policy


def train_many(
    task: Task, settings: Settings, seeds: Sequence[int], progress: ProgressOfSeed
) -> Sequence[Policy]:
    from mesabench.agents.sb3.network import NetworkPolicy  # first: its error names the extra that is missing

    # isort: split
    from mesabench.agents.batched.learner import train_networks

    if settings.device == "cuda":
        _refuse_without_device()
    policies: list[NetworkPolicy] = train_networks(
        "ppo_batched", task, settings, seeds, progress, settings.device
    )
    return policies


def _refuse_without_device() -> None:
    import torch

    if not torch.cuda.is_available():
        raise ValueError(
            f"device='cuda' needs an NVIDIA GPU, and PyTorch {torch.__version__} finds none. Try device='cpu', or a PyTorch that "
            "is built for CUDA on a machine with a GPU, and pip install 'mesabench[cuda]'"
        )


def load(folder: Path) -> Policy:
    from mesabench.agents.sb3.network import load_network

    return load_network(folder)


agent = Agent(settings=Settings, train=train, train_many=train_many, load=load, pace=2)
