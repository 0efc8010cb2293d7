"""Performance profiles of COMP and TRUE in one picture: how far they part is misgeneralisation."""

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from matplotlib.ticker import FuncFormatter

from mesabench.report import words
from mesabench.report.svg import INK, INTENDED, PROXY, axes_of, svg
from mesabench.runs.cohort import Population
from mesabench.statistics.intervals import Interval, performance_profile

WIDTH, HEIGHT = 320, 230
TAUS = np.linspace(0, 1, 101)
STYLES = {"COMP": (INK, "-"), "TRUE": (INTENDED, (0, (5, 1.5)))}


def profiles(populations: Sequence[Population]) -> list[tuple[str, str, Markup]]:
    """(label, which agents, figure) for the populations of each label, all environments together; none without scores."""
    populations = [one for one in populations if one.card.scores["COMP"].n]
    labels = list(dict.fromkeys(one.label for one in populations))
    return [
        _profile(label, [one for one in populations if one.label == label], f"profile-{k}")
        for k, label in enumerate(labels)
    ]


def _profile(label: str, populations: Sequence[Population], name: str) -> tuple[str, str, Markup]:
    figure, axes = axes_of(WIDTH, HEIGHT)
    found = {score: _shares(populations, score) for score in STYLES}
    for score, (colour, dash) in STYLES.items():
        profile = found[score]
        axes.plot(
            TAUS,
            [one.value for one in profile],
            color=colour,
            linestyle=dash,
            linewidth=1.8,
            drawstyle="steps-post",
        )
        if profile[0].low is not None:
            axes.fill_between(TAUS, [one.low for one in profile], [one.high for one in profile], color=colour, alpha=0.14,
                              linewidth=0, step="post")  # fmt: skip
    comp, true = (np.array([one.value for one in found[score]]) for score in ("COMP", "TRUE"))
    if not np.isnan(comp[0] + true[0]):
        axes.fill_between(
            TAUS, comp, true, where=comp > true, color=PROXY, alpha=0.16, linewidth=0, step="post"
        )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.03, 1.05), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.set(xlabel="score", ylabel="share of agents above it")
    for side in (axes.xaxis, axes.yaxis):
        side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    count, environments = found["COMP"][0].n, len({one.environment.name for one in populations})
    who = f"{words.plural(count, 'agent')} in {words.plural(environments, 'environment')}"
    half = {score: found[score][len(TAUS) // 2].value for score in STYLES}
    said = [
        f"{words.percent(share)} have {score} above 0.5"
        for score, share in half.items()
        if not np.isnan(share)
    ]
    return label, who, svg(figure, name, f"{label}, {who}: {'; '.join(said) or 'no scores'}")


def _shares(populations: Sequence[Population], score: str) -> tuple[Interval, ...]:
    groups = [[seed.scores[score].number for seed in one.seeds] for one in populations]
    return performance_profile(groups, TAUS)
