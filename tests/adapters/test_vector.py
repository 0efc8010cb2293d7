"""The same seeds give the same episodes through every adapter, batch size, thread count and autoreset mode."""

import copy
import os
import pickle
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import RecordEpisodeStatistics

from mesabench.adapters.env import GridEnv
from mesabench.adapters.vector import GridVectorEnv
from mesabench.world.environment import DEPLOY, Environment

EPISODES = 3
SEED = 11
Episode = list[tuple[Any, ...]]


def action_at(i: int, episode: int, t: int, n_actions: int) -> int:
    """The action taken there in every test: a fixed scramble."""
    return (i * 7919 + episode * 104729 + t * 1299709 + t * t * 31) // 13 % n_actions


def as_step(
    observation: Any, reward: Any, terminated: Any, truncated: Any, info: dict[str, Any]
) -> tuple[Any, ...]:
    values = tuple((key, np.asarray(value).item()) for key, value in info.items())
    return observation.tobytes(), float(reward), bool(terminated), bool(truncated), values


@pytest.fixture(scope="module")
def alone() -> Callable[[Environment, int], list[Episode]]:
    """The first episodes of environment i as a `GridEnv` plays them; every reset counts as a step."""
    played: dict[tuple[str, int], list[Episode]] = {}

    def alone(environment: Environment, i: int) -> list[Episode]:
        if (environment.name, i) not in played:
            env = GridEnv(environment, split=DEPLOY)
            episodes: list[Episode] = []
            for k in range(EPISODES):
                observation, info = env.reset(seed=SEED + i if k == 0 else None)
                steps = [as_step(observation, 0, False, False, info)]
                while not (steps[-1][2] or steps[-1][3]):
                    action = action_at(i, k, len(steps), len(environment.actions))
                    steps.append(as_step(*env.step(action)))
                episodes.append(steps)
            played[environment.name, i] = episodes
        return played[environment.name, i]

    return alone


def infos_of(infos: dict[str, Any], i: int) -> dict[str, Any]:
    names = [name for name in infos if f"_{name}" in infos and not name.startswith("final")]
    assert all(infos[f"_{name}"][i] for name in names)
    return {name: infos[name][i] for name in names}


def together(vector: GridVectorEnv) -> list[list[Episode]]:
    """The first episodes of every environment of a vector, whatever its autoreset mode."""
    n, mode = vector.num_envs, vector.autoreset_mode
    n_actions = len(vector.environment.actions)
    observations, infos = vector.reset(seed=SEED)
    played: list[list[Episode]] = [
        [[as_step(observations[i], 0, False, False, infos_of(infos, i))]] for i in range(n)
    ]
    while any(len(episodes) <= EPISODES for episodes in played):
        over = np.array([episodes[-1][-1][2] or episodes[-1][-1][3] for episodes in played])
        if mode == AutoresetMode.DISABLED and over.any():
            observations, infos = vector.reset(options={"reset_mask": over})
            for i in np.flatnonzero(over):
                played[i].append([as_step(observations[i], 0, False, False, infos_of(infos, i))])
            continue
        # in mode NextStep the action of an ended environment is ignored
        actions = [action_at(i, len(one) - 1, len(one[-1]), n_actions) for i, one in enumerate(played)]
        observations, rewards, terminated, truncated, infos = vector.step(np.array(actions))
        for i, episodes in enumerate(played):
            step = as_step(observations[i], rewards[i], terminated[i], truncated[i], infos_of(infos, i))
            if over[i]:
                episodes.append([step])
            elif mode == AutoresetMode.SAME_STEP and (terminated[i] or truncated[i]):
                assert infos["_final_obs"][i]
                assert infos["_final_info"][i]
                final = infos["final_obs"][i], *step[1:4], infos_of(infos["final_info"], i)
                episodes[-1].append(as_step(*final))
                episodes.append([(step[0], 0.0, False, False, step[4])])
            else:
                episodes[-1].append(step)
    return [episodes[:EPISODES] for episodes in played]


@pytest.mark.parametrize("threads", [1, 2, 3])
@pytest.mark.parametrize("mode", AutoresetMode)
def test_env_and_vector_play_the_same(environment, mode, threads, alone) -> None:
    n, kept = {1: (1, True), 2: (5, False), 3: (4, True)}[threads]
    vector = GridVectorEnv(environment, n, split=DEPLOY, autoreset_mode=mode, threads=threads, copy=kept)
    for i, episodes in enumerate(together(vector)):
        assert episodes == alone(environment, i)


def test_infos_have_the_same_keys_and_types_at_every_step(environment) -> None:
    env = GridEnv(environment)
    vector = GridVectorEnv(environment, 2)
    infos = [env.reset(seed=0)[1]]
    over = False
    while len(infos) < 4 and not over:
        *_, terminated, truncated, info = env.step(0)
        infos.append(info)
        over = terminated or truncated
    batches = [vector.reset(seed=0)[1], *(vector.step(np.zeros(2, int))[4] for _ in range(3))]
    assert len({tuple((key, type(value)) for key, value in info.items()) for info in infos}) == 1
    assert (
        len({tuple((key, value.dtype, value.shape) for key, value in info.items()) for info in batches}) == 1
    )
    assert infos[0].keys() == {key for key in batches[0] if not key.startswith("_")}


@pytest.fixture
def make() -> Callable[..., GridVectorEnv]:
    return lambda n=3, **options: GridVectorEnv("cheese_corner", n, **options)


def test_without_copy_results_last_for_one_more_step(make) -> None:
    """Of every array, not only of the observations."""
    vector = make(8, copy=False, max_steps=3)
    vector.reset(seed=0)
    last = vector.step(np.zeros(8, int))
    for k in range(12):
        kept = [array.copy() for array in last[:4]]
        this = vector.step(np.full(8, k % 4))
        for array, copied in zip(last[:4], kept, strict=True):
            np.testing.assert_array_equal(array, copied)
        last = this


def test_with_copy_results_last(make) -> None:
    vector = make(8, max_steps=3, autoreset_mode="SameStep")
    vector.reset(seed=0)
    all_ = [vector.step(np.full(8, k % 4)) for k in range(8)]
    again = make(8, max_steps=3, autoreset_mode="SameStep")
    again.reset(seed=0)
    for k, results in enumerate(all_):
        for array, expected in zip(results[:4], again.step(np.full(8, k % 4))[:4], strict=True):
            np.testing.assert_array_equal(array, expected)


def test_seeds_left_out_are_fresh_and_differ(make) -> None:
    _, infos = make(4).reset(seed=[5, None, None, None])
    assert len(set(infos["level"].tolist())) == 4
    _, again = make(4).reset(seed=[5, None, None, None])
    assert infos["level"][0] == again["level"][0]
    assert set(infos["level"][1:].tolist()).isdisjoint(again["level"][1:].tolist())


def test_a_partial_reset_leaves_the_others_alone(make) -> None:
    vector, twin = make(), make()
    for one in (vector, twin):
        one.reset(seed=3)
        one.step(np.zeros(3, int))
    before, _, _, _, infos = twin.step(np.ones(3, int))
    vector.step(np.ones(3, int))
    mask = np.array([False, True, False])
    observations, after = vector.reset(options={"reset_mask": mask, "levels": np.array([-1, 17, -1])})
    np.testing.assert_array_equal(observations[~mask], before[~mask])
    np.testing.assert_array_equal(after["digest"][~mask], infos["digest"][~mask])
    assert after["level"][1] == 17
    for name in ("return_cheese", "level"):
        np.testing.assert_array_equal(after[name][~mask], infos[name][~mask])


@pytest.mark.parametrize("mode", ["vector_entry_point", "sync"])
@pytest.mark.parametrize("options", [{}, {"max_episode_steps": 5}, {"max_episode_steps": 500}, {"max_steps": 100},
                                     {"max_steps": 5, "max_episode_steps": 9}], ids=str)  # fmt: skip
def test_the_time_limit_is_the_one_asked_for_in_every_kind_of_vector(mode, options) -> None:
    vector = gymnasium.make_vec(
        "mesabench/CheeseCorner-v0", num_envs=2, vectorization_mode=mode, corner=9, **options
    )
    longest = min(options.values(), default=64)
    again = gymnasium.make_vec(vector.spec)
    for one in (vector, again):
        lengths: set[int] = set()
        one.reset(seed=0)
        begun = 0
        for t in range(1, 2 * longest + 3):
            *_, ended, cut, _ = one.step(np.zeros(2, int))
            if cut[0]:
                lengths.add(t - begun)
            if ended[0] or cut[0]:
                begun = t + 1
        assert lengths == {longest}
    if mode == "vector_entry_point":
        assert vector.spec.max_episode_steps == longest


def test_infos_are_what_pytorch_takes_in_every_mode(make) -> None:
    torch = pytest.importorskip("torch")
    mask = torch.tensor([True, False, True])
    for mode in AutoresetMode:
        vector = make(3, autoreset_mode=mode, max_steps=3)
        infos = [vector.reset(seed=0)[1]]
        infos += [vector.step(np.zeros(3, int))[-1] for _ in range(3)]
        infos += [info["final_info"] for info in infos if "final_info" in info]
        for info in infos:
            for key in set(info) - {"final_info", "final_obs"}:
                torch.as_tensor(info[key]).masked_fill(mask, 0)
                assert info[key].flags.writeable
                assert info[key].dtype in (np.int64, np.float64, np.bool_)


def test_an_error_tells_which_episodes_are_over(make) -> None:
    vector = make(3, autoreset_mode="Disabled", max_steps=2)
    vector.reset(seed=0)
    for _ in range(2):
        *_, terminated, truncated, _ = vector.step(np.zeros(3, int))
    with pytest.raises(gymnasium.error.ResetNeeded, match=r"environments \[0, 1, 2\] are over"):
        vector.step(np.zeros(3, int))
    vector.reset(options={"reset_mask": terminated | truncated})
    vector.step(np.zeros(3, int))


def test_a_vector_draws_and_tells_what_each_environment_does(make) -> None:
    vector = make(3, render_mode="ansi")
    vector.reset(seed=4)
    single = GridEnv("cheese_corner", render_mode="ansi")
    for i, (drawn, text) in enumerate(zip(vector.render(), vector.call("text"), strict=True)):
        single.reset(seed=4 + i)
        assert (drawn, text) == (single.render(), single.text())
    assert vector.get_attr("render_mode") == ("ansi",) * 3
    pictures = make(2, render_mode="rgb_array")
    pictures.reset(seed=0)
    assert [one.shape for one in pictures.render()] == [(144, 144, 3)] * 2
    vector.close()
    vector.close()


def test_a_copy_of_a_vector_goes_on_alike(make) -> None:
    vector = make(4, copy=False, threads=2)
    vector.reset(seed=0)
    vector.action_space.seed(5)
    vector.step(np.zeros(4, int))
    for other in (copy.deepcopy(vector), pickle.loads(pickle.dumps(vector))):
        twin = copy.deepcopy(vector)
        for _ in range(100):
            actions = twin.action_space.sample()
            np.testing.assert_array_equal(actions, other.action_space.sample())
            a, b = twin.step(actions), other.step(actions)
            np.testing.assert_array_equal(a[0], b[0])
            np.testing.assert_array_equal(a[4]["digest"], b[4]["digest"])


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system knows no affinity")
def test_threads_are_chosen_by_the_processors_that_may_be_used(make) -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert make(1 << 14).batch.crew.threads == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_gymnasium_makes_and_wraps_it(environment) -> None:
    vector = gymnasium.make_vec(environment.id, num_envs=2, split=DEPLOY, max_episode_steps=4)
    assert isinstance(vector.unwrapped, GridVectorEnv)
    recorded = RecordEpisodeStatistics(vector)
    recorded.reset(seed=0)
    for _ in range(4):
        *_, terminated, truncated, infos = recorded.step(vector.action_space.sample())
    assert (terminated | truncated).any()
    assert infos["episode"]["l"].max() == 4


def alike(ours: Any, theirs: Any, at: str = "") -> None:
    """Nothing but the values of environments that a mask leaves out may differ, types and dtypes included."""
    assert type(ours) is type(theirs), at
    if isinstance(ours, dict):
        assert ours.keys() == theirs.keys(), at
        for key in ours:
            has = ours.get(f"_{key}")
            if has is None or isinstance(ours[key], dict):
                alike(ours[key], theirs[key], f"{at}/{key}")
            else:
                np.testing.assert_array_equal(has, theirs[f"_{key}"])
                alike(ours[key][has], theirs[key][has], f"{at}/{key}")
    elif isinstance(ours, tuple):
        for k, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            alike(one, other, f"{at}/{k}")
    elif ours.dtype == theirs.dtype == object:
        np.testing.assert_equal(ours.tolist(), theirs.tolist(), err_msg=at)
    else:
        assert ours.dtype == theirs.dtype, at
        np.testing.assert_array_equal(ours, theirs, err_msg=at, strict=True)


@pytest.mark.parametrize("mode", AutoresetMode)
def test_it_is_like_gymnasiums_own_vector_of_single_envs(make, mode) -> None:
    """All that SyncVectorEnv returns, pictures included."""
    options: dict[str, Any] = {"max_steps": 4, "render_mode": "rgb_array"}
    theirs = gymnasium.vector.SyncVectorEnv(
        [lambda: GridEnv("cheese_corner", **options)] * 3, autoreset_mode=mode
    )
    ours = make(3, autoreset_mode=mode, **options)
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    alike(ours.reset(seed=9), theirs.reset(seed=9))
    alike(ours.render(), theirs.render())
    steps = 4 if mode == AutoresetMode.DISABLED else 11
    for actions in np.arange(3 * steps).reshape(steps, 3) % 4:
        alike(ours.step(actions), theirs.step(actions))
        alike(ours.render(), theirs.render())
    if mode == AutoresetMode.DISABLED:
        for one in (ours, theirs):
            with pytest.raises(AssertionError):
                one.step(np.zeros(3, int))
    mask = np.array([True, False, True])
    alike(*(one.reset(options={"reset_mask": mask.copy()}) for one in (ours, theirs)))


class Telling(gymnasium.Wrapper[Any, Any, Any, Any]):
    """With an info of each kind at every reset and step: CartPole has none."""

    told: dict[str, Any] = {"events": 1, "level": 2, "digest": 3, "is_success": True, "return_cheese": 0.5}

    def reset(self, **options: Any) -> tuple[Any, dict[str, Any]]:
        return self.env.reset(**options)[0], {**self.told}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        return *self.env.step(action)[:4], {**self.told}


def shape_of(result: Any, number: int) -> Any:
    """Types, dtypes and how many rows; nothing of what is particular to one kind of environment."""
    if isinstance(result, dict):
        return {key: shape_of(value, number) for key, value in result.items() if key.lstrip("_") in KNOWN}
    if isinstance(result, tuple):
        return tuple(shape_of(one, number) for one in result)
    assert len(result) == number
    of_rows = [type(one) for one in result] if result.dtype == object else result.dtype.kind
    return type(result), "number" if result.ndim > 1 else result.dtype, of_rows if result.ndim == 1 else ""


KNOWN = {*Telling.told, "final_obs", "final_info"}


@pytest.mark.parametrize("mode", AutoresetMode)
def test_what_it_returns_is_shaped_as_cartpoles_is(make, mode) -> None:
    """At resets, steps, steps at which episodes end, and the steps after these."""
    theirs = gymnasium.vector.SyncVectorEnv(
        [lambda: Telling(gymnasium.make("CartPole-v1", max_episode_steps=4))] * 3, autoreset_mode=mode
    )
    ours = make(3, autoreset_mode=mode, corner=9, max_steps=4)
    assert shape_of(ours.reset(seed=0), 3) == shape_of(theirs.reset(seed=0), 3)
    seen_ends = 0
    for _ in range(4 if mode == AutoresetMode.DISABLED else 9):
        mine, other = ours.step(np.zeros(3, int)), theirs.step(np.zeros(3, int))
        if (np.stack(mine[2:4]).any(0) != np.stack(other[2:4]).any(0)).any():
            break  # ours found its cheese
        seen_ends += bool(mine[3].any())
        assert shape_of(mine, 3) == shape_of(other, 3)
    assert seen_ends >= 1
    if mode == AutoresetMode.DISABLED:
        over = mine[2] | mine[3]
        reset = [one.reset(options={"reset_mask": over.copy()}) for one in (ours, theirs)]
        assert shape_of(reset[0], 3) == shape_of(reset[1], 3)


@pytest.mark.parametrize("mask", [[False, False], [True], [1, 0], [0.5, 1.0]], ids=str)
def test_a_mask_that_gymnasiums_vectors_refuse_is_refused(mask: list[Any]) -> None:
    """With an error that whoever catches theirs catches, too, and nothing is reset."""
    refusals = []
    for one in (gymnasium.make_vec(ID, 2), gymnasium.make_vec(ID, 2, "sync")):
        level = one.reset(seed=0)[1]["level"]
        with pytest.raises((TypeError, ValueError), match="reset_mask") as caught:
            one.reset(options={"reset_mask": np.array(mask)})
        np.testing.assert_array_equal(one.step(np.zeros(2, int))[-1]["level"], level)
        refusals.append(caught.type)
    ours, theirs = refusals
    assert issubclass(ours, theirs)


ID = "mesabench/CheeseCorner-v0"


@pytest.mark.parametrize("mode", ["vector_entry_point", "sync"])
@pytest.mark.parametrize(
    "options", [{}, {"max_steps": 9, "split": DEPLOY}, {"max_episode_steps": 7}], ids=str
)
def test_a_description_makes_the_same_again(mode: str, options: dict[str, Any]) -> None:
    """The vector's own makes a vector; that of each environment, one environment; and they know which is which."""
    limit = options.get("max_steps", options.get("max_episode_steps", 64))
    vector = gymnasium.make_vec(ID, num_envs=2, vectorization_mode=mode, **options)
    again = gymnasium.make_vec(EnvSpec.from_json(vector.spec.to_json()))
    assert (again.num_envs, type(again), again.spec) == (2, type(vector), vector.spec)
    specs = vector.get_attr("spec")
    assert [one.max_episode_steps for one in specs] == [limit] * 2
    single = gymnasium.make(specs[1])
    np.testing.assert_array_equal(single.reset(seed=4)[0], again.reset(seed=3)[0][1])
    assert single.spec.max_episode_steps == limit
    with pytest.raises(TypeError, match=r"gymnasium.make_vec\(spec\)|unexpected keyword argument"):
        gymnasium.make(vector.spec)


def refused(call: Callable[[], Any], *words: str, error: type[Exception] = ValueError) -> None:
    with pytest.raises(error) as caught:
        call()
    for word in words:
        assert word in str(caught.value)


def test_errors_say_what_is_wrong(make) -> None:
    refused(lambda: make(0), "num_envs=0")
    refused(lambda: make(threads=-1), "threads=-1")
    refused(lambda: make(render_mode="human"), "HumanRendering", "Allowed here: ansi, rgb_array")
    refused(lambda: make(render_mode="ansi").render(), "reset", error=gymnasium.error.ResetNeeded)
    refused(lambda: make().call("step", 0), "call it on the vector")
    refused(lambda: make().set_attr("objective", "corner"), "'objective'", error=AttributeError)
    refused(lambda: make(autoreset_mode="never"), "never")
    vector = make()
    refused(lambda: vector.step(np.zeros(3, int)), "reset", error=gymnasium.error.ResetNeeded)
    partial = {"reset_mask": np.array([True, False, False])}
    refused(lambda: vector.reset(options=partial), "first", error=gymnasium.error.ResetNeeded)
    vector.reset(seed=0)
    refused(lambda: vector.reset(options={"level": 3}), "'level'", "did you mean 'levels'?", "reset_mask")
    refused(lambda: vector.reset(options={"levels": [1, 2]}), "levels", "(3,)", "(2,)")
    refused(lambda: vector.reset(options={"levels": [True, False, True]}), "levels", "int64", "bool")
    refused(lambda: vector.reset(options={"levels": [1, 2, 1 << 70]}), "levels", "int64", "object")
    refused(
        lambda: vector.reset(options={"levels": np.array([1, 2, 1 << 63], np.uint64)}), "9223372036854775808"
    )
    refused(lambda: vector.reset(options={"levels": [1, 2, -2]}), "-2", "-1 (any)", "2**63 - 1")
    refused(lambda: vector.reset(options={"reset_mask": [1.5, 0, 0]}), "reset_mask", "bool", "float64")
    refused(lambda: vector.reset(seed=[1, 2]), "2 seeds for 3 environments")
    refused(lambda: vector.reset(seed=[1, 2, -3]), "-3")
    refused(lambda: vector.step(np.zeros(2, int)), "3 integers", "(2,)")
    refused(lambda: vector.step(np.zeros(3)), "3 integers", "float64")
    refused(lambda: vector.step(np.array([0, 4, 0])), "action 4", "0..3", "up, left, down, right")
    refused(lambda: vector.step(np.array([0, -1, 0])), "action -1")


@pytest.mark.parametrize("mode", AutoresetMode)
def test_an_assigned_generator_seeds_the_next_episodes_and_a_read_one_does_not(mode) -> None:
    def levels(*, assigned: int | None = None, read: bool = False, reset: bool = False) -> list[list[int]]:
        vector = GridVectorEnv("cheese_corner", 3, max_steps=2, autoreset_mode=mode)
        seen = [vector.reset(seed=[1, 2, 3])[1]["level"].tolist()]
        vector.step(np.zeros(3, int))
        if read:
            vector.np_random.random(5)
        if assigned is not None:
            vector.np_random = np.random.default_rng(assigned)
            assert vector.np_random_seed == -1
        if reset:
            seen.append(vector.reset()[1]["level"].tolist())
        for _ in range(5):
            if mode == AutoresetMode.DISABLED and (over := vector.batch.status != 0).any():
                vector.reset(options={"reset_mask": over})
            infos = vector.step(np.zeros(3, int))[-1]
            assert vector.call("text")
            seen.append(infos["level"].tolist())
        return seen

    assert levels() == levels(read=True)
    for reset in (False, True):
        assert levels(assigned=5, reset=reset) == levels(assigned=5, reset=reset)
        assert levels(assigned=5, reset=reset) != levels(assigned=6, reset=reset)
        assert levels(assigned=5, reset=reset)[0] == levels()[0]
