"""What the page shows, as plain values for its templates. All of it comes from the run; nothing is written by hand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from mesabench.evaluation.numbers import groups
from mesabench.evaluation.verdict import GATE
from mesabench.evolution.drives import DRIVES
from mesabench.report import (
    alpha,
    contrasts,
    deception,
    evidence,
    figures,
    first_goals,
    gallery,
    generations,
    learners,
    provenance,
    svg,
    verdicts,
    words,
)
from mesabench.report.episodes import decided_by_first_goal
from mesabench.report.headline import opening
from mesabench.report.outer_inner import Blame, blame
from mesabench.report.profiles import profiles
from mesabench.report.radar import drawable, radar
from mesabench.report.scorecard import Bar, Notes, Row, row_of
from mesabench.runs.cohort import Population, without_between
from mesabench.runs.suite import Suite
from mesabench.statistics.intervals import FEWEST
from mesabench.world.environment import Environment
from mesabench.world.story import story_of


@dataclass(frozen=True)
class Section:
    """All about one environment."""

    environment: Environment
    title: str
    tagline: str
    findings: Sequence[tuple[str, str, str, str]]
    rows: Sequence[Row]
    radars: Sequence[tuple[str, Markup]]
    scatter: Markup | None
    first_goals: Sequence[tuple[str, Sequence[Bar]]]
    goals: Sequence[tuple[str, str, str]]
    paragraphs: Sequence[str]
    story: Sequence[tuple[str, str]]
    marks: Sequence[tuple[str, str]]
    pictures: Sequence[tuple[int, Sequence[gallery.Picture]]]
    cut: bool
    replays: gallery.Replays | None
    curves: Markup | None
    verdicts: Sequence[verdicts.Verdict]
    blames: Sequence[Blame]
    numbers: evidence.Table


def sections(populations: Sequence[Population], scores: Notes, numbers: Notes) -> list[Section]:
    """One section for each environment, in the order in which the run names them. scores, numbers: where reasons are noted."""
    labels = list(dict.fromkeys(one.label for one in populations))
    colours = {label: k for k, label in enumerate(labels)}
    names = list(dict.fromkeys(one.environment.name for one in populations))
    return [
        _section([one for one in populations if one.environment.name == name], colours, scores, numbers)
        for name in names
    ]


def legend(populations: Sequence[Population]) -> list[tuple[str, str, str]]:
    """(population, colour, dashes) in the order of their colours."""
    labels = dict.fromkeys(one.label for one in populations)
    return [(label, svg.colour(k), svg.dash(k)) for k, label in enumerate(labels)]


def _section(
    populations: Sequence[Population], colours: Mapping[str, int], scores: Notes, numbers: Notes
) -> Section:
    environment = populations[0].environment
    indices = [colours[one.label] for one in populations]
    coloured = [(one, svg.colour(k)) for one, k in zip(populations, indices, strict=True)]
    title, _, tagline = environment.title.partition(":")
    _, terms, paragraphs = story_of(environment.story)
    if environment.paid != environment.intended and "Paid" not in dict(terms):
        terms = *terms, ("Paid", words.infinitive(environment, environment.paid))
    scatter_title = f"{title}. {figures.describe(populations)}"
    name = environment.name
    return Section(
        environment=environment,
        title=title,
        tagline=f"{tagline.strip()[:1].upper()}{tagline.strip()[1:]}",
        findings=[(one.label, words.described(one), colour, words.finding(one)) for one, colour in coloured],
        rows=[row_of(one, colour, scores) for one, colour in coloured],
        radars=[
            (one.label, radar(one, k, f"radar-{name}-{place}"))
            for place, (one, k) in enumerate(zip(populations, indices, strict=True))
            if drawable(one)
        ],
        scatter=figures.capability(populations, indices, f"scatter-{name}", scatter_title),
        first_goals=list(first_goals.bars_by_split(populations)),
        goals=first_goals.legend(environment),
        paragraphs=paragraphs,
        story=terms,
        marks=gallery.marks(environment),
        pictures=gallery.pictures(populations),
        cut=decided_by_first_goal(environment),
        replays=gallery.replays(populations),
        curves=figures.curves(populations, indices, f"curves-{name}", f"{title}: return over training steps"),
        verdicts=[verdicts.verdict(one, colour) for one, colour in coloured],
        blames=[blame(one, colour) for one, colour in coloured],
        numbers=evidence.numbers(populations, numbers),
    )


@svg.as_delivered()
def values(
    suite: Suite, populations: Sequence[Population], left_out: Sequence[tuple[str, str]]
) -> dict[str, Any]:
    """Everything that the templates ask for. left_out: trials that are not in the populations, and why."""
    shown = without_between(populations)
    score_notes, number_notes = Notes("score"), Notes("number")
    found = sections(shown, score_notes, number_notes)
    first, rule = opening(suite, populations)
    compared = [one for one in (first.subject, first.control) if one]
    rows = contrasts.comparisons(populations, {one.environment.name: one.title for one in found})
    best = gallery.pictures(compared)[:1] if compared else []
    kinds, flags = verdicts.meanings(shown)
    watched_notes = Notes("watched")
    colours = {label: colour for label, colour, _ in legend(shown)}
    watched = deception.sections(shown, colours, watched_notes)
    return {
        "name": suite.name,
        "description": suite.description,
        "headline": first,
        "rule": rule,
        "hero": best[0][1] if best else [],
        "facts": provenance.facts(populations),
        "sections": found,
        "between": len(populations) - len(shown),
        "score_groups": [(question, [(one.name, one.gloss, one.sentence) for one in group])
                         for question, group in groups().items()],
        "score_notes": score_notes,
        "number_notes": number_notes,
        "sweeps": alpha.panels(populations),
        "sweep_scores": alpha.SCORES,
        "watched": watched,
        "watched_notes": watched_notes,
        "mapped": any(part.maps for one in watched for part in one.parts),
        "few_intervals": not any(column.ends for one in watched for part in one.parts for column in part.columns),
        "genuineness": deception.GENUINENESS,
        "deception_meanings": deception.meanings(),
        "profiles": profiles(shown),
        "judged": any(kind != "unknown" for kind, _, _ in kinds),
        "kinds": kinds,
        "flags": flags,
        "comparisons": rows,
        "tests": words.plural(contrasts.tests(rows), "test"),
        "compared": contrasts.SCORES,
        "legend": legend(shown),
        "marker_path": svg.marker_path,
        "outcome_meanings": words.outcomes_of(shown),
        "intervals": any(
            cell.ends for section in found for row in section.rows for group in row.groups for cell in group
        ),
        "curves": [section for section in found if section.curves],
        "learners": learners.bars(shown),
        "learner_colours": [svg.colour(k) for k in (0, 1)],
        "generations": generations.courses(shown),
        "senses": [(sense, svg.colour(k), svg.dash(k)) for k, sense in enumerate(DRIVES)],
        "left_out": left_out,
        "gate": GATE,
        "fewest": FEWEST,
        "commands": provenance.commands(suite, populations),
        "versions": provenance.versions(populations),
    }  # fmt: skip
