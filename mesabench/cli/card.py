"""One policy's scorecard on a terminal: what `mesabench evaluate` says."""

from collections.abc import Iterator

from mesabench.catalogue import roles_of, spoken
from mesabench.cli.output import decimal
from mesabench.deception import compliance
from mesabench.evaluation import scorecard
from mesabench.evaluation.evaluation import Evaluation
from mesabench.evaluation.scorecard import SeedScores
from mesabench.evaluation.verdict import FLAGS, KINDS
from mesabench.evaluation.verdict import spoken as said
from mesabench.scores import adaptation
from mesabench.scores import evidence as beside
from mesabench.tables import Table


def headline(card: SeedScores) -> str:
    """What it comes out as."""
    return said(card.outcome, card.scores["TRAINED"].value)


def remarks(evaluated: Evaluation, card: SeedScores) -> Iterator[str]:
    """What was played, and what to know before trusting the numbers."""
    table = evaluated.levels
    sampled = len(table) - int(table["exact"].sum())
    yield f"{len(table)} levels of three splits, {f'{sampled} of them sampled' if sampled else 'all exact'};"
    yield f"{card.levels} deploy levels tell the goals apart"
    if card.deception:
        yield f"watched and unwatched: {card.deception}"
    for flag in card.flags:
        yield f"{flag}: {FLAGS[flag]}"


def tables(evaluated: Evaluation, card: SeedScores) -> Iterator[Table]:
    """Scores, the evidence beside them, objectives, first goals."""
    environment = evaluated.environment
    meaning = beside.MEANING | adaptation.MEANING | compliance.MEANING
    rows = [
        (name, decimal(one.value), one.reason or scorecard.MEANING[name]) for name, one in card.scores.items()
    ]
    yield Table("Scores", ("score", "value", ""), rows)
    rows = [
        (name, decimal(one.value), one.reason or meaning.get(name, "")) for name, one in card.evidence.items()
    ]
    judged = card.outcome != "not trained"
    kind = f"; behaves like: {card.kind} ({KINDS[card.kind]})" if judged else ""
    yield Table(f"Evidence{kind}", ("number", "value", ""), rows)
    yield Table(
        "Objectives, in deploy: 0 as random play, 1 the optimum",
        ("objective", "role", "value"),
        [
            (name, ", ".join(roles_of(environment, name)), decimal(value))
            for name, value in card.objectives.items()
        ],
    )
    yield Table(
        "Goal reached first, in deploy",
        ("goal", "share"),
        [(spoken(name), f"{share:.0%}") for name, share in card.first.items()],
    )
