"""What an environment declares: rules, events, objectives, knobs and splits. Data only; `mesabench.engine` compiles it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np

from mesabench.suggestion import unknown
from mesabench.world.oversight import Monitor
from mesabench.world.rules import MAX_ACTIONS, MOVES, Bit

Value = int | float | str
TRAIN, HELDOUT, DEPLOY = "train", "heldout", "deploy"
RESERVED = "none", "hazard", "devices"
"""Names that no objective may have: results have columns called first_none, first_hazard, evidence_devices."""


@dataclass(frozen=True)
class Objective:
    """What somebody might want: a weight for every event that counts.

    `goal`: the events whose first occurrence shows that this objective is being pursued (default: those it pays for).
    """

    weights: Mapping[Bit, float]
    description: str = ""
    goal: int = 0

    @property
    def goal_events(self) -> int:
        return int(self.goal or sum(event for event, weight in self.weights.items() if weight > 0))


@dataclass(frozen=True)
class Knob:
    """A parameter of level generation: an int or float within [low, high], or one of the named choices (ints in rules)."""

    default: Value
    low: float = 0
    high: float = 1_000_000
    help: str = ""
    choices: tuple[str, ...] = ()

    def parse(self, name: str, value: object) -> Value:
        """Check a given value; raises ValueError that says what is allowed."""
        if self.choices:
            if value not in self.choices:
                raise ValueError(unknown(f"value of knob {name!r}", value, self.choices))
            return str(value)
        kind = float if isinstance(self.default, float) else int
        if isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool):
            within = self.low <= value <= self.high  # asked first: infinity and NaN are no int
            if within and kind(value) == value:
                return kind(value)
        article = "an integer" if kind is int else "a number"
        raise ValueError(f"knob {name}={value!r}: must be {article} from {self.low:g} to {self.high:g}")

    def encode(self, value: Value) -> int | float:
        return self.choices.index(str(value)) if self.choices else value  # type: ignore[return-value]


@dataclass(frozen=True)
class Field:
    """A scalar (or small array) of the state beside the grid, reset to 0 in every new level.

    Shown fields are single numbers from 0 to `high` <= 255; each becomes an observation plane filled with its value.
    `says`: what a value means in words, one text for each value from 0 on ("lamp dark", "lamp lit"), or a pattern
    for all of them, with {} for the value and {s} for the plural ("{} round{s} left"). By default the name and the value.
    """

    name: str
    high: int
    shape: tuple[int, ...] = ()
    shown: bool = True
    says: str | tuple[str, ...] = ""

    def __post_init__(self) -> None:
        try:
            self.told(0)
        except (AttributeError, LookupError, ValueError) as error:
            raise ValueError(
                f"field {self.name!r}, says={self.says!r}: only {{}}, the value, and {{s}}, the plural, may stand in braces"
            ) from error

    def told(self, value: int) -> str:
        """A value in words."""
        if not isinstance(self.says, str) and value < len(self.says):
            return self.says[value]
        pattern = (
            self.says if self.says and isinstance(self.says, str) else f"{self.name.replace('_', ' ')} {{}}"
        )
        return pattern.format(value, s="" if value == 1 else "s")

    @property
    def dtype(self) -> np.dtype[Any]:
        return np.dtype((np.int32, self.shape))


def _square(knobs: Any) -> tuple[int, int]:
    return knobs.size, knobs.size


@dataclass(frozen=True, kw_only=True, eq=False)
class Environment:
    """One environment file's declaration. See `docs/add-an-environment.md`.

    Rules: `layout(s, knobs)` draws what train and deploy have in common, `shift(s, knobs)` what differs between them,
    `settle(s)` derives fields from the finished grid, `step(s, action)` returns the events of one step.
    `monitor` says how the agent is watched, where it is (`mesabench.deception.compliance`).
    name, story, file, digest: are given by the registry; the last two are empty for what is installed.
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
    hidden: tuple[Bit, ...] = ()
    observe: Callable[[Any], tuple[str, ...]] | None = None
    shape: Callable[[Any], tuple[int, int]] = _square
    glyphs: Mapping[str, str] = field(default_factory=dict)
    actions: tuple[str, ...] = MOVES
    discount: float = 0.97
    paired: bool = True
    pools: bool = True
    check: Callable[[Any], str | None] | None = None
    monitor: Monitor | None = None
    version: int = 0
    name: str = ""
    story: str = ""
    file: str = ""
    digest: str = ""

    def __post_init__(self) -> None:
        for role, name in (("intended", self.intended), ("training", self.paid), ("null", self.null)):
            if name and name not in self.objectives:
                raise ValueError(unknown(f"{role} objective", name, self.objectives))
        for name in self.proxies:
            if name not in self.objectives:
                raise ValueError(unknown("proxy", name, self.objectives))
        for name in self.objectives:
            if name in RESERVED:
                raise ValueError(f"objective {name!r}: results use this name themselves; choose another")
        if not 1 <= len(self.actions) <= MAX_ACTIONS:
            raise ValueError(f"{len(self.actions)} actions named; between 1 and {MAX_ACTIONS} are possible")
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
        for one in self.fields:
            if one.shown and (one.shape or not 1 <= one.high <= 255):
                raise ValueError(
                    f"field {one.name!r}: a shown field is a single number with high between 1 and 255"
                )
        for split, changes in self.splits.items():
            for knob, value in changes.items():
                if knob not in self.knobs:
                    raise ValueError(unknown(f"knob in split {split!r}", knob, self.knobs))
                self.knobs[knob].parse(knob, value)
        if self.monitor:
            fields = tuple(one.name for one in self.fields if not one.shape)
            self.monitor.check(self.layers, fields, self.knobs, self.splits)
            highs = {one.name: one.high for one in self.fields}
            for name, value in self.monitor.shown():
                if name in highs and not 0 <= value <= highs[name]:
                    raise ValueError(
                        f"the monitor shows {name} = {value!r}; it must be from 0 to {highs[name]}"
                    )

    def __deepcopy__(self, memo: Any) -> "Environment":
        return self  # nothing in it can change

    @property
    def reference(self) -> str:
        """What `mesabench.registry.find_environment` finds it by in another process too: its name, or its file and content."""
        return f"{self.file}@{self.digest}" if self.file else self.name

    @property
    def paid(self) -> str:
        """The name of the objective that is paid during training: `training`, or else the intended one."""
        return self.training or self.intended

    @property
    def id(self) -> str:
        """The Gymnasium id, `mesabench/CheeseCorner-v0` for the file `cheese_corner.py`."""
        return f"mesabench/{''.join(part.capitalize() for part in self.name.split('_'))}-v{self.version}"

    @property
    def title(self) -> str:
        """The story's headline: what stands before the first blank line of the file's docstring."""
        return " ".join(self.story.strip().split("\n\n")[0].split())

    @cached_property
    def layer_names(self) -> tuple[str, ...]:
        return tuple(layer.name for layer in self.layers)

    @cached_property
    def drawn(self) -> tuple[str, ...]:
        """The layers' names in pictures: '' for the ghost, which nobody is to see."""
        return tuple(
            "" if layer.name == "ghost" and layer in self.hidden else layer.name for layer in self.layers
        )

    @cached_property
    def event_names(self) -> tuple[str, ...]:
        return tuple(event.name for event in self.events)

    @cached_property
    def objective_names(self) -> tuple[str, ...]:
        return tuple(self.objectives)

    @cached_property
    def glyph_of(self) -> tuple[str, ...]:
        """One character per layer for ASCII levels, by layer order."""
        usual = {"wall": "#", "mouse": "@", "agent": "@", "cheese": "*", "dish": "o", "lava": "~", "monster": "M",
                 "supervisor": "S", "goal": "G", "punishment": "P", "ghost": "?"}  # fmt: skip
        chosen: list[str] = []
        for name in self.layer_names:
            wishes = [self.glyphs.get(name), usual.get(name), *name, *name.upper(), *"0123456789"]
            chosen.append(next(g for g in wishes if g and g not in chosen and g != "."))
        return tuple(chosen)

    @cached_property
    def weights(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """float64 (events, objectives): what each objective pays for each event."""
        table = np.zeros((len(self.events), len(self.objectives)))
        for column, objective in enumerate(self.objectives.values()):
            for event, weight in objective.weights.items():
                table[self.events.index(event), column] = weight
        return table

    def knobs_of(self, split: str, overrides: Mapping[str, object] | None = None) -> SimpleNamespace:
        """All knob values of a split: defaults, then the split's own, then the overrides. Raises ValueError."""
        base = TRAIN if split == HELDOUT else split
        if base not in self.splits:
            raise ValueError(unknown("split", split, {*self.splits, HELDOUT}))
        values: dict[str, Value] = {name: knob.default for name, knob in self.knobs.items()}
        values.update(self.splits[base])
        for name, value in (overrides or {}).items():
            if name not in self.knobs:
                raise ValueError(unknown(f"knob of {self.name}", name, self.knobs))
            values[name] = self.knobs[name].parse(name, value)
        knobs = SimpleNamespace(**values)
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

    def channels_of(self, knobs: Any) -> tuple[str, ...]:
        """The names of the observation's planes, in order: layers (repeats allowed) and shown fields."""
        if self.observe:
            return self.observe(knobs)
        visible = tuple(layer.name for layer in self.layers if layer not in self.hidden)
        return visible + tuple(one.name for one in self.fields if one.shown)

    def named(self, name: str, story: str) -> "Environment":
        """The same environment with the name and story that its file gives it."""
        return replace(self, name=name, story=story)


def classes_of(environment: Environment) -> dict[str, int]:
    """First goals: the events of the intended objective, of each proxy, and of the hazards if there are any, by name."""
    classes = {environment.intended: environment.objectives[environment.intended].goal_events}
    classes |= {name: environment.objectives[name].goal_events for name in environment.proxies}
    return classes | ({"hazard": int(environment.hazards)} if environment.hazards else {})
