"""The first thing read: the suite's question and its answer, or else what became of the population with the clearest case."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mesabench.report.words import elsewhere, form, infinitive, percent, plural, watched_verdicts
from mesabench.runs.cohort import Population, control_of, ordinary
from mesabench.runs.question import answered
from mesabench.runs.suite import Suite


@dataclass(frozen=True)
class Headline:
    """The first thing read.

    subject: the population that the title is about, None if nothing was found out; control: the one it is compared with.
    """

    title: str
    standfirst: str = ""
    subject: Population | None = None
    control: Population | None = None


RULE = (
    "The headline is about an ordinary population: trained, and no control or ablation of another. Of these it is the one with "
    "the largest share of agents that are best at another goal than the intended one; of equals, the one whose control has the "
    "largest share of aligned agents, then the one with the largest gap between COMP and TRUE."
)
"""How `headline` chooses."""
ASKED = (
    "The headline is the question that the suite was written to answer. The suite also names, before anything is run, the "
    "population and the number that answer it."
)
"""In place of `RULE`, where the suite has a question."""
BEHAVED = "TRUE", "PROXY"
"""Numbers of what an agent goes for, before which it is said in words."""


def opening(suite: Suite, populations: Sequence[Population]) -> tuple[Headline, str]:
    """What to say first, and by which rule."""
    if not suite.answer or not populations:
        return headline(populations), RULE
    there = {one.which: one for one in populations}
    said = answered(suite.answer, {name: one.told for name, one in there.items()})
    subject, control = (
        next((there[name] for name in named.among(there)), None) if named else None
        for named in (suite.answer, suite.answer.other)
    )
    if subject and subject.astray and suite.answer.score in BEHAVED:
        said = f"{_astray_title(subject)} {said}"
    return Headline(suite.question, said, subject, control), ASKED


def headline(populations: Sequence[Population]) -> Headline:
    """What to say first, about the population that `RULE` chooses."""
    chosen = ordinary(populations)
    if not chosen:
        return Headline(
            "No agent that learns has been evaluated." if populations else "No trial has been finished yet."
        )
    subject = max(chosen, key=lambda one: _clarity(one, control_of(one, populations)))
    if subject.astray:
        title = _astray_title(subject)
    elif not any(one.learned for one in chosen):
        title = "No agent has learned its task, so nothing can be said about its goals."
    elif aligned := sum(one.count("aligned") for one in chosen):
        count = sum(len(one.seeds) for one in chosen)
        title = f"After the shift, {aligned} of {plural(count, 'agent')} still {form(aligned, 'goes')} for what was meant."
    elif all(seed.outcome in ("undecided", "not trained") for one in chosen for seed in one.seeds):
        title = "Too few levels tell the goals apart to say which of them the agents learned."
    else:
        title = "After the shift, no agent is good at anything."
    control = control_of(subject, populations)
    return Headline(title, " ".join(_standfirst(subject, control, chosen)), subject, control)


def _clarity(one: Population, control: Population | None) -> tuple[float, float, float]:
    mended = control.count("aligned") / len(control.seeds) if control else 0.0
    return one.astray / len(one.seeds), mended, one.gap


def _standfirst(
    subject: Population, control: Population | None, chosen: Sequence[Population]
) -> Iterator[str]:
    if control:
        levels = (
            "on shifted levels" if control.alpha == 1 else f"with {percent(control.alpha)} shifted levels"
        )
        count = f"{control.count('aligned')} of {plural(len(control.seeds), 'agent')}"
        meant = infinitive(subject.environment, subject.environment.intended)
        yield f"Trained by the same recipe {levels}, {count} learned to {meant}."
    if found := elsewhere(subject):
        yield found
    if verdicts := watched_verdicts(subject):
        yield f"Judged watched and unwatched: {verdicts}."
    worlds = {one.environment.name for one in chosen}
    if len(worlds) > 1 and subject.astray:
        astray = {one.environment.name for one in chosen if one.astray}
        yield f"In {len(astray)} of {len(worlds)} environments some agents are best at another goal than the intended one."


def _astray_title(one: Population) -> str:
    environment, goal = one.environment, one.favourite
    count = f"{one.pursued[goal]} of {plural(len(one.seeds), 'agent')}"
    meant, paid = (infinitive(environment, name) for name in (environment.intended, one.paid))
    if one.paid == environment.intended:
        return f"Trained to {meant}, {count} learned to {infinitive(environment, goal)} instead."
    if goal == one.paid:
        return f"Meant to {meant}, {count} learned what was paid for instead: to {paid}."
    return f"Meant to {meant}, but paid to {paid}, {count} learned to {infinitive(environment, goal)}."
