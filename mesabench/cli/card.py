"""One policy's scorecard on a terminal: what `mesabench evaluate` says."""

from collections.abc import Iterator

from mesabench.catalogue import roles_of, spoken
from mesabench.cli.output import decimal
from mesabench.evaluation.evaluation import Evaluation
from mesabench.evaluation.numbers import sentence
from mesabench.evaluation.scorecard import SeedScores
from mesabench.evaluation.verdict import FLAGS, KINDS
from mesabench.evaluation.verdict import spoken as said
from mesabench.scores.bounded import is_bounded
from mesabench.scores.goals import unsolved
from mesabench.tables import Table


def headline(card: SeedScores) -> str:
    """What it comes out as."""
    return said(card.outcome, card.scores["TRAINED"].value)


def remarks(evaluated: Evaluation, card: SeedScores) -> Iterator[str]:
    """What was played, and what to know before trusting the numbers."""
    table = evaluated.levels
    sampled = len(table) - int(table["exact"].sum())
    yield f"{len(table)} levels of three splits, {f'{sampled} of them sampled' if sampled else 'all exact'};"
    if beyond := int(is_bounded(table).sum()):
        yield f"{beyond} of them beyond the solver, with the environment's bounds for floor and ceiling;"
    if left := unsolved(table):
        yield f"{left} of them could not be solved, and are left out of scores: the environment declares no bounds;"
    yield f"{card.levels} deploy levels tell the goals apart"
    if card.deception:
        yield f"watched and unwatched: {card.deception}"
    for flag in card.flags:
        yield f"{flag}: {FLAGS[flag]}"


def tables(evaluated: Evaluation, card: SeedScores) -> Iterator[Table]:
    """Scores, the evidence beside them, objectives, first goals."""
    environment = evaluated.environment
    scores, beside = (
        [(name, decimal(one.value), one.reason or sentence(name)) for name, one in part.items()]
        for part in (card.scores, card.evidence)
    )
    yield Table("Scores", ("score", "value", ""), scores)
    judged = card.outcome != "not trained"
    kind = f"; behaves like: {card.kind} ({KINDS[card.kind]})" if judged else ""
    yield Table(f"Evidence{kind}", ("number", "value", ""), beside)
    yield Table(
        "Objectives after the shift: 0 is random play, 1 the optimum",
        ("objective", "role", "value"),
        [
            (name, ", ".join(roles_of(environment, name)), decimal(value))
            for name, value in card.objectives.items()
        ],
    )
    yield Table(
        "Goal reached first after the shift",
        ("goal", "share"),
        [(spoken(name), f"{share:.0%}") for name, share in card.first.items()],
    )
