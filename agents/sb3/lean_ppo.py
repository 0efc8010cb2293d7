"""Stable-Baselines3's PPO, the same draws and the same arithmetic, without what costs time and is not used here.

Left out are distribution objects and their checks, statistics for a log that nobody keeps, and copies between NumPy and
PyTorch; inputs are gathered and scaled in one pass, and a step of Adam is one call. An update is that of SB3, up to rounding.
"""

from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.vec_env import VecEnv
from torch.nn import functional

from mesabench.agents.sb3.network import Body
from mesabench.engine.kernel_cache import kernel

ADAM = {"eps": 1e-5, "fused": True}
"""SB3's own epsilon for PPO."""


class LeanPPO(PPO):
    """Discrete actions, inputs uint8 (n, size), one `Body` below actor and critic.

    Neither clips the critic nor stops early, and writes no log: all of them settings of SB3 that are not asked for here.
    """

    def collect_rollouts(
        self, env: VecEnv, callback: BaseCallback, rollout_buffer: RolloutBuffer, n_rollout_steps: int
    ) -> bool:
        """Fill the buffer with the steps of all environments. False: the callback ended training."""
        policy, buffer = self.policy, rollout_buffer
        policy.set_training_mode(False)
        buffer.reset()
        callback.on_rollout_start()
        seen: Any = self._last_obs
        for step in range(n_rollout_steps):
            with torch.inference_mode():
                features = self._body(torch.from_numpy(seen))
                logits = functional.log_softmax(policy.action_net(features), 1)
                drawn = torch.multinomial(logits.exp(), 1, replacement=True)
                buffer.log_probs[step] = logits.gather(1, drawn).numpy()[:, 0]
                buffer.values[step] = policy.value_net(features).numpy()[:, 0]
            buffer.observations[step] = seen
            buffer.actions[step] = actions = drawn.numpy()
            buffer.episode_starts[step] = self._last_episode_starts
            seen, rewards, dones, infos = env.step(actions[:, 0])
            self.num_timesteps += env.num_envs
            callback.update_locals({"dones": dones, "infos": infos})
            if not callback.on_step():
                return False
            # an episode that was cut short would have gone on: what the critic expects of that counts
            cut = [i for i in np.flatnonzero(dones).tolist() if infos[i]["TimeLimit.truncated"]]
            if cut:
                last = np.stack([infos[i]["terminal_observation"] for i in cut])
                rewards[cut] += self.gamma * self._expected(last)
            buffer.rewards[step] = rewards
            self._last_obs, self._last_episode_starts = seen, dones
        buffer.pos, buffer.full = n_rollout_steps, True
        buffer.compute_returns_and_advantage(torch.from_numpy(self._expected(seen)), dones)
        callback.on_rollout_end()
        return True

    def train(self) -> None:
        """Some passes over the buffer in minibatches, each a step of Adam."""
        policy, buffer = self.policy, self.rollout_buffer
        policy.set_training_mode(True)
        self._update_learning_rate(policy.optimizer)
        clip = self.clip_range(self._current_progress_remaining)  # type: ignore[operator]  # a schedule by now
        n = buffer.buffer_size * buffer.n_envs
        observations, actions, log_probs, advantages, returns = (
            torch.from_numpy(buffer.swap_and_flatten(array))
            for array in (
                buffer.observations,
                buffer.actions,
                buffer.log_probs,
                buffer.advantages,
                buffer.returns,
            )
        )
        parameters = list(policy.parameters())
        for _ in range(self.n_epochs):
            # the stream that SB3 draws from, so that minibatches are the same (hence `noqa`)
            order = torch.from_numpy(np.random.permutation(n))  # noqa: NPY002
            for chosen in order.split(self.batch_size):
                features = self._body.of_scaled(self._gathered(observations, chosen))
                logits = functional.log_softmax(policy.action_net(features), 1)
                values = policy.value_net(features)
                gains = advantages[chosen]
                gains = (gains - gains.mean()) / (gains.std() + 1e-8)
                ratio = torch.exp(logits.gather(1, actions[chosen]) - log_probs[chosen])
                gained = torch.min(gains * ratio, gains * ratio.clamp(1 - clip, 1 + clip)).mean()
                loss = self.vf_coef * functional.mse_loss(values, returns[chosen]) - gained
                if self.ent_coef:
                    loss = loss + self.ent_coef * (logits.exp() * logits).sum(1).mean()
                policy.optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(parameters, self.max_grad_norm)
                policy.optimizer.step()
            self._n_updates += 1

    @property
    def _body(self) -> Body:
        return self.policy.features_extractor  # type: ignore[return-value]  # `train_model` asks for no other

    def _expected(self, observations: np.ndarray) -> np.ndarray:
        """The critic's values: uint8 (n, size) -> float32 (n,)."""
        with torch.inference_mode():
            return self.policy.value_net(self._body(torch.from_numpy(observations))).numpy()[:, 0]

    def _gathered(self, observations: torch.Tensor, chosen: torch.Tensor) -> torch.Tensor:
        """Rows of uint8 (n, size), scaled: float32 (rows, size)."""
        inputs = torch.empty(len(chosen), observations.shape[1])
        _gather(observations.numpy(), chosen.numpy(), self._body.scale.numpy(), inputs.numpy())
        return inputs


@kernel()
def _gather(observations, chosen, scale, inputs):  # type: ignore[no-untyped-def]  # numba infers them
    for k in range(len(chosen)):
        row = observations[chosen[k]]
        for j in range(len(scale)):
            inputs[k, j] = row[j] * scale[j]
