"""SB3's DQN, exploring in each of its environments by itself."""

from typing import Any

import numpy as np
from gymnasium.spaces import Discrete
from stable_baselines3 import DQN


class VectorDQN(DQN):
    """DQN for many environments: each acts at random or greedily on its own; SB3's act all at random or all greedily."""

    def _setup_model(self) -> None:
        super()._setup_model()
        self.exploration_rng = np.random.default_rng(self.seed)

    def predict(
        self, observation: Any, state: Any = None, episode_start: Any = None, deterministic: bool = False
    ) -> tuple[np.ndarray, Any]:
        """Actions int64 (n,), a share `exploration_rate` of them random unless deterministic, and no state."""
        actions, state = self.policy.predict(observation, state, episode_start, deterministic=True)
        if not deterministic:
            explores = self.exploration_rng.random(len(actions)) < self.exploration_rate
            assert isinstance(self.action_space, Discrete)
            actions[explores] = self.exploration_rng.integers(0, self.action_space.n, explores.sum())
        return actions, state
