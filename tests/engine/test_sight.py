"""What is seen: every form of sight against a plain recomputation, and the same through every door."""

from dataclasses import replace
from fractions import Fraction
from math import ceil, floor
from types import SimpleNamespace
from typing import Any

import gymnasium
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesabench import Environment, Field, Knob, Objective, Sight, registry, solver
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution, distribution_of
from mesabench.engine.kernels import Engine, engine_for
from mesabench.evaluation import evaluate
from mesabench.pictures.render import render_rgb
from mesabench.runs.suite import SuiteError, parse_suite
from mesabench.scores.replanning import larger_of
from mesabench.world import GRID, events, free_cell, has, layers, mazes, move, put, put_agent, rule

WALL, BUSH, SECRET, GHOST, FLAG, SCOUT = layers("wall", "bush", "secret", "ghost", "flag", "scout")
(AT_FLAG,) = events("at_flag")
HEIGHT, WIDTH = 6, 9


@rule
def layout(s, knobs):
    mazes.random_blocks(s, WALL, 0.2)
    put_agent(s, *free_cell(s, WALL), SCOUT)
    put(s, *free_cell(s, WALL | SCOUT), FLAG)


@rule
def step(s, action):
    s.facing = action
    move(s, action, SCOUT, WALL)
    return AT_FLAG * has(s, s.y, s.x, FLAG)


WORLD = Environment(
    name="scouting",
    layers=(WALL, BUSH, SECRET, GHOST, FLAG, SCOUT),
    fields=(
        Field("facing", 3),
        Field("keys", 9),
        Field("plan", 999),
        Field("places", 9, shape=(2,)),
        Field("age", 9, shape=GRID),
    ),
    sight=Sight(hidden=(SECRET, "plan", "places"), invisible=(GHOST,)),
    events=(AT_FLAG,),
    agent=SCOUT,
    wall=WALL,
    layout=layout,
    step=step,
    ends=AT_FLAG,
    objectives={"flag": Objective({AT_FLAG: 1.0})},
    intended="flag",
    knobs={"max_steps": Knob(30, 1, 99)},
    splits={"train": {}, "deploy": {"max_steps": 20}},
    shape=lambda knobs: (HEIGHT, WIDTH),
    paired=False,
)
SIGHTS: dict[str, dict[str, Any]] = {
    "whole": {},
    "near": {"radius": 2},
    "oblong": {"radius": (0, 3)},
    "standing still": {"radius": (1, 2), "centred": False},
    "turning": {"radius": (1, 2), "heading": "facing"},
    "past no wall": {"opaque": WALL | BUSH},
    "near and past no wall": {"radius": 3, "opaque": WALL, "heading": "facing"},
    "planes of its own": {"radius": 1, "planes": lambda knobs: ("scout", "keys", "flag", "flag")},
}


def engine_of(environment: Environment, words: str = "") -> Engine:
    return engine_for(environment, environment.knobs_of("train"), words)


@st.composite
def states(draw: st.DrawFn) -> list[tuple[np.ndarray, int, int, int, int]]:
    """Grids with a border of walls and the agent somewhere within; where that is, where it looks, and its keys."""
    found = []
    for _ in range(draw(st.integers(1, 4))):
        seed = draw(st.integers(0, 2**32 - 1))
        rng = np.random.default_rng(seed)
        grid = rng.integers(0, 32, (HEIGHT, WIDTH)) * (rng.random((HEIGHT, WIDTH)) < rng.choice([0.15, 0.5]))
        grid[[0, -1]] |= WALL
        grid[:, [0, -1]] |= WALL
        y, x = draw(st.integers(1, HEIGHT - 2)), draw(st.integers(1, WIDTH - 2))
        grid[y, x] = SCOUT
        found.append((grid, y, x, draw(st.integers(0, 3)), draw(st.integers(0, 9))))
    return found


def age_of(grid: np.ndarray) -> np.ndarray:
    """Some number for each cell."""
    return (grid * 7 + np.arange(grid.size).reshape(grid.shape)) % 10


def seen_age(state: tuple[Any, ...], y: int, x: int, bits: int | None) -> int:
    grid = state[0]
    inside = 0 <= y < grid.shape[0] and 0 <= x < grid.shape[1]
    return int(age_of(grid)[y, x]) if bits is not None and inside else 0


def records_of(engine: Engine, chosen: list[Any]) -> np.ndarray:
    records = engine.states(len(chosen))
    for record, (grid, y, x, facing, keys) in zip(records, chosen, strict=True):
        record["grid"], record["y"], record["x"], record["facing"], record["keys"] = grid, y, x, facing, keys
        record["plan"], record["places"], record["age"] = 999, 9, age_of(grid)
    return records


def stopped(grid: np.ndarray, opaque: int, here: tuple[int, int], there: tuple[int, int]) -> bool:
    """Whether a straight line between two cells is stopped, in exact arithmetic."""
    steps = max(abs(a - b) for a, b in zip(here, there, strict=True))
    for k in range(1, steps):
        y, x = (a + Fraction((b - a) * k, steps) for a, b in zip(here, there, strict=True))
        half = Fraction(1, 2)
        nearest = [(floor(y + half), floor(x + half)), (ceil(y - half), ceil(x - half))]
        if all(cell_at(grid, *cell) & opaque for cell in nearest):
            return True
    return False


def cell_at(grid: np.ndarray, y: int, x: int) -> int:
    inside = 0 <= y < grid.shape[0] and 0 <= x < grid.shape[1]
    return int(grid[y, x]) if inside else int(WALL)


def looked_at(sight: Sight, state: tuple[Any, ...]) -> list[list[tuple[int, int, int | None]]]:
    """For each cell of a view: its row and column in the level, and its layers, or None where it is not seen."""
    grid, y, x, facing, _ = state
    rows, columns = sight.view_of(grid.shape)
    found = []
    for j in range(rows):
        found.append([])
        for k in range(columns):
            there = j, k
            if sight.follows:
                ahead, right = sight.reach[0] - j, k - sight.reach[1]
                # unit vectors of ahead and right on the ground, by heading
                (ay, ax), (ry, rx) = {
                    0: ((-1, 0), (0, 1)), 1: ((0, -1), (-1, 0)), 2: ((1, 0), (0, -1)), 3: ((0, 1), (1, 0)),
                }[facing if sight.heading else 0]  # fmt: skip
                there = y + ahead * ay + right * ry, x + ahead * ax + right * rx
            seen = not (sight.opaque and stopped(grid, sight.opaque, (y, x), there))
            if sight.radius is not None and not sight.centred:
                seen &= abs(there[0] - y) <= sight.reach[0] and abs(there[1] - x) <= sight.reach[1]
            found[-1].append((*there, cell_at(grid, *there) if seen else None))
    return found


@pytest.mark.parametrize("case", SIGHTS)
@given(chosen=states())
@settings(max_examples=30, deadline=None)
def test_planes_show_what_a_plain_recomputation_sees(case: str, chosen: list[Any]) -> None:
    environment = environment_of(case)
    sight, engine = environment.sight, engine_of(environment)
    names = environment.in_view(environment.knobs_of("train"))
    for observation, state in zip(engine.observations(records_of(engine, chosen)), chosen, strict=True):
        view = looked_at(sight, state)
        planes = []
        for name in names:
            if name in environment.layer_names:
                bit = environment.layer_names.index(name)
                planes.append([[(bits or 0) >> bit & 1 for *_, bits in row] for row in view])
            elif name == "age":
                planes.append([[seen_age(state, *cell) for cell in row] for row in view])
            else:
                value = {"facing": state[3], "keys": state[4]}[name]
                planes.append([[value] * len(row) for row in view])
        if sight.opaque or not sight.centred:
            planes.append([[int(bits is not None) for *_, bits in row] for row in view])
        np.testing.assert_array_equal(observation, planes)
    assert engine.channels == names + (("in_sight",) if sight.patchy else ())


MADE: dict[str, Environment] = {}
"""One environment for each case, so that each is compiled once."""


def environment_of(case: str) -> Environment:
    if case not in MADE:
        MADE[case] = replace(WORLD, sight=replace(WORLD.sight, **SIGHTS[case]))
    return MADE[case]


@pytest.mark.parametrize("case", ["whole", "turning", "near and past no wall"])
@given(chosen=states())
@settings(max_examples=10, deadline=None)
def test_pixels_are_the_tiles_of_render_rgb(case: str, chosen: list[Any]) -> None:
    environment = environment_of(case)
    engine = engine_of(environment, "rgb16")
    names = [name if name in ("wall", "bush", "flag", "scout") else "" for name in environment.layer_names]
    for observation, state in zip(engine.observations(records_of(engine, chosen)), chosen, strict=True):
        view = looked_at(environment.sight, state)
        picture = observation.transpose(1, 2, 0)
        for j, row in enumerate(view):
            for k, (y, x, bits) in enumerate(row):
                tile = picture[16 * j : 16 * (j + 1), 16 * k : 16 * (k + 1)]
                age = str(seen_age(state, y, x, bits) or "")
                pair = render_rgb(np.full((1, 2), bits or 0, np.uint8), names, numbers={"age": [[age, age]]})
                expected = np.split(pair, 2, axis=1)[(y + x) % 2] if bits is not None else 0
                np.testing.assert_array_equal(tile, np.broadcast_to(expected, tile.shape))
        status = {"facing": state[3], "keys": state[4]}
        below = render_rgb(np.zeros((1, len(view[0])), np.uint8), (), status=status)[16:]
        np.testing.assert_array_equal(picture[16 * len(view) :], below)


@pytest.mark.parametrize("name", ["cheese_corner", "keys_and_chests", "night_porter"])
def test_rgb_is_the_picture_of_the_level_without_what_is_hidden(name: str) -> None:
    """At the size of a tile, the numbers in view below it; while episodes run."""
    environment = registry.find_environment(name)
    seeing = Distribution(environment, "deploy", sight="rgb")
    compiled_anew = name == "cheese_corner"  # of the others only what writes observations
    batch = Batch(seeing if compiled_anew else seeing.with_(sight=""), 5, threads=1)
    batch.reset(levels=np.arange(5))
    in_view = environment.in_view(environment.knobs_of("deploy"))
    names = [layer if layer in in_view else "" for layer in environment.layer_names]
    for t in range(12):
        observations = seeing.engine.observations(batch.states)
        if compiled_anew:
            np.testing.assert_array_equal(batch.observations, observations)
        for state, observation in zip(batch.states, observations, strict=True):
            status = {one.name: int(state[one.name]) for one in environment.shown if one.name in in_view}
            picture = render_rgb(state["grid"], names, cell=8, status=status, sprites=environment.sprites)
            np.testing.assert_array_equal(observation, picture.transpose(2, 0, 1))
        batch.step(np.arange(5) * (t + 1) % len(environment.actions), autoreset=True)


def test_every_door_shows_the_same_view() -> None:
    """Gymnasium's environment and vector, SB3's, a level's graph and the picture-free engine."""
    from mesabench.agents.sb3.vecenv import GridVecEnv

    options: dict[str, Any] = {"split": "deploy", "sight": "5x5"}
    one = gymnasium.make("mesabench/CheeseCorner-v0", **options)
    vector = gymnasium.make_vec("mesabench/CheeseCorner-v0", num_envs=2, **options)
    sb3 = GridVecEnv("cheese_corner", 2, **options)
    assert one.observation_space == vector.unwrapped.single_observation_space == sb3.observation_space
    assert one.observation_space.shape == (3, 5, 5)
    sb3.seed(3)
    views = [one.reset(seed=3)[0], vector.reset(seed=3)[0][0], sb3.reset()[0]]
    graph = solver.explore(
        distribution_of("cheese_corner", options), int(one.unwrapped.batch.levels[0]), max_states=5000
    )
    observations = graph.observations()
    for t in range(8):
        state = one.unwrapped.batch.states[0]
        views.append(observations[graph.find(state)])
        views.append(looked_at_planes(registry.find_environment("cheese_corner"), state))
        for view in views[1:]:
            np.testing.assert_array_equal(view, views[0])
        action = (t * t + 2) % 4
        first = one.step(action)
        assert first[0] in one.observation_space
        views = [first[0], vector.step(np.array([action, 0]))[0][0], sb3.step(np.array([action, 0]))[0][0]]
        if first[2] or first[3]:
            break


def looked_at_planes(environment: Environment, state: Any) -> np.ndarray:
    view = looked_at(Sight(radius=2), (state["grid"].astype(int), int(state["y"]), int(state["x"]), 0, 0))
    bits = [
        environment.layer_names.index(name) for name in environment.in_view(environment.knobs_of("train"))
    ]
    return np.array([[[bits >> bit & 1 for *_, bits in row] for row in view] for bit in bits])


def test_exact_evaluation_of_a_memoryless_policy_agrees_with_sampled_episodes_in_a_partial_view() -> None:
    weights = np.random.default_rng(0).normal(size=(75, 4)) * 2

    def policy(observations: np.ndarray) -> np.ndarray:
        assert observations.shape[1:] == (3, 5, 5)
        logits = observations.reshape(len(observations), -1) @ weights
        powers = np.exp(logits - logits.max(1, keepdims=True))
        return powers / powers.sum(1, keepdims=True)

    chosen: dict[str, Any] = {"levels": 3, "splits": ["deploy"], "measures": "goals", "replays": 0}
    exact = evaluate(policy, "cheese_corner", {"sight": "5x5"}, exact=True, **chosen).levels
    sampled = evaluate(policy, "cheese_corner", {"sight": "5x5"}, exact=False, episodes=3000, **chosen).levels
    assert exact["exact"].all()
    assert not sampled["exact"].any()
    for name in ("cheese", "corner"):
        errors = sampled[f"stderr_{name}"] + 1e-3
        assert ((exact[f"return_{name}"] - sampled[f"return_{name}"]).abs() < 5 * errors).all()
    seeing = evaluate(
        lambda observations: np.full((len(observations), 4), 0.25), "cheese_corner", **chosen
    ).levels
    assert (seeing["ceiling_cheese"] == exact["ceiling_cheese"]).all(), "the ceiling is of one who sees all"
    assert (seeing["floor_cheese"] == exact["floor_cheese"]).all()


def test_a_view_around_the_agent_keeps_its_shape_in_a_larger_level() -> None:
    distribution = distribution_of("cheese_corner", {"sight": "5x5"})
    behaviour: Any = SimpleNamespace(
        distribution=distribution, accepts=lambda seen: seen.shape[1:] == (3, 5, 5)
    )
    larger = larger_of(behaviour)
    assert larger is not None
    assert larger.sight == "5x5"
    assert larger.engine.shape == (11, 11)


WORDS = {
    "4x5": "try '5x5'",
    "0x0": "try '1x1'",
    "101x5": "from 1 to 99",
    "5": "'5x5'",
    "rbg": "did you mean 'rgb'?",
    "rgb4": "8 to 64",
    "5x5 7x7": "exclude each other",
    "whole 5x5": "exclude each other",
    "planes rgb": "exclude each other",
}


@pytest.mark.parametrize("words", WORDS)
def test_words_for_no_sight_are_refused(words: str) -> None:
    with pytest.raises(ValueError, match=f"sight='{words}'") as caught:
        gymnasium.make("mesabench/CheeseCorner-v0", sight=words)
    assert WORDS[words] in str(caught.value)


def test_a_sight_that_is_no_text_is_refused() -> None:
    for given_ in (5, None, ("5x5",), True):
        with pytest.raises(ValueError, match=r"must be words.*'5x5'"):
            distribution_of("cheese_corner", {"sight": given_})


DECLARED: dict[str, tuple[dict[str, Any], str]] = {
    "agent hidden from a centred view": ({"radius": 2, "hidden": (SCOUT, "plan", "places")},
                                         r"sight=Sight\(radius=2\) centres .*hidden=.* 'scout', or say centred=False"),
    "agent in no plane": ({"radius": 2, "planes": lambda knobs: ("wall",)}, "planes=.* 'scout'"),
    "negative radius": ({"radius": -1}, r"radius=-1\): must be a whole number"),
    "radius of a half": ({"radius": 1.5}, r"radius=1.5\): must be a whole number"),
    "no such heading": ({"radius": 2, "heading": "facng"}, r"heading=.*did you mean 'facing'"),
    "heading too many ways": ({"radius": 2, "heading": "keys"}, r"heading='keys'\): .*high=3"),
    "heading without a view": ({"heading": "facing"}, "only a centred view turns"),
    "no such layer opaque": ({"opaque": 64}, "opaque=64"),
    "small pixels": ({"pixels": 2}, r"pixels=2\)"),
    "hidden nothing": ({"hidden": ("plam", "plan", "places")}, r"hidden=\.\.\.\): unknown .*'plam'; did you mean 'plan'"),
    "planes of what is hidden": ({"planes": lambda knobs: ("wall", "secret")}, "shows 'secret', which"),
    "planes of nothing": ({"planes": lambda knobs: ("wall", "flga")}, "'flga'; did you mean 'flag'"),
    "an array in view": ({"hidden": ("plan",)}, r"field 'places' is in view.*hidden=\('places',\)"),
    "too large a number": ({"hidden": ("places",)}, "field 'plan' is in view.*255"),
}  # fmt: skip


@pytest.mark.parametrize("case", DECLARED)
def test_a_declared_sight_that_cannot_be_is_refused_naming_the_line(case: str) -> None:
    changes, words = DECLARED[case]
    with pytest.raises(ValueError, match=words):
        replace(WORLD, sight=replace(WORLD.sight, **changes))


def test_a_view_cannot_be_asked_for_around_an_agent_that_is_not_seen() -> None:
    blind = replace(WORLD, sight=Sight(hidden=(SCOUT, "plan", "places")))
    assert "scout" not in engine_of(blind).channels
    with pytest.raises(ValueError, match=r"sight='5x5' centres .*hidden=.*'scout'"):
        Distribution(blind, sight="5x5")


def test_numbers_that_no_picture_has_room_for_are_refused() -> None:
    rich = replace(
        WORLD, fields=tuple(replace(one, high=200) if one.name == "keys" else one for one in WORLD.fields)
    )
    assert engine_of(rich, "1x3 rgb").observation_shape == (3, 3 * 8, 3 * 8)
    with pytest.raises(ValueError, match="1 cells wide is too narrow to read the number 'keys'"):
        engine_of(rich, "1x1 rgb")


def test_a_sight_is_one_option_however_it_is_written() -> None:
    distribution = distribution_of("cheese_corner", {"sight": "rgb8 opaque,5x5", "size": 7})
    assert distribution.sight == "5x5 opaque rgb"
    assert distribution.options()["sight"] == distribution.with_(split="deploy", size=9).sight
    assert "sight" not in distribution_of("cheese_corner", {}).options(), "hashes of trials stay as they were"


def test_a_suite_stores_a_sight_with_its_trials() -> None:
    suite = 'name = "s"\nseeds = [0]\n[[trials]]\nenvironments = "cheese_corner"\nagents = "oracle"\nsteps = 0\noptions = '
    chosen = parse_suite(suite + '[{ sight = "rgb 5x5" }, {}]')
    assert [one.options.get("sight") for one in chosen.trials] == ["5x5 rgb", None]
    assert len({one.population for one in chosen.trials}) == 2
    with pytest.raises(SuiteError, match=r"options: sight='5x6'"):
        parse_suite(suite + '{ sight = "5x6" }')
