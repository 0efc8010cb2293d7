"""On-policy learners of SB3 whose learning rate and entropy bonus fall while they learn: explore first, settle later."""

from typing import Any

from sb3_contrib import RecurrentPPO

from mesabench.agents.sb3.lean_ppo import LeanPPO


class _Annealed:
    """anneal: the share, from 0 to 1, of both that is gone when training ends; they fall linearly."""

    _current_progress_remaining: float
    ent_coef: float

    def __init__(
        self, *args: Any, learning_rate: float, ent_coef: float, anneal: float, **kwargs: Any
    ) -> None:
        self._left = lambda remaining: 1 - anneal * (1 - remaining)
        self._bonus = ent_coef
        super().__init__(
            *args,
            learning_rate=lambda remaining: learning_rate * self._left(remaining),
            ent_coef=ent_coef,
            **kwargs,
        )

    def train(self) -> None:
        self.ent_coef = self._bonus * self._left(self._current_progress_remaining)
        super().train()  # type: ignore[misc]  # of the learner that stands beside it in each class below


class AnnealedPPO(_Annealed, LeanPPO):
    """Stable-Baselines3's PPO, annealed."""


class AnnealedRecurrentPPO(_Annealed, RecurrentPPO):
    """sb3-contrib's PPO with a memory, annealed."""
