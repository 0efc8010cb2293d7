"""The agents: their environments step as Gymnasium's do, their training repeats exactly, their policies survive the disk."""

import warnings

import gymnasium
import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

from stable_baselines3 import PPO
from stable_baselines3.common.evaluation import evaluate_policy
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.vec_env import DummyVecEnv, VecMonitor

from mesabench.agents.sb3.vecenv import GridVecEnv

OPTIONS = {"size": 5, "max_steps": 7}


def actions_of(n, steps, seed=0):
    return np.random.default_rng(seed).integers(0, 4, (steps, n))


def test_the_vecenv_does_what_single_environments_do():
    """SB3's own DummyVecEnv over Monitor over GridEnv is the reference: observations, rewards, ends and infos."""
    n = 5
    ours = GridVecEnv("cheese_corner", n, **OPTIONS)
    theirs = DummyVecEnv(
        [lambda: Monitor(gymnasium.make("mesabench/CheeseCorner-v0", **OPTIONS)) for _ in range(n)]
    )
    for envs in (ours, theirs):
        envs.seed(11)
    np.testing.assert_array_equal(ours.reset(), theirs.reset())
    begun = {"TimeLimit.truncated": False}
    assert ours.reset_infos == [info | begun for info in theirs.reset_infos]
    ends = 0
    for actions in actions_of(n, 60):
        mine, other = ours.step(actions), theirs.step(actions)
        for a, b in zip(mine[:3], other[:3], strict=True):
            np.testing.assert_array_equal(a, b)
            assert a.dtype == b.dtype
        for a, b in zip(mine[3], other[3], strict=True):
            final_a, final_b = a.pop("terminal_observation", None), b.pop("terminal_observation", None)
            np.testing.assert_array_equal(final_a, final_b)
            if "episode" in b:
                ends += 1
                assert a["episode"].pop("t") >= 0
                b["episode"].pop("t")
            assert a == b
            assert [type(value) for value in a.values()] == [type(b[name]) for name in a]
        for i in np.flatnonzero(mine[2]):
            assert ours.reset_infos[i] == theirs.reset_infos[i] | begun
    assert ends > 20


def test_what_a_step_returned_is_never_written_over():
    envs = GridVecEnv("cheese_corner", 3, **OPTIONS)
    envs.seed(0)
    kept = [(envs.reset(),)]
    copies = [tuple(a.copy() for a in kept[0])]
    for actions in actions_of(3, 30):
        kept.append(envs.step(actions)[:3])
        copies.append(tuple(a.copy() for a in kept[-1]))
    for returned, copy in zip(kept, copies, strict=True):
        for a, b in zip(returned, copy, strict=True):
            np.testing.assert_array_equal(a, b)


def test_infos_belong_to_the_caller():
    """What a wrapper adds to one step's infos does not turn up in the next's."""
    envs = GridVecEnv("cheese_corner", 2, **OPTIONS)
    envs.reset()
    for actions in actions_of(2, 10):
        infos = envs.step(actions)[3]
        assert all("added" not in info for info in infos)
        infos[0]["added"] = 1


def test_ppo_trains_on_it_with_no_glue():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = PPO(
            "MlpPolicy",
            GridVecEnv("cheese_corner", 4, **OPTIONS),
            n_steps=16,
            batch_size=32,
            seed=3,
            device="cpu",
        )
        model.learn(64)
        mean, _ = evaluate_policy(model, GridVecEnv("cheese_corner", 4, **OPTIONS), n_eval_episodes=8)
    assert model.ep_info_buffer
    assert 0 <= mean <= 1


@pytest.mark.filterwarnings("ignore:The environment is already wrapped")
def test_sb3_wrappers_agree_with_the_episode_entry():
    envs = VecMonitor(GridVecEnv("cheese_corner", 4, **OPTIONS))
    envs.seed(0)
    envs.reset()
    inner = GridVecEnv("cheese_corner", 4, **OPTIONS)
    inner.seed(0)
    inner.reset()
    for actions in actions_of(4, 40):
        for a, b in zip(envs.step(actions)[3], inner.step(actions)[3], strict=True):
            assert ("episode" in a) == ("episode" in b)
            if "episode" in a:
                assert (a["episode"]["r"], a["episode"]["l"]) == (b["episode"]["r"], b["episode"]["l"])


def test_single_environments_can_be_looked_at():
    envs = GridVecEnv("cheese_corner", 3, render_mode="rgb_array", **OPTIONS)
    envs.seed(5)
    envs.reset()
    one = gymnasium.make("mesabench/CheeseCorner-v0", render_mode="rgb_array", **OPTIONS).unwrapped
    one.reset(seed=7)
    for action in (0, 1, 2):
        envs.step(np.full(3, action))
        one.step(action)
    assert envs.env_method("text", indices=2) == [one.text()]
    np.testing.assert_array_equal(envs.get_images()[2], one.render())
    assert envs.render().ndim == 3
    assert envs.get_attr("render_mode") == ["rgb_array"] * 3
    assert envs.env_is_wrapped(Monitor, indices=[0, 1]) == [True, True]
    assert envs.env_is_wrapped(gymnasium.wrappers.TimeLimit) == [False] * 3
    assert not envs.has_attr("action_masks")
    with pytest.raises(ValueError, match="all environments at once"):
        envs.env_method("step", 0)
    with pytest.raises(AttributeError, match="make a new GridVecEnv"):
        envs.set_attr("level", 3)


def test_seeds_and_levels_are_chosen_for_the_next_reset():
    envs = GridVecEnv("cheese_corner", 3, **OPTIONS)
    assert envs.seed(4) == [4, 5, 6]
    first = envs.reset()
    assert (envs.reset() != first).any(), "a seed holds for one reset"
    envs.seed(4)
    np.testing.assert_array_equal(envs.reset(), first)
    envs.set_options({"level": 17})
    envs.reset()
    assert [info["level"] for info in envs.reset_infos] == [17, 17, 17]
    envs.reset()
    assert 17 not in [info["level"] for info in envs.reset_infos]
    envs.set_options({"levle": 17})
    with pytest.raises(ValueError, match="did you mean 'level'"):
        envs.reset()


def test_unseeded_environments_differ():
    a, b = (GridVecEnv("cheese_corner", 3, **OPTIONS) for _ in range(2))
    a.reset(), b.reset()
    assert [info["level"] for info in a.reset_infos] != [info["level"] for info in b.reset_infos]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: GridVecEnv("cheese_corner", 0), "at least 1"),
        (lambda: GridVecEnv("cheese_corner", 2, split="depoly"), "did you mean 'deploy'"),
        (lambda: GridVecEnv("cheese_corner", 2, objective="chese"), "did you mean 'cheese'"),
    ],
)
def test_wrong_options_are_explained(call, message):
    with pytest.raises(ValueError, match=message):
        call()
