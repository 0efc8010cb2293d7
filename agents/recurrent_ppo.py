"""Proximal policy optimisation with a memory: an LSTM that is carried from step to step, on sb3-contrib.

After Hausknecht & Stone 2015 and Schulman et al. 2017. Actions are drawn from the policy, in training and afterwards; being
a function of all that was seen, it is evaluated by sampling.
"""

from pathlib import Path

from pydantic import Field

from mesabench.agents import ppo
from mesabench.agents.sb3.architecture import NetworkSettings, Width
from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.policy import Policy


class Settings(ppo.Settings):
    """Settings of PPO, and of its memory."""

    memory: Width = Field(64, description="units of the LSTM")
    # gradients flow back through this many steps at most: what is learned to be remembered lies within them
    n_steps: ppo.Count = Field(32, description="steps of each environment between updates")
    n_envs: ppo.Count = Field(128, description="environments side by side")


def train(task: Task, settings: Settings, seed: int, progress: Progress) -> Policy:
    from mesabench.agents.sb3.recurrent import (
        RecurrentPolicy,
    )  # first: its error names the extra that is missing

    # isort: split
    from mesabench.agents.sb3.annealed import AnnealedRecurrentPPO
    from mesabench.agents.sb3.training import train_model

    architecture = settings.architecture(task.distribution)
    own = settings.model_dump(exclude={*NetworkSettings.model_fields, "memory", "gamma"})
    model = train_model(
        AnnealedRecurrentPPO, task, architecture, seed, progress,
        policy="MlpLstmPolicy",
        policy_kwargs={"lstm_hidden_size": settings.memory},
        gamma=task.distribution.environment.discount if settings.gamma is None else settings.gamma,
        **own,
    )  # fmt: skip
    trained = model.policy
    return RecurrentPolicy(
        "recurrent_ppo", architecture, trained.features_extractor, trained.lstm_actor, trained.action_net
    )


def load(folder: Path) -> Policy:
    from mesabench.agents.sb3.recurrent import load_recurrent

    return load_recurrent(folder)


agent = Agent(
    settings=Settings, train=train, load=load, adapter="mesabench.agents.sb3.vecenv:GridVecEnv", pace=0.1
)
