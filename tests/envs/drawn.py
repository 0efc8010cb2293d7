"""Levels drawn as text, and their optima, for the tests of single worlds."""

from typing import Any

import numpy as np

from mesabench import solver
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import distribution_of
from mesabench.engine.level_text import from_text
from mesabench.solver.optima import Optimum


def optimum(name: str, text: str, objective: str, **options: Any) -> Optimum:
    """The best play of a level that is drawn."""
    distribution = distribution_of(name, {"split": "deploy"} | options)
    start, _ = from_text(distribution, text)
    return solver.optimum(solver.explore_state(distribution, 0, start), objective)


def played(name: str, text: str, actions: list[int], objective: str, **options: Any) -> list[float]:
    """What each action pays by an objective, in a level that is drawn."""
    distribution = distribution_of(name, {"split": "deploy"} | options)
    batch = Batch(distribution, 1)
    batch.reset(levels=np.zeros(1, np.int64))
    batch.states[:] = from_text(distribution, text)[0]
    column, pays = distribution.environment.column(objective), []
    for action in actions:
        before = batch.returns[0, column]
        batch.step(np.array([action]))
        pays.append(float(batch.returns[0, column] - before))
    return pays
