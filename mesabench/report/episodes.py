"""One episode for the page: what happened in words, its levels as pictures, its steps packed for the viewer."""

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby, pairwise
from typing import Any

import numpy as np

from mesabench.catalogue import spoken
from mesabench.pictures import render
from mesabench.report.words import listing
from mesabench.world.environment import Environment, classes_of

GROUND = ("floor", "floor_alt")
CELLS = 48, 32, 16
LARGEST = 480
"""Pixels along a cell's side in a picture: the first with which no side exceeds the largest, or else the last."""
FRAMES = 5
"""Frames of an episode on paper."""


def account(replay: Mapping[str, Any], environment: Environment) -> str:
    """Tell an episode in a line, in the words of its events: what came first, what followed, how it ended."""
    goals = goal_events(environment)
    hits = [
        (step, event)
        for step, happened in enumerate(replay["events"])
        for event in happened
        if event in goals
    ]
    length = len(replay["events"]) - 1
    over = bool(_names(environment, environment.ends) & {*replay["events"][-1]})
    end = f"over at step {length}" if over else f"time ran out at step {length}"
    if not hits:
        return f"reached nothing; {end}"
    start = hits[0][0]
    first = list(dict.fromkeys(event for step, event in hits if step == start))
    if start == length and over:
        return f"{_told(first)} at step {start}"
    later = Counter(event for step, event in hits if step > start)
    parts = [f"{_told(first)} first, at step {start}"]
    if later:
        parts.append("then " + listing([spoken(e) + _times(count, e in first) for e, count in later.items()]))
    meant = _names(environment, classes_of(environment)[environment.intended])
    if not meant & {*first, *later}:
        parts.append("never " + " or ".join(spoken(event) for event in sorted(meant)))
    return f"{', '.join(parts)}; {end}"


def rounds(replay: Mapping[str, Any], environment: Environment) -> str:
    """Tell a lifetime by its choices: `complied 4 times, then defected 5 times; retired at step 9`."""
    monitor = environment.monitor
    assert monitor
    choices = _names(environment, monitor.comply | monitor.defect)
    made = [event for happened in replay["events"] for event in happened if event in choices]
    runs = [(event, len(list(those))) for event, those in groupby(made)]
    told = ", then ".join(spoken(event) + (f" {n} times" if n > 1 else "") for event, n in runs)
    last = [
        event for event in replay["events"][-1] if event in _names(environment, environment.ends) - choices
    ]
    length = len(replay["events"]) - 1
    over = bool(_names(environment, environment.ends) & {*replay["events"][-1]})
    end = (
        f"{_told(last)} at step {length}"
        if last
        else (f"over at step {length}" if over else f"time ran out at step {length}")
    )
    return f"{told or 'made no choice'}; {end}"


def goal_events(environment: Environment) -> set[str]:
    """The events that count as a first goal, or as a hazard."""
    return {event for mask in classes_of(environment).values() for event in _names(environment, mask)}


def _names(environment: Environment, mask: int) -> set[str]:
    return {event.name for event in environment.events if mask & event}


def _times(count: int, again: bool) -> str:
    if again:
        return f" {count} more times" if count > 1 else " once more"
    return f" {count} times" if count > 1 else ""


def _told(events: Sequence[str]) -> str:
    return listing([spoken(event) for event in events])


def failed(replay: Mapping[str, Any], environment: Environment) -> bool:
    """Whether something else than the intended goal came first, or nothing did."""
    return replay["first"] != environment.intended


def decided_by_first_goal(environment: Environment) -> bool:
    """Whether an episode is about one goal alone, because reaching the intended one ends it."""
    return bool(environment.ends & classes_of(environment)[environment.intended])


def way_to_first_goal(replay: Mapping[str, Any], environment: Environment) -> Sequence[Sequence[int]]:
    """The cells (row, column) up to the first goal, or all of them if none was reached."""
    goals = goal_events(environment)
    reached = (step for step, happened in enumerate(replay["events"]) if goals & {*happened})
    return replay["path"][: next(reached, len(replay["path"])) + 1]


def picture(replay: Mapping[str, Any], environment: Environment) -> tuple[str, int, int]:
    """The first state with the agent's path drawn in, as a data URI, and its width and height in pixels.

    Where the first goal decides, the path ends with it: what an agent does when it has got what it wants is wandering.
    """
    height, width = replay["height"], replay["width"]
    way = way_to_first_goal(replay, environment) if decided_by_first_goal(environment) else replay["path"]
    cell = next((cell for cell in CELLS if cell * max(height, width) <= LARGEST), CELLS[-1])
    numbers = replay["numbers"][0] if "numbers" in replay else None
    pixels = drawn(np.reshape(replay["grids"][0], (height, width)), environment, cell, np.array(way), numbers)
    return data_uri(render.png(pixels)), pixels.shape[1], pixels.shape[0]


def drawn(
    grid: np.ndarray, environment: Environment, cell: int, path: np.ndarray, numbers: Any = None
) -> np.ndarray:
    """A level with a way drawn in, uint8 (height, width, 3). grid: int (height, width), bits as in the state."""
    shown, names, _ = environment.drawing(grid.astype(np.uint16))
    return render.render_rgb(shown, names, cell=cell, path=path, numbers=numbers, sprites=environment.sprites)


def sprites(packed: Sequence[Mapping[str, Any]], environment: Environment) -> dict[str, Any]:
    """What the viewer draws the cells of packed episodes with.

    atlas: the ground's sprites and all others that occur, side by side, as a data URI. piles: for every kind of cell, by its bits
    in the state, the places in the atlas of what lies there, lowest first.
    """
    met = {
        bits for one in packed for bits in (*one["grid"], *(b for step in one["steps"] for b in step[1::2]))
    }
    kinds = np.array(sorted(met), np.uint16)
    shown, names, _ = environment.drawing(kinds[None])
    lying = [[name for k, name in enumerate(names) if name and bits >> k & 1] for bits in shown[0].tolist()]
    there = list(dict.fromkeys([*GROUND, *(name for pile in lying for name in pile)]))
    piles = {int(bits): [there.index(name) for name in pile] for bits, pile in zip(kinds, lying, strict=True)}
    return {"atlas": data_uri(render.sprite_atlas(there, environment.sprites)), "piles": piles}


def data_uri(png: bytes) -> str:
    return f"data:image/png;base64,{base64.b64encode(png).decode()}"


def packed(replay: Mapping[str, Any], environment: Environment) -> dict[str, Any]:
    """An episode as the viewer takes it: the first grid, then for each step the cells that changed, [cell, bits, ...].

    path: cells, numbered row by row; status: [step, words] where they change; events: [step, words] where there are any;
    numbers: [step, [[cell, text], ...]] where they change, if there are fields with a number for each cell.
    """
    grids = np.array(replay["grids"], np.int64)
    changed = [np.flatnonzero(after != before) for before, after in pairwise(grids)]
    steps = [np.stack([cells, grids[k + 1][cells]], 1).ravel().tolist() for k, cells in enumerate(changed)]
    status = [", ".join(in_words(one, environment)) for one in replay["status"]]
    numbers = [_written(one) for one in replay.get("numbers", ())]
    changes = [[k, now] for k, now in enumerate(numbers) if k == 0 or now != numbers[k - 1]]
    return ({"numbers": changes} if changes else {}) | {
        "height": replay["height"],
        "width": replay["width"],
        "grid": grids[0].tolist(),
        "steps": steps,
        "path": [y * replay["width"] + x for y, x in replay["path"]],
        "status": [[k, now] for k, now in enumerate(status) if now and (k == 0 or now != status[k - 1])],
        "events": [
            [k, [spoken(name) for name in happened]]
            for k, happened in enumerate(told_events(replay, environment))
            if happened
        ],
    }


def _written(numbers: Mapping[str, Sequence[Sequence[str]]]) -> list[list[Any]]:
    """What is written in the cells, of all fields: [cell, text], where there is any."""
    texts = [[text for row in rows for text in row] for rows in numbers.values()]
    cells = [" ".join(filter(None, own)) for own in zip(*texts, strict=True)]
    return [[cell, text] for cell, text in enumerate(cells) if text]


def told_events(replay: Mapping[str, Any], environment: Environment) -> list[list[str]]:
    """The events of every step, without those that only say that a step was taken: they happen in each one, and end nothing.

    Amounts with their number behind them.
    """
    first, *later = replay["events"]
    dull = set.intersection(*map(set, later)) if later else set()
    dull -= goal_events(environment) | _names(environment, environment.ends)
    amounts = replay.get("amounts", [{}] * len(replay["events"]))
    return [
        [
            f"{event} {many[event]}" if event in many else event
            for event in happened
            if event not in dull or event in many
        ]
        for happened, many in zip((first, *later), amounts, strict=True)
    ]


def in_words(status: Mapping[str, int], environment: Environment) -> list[str]:
    """What the agent sees beside the grid, in the words of its fields: `lamp lit`, `4 rounds left`, `dismissed with 90 %`."""
    fields = {one.name: one for one in environment.fields}
    told = [
        fields[name].told(value) if name in fields else f"{spoken(name)} {value}"
        for name, value in status.items()
    ]
    return [*filter(None, told)]


def strip(replay: Mapping[str, Any], environment: Environment) -> list[tuple[str, int, int, str]]:
    """An episode in a few frames: the picture as a data URI, its width and height in pixels, and what it shows.

    The start, the steps at which something happens, the end; of more than FRAMES steps, some evenly spread. Of what the agent
    sees beside the grid a frame tells what is new.
    """
    last = len(replay["grids"]) - 1
    events = told_events(replay, environment)
    steps = sorted({0, last} | {k for k, happened in enumerate(events) if happened})
    chosen = (
        steps
        if len(steps) <= FRAMES
        else [steps[round(k * (len(steps) - 1) / (FRAMES - 1))] for k in range(FRAMES)]
    )
    height, width = replay["height"], replay["width"]
    frames = []
    before: list[str] = []
    for step in chosen:
        path = np.array(replay["path"][: step + 1])
        numbers = replay["numbers"][step] if "numbers" in replay else None
        pixels = drawn(
            np.reshape(replay["grids"][step], (height, width)), environment, CELLS[-1], path, numbers
        )
        status = in_words(replay["status"][step], environment)
        told = [f"Step {step}", _told(events[step]), ", ".join(one for one in status if one not in before)]
        before = status
        said = " \N{MIDDLE DOT} ".join(filter(None, told))
        frames.append((data_uri(render.png(pixels)), pixels.shape[1], pixels.shape[0], said))
    return frames
