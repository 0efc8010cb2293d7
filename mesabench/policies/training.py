"""One training run, asked for by names: everything is checked before anything is trained."""

from collections.abc import Mapping
from typing import Any

import pydantic

from mesabench.engine.distribution import OPTIONS, Distribution
from mesabench.policies.agent import Agent, Progress, Task
from mesabench.policies.policy import Policy
from mesabench.registry import find_agent
from mesabench.whole_number import whole
from mesabench.world.environment import Environment


def train(
    agent: str | Agent,
    environment: str | Environment | Distribution,
    *,
    steps: int = 0,
    seed: int = 0,
    options: Mapping[str, Any] | None = None,
    progress: Progress | None = None,
    **settings: Any,
) -> Policy:
    """Train an agent in an environment and return its policy, as a suite does it: the same arguments, the same policy.

    agent, environment: a name, the path of a file of one's own (whose code runs), or what such a file declares; an environment's
        levels, too.
    steps: environment steps to train for, at least 1 for an agent that learns; a scripted one needs none. seed: of every
        random draw, from 0 to 2**63 - 1.
    options: of the environment, as for `gymnasium.make`: `split` (default `train`), `alpha`, `levels`, `objective` (what is
        paid) and its knobs.
    progress: called now and then as `progress(steps so far, columns)`; columns hold `return_mean`, `success`, `length_mean` and
        `episodes`, over the episodes that ended since the last call.
    settings: of the agent, `learning_rate=1e-3`.

    Raises LookupError for an unknown agent or environment, ValueError for an unknown or impossible option, setting, seed or
    number of steps: before training begins.
    """
    found: Agent = find_agent(agent)
    seed, steps = whole(seed, name="seed"), whole(steps, name="steps")
    task = Task(environment, dict(options or {}), steps if found.learns else 0)
    declared = task.distribution.environment
    for name in settings:
        known = name in (*OPTIONS, "objective") or name.rpartition(".")[2] in declared.knobs
        if known and name not in found.settings.model_fields:
            raise ValueError(
                f"{name!r} is no setting of {found.name} but an option of {declared.name}; "
                f"give it so: options={{{name!r}: {settings[name]!r}}}"
            )
    return found.train(task, fitting(found, task, settings), seed, progress or (lambda step, columns: None))


def fitting(agent: Agent, task: Task, settings: Mapping[str, Any]) -> pydantic.BaseModel:
    """The agent's settings, once nothing is wrong with a task for it. Raises ValueError: what is allowed."""
    _ = task.paid  # names the levels and the objective, which are refused if there are none such
    if agent.learns and not task.steps:
        raise ValueError(f"{agent.name} learns: it needs at least 1 step, say steps=200_000")
    return agent.parse_settings(settings)
