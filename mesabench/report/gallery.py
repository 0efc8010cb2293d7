"""What can be looked at: levels with the agent's path drawn in, and the episodes that the viewer plays."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mesabench.catalogue import SPLITS_IN_WORDS, spoken
from mesabench.pictures import render
from mesabench.report import episodes
from mesabench.report.words import outcome_word
from mesabench.runs.cohort import Population
from mesabench.runs.trial_folder import StoredTrial
from mesabench.world.environment import DEPLOY, HELDOUT, Environment

PICTURED_LEVELS = 3
PICTURED_POPULATIONS = 4
REPLAYS_TYPICAL, REPLAYS_OTHER = 6, 2
"""Replays of a population: of a trial of its commonest outcome, and of one of each other outcome."""
STRIPS = 1
"""Populations of which an episode is shown on paper, frame by frame."""

Versions = Mapping[str, Mapping[str, Any]]
"""The episodes of one level, by split."""


@dataclass(frozen=True)
class Picture:
    """An episode drawn on its level. source: a data URI; width, height: of the picture in pixels."""

    heading: str
    who: str
    source: str
    width: int
    height: int
    caption: str


@dataclass(frozen=True)
class Replays:
    """Episodes for the viewer. groups: (population, [(number, title, astray or fine), ...]); data: what the viewer reads.

    strips: (title, frames) of some of them for paper, see `episodes.strip`.
    """

    groups: Sequence[tuple[str, Sequence[tuple[int, str, str]]]]
    data: Mapping[str, Any]
    strips: Sequence[tuple[str, Sequence[tuple[str, int, int, str]]]]


def pictures(populations: Sequence[Population]) -> list[tuple[int, list[Picture]]]:
    """By level, the clearest first: how the first population's typical agent went about it in the version as in training,
    and how each population's did after the shift. Levels on which they do what their outcomes say come before others."""
    environment = populations[0].environment
    typical, says = [], []
    for one in populations[:PICTURED_POPULATIONS]:
        outcome, trial = next(iter(one.typical.items()))
        if found := _by_level(trial):
            typical.append((one.label, found))
            says.append((found, outcome != "aligned"))
    if not typical:
        return []
    who, first = typical[0]

    def belied(level: int) -> list[bool]:
        """Of each population, whether its episode would mislead: an aligned agent that fails, or another that does not."""
        return [
            level in found and episodes.failed(found[level][DEPLOY], environment) != astray
            for found, astray in says
        ]

    rows = []
    for level in sorted(_clearest_first(first, environment), key=belied)[:PICTURED_LEVELS]:
        shown = [(_heading(HELDOUT), who, first[level][HELDOUT])] if HELDOUT in first[level] else []
        digest = first[level][DEPLOY]["digest"]
        for label, found in typical:
            if level in found and found[level][DEPLOY]["digest"] == digest:
                shown.append((_heading(DEPLOY), label, found[level][DEPLOY]))
        rows.append((level, [_picture(*one, environment) for one in shown]))
    return rows


def _heading(split: str) -> str:
    return SPLITS_IN_WORDS[split].capitalize()


def _picture(heading: str, who: str, replay: Mapping[str, Any], environment: Environment) -> Picture:
    caption = episodes.account(replay, environment)
    return Picture(
        heading, who, *episodes.picture(replay, environment), f"{caption[0].upper()}{caption[1:]}."
    )


def replays(populations: Sequence[Population]) -> Replays | None:
    """Episodes after the shift, failures first, with the clearest one's twin as in training; None if none were recorded."""
    environment = populations[0].environment
    groups: list[tuple[str, list[tuple[int, str, str]]]] = []
    data: list[dict[str, Any]] = []
    strips = []
    for one in populations:
        for k, (outcome, trial) in enumerate(one.typical.items()):
            found = _by_level(trial)
            levels = _clearest_first(found, environment)[: REPLAYS_OTHER if k else REPLAYS_TYPICAL]
            chosen = [found[level][DEPLOY] for level in levels]
            if chosen and k == 0 and HELDOUT in found[levels[0]]:
                chosen.insert(1, found[levels[0]][HELDOUT])
            entries = []
            for replay in chosen:
                shifted = replay["split"] == DEPLOY
                title = f"Level {replay['level']}, {SPLITS_IN_WORDS[replay['split']]}: {episodes.account(replay, environment)}"
                astray = shifted and episodes.failed(replay, environment)
                entries.append((len(data), title, "astray" if astray else "fine"))
                whose = f"{one.label}, seed {trial.seed}"
                data.append(episodes.packed(replay, environment) | {"title": f"{whose}. {title}"})
            if entries:
                groups.append((f"{one.label}, seed {trial.seed}: {outcome_word(one, outcome)}", entries))
                if not k:
                    strips.append((data[entries[0][0]]["title"], episodes.strip(chosen[0], environment)))
    if not data:
        return None
    return Replays(groups, episodes.sprites(data, environment) | {"replays": data}, strips[:STRIPS])


def marks(environment: Environment) -> list[tuple[str, str]]:
    """What is drawn in pictures: (the sprite as a data URI, its name and whether the agent sees it)."""
    seen = environment.in_view(environment.knobs_of(DEPLOY))
    spelt = {bit.name for bit in environment.letters.bits} if environment.letters else set()
    return [
        (
            episodes.data_uri(render.sprite_atlas([name], environment.sprites)),
            spoken(name) + ("" if name in seen else " (the agent does not see it)"),
        )
        for name in environment.drawn
        if name and name not in spelt
    ]


def _by_level(trial: StoredTrial) -> dict[int, Versions]:
    """The levels of which a trial has an episode after the shift."""
    found: dict[int, dict[str, Any]] = {}
    for replay in trial.replays:
        found.setdefault(replay["level"], {})[replay["split"]] = replay
    return {level: versions for level, versions in found.items() if DEPLOY in versions}


def _clearest_first(found: Mapping[int, Versions], environment: Environment) -> list[int]:
    """Levels in order: failures after the shift first, of those that went well before it first, the straightest way first,
    the longer way first."""

    def clarity(level: int) -> tuple[Any, ...]:
        shifted, before = found[level][DEPLOY], found[level].get(HELDOUT)
        way = episodes.way_to_first_goal(shifted, environment)
        return (
            not episodes.failed(shifted, environment),
            before is None or episodes.failed(before, environment),
            len(way) - len({*map(tuple, way)}),
            -len(way),
            level,
        )

    return sorted(found, key=clarity)
