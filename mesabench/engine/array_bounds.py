"""Rules played as plain Python, on arrays that know their bounds.

Compiled, an index beyond an array reads or writes whatever lies there, and a negative one counts from the end. Here both are
refused, in the rules of an author and in all that they call.
"""

from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from types import CellType, FunctionType, ModuleType, SimpleNamespace
from typing import Any

import numpy as np

from mesabench.engine.distribution import Distribution
from mesabench.engine.kernel_cache import codes_of
from mesabench.world.environment import Environment

ACCESSES = 2_000_000
"""Times that one call of a rule may look into arrays: who needs more does not come to an end."""


class OutOfBoundsError(IndexError):
    """A rule left an array."""


class EndlessError(RuntimeError):
    """A rule does not come to an end."""


class Bounded(np.ndarray):
    """An array that refuses whole numbers as indices that are negative or too large."""

    name = ""
    left = ACCESSES

    def __array_finalize__(self, other: Any) -> None:
        self.name = getattr(other, "name", "")

    def _look(self, index: Any) -> None:
        Bounded.left -= 1
        if Bounded.left < 0:
            raise EndlessError(f"more than {ACCESSES:,} looks into its arrays")
        for number, size in zip(index if isinstance(index, tuple) else (index,), self.shape, strict=False):
            if isinstance(number, int | np.integer) and not 0 <= number < size:
                shape = " x ".join(map(str, self.shape))
                where = ", ".join(map(str, index)) if isinstance(index, tuple) else index
                raise OutOfBoundsError(f"{self.name}[{where}], which has {shape}")

    def __getitem__(self, index: Any) -> Any:
        self._look(index)
        return super().__getitem__(index)

    def __setitem__(self, index: Any, value: Any) -> None:
        self._look(index)
        super().__setitem__(index, value)


def bounded(array: np.ndarray, name: str) -> Bounded:
    """A view of an array that keeps to its bounds."""
    view = array.view(Bounded)
    view.name = name
    return view


class BoundedState:
    """A state record as rules see it. state: one record, which is changed in place."""

    def __init__(self, state: Any) -> None:
        arrays = {name: bounded(state[name], f"s.{name}") for name in state.dtype.names if state[name].shape}
        self.__dict__.update(_state=state, _arrays=arrays)

    def __getattr__(self, name: str) -> Any:
        if name in self._arrays:
            return self._arrays[name]
        if name not in self._state.dtype.names:
            raise AttributeError(f"a state has no {name!r}")
        return self._state[name]

    def __setattr__(self, name: str, value: Any) -> None:
        self._state[name] = value


def plain(rule: Callable[..., Any]) -> Callable[..., Any]:
    """A rule as plain Python, with all that it calls and every constant array that it reads; its own stays as it was.

    Raises OutOfBoundsError where it leaves an array, EndlessError.
    """
    twin = _plain(rule, rule.__name__, (), {})

    def call(*arguments: Any) -> Any:
        Bounded.left = ACCESSES
        with np.errstate(all="ignore"):
            return twin(*arguments)

    return call


def _plain(part: Any, name: str, attributes: Iterable[str], known: dict[Any, Any]) -> Any:
    """A value that rules reach, under a name: of a module, only the attributes that they may ask for."""
    function = getattr(part, "py_func", part)
    if isinstance(part, ModuleType) and part.__name__.partition(".")[0] not in ("numpy", "math"):
        found = {one: getattr(part, one) for one in attributes if hasattr(part, one)}
        return SimpleNamespace(**{one: _plain(value, one, attributes, known) for one, value in found.items()})
    if isinstance(part, np.ndarray) and part.ndim:
        return bounded(part, name)
    if not isinstance(function, FunctionType):
        return part
    if function not in known:
        names = {one for code in codes_of(function.__code__) for one in code.co_names}
        scope = dict(function.__globals__)
        cells = tuple(CellType() for _ in function.__closure__ or ())
        twin = FunctionType(function.__code__, scope, function.__name__, function.__defaults__, cells)
        twin.__kwdefaults__ = function.__kwdefaults__
        known[function] = twin
        for one in names & scope.keys():
            scope[one] = _plain(scope[one], one, names, known)
        for one, mine, theirs in zip(
            function.__code__.co_freevars, cells, function.__closure__ or (), strict=True
        ):
            mine.cell_contents = _plain(theirs.cell_contents, one, names, known)
    return known[function]


MOST_CELLS = 150
"""Of a grid on which rules are played: plain Python is slow."""
STEPS = 20
"""Of an episode."""


def escape(distribution: Distribution, levels: int, rng: np.random.Generator) -> str | None:
    """How rules leave their arrays, in words; None if they do not.

    They draw some levels, and one with every knob at its lowest and at its highest; and they are played on them as they are, and
    changed in whatever a text may say: any field from 0 to its `high`, any layer in any cell.
    """
    environment = distribution.environment
    layout, step = plain(environment.layout), plain(environment.step)
    shift, settle = (plain(rule) if rule else None for rule in (environment.shift, environment.settle))
    for one, number in [(distribution, levels), *((other, 1) for other in _turned(distribution))]:
        if np.prod(one.engine.shape) > MOST_CELLS:
            continue
        common, *own = one.knob_records
        if not environment.paired:
            common = own[one.shifted_share == 1]
        for _ in range(number):
            record = one.engine.states(1)
            record["_rng"] = rng.integers(2**64, dtype=np.uint64)
            rule = "layout"
            try:
                layout(state := BoundedState(record[0]), common)
                if shift and not (environment.paired and state.failed):
                    rule = "shift"
                    shift(state, own[one.shifted_share == 1])
                for changed in (False, True, True):
                    began = record.copy()
                    if changed:
                        as_a_text_may(environment, began[0], rng)
                    state, rule = BoundedState(began[0]), "settle"
                    with suppress(ArithmeticError):  # a level without sense; compiled, numbers wrap around
                        if settle:
                            settle(state)
                        rule = "step"
                        for action in rng.integers(len(one.actions), size=STEPS).tolist():
                            if changed or not state.failed:
                                step(state, action)
            except (OutOfBoundsError, EndlessError) as trouble:
                fields = {f.name: int(state._state[f.name]) for f in environment.fields if not f.shape}
                knobs = ", ".join(f"{name}={value}" for name, value in one.knobs.items())
                where = ", ".join(f"{name} = {value}" for name, value in fields.items() if value)
                return (
                    f"{one.split}{f' with {knobs}' if knobs else ''}: `{rule}` asks for {trouble}"
                    f"{f', where {where}' if where else ''}"
                )
    return None


def _turned(distribution: Distribution) -> Iterator[Distribution]:
    """The distribution with one knob at either end, as far as the environment allows it."""
    for name, knob in distribution.environment.knobs.items():
        for value in knob.choices or (knob.low, knob.high):
            with suppress(ValueError):
                yield distribution.with_(**{name: value})


def as_a_text_may(environment: Environment, state: Any, rng: np.random.Generator) -> None:
    """Fields, layers and the agent's place as chance has them; the border stays closed. Scratch space holds anything."""
    grid = state["grid"]
    height, width = grid.shape
    layers = sum(int(layer) for layer in environment.layers)
    odd = rng.integers(layers + 1, size=grid.shape) & layers
    grid[:] = np.where(rng.random(grid.shape) < rng.choice((0.05, 0.5)), odd, grid)
    grid &= ~np.array(environment.agent, grid.dtype)
    for edge in (grid[0], grid[-1], grid[:, 0], grid[:, -1]):
        edge |= int(environment.wall)
    y, x = int(rng.integers(1, height - 1)), int(rng.integers(1, width - 1))
    grid[y, x] |= int(environment.agent)
    state["y"], state["x"] = y, x
    for field in environment.fields:
        if field.by_cell:
            state[field.name] = rng.integers(field.high + 1, size=grid.shape) * (rng.random(grid.shape) < 0.5)
        elif not field.shape:
            state[field.name] = rng.choice([0, field.high, int(rng.integers(field.high + 1))])
    for name in ("distance", "queue", "_queue"):
        state[name] = rng.integers(-(2**15), 2**15, state[name].shape)
    state["_flood"] = rng.integers(2**64, size=state["_flood"].shape, dtype=np.uint64)
