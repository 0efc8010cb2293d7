"""A rule that chooses actions, compiled: what a reference does that looks at the state (`mesabench.world.bounds`)."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from mesabench.engine.batch import RuleError
from mesabench.engine.kernel_cache import kernel
from mesabench.engine.kernels import Engine


@cache
def chooser_of(engine: Engine, rule: Callable[[Any], Any]) -> Callable[[np.ndarray], np.ndarray]:
    """What turns states, records (n,), into the actions, int64 (n,), that the rule chooses; it is shown copies.

    Raises RuleError, when asked, where an action is none of the environment's.
    """
    many = len(engine.actions)

    @kernel(engine.dtype.descr)
    def choose(states, actions):
        for i in range(len(states)):
            actions[i] = rule(states[i])

    def chosen(states: np.ndarray) -> np.ndarray:
        actions = np.zeros(len(states), np.int64)
        choose(states.copy(), actions)
        if ((actions < 0) | (actions >= many)).any():
            name = getattr(rule, "__name__", "the rule")
            wrong = int(actions[(actions < 0) | (actions >= many)][0])
            raise RuleError(
                f"{engine.environment.name}: {name} chose action {wrong}. A reference returns an action, 0 to {many - 1}"
            )
        return actions

    return chosen
