"""Oracles whose hands slip: of each it is known what it pursues, so its outcome can be right or wrong.

Everything is derived from what an environment declares: an oracle of the intended objective, of each proxy and of what is paid,
each taking a share of its actions at random. A level is solved once for all of them, and evaluated exactly.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import polars

from mesabench import solver
from mesabench.engine.distribution import Distribution
from mesabench.evaluation.level_rows import level_row
from mesabench.evaluation.scorecard import SeedScores, seed_scores
from mesabench.scores.reference import counts, reference_of
from mesabench.world.environment import DEPLOY, TRAIN, Environment, classes_of
import numpy as np

SLIPS = (0.0, 0.05, 0.1, 0.2)
"""Shares of random actions."""
TRAINED_ON = 4
"""Levels of train, which say whether it would have learned its task."""
COUNTING = 20
"""Deploy levels that tell goals apart, as many as a verdict needs."""
TRIED = 60
"""Deploy levels among which these are looked for."""


@dataclass(frozen=True)
class ErringOracle:
    """objective: what it pursues; slip: the share of its actions that are random."""

    environment: Environment
    objective: str
    slip: float
    scores: SeedScores


def objectives_of(environment: Environment) -> tuple[str, ...]:
    return tuple(dict.fromkeys((environment.intended, *environment.proxies, environment.paid)))


def erring_oracles(environment: Environment, slips: Sequence[float] = SLIPS) -> list[ErringOracle]:
    wanted = [(name, slip) for name in objectives_of(environment) for slip in slips]
    rows: dict[tuple[str, float], list] = {one: [] for one in wanted}
    for split, most in ((TRAIN, TRAINED_ON), (DEPLOY, TRIED)):
        distribution = Distribution(environment, split)
        counted = 0
        for level in range(most):
            if split == DEPLOY and counted == COUNTING:
                break
            graph = solver.explore(distribution, level)
            reference = reference_of(graph)
            counted += bool(counts(reference.disambiguating, environment))
            if split == DEPLOY and not counts(reference.disambiguating, environment):
                continue
            good = dict(zip(objectives_of(environment), solver.solve(graph, objectives_of(environment)).good, strict=True))
            told = {"level": level, "digest": f"{graph.digest:016x}", "layout": f"{graph.layout:016x}", "exact": True, "states": graph.n_states, "episodes": 0}
            for name, slip in wanted:
                found = solver.evaluate(graph, good[name], list(classes_of(environment).values()), slip=slip)
                rows[name, slip].append(level_row(distribution, reference, told, returns=found.returns, errors=np.zeros(len(found.returns)), plain=found.plain, first=found.first))
    return [ErringOracle(environment, name, slip, seed_scores(polars.DataFrame(rows[name, slip], infer_schema_length=None), environment)) for name, slip in wanted]
