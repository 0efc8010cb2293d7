"""PPO (Schulman et al. 2017) of many seeds at once, step by step what Stable-Baselines3's PPO does with each of them.

On the processor the seeds share the compiled step of their environments. Everything else is done for one seed after the other,
whose weights stay in the cache, by the same operations on arrays of the same shapes. So the result of a seed does not depend on
the others, bit for bit. On a GPU all seeds go through each operation together.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.optim.adam import adam

from mesabench.agents.batched.environments import Ended, Environments
from mesabench.agents.batched.inputs import DenseInputs, Inputs, inputs_for, rows_of
from mesabench.agents.batched.network import Networks, Pass
from mesabench.agents.batched.replay import Replayed
from mesabench.agents.ppo import Settings
from mesabench.agents.sb3.network import NetworkPolicy
from mesabench.policies.agent import ProgressOfSeed, Task
from mesabench.streams import stream_seed

POINTS = 50
"""Points of a learning curve, evenly over the steps of training, as for `ppo`."""
ADVANTAGE, RETURN, LOG_ODDS, ACTION = range(4)
"""What is known of each row of a rollout, beside its inputs."""


def train_networks(
    agent: str,
    task: Task,
    settings: Settings,
    seeds: Sequence[int],
    progress: ProgressOfSeed,
    device: str = "cpu",
) -> list[NetworkPolicy]:
    """One policy for each seed, all trained for the task's steps."""
    with _alone(), torch.no_grad():
        learner = Learner(task, settings, seeds, device)
        while learner.steps < task.steps:
            learner.roll_out(progress)
            learner.learn()
        learner.report(progress, last=True)
        return [learner.networks.policy(agent, k) for k in range(len(seeds))]


@contextmanager
def _alone() -> Iterator[None]:
    """On one thread, as other agents: trials run side by side. The global stream stays as it was: layers draw weights from it,
    all of which are written over."""
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(state)


class Learner:
    """Networks, environments and rollouts of several seeds. steps: how many each seed has done."""

    def __init__(self, task: Task, settings: Settings, seeds: Sequence[int], device: str = "cpu") -> None:
        self.task, self.settings, self.seeds, self.device = task, settings, tuple(seeds), device
        architecture = settings.architecture(task.distribution)
        view, discount = architecture.view, task.distribution.environment.discount
        self.gamma = discount if settings.gamma is None else settings.gamma
        self.environments = Environments(task, view, seeds, settings.n_envs, device)
        self.networks = Networks(architecture, len(task.distribution.environment.actions), seeds, device)
        self.scale = torch.from_numpy(view.scale).to(device)
        self.steps = self.reported = 0
        count = len(seeds)
        parts = [slice(k, k + 1) for k in range(count)] if device == "cpu" else [slice(0, count)]
        self.shape = count, settings.n_steps, settings.n_envs
        self.rows = torch.arange(settings.n_steps * settings.n_envs, device=device).view(self.shape[1:])
        self.values, self.rewards = (torch.zeros(self.shape, device=device) for _ in range(2))
        self.ended = torch.zeros(self.shape, dtype=torch.bool, device=device)
        self.facts = torch.zeros((*self.shape, 4), device=device)
        self.parts = [Part(self, part) for part in parts]
        self._streams = {
            name: [torch.Generator().manual_seed(stream_seed(seed, name)) for seed in seeds]
            for name in ("actions", "minibatches")
        }

    def drawn(self, stream: str, draw: Callable[[torch.Generator], Tensor]) -> Tensor:
        """What each seed draws from its own stream, on the device: the same on every device, and whoever stands beside it."""
        return torch.stack([draw(generator) for generator in self._streams[stream]]).to(self.device)

    def roll_out(self, progress: ProgressOfSeed) -> None:
        """Play `n_steps` with the networks as they are, and see what advantage each action had."""
        count, n_steps, n_envs = self.shape
        uniform = self.drawn("actions", lambda stream: torch.rand((n_steps, n_envs), generator=stream))
        cut: list[Tensor] = []
        final: list[Tensor] = []
        for t in range(n_steps):
            for part in self.parts:
                part.act(t, self.environments.inputs[part.of], uniform[part.of, t])
            moved = self.environments.step(self.facts[:, t, :, ACTION].to(torch.int64))
            self.rewards[:, t], self.ended[:, t] = moved.rewards, moved.ended
            if len(moved.cut):
                where = (moved.cut // n_envs * n_steps + t) * n_envs + moved.cut % n_envs
                cut.append(where)
                final.append(moved.final)
            self.steps += n_envs
            self.report(progress)
        after = self.environments.inputs.flatten(0, 1)
        owners = torch.arange(count, device=self.device).repeat_interleave(n_envs)
        where = torch.cat([*cut, owners[:0]])
        # how it would have gone on where time was up, as after the last step
        values = self._values(torch.cat([where // (n_steps * n_envs), owners]), torch.cat([*final, after]))
        self.rewards.view(-1)[where] += self.gamma * values[: len(where)]
        self._weigh(values[len(where) :].view(count, n_envs))

    def _values(self, owners: Tensor, inputs: Tensor) -> Tensor:
        """What the critics of the seeds that own them, int64 (k,), expect of inputs, uint8 (k, size): float32 (k,)."""
        values = torch.empty(len(owners), device=self.device)
        for part in self.parts:
            mine = ((owners >= part.of.start) & (owners < part.of.stop)).nonzero()[:, 0]
            mine = mine[torch.argsort(owners[mine], stable=True)]
            seeds = owners[mine] - part.of.start
            numbers = torch.bincount(seeds, minlength=part.count)
            places = torch.arange(len(mine), device=self.device) - (numbers.cumsum(0) - numbers)[seeds]
            padded = inputs.new_zeros((part.count, int(numbers.max()), inputs.shape[1]))
            padded[seeds, places] = inputs[mine]
            values[mine] = part.values(padded)[seeds, places]
        return values

    def _weigh(self, after: Tensor) -> None:
        """Generalised advantage estimation (Schulman et al. 2016). after: float32 (seeds, n_envs), values after the last step."""
        advantage = torch.zeros_like(after)
        running = (~self.ended).float()
        for t in reversed(range(self.shape[1])):
            wanted = self.rewards[:, t] + self.gamma * after * running[:, t] - self.values[:, t]
            advantage = wanted + self.gamma * self.settings.gae_lambda * running[:, t] * advantage
            self.facts[:, t, :, ADVANTAGE] = advantage
            after = self.values[:, t]
        self.facts[..., RETURN] = self.facts[..., ADVANTAGE] + self.values

    def learn(self) -> None:
        """Several passes over the rollout, in minibatches, each seed's in its own order."""
        settings = self.settings
        left = max(0.0, 1 - settings.anneal * self.steps / self.task.steps)
        orders = [
            self.drawn("minibatches", lambda stream: torch.randperm(self.rows.numel(), generator=stream))
            for _ in range(settings.n_epochs)
        ]
        for part in self.parts:
            part.anneal(left)
            for order in orders:
                for rows in order[part.of].split(settings.batch_size, 1):
                    part.learn(rows.contiguous())

    def report(self, progress: ProgressOfSeed, last: bool = False) -> None:
        """Tell of the episodes that have ended, each time another `POINTS`-th of the steps is done, and at the end."""
        due = self.steps * POINTS // self.task.steps > self.reported * POINTS // self.task.steps
        if not due and not (last and self.reported < self.steps):
            return
        none = self.environments.lengths[:0]
        ended = [
            torch.cat(one).cpu().numpy()
            for one in zip(*self.environments.finished, Ended(*[none] * 4), strict=True)
        ]
        for k, seed in enumerate(self.seeds):
            mine = np.stack(ended[1:], 1)[ended[0] == k]
            means = mine.mean(0).tolist() if len(mine) else [float("nan")] * 3
            columns = dict(zip(("return_mean", "success", "length_mean"), means, strict=True))
            progress(seed, self.steps, {**columns, "episodes": float(len(mine))})
        self.environments.finished.clear()
        self.reported = self.steps


class Part:
    """The seeds that go through each operation together. of: their rows; count: how many they are."""

    inputs: Inputs

    def __init__(self, learner: Learner, of: slice) -> None:
        self.of, self.count = of, of.stop - of.start
        self.settings, self.scale, self.rows = learner.settings, learner.scale, learner.rows
        self.networks = learner.networks
        self.passing = Pass(learner.networks, of)
        # with memory of its own: a recorded graph must find that of the other where it was
        self.judging = Pass(learner.networks, of)
        self.facts, self.log_odds = learner.facts[of], learner.facts[of][..., LOG_ODDS]
        self.actions, self.values_seen = learner.facts[of][..., ACTION], learner.values[of]
        self.inputs = self._room(learner.environments.inputs[of], self.rows.numel())
        on_gpu = learner.device != "cpu"
        weights = self.passing.weights
        self.moments = torch.zeros_like(weights), torch.zeros_like(weights)
        self.updates = torch.zeros((), device=learner.device)
        # numbers that change between updates: a graph on the GPU reads them where they are
        self.step_size = torch.tensor(self.settings.learning_rate, device=learner.device)
        self.bonus = torch.tensor(self.settings.ent_coef, device=learner.device)
        self.learn = Replayed(self._learn) if on_gpu else self._learn

    def _room(self, first: Tensor, rows: int) -> Inputs:
        if self.settings.network == "cnn":
            return DenseInputs(len(first), rows, self.scale)
        return inputs_for(first, rows, self.scale)

    def act(self, t: int, inputs: Tensor, uniform: Tensor) -> None:
        """Draw actions for what is seen before step t, uint8 (g, n_envs, size), by numbers in [0, 1), (g, n_envs)."""
        self.inputs.write(int(t * self.rows.shape[1]), inputs)
        found = self.passing.forward(self.inputs, self.rows[t].expand(self.count, -1))
        found = found.transpose(1, 2).contiguous()
        log_odds = found[:, :-1].log_softmax(1)
        # what rounding leaves of 1 is the last action's, as in `mesabench.streams.drawn`
        actions = (log_odds.exp().cumsum(1)[:, :-1] <= uniform[:, None]).sum(1)
        self.values_seen[:, t] = found[:, -1]
        self.actions[:, t] = actions
        self.log_odds[:, t] = log_odds.gather(1, actions[:, None])[:, 0]

    def values(self, inputs: Tensor) -> Tensor:
        """What the critics expect of inputs, uint8 (g, n, size): float32 (g, n)."""
        room = self._room(inputs, inputs.shape[1])
        room.write(0, inputs)
        rows = torch.arange(inputs.shape[1], device=inputs.device).expand(self.count, -1)
        return self.judging.forward(room, rows)[..., -1]

    def anneal(self, left: float) -> None:
        """Of learning rate and entropy bonus, this share."""
        self.step_size.fill_(self.settings.learning_rate * left)
        self.bonus.fill_(self.settings.ent_coef * left)

    def _learn(self, rows: Tensor) -> None:
        """One step down the gradient of the loss over a minibatch, rows int64 (g, n)."""
        settings = self.settings
        facts = rows_of(self.facts.flatten(1, 2), rows)
        outputs = self.passing.forward(self.inputs, rows)
        self.passing.back(gradient_of_loss(outputs, facts, self.bonus, settings))
        norm = torch.linalg.vector_norm(self.passing.gradients, dim=1, keepdim=True)
        self.passing.gradients.mul_((settings.max_grad_norm / (norm + 1e-6)).clamp_max_(1))
        adam(
            [self.passing.weights], [self.passing.gradients], [self.moments[0]], [self.moments[1]], [], [self.updates],
            lr=self.step_size, beta1=0.9, beta2=0.999, eps=1e-5, weight_decay=0.0, amsgrad=False, maximize=False,
            fused=True, capturable=self.passing.weights.is_cuda,
        )  # fmt: skip


def gradient_of_loss(outputs: Tensor, facts: Tensor, bonus: Any, settings: Settings) -> Tensor:
    """The gradient of PPO's loss by the networks' outputs, float32 (g, n, actions + 1).

    facts: float32 (g, n, 4). The loss is the mean over n of
    -min(ratio A, clip(ratio) A) - bonus entropy + vf_coef (V - return)^2, advantages A normalised over the minibatch; `vf_coef`
    has no half beside it, as in Stable-Baselines3.
    """
    n, clip = outputs.shape[1], settings.clip_range
    advantage, wanted, before, action = facts.transpose(1, 2).contiguous().unbind(1)
    if n > 1:
        deviation, mean = torch.std_mean(advantage, dim=1, keepdim=True)
        advantage = (advantage - mean) / (deviation + 1e-8)
    # actions before rows: few numbers side by side would be slow
    gradient = outputs.transpose(1, 2).contiguous()
    values = gradient[:, -1]
    log_odds = gradient[:, :-1].log_softmax(1)
    odds = log_odds.exp()
    taken = (action[:, None] == torch.arange(log_odds.shape[1], device=outputs.device)[:, None]).float()
    ratio = ((log_odds * taken).sum(1) - before).exp()
    # beyond the clip nothing is to be gained
    free = torch.where(advantage >= 0, ratio <= 1 + clip, ratio >= 1 - clip)
    of_actor = (taken - odds) * (advantage * ratio * free / -n)[:, None]
    if settings.ent_coef:
        entropy = -(odds * log_odds).sum(1, keepdim=True)
        of_actor += odds * (log_odds + entropy) * (bonus / n)
    gradient[:, :-1] = of_actor
    torch.mul(values - wanted, 2 * settings.vf_coef / n, out=values)
    return gradient.transpose(1, 2)
