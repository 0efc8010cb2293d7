"""What an environment file is written in: rules, mazes, and the declaration. The one import of such a file."""

from mesabench.world import mazes
from mesabench.world.bounds import Bounds, Ceiling
from mesabench.world.environment import Environment
from mesabench.world.field import GRID, Field
from mesabench.world.knob import Knob
from mesabench.world.letters import Letters
from mesabench.world.maps import ascii_map, paint
from mesabench.world.objective import Objective
from mesabench.world.oversight import Monitor, grid
from mesabench.world.population import Condition, Measure, Population
from mesabench.world.rules import (
    DOWN,
    LEFT,
    MOVES,
    RIGHT,
    STAY,
    UP,
    ahead,
    amount,
    chance,
    choose,
    clear,
    count,
    counted,
    draw,
    events,
    find,
    free_cell,
    free_cell_within,
    has,
    layers,
    move,
    push,
    put,
    put_agent,
    rule,
    scatter,
    shuffled,
    take,
)
from mesabench.world.sight import Sight
from mesabench.world.ways import listed

__all__ = [
    "DOWN", "GRID", "LEFT", "MOVES", "RIGHT", "STAY", "UP", "Bounds", "Ceiling", "Condition", "Environment",
    "Field", "Knob", "Letters", "Measure", "Monitor", "Objective", "Population", "Sight", "ahead", "amount",
    "ascii_map", "chance", "choose", "clear", "count", "counted", "draw", "events", "find", "free_cell", "free_cell_within",
    "grid", "has", "layers", "listed", "mazes", "move", "paint", "push", "put", "put_agent", "rule", "scatter", "shuffled",
    "take",
]  # fmt: skip
