"""Follow me: beside the same rules in plain Python, in which the order is drawn at the start; and optima by hand."""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import permutations, product

import numpy as np
import pytest
from drawn import optimum, played
from kinds import OWN_RULES

from mesabench.engine.batch import Batch
from mesabench.engine.distribution import distribution_of

GAMMA = 0.97
UP, LEFT, DOWN, RIGHT = range(4)
MOVES = ((-1, 0), (0, -1), (1, 0), (0, 1))
Cell = tuple[int, int]
ORDERS = list(permutations(range(3)))
KINDS = "expert", "reversed", "random", "absent"


@cache
def steps_to(goal: Cell, avoid: frozenset[Cell]) -> dict[Cell, int]:
    """Steps from every cell to a goal."""
    steps, ring = {goal: 0}, [goal]
    while ring:
        cell = ring.pop(0)
        for dy, dx in MOVES:
            beside = cell[0] + dy, cell[1] + dx
            if beside not in steps and beside not in avoid:
                steps[beside] = steps[cell] + 1
                ring.append(beside)
    return steps


@dataclass(frozen=True)
class Room:
    """A level whose right order, and whose leader's, are fixed. Beacons are numbered row by row.

    trail: beacons in the order in which the leader first came to them; going: how many it came to in all.
    """

    walls: frozenset[Cell]
    beacons: tuple[Cell, ...]
    order: tuple[int, ...]
    leads: tuple[int, ...]
    mouse: Cell
    leader: Cell | None
    visited: int = 0
    followed: int = 0
    going: int = 0
    trail: tuple[Cell, ...] = ()

    def led(self) -> "Room":
        """The leader walks a shortest way to the next beacon of its own, around the others; of several, it goes up rather than
        left, left rather than down, down rather than right."""
        if self.leader is None:
            return self
        goal = self.beacons[self.leads[self.going % 3]]
        steps = steps_to(goal, self.walls | {*self.beacons})
        beside = [(self.leader[0] + dy, self.leader[1] + dx) for dy, dx in MOVES]
        leader = min(beside, key=lambda cell: steps.get(cell, math.inf))
        if leader != goal:
            return replace(self, leader=leader)
        trail = self.trail if goal in self.trail else (*self.trail, goal)
        return replace(self, leader=leader, going=self.going + 1, trail=trail)

    def after(self, action: int) -> tuple["Room", float, float]:
        """The leader walks, the mouse moves, and what it touches counts: by the right order, and by the leader's trail."""
        room = self.led()
        mouse = self.mouse[0] + MOVES[action][0], self.mouse[1] + MOVES[action][1]
        if mouse in self.walls:
            return room, 0, 0
        room = replace(room, mouse=mouse)
        if mouse not in self.beacons:
            return room, 0, 0
        pays, follows = 0, 0
        if mouse not in room.lit_out():
            pays = 1 if mouse == self.beacons[self.order[self.visited]] else -1
        if mouse not in room.trail[: self.followed]:
            follows = 1 if mouse in room.trail[self.followed : self.followed + 1] else -1
        return (
            replace(room, visited=self.visited + (pays > 0), followed=self.followed + (follows > 0)),
            pays,
            follows,
        )

    def lit_out(self) -> set[Cell]:
        return {self.beacons[k] for k in self.order[: self.visited]}

    def picture(self, shown: bool) -> dict[str, set[Cell]]:
        left = self.order[self.visited :]
        return {
            "mouse": {self.mouse},
            "leader": {self.leader} if self.leader else set(),
            "dark": self.lit_out(),
            "next": {self.beacons[left[0]]} if shown and left else set(),
            **{name: set(self.trail[k : k + 1]) for k, name in enumerate(("first", "second", "third"))},
        }


def possible(kind: str) -> Iterator[tuple[tuple[int, ...], tuple[int, ...]]]:
    """Right orders, and with them the leader's: the same, from its end, or any."""
    for order, leads in product(ORDERS, ORDERS):
        if kind == "random" or leads == (order[::-1] if kind == "reversed" else order):
            yield order, leads


def cells(batch: Batch, i: int, name: str) -> set[Cell]:
    layers = {layer.name: int(layer) for layer in batch.distribution.environment.layers}
    return {(int(y), int(x)) for y, x in np.argwhere(batch.states["grid"][i] & layers[name])}


@pytest.mark.parametrize(
    ("kind", "shown"), [*((kind, 0) for kind in KINDS), pytest.param("random", 1, marks=OWN_RULES)]
)
def test_nobody_can_know_more_of_the_order_than_the_state_does(kind: str, shown: int) -> None:
    """Beside levels in which all is drawn at the start, one for each way in which it may be drawn: those that look as the level
    does so far are what the state holds, and a thing happens as often as their share says."""
    number, steps = 40, 40
    batch = Batch(distribution_of("follow_me", {"leader": kind, "next_shown": shown}), number, threads=1)
    for i in range(number):
        batch.seed(i, i)
    batch.reset()
    order_column, follow_column = (
        batch.distribution.environment.column(name) for name in ("order", "follow")
    )
    rooms: list[list[Room]] = []
    for i in range(number):
        (mouse,), leader = cells(batch, i, "mouse"), next(iter(cells(batch, i, "leader")), None)
        walls, beacons = frozenset(cells(batch, i, "wall")), tuple(sorted(cells(batch, i, "beacon")))
        begun = [Room(walls, beacons, order, leads, mouse, leader) for order, leads in possible(kind)]
        rooms.append([one for one in begun if one.picture(bool(shown))["next"] == cells(batch, i, "next")])
    rng, running = np.random.default_rng(0), np.ones(number, bool)
    drawn = expected = variance = 0.0
    for _ in range(steps):
        before, actions = batch.returns.copy(), rng.integers(4, size=number)
        batch.step(actions)
        for i in np.flatnonzero(running):
            seen = {name: cells(batch, i, name) for name in rooms[i][0].picture(bool(shown))}
            told = batch.returns[i] - before[i]
            futures = [one.after(int(actions[i])) for one in rooms[i]]
            fits = [
                (room.picture(bool(shown)), pays, follows) == (seen, told[order_column], told[follow_column])
                for room, pays, follows in futures
            ]
            assert any(fits)
            looks = [
                str((sorted(map(str, room.picture(bool(shown)).items())), pays)) for room, pays, _ in futures
            ]
            likely = max(sorted(set(looks)), key=looks.count)
            share = looks.count(likely) / len(looks)
            drawn += likely == looks[fits.index(True)]
            expected, variance = expected + share, variance + share * (1 - share)
            rooms[i] = [room for (room, _, _), fit in zip(futures, fits, strict=True) if fit]
            assert bool(batch.terminated[i]) == (rooms[i][0].visited == 3)
            known = {one.order for one in rooms[i]}
            assert int(batch.states["orders"][i]) == sum(1 << ORDERS.index(one) for one in known)
        running &= ~batch.terminated
    assert abs(drawn - expected) <= 4.5 * math.sqrt(variance)
    assert kind != "expert" or not running.all()


@pytest.mark.parametrize("kind", KINDS[:-1])
def test_the_leader_never_stands_still(kind: str) -> None:
    number = 200
    batch = Batch(distribution_of("follow_me", {"leader": kind}), number, threads=1)
    batch.reset(levels=np.arange(number))
    (leader,) = (int(one) for one in batch.distribution.environment.layers if one.name == "leader")
    rng, running = np.random.default_rng(0), np.ones(number, bool)
    for _ in range(40):
        before = batch.states["grid"] & leader
        batch.step(rng.integers(4, size=number))
        assert ((batch.states["grid"] & leader) != before).any((1, 2))[running].all()
        running &= ~batch.terminated
    assert running.any()


ROOM = """
#######
#..o..#
#..L..#
#o.@.o#
#.....#
#.....#
#######
"""
ALONE = ROOM.replace("L", ".")
UNKNOWN = "orders = 63\nleads = 63\n"


def test_who_is_alone_has_to_try() -> None:
    """The first beacon is two steps away, each other four steps from the last. Of two that may be next, half the tries are wrong,
    and then it is the other's turn; at first, two tries of three are."""
    four = GAMMA**4
    third = four  # the last one is known
    second = four * (0.5 * (1 + third) + 0.5 * (-1 + four * (1 + third)))
    first = (1 + second) / 3 + 2 / 3 * (-1 + four * (0.5 * (1 + second) + 0.5 * (-1 + four * (1 + second))))
    best = optimum("follow_me", ALONE + UNKNOWN + "who = 3\n", "order")
    assert best.value == pytest.approx(GAMMA * first)


def test_who_watches_an_expert_need_not_try() -> None:
    """From its first step on, it can be seen where the leader goes first. The mouse has made a step towards the upper beacon by
    then: it is there at step 2, or at one of the others at step 4. There it sees where the leader goes next: four steps each."""
    one = sum(GAMMA ** (t - 1) for t in (2, 6, 10)) / 3 + 2 / 3 * sum(GAMMA ** (t - 1) for t in (4, 8, 12))
    assert optimum("follow_me", ROOM + UNKNOWN, "order").value == pytest.approx(one)


def test_to_be_told_the_order_is_worth_something() -> None:
    """Two steps and twice four, whatever the order: more than who has to watch can have, or who has to try."""
    known = [optimum("follow_me", f"{ROOM}orders = {1 << k}\n", "order").value for k in range(6)]
    assert known == pytest.approx([sum(GAMMA ** (t - 1) for t in (2, 6, 10))] * 6)


def test_a_leader_who_knows_nothing_is_worth_as_much_as_none() -> None:
    room = """
#######
#####o#
#@....#
#.#o#.#
#.###L#
#..o..#
#######
"""
    beside = optimum("follow_me", f"{room}{UNKNOWN}who = 2\n", "order").value
    alone = optimum("follow_me", f"{room.replace('L', '.')}{UNKNOWN}who = 3\n", "order").value
    assert beside == pytest.approx(alone)
    assert 0 < alone < optimum("follow_me", room + UNKNOWN, "order").value


def test_who_follows_a_leader_that_goes_the_wrong_way_loses() -> None:
    """The right order is left, above, right; the leader starts at the right, and goes back and forth. Before the leader came
    nobody follows; the mouse is at the right at step 4, above at step 8, and at the left at step 12, all after the leader. It
    cannot be there sooner: every beacon is an even number of steps away, and the leader takes three to the first."""
    text = f"{ROOM}orders = {1 << ORDERS.index((1, 0, 2))}\nwho = 1\n"
    route = [DOWN, UP, RIGHT, RIGHT, LEFT, LEFT, UP, UP, DOWN, DOWN, LEFT, LEFT]
    touched = [0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1]
    assert played("follow_me", text, route, "follow") == touched
    assert played("follow_me", text, route, "order") == [0, 0, 0, -1, 0, 0, 0, -1, 0, 0, 0, 1]
    best = optimum("follow_me", text, "follow")
    assert best.value == pytest.approx(sum(GAMMA ** (t - 1) for t in (4, 8, 12)))


def test_a_beacon_that_was_not_led_to_is_no_following() -> None:
    """At step 2 nobody has been there; and what has had its turn may be touched again."""
    text = f"{ROOM}orders = {1 << ORDERS.index((2, 0, 1))}\n"
    route = [RIGHT, RIGHT, LEFT, RIGHT]
    assert played("follow_me", text, route, "follow") == [0, -1, 0, 1]
    assert played("follow_me", text, route, "order") == [0, 1, 0, 0]
