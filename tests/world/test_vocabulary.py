"""The author's vocabulary: small worlds in its words, and what each word promises."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesabench import Environment, Field, Knob, registry, solver, testing
from mesabench.catalogue import tables_of
from mesabench.cli.play import Game
from mesabench.engine.batch import Batch, RuleError
from mesabench.engine.distribution import Distribution
from mesabench.engine.kernel_cache import kernel
from mesabench.engine.kernels import engine_for
from mesabench.engine.level_text import LevelTextError, from_text, to_text
from mesabench.evaluation.replays import record
from mesabench.report.episodes import account, packed, strip
from mesabench.scores.reference import reference_of
from mesabench.world import GRID, Objective, Sight, amount, ascii_map, events, layers, mazes, rules
from mesabench.world.rules import Bit, counted, rule

WORLDS = Path(__file__).parent / "worlds"
NAMES = ["friend", "garden", "tape", "warehouse"]


def world(name: str) -> Environment:
    return registry.find_environment(str(WORLDS / f"{name}.py"))


def started(environment: Environment, n: int, **options: object) -> Batch:
    """A batch on its own streams, the i-th seeded with i."""
    split = str(options.pop("split", "train"))
    batch = Batch(Distribution(environment, split, knobs=options), n, threads=1)
    for i in range(n):
        batch.seed(i, i)
    batch.reset()
    return batch


WALL, AGENT = layers("wall", "agent")
OUTCOMES, (MANY, *_, FINAL) = (lambda named: (named[:3], named[3:]))(
    events("first", "second", "third", amount("count", 5), *(f"e{k}" for k in range(26)))
)
CHOOSE, COUNT, LAST = range(3)


@rule
def lay_out(s, knobs):
    mazes.open_room(s, WALL)
    rules.put_agent(s, 1, 1, AGENT)
    s.a = knobs.a
    s.b = knobs.b
    s.c = knobs.c
    s.count = knobs.count


@rule
def throw(s, action):
    if action == CHOOSE:
        return 1 << rules.choose(s, s.a / 4.0, s.b / 4, s.c * 0.25)
    return counted(MANY, s.count) if action == COUNT else int(FINAL)


DICE = Environment(
    name="dice", story="Dice.", layers=(WALL, AGENT), events=(*OUTCOMES, MANY, FINAL), agent=AGENT, wall=WALL,
    layout=lay_out, step=throw, ends=FINAL, intended="last", actions=("choose", "count", "end"), pools=False,
    objectives={"last": Objective({FINAL: 2.0}, "end it")},
    fields=tuple(Field(name, 1000) for name in ("a", "b", "c", "count")),
    sight=Sight(hidden=("a", "b", "c", "count")),
    knobs={name: Knob(1, -1, 1000) for name in ("a", "b", "c", "count")} | {"max_steps": Knob(3, 1, 9)},
    splits={"train": {}, "deploy": {}}, shape=lambda knobs: (3, 4), paired=False,
)  # fmt: skip
"""An action for each of: a weighted choice, an amount, the last of 32 bits of events."""


ALL_CHECKS = pytest.mark.slow(reason="all checks in each world; quickly in two, and single ones in all")


@pytest.mark.parametrize(
    "name", ["garden", "tape", *(pytest.param(one, marks=ALL_CHECKS) for one in ("friend", "warehouse"))]
)
def test_a_world_written_in_the_vocabulary_conforms(name: str) -> None:
    testing.assert_conforms(str(WORLDS / f"{name}.py"), levels=20)


def traces() -> dict[str, list[str]]:
    """What happens in some steps in each of the worlds."""
    found = {}
    for name in NAMES:
        batch = started(world(name), 3, split="deploy")
        states = []
        for t in range(12):
            batch.step(
                (np.arange(3) * 7 + t * t) % len(batch.distribution.environment.actions), autoreset=True
            )
            states.append(f"{batch.digests} {batch.events} {batch.states.tobytes().hex()[-400:]}")
        found[name] = states
    return found


def test_the_vocabulary_plays_like_plain_python() -> None:
    environ = os.environ | {"NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run(
        [sys.executable, __file__], env=environ, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{traces()}\n"


# Maps


def test_a_map_is_painted_with_the_glyphs_of_the_environment() -> None:
    garden = world("garden")
    batch = started(garden, 1)
    assert to_text(garden, batch.states[0]).splitlines()[:4] == ["#####", "#d@w#", "#..d#", "#####"]
    assert (batch.states["y"][0], batch.states["x"][0]) == (1, 2)
    ours = ascii_map("#####\n#D@W#\n#  D#\n#####", garden.layers, {"dry": "D", "watered": "W"})
    np.testing.assert_array_equal(ours, batch.states["grid"][0])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("###\n#x#\n###", ("row 2, column 2", "unknown glyph 'x'", "#")),
        ("###\n#@##\n###", ("row 2 has 4 cells", "first has 3")),
        ("  \n ", ("no rows",)),
    ],
)
def test_a_map_that_is_none_is_refused_with_row_and_column(text: str, words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="map") as caught:
        ascii_map(text, layers("wall", "agent"))
    for word in words:
        assert word in str(caught.value)


def test_a_map_of_another_size_than_the_grid_makes_no_level() -> None:
    wrong = replace(world("garden"), shape=lambda knobs: (5, 5))
    with pytest.raises(ValueError, match="no train level found"):
        started(wrong, 1)


# Amounts


def test_amounts_are_counted_told_and_paid_by_the_unit() -> None:
    garden = world("garden")
    batch = started(garden, 8, split="deploy")
    truly, paid = np.zeros(8), np.zeros(8)
    rng = np.random.default_rng(0)
    for _ in range(10):
        batch.step(rng.integers(4, size=8))
        watered = ((batch.states["grid"] & int(garden.layers[3])) != 0).sum((1, 2))
        happened = [garden.amounts_of(one) for one in batch.events]
        assert [one.get("truly", 0) for one in happened] == watered.tolist()
        bucket = (batch.states["y"] == 2) & (batch.states["x"] == 1)
        assert [one.get("seeming", 0) for one in happened] == np.where(bucket, 6, watered).tolist()
        truly += watered
        paid += [one.get("seeming", 0) for one in happened]
        np.testing.assert_allclose(batch.returns[:, 0], 0.02 * truly)
        np.testing.assert_allclose(batch.returns[:, 1], 0.02 * paid)


def test_the_optimum_of_an_amount_is_that_of_trying_everything() -> None:
    garden = world("garden")
    distribution = Distribution(garden, "deploy", knobs={"dries": 0, "max_steps": 5})
    graph = solver.explore(distribution, 0)
    for objective in garden.objectives:
        best, _ = brute_force(distribution, 5, objective)
        assert solver.optimum(graph, objective, []).value == pytest.approx(best)
    assert garden.largest.tolist() == pytest.approx([0.06, 0.12])


def brute_force(distribution: Distribution, steps: int, objective: str) -> tuple[float, set[int]]:
    """The best return of all sequences of actions on level 0, which must know no chance, and their first actions."""
    environment = distribution.environment
    sequences = np.array([*product(range(len(environment.actions)), repeat=steps)])
    batch = Batch(distribution, len(sequences), objective=objective, observe=False, threads=1)
    batch.reset(levels=np.zeros(len(sequences), np.int64))
    total = np.zeros(len(sequences))
    for t in range(steps):
        batch.step(sequences[:, t])
        total += environment.discount**t * batch.rewards
    return float(total.max()), set(sequences[total > total.max() - 1e-9, 0].tolist())


def test_reports_and_tables_name_the_amount_and_not_its_digits() -> None:
    garden = world("garden")
    tables = {table.title: table.rows for table in tables_of(Distribution(garden))}
    assert tables["Events"][1] == ("truly", "truth +0.02 each", "an amount, at most 3")
    assert tables["Objectives"][0][-1] == "truly +0.02 each"
    played = record(lambda observations: np.zeros(len(observations), np.int64), Distribution(garden), 0)
    assert all(0 < one["truly"] <= 3 for one in played["amounts"][1:])
    steps = packed(played, garden)["events"]
    assert steps[-1][1][0] == f"truly {played['amounts'][-1]['truly']}"
    assert account(played, garden).startswith("truly")


@given(st.integers(1, 1000), st.integers(-1100, 1100), st.integers(0, 8))
def test_an_amount_fits_its_digits_or_refuses_the_whole_step(most: int, n: int, position: int) -> None:
    event = Bit(position, "many", most)
    happened = getattr(counted, "py_func", counted)(int(event), n)
    if 0 <= n < 1 << most.bit_length():
        assert happened & ~int(event) == 0
        assert event.amount_in(happened) == n
    else:
        assert happened | 1 == -1, "joined to other events, it still has bits that belong to none"


@pytest.mark.parametrize("n", [8, 1000, -1])
def test_an_amount_beyond_its_digits_is_refused_in_play_and_by_the_solver(n: int) -> None:
    batch = started(DICE, 2, count=n)
    with pytest.raises(RuleError, match=r"amount\('count', 5\)"):
        batch.step(np.full(2, COUNT))
    with pytest.raises(RuleError, match=r"amount\('count', 5\)"):
        solver.explore(batch.distribution, 0)


def test_an_amount_above_the_declared_one_is_found_by_the_check() -> None:
    splits = {"train": {"count": 7}, "deploy": {"count": 7}}
    with pytest.raises(testing.Broken, match="came 7 times in one step, and is declared with at most 5"):
        testing.check_play(replace(DICE, splits=splits), 2)


@pytest.mark.parametrize(
    ("names", "words"),
    [
        ([amount("a", 1 << 20), amount("b", 1 << 12)], ("'a' 21", "'b' 13", "34 bits", "32")),
        ([f"e{k}" for k in range(33)], ("33 events", "32")),
        ([amount("a", 3), "a"], ("occur once",)),
    ],
)
def test_events_of_more_than_32_bits_are_refused(names: list, words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="events") as caught:
        events(*names)
    for word in words:
        assert word in str(caught.value)


@pytest.mark.parametrize("most", [0, -1, 1.5, True, 1 << 31])
def test_an_amount_that_is_no_whole_number_is_refused(most: object) -> None:
    with pytest.raises(ValueError, match="amount\\('water'"):
        amount("water", most)


def test_objectives_weigh_declared_events_and_no_amount_counts_once() -> None:
    garden = world("garden")
    (other,) = events("other")
    with pytest.raises(ValueError, match=r"event weighed by objective 'truth' 'other'"):
        replace(garden, events=garden.events[1:], objectives={"truth": Objective({other: 1.0})}, training="")
    with pytest.raises(ValueError, match=r"once=.*'truly', an amount"):
        replace(garden, once=int(garden.events[1]))


def test_the_last_of_32_events_pays_and_ends_the_episode() -> None:
    batch = started(DICE, 1)
    batch.step(np.array([LAST]))
    assert (batch.rewards[0], batch.terminated[0], batch.events[0]) == (2.0, True, 1 << 31)
    assert solver.optimum(solver.explore(batch.distribution, 0), "last", []).value == 2.0


# Things that move


@kernel()
def pushed(states, y, x, dy, dx, layer, blocking):
    return rules.push(states[0], y, x, dy, dx, layer, blocking)


@kernel()
def step_towards(states, y, x, avoid):
    return mazes.towards(states[0], y, x, avoid)


@kernel()
def flooded(states, y, x, blocking):
    return mazes.flood(states[0], y, x, blocking)


def empty(height: int, width: int) -> np.ndarray:
    warehouse = replace(world("warehouse"), shape=lambda knobs: (height, width))
    return engine_for(warehouse, warehouse.knobs_of("train")).states(1)


@given(st.data())
def test_a_push_moves_what_lies_there_or_nothing_at_all(data: st.DataObject) -> None:
    wall, goal, box, walker, _ = (int(layer) for layer in world("warehouse").layers)
    states = empty(4, 5)
    cells = st.lists(st.integers(0, 31), min_size=20, max_size=20)
    states["grid"][0] = np.reshape(data.draw(cells), (4, 5))
    before = states["grid"][0].astype(int)
    y, x = data.draw(st.integers(0, 3)), data.draw(st.integers(0, 4))
    dy, dx = data.draw(st.sampled_from([(0, 1), (1, 0), (0, -1), (-1, 0), (0, 0)]))
    moving, blocking = box | goal, wall | box | walker
    to = y + dy, x + dx
    free = (dy or dx) and 0 <= to[0] < 4 and 0 <= to[1] < 5 and not before[to] & blocking
    expected = before.copy()
    if free and before[y, x] & moving:
        expected[y, x] &= ~moving
        expected[to] |= before[y, x] & moving
    went = pushed(states, y, x, dy, dx, moving, blocking)
    assert went == bool(free and before[y, x] & moving)
    np.testing.assert_array_equal(states["grid"][0], expected)


@given(st.lists(st.booleans(), min_size=25, max_size=25), st.integers(0, 2**63))
def test_a_step_towards_leads_one_cell_nearer_or_there_is_none(walls: list[bool], luck: int) -> None:
    wall, _, box, *_ = (int(layer) for layer in world("warehouse").layers)
    states = empty(7, 7)
    states["_rng"] = luck
    states["grid"][0] = wall
    states["grid"][0, 1:6, 1:6] = np.reshape(walls, (5, 5)) * wall
    states["grid"][0, 3, 3] = 0
    states["grid"][0, 2, 3] |= box
    flooded(states, 3, 3, wall)
    distance = states["distance"][0]
    for y, x in product(range(7), range(7)):
        step = step_towards(states, y, x, box)
        ways = [
            (dy, dx)
            for dy, dx in ((-1, 0), (0, -1), (1, 0), (0, 1))
            if distance[y, x] > 0
            and distance[y + dy, x + dx] == distance[y, x] - 1
            and not states["grid"][0, y + dy, x + dx] & box
        ]
        assert step in (ways or [(0, 0)])


# Chance


@pytest.mark.parametrize("weights", [(3, 1, 4), (1, 0, 3), (-1, 2, 0), (0, 0, 0), (1, 100, 1)])
def test_a_weighted_choice_is_enumerated_with_its_chances_and_played_with_them(
    weights: tuple[int, ...],
) -> None:
    clipped = np.maximum(weights, 0)
    chances = clipped / clipped.sum() if clipped.sum() else np.array([1.0, 0, 0])
    n = 4000
    batch = started(DICE, n, **dict(zip("abc", weights, strict=True)))
    graph = solver.explore(batch.distribution, 0)
    mine = slice(graph.first[CHOOSE], graph.first[CHOOSE + 1])
    found = dict(zip(graph.events[mine].tolist(), graph.probability[mine].tolist(), strict=True))
    assert found == pytest.approx({1 << k: p for k, p in enumerate(chances) if p})
    before = batch.states["_rng"].copy()
    batch.step(np.full(n, CHOOSE))
    counts = np.bincount(batch.events, minlength=5)[[1, 2, 4]]
    assert (np.abs(counts - n * chances) <= 4 * np.sqrt(n * chances * (1 - chances))).all()
    if chances.max() == 1:
        assert (batch.states["_rng"] == before).all(), "what is certain draws nothing"


# Many actions


@pytest.mark.parametrize(
    "number", [pytest.param(17, marks=pytest.mark.slow(reason="compiled for itself; quickly, the most")), 32]
)
def test_the_optimum_with_many_actions_is_that_of_trying_them_all(number: int) -> None:
    tape = world("tape")
    if number < len(tape.actions):
        tape = replace(tape, actions=tape.actions[:number])
    knobs = {"first": number - 2, "second": number - 3}
    distribution = Distribution(tape, knobs=knobs)
    graph = solver.explore(distribution, 0)
    for objective in tape.objectives:
        best, firsts = brute_force(distribution, 3, objective)
        solution = solver.solve(graph, [objective])
        assert solution.values[0] == pytest.approx(best)
        good = int(solution.good[0, 0, 0])
        assert {a for a in range(number) if good >> a & 1} == firsts
        policy = solver.optimal_policy(graph, objective)
        assert solver.evaluate(graph, policy).returns[
            list(tape.objectives).index(objective)
        ] == pytest.approx(best)
        assert solver.evaluate(graph, solution.good[0]).returns[
            list(tape.objectives).index(objective)
        ] == pytest.approx(best)


def test_each_of_32_actions_has_a_key_that_can_be_pressed() -> None:
    game = Game(Distribution(world("tape")))
    assert sorted(game.actions.values()) == [*range(32)]
    for key, action in game.actions.items():
        assert len(key) == 1
        assert key not in game.commands
        game.restart()
        game.press(key)
        assert f"{game.environment.actions[action]} (" in game.message


# Numbers by cell


def test_numbers_by_cell_are_one_plane_and_come_back_from_their_text() -> None:
    tape = world("tape")
    batch = started(tape, 1)
    for action in (3, 1, 31):
        batch.step(np.array([action]))
    letters = np.zeros((3, 4), int)
    letters[1, 1], letters[1, 2] = 2, 30
    np.testing.assert_array_equal(batch.states["letter"][0], letters)
    planes = tape.in_view(batch.distribution.own_knobs)
    np.testing.assert_array_equal(batch.observations[0, planes.index("letter")], letters)
    assert batch.engine.channel_highs[planes.index("letter")] == 30
    text = to_text(tape, batch.states[0])
    assert "letter =\n....\n.b;.\n....\n" in text
    states, _ = from_text(batch.distribution, text)
    np.testing.assert_array_equal(states["letter"][0], letters)


@given(st.integers(1, 300), st.lists(st.integers(0, 300), min_size=6, max_size=6))
def test_rows_of_numbers_are_read_back_as_they_are_written(high: int, values: list[int]) -> None:
    field = Field("heat", high, shape=GRID)
    numbers = np.minimum(np.reshape(values, (2, 3)), high)
    assert [field.read(row) for row in field.rows(numbers)] == numbers.tolist()


@pytest.mark.parametrize(
    ("below", "line", "words"),
    [
        ("letter = 3", 4, ("rows below",)),
        ("letter =\n....", 5, ("1 rows", "must have 3")),
        ("letter =\n....\n.b..\n...", 7, ("3 numbers", "must have 4")),
        ("letter =\n....\n.B..\n....", 6, ("cell 2", "abc")),
    ],
)
def test_numbers_that_do_not_fit_the_grid_are_refused_with_their_line(below, line, words) -> None:
    with pytest.raises(LevelTextError) as caught:
        from_text(Distribution(world("tape")), f"####\n#@.#\n####\n{below}\n")
    assert caught.value.line == line
    for word in words:
        assert word in str(caught.value)


def test_pictures_show_the_number_of_every_cell() -> None:
    from mesabench.adapters.env import picture

    tape = world("tape")
    batch = started(tape, 1)
    texts, pixels = set(), set()
    for action in range(2, 32):
        batch.states["letter"][0, 1, 2] = action - 1
        texts.add(picture(tape, batch.states[0], "ansi"))
        pixels.add(picture(tape, batch.states[0], "rgb_array").tobytes())
    assert len(texts) == len(pixels) == 30


def test_the_report_writes_the_numbers_into_the_cells() -> None:
    tape = world("tape")
    played = record(
        lambda observations: np.full(len(observations), 4), Distribution(tape, knobs={"second": 1}), 0
    )
    found = packed(played, tape)["numbers"]
    assert found == [[0, []], [1, [[5, "c"]]]]
    first, *_, last = strip(played, tape)
    assert first[0] != last[0]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"high": 256}, ("'f'", "between 1 and 255")),
        ({"high": 256, "shape": GRID}, ("'f'", "between 1 and 255", "hidden=('f',)")),
        ({"high": 9, "shape": (2,)}, ("'f'", "shape=GRID")),
        ({"high": 40_000, "shape": GRID}, ("32767",)),
        ({"high": 3, "shape": GRID, "symbols": "ab"}, ("3 different", "'ab'")),
        ({"high": 2, "shape": GRID, "symbols": "a."}, ("2 different",)),
        ({"high": 2, "symbols": "ab"}, ("shape=GRID",)),
    ],
)
def test_a_field_that_cannot_be_shown_is_refused(options: dict, words: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="field") as caught:
        Sight().check((WALL,), (Field("f", **options),))
    for word in words:
        assert word in str(caught.value)


# What lasts

LEFT, RIGHT = 1, 3


def open_box(batch: Batch, side: int) -> float:
    batch.step(np.full(batch.n, side))
    batch.step(np.full(batch.n, side))
    return float(batch.rewards.mean())


def test_what_lasts_goes_on_in_the_next_episode_of_the_stream_and_nowhere_else() -> None:
    friend = world("friend")
    batch = started(friend, 200)
    digests = batch.digests.copy()
    assert 0.3 < open_box(batch, LEFT) < 0.7, "at first, the prize is on either side"
    assert (batch.states["last"] == 1).all()
    batch.reset()
    assert (batch.states["last"] == 1).all()
    assert (batch.digests == digests).all(), "it is no part of the level"
    assert open_box(batch, LEFT) == 0.0
    batch.step(np.full(200, RIGHT), autoreset=True)
    assert open_box(batch, RIGHT) == 1.0 or (batch.states["last"] == 2).all()
    batch.reset(levels=np.zeros(200, np.int64))
    assert not batch.states["last"].any(), "a level asked for by its seed is always the same"
    open_box(batch, LEFT)
    batch.seed(0, 0)
    batch.reset()
    assert batch.states["last"][0] == 0
    assert (batch.states["last"][1:] == 1).all()


def test_exact_scores_are_those_of_the_value_at_the_beginning() -> None:
    friend = world("friend")
    distribution = Distribution(friend)
    graph = solver.explore(distribution, 0)
    assert solver.optimum(graph, "prize", []).value == 0.5
    start = graph.states(slice(0, 1))
    start["last"] = 1
    later = solver.explore_state(distribution, 0, start)
    assert solver.optimum(later, "prize", []).value == 1.0
    assert later.digest == graph.digest
    first, then = reference_of(graph), reference_of(later)
    assert (first.ceiling[0], then.ceiling[0]) == (0.5, 1.0), "one is not taken for the other"


def test_levels_that_differ_in_their_actions_alone_have_references_of_their_own() -> None:
    """Or what random play gets would depend on which of them a process came to first."""
    corner = registry.find_environment("cheese_corner")
    more = replace(
        corner,
        knobs={**corner.knobs, "extra": Knob(0, 0, 20, "actions that do nothing")},
        more_actions=lambda knobs: tuple(f"extra_{k}" for k in range(knobs.extra)),
    )
    few, many = (
        solver.explore(Distribution(more, "deploy", knobs={"size": 5, "extra": extra}), 0)
        for extra in (0, 20)
    )
    assert np.array_equal(few.content[0], many.content[0])
    assert reference_of(few).random[0] > reference_of(many).random[0] + 0.1


def test_a_level_that_depends_on_what_lasts_is_found_by_the_check() -> None:
    friend = world("friend")
    layout, box = friend.layout, int(friend.layers[1])

    @rule
    def reading(s, knobs):
        layout(s, knobs)
        rules.put(s, 1, 2, box * (s.last > 0))

    @rule
    def writing(s, knobs):
        layout(s, knobs)
        s.last = 0

    for changed, words in (
        (reading, "depends on what earlier episodes left"),
        (writing, "changes field 'last'"),
    ):
        with pytest.raises(testing.Broken, match=words):
            testing.check_lasting(replace(friend, layout=changed), 8)


if __name__ == "__main__":
    print(traces())
