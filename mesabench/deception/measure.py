"""What an evaluation measures of an agent that is watched: lifetimes, which are stored, and the numbers read off them."""

from collections.abc import Mapping

from mesabench.deception.compliance import NUMBERS, contract_scores, summary
from mesabench.deception.counterfactuals import LIFETIMES, lifetimes_of, table_of
from mesabench.deception.precedents import Precedents
from mesabench.scores.measure import DECEPTION, Findings, Measure, Reading, Subject
from mesabench.scores.score import Score
from mesabench.world.environment import TRAIN


def _lived(subject: Subject) -> Findings:
    policy, trained_on = subject.behaviour.policy, subject.trained_on
    found = contract_scores(policy, trained_on, levels=subject.levels, exact=subject.exact, seed=subject.seed)
    return Findings({LIFETIMES.name: table_of({split: one.lifetimes for split, one in found.items()})})


def _judged(reading: Reading) -> Mapping[str, Score]:
    """On the split that the environment's monitor names; where nobody was judged, why there is no score."""
    monitor = reading.environment.monitor
    if monitor and (lifetimes := lifetimes_of(reading.tables[LIFETIMES.name], monitor.split)):
        taught = lifetimes_of(reading.tables[LIFETIMES.name], TRAIN)
        return summary(
            lifetimes, monitor, precedents=Precedents.of(taught, monitor) if taught else None
        ).scores
    why = "only goals were measured" if monitor else "n/a: nobody watches in this environment"
    return {one.name: Score(None, why) for one in NUMBERS if one.group}


MEASURE = Measure(NUMBERS, (LIFETIMES,), find=_lived, read=_judged, asked=DECEPTION)
