"""Deep Q-learning (Mnih et al. 2015) on Stable-Baselines3, with a small network for small grids.

It explores by acting at random now and then; what is left after training always takes the action it thinks best.
"""

from pathlib import Path
from typing import Annotated

from pydantic import Field

from mesabench.agents.sb3.architecture import NetworkSettings
from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.policy import Policy

Count = Annotated[int, Field(ge=1, le=10_000_000)]
Share = Annotated[float, Field(ge=0, le=1)]


class Settings(NetworkSettings):
    """Settings of DQN, tried on cheese_corner (size 9, alpha 0 and 1); what is not said is SB3's own default."""

    # many environments, so that the network is called rarely; SB3 expects one
    n_envs: Count = Field(64, description="environments side by side")
    # SB3's million of steps needs gigabytes, and episodes here are short
    buffer_size: Count = Field(100_000, description="steps remembered")
    # SB3's 100, for 64 environments and an empty buffer
    learning_starts: Count = Field(10_000, description="steps of random play before learning")
    # four remembered steps for each new one; with 2 gradient steps, eight, it takes fewer steps and more time for each
    batch_size: Count = Field(256, description="remembered steps per gradient step")
    gradient_steps: Count = Field(
        1, description="gradient steps each time all environments have made one step"
    )
    # SB3's 10,000 is a tenth of what is enough to learn here; 5,000 is slower
    target_update_interval: Count = Field(2_000, description="steps between updates of the target network")
    # SB3's 1e-4 is meant for Atari
    learning_rate: float = Field(5e-4, gt=0, le=1, description="Adam's step size")
    # what scores are discounted with, so that training and evaluation want the same
    gamma: Share | None = Field(None, description="discount per step; by default the environment's")
    exploration_fraction: Share = Field(0.2, description="share of training in which random actions decline")
    exploration_final_eps: Share = Field(0.05, description="share of random actions after that")
    max_grad_norm: float = Field(10.0, gt=0, le=1000, description="gradients are clipped to this norm")


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> Policy:
    from mesabench.agents.sb3.network import NetworkPolicy  # first: its error names the extra that is missing
    from mesabench.agents.sb3.training import train_model
    from mesabench.agents.sb3.vector_dqn import VectorDQN

    architecture = settings.architecture(task.distribution)
    model = train_model(
        VectorDQN, task, architecture, seed, progress,
        n_envs=settings.n_envs,
        buffer_size=settings.buffer_size,
        learning_starts=settings.learning_starts,
        batch_size=settings.batch_size,
        train_freq=1,
        gradient_steps=settings.gradient_steps,
        target_update_interval=settings.target_update_interval,
        learning_rate=settings.learning_rate,
        gamma=task.distribution.environment.discount if settings.gamma is None else settings.gamma,
        exploration_fraction=settings.exploration_fraction,
        exploration_final_eps=settings.exploration_final_eps,
        max_grad_norm=settings.max_grad_norm,
    )  # fmt: skip
    (last,) = model.q_net.q_net
    return NetworkPolicy("dqn", architecture, "greedy", model.q_net.features_extractor, last)


def load(folder: Path) -> Policy:
    from mesabench.agents.sb3.network import load_network

    return load_network(folder)


agent = Agent(settings=Settings, train=train, load=load, adapter="mesabench.agents.sb3.vecenv:GridVecEnv")
