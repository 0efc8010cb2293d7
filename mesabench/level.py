"""Levels as text: a picture of the grid, one character a cell, and what else there is to say below it.

#######        every character is one layer, `.` a free cell
#@..A.#
#######
A = dish + cheese          a cell with several layers
keys = 2                   a field that is not zero (not those a rule derives from the grid)
"""

from typing import Any

import numpy as np

from mesabench.distribution import Distribution
from mesabench.engine import Array
from mesabench.environment import Environment
from mesabench.suggestion import unknown


class LevelTextError(ValueError):
    """A level text that is no level; the message names line and column, both counted from 1."""


def to_text(environment: Environment, state: Any) -> str:
    """The text of a state record; `from_text` reads it back to the same content."""
    glyphs, names = environment.glyph_of, environment.layer_names
    spare = iter(c for c in "ABCDEFGHIJLNOQRTUVWXYZ0123456789" if c not in glyphs)
    legend: dict[int, str] = {0: "."} | {1 << k: glyph for k, glyph in enumerate(glyphs)}
    below = []
    for cell in np.unique(state["grid"]).tolist():
        if cell not in legend:
            legend[cell] = next(spare)
            below.append(
                f"{legend[cell]} = " + " + ".join(name for k, name in enumerate(names) if cell >> k & 1)
            )
    for one in environment.fields:
        if not one.shape and state[one.name]:
            below.append(f"{one.name} = {state[one.name]}")
    rows = ["".join(legend[cell] for cell in row) for row in state["grid"].tolist()]
    return "\n".join(rows + below) + "\n"


def from_text(distribution: Distribution, text: str) -> tuple[Array, int]:
    """Read a level: a (1,) array of state records, and the level's digest. Raises LevelTextError.

    The grid must have the distribution's shape, a closed border and exactly one agent.
    """
    environment, engine = distribution.environment, distribution.engine
    lines = [(n, line.rstrip()) for n, line in enumerate(text.splitlines(), 1) if line.strip()]
    drawn = [(n, line) for n, line in lines if "=" not in line]
    legend = {".": 0} | {glyph: 1 << k for k, glyph in enumerate(environment.glyph_of)}
    fields = {one.name: one for one in environment.fields if not one.shape}
    values: dict[str, int] = {}
    for n, line in (pair for pair in lines if "=" in pair[1]):
        key, value = (part.strip() for part in line.split("=", 1))
        if key in fields:
            high = fields[key].high
            if not value.isdecimal() or int(value) > high:
                raise LevelTextError(f"line {n}: {key} = {value!r}; must be a whole number from 0 to {high}")
            values[key] = int(value)
        elif len(key) == 1:
            legend[key] = _cell(environment, value, n)
        else:
            raise LevelTextError(f"line {n}: {unknown('field', key, fields)}")
    height, width = engine.shape
    if len(drawn) != height:
        raise LevelTextError(
            f"line {drawn[-1][0] if drawn else 1}: the grid has {len(drawn)} rows; it must have {height}"
        )
    states = engine.states(1)
    agents = []
    for y, (n, line) in enumerate(drawn):
        if len(line) != width:
            raise LevelTextError(
                f"line {n}, column {min(len(line), width) + 1}: {len(line)} cells in this row; it must have {width}"
            )
        for x, character in enumerate(line):
            where = f"line {n}, column {x + 1}"
            if character not in legend:
                raise LevelTextError(f"{where}: {unknown('character', character, legend)}")
            cell = legend[character]
            if (y in (0, height - 1) or x in (0, width - 1)) and not cell & environment.wall:
                raise LevelTextError(
                    f"{where}: open border; the grid must be closed by {environment.wall.name!r} all around"
                )
            states["grid"][0, y, x] = cell
            if cell & environment.agent:
                agents.append((y, x, where))
    if len(agents) != 1:
        where = f"{agents[1][2]}: a second" if agents else "no"
        raise LevelTextError(f"{where} {environment.agent.name!r}; there must be exactly one")
    states["y"], states["x"] = agents[0][:2]
    for name, number in values.items():
        states[name] = number
    states["max_steps"] = distribution.own_knobs.max_steps
    digest = np.zeros(1, np.uint64)
    with np.errstate(over="ignore"):
        engine.adopt(states, states.view(np.uint64).reshape(1, -1), digest, 1)
    return states, int(digest[0])


def _cell(environment: Environment, value: str, line: int) -> int:
    cell = 0
    for name in (part.strip() for part in value.split("+")):
        if name not in environment.layer_names:
            raise LevelTextError(f"line {line}: {unknown('layer', name, environment.layer_names)}")
        cell |= 1 << environment.layer_names.index(name)
    return cell
