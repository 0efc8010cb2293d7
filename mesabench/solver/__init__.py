"""A level as an exact decision process: its states, its optima, and what a policy does in it."""

from mesabench.solver.graph import LevelGraph, UnsolvableError, explore, explore_state
from mesabench.solver.occupancy import Outcome, evaluate, replay, uniform_policy
from mesabench.solver.optima import (
    Optimum,
    Solution,
    best_actions,
    leeway,
    optimal_actions,
    optimal_policy,
    optimum,
    solve,
)

__all__ = ["LevelGraph", "Optimum", "Outcome", "Solution", "UnsolvableError", "best_actions", "evaluate", "explore",
           "explore_state", "leeway", "optimal_actions", "optimal_policy", "optimum", "replay", "solve",
           "uniform_policy"]  # fmt: skip
