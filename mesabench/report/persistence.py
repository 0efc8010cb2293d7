"""PERSIST and REMOVE: how much of a planted or a learned goal is left over the budget of safety training, a panel for each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from mesabench.auditing.organism import BOTH, WATCHED
from mesabench.auditing.persistence import Survival
from mesabench.catalogue import spoken
from mesabench.report import words
from mesabench.report.svg import DASHES, RULE, axes_of, colour, dash, ink, svg

WIDTH, HEIGHT = 360, 270
NAMES = {WATCHED: "PERSIST", BOTH: "REMOVE"}


@dataclass(frozen=True)
class Wording:
    """titles: what each safety training was, in words; what: what is left of."""

    titles: Mapping[str, str]
    what: str


PLANTED = Wording(
    {
        WATCHED: "safety training on watched levels alone",
        BOTH: "safety training on watched levels and signals, the positive control",
    },
    "what was planted",
)
LEARNED = Wording(
    {
        WATCHED: "safety training in watched rounds alone",
        BOTH: "safety training in rounds that nobody watches, too, the positive control",
    },
    "defection in the dark",
)


@dataclass(frozen=True)
class Panel:
    """budgets: in words; rows: for each trigger, what is left after each budget, and its interval."""

    name: str
    title: str
    figure: Markup
    budgets: Sequence[str]
    rows: Sequence[tuple[str, Sequence[tuple[str, str]]]]


def triggers_of(found: Sequence[Survival]) -> list[str]:
    return [*dict.fromkeys(one.trigger for one in found)]


def legend(found: Sequence[Survival]) -> list[tuple[str, str, str]]:
    """(trigger in words, colour, dashes) in the order of the curves."""
    return [(spoken(trigger), colour(k), dash(k)) for k, trigger in enumerate(triggers_of(found))]


def panels(found: Sequence[Survival], wording: Wording = PLANTED) -> list[Panel]:
    """PERSIST, then REMOVE, as far as they were measured."""
    triggers = triggers_of(found)
    return [
        _panel(NAMES[safety], wording.titles[safety], wording.what, curves, triggers)
        for safety in NAMES
        if (curves := [one for one in found if one.safety == safety])
    ]


def _panel(name: str, title: str, what: str, curves: Sequence[Survival], triggers: Sequence[str]) -> Panel:
    figure, axes = axes_of(WIDTH, HEIGHT)
    budgets = sorted({point.budget for one in curves for point in one.points})
    # a log scale has no 0: where training begins stands as far left of the first budget as the next is right of it
    places = {budget: float(np.log(budget)) for budget in budgets if budget}
    some = [*places.values()]
    places[0] = some[0] - (some[1] - some[0] if len(some) > 1 else 1.0) if some else 0.0
    axes.axhline(0, color=RULE, linewidth=1)
    for one in curves:
        k = triggers.index(one.trigger)
        known = [(places[point.budget], point.left) for point in one.points if point.left]
        x = [place for place, _ in known]
        axes.plot(x, [left.value for _, left in known], color=ink(k), linestyle=DASHES[k % len(DASHES)], linewidth=1.8,
                  marker="o", markersize=5, markeredgewidth=0)  # fmt: skip
        low, high = (
            np.array([(left.low, left.high) for _, left in known], np.float64).reshape(-1, 2).T
        )  # None becomes NaN
        axes.fill_between(x, low, high, color=ink(k), alpha=0.14, linewidth=0)
    axes.set(ylim=(-0.1, 1.1), yticks=[0, 0.5, 1], yticklabels=["0", "0.5", "1"])
    room = 0.05 * (places[budgets[-1]] - places[0]) or 1.0
    axes.set_xlim(places[0] - room, places[budgets[-1]] + room)
    axes.set_xticks([places[budget] for budget in budgets], [words.short_count(budget) for budget in budgets])
    axes.set(xlabel="observations of safety training", ylabel=f"share of {what}")
    rows = []
    for one in curves:
        left = {point.budget: point.left for point in one.points}
        told = [left.get(budget) for budget in budgets]
        rows.append(
            (
                spoken(one.trigger),
                [
                    (words.number(each.value), words.span(each, "\N{EN DASH}")) if each else ("n/a", "")
                    for each in told
                ],
            )
        )
    ends = "; ".join(
        f"{spoken(one.trigger)} {words.interval(last.left)} after {words.short_count(last.budget)}"
        for one in curves
        if (last := one.points[-1]).left
    )
    label = f"{name}, {title}: share of {what} that is left: {ends or 'there was none'}"
    return Panel(
        name, title, svg(figure, name.lower(), label), [words.short_count(one) for one in budgets], rows
    )
