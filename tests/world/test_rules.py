"""The vocabulary of rules: the random stream against its published reference, and what moves, puts and finds."""

import pickle

import numpy as np
import pytest
from numba import config, njit

from mesabench import registry
from mesabench.engine import dynamics
from mesabench.engine.state import state_dtype
from mesabench.world import rules
from mesabench.world.rules import GOLDEN, Bit, events, layers, rule

WALL, COIN, AGENT = layers("wall", "coin", "agent")
SPLITMIX64_OF_0 = [
    0xE220A8397B1DCDAF,
    0x6E789E6AA1B965F4,
    0x06C45D188009454F,
    0xF88BB8A8724C81EC,
    0x1B39896A51A8749B,
]
"""The first outputs of splitmix64 seeded with 0, as its authors' C code prints them."""

FIRST_OF_40 = [33, 2, 32, 4, 6, 18, 31, 37]
"""The first eight of forty in the order of seed 0: it decides which contracts are taught."""


@njit
def mixed(out):
    counter = np.uint64(0)
    for k in range(len(out)):
        counter = counter + rules.GOLDEN
        out[k] = rules.mix(counter)


@njit
def drawn(states, n, out):
    for k in range(len(out)):
        out[k] = rules.draw(states[0], n)


@njit
def chances(states, p, out):
    for k in range(len(out)):
        out[k] = rules.chance(states[0], p)


@njit
def free_cells(states, occupied, top, left, bottom, right, out):
    for k in range(len(out)):
        out[k] = rules.free_cell_within(states[0], occupied, top, left, bottom, right)


@njit
def scattered(states, layer, number, occupied):
    rules.scatter(states[0], layer, number, occupied)
    return rules.count(states[0], layer)


@njit
def orders(n, seed, out):
    for k in range(n):
        out[k] = rules.shuffled(k, n, seed)


@njit
def moved(states, action, layer, blocking):
    return rules.move(states[0], action, layer, blocking)


@njit
def found(states, layer):
    return rules.find(states[0], layer)


@pytest.fixture
def states() -> np.ndarray:
    """One empty state of 6 x 8 cells whose stream begins at 0."""
    dtype, _ = state_dtype(registry.find_environment("cheese_corner"), (6, 8))
    with np.errstate(over="ignore"):
        yield np.zeros(1, dtype)


def chi_square(counts: np.ndarray) -> float:
    expected = counts.sum() / counts.size
    return float(((counts - expected) ** 2 / expected).sum())


def test_the_stream_is_splitmix64(states) -> None:
    out = np.zeros(5, np.uint64)
    mixed(out)
    assert out.tolist() == SPLITMIX64_OF_0
    small = np.zeros(5, np.int64)
    drawn(states, 1 << 32, small)
    assert small.tolist() == [x >> 32 for x in SPLITMIX64_OF_0], "draw takes the upper bits"
    assert int(states["_rng"][0]) == 5 * int(GOLDEN) % 2**64


@pytest.mark.parametrize("n", [1, 2, 7, 100, 1000])
def test_draw_is_uniform(states, n: int) -> None:
    out = np.zeros(200 * n, np.int64)
    drawn(states, n, out)
    counts = np.bincount(out, minlength=n)
    assert len(counts) == n
    assert chi_square(counts) < n - 1 + 4 * np.sqrt(2 * n)  # a fixed stream: four standard deviations


def test_neighbouring_draws_are_independent(states) -> None:
    out = np.zeros(50_000, np.int64)
    drawn(states, 10, out)
    assert chi_square(np.bincount(out[:-1] * 10 + out[1:], minlength=100)) < 99 + 4 * np.sqrt(200)


@pytest.mark.parametrize("p", [0.001, 0.2, 0.5, 0.97])
def test_chance_has_the_frequency_it_says(states, p: float) -> None:
    out = np.zeros(100_000, np.bool_)
    chances(states, p, out)
    assert abs(out.mean() - p) < 4 * np.sqrt(p * (1 - p) / len(out))


def test_certain_chances_draw_nothing(states) -> None:
    out = np.zeros(1, np.bool_)
    for p, certain in ((0.0, False), (1.0, True)):
        chances(states, p, out)
        assert out[0] == certain
    assert states["_rng"][0] == 0


def test_streams_of_different_purposes_never_meet() -> None:
    """A stream is a run of a counter: two of them overlap only if they begin near each other in steps of GOLDEN."""
    domains = [dynamics._LAYOUT, dynamics._SHIFT, dynamics._MIXTURE, dynamics._LEVEL, dynamics._DYNAMICS]
    assert len(set(map(int, domains))) == len(domains)
    mask = 2**64 - 1

    def mix(z: int) -> int:
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 & mask
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB & mask
        return z ^ (z >> 31)

    begins = [mix(mix(level + attempt * int(GOLDEN) & mask) ^ int(domain))
              for level in range(2000) for attempt in range(2) for domain in domains]  # fmt: skip
    inverse = pow(int(GOLDEN), -1, 2**64)
    places = np.sort(np.array([begin * inverse & mask for begin in begins], np.uint64))
    assert np.diff(places).min() > 1_000_000


def test_free_cells_are_uniform_and_never_occupied(states) -> None:
    states["grid"][0, 2, 3:5] = COIN
    for crowded in (False, True):
        if crowded:  # more than can be found by trying cells: the fallback counts them
            states["grid"][0, 1:5, 1:7] |= int(WALL)
            states["grid"][0, 1, 1] = states["grid"][0, 4, 6] = 0
        out = np.zeros((6000, 2), np.int64)
        free_cells(states, int(WALL | COIN), 1, 1, 5, 7, out)
        free = [(y, x) for y in range(1, 5) for x in range(1, 7) if not states["grid"][0, y, x]]
        counts = np.array([(out == cell).all(1).sum() for cell in free])
        assert counts.sum() == 6000
        assert chi_square(counts) < len(free) - 1 + 4 * np.sqrt(2 * len(free))
    assert not states["failed"][0]


def test_without_a_free_cell_the_level_counts_as_impossible(states) -> None:
    states["grid"][0] = WALL
    out = np.ones((1, 2), np.int64)
    free_cells(states, int(WALL), 0, 0, 6, 8, out)
    assert states["failed"][0]
    assert out.tolist() == [[0, 0]]


def test_scatter_takes_different_cells_and_fails_where_there_are_too_few(states) -> None:
    states["grid"][0, 0] = WALL
    assert scattered(states, int(COIN), 40, int(WALL)) == 40
    assert not states["failed"][0]
    states["grid"][0] = 0
    scattered(states, int(COIN), 49, int(WALL))
    assert states["failed"][0]


def test_moves_go_where_they_say_and_stop_at_what_blocks(states) -> None:
    def at(action: int) -> tuple[bool, tuple[int, int]]:
        states["grid"][0] &= 255 - AGENT
        states["grid"][0, 3, 4] |= int(AGENT)
        states["y"], states["x"] = 3, 4
        went = moved(states, action, int(AGENT), int(WALL))
        (cell,) = np.argwhere(states["grid"][0] & AGENT).tolist()
        assert cell == [states["y"][0], states["x"][0]]
        return bool(went), tuple(cell)

    assert [at(action) for action in range(5)] == [
        (True, (2, 4)), (True, (3, 3)), (True, (4, 4)), (True, (3, 5)), (False, (3, 4)),
    ]  # fmt: skip
    states["grid"][0, 2, 4] = WALL | COIN
    states["grid"][0, 3, 3] = COIN
    assert at(rules.UP) == (False, (3, 4))
    assert at(rules.LEFT) == (True, (3, 3))
    assert states["grid"][0, 3, 3] == COIN | AGENT


def test_find_is_the_first_in_reading_order(states) -> None:
    assert found(states, int(COIN)) == (0, 0)
    states["grid"][0, 4, 1] = states["grid"][0, 2, 6] = COIN
    assert found(states, int(COIN | AGENT)) == (2, 6)


def test_a_rule_is_compiled_once_whatever_integers_it_is_given() -> None:
    @rule
    def quarter(n):
        return n // 4

    @njit
    def quarters(narrow, unsigned):
        return quarter(9) + quarter(narrow) + quarter(unsigned) + quarter(n=np.int64(-9))

    assert quarters(np.int32(-9), np.uint8(250)) == 2 - 3 + 62 - 3
    assert config.DISABLE_JIT or len(quarter.overloads) == 1


def test_bits_are_ints_with_names() -> None:
    assert [int(bit) for bit in layers("a", "b", "c")] == [1, 2, 4]
    (only,) = events("got_it")
    copy = pickle.loads(pickle.dumps(only))
    assert (copy, copy.name, type(copy)) == (1, "got_it", Bit)


@pytest.mark.parametrize("names", [(), ("a", "a"), ("two words",), tuple(f"n{k}" for k in range(17))])
def test_names_of_bits_must_be_distinct_identifiers(names) -> None:
    with pytest.raises(ValueError, match=r"layers"):
        layers(*names)


def test_a_fixed_order_has_everything_once_and_is_its_seeds_alone() -> None:
    found = np.zeros((3, 40), int)
    for seed in range(3):
        orders(40, seed, found[seed])
        assert sorted(found[seed]) == list(range(40))
    assert len({tuple(one) for one in found}) == 3
    assert found[0, :8].tolist() == FIRST_OF_40
