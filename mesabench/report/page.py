"""What the page shows, as plain values for its templates. All of it comes from the run; nothing is written by hand."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from markupsafe import Markup

from mesabench.environment import Environment
from mesabench.report import figures, first_goals, gallery, words
from mesabench.report.episodes import decided_by_first_goal
from mesabench.population import Population
from mesabench.report.scorecard import Bar, Row, row_of
from mesabench.scores import MEANING
from mesabench.suite import Suite
from mesabench.verdict import GATE, OUTCOMES


@dataclass(frozen=True)
class Section:
    """All about one environment."""

    environment: Environment
    title: str
    tagline: str
    findings: Sequence[tuple[str, str, str]]
    rows: Sequence[Row]
    scatter: Markup
    first_goals: Sequence[tuple[str, Sequence[Bar]]]
    goals: Sequence[tuple[str, str, str]]
    paragraphs: Sequence[str]
    story: Sequence[tuple[str, str]]
    pictures: Sequence[tuple[int, Sequence[gallery.Picture]]]
    cut: bool
    replays: gallery.Replays | None
    curves: Markup | None


def sections(populations: Sequence[Population]) -> list[Section]:
    """One section for each environment, in the order in which the run names them."""
    labels = list(dict.fromkeys(one.label for one in populations))
    colours = {label: k for k, label in enumerate(labels)}
    names = list(dict.fromkeys(one.environment.name for one in populations))
    return [_section([one for one in populations if one.environment.name == name], colours) for name in names]


def legend(populations: Sequence[Population]) -> list[tuple[str, str, str]]:
    """(population, colour, dashes) in the order of their colours."""
    labels = dict.fromkeys(one.label for one in populations)
    return [(label, figures.colour(k), figures.dash(k)) for k, label in enumerate(labels)]


def _section(populations: Sequence[Population], colours: Mapping[str, int]) -> Section:
    environment = populations[0].environment
    indices = [colours[one.label] for one in populations]
    title, _, tagline = environment.title.partition(":")
    paragraphs, story = words.story_of(environment)
    if environment.paid != environment.intended:
        story.append(("Paid", words.infinitive(environment, environment.paid)))
    scatter_title = f"{title}. {figures.describe(populations)}"
    name = environment.name
    return Section(
        environment=environment,
        title=title,
        tagline=f"{tagline.strip()[:1].upper()}{tagline.strip()[1:]}",
        findings=[
            (one.label, figures.colour(k), words.finding(one))
            for one, k in zip(populations, indices, strict=True)
        ],
        rows=[row_of(one, figures.colour(k)) for one, k in zip(populations, indices, strict=True)],
        scatter=figures.capability(populations, indices, f"scatter-{name}", scatter_title),
        first_goals=list(first_goals.bars_by_split(populations)),
        goals=first_goals.legend(environment),
        paragraphs=paragraphs,
        story=story,
        pictures=gallery.pictures(populations),
        cut=decided_by_first_goal(environment),
        replays=gallery.replays(populations),
        curves=figures.curves(populations, indices, f"curves-{name}", f"{title}: return over training steps"),
    )


def values(
    suite: Suite, populations: Sequence[Population], left_out: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Everything that the templates ask for. left_out: trials that are not in the populations, and why."""
    found = sections(populations)
    headline = words.headline(populations)
    compared = [one for one in (headline.subject, headline.control) if one]
    best = gallery.pictures(compared)[:1] if compared else []
    return {
        "name": suite.name,
        "description": suite.description,
        "headline": headline,
        "hero": best[0][1] if best else [],
        "facts": facts(populations),
        "sections": found,
        "legend": legend(populations),
        "markers": [(outcome, figures.marker_path(outcome)) for outcome in OUTCOMES],
        "meanings": list(MEANING.items()),
        "outcome_meanings": list(words.OUTCOME_MEANINGS.items()),
        "intervals": any(
            cell.low is not None for section in found for row in section.rows for cell in row.cells
        ),
        "curves": [section for section in found if section.curves],
        "left_out": left_out,
        "gate": GATE,
        "commands": commands(suite, populations),
        "versions": versions(populations),
    }


def facts(populations: Sequence[Population]) -> list[tuple[str, str]]:
    """What was run, in a few words each."""
    trials = [trial for one in populations for trial in one.trials]
    if not trials:
        return []
    agents = words.listing(sorted({one.agent for one in populations}))
    seeds = _range({len(one.seeds) for one in populations})
    steps = {trial.trial.steps for one in populations if one.learns for trial in one.trials}
    rows = {count for trial in trials for count in trial.levels["split"].value_counts()["count"].to_list()}
    exact = all(seed.exact for one in populations for seed in one.seeds)
    days = sorted(
        {day.date().isoformat() for one in trials for day in (one.manifest.started, one.manifest.finished)}
    )
    return [
        (
            "Agents",
            f"{words.plural(len(trials), 'agent')} ({agents}), {words.plural(seeds, 'seed')} of each kind",
        ),
        ("Training", f"{_range(steps, words.short_count)} steps each" if steps else "none"),
        ("Evaluation", f"{_range(rows)} levels of each split, {'all' if exact else 'not all'} exact"),
        ("When", " to ".join(dict.fromkeys((days[0], days[-1])))),
        ("Computing time", words.duration(sum(trial.manifest.seconds for trial in trials))),
    ]


def _range(numbers: Collection[float], say: Callable[[float], str] = str) -> str:
    low, high = min(numbers), max(numbers)
    return say(low) if low == high else f"{say(low)} to {say(high)}"


def commands(suite: Suite, populations: Sequence[Population]) -> list[tuple[str, str]]:
    """What to type to have it again, and what that does."""
    shipped = files("mesabench.configs").joinpath(f"{suite.name}.toml").is_file()
    found = [
        (
            f"mesabench run {suite.name if shipped else f'{suite.name}.toml'}",
            "train, evaluate and score; what is finished is kept",
        ),
        (f"mesabench report results/{suite.name}", "write this page again"),
    ]
    if populations:
        one = populations[0].trials[0]
        found.insert(
            1,
            (
                f"mesabench evaluate results/{suite.name}/{one.name} {one.trial.environment}",
                "score one of the agents again",
            ),
        )
    return found


def versions(populations: Sequence[Population]) -> str:
    """The versions that the trials were made with, all of them where they differ."""
    seen: dict[str, set[str]] = {}
    for one in populations:
        for trial in one.trials:
            for name, version in trial.manifest.versions.items():
                if version:
                    seen.setdefault(name, set()).add(version)
    return ", ".join(f"{name} {' and '.join(sorted(found))}" for name, found in sorted(seen.items()))
