"""Levels as text: a picture of the grid, one character a cell, and what else there is to say below it.

#######        every character is one layer, `.` a free cell
#@..A.#
#######
A = dish + cheese          a cell with several layers
keys = 2                   a field that is not zero (not those a rule derives from the grid)
letter =                   a field with a number for each cell: a second picture, of as many rows
.......
.cat...
.......
"""

import itertools
from typing import Any

import numpy as np

from mesabench.engine.distribution import Distribution
from mesabench.suggestion import unknown
from mesabench.world.environment import Environment


class LevelTextError(ValueError):
    """A level text that is no level; the message begins with `line` and `column`, both counted from 1."""

    def __init__(self, line: int, column: int, trouble: str) -> None:
        super().__init__(f"line {line}, column {column}: {trouble}")
        self.line, self.column = line, column


def to_text(environment: Environment, state: Any) -> str:
    """The text of a state record; `from_text` reads it back to the same content, as the beginning of an episode: with all of the
    time left, and nothing counted yet of what counts once.
    """
    glyphs, names = environment.glyph_of, environment.layer_names
    letters = itertools.chain("ABCDEFGHIJLNOQRTUVWXYZ0123456789", map(chr, range(0x3B1, 0x10000)))
    taken = {*glyphs, *(one.name for one in environment.fields)}
    spare = (letter for letter in letters if letter.isalnum() and letter not in taken)
    legend: dict[int, str] = {0: "."} | {1 << k: glyph for k, glyph in enumerate(glyphs)}
    below = []
    for cell in np.unique(state["grid"]).tolist():
        if cell not in legend:
            legend[cell] = next(spare)
            below.append(
                f"{legend[cell]} = " + " + ".join(name for k, name in enumerate(names) if cell >> k & 1)
            )
    for one in environment.fields:
        if one.by_cell and state[one.name].any():
            below += [f"{one.name} =", *one.rows(state[one.name])]
        elif not one.shape and state[one.name]:
            below.append(f"{one.name} = {state[one.name]}")
    rows = ["".join(legend[cell] for cell in row) for row in state["grid"].tolist()]
    return "\n".join(rows + below) + "\n"


def from_text(distribution: Distribution, text: str) -> tuple[np.ndarray, int]:
    """Read a level: a (1,) array of state records, and the level's digest. Raises LevelTextError.

    The grid must have the distribution's shape, a border of walls and exactly one agent.
    """
    if not isinstance(text, str):
        raise LevelTextError(1, 1, f"a level is read from text; got {type(text).__name__}")
    environment, engine = distribution.environment, distribution.engine
    lines = [
        (n, line.rstrip())
        for n, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1)
        if line.strip()
    ]
    states = engine.states(1)
    lines = _numbers(environment, lines, states[0])
    drawn = [(n, line) for n, line in lines if "=" not in line]
    legend, values = _legend(environment, [pair for pair in lines if "=" in pair[1]])
    states["y"], states["x"] = _draw(environment, legend, drawn, states["grid"][0])
    for name, number in values.items():
        states[name] = number
    states["_max_steps"] = distribution.own_knobs.max_steps
    return states, int(engine.settle(states)[0])


def _numbers(environment: Environment, lines: list[tuple[int, str]], state: Any) -> list[tuple[int, str]]:
    """Fill the fields that have a number for each cell; returns the lines that say something else."""
    fields = {one.name: one for one in environment.fields if one.by_cell}
    rest = []
    lines = lines[::-1]
    while lines:
        n, line = lines.pop()
        key, equals, value = (part.strip() for part in line.partition("="))
        if not equals or key not in fields:
            rest.append((n, line))
            continue
        if value:
            raise LevelTextError(
                n, line.index("=") + 2, f"{key} = {value!r}; its numbers belong into the rows below"
            )
        field, values = fields[key], state[key]
        for y, row in enumerate(values):
            if not lines or "=" in lines[-1][1]:
                raise LevelTextError(n, 1, f"{key} has {y} rows; it must have {len(values)}")
            n, line = lines.pop()
            told = field.read(line)
            if len(told) != len(row):
                raise LevelTextError(
                    n, 1, f"{len(told)} numbers in this row of {key}; it must have {len(row)}"
                )
            for x, number in enumerate(told):
                if number is None:
                    marks = f", written as {field.marks}" if field.marks else ", with blanks between them"
                    raise LevelTextError(
                        n,
                        x + 1,
                        f"cell {x + 1} of {key}: must be `.` or a whole number from 1 to {field.high}{marks}",
                    )
                row[x] = number
    return rest


def _draw(
    environment: Environment, legend: dict[str, int], drawn: list[tuple[int, str]], grid: np.ndarray
) -> tuple[int, int]:
    """Fill the grid as drawn; returns where the agent is."""
    height, width = grid.shape
    if len(drawn) != height:
        last = drawn[-1][0] if drawn else 1
        raise LevelTextError(last, 1, f"the grid has {len(drawn)} rows; it must have {height}")
    agents = []
    for y, (n, line) in enumerate(drawn):
        if len(line) != width:
            column = min(len(line), width) + 1
            raise LevelTextError(n, column, f"{len(line)} cells in this row; it must have {width}")
        for x, character in enumerate(line):
            if character not in legend:
                raise LevelTextError(n, x + 1, unknown("character", character, legend))
            cell = legend[character]
            border = y in (0, height - 1) or x in (0, width - 1)
            if border and (not cell & environment.wall or cell & environment.agent):
                wall = environment.wall.name
                raise LevelTextError(n, x + 1, f"open border; all around there must be {wall!r}")
            grid[y, x] = cell
            if cell & environment.agent:
                agents.append((y, x))
    if len(agents) != 1:
        y, x = agents[1] if agents else (0, 0)
        which = "a second" if agents else "no"
        raise LevelTextError(
            drawn[y][0], x + 1, f"{which} {environment.agent.name!r}; there must be exactly one"
        )
    return agents[0]


def _legend(environment: Environment, lines: list[tuple[int, str]]) -> tuple[dict[str, int], dict[str, int]]:
    """What the characters of the picture stand for, and the values of fields, from the lines with `=`."""
    legend = {".": 0} | {glyph: 1 << k for k, glyph in enumerate(environment.glyph_of)}
    fields = {one.name: one for one in environment.fields if not one.shape}
    values: dict[str, int] = {}
    said: set[str] = set()
    for n, line in lines:
        key, value = (part.strip() for part in line.split("=", 1))
        column = line.index("=") + 2
        if key in said:
            raise LevelTextError(n, 1, f"{key!r} is said a second time")
        said.add(key)
        if key in fields:
            high = fields[key].high
            if not (value.isdecimal() and len(value) < 10 and int(value) <= high):
                raise LevelTextError(n, column, f"{key} = {value!r}; must be a whole number from 0 to {high}")
            values[key] = int(value)
        elif len(key) == 1:
            legend[key] = 0
            for name in (part.strip() for part in value.split("+")):
                if name not in environment.layer_names:
                    raise LevelTextError(n, column, unknown("layer", name, environment.layer_names))
                legend[key] |= 1 << environment.layer_names.index(name)
        else:
            raise LevelTextError(n, 1, unknown("field", key, fields))
    return legend, values
