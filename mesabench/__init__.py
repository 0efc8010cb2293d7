"""mesabench: small worlds in which a trained agent may come to want the wrong thing.

What stands here is for everybody: names that a program of one's own may rely on (`docs/api.md`). They are loaded when they are
first used, so `import mesabench` stays light. An environment's file imports `mesabench.world`.
"""

import importlib
import os
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

# In a checkout `envs/`, `agents/` and `configs/` stand beside this folder, installed they stand inside it.
# Started in the checkout's root, Python takes this folder even where a wheel is installed: it must find them,
# before what follows (E402) is imported.
_root = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
if os.path.isfile(f"{_root}/pyproject.toml") and os.path.isdir(f"{_root}/envs"):
    __path__.append(_root)

from mesabench import registry  # noqa: E402
from mesabench.adapters import registration  # noqa: E402
from mesabench.world import Environment, Field, Knob, Monitor, Objective, Sight, mazes  # noqa: E402

if TYPE_CHECKING:
    from mesabench.engine.distribution import Distribution, distribution
    from mesabench.evaluation.evaluation import Evaluation, evaluate
    from mesabench.policies.agent import Agent, Task
    from mesabench.policies.loading import load_policy
    from mesabench.policies.policy import Policy
    from mesabench.policies.training import train
    from mesabench.registry import find_agent, find_environment, list_agents, list_environments
    from mesabench.report import write_report
    from mesabench.runs.runner import run_suite
    from mesabench.runs.store import load_run
    from mesabench.runs.suite import load_suite
    from mesabench.scores.score import Score
    from mesabench.solver import explore, optimum

_LAZY = {
    "engine.distribution": ("Distribution", "distribution"),
    "evaluation.evaluation": ("Evaluation", "evaluate"),
    "policies.agent": ("Agent", "Task"),
    "policies.loading": ("load_policy",),
    "policies.policy": ("Policy",),
    "policies.training": ("train",),
    "registry": ("find_agent", "find_environment", "list_agents", "list_environments"),
    "report": ("write_report",),
    "runs.runner": ("run_suite",),
    "runs.store": ("load_run",),
    "runs.suite": ("load_suite",),
    "scores.score": ("Score",),
    "solver": ("explore", "optimum"),
}
"""Where a name of the face is at home; the imports above say the same to type checkers and editors."""
_HOME = {name: f"mesabench.{module}" for module, names in _LAZY.items() for name in names}

__all__ = [
    "Agent", "Distribution", "Environment", "Evaluation", "Field", "Knob", "Monitor", "Objective", "Policy", "Score", "Sight",
    "Task",
    "distribution", "evaluate", "explore", "find_agent", "find_environment", "list_agents", "list_environments", "load_policy",
    "load_run", "load_suite", "mazes", "optimum", "run_suite", "train", "write_report",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'mesabench' has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME[name]), name)
    return globals().setdefault(name, value)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


for _environment in registry.environments().values():
    registration.register(_environment)
