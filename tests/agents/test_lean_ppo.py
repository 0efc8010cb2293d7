"""PPO without what Stable-Baselines3 does beside it is still Stable-Baselines3's PPO."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from training_pace import by_the_book  # noqa: E402

from mesabench.agents.sb3 import lean_ppo  # noqa: E402
from mesabench.policies.training import train  # noqa: E402

SETTINGS: dict[str, Any] = {"n_envs": 32, "n_steps": 40, "batch_size": 256, "n_epochs": 2, "hidden": (16,)}
"""Longer than an episode may be (`SHORT`), so that some are cut off."""
SHORT = {"max_steps": 20}


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"ent_coef": 0.1, "anneal": 0.9, "vf_coef": 1.0, "max_grad_norm": 0.1},
        {"network": "cnn", "filters": (4,), "gae_lambda": 0.8, "clip_range": 0.05},
        {"view": "grid", "gamma": 0.9},
    ],
)
def test_two_updates_are_those_of_stable_baselines(more: dict[str, Any]) -> None:
    """Two rollouts and two updates: the second rollout acts by the weights of the first."""

    def weights() -> list[Any]:
        policy = train("ppo", "cheese_corner", steps=2 * 32 * 40, options=SHORT, **SETTINGS, **more)
        return [one.clone() for one in policy.parameters()]  # type: ignore[attr-defined]

    lean = weights()
    with by_the_book():
        book = weights()
    untrained = [one for one in lean if not one.any()]
    assert not untrained
    for ours, theirs in zip(lean, book, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=0, atol=2e-6)


def test_what_is_left_of_an_episode_that_was_cut_off_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test above would pass without it if no episode were cut off."""
    asked = []
    expected = lean_ppo.LeanPPO._expected

    def counted(self: lean_ppo.LeanPPO, observations: Any) -> Any:
        asked.append(len(observations))
        return expected(self, observations)

    monkeypatch.setattr(lean_ppo.LeanPPO, "_expected", counted)
    train("ppo", "cheese_corner", steps=32 * 40, options=SHORT, **SETTINGS)
    assert len(asked) > 1
    assert min(asked) < 32
