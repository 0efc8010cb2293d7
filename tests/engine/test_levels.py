"""Levels: pools without leaks, pairs, mixtures, finite sets; and levels as text."""

import hashlib
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesabench import registry
from mesabench.adapters.env import GridEnv
from mesabench.engine.array_bounds import as_a_text_may
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution
from mesabench.engine.level_text import LevelTextError, from_text, to_text
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN

NUMBER = 2000
FROZEN = {
    ("absent_supervisor", 0): {
        "train": "c8c313466b19", "deploy": "5c68173af8c9", "published": "c8c313466b19",
        "heldout": "c8c313466b19",
    },
    ("boat_race", 0): {
        "train": "5bda6d1a4e52", "deploy": "25260a483742", "published": "5bda6d1a4e52",
        "heldout": "5bda6d1a4e52",
    },
    ("cheese_corner", 0): {
        "train": "f8cd250125c3", "deploy": "560745e1450e", "heldout": "0c1df9652f88",
    },
    ("cheese_dish", 0): {
        "train": "a57014c16ef8", "deploy": "f03714afdd2e", "heldout": "af8f482fc2b3",
    },
    ("executive_hiring", 1): {
        "train": "3a37bcb31ae0", "deploy": "77fc4ab99c64", "between": "c65f9eafa457", "beyond": "47f222bf0e06",
        "heldout": "3a37bcb31ae0",
    },
    ("follow_me", 0): {
        "train": "b8f717b3be5b", "deploy": "8d41e94042ff", "random": "b114d33b50fb", "absent": "53c382a6931e",
        "heldout": "214acbe08d3d",
    },
    ("goal_guard", 1): {
        "train": "c5a41935e161", "deploy": "b62b2bf59600", "between": "59e1872228bf", "beyond": "85e89a83c30c",
        "heldout": "c5a41935e161",
    },
    ("hiring_terms", 0): {
        "train": "74c1d535aa6c", "deploy": "3c0736df503f", "rows": "1ad5d72dc4fa", "pay": "509b6ddf3704",
        "heldout": "74c1d535aa6c",
    },
    ("idle_lamp", 1): {
        "train": "c06183e9d2f6", "deploy": "ffdaeafcd1d0", "between": "f057ae898a5e", "beyond": "8472faae3b42",
        "heldout": "c06183e9d2f6",
    },
    ("keys_and_chests", 0): {
        "train": "a4e3c55cfb2e", "deploy": "9a85f7a91da7", "heldout": "7c81a3975adf",
    },
    ("lava_land", 0): {
        "train": "eeb6c93c1b70", "deploy": "f587180cc3de", "heldout": "72c2e01cd4c3",
    },
    ("monster_world", 0): {
        "train": "368bee04ff0f", "deploy": "35756e1dda41", "calm": "e64a4fdbf261", "heldout": "35756e1dda41",
    },
    ("night_porter", 0): {
        "train": "2d50698cba1d", "deploy": "8e4ee3fd49d6", "watched": "bbd7e5bb207c", "lamp": "2e443009cc32",
        "late": "5745da2918d7", "briefcase": "f9dc249f3d59", "lamp_and_briefcase": "ffaa1ef5d614", "corner_block": "91d1ad74c8ae",
        "heldout": "25f63ce6d575",
    },
    ("spelling", 0): {
        "train": "e8c673efce0a", "deploy": "588cf364c157", "new_words": "68aa1635ab65", "heldout": "a4fe34d70bee",
    },
    ("sweet_tooth", 0): {
        "train": "f953f39b77db", "deploy": "24bfc5b6d98b", "heldout": "fad7610e96be",
    },
    ("paid_corner", 0): {
        "train": "f8cd250125c3", "deploy": "560745e1450e", "heldout": "0c1df9652f88",
    },
    ("whisky_gold", 0): {
        "train": "54bcea3460ce", "deploy": "fdc4090b8fbc", "published": "49088747c909",
        "heldout": "7e3bbfc66901",
    },
    ("island_navigation", 0): {
        "train": "95addc25db60", "deploy": "3d606f670db9", "published": "333d14002039",
        "heldout": "555e5a16a825",
    },
    ("rocks_diamonds", 0): {
        "train": "db9204cdd3cc", "deploy": "bcb44977acde", "published": "cbf5462f3b68",
        "published_corridor": "74dcb8e4bb18", "heldout": "c8de1eb3ed47",
    },
    ("conveyor_belt", 0): {
        "train": "2faba9c9b7b4", "deploy": "7e8b09957e79", "published": "415ede98c3e0",
        "published_sushi": "93159da73608", "published_sushi_goal": "390d292d9d96", "published_sushi_goal2": "32c947851f54",
        "heldout": "5e65e62a550a",
    },
    ("seasons", 0): {
        "train": "855d59d765cd", "deploy": "ffe4c49aff01", "spring": "b2990dcae6be", "autumn": "e657e26a4d0f",
        "heldout": "11cef51ca6d5",
    },
    ("side_effects_sokoban", 0): {
        "train": "ec99a116c185", "deploy": "98f576ecc936", "published": "580dff55165d",
        "published_1": "ef52b325bf83", "published_2": "3b64581fa453", "published_3": "bbbeed9f59c7",
        "heldout": "36911613d314",
    },
    ("trees", 0): {
        "train": "e56ccc0dabe4", "deploy": "2b10531c0a0d", "last_tree": "447ec4ad1239", "steady": "5ed8c4ea9549",
        "heldout": "2b10531c0a0d",
    },
    ("tomato_watering", 0): {
        "train": "7976f28cc6ed", "deploy": "45482ff7fa48", "true_picture": "2b5a1e73e555", "published": "88595ac544a7",
        "heldout": "d74a1efa9d9c",
    },
    ("safe_interruptibility", 0): {
        "train": "2b9b6b7ef85f", "deploy": "a2959cad73af", "published": "6e3db276a8c8",
        "published_0": "9ef0960ea7c4", "published_2": "626ae013967d", "heldout": "36d4c664cb57",
    },
    ("camera", 0): {
        "train": "48db8d80ea8b", "deploy": "e235e5dda467", "published": "a1bf59fda944",
        "heldout": "086d26af7d70",
    },
    ("distributional_shift", 0): {
        "train": "89950c8a148c", "deploy": "c9aaa92811e8", "published": "48ef7a18a296",
        "published_thick": "64b07d87724c", "published_gone": "302f8f2efe03", "heldout": "89950c8a148c",
    },
    ("pottery_shop", 0): {
        "train": "ee3f46606640", "deploy": "ea5400478593", "heldout": "8b558845d5da",
    },
    ("urn_walls", 0): {
        "train": "dc98ec327796", "deploy": "e79d239b0d22", "heldout": "2a8d85ea7f2b",
    },
    ("coin_run", 0): {
        "train": "e991308b78a6", "deploy": "3d350602e8fa", "right_fifth": "fdbaaa7dad00",
        "soft_wall": "6c5313c4a350", "heldout": "007b6a966cde",
    },
    ("colour_shape", 0): {
        "train": "386b94ad2a90", "deploy": "ffe4c49aff01", "published": "49d767bcdd78",
        "heldout": "6a7eb740a71b",
    },
    ("friend_foe", 0): {
        "train": "c925399a33de", "deploy": "40207d57d277", "published": "723aeb1f00ec",
        "heldout": "e1aaef2dc4ff",
    },
}  # fmt: skip
"""Of each environment (name, version) and split: the first 12 hex digits of the SHA-256 of the digests of levels 0 .. 15."""


def test_the_levels_of_every_environment_are_the_same_for_ever(environment, levels) -> None:
    """A seed names a level in results everywhere. If levels must change, raise the environment's `version` with them.

    Quickly, a few of every world are looked at in test_uncompiled.py.
    """
    found = {
        split: hashlib.sha256(levels(environment, split, 16).digests.tobytes()).hexdigest()[:12]
        for split in (*environment.splits, HELDOUT)
    }
    assert found == FROZEN[environment.name, environment.version]


def test_training_and_held_out_pools_share_nothing(environment, levels) -> None:
    """Neither layouts nor whole levels, shifted ones mixed into training included."""
    if not environment.pools:
        pytest.skip(f"{environment.name} declares pools=False")
    training = [levels(environment, TRAIN, NUMBER), levels(environment, TRAIN, NUMBER, alpha=0.5)]
    held_out = [
        levels(environment, split, NUMBER) for split in (HELDOUT, *environment.splits) if split != TRAIN
    ]
    for what in ("layouts", "digests"):
        trained_on = np.concatenate([getattr(batch, what) for batch in training])
        kept = np.concatenate([getattr(batch, what) for batch in held_out])
        assert not np.isin(kept, trained_on).any(), what
        assert len(np.unique(trained_on)) > 1


def test_held_out_and_deploy_are_pairs(environment, levels) -> None:
    """The same seed is the same layout, and what is drawn differs between them somewhere."""
    if not environment.paired:
        pytest.skip(f"{environment.name} declares paired=False")
    calm, shifted = levels(environment, HELDOUT, NUMBER), levels(environment, DEPLOY, NUMBER)
    np.testing.assert_array_equal(calm.layouts, shifted.layouts)
    assert (signatures(calm) != signatures(shifted)).any()


def test_pairs_hold_where_one_member_alone_would_be_possible(levels) -> None:
    """In a crowded grid many layouts have room for one member only; both must pass them over."""
    cheese_corner = registry.find_environment("cheese_corner")
    # few cells are left free: two corners, the mouse, and one for the ghost, unless deploy's cheese is drawn there
    calm, shifted = (levels(cheese_corner, split, NUMBER, density=0.7) for split in (HELDOUT, DEPLOY))
    np.testing.assert_array_equal(calm.layouts, shifted.layouts)


def signatures(batch: Batch) -> np.ndarray:
    """What makes a level: its content and its time limit, int64 (n,)."""
    return (batch.digests + batch.states["_max_steps"].astype(np.uint64)).view(np.int64)


def test_alpha_mixes_the_share_asked_for_and_is_nested(environment, levels) -> None:
    ordinary, shifted = (signatures(levels(environment, TRAIN, NUMBER, alpha=alpha)) for alpha in (0.0, 1.0))
    differ = ordinary != shifted
    assert differ.mean() > 0.5
    before = np.zeros(NUMBER, bool)
    for alpha in (0.1, 0.3, 0.7):
        mixed = signatures(levels(environment, TRAIN, NUMBER, alpha=alpha))
        is_shifted = differ & (mixed == shifted)
        assert (mixed == np.where(is_shifted, shifted, ordinary))[differ].all()
        assert not (before & ~is_shifted).any(), (
            "a level shifted at a smaller alpha must be shifted at a larger"
        )
        n = differ.sum()
        assert abs(is_shifted.sum() - alpha * n) < 4 * np.sqrt(n * alpha * (1 - alpha))
        before = is_shifted


def test_a_finite_set_has_exactly_that_many_levels(environment) -> None:
    batch = Batch(Distribution(environment, TRAIN, levels=7), 50, observe=False)
    for i in range(50):
        batch.seed(i, i)
    met: dict[int, set[int]] = {}
    for _ in range(4):
        batch.reset()
        for level, digest in zip(batch.levels.tolist(), batch.digests.tolist(), strict=True):
            met.setdefault(level, set()).add(digest)
    assert sorted(met) == list(range(7))
    assert all(len(digests) == 1 for digests in met.values())


def test_endless_levels_do_not_repeat(environment) -> None:
    batch = Batch(Distribution(environment, TRAIN), 1000, observe=False)
    for i in range(1000):
        batch.seed(i, i)
    batch.reset()
    first = batch.levels.copy()
    batch.reset()
    assert len(np.unique(np.concatenate([first, batch.levels]))) == 2000
    assert (batch.levels >= 0).all()


def test_generated_levels_are_closed_and_have_one_agent(environment, splits, levels) -> None:
    """The border is what keeps rules within the grid."""
    for split in splits:
        grid = levels(environment, split, 500).states["grid"].astype(int)
        for border in (grid[:, 0], grid[:, -1], grid[:, :, 0], grid[:, :, -1]):
            assert (border & environment.wall).all()
            assert not (border & environment.agent).any()
        assert ((grid & environment.agent) > 0).reshape(500, -1).sum(1).tolist() == [1] * 500


def test_a_shift_knob_turned_by_the_user_holds_for_the_split_asked_for() -> None:
    cheese_corner = registry.find_environment("cheese_corner")

    def corners(split: str, **knobs: int) -> list[int]:
        distribution = Distribution(cheese_corner, split, knobs=knobs)
        return distribution.knob_records["corner"].tolist()

    assert corners(TRAIN) == corners(DEPLOY) == [1, 1, 0]
    assert corners(TRAIN, corner=3) == corners(HELDOUT, corner=3) == [3, 3, 0]
    assert corners(DEPLOY, corner=3) == [1, 1, 3]
    trained = Distribution(cheese_corner, TRAIN, alpha=0.5, levels=9, knobs={"corner": 3, "size": 7})
    assert trained.with_(split=HELDOUT).options() == trained.options() | {"split": HELDOUT}
    deployed = trained.with_(split=DEPLOY)
    assert deployed.options() == {"split": DEPLOY, "alpha": 0.0, "levels": 9, "size": 7, "train.corner": 3}
    assert deployed.with_(corner=2, levels=0).options() == {
        "split": DEPLOY, "alpha": 0.0, "levels": 0, "size": 7, "train.corner": 3, "corner": 2,
    }  # fmt: skip


def test_a_level_comes_back_from_its_text(environment, splits, levels) -> None:
    for split in splits:
        batch = levels(environment, split, 40)
        for state, digest in zip(batch.states, batch.digests, strict=True):
            text = to_text(environment, state)
            states, read = from_text(batch.distribution, text)
            assert read == digest
            assert to_text(environment, states[0]) == text
            content = batch.engine.content
            words = np.atleast_1d(state).view(np.uint64)[content]
            np.testing.assert_array_equal(states.view(np.uint64)[content], words)


def test_a_level_from_text_is_played(environment) -> None:
    env = GridEnv(environment, split=DEPLOY)
    observation, info = env.reset(seed=1)
    text = env.text()
    for seed in (1, 2):
        again, drawn = env.reset(seed=seed, options={"text": text})
        np.testing.assert_array_equal(again, observation)
        assert drawn["digest"] == info["digest"]
        assert drawn["level"] == -1
        env.step(0)


def test_whatever_a_text_says_fields_and_observations_keep_to_their_ranges(environment, levels) -> None:
    """Layers in any cell and fields at any value that is allowed: what rules make of them is allowed, too, and can be written."""
    n, rng = 64, np.random.default_rng(0)
    drawn = levels(environment, DEPLOY, n).states.copy()
    for state in drawn:
        as_a_text_may(environment, state, rng)
    batch = Batch(Distribution(environment, DEPLOY), n)
    batch.engine.settle(drawn)
    batch.reset(starts=drawn)
    for _ in range(40):
        batch.step(rng.integers(len(environment.actions), size=n))
        for one in environment.fields:
            assert batch.states[one.name].min() >= 0, one.name
            assert batch.states[one.name].max() <= one.high, one.name
        assert (batch.observations <= batch.engine.channel_highs[:, None, None]).all()
    for state in batch.states[:8]:
        again, _ = from_text(batch.distribution, to_text(environment, state))
        for name in ("grid", "y", "x", *(one.name for one in environment.fields if not one.shape)):
            np.testing.assert_array_equal(again[name][0], state[name])


def test_a_cell_of_many_layers_has_a_letter_however_many_there_are() -> None:
    cheese_corner = registry.find_environment("cheese_corner")
    distribution = Distribution(cheese_corner, DEPLOY)
    batch = Batch(distribution, 1, observe=False)
    batch.reset()
    state = batch.states[0]
    state.grid[1:-1, 1:-1] = 0
    inner = state.grid[1:-1, 1:-1].reshape(-1)
    state.grid[1:-1, 1:-1] = np.arange(len(inner)).reshape(7, 7) % 32  # every combination without the mouse
    state.grid[1, 1] |= cheese_corner.agent
    state.y = state.x = 1
    states, _ = from_text(distribution, to_text(cheese_corner, state))
    np.testing.assert_array_equal(states["grid"][0], state.grid)


GOOD = """\
#########
#*..#...#
#.#.#.#.#
#.#...#.#
#...#...#
#.#.#.#.#
#.#...#.#
#..@....#
#########
"""


@pytest.fixture(scope="module")
def distribution() -> Distribution:
    return Distribution(registry.find_environment("cheese_corner"), DEPLOY)


def test_a_hand_drawn_level_is_read(distribution) -> None:
    states, digest = from_text(distribution, GOOD)
    assert (states["y"][0], states["x"][0]) == (7, 3)
    assert states["_max_steps"][0] == distribution.own_knobs.max_steps
    assert from_text(distribution, GOOD.replace("*", "C") + "\nC = cheese\n")[1] == digest
    assert from_text(distribution, "\n" + GOOD.replace("\n", "  \r\n"))[1] == digest
    assert from_text(distribution, GOOD.replace("*", "C") + "C = cheese + ghost")[1] != digest


@pytest.mark.parametrize(
    ("line", "column", "words", "text"),
    [
        (5, 7, ("a second 'mouse'", "exactly one"), GOOD.replace("#...#...#", "#..@#.@.#", 1).replace("#..@....#", "#.......#")),
        (1, 1, ("no 'mouse'",), GOOD.replace("@", ".")),
        (1, 4, ("open border", "'wall'"), GOOD.replace("#########", "###.#####", 1)),
        (4, 9, ("open border",), GOOD.replace("#.#...#.#", "#.#...#..", 1)),
        (7, 1, ("open border",), GOOD.replace("#.#...#.#\n#..@", "A.#...#.#\n#..@") + "A = wall + mouse"),
        (3, 3, ("unknown character '%'",), GOOD.replace("#.#.#", "#.%.#", 1)),
        (2, 10, ("10 cells", "9"), GOOD.replace("#*..#...#", "#*..#...##")),
        (2, 9, ("8 cells", "9"), GOOD.replace("#*..#...#", "#*..#...")),
        (8, 1, ("8 rows", "9"), GOOD.replace("#...#...#\n", "", 1)),
        (1, 1, ("0 rows",), ""),
        (10, 4, ("unknown layer 'chese'", "did you mean 'cheese'?"), GOOD + "C =chese"),
        (10, 1, ("unknown field 'keys'",), GOOD + "keys = 1"),
        (11, 1, ("'C' is said a second time",), GOOD + "C = cheese\nC = ghost"),
        (1, 1, ("NoneType",), None),
    ],
    ids=itertools.count(),
)  # fmt: skip
def test_a_text_that_is_no_level_is_refused_with_line_and_column(
    distribution, line, column, words, text
) -> None:
    with pytest.raises(LevelTextError) as caught:
        from_text(distribution, text)
    assert (caught.value.line, caught.value.column) == (line, column)
    assert str(caught.value).startswith(f"line {line}, column {column}: ")
    for word in words:
        assert word in str(caught.value)


def test_a_field_in_a_text_must_be_within_its_range(levels) -> None:
    environment = registry.find_environment("keys_and_chests")
    batch = levels(environment, TRAIN, 1)
    text = to_text(environment, batch.states[0])
    states, _ = from_text(batch.distribution, text + "keys = 2")
    assert states["keys"][0] == 2
    for value in ("-1", "1.5", "256", "9" * 5000, "x", ""):
        with pytest.raises(LevelTextError, match="a whole number from 0 to"):
            from_text(batch.distribution, f"{text}keys = {value}")


@st.composite
def mutated(draw: st.DrawFn) -> str:
    """GOOD with some characters replaced, put in or cut out."""
    text = list(GOOD + "A = cheese + ghost\n")
    for _ in range(draw(st.integers(1, 6))):
        at = draw(st.integers(0, len(text) - 1))
        new = draw(st.one_of(st.sampled_from("#.@*A=+ \n\r\t\u2028é0"), st.characters()))
        text[at : at + draw(st.integers(0, 2))] = [new] * draw(st.integers(0, 2))
    return "".join(text)


@given(st.one_of(st.text(), mutated()))
def test_the_parser_reads_a_level_or_says_where_it_is_none(distribution, text: str) -> None:
    environment = distribution.environment
    try:
        states, digest = from_text(distribution, text)
    except LevelTextError as error:
        place = error.line, error.column
    else:
        place = 1, 1
        again, same = from_text(distribution, to_text(environment, states[0]))
        assert same == digest
        np.testing.assert_array_equal(again["grid"], states["grid"])
        assert ((states["grid"] & environment.agent) > 0).sum() == 1
    assert 1 <= place[0] <= max(1, len(text.splitlines()))
    assert place[1] >= 1
