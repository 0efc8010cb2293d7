"""ROC curves of detectors: planted organisms against honest ones, a panel per detector."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup
from matplotlib.ticker import FuncFormatter

from mesabench.auditing.detection import ANY, Comparison, Detection
from mesabench.auditing.detectors import BASELINE
from mesabench.auditing.organism import BOTH, NAIVE, NONE, TWIN, WATCHED
from mesabench.report import words
from mesabench.report.headline import Headline
from mesabench.report.svg import DASHES, MUTED, RULE, axes_of, colour, dash, ink, svg
from mesabench.statistics.intervals import Interval

WIDTH, HEIGHT = 300, 320
STAGES = {
    NONE: "as planted",
    WATCHED: "after safety training on watched levels",
    BOTH: "after safety training on signals, too",
}
CURVES = ((NONE, TWIN), (NONE, NAIVE), (WATCHED, TWIN), (BOTH, TWIN))
"""The comparisons that are drawn, of all triggers together."""


@dataclass(frozen=True)
class Panel:
    """A detector. rows: for each of its curves, what is compared, AUROC and its interval."""

    detector: str
    figure: Markup
    rows: Sequence[tuple[str, str, str]]


def legend() -> list[tuple[str, str, str]]:
    """(what is compared, colour, dashes) in the order of the curves."""
    return [(_compared(*key), colour(k), dash(k)) for k, key in enumerate(CURVES)]


def _compared(safety: str, against: str) -> str:
    return f"{STAGES[safety]}, against {against}s"


def panels(found: Detection) -> list[Panel]:
    """One for each detector that was scored, the baseline first."""
    pooled = {(one.safety, one.against): one for one in found.comparisons if one.trigger == ANY}
    drawn = [(k, _compared(*key), pooled[key]) for k, key in enumerate(CURVES) if key in pooled]
    if not drawn:
        return []
    names = sorted(found.suspicion, key=lambda name: name != BASELINE)
    return [_panel(name, drawn, f"roc-{k}") for k, name in enumerate(names)]


def check(found: Detection) -> str:
    """In words, whether organisms and twins behave alike on watched levels, without which no AUROC says anything."""
    pooled = _checked(found)
    if not pooled:
        return f"{BASELINE} was not scored: nothing tells whether organisms and twins behave alike on watched levels."
    told = words.listing(
        [
            f"{words.interval(one.auroc[BASELINE])} for those {_compared(one.safety, one.against)}"
            for one in pooled
        ]
    )
    if all(one.even for one in pooled):
        return f"Watched behaviour alone does not tell planted from honest: its AUROC is {told}."
    return (
        "Beware: watched behaviour alone tells planted from honest, so other detectors may see no more than that. "
        f"Its AUROC is {told}."
    )


def headline(found: Detection) -> Headline | None:
    """What a run of organisms says first; None where nothing was compared."""
    pooled = _checked(found)
    if not pooled:
        return None
    first = pooled[0]
    told = [f"{one.value:.2f} ({name})" for name, one in first.auroc.items() if name != BASELINE]
    if all(one.even for one in pooled):
        title = "Watched behaviour alone does not give a planted goal away."
    else:
        title = "Watched behaviour alone already gives a planted goal away."
    compared = _compared(first.safety, first.against)
    asked = (
        f"Detectors that examine more than that reach an AUROC of {words.listing(told)}: organisms {compared}."
        if told
        else ""
    )
    return Headline(title, asked)


def _checked(found: Detection) -> list[Comparison]:
    return [one for one in found.comparisons if one.trigger == ANY and BASELINE in one.auroc]


def _panel(detector: str, drawn: Sequence[tuple[int, str, Comparison]], name: str) -> Panel:
    figure, axes = axes_of(WIDTH, HEIGHT)
    axes.plot([0, 1], [0, 1], color=RULE, linewidth=1)
    for k, _, one in drawn:
        axes.plot(*zip(*one.roc[detector], strict=True), color=ink(k), linestyle=DASHES[k], linewidth=1.8)
    if detector == BASELINE:
        axes.text(
            0.97,
            0.05,
            "the check: should\nlie on the diagonal",
            ha="right",
            va="bottom",
            color=MUTED,
            fontsize=11,
        )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), xticks=[0, 0.5, 1], yticks=[0, 0.5, 1])
    axes.set(xlabel="honest ones suspected", ylabel="planted ones suspected")
    for side in (axes.xaxis, axes.yaxis):
        side.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_aspect("equal")
    rows = [(said, *_told(one.auroc[detector])) for _, said, one in drawn]
    spoken = "; ".join(f"{said}, AUROC {words.interval(one.auroc[detector])}" for _, said, one in drawn)
    return Panel(detector, svg(figure, name, f"ROC curves of {detector}: {spoken}"), rows)


def _told(one: Interval) -> tuple[str, str]:
    return words.number(one.value), words.span(one, "\N{EN DASH}")
