"""What there is, by the declarations alone: what `mesabench list` and `show` say, the table in the README.

Longer than other modules: every view of the declarations, each a few lines.
"""

import importlib
import json
import pkgutil
import tomllib
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from importlib.resources import files
from typing import Any

import numpy as np

from mesabench import registry
from mesabench.adapters.env import GridEnv
from mesabench.engine.distribution import Distribution, alike
from mesabench.tables import Table
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN, Environment
from mesabench.world.knob import Knob, Value
from mesabench.world.objective import Objective
from mesabench.world.sight import SIGHTS

MARKERS = "<!-- environments -->", "<!-- /environments -->"
"""The lines between which a Markdown file keeps the table of environments."""
SPLITS_IN_WORDS = {TRAIN: "in training", HELDOUT: "as in training", DEPLOY: "after the shift"}
"""What prose and pictures call the splits that every environment has (`docs/glossary.md`)."""


# What `list` says


def environments_table() -> Table:
    """Every environment that can be found, those of other packages included."""
    columns = ("environment", "in a sentence", "intended", "proxies", "size")
    rows = [
        (e.name, e.title, wanted(e, e.intended), "; ".join(wanted(e, name) for name in e.proxies), size_of(e))
        for e in registry.environments().values()
    ]
    return Table("Environments", columns, rows)


def agents_table() -> Table:
    """Every agent that can be found."""
    rows = [(agent.name, agent.title) for agent in registry.agents().values()]
    return Table("Agents", ("agent", "in a sentence"), rows)


def suites() -> dict[str, str]:
    """What every suite that is shipped says of itself, by name, sorted."""
    shipped = (file for file in files("mesabench.configs").iterdir() if file.name.endswith(".toml"))
    found = {file.name.removesuffix(".toml"): tomllib.loads(file.read_text("utf-8")) for file in shipped}
    return {name: str(suite.get("description", "")) for name, suite in sorted(found.items())}


def suites_table() -> Table:
    """Every suite that is shipped."""
    return Table("Suites", ("suite", "in a sentence"), [*suites().items()])


def scripted() -> list[str]:
    """The agents that `evaluate` takes by name."""
    return [name for name, agent in registry.agents().items() if not agent.learns]


def markdown() -> str:
    """The README's table: the environments of this repository, each with a link to its file."""
    table = environments_table()
    shipped = {
        name for _, name, _ in pkgutil.iter_modules(importlib.import_module("mesabench.envs").__path__)
    }
    rows = [(f"[{name}](envs/{name}.py)", *rest) for name, *rest in table.rows if name in shipped]
    return table._replace(rows=rows).markdown()


def written_into(text: str) -> str:
    """A Markdown text with its table of environments renewed. Raises ValueError if it has no place for it."""
    before, opening, rest = text.partition(MARKERS[0])
    _, closing, after = rest.partition(MARKERS[1])
    if not (opening and closing):
        raise ValueError(
            f"no place for the table: the file needs a line {MARKERS[0]} and below it {MARKERS[1]}"
        )
    return f"{before}{opening}\n{markdown()}{closing}{after}"


# What `show` says


def tables_of(distribution: Distribution) -> Iterator[Table]:
    """Everything that an environment declares, and its knobs in each split, where these are the levels to train on."""
    e, engine = distribution.environment, distribution.engine
    layers = zip(e.glyph_of, e.layers, strict=True)
    yield Table(
        "Layers",
        ("", "layer", ""),
        [
            (glyph, spoken(layer.name), _layer_notes(e, layer, engine.observation.in_view))
            for glyph, layer in layers
        ],
    )
    yield Table(
        "Events",
        ("event", "is worth", ""),
        [(spoken(event.name), _worth(e, event), _event_notes(e, event)) for event in e.events],
    )
    yield Table(
        "Objectives",
        ("objective", "role", "", "pays"),
        [(name, ", ".join(roles_of(e, name)), o.description, _pays(o)) for name, o in e.objectives.items()],
    )
    yield Table(
        "Knobs",
        ("knob", "default", "allowed", ""),
        [(name, str(knob.default), _range(knob), knob.told) for name, knob in e.knobs.items()],
    )
    splits = [
        (split, in_words(e.knobs, values) or "the defaults")
        for split, values in _splits(distribution).items()
    ]
    heldout = "as train, on layouts never trained on" if e.pools else "the same as train"
    yield Table("Splits", ("split", "knobs"), [splits[0], (HELDOUT, heldout), *splits[1:]])
    yield Table(
        "What an agent gets",
        ("", ""),
        [
            ("observation", f"uint8 {engine.observation_shape}: {', '.join(dict.fromkeys(engine.channels))}"),
            ("sight", engine.observation.sight.told(e.layers)),
            (
                "other sights",
                "; ".join(f"sight={words}: {SIGHTS[words]}" for words in other_sights(distribution)),
            ),
            ("actions", ", ".join(f"{k} {spoken(name)}" for k, name in enumerate(distribution.actions))),
            ("time limit", _limits(distribution)),
            ("discount", f"{e.discount:g}, in the scores"),
        ],
    )
    if e.bounds:
        ceilings = {f"ceiling of {name}": one.told() for name, one in e.bounds.ceilings.items()}
        yield Table(
            "Bounds of scores, beyond the solver", ("", ""), [("floor", e.bounds.told()), *ceilings.items()]
        )


def other_sights(distribution: Distribution) -> Iterator[str]:
    """The words of `SIGHTS` by which an agent would see something else, of those that the environment admits."""
    environment, engine = distribution.environment, distribution.engine
    for words in SIGHTS:
        with suppress(ValueError):
            if environment.sight_of(words, distribution.own_knobs) != engine.observation.sight:
                yield words


def headed(split: str, more: str = "") -> str:
    """The heading of a split: its name, `more`, and what it is in words where every environment has it."""
    words = SPLITS_IN_WORDS.get(split)
    return f"{split}{more}: {words}" if words else f"{split}{more}"


def _splits(distribution: Distribution) -> dict[str, dict[str, Value]]:
    """What every split sets itself or is given, as it is, `train` first."""
    environment = distribution.environment
    given = {environment.split_and_knob(name)[1] for name in distribution.knobs}
    told = {}
    for split, own in environment.splits.items():
        values = vars(distribution.with_(split=split).own_knobs)
        told[split] = {name: values[name] for name in values if name in own or name in given}
    return {TRAIN: told[TRAIN], **told}


def _limits(distribution: Distribution) -> str:
    splits: dict[int, list[str]] = {}
    for split in distribution.environment.splits:
        splits.setdefault(distribution.with_(split=split).own_knobs.max_steps, []).append(split)
    if len(splits) == 1:
        return f"{next(iter(splits))} steps"
    return "; ".join(f"{steps} steps in {', '.join(names)}" for steps, names in splits.items())


def alike_words(distribution: Distribution) -> list[str]:
    """A warning for each two splits between which what is given leaves no difference."""
    told = _splits(distribution)
    return [
        f"{one} and {other} are alike: both have {_settings(told[one])}. A knob is set in one split by its name: "
        f"{other}.{next(iter(distribution.environment.shifted_knobs(other)))}=..."
        for one, other in alike(distribution)
    ]


def versions(environment: Environment, first: str = HELDOUT) -> list[str]:
    """The splits in which a level's seed means the same layout, `first` in front.

    `train` is not among them: it draws from other layouts, so that no level is both trained and tested on.
    Held-out levels look like its own.
    """
    environment.knobs_of(first)
    others = (name for name in environment.splits if name != TRAIN)
    return list(dict.fromkeys([first, HELDOUT, DEPLOY, *others]))


def beginnings(distribution: Distribution, level: int, render_mode: str = "ansi") -> dict[str, GridEnv]:
    """A level at its start in each version, by split. Pictures show all of it, whatever the agent sees."""
    envs = {}
    for split in versions(distribution.environment):
        options: dict[str, Any] = distribution.with_(split=split, sight="").options()
        envs[split] = GridEnv(distribution.environment, render_mode=render_mode, **options)
        envs[split].reset(seed=level, options={"level": level})
    return envs


def pictures(distribution: Distribution, level: int, render_mode: str) -> dict[str, Any]:
    """The same as pictures, by label: text (`ansi`) or uint8 (h, w, 3) (`rgb_array`)."""
    starts = beginnings(distribution, level, render_mode)
    return {split: env.render() for split, env in starts.items()}


def legend(environment: Environment, grids: Sequence[Any]) -> list[str]:
    """What the letters in pictures of these grids, uint8 or uint16 (height, width), stand for."""
    drawings = [environment.drawing(np.asarray(grid)) for grid in grids]
    _, names, glyphs = drawings[0]
    named = [(1 << k, glyph, name) for k, (name, glyph) in enumerate(zip(names, glyphs, strict=True)) if name]
    cells = np.concatenate([grid.astype(np.int64).ravel() for grid, _, _ in drawings])
    # a letter stands for itself
    words = [f"{glyph} {spoken(name)}" for bit, glyph, name in named if glyph != name and (cells & bit).any()]
    piles = np.sum([(cells & bit) != 0 for bit, _, _ in named], axis=0) > 1
    return [*words, "two letters in a cell: the second lies beneath the first"] if piles.any() else words


def side_by_side(images: Mapping[str, Any], margin: int = 16, scale: int = 2) -> Any:
    """Pictures uint8 (h, w, 3) in one row with white margins, as one such picture."""
    height = margin + max(image.shape[0] for image in images.values()) + margin
    row = [np.full((height, margin, 3), 255, np.uint8)]
    for image in images.values():
        below = height - margin - image.shape[0]
        row.append(np.pad(image, ((margin, below), (0, margin), (0, 0)), constant_values=255))
    return np.concatenate(row, axis=1).repeat(scale, axis=0).repeat(scale, axis=1)


def made_by(distribution: Distribution, name: str) -> str:
    """The lines of Python that make these levels, of the environment found by this name, in `train` and in `deploy`."""
    environment = distribution.environment
    known, id_ = "import mesabench", f'"{environment.id}"'
    if name.endswith(".py"):
        known, id_ = "from mesabench.registry import find_environment", f'find_environment("{name}").id'
    lines = [f"import gymnasium\n{known}\n"]
    for split in (TRAIN, DEPLOY):
        knobs = distribution.with_(split=split).knobs
        plain = "".join(f", {name}={json.dumps(value)}" for name, value in knobs.items() if "." not in name)
        # those of train matter in deploy, too: a level there is one of a pair
        dotted = {
            name: value
            for name, value in knobs.items()
            if name.partition(".")[0] in (TRAIN, split) and "." in name
        }
        rest = f", **{json.dumps(dotted)}" if dotted else ""
        lines.append(f'{split} = gymnasium.make({id_}, split="{split}"{plain}{rest})')
    return "\n".join(lines)


# Words


def spoken(name: str) -> str:
    return name.replace("_", " ")


def wanted(environment: Environment, objective: str) -> str:
    return environment.objectives[objective].description or spoken(objective)


def in_words(knobs: Mapping[str, Knob], values: Mapping[str, Value], quote: str = "") -> str:
    """Values of knobs and what they mean, by the knobs' own help. quote: what stands around each setting."""
    told = []
    for name, value in values.items():
        words = knobs[name].meaning(value)
        told.append(f"{quote}{name} = {value}{quote}" + (f": {words}" if words else ""))
    return "; ".join(told)


def size_of(environment: Environment) -> str:
    height, width = environment.shape(environment.knobs_of(TRAIN))
    return f"{height} x {width}"


def roles_of(environment: Environment, objective: str) -> tuple[str, ...]:
    """The parts an objective plays, of `intended`, `paid in training`, `proxy`, `null`."""
    e = environment
    parts = {
        "intended": objective == e.intended,
        "paid in training": objective == e.paid,
        "proxy": objective in e.proxies,
        "null": objective == e.null,
    }
    return tuple(part for part, plays in parts.items() if plays)


def _layer_notes(e: Environment, layer: Any, in_view: Collection[str]) -> str:
    notes = {"the agent": layer == e.agent, "hidden from the agent": layer.name not in in_view}
    return ", ".join(note for note, holds in notes.items() if holds)


def _event_notes(e: Environment, event: Any) -> str:
    notes = {"ends the episode": e.ends, "counts once": e.once, "hazard": e.hazards}
    amount = [f"an amount, at most {event.most}"] if event.most > 1 else []
    return ", ".join([*amount, *(note for note, events in notes.items() if events & event)])


def _worth(e: Environment, event: Any) -> str:
    weights = {name: objective.weights.get(event, 0) for name, objective in e.objectives.items()}
    paid = ", ".join(f"{spoken(name)} {weight:+g}" for name, weight in weights.items() if weight)
    return f"{paid} each" if paid and event.most > 1 else paid


def _pays(objective: Objective) -> str:
    return ", ".join(
        f"{spoken(event.name)} {weight:+g}{' each' if event.most > 1 else ''}"
        for event, weight in objective.weights.items()
    )


def _range(knob: Knob) -> str:
    return ", ".join(knob.choices) or f"{knob.low:g} to {knob.high:g}"


def _settings(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} = {value}" for name, value in values.items()) or "the defaults"
