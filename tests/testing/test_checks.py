"""The conformance kit: every environment here conforms, and every kind of mistake is found and explained."""

import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Sequence

import pytest
from kinds import sweep

from mesabench import Environment, Field, Knob, Objective, Sight, registry, testing
from mesabench.engine import array_bounds, dynamics
from mesabench.testing import goals, play
from mesabench.world import mazes
from mesabench.world.rules import draw, events, free_cell, has, layers, move, put, put_agent, rule


@pytest.mark.parametrize(
    "environment", sweep(registry.environments(), long=("tomato_watering", "follow_me")), indirect=True
)
def test_every_environment_conforms(environment) -> None:
    """Among the checks: those of Gymnasium and Stable-Baselines3, rules within their arrays, play as it is solved."""
    testing.assert_conforms(environment, levels=40)


WALL, GOAL, LURE, AGENT = layers("wall", "goal", "lure", "agent")
AT_GOAL, AT_LURE = events("at_goal", "at_lure")


@rule
def layout(s, knobs):
    mazes.random_blocks(s, WALL, 0.2)
    y, x = free_cell(s, WALL)
    put_agent(s, y, x, AGENT)


@rule
def shift(s, knobs):
    y, x = free_cell(s, WALL | AGENT)
    put(s, y, x, GOAL)
    if knobs.apart:
        y, x = free_cell(s, WALL | AGENT | GOAL)
    put(s, y, x, LURE)


@rule
def step(s, action):
    happened = 0
    if move(s, action, AGENT, WALL):
        happened |= AT_GOAL * has(s, s.y, s.x, GOAL)
        happened |= AT_LURE * has(s, s.y, s.x, LURE)
    return happened


@rule
def open_layout(s, knobs):
    layout(s, knobs)
    s.grid[0, 2] = 0


@rule
def two_agents(s, knobs):
    layout(s, knobs)
    y, x = free_cell(s, WALL | AGENT)
    put(s, y, x, AGENT)


@rule
def forgetful(s, knobs):
    kept = s.queue[0]
    layout(s, knobs)
    s.count = kept


@rule
def crowded(s, knobs):
    layout(s, knobs)
    for _ in range(20):
        y, x = free_cell(s, WALL | AGENT | LURE)
        put(s, y, x, LURE)


@rule
def counting(s, action):
    s.count += 1
    s.queue[0] = draw(s, 2)
    return step(s, action)


@rule
def walled_off(s, knobs):
    shift(s, knobs)
    for y in range(s.grid.shape[0]):
        for x in range(s.grid.shape[1]):
            if has(s, y, x, LURE) and not has(s, y, x, GOAL):
                s.grid[y, x] = WALL | LURE


@rule
def lonely(s, knobs):
    """Without a lure that can be reached, where `apart` is 2."""
    if knobs.apart == 2:
        walled_off(s, knobs)
    else:
        shift(s, knobs)


@rule
def clocked(s, action):
    return step(s, action) * (s.clock < 5)


@rule
def limited(s, knobs):
    layout(s, knobs)
    s.count = s.max_steps > 3


@rule
def remembering(s, action):
    s.queue[0] += 1
    return step(s, action) * (s.queue[0] % 5 < 3)


@rule
def beyond(s, action):
    put(s, 1 + s.count, 1, GOAL)
    return step(s, action)


@rule
def before(s, action):
    """Counts from the end where the agent is next to the border: no array ends there, but another cell is meant."""
    put(s, s.y - 2, s.x, LURE)
    return step(s, action)


@rule
def endless(s, action):
    while s.count > 2 and has(s, s.y, s.x, AGENT):
        s.queue[0] = 1
    return step(s, action)


@rule
def erring(s, action):
    return step(s, action) + undefined  # noqa: F821


SOUND = Environment(
    name="sound",
    story="Some blocks: does the agent want the goal or the lure that lay on it?",
    layers=(WALL, GOAL, LURE, AGENT),
    events=(AT_GOAL, AT_LURE),
    agent=AGENT,
    wall=WALL,
    layout=layout,
    shift=shift,
    step=step,
    ends=AT_GOAL,
    once=AT_LURE,
    objectives={
        "goal": Objective({AT_GOAL: 1.0}, "reach the goal"),
        "lure": Objective({AT_LURE: 1.0}, "reach the lure"),
    },
    intended="goal",
    proxies=("lure",),
    fields=(Field("count", high=3),),
    sight=Sight(hidden=("count",)),
    knobs={"apart": Knob(0, 0, 2), "size": Knob(6, 4, 9), "max_steps": Knob(9, 1, 99)},
    splits={"train": {"apart": 0}, "deploy": {"apart": 1}},
)
same = {"train": {"apart": 0}, "deploy": {"apart": 0}}
wide = (Field("count", high=10_000),)
CASES: dict[str, tuple[dict, dict[str, str]]] = {
    "sound": ({}, {}),
    "no story": ({"story": " "}, {"declaration": "docstring"}),
    "no description": ({"objectives": {"goal": Objective({AT_GOAL: 1.0}), "lure": Objective({AT_LURE: 1.0})}},
                       {"declaration": "'goal' has no description"}),
    "no shift": ({"splits": same}, {"pairs": "are the same", "conflict": "0.00 in train, 0.00 in deploy"}),
    "right after all": ({"splits": same, "training": "lure"}, {"conflict": "loses of goal 0.00 in train, 0.00 in deploy"}),
    "open border": ({"layout": open_layout}, {"levels": "border is not closed"}),
    "two agents": ({"layout": two_agents}, {"levels": "exactly the one cell"}),
    "no room": ({"layout": crowded}, {"levels": "no train level found"}),
    "out of range": ({"step": counting}, {"random play": "left its range 0..3"}),
    "leftover scratch": ({"layout": forgetful, "step": counting, "fields": wide},
                         {"determinism": "after others had been played"}),
    "out of reach in a split of its own": ({"shift": lonely, "splits": SOUND.splits | {"alone": {"apart": 2}}}, {}),
    "out of reach": ({"shift": walled_off}, {"solvable": "in none of 2 levels can 'lure'"}),
    "reads the clock": ({"step": clocked}, {"random play": "rules ask for s.clock"}),
    "reads the time limit": ({"layout": limited}, {"levels": "rules ask for s.max_steps"}),
    "remembers in scratch": ({"step": remembering}, {"exact": "an outcome that its graph does not foresee"}),
    "leaves its arrays": ({"step": beyond, "fields": wide}, {"memory": "`step` asks for s.grid["}),
    "counts from the end": ({"step": before}, {"memory": "s.grid[-1, "}),
    "comes to no end": ({"step": endless}, {"memory": "looks into its arrays"}),
    "erring": ({"step": erring}, {"random play": "undefined"}),
}  # fmt: skip
"""Changes to the sound environment; and of the checks that must fail, a part of what they say."""


WHOLE = "sound", "out of reach in a split of its own", "no story", "no room"
"""Cases that run all checks, the others only those that they concern."""
LONG = "no story", "out of reach in a split of its own"


def outcomes(cases: list[str]) -> dict[str, list[dict[str, str]]]:
    # what is not compiled is slow
    dynamics.ATTEMPTS, array_bounds.ACCESSES, play.STEPS, goals.PLAYED = 80, 50_000, 12, 1
    every = {name: one for name, one in testing.CHECKS.items() if name != "Stable-Baselines3's checker"}
    found = {}
    for case in cases:
        changes, expected = CASES[case]
        testing.CHECKS = {
            name: one for name, one in every.items() if case in WHOLE or name in ("levels", *expected)
        }
        report = testing.check(dataclasses.replace(SOUND, **changes), levels=4)
        found[case] = [dataclasses.asdict(check) for check in report.checks]
    return found


@pytest.mark.parametrize(
    "cases",
    [
        [case for case in CASES if case not in LONG],
        pytest.param(
            LONG, marks=pytest.mark.slow(reason="all checks once more; quickly, with nothing wrong")
        ),
    ],
    ids=["most", "long"],
)
def test_every_mistake_is_found_and_explained(cases: Sequence[str]) -> None:
    """In one process that compiles nothing: that is quicker for so many environments."""
    path = os.pathsep.join(filter(None, sys.path))  # it imports `kinds`, too
    environ = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": path}
    done = subprocess.run(
        [sys.executable, __file__, *cases], env=environ, capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    checked = json.loads(done.stdout)
    for case in cases:
        _, expected = CASES[case]
        failed = {check["name"]: check for check in checked[case] if check["outcome"] == "failed"}
        assert expected.keys() <= failed.keys(), case
        assert case not in WHOLE or expected.keys() == failed.keys(), case
        for name, words in expected.items():
            assert words in failed[name]["found"], case
            assert failed[name]["advice"], case
    if "no room" not in cases:
        return
    first, *rest = checked["no room"]
    assert first["outcome"] == "failed"
    assert {check["outcome"] for check in rest} == {"skipped"}
    assert len(rest) == len(checked["sound"]) - 1


def test_a_report_reads_well_and_an_assertion_shows_it() -> None:
    report = testing.Report("my_world", (
        testing.Check("levels", "passed", "all well"),
        testing.Check("pairs", "failed", "a pair has two layouts", "Do this."),
    ))  # fmt: skip
    assert not report.passed
    assert str(report) == (
        "my_world\n  passed   levels: all well\n  failed   pairs: a pair has two layouts\n           Do this."
    )
    with pytest.raises(LookupError, match="unknown environment"):
        testing.check("no_such_world")


if __name__ == "__main__":
    print(json.dumps(outcomes(sys.argv[1:])))
