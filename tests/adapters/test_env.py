"""The Gymnasium environment: both checkers, replays, pickles, pictures, and errors that teach."""

import copy
import json
import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.wrappers import HumanRendering, TimeLimit

from mesabench.adapters.env import GridEnv
from mesabench.adapters.vector import GridVectorEnv
from mesabench.registry import UnknownNameError
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN


def played(env: GridEnv, steps: int) -> list[tuple[Any, ...]]:
    """What comes of the given environment in so many steps; an episode that is over is followed by the next."""
    out = []
    n_actions = len(env.environment.actions)
    for t in range(steps):
        observation, *rest = env.step((t * t + 3 * t) % n_actions) if env.running else env.reset()
        out.append((observation.tolist(), *rest))
    return out


def test_the_same_seed_plays_the_same_and_another_differs(environment) -> None:
    env = GridEnv(environment)
    runs = []
    for seed in (3, 3, 4):
        observation, info = env.reset(seed=seed)
        runs.append([(observation.tolist(), info), *played(env, 150)])
    assert runs[0] == runs[1]
    assert runs[0] != runs[2]


@pytest.mark.parametrize(
    "twin", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"]
)
def test_a_copy_in_the_middle_of_an_episode_goes_on_alike(environment, twin) -> None:
    objective = environment.objective_names[-1]
    env = GridEnv(environment, split=DEPLOY, objective=objective, render_mode="rgb_array")
    env.reset(seed=5)
    env.action_space.seed(3)
    played(env, 7)
    other = twin(env)
    assert [int(other.action_space.sample()) for _ in range(20)] == [
        int(env.action_space.sample()) for _ in range(20)
    ]
    picture = env.render()
    np.testing.assert_array_equal(other.render(), picture)
    ahead = played(other, 200)
    np.testing.assert_array_equal(env.render(), picture)
    assert played(env, 200) == ahead
    assert env.np_random.random() == other.np_random.random()


class Generous(GridEnv):
    """A stranger's: with an argument, an attribute and a wish of its own."""

    def __init__(self, bonus: float) -> None:
        super().__init__("cheese_corner")
        self.bonus, self.visits = bonus, {"door": [1, 2]}


@pytest.mark.parametrize(
    "twin", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))], ids=["copy", "pickle"]
)
def test_a_copy_has_all_that_the_original_has_and_shares_none_of_it(twin) -> None:
    env = Generous(3.0)
    env.reset(seed=0)
    env.visits["door"].append(3)
    other = twin(env)
    assert vars(other).keys() == vars(env).keys()
    assert (other.bonus, other.visits) == (3.0, {"door": [1, 2, 3]})
    assert other.environment is env.environment
    other.visits["door"].clear()
    other.step(0)
    assert env.visits == {"door": [1, 2, 3]}
    assert (env.batch.states["_clock"], other.batch.states["_clock"]) == (0, 1)


def test_a_made_environment_survives_pickling() -> None:
    env = gymnasium.make("mesabench/CheeseCorner-v0", split=DEPLOY, size=9)
    env.reset(seed=1)
    other = pickle.loads(pickle.dumps(env))
    assert other.spec == env.spec
    assert other.step(0)[0].tolist() == env.step(0)[0].tolist()


def test_a_level_is_replayed_by_its_seed(environment) -> None:
    """Through both adapters, whatever was played before and whoever plays; dynamics alone go on with the stream."""
    env = GridEnv(environment, split=HELDOUT)
    seen = [env.reset(seed=seed)[1]["level"] for seed in range(4)]
    vector = GridVectorEnv(environment, 4, split=HELDOUT)
    vector.reset(seed=99)
    observations, infos = vector.reset(options={"levels": seen})
    assert infos["level"].tolist() == seen
    for i, level in enumerate(seen):
        observation, info = env.reset(options={"level": level})
        assert (info["level"], info["digest"]) == (level, infos["digest"][i])
        np.testing.assert_array_equal(observation, observations[i])
        assert env.reset(seed=i)[1]["digest"] == info["digest"]


def test_the_objective_is_what_is_paid_and_nothing_else_changes(environment) -> None:
    def run(objective: str) -> tuple[list[Any], list[float | None], list[dict[str, Any]]]:
        env = GridEnv(environment, split=DEPLOY, objective=objective)
        env.reset(seed=8)
        steps = played(env, 200)
        rewards = [step[1] if len(step) == 5 else None for step in steps]  # None: an episode begins
        return [step[0] for step in steps], rewards, [step[-1] for step in steps]

    first = run(environment.intended)
    for objective in environment.objectives:
        observations, rewards, infos = run(objective)
        assert observations == first[0]
        assert infos == first[2]
        total = 0.0
        for reward, info in zip(rewards, infos, strict=True):
            total = 0.0 if reward is None else total + reward
            assert info[f"return_{objective}"] == pytest.approx(total)


def test_truncation_is_the_declared_time_limit(environment) -> None:
    env = GridEnv(environment, max_steps=3)
    ends = []
    for seed in range(20):
        env.reset(seed=seed)
        for t in range(3):
            _, _, terminated, truncated, _ = env.step(0)
            assert t == 2 or not truncated
            if terminated:
                break
        ends.append((terminated, truncated))
    assert (False, True) in ends
    assert (True, True) not in ends


def test_an_ended_episode_is_not_stepped() -> None:
    env = GridEnv("cheese_corner", max_steps=2)
    env.reset(seed=0)
    env.step(0)
    env.step(1)
    for _ in range(2):
        with pytest.raises(gymnasium.error.ResetNeeded, match="the episode is over"):
            env.step(2)
    env.reset()
    env.step(2)


def test_render_modes(environment) -> None:
    drawn = {}
    for mode in GridEnv.metadata["render_modes"]:
        env = GridEnv(environment, render_mode=mode)
        env.reset(seed=0)
        drawn[mode] = env.render()
    height, width = env.engine.shape
    assert len(drawn["ansi"].splitlines()) >= height
    picture = drawn["rgb_array"]
    assert picture.dtype == np.uint8
    assert picture.shape[0] >= 16 * height
    assert picture.shape[1:] == (16 * width, 3)
    silent = gymnasium.make(environment.id).unwrapped
    silent.reset(seed=0)
    with pytest.warns(UserWarning, match=r"render_mode"):
        assert silent.render() is None


ID = "mesabench/CheeseCorner-v0"


def length(env: gymnasium.Env[Any, Any]) -> int:
    """Steps of an episode in which nothing is reached."""
    env.reset(options={"text": FAR})
    return next(t for t in range(1, 100_001) if any(env.step(0)[2:4]))


FAR = "#########\n#@......#\n" + "#.......#\n" * 6 + "#########\n"
"""A level without a cheese."""


@pytest.mark.parametrize(
    ("options", "steps"),
    [({}, 64), ({"max_episode_steps": 5}, 5), ({"max_episode_steps": 500}, 500), ({"max_steps": 7}, 7),
     ({"max_steps": 700}, 700), ({"max_steps": 7, "max_episode_steps": 500}, 7),
     ({"max_steps": 700, "max_episode_steps": 5}, 5), ({"max_episode_steps": -1}, 100_000)],
    ids=str,
)  # fmt: skip
def test_the_time_limit_asked_for_holds_whatever_it_is_called(options: dict[str, int], steps: int) -> None:
    """With `gymnasium.make`, directly, in a copy, and made again from the description, which tells it."""
    env = gymnasium.make(ID, **options)
    assert env.spec is not None
    wrapper = options.get("max_episode_steps", -1)
    assert env.spec.max_episode_steps == (steps if wrapper == -1 else wrapper)
    again = gymnasium.make(env.spec)
    assert again.spec == env.spec
    for one in (env, again, GridEnv("cheese_corner", **options)):
        assert length(one) == steps


def test_each_split_tells_its_own_time_limit() -> None:
    for split, steps in (("train", 25), ("deploy", 100)):
        spec = gymnasium.make("mesabench/MonsterWorld-v0", split=split).spec
        assert spec is not None
        assert spec.max_episode_steps == steps


def test_a_description_is_data() -> None:
    env = gymnasium.make(ID, split=DEPLOY, size=7)
    assert env.spec is not None
    assert EnvSpec.from_json(env.spec.to_json()) == env.spec


def test_a_time_limit_beyond_the_knob_is_refused() -> None:
    with pytest.raises(ValueError, match=r"max_episode_steps=500: must be an integer from 1 to"):
        gymnasium.make("mesabench/NightPorter-v0", max_episode_steps=500)


def test_a_number_of_any_kind_is_the_same_action_and_no_other_value_is_one() -> None:
    env = GridEnv("cheese_corner")
    seen = []
    for action in (1, np.int64(1), np.uint8(1), np.array(1)):
        env.reset(seed=3)
        steps = [env.step(action) for _ in range(3)]
        seen.append([(one[0].tobytes(), *one[1:]) for one in steps])
        assert not np.shares_memory(steps[0][0], steps[1][0])
    assert all(one == seen[0] for one in seen)
    before = env.batch.states.tobytes()
    for wrong in (-1, 4, np.int64(4), 2**70, True, 1.0, "up", [1], None):
        with pytest.raises(ValueError, match=r"is not one of 0\.\.3|actions must be 1 integers"):
            env.step(wrong)
    assert env.batch.states.tobytes() == before


def test_infos_are_what_json_and_pytorch_take() -> None:
    env = GridEnv("cheese_corner")
    infos = [env.reset(seed=seed)[1] for seed in range(8)]
    assert json.loads(json.dumps(infos)) == infos
    assert {type(value) for info in infos for value in info.values()} == {int, float, bool}
    assert min(info["digest"] for info in infos) < 0 < max(info["digest"] for info in infos)
    assert f"{infos[0]['digest'] & (1 << 64) - 1:016x}" == f"{env_digest(0):016x}"
    collate = pytest.importorskip("torch.utils.data").default_collate
    assert {str(value.dtype) for value in collate(infos).values()} == {
        "torch.int64",
        "torch.float64",
        "torch.bool",
    }


def env_digest(seed: int) -> int:
    env = GridEnv("cheese_corner")
    env.reset(seed=seed)
    return int(env.batch.digests[0])


@pytest.mark.parametrize("seed", [0, 7, 100_000, (1 << 63) - 1])
def test_seeds_are_whole_numbers_of_any_kind(seed: int) -> None:
    env = GridEnv("cheese_corner")
    first, again = (env.reset(seed=kind(seed))[1] for kind in (int, np.uint64))
    assert first == again
    assert env.np_random_seed == seed


@pytest.mark.parametrize(
    "seed", [-1, 1 << 63, 1 << 70, True, np.True_, 1.5, float("inf"), "1", [1]], ids=repr
)
def test_other_seeds_are_refused_alike_everywhere(seed: Any) -> None:
    agents = pytest.importorskip("mesabench.agents.sb3.vecenv")
    env, vector = GridEnv("cheese_corner"), GridVectorEnv("cheese_corner", 2)
    calls = [
        lambda: env.reset(seed=seed),
        lambda: env.reset(options={"level": seed}),
        lambda: vector.reset(seed=[0, seed]),
        lambda: agents.GridVecEnv("cheese_corner", 2).seed(seed),
        lambda: vector.reset(seed=seed),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"must be a whole number from 0 to |1 seeds for 2"):
            call()


def test_a_vectors_last_seed_counts() -> None:
    with pytest.raises(ValueError, match=f"from 0 to {(1 << 63) - 2}"):
        GridVectorEnv("cheese_corner", 2).reset(seed=(1 << 63) - 1)


def test_unknown_keywords_are_type_errors_in_pythons_words() -> None:
    """Libraries try keywords out and go on without them after exactly this error."""
    agents = pytest.importorskip("mesabench.agents.sb3.vecenv")
    calls: list[Callable[[], Any]] = [
        lambda: gymnasium.make(ID, frameskip=1),
        lambda: gymnasium.make_vec(ID, num_envs=2, frameskip=1),
        lambda: gymnasium.make_vec(ID, num_envs=2, vectorization_mode="sync", frameskip=1),
        lambda: GridEnv("cheese_corner", frameskip=1),
        lambda: GridVectorEnv("cheese_corner", 2, frameskip=1),
        lambda: agents.GridVecEnv("cheese_corner", 2, frameskip=1),
        lambda: GridEnv("cheese_corner").reset(options={"frameskip": 1}),
        lambda: GridVectorEnv("cheese_corner", 2).reset(options={"frameskip": 1}),
    ]
    for call in calls:
        with pytest.raises(TypeError, match=r"unexpected keyword argument 'frameskip'.*Allowed: ") as caught:
            call()
        assert isinstance(caught.value, ValueError)


def test_an_assigned_generator_seeds_the_next_episode_and_a_read_one_does_not() -> None:
    """As with Gymnasium's own: whoever gives an environment another source of chance gets other episodes from it."""

    def levels(change: Callable[[Any], object]) -> list[int]:
        env = gymnasium.make(ID)
        env.reset(seed=3)
        env.step(0)
        change(env)
        env = pickle.loads(pickle.dumps(env))
        return [env.reset()[1]["level"] for _ in range(3)]

    def assign(seed: int) -> Callable[[Any], object]:
        return lambda env: setattr(env, "np_random", np.random.default_rng(seed))

    assert levels(lambda env: None) == levels(lambda env: env.np_random.random(5))
    assert levels(assign(1)) == levels(assign(1))
    assert len({*levels(assign(1)), *levels(assign(2)), *levels(lambda env: None)}) == 9


def test_rendering_before_a_reset_is_refused_as_gymnasium_does_it() -> None:
    for name in (ID, "CartPole-v1"):
        for env in (gymnasium.make(name), gymnasium.make_vec(name, 2, "sync")):
            with pytest.raises(gymnasium.error.ResetNeeded):
                env.render()


def test_a_window_is_opened_by_gymnasium() -> None:
    env = gymnasium.make(ID, max_episode_steps=2)
    assert isinstance(env, TimeLimit)
    pytest.importorskip("pygame")
    with pytest.warns(UserWarning, match="HumanRendering"):
        human = gymnasium.make(ID, render_mode="human")
    assert isinstance(human, HumanRendering)


def test_importing_mesabench_is_light() -> None:
    """What a worker process, a notebook and `mesabench list` wait for."""
    heavy = {
        "torch",
        "stable_baselines3",
        "polars",
        "matplotlib",
        "typer",
        "rich",
        "jinja2",
        "pygame",
        "pydantic",
        "tomlkit",
    }
    code = "import sys, mesabench; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=Path(__file__).parent
    )
    loaded = set(done.stdout.split())
    assert "mesabench" in loaded, done.stderr
    assert not loaded & heavy
    assert not loaded & {"scipy.stats", "scipy.sparse", "mesabench.solver.optima", "mesabench.cli.verbs"}


def make(**options: Any) -> GridEnv:
    return GridEnv("cheese_corner", **options)


def step(action: Any) -> None:
    env = make()
    env.reset(seed=0)
    env.step(action)


def impossible() -> GridEnv:
    """Of a shape that other tests have compiled, but without room for so much."""
    return GridEnv("keys_and_chests", split=TRAIN, keys=10, chests=10, density=0.9)


REFUSED: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "environment": (lambda: GridEnv("cheese_cornr"), ("'cheese_cornr'", "did you mean 'cheese_corner'?")),
    "split": (lambda: make(split="depoly"), ("'depoly'", "did you mean 'deploy'?", "deploy, heldout, train")),
    "objective": (lambda: make(objective="chese"), ("'chese'", "did you mean 'cheese'?", "far_corner")),
    "knob": (lambda: make(sise=9), ("'sise'", "did you mean 'size'?", "density", "alpha")),
    "choice": (lambda: make(maze="tee"), ("'maze'", "'tee'", "did you mean 'tree'?", "blocks, room, tree")),
    "too small": (lambda: make(size=3), ("size=3", "an integer from 4 to 99")),
    "fraction": (lambda: make(size=9.5), ("size=9.5", "an integer")),
    "infinity": (lambda: make(size=float("inf")), ("size=inf", "an integer from 4 to 99")),
    "nan": (lambda: make(density=float("nan")), ("density=nan", "a number from 0 to 0.9")),
    "word": (lambda: make(size="9"), ("size='9'", "an integer")),
    "bool": (lambda: make(size=True), ("size=True", "an integer")),
    "alpha": (lambda: make(alpha=1.5), ("alpha=1.5", "from 0 to 1")),
    "alpha in deploy": (lambda: make(split=DEPLOY, alpha=0.5), ("alpha=0.5", "'deploy'")),
    "levels": (lambda: make(levels=-1), ("levels=-1", "0 for endless")),
    "render mode": (lambda: make(render_mode="ascii"), ("'ascii'", "did you mean 'ansi'?", "rgb_array")),
    "window": (lambda: make(render_mode="human"), ("gymnasium.make(", "Allowed here: ansi, rgb_array")),
    "time limit": (lambda: make(max_episode_steps=0), ("max_episode_steps=0", "an integer from 1 to 100000")),
    "huge levels": (lambda: make(levels=1 << 70), (f"levels={1 << 70}", "2**63 - 1")),
    "levels by truth": (lambda: make(levels=True), ("levels=True",)),
    "render too early": (lambda: make(render_mode="ansi").render(), ("reset() before the first render()",)),
    "reset option": (lambda: make().reset(options={"levels": 3}), ("'levels'", "did you mean 'level'?", "text")),
    "two reset options": (lambda: make().reset(options={"level": 3, "text": "#"}), ("level", "text")),
    "negative level": (lambda: make().reset(options={"level": -1}), ("level=-1", "from 0")),
    "huge level": (lambda: make().reset(options={"level": 1 << 63}), ("level=9223372036854775808", "2**63 - 1")),
    "named level": (lambda: make().reset(options={"level": "first"}), ("level='first'", "a whole number")),
    "action 4": (lambda: step(4), ("action 4", "0..3", "up, left, down, right")),
    "action -1": (lambda: step(-1), ("action -1", "0..3")),
    "action 1.0": (lambda: step(1.0), ("float64",)),
    "no reset": (lambda: make().step(0), ("reset",)),
    "no room": (lambda: impossible().reset(seed=0), ("no train level", "keys=10", "size=7", "density=0.1 in place of")),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_an_error_says_what_was_given_and_what_is_allowed(case: str) -> None:
    call, words = REFUSED[case]
    with pytest.raises((ValueError, UnknownNameError, gymnasium.error.ResetNeeded)) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


def test_after_an_impossible_level_nothing_can_be_stepped_out_of_bounds() -> None:
    env = impossible()
    with pytest.raises(ValueError, match="no train level"):
        env.reset(seed=0)
    with pytest.raises(gymnasium.error.ResetNeeded):
        env.step(0)
