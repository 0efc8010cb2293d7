"""What an environment declares: rules, events, objectives, knobs and splits. Data only; `mesabench.engine` compiles it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

from mesabench.suggestion import unknown
from mesabench.world.bits import MAX_ACTIONS, Bit
from mesabench.world.bounds import Bounds
from mesabench.world.declaration import Declaration
from mesabench.world.field import Field
from mesabench.world.knob import Knob, Value, values_of
from mesabench.world.letters import Drawing, Letters
from mesabench.world.maps import glyphs_of
from mesabench.world.objective import HAZARD, RESERVED, Objective
from mesabench.world.oversight import Monitor
from mesabench.world.rules import MOVES
from mesabench.world.sight import Sight

TRAIN, HELDOUT, DEPLOY = "train", "heldout", "deploy"


def _square(knobs: Any) -> tuple[int, int]:
    return knobs.size, knobs.size


def _none(knobs: Any) -> tuple[str, ...]:
    return ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Environment(Declaration):
    """One environment file's declaration. See `docs/add-an-environment.md`.

    Rules: `layout(s, knobs)` draws what train and deploy have in common, `shift(s, knobs)` what differs between them,
    `settle(s)` derives fields from the finished grid, `step(s, action)` returns the events of one step.
    `more_actions(knobs)`: actions that these knobs add to `actions`. `letters`: which letters the bits of cells spell, for
    pictures. `sight`: what the agent sees (default: everything). `monitor`: how it is watched, where it is
    (`mesabench.deception.compliance`). `bounds`: what scores are measured against on levels beyond the solver.
    `first_goals`: whether the goal that comes first shows what is pursued. Where goals are paid again and again and everything is
    tried once it does not; then levels tell goals apart by what the optimum of a proxy loses of the intended objective.
    name, story, file, digest, sprites: are given by the registry. file and digest are empty for what is installed; sprites is the
    path of a file of pixel art that lies beside the environment's, or empty.
    """

    layers: tuple[Bit, ...]
    events: tuple[Bit, ...]
    agent: Bit
    wall: Bit
    layout: Callable[..., Any]
    step: Callable[..., Any]
    shift: Callable[..., Any] | None = None
    settle: Callable[..., Any] | None = None
    objectives: Mapping[str, Objective]
    intended: str
    training: str = ""
    proxies: tuple[str, ...] = ()
    null: str = ""
    ends: int = 0
    once: int = 0
    hazards: int = 0
    knobs: Mapping[str, Knob]
    splits: Mapping[str, Mapping[str, Value]]
    fields: tuple[Field, ...] = ()
    sight: Sight = field(default_factory=Sight)
    shape: Callable[[Any], tuple[int, int]] = _square
    glyphs: Mapping[str, str] = field(default_factory=dict)
    letters: Letters | None = None
    actions: tuple[str, ...] = MOVES
    more_actions: Callable[[Any], tuple[str, ...]] = _none
    discount: float = 0.97
    paired: bool = True
    pools: bool = True
    first_goals: bool = True
    check: Callable[[Any], str | None] | None = None
    monitor: Monitor | None = None
    bounds: Bounds | None = None
    version: int = 0
    name: str = ""
    story: str = ""
    file: str = ""
    digest: str = ""
    sprites: str = ""

    def __post_init__(self) -> None:
        for role, name in (("intended", self.intended), ("training", self.paid), ("null", self.null)):
            if name and name not in self.objectives:
                raise ValueError(unknown(f"{role} objective", name, self.objectives))
        for name in self.proxies:
            if name not in self.objectives:
                raise ValueError(unknown("proxy", name, self.objectives))
        for name in self.objectives:
            if name in RESERVED:
                raise ValueError(
                    f"objectives={{{name!r}: ...}}: results use the names {', '.join(RESERVED)} themselves; choose another"
                )
            for event in self.objectives[name].weights:
                if event not in self.events:
                    told = getattr(event, "name", event)
                    raise ValueError(unknown(f"event weighed by objective {name!r}", told, self.event_names))
        for event in self.events:
            if self.once & event and event.most > 1:
                raise ValueError(
                    f"once=... names {event.name!r}, an amount: only an event that happens or does not can count once"
                )
        for name in (TRAIN, DEPLOY):
            if name not in self.splits:
                raise ValueError(
                    f"splits must name {TRAIN!r} and {DEPLOY!r}; given: {', '.join(self.splits)}"
                )
        if "max_steps" not in self.knobs:
            raise ValueError("knobs must include 'max_steps', the time limit of an episode in steps")
        if self.layers[0] is not self.wall:
            raise ValueError("the first layer is drawn lowest and must be the wall")
        for layer, glyph in self.glyphs.items():
            if layer not in self.layer_names:
                raise ValueError(unknown("layer of a glyph", layer, self.layer_names))
            if len(glyph) != 1 or glyph.isspace() or glyph in ".=":
                raise ValueError(
                    f"glyph {glyph!r} of {layer!r}: must be one visible character other than `.` and `=`"
                )
        for other, value in (pair for knob in self.knobs.values() for pair in knob.others()):
            self.knobs[self.split_and_knob(other)[1]].parse(other, value)
        self.sight.check(self.layers, self.fields)
        if self.letters and (twice := {*self.letters.text} & {*self.glyph_of}):
            raise ValueError(
                f"{min(twice)!r} is a letter and the glyph of a layer; choose another in `glyphs`"
            )
        for split, changes in self.splits.items():
            for knob, value in changes.items():
                if knob not in self.knobs:
                    raise ValueError(unknown(f"knob in split {split!r}", knob, self.knobs))
                self.knobs[knob].parse(knob, value)
            knobs_of_it = self.knobs_of(split)
            self.sight.check_agent(self.agent.name, self.in_view(knobs_of_it))
            self.actions_of(knobs_of_it)
        if self.bounds:
            self.bounds.check(self.objectives, {self.intended, self.paid})
        if self.monitor:
            fields = tuple(one.name for one in self.fields if not one.shape)
            self.monitor.check(self.layers, fields, self.knobs, self.splits)
            highs = {one.name: one.high for one in self.fields}
            for name, value in self.monitor.shown():
                if name in highs and not 0 <= value <= highs[name]:
                    raise ValueError(
                        f"the monitor shows {name} = {value!r}; it must be from 0 to {highs[name]}"
                    )

    def __repr__(self) -> str:
        return f"Environment({self.name!r})"

    @property
    def paid(self) -> str:
        """The name of the objective that is paid during training: `training`, or else the intended one."""
        return self.training or self.intended

    @property
    def id(self) -> str:
        """The Gymnasium id, `mesabench/CheeseCorner-v0` for the file `cheese_corner.py`."""
        return f"mesabench/{''.join(part.capitalize() for part in self.name.split('_'))}-v{self.version}"

    @cached_property
    def layer_names(self) -> tuple[str, ...]:
        return tuple(layer.name for layer in self.layers)

    @cached_property
    def drawn(self) -> tuple[str, ...]:
        """The layers' names in pictures: '' for those that nobody is to see."""
        return tuple("" if layer in self.sight.invisible else layer.name for layer in self.layers)

    @cached_property
    def shown(self) -> tuple[Field, ...]:
        """The fields that can be in view."""
        return tuple(one for one in self.fields if one.name not in self.sight.unseen)

    def drawing(self, grid: np.ndarray) -> Drawing:
        """What pictures show of a grid (height, width): it, with the names and the glyphs of its bits."""
        plain = grid, self.drawn, self.glyph_of
        return self.letters.written(plain, self.wall) if self.letters else plain

    @cached_property
    def numbers(self) -> tuple[str, ...]:
        """The names of the fields that can be in view and are single numbers: what there is to see beside the grid."""
        return tuple(one.name for one in self.shown if not one.shape)

    @cached_property
    def event_names(self) -> tuple[str, ...]:
        return tuple(event.name for event in self.events)

    @cached_property
    def objective_names(self) -> tuple[str, ...]:
        return tuple(self.objectives)

    @cached_property
    def glyph_of(self) -> tuple[str, ...]:
        """One character per layer for ASCII levels, by layer order."""
        return glyphs_of(self.layers, self.glyphs)

    @cached_property
    def weights(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """float64 (event bits, objectives): what each objective pays for each bit of the events.

        An event has one bit, an amount one for each of its digits, each worth twice the one before.
        """
        table = np.zeros((max(event.bit_length() for event in self.events), len(self.objectives)))
        for column, objective in enumerate(self.objectives.values()):
            for event, weight in objective.weights.items():
                event = self.events[self.events.index(event)]
                for digit in range(event.most.bit_length()):
                    table[event.position + digit, column] = weight * (1 << digit)
        return table

    @cached_property
    def largest(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """float64 (objectives,): the most, in absolute terms, that each objective pays or takes for one event."""
        return np.array([
            max((abs(weight) * self.events[self.events.index(event)].most for event, weight in one.weights.items()), default=0.0)
            for one in self.objectives.values()
        ])  # fmt: skip

    def amounts_of(self, happened: int) -> dict[str, int]:
        """What happened in a step, given as bits: the names of the events, and how much of each; 1 where it carries no amount."""
        amounts = {event.name: event.amount_in(happened) for event in self.events}
        return {name: many for name, many in amounts.items() if many}

    def happened(self, happened: int) -> list[str]:
        """The same in words, an amount with its number behind it."""
        counts = {event.name for event in self.events if event.most > 1}
        return [
            f"{name} {many}" if name in counts else name for name, many in self.amounts_of(happened).items()
        ]

    def knobs_of(self, split: str, overrides: Mapping[str, object] | None = None) -> SimpleNamespace:
        """All knob values of a split: defaults, then the split's own, then the overrides. Raises ValueError."""
        base = TRAIN if split == HELDOUT else split
        if base not in self.splits:
            raise ValueError(unknown("split", split, {*self.splits, HELDOUT}))
        given: dict[str, Value] = {}
        for name, value in (overrides or {}).items():
            if name not in self.knobs:
                raise ValueError(unknown(f"knob of {self.name}", name, self.knobs))
            given[name] = self.knobs[name].parse(name, value)
        knobs = SimpleNamespace(**values_of(self.knobs, base, self.splits[base], given))
        trouble = self.check(knobs) if self.check else None
        if trouble:
            raise ValueError(f"{self.name}: {trouble}")
        return knobs

    def shifted_knobs(self, split: str) -> frozenset[str]:
        """The knobs in which a split may differ from `train`: those that either of the two sets itself."""
        return frozenset((*self.splits[TRAIN], *self.splits.get(split, ())))

    def column(self, objective: str) -> int:
        """Where an objective stands among `objective_names`, the order of every table by objective.

        Raises ValueError for a name that is none: which there are.
        """
        if objective not in self.objectives:
            raise ValueError(unknown(f"objective of {self.name}", objective, self.objectives))
        return self.objective_names.index(objective)

    def split_and_knob(self, name: str) -> tuple[str, str]:
        """What a knob's name says: `corner` is ("", "corner"), `deploy.corner` is ("deploy", "corner"). Raises ValueError."""
        split, dot, knob = name.rpartition(".")
        if dot and split not in self.splits:
            raise ValueError(f"{name}: {unknown(f'split of {self.name}', split, self.splits)}")
        if knob not in self.knobs:
            raise ValueError(unknown(f"knob of {self.name}", knob, self.knobs))
        return split, knob

    def in_view(self, knobs: Any) -> tuple[str, ...]:
        """The names of the layers and fields that are seen under these knobs, in order, repeats included. Raises ValueError."""
        return self.sight.names((*self.layer_names, *(one.name for one in self.fields)), knobs)

    def actions_of(self, knobs: Any) -> tuple[str, ...]:
        """The names of the actions that there are under these knobs. Raises ValueError for none, and for too many."""
        names = self.actions + tuple(self.more_actions(knobs))
        if not 1 <= len(names) <= MAX_ACTIONS:
            where = "actions=..." if len(names) == len(self.actions) else "actions=... and more_actions=..."
            raise ValueError(f"{where} names {len(names)} actions; between 1 and {MAX_ACTIONS} are possible")
        return names

    def sight_of(self, words: str, knobs: Any) -> Sight:
        """The environment's sight as words change it: `5x5`, `rgb` (`mesabench.world.sight.parsed`). Raises ValueError."""
        sight = self.sight.given(words, self.wall)
        sight.check(self.layers, self.fields)
        sight.check_agent(self.agent.name, self.in_view(knobs), words)
        return sight


def classes_of(environment: Environment) -> dict[str, int]:
    """First goals: the events of the intended objective, of each proxy, and of the hazards if there are any, by name."""
    classes = {environment.intended: environment.objectives[environment.intended].goal_events}
    classes |= {name: environment.objectives[name].goal_events for name in environment.proxies}
    return classes | ({HAZARD: int(environment.hazards)} if environment.hazards else {})
