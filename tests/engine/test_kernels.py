"""The engine: frozen levels, observations bit by bit, events and returns, ends, digests."""

import dataclasses
import itertools

import numpy as np
import pytest

from mesabench import Environment, Field, Knob, Objective, Sight, registry
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution
from mesabench.engine.kernels import RUNNING, TERMINATED, TRUNCATED
from mesabench.engine.state import state_dtype
from mesabench.world import mazes
from mesabench.world.environment import DEPLOY
from mesabench.world.rules import chance, draw, events, free_cell, has, layers, move, put, put_agent, rule

FROZEN = {
    ("train", "blocks"): [0x4FBD9A042291B21D, 0x6A153477C3FCCC8B, 0xD099C1A7407B1222, 0x4D072C2C34F809C6],
    ("train", "tree"): [0x0D758E0B6695F2D8, 0x07BDF2DEA0385190, 0xEF259DC6236E4F0E, 0xCE5BAB698FCD6A3F],
    ("train", "room"): [0x160177CD8E05A46D, 0x6AFC1A42CDA9FDD5, 0xA927A6255A5D6817, 0x67D459E7C414C1F5],
    ("heldout", "blocks"): [0xC4EA5103B2E94D25, 0xDA74F4945107461D, 0x609CA1EDFCDCB412, 0xCA1AF8C3E0D83A4F],
    ("heldout", "tree"): [0x9D0BC246F2247D48, 0xE4D194F9237ED960, 0xC328486BF1346815, 0x947913D05D9878F4],
    ("heldout", "room"): [0xE51A4AE31EEC9D96, 0xB0CB0DE2D289E244, 0x6603327B70738DAB, 0x6603327B70738DAB],
    ("deploy", "blocks"): [0x0153B26B5864279D, 0xCEBC2F41D5517F6A, 0x6015A7FC4E3CF27A, 0x0D527CA477B281C3],
    ("deploy", "tree"): [0x8F2AC949295F7CF3, 0x9044CD21D56770F4, 0xD076D9C833966C53, 0x9427F081181C0DA3],
    ("deploy", "room"): [0x3A730D0BE8FFFB9B, 0x5B215D39E2DD19F7, 0xE4C8F99FF0E32E08, 0xDFD2F70FDF39E49F],
}
"""Digests of the levels 0, 1, 2 and 2**62 of cheese_corner-v0 at its default size."""


@pytest.mark.parametrize(("split", "maze"), FROZEN)
def test_levels_are_the_same_for_ever(split: str, maze: str) -> None:
    """A seed names a level in results everywhere. If levels must change, raise the environments' `version` with them."""
    environment = registry.find_environment("cheese_corner")
    assert environment.version == 0, "freeze the new version's levels here"
    batch = Batch(Distribution(environment, split, knobs={"maze": maze}), 4, observe=False)
    batch.reset(levels=np.array([0, 1, 2, 2**62]))
    assert batch.digests.tolist() == FROZEN[split, maze]


def test_observations_are_the_declared_planes(environment, splits) -> None:
    """Layer by layer and field by field, against NumPy, while episodes run."""
    for split in splits:
        batch = Batch(Distribution(environment, split), 30, threads=1)
        batch.reset()
        for t in range(20):
            expected = []
            for name in batch.engine.channels:
                if name in environment.layer_names:
                    expected.append(batch.states["grid"] >> environment.layer_names.index(name) & 1)
                else:
                    field = batch.states[name].astype(np.uint8)
                    expected.append(np.broadcast_to(field[:, None, None], (30, *batch.engine.shape)))
            np.testing.assert_array_equal(batch.observations, np.stack(expected, 1))
            assert (batch.observations <= batch.engine.channel_highs[:, None, None]).all()
            batch.step(np.arange(30) * (t + 1) % len(environment.actions), autoreset=True)


def test_rewards_returns_and_ends_follow_from_events(environment) -> None:
    n, steps = 200, 150
    batch = Batch(Distribution(environment, DEPLOY), n, observe=False)
    batch.reset()
    rng = np.random.default_rng(0)
    returns = np.zeros_like(batch.returns)
    seen = np.zeros(n, int)
    ended = np.zeros(n, bool)
    for _ in range(steps):
        clock = batch.states["_clock"].copy()
        batch.step(rng.integers(0, len(environment.actions), n), autoreset=True)
        returns[ended], seen[ended] = 0, 0
        assert not batch.rewards[ended].any(), "an episode's first state is no step"
        happened = batch.events.astype(int)
        per_step = (happened[:, None] >> np.arange(len(environment.weights)) & 1) @ environment.weights
        returns += per_step
        np.testing.assert_allclose(batch.returns, returns, atol=1e-9)  # payments cancel in camera
        np.testing.assert_allclose(batch.rewards, per_step[:, batch.paid])
        assert not (happened & seen & int(environment.once)).any(), "an event of `once` came twice"
        seen |= happened
        terminal = (happened & int(environment.ends)) > 0
        late = ~ended & (clock + 1 >= batch.states["_max_steps"])
        np.testing.assert_array_equal(batch.terminated, terminal)
        np.testing.assert_array_equal(batch.truncated, late & ~terminal)
        ended = terminal | late
        np.testing.assert_array_equal(
            batch.status, np.select([terminal, late], [TERMINATED, TRUNCATED], RUNNING)
        )


def test_digests_tell_contents_apart(environment, levels) -> None:
    """Equal contents have equal digests, and nothing else has."""
    batch = levels(environment, DEPLOY, 3000)
    contents = batch.engine.content_of(batch.states)
    unique = np.unique(contents, axis=0)
    assert len(np.unique(batch.digests)) == len(unique)
    pairs = {(row.tobytes(), digest) for row, digest in zip(contents, batch.digests.tolist(), strict=True)}
    assert len(pairs) == len(unique)


def test_one_bit_changes_a_digest(levels) -> None:
    environment = registry.find_environment("cheese_corner")
    batch = levels(environment, DEPLOY, 1)
    engine = batch.engine
    words = engine.content_of(batch.states)
    rows = np.repeat(words, words.size * 64, axis=0)
    for bit in range(len(rows)):
        rows[bit, bit // 64] ^= np.uint64(1 << bit % 64)
    digests = engine.settle(engine.states_of(rows))
    assert len(np.unique(np.append(digests, batch.digests))) == len(rows) + 1


def test_the_state_is_laid_out_in_words(environment) -> None:
    dtype, content = state_dtype(environment, (5, 7))
    assert dtype.itemsize % 8 == 0
    spans = {name: (spec[1], spec[1] + spec[0].itemsize) for name, spec in dtype.fields.items()}
    own = {"grid", "y", "x", "seen", *(one.name for one in environment.fields)}
    assert sum(stop - start for start, stop in spans.values()) == dtype.itemsize, (
        "NumPy copies what has a name"
    )
    for name, (start, stop) in spans.items():
        if name.startswith("_gap"):
            continue
        inside = 8 * content.start <= start and stop <= 8 * content.stop
        assert inside == (name in own), name
        assert start % dtype[name].base.itemsize == 0
    ordered = sorted(spans.values())
    assert all(stop <= start for (_, stop), (start, _) in itertools.pairwise(ordered))


def test_a_kernel_is_compiled_once_whatever_arrays_come() -> None:
    batch = Batch(Distribution(registry.find_environment("cheese_corner")), 4)
    actions = np.zeros((4, 2), np.int64)[:, 0]
    actions.flags.writeable = False
    batch.reset()
    compiled = len(batch.engine.advance.signatures)
    batch.reset(np.ones(8, np.bool_)[::2], np.arange(4)[::-1])
    batch.step(actions)
    batch.step(actions.astype(np.uint8))
    batch.alternate()
    batch.step(actions)
    assert len(batch.engine.advance.signatures) == compiled


NAMES = "wall", "a", "b", "c", "d", "e", "f", "g", "h", "goal", "agent"
WALL, A, B, C, D, E, F, G, H, GOAL, AGENT = layers(*NAMES)
STEPPED, AT_GOAL, LUCKY = events("stepped", "at_goal", "lucky")


@rule
def layout(s, knobs):
    mazes.open_room(s, WALL)
    for layer in (A, B, C, D, E, F, G, H, GOAL):
        y, x = free_cell(s, WALL)
        put(s, y, x, layer)
    y, x = free_cell(s, WALL | GOAL)
    put_agent(s, y, x, AGENT)
    s.lives = knobs.lives
    s.places[1] = y


@rule
def step(s, action):
    happened = STEPPED
    move(s, action, AGENT, WALL)
    if has(s, s.y, s.x, GOAL):
        happened |= AT_GOAL
    if chance(s, 0.25):
        happened |= LUCKY
        s.lives = draw(s, 10)
    return happened


WIDE = Environment(
    name="wide",
    layers=(WALL, A, B, C, D, E, F, G, H, GOAL, AGENT),
    sight=Sight(hidden=(C, "places")),
    fields=(Field("lives", high=200), Field("places", high=99, shape=(3,))),
    events=(STEPPED, AT_GOAL, LUCKY),
    agent=AGENT,
    wall=WALL,
    layout=layout,
    step=step,
    ends=AT_GOAL,
    objectives={
        "goal": Objective({AT_GOAL: 1.0, STEPPED: -0.125}),
        "luck": Objective({LUCKY: 1.0}),
    },
    intended="goal",
    proxies=("luck",),
    knobs={"lives": Knob(150, 0, 200), "max_steps": Knob(30, 1, 99)},
    splits={"train": {}, "deploy": {"lives": 7}},
    shape=lambda knobs: (5, 8),
    actions=("up", "left", "down", "right", "stay"),
    paired=False,
)
"""More than 8 layers (uint16 cells), an oblong grid, fields of both kinds, a fifth action, chance in steps."""


def test_an_environment_may_have_wide_cells_an_oblong_grid_and_any_fields(levels) -> None:
    test_observations_are_the_declared_planes(WIDE, ("train", "heldout", "deploy"))
    test_rewards_returns_and_ends_follow_from_events(WIDE)
    test_digests_tell_contents_apart(WIDE, levels)
    batch = Batch(Distribution(WIDE), 1)
    batch.reset()
    assert batch.states["grid"].dtype == np.uint16
    assert batch.observations.shape == (1, 11, 5, 8)
    assert (batch.observations[0, -1] == 150).all()


DECLARATIONS = {
    "intended": ({"intended": "gaol"}, ("intended objective", "'gaol'", "did you mean 'goal'?")),
    "training": ({"training": "x"}, ("training objective", "goal, luck")),
    "proxy": ({"proxies": ("luk",)}, ("proxy", "did you mean 'luck'?")),
    "splits": ({"splits": {"train": {}}}, ("'deploy'", "given: train")),
    "knob of a split": ({"splits": {"train": {}, "deploy": {"live": 1}}}, ("split 'deploy'", "did you mean 'lives'?")),
    "value of a split": ({"splits": {"train": {}, "deploy": {"lives": 201}}}, ("lives=201", "0 to 200")),
    "time limit": ({"knobs": {}, "splits": {"train": {}, "deploy": {}}}, ("max_steps",)),
    "wall": ({"wall": AGENT}, ("first layer",)),
    "field": ({"fields": (Field("lives", high=256), Field("places", 9, (3,)))}, ("'lives'", "255")),
    "glyph": ({"glyphs": {"goal": "="}}, ("'goal'", "'='")),
    "hidden glyph": ({"glyphs": {"goal": " "}}, ("'goal'", "' '")),
}  # fmt: skip


@pytest.mark.parametrize("case", DECLARATIONS)
def test_a_wrong_declaration_is_refused(case: str) -> None:
    changes, words = DECLARATIONS[case]
    with pytest.raises(ValueError, match=r".") as caught:
        dataclasses.replace(WIDE, **changes)
    for word in words:
        assert word in str(caught.value)


def test_a_grid_too_large_for_the_scratch_space_is_refused() -> None:
    with pytest.raises(ValueError, match=r"32,?767"):
        Batch(Distribution(dataclasses.replace(WIDE, shape=lambda knobs: (182, 182))), 1)
