"""Proximal policy optimisation (Schulman et al. 2017) on Stable-Baselines3, with a small network for small grids.

Actions are drawn from the policy, in training and afterwards.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

from pydantic import Field, model_validator

from mesabench.agents.sb3.architecture import NetworkSettings
from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.policy import Policy

Count = Annotated[int, Field(ge=1, le=1_000_000)]
Share = Annotated[float, Field(ge=0, le=1)]


class Settings(NetworkSettings):
    """Settings of PPO.

    Tuned on cheese_corner (sizes 7 and 9, alpha 0 and 1), for steps and seconds until training succeeds. The others are
    SB3's own defaults: nothing tried in their place (gae_lambda .9, clip_range .3, ent_coef .01, vf_coef 1,
    max_grad_norm 5) learned faster, nor did a falling learning rate.
    """

    # tuned: learns as 128 x 32 does, with half the calls; 128 x 128 takes twice the steps
    n_envs: Count = Field(256, description="environments side by side")
    n_steps: Count = Field(16, description="steps of each environment between updates")
    # tuned: 2048 takes more steps, 512 more time
    batch_size: int = Field(1024, ge=2, description="steps per minibatch; divides n_envs x n_steps")
    # tuned: 2 take more steps for the same time
    n_epochs: Count = Field(4, description="passes over the steps of one update")
    # tuned: SB3's 3e-4 is slower, 2e-3 no faster
    learning_rate: float = Field(1e-3, gt=0, le=1, description="Adam's step size")
    # what scores are discounted with, so that training and evaluation want the same
    gamma: Share | None = Field(None, description="discount per step; by default the environment's")
    gae_lambda: Share = Field(0.95, description="bias against variance of the advantages")
    clip_range: Share = Field(0.2, description="how far one update may move the probabilities")
    ent_coef: float = Field(0.0, ge=0, le=10, description="weight of the entropy bonus")
    anneal: Share = Field(
        0.0,
        description="share of learning rate and entropy bonus that is gone at the end; they fall linearly",
    )
    vf_coef: float = Field(0.5, ge=0, le=10, description="weight of the critic's loss")
    max_grad_norm: float = Field(0.5, gt=0, le=1000, description="gradients are clipped to this norm")

    @model_validator(mode="after")
    def _minibatches_are_whole(self) -> "Settings":
        if self.n_envs * self.n_steps % self.batch_size:
            raise ValueError(
                f"batch_size={self.batch_size} must divide n_envs x n_steps = {self.n_envs * self.n_steps}"
            )
        return self


def train(
    task: Task, settings: Settings, seed: int, progress: Progress, before: Sequence[Task] = ()
) -> Policy:
    """before: tasks that it is trained on first, one after another."""
    from mesabench.agents.sb3.network import NetworkPolicy  # first: its error names the extra that is missing

    # isort: split
    from mesabench.agents.sb3.annealed import AnnealedPPO
    from mesabench.agents.sb3.lean_ppo import ADAM
    from mesabench.agents.sb3.training import train_model

    architecture = settings.architecture(task.distribution)
    model = train_model(
        AnnealedPPO, task, architecture, seed, progress, before=before,
        n_envs=settings.n_envs,
        n_steps=settings.n_steps,
        batch_size=settings.batch_size,
        n_epochs=settings.n_epochs,
        learning_rate=settings.learning_rate,
        gamma=task.distribution.environment.discount if settings.gamma is None else settings.gamma,
        gae_lambda=settings.gae_lambda,
        clip_range=settings.clip_range,
        ent_coef=settings.ent_coef,
        anneal=settings.anneal,
        vf_coef=settings.vf_coef,
        max_grad_norm=settings.max_grad_norm,
        policy_kwargs={"optimizer_kwargs": ADAM},
    )  # fmt: skip
    trained = model.policy
    return NetworkPolicy(
        "ppo", architecture, "softmax", trained.features_extractor, trained.action_net, trained.value_net
    )


def load(folder: Path) -> Policy:
    from mesabench.agents.sb3.network import load_network

    return load_network(folder)


agent = Agent(settings=Settings, train=train, load=load, adapter="mesabench.agents.sb3.vecenv:GridVecEnv")
