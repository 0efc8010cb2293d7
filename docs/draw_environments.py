"""The picture of an environment on its page, and what its goals are worth: for write_environments.py.

A picture is one level as in training and after the shift, with the way of whoever plays best for the intended goal and of whoever
plays best for the first proxy. It is an SVG card of the pixels that environments draw, so that it reads on any page.
"""

import base64
import hashlib
import inspect
import sys
from collections.abc import Sequence
from html import escape
from pathlib import Path
from textwrap import wrap
from typing import NamedTuple

import numpy as np

from mesabench import solver
from mesabench.catalogue import SPLITS_IN_WORDS, beginnings, wanted
from mesabench.engine.distribution import Distribution, distribution
from mesabench.pictures.render import png
from mesabench.pictures.sprites import SIZE, sprite
from mesabench.solver.graph import LevelGraph, UnsolvableError, explore
from mesabench.tables import Table
from mesabench.world.environment import DEPLOY, HELDOUT, Environment
from mesabench.world.rules import DOWN, LEFT, MOVES, RIGHT, UP

LEVELS = 12
"""Levels of each split that are solved; the one that is shown is that in which the proxy costs most of the intended goal."""
SCALE = 2
"""Pixels of the picture for one of the art's."""
MARGIN, TITLE, LINE, LETTER = 14, 26, 18, 6.4
"""Pixels around levels, of a title, from one line of text to the next, and of a letter."""
INK, BLUE, ORANGE = "#101010", "#1f66ae", "#bf4f0d"
ASIDE = 3
"""Pixels by which a way is set off from the middle of its cells, so that two ways along the same cells are both seen."""
AHEAD = {UP: (-1, 0), LEFT: (0, -1), DOWN: (1, 0), RIGHT: (0, 1)}


class Drawn(NamedTuple):
    """source: a digest of what the rest is made from. svg: the picture. level: whose it is. solved: whether ways are drawn in.
    worth: a row for each split."""

    source: str
    svg: str
    level: int
    solved: bool
    worth: Table


def source_of(environment: Environment) -> str:
    """A digest of what pictures and values are made from: the files of the rules, the sprites, and this script.

    Levels that differ without a change of these files would fail tests/engine/test_levels.py.
    """
    digest = hashlib.sha256()
    for file in files_of(environment):
        digest.update(file.read_text("utf-8").encode())
    for name in filter(None, environment.drawn):
        digest.update(sprite(name, environment.sprites).tobytes())
    return digest.hexdigest()[:12]


def files_of(environment: Environment) -> list[Path]:
    """This script and the files of the rules in `envs/`: an environment may be made from another one's."""
    own = Path(str(sys.modules[f"mesabench.envs.{environment.name}"].__file__))
    rules = [environment.layout, environment.shift, environment.settle, environment.step, environment.shape]
    files = {Path(str(inspect.getsourcefile(getattr(one, "py_func", one)))) for one in rules if one}
    beside = {file for file in files if file.parent == own.parent}
    return sorted({own, Path(__file__), *beside}, key=lambda file: file.name)


def drawn(environment: Environment) -> Drawn:
    """Solve some levels of every split, and draw the one that tells the goals apart best."""
    ordinary, shifted = (distribution(environment, split=split) for split in (HELDOUT, DEPLOY))
    graphs = {level: graph for level in range(LEVELS) if (graph := _solved(shifted, level))}
    level = max(graphs, key=lambda one: (round(_cost(graphs[one]), 6), -one), default=0)
    pair = {HELDOUT: _solved(ordinary, level), DEPLOY: graphs.get(level)}
    return Drawn(
        source_of(environment), _card(environment, level, pair), level, bool(graphs), _worth(environment)
    )


def _solved(levels: Distribution, level: int) -> LevelGraph | None:
    try:
        return explore(levels, level)
    except UnsolvableError:
        return None


def _cost(graph: LevelGraph) -> float:
    """What the optimum of the first proxy loses of the intended objective."""
    environment = graph.environment
    if not environment.proxies:
        return 0.0
    best = solver.optimum(graph, environment.intended, []).value
    return best - _collected(graph, environment.proxies[0])


def _collected(graph: LevelGraph, goal: str) -> float:
    """What whoever plays best for a goal gets of the intended objective."""
    found = solver.evaluate(graph, solver.optimal_actions(graph, goal))
    return float(found.returns[graph.environment.column(graph.environment.intended)])


# What the goals are worth


def _worth(environment: Environment) -> Table:
    """Of the intended objective, per split: what random play gets, the optima of the proxies, and its own optimum."""
    proxies = [name for name in environment.proxies if name != environment.intended]
    rows = []
    for split in dict.fromkeys((HELDOUT, DEPLOY, *environment.splits)):
        if split == "train":
            continue  # as held-out levels
        levels = distribution(environment, split=split)
        graphs = _some(levels)
        if not graphs:
            rows.append((split, *["beyond the solver"] * (2 + len(proxies)), "0"))
            continue
        column = environment.column(environment.intended)
        values = [
            (
                max(0.0, float(solver.evaluate(graph, solver.uniform_policy(graph)).returns[column])),
                *(_collected(graph, name) for name in proxies),
                solver.optimum(graph, environment.intended, []).value,
            )
            for graph in graphs
        ]
        rows.append((split, *(f"{value + 0.0:.3g}" for value in np.mean(values, 0)), str(len(graphs))))
    heads = [f"best for {name.replace('_', ' ')}" for name in proxies]
    return Table("", ("split", "random play (score 0)", *heads, "best (score 1)", "levels"), rows)


def _some(levels: Distribution) -> list[LevelGraph]:
    """The first levels that can be solved; one where they are all the same, none if the first is beyond the solver."""
    found: dict[int, LevelGraph] = {}
    for level in range(LEVELS):
        graph = _solved(levels, level)
        if graph is None and level == 0:
            return []
        if graph:
            found.setdefault(graph.digest, graph)
        if level == 2 and len(found) == 1:
            break  # a fixed map
    return list(found.values())


# The picture


def _card(environment: Environment, level: int, graphs: dict[str, LevelGraph | None]) -> str:
    """The level as in training and after the shift, ways drawn in, and a line that tells whose ways they are."""
    images = {
        split: env.render()
        for split, env in beginnings(distribution(environment), level, "rgb_array").items()
        if split in graphs
    }
    goals = {environment.intended: (BLUE, "")}
    for name in environment.proxies[:1]:
        goals.setdefault(name, (ORANGE, "7 5"))
    width = MARGIN + sum(SCALE * image.shape[1] + MARGIN for image in images.values())
    tall = max(SCALE * image.shape[0] for image in images.values())
    text, y = [], MARGIN + TITLE + tall + LINE
    for k, (name, (colour, dashes)) in enumerate(goals.items()):
        said = f"{'a proxy' if k else 'intended'}: {wanted(environment, name)}"
        text.append(_line([(MARGIN, y - 4), (MARGIN + 30, y - 4)], colour, dashes))
        for line in wrap(said, int((width - 2 * MARGIN - 38) / LETTER)):
            text.append(f'<text x="{MARGIN + 38}" y="{y}" fill="{colour}">{escape(line)}</text>')
            y += LINE
    parts, x = [], MARGIN
    for split, image in images.items():
        parts.append(
            f'<text x="{x}" y="{MARGIN + 13}" fill="{INK}">{SPLITS_IN_WORDS[split].capitalize()}</text>'
        )
        parts.append(_image(image, x, MARGIN + TITLE))
        if graph := graphs[split]:
            for place, (name, (colour, dashes)) in enumerate(goals.items()):
                others = [other for other in goals if other != name]
                aside = 0 if len(goals) == 1 else ASIDE * (2 * place - 1)
                points = [
                    (
                        x + SCALE * SIZE * (column + 0.5) + aside,
                        MARGIN + TITLE + SCALE * SIZE * (row + 0.5) + aside,
                    )
                    for row, column in _once(way(graph, name, others))
                ]
                parts.append(_line(points, colour, dashes, arrow=True))
        x += SCALE * image.shape[1] + MARGIN
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{y}" viewBox="0 0 {width} {y}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="13">'
    )
    return "\n".join([head, f'<rect width="{width}" height="{y}" fill="white"/>', *parts, *text, "</svg>\n"])


def _image(pixels: np.ndarray, x: int, y: int) -> str:
    data = base64.b64encode(png(pixels)).decode()
    return (
        f'<image x="{x}" y="{y}" width="{SCALE * pixels.shape[1]}" height="{SCALE * pixels.shape[0]}" '
        f'style="image-rendering:pixelated" href="data:image/png;base64,{data}"/>'
    )


def _line(points: Sequence[tuple[float, float]], colour: str, dashes: str, arrow: bool = False) -> str:
    """A line on a white rim, with an arrow head where it ends; a dot for a way without a step."""
    if len(points) < 2:
        return "".join(
            f'<circle cx="{x:g}" cy="{y:g}" r="4" fill="{colour}" stroke="white"/>' for x, y in points
        )
    place = " ".join(f"{x:g},{y:g}" for x, y in points)
    line = f'<polyline points="{place}" fill="none" stroke-linejoin="round" '
    drawn = [f'{line}stroke="white" stroke-width="5" stroke-opacity="0.8"/>']
    drawn.append(
        f'{line}stroke="{colour}" stroke-width="3"{f" stroke-dasharray={dashes!r}" if dashes else ""}/>'
    )
    if arrow:
        (x0, y0), (x, y) = points[-2:]
        length = np.hypot(x - x0, y - y0)
        dx, dy = 6 * (x - x0) / length, 6 * (y - y0) / length
        head = f"{x + dx:.4g},{y + dy:.4g} {x - dx - dy:.4g},{y - dy + dx:.4g} {x - dx + dy:.4g},{y - dy - dx:.4g}"
        drawn.append(f'<polygon points="{head}" fill="{colour}" stroke="white" stroke-width="0.8"/>')
    return "".join(drawn)


def way(graph: LevelGraph, goal: str, others: Sequence[str]) -> list[tuple[int, int]]:
    """The likeliest course of one optimal play: the cells, row and column, until it ends or nothing is left to gain.

    Of equally good actions it takes one that is good for the others, too: ways part only where goals do.
    """
    best, kind = (
        solver.optimal_actions(graph, goal),
        [solver.optimal_actions(graph, other) for other in others],
    )
    records = graph.states()[["y", "x", "grid"]]
    walls = int(graph.environment.wall)
    every = (1 << graph.n_actions) - 1
    state, cells = 0, [(int(records["y"][0]), int(records["x"][0]))]
    for t, now in enumerate(best):
        good = int(now[state])
        if good == every and not np.any(best[t:, state] != every):
            break
        for other in kind:
            good = good & int(other[t, state]) or good
        action = (good & -good).bit_length() - 1
        first, end = graph.first[
            state * graph.n_actions + action : state * graph.n_actions + action + 2
        ].tolist()
        state = int(graph.successor[first + int(np.argmax(graph.probability[first:end]))])
        y, x = cells[-1]
        if state >= 0:
            cells.append((int(records["y"][state]), int(records["x"][state])))
            continue
        if action < len(MOVES) and graph.environment.actions[: len(MOVES)] == MOVES:
            dy, dx = AHEAD[action]
            if not int(records["grid"][0][y + dy, x + dx]) & walls:
                cells.append((y + dy, x + dx))
        break
    return cells


def _once(cells: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same without standing still, up to where it only goes again what it has gone before."""
    moved = [cell for k, cell in enumerate(cells) if k == 0 or cell != cells[k - 1]]
    gone: set[tuple[tuple[int, int], tuple[int, int]]] = set()
    last = 0
    for k in range(1, len(moved)):
        if (step := (moved[k - 1], moved[k])) not in gone:
            gone.add(step)
            last = k
    return moved[: last + 1]
