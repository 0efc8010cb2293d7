"""Everything that is measured of a policy, and the scorecard and verdict that sum it up."""

from mesabench.evaluation.evaluation import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
