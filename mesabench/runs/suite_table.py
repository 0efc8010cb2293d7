"""What a [[trials]] table of a suite stands for: the trials, or the runs of a population model, that it names."""

import itertools
import re
from collections.abc import Iterator, Mapping
from typing import Any

from mesabench import registry
from mesabench.evolution.models import find_model
from mesabench.policies.agent import Agent, Task
from mesabench.runs.replicate import Replicate
from mesabench.runs.suite_file import PopulationTable, SuiteFile, TrialsTable, at
from mesabench.runs.titles import filled, titles_of
from mesabench.runs.trial import DRAWN, MOST_LETTERS, Trial, code_of
from mesabench.world.environment import TRAIN, Environment
from mesabench.world.knob import Value


def trials_of(
    table: TrialsTable, written: SuiteFile, where: str, names: Mapping[tuple[str, str], str]
) -> Iterator[tuple[str, Trial]]:
    """The product over a table's lists, checked by environments and agents themselves; before each its title, '' if not given."""
    first_seed = written.first_seed if table.first_seed is None else table.first_seed
    seeds = [first_seed + seed for seed in (written.seeds if table.seeds is None else table.seeds)]
    own = {
        "levels": table.evaluation_levels,
        "measures": table.evaluation_measures,
        "goals": None if table.evaluation_goals is None else tuple(table.evaluation_goals),
    }
    evaluation = written.evaluation.model_copy(
        update={key: value for key, value in own.items() if value is not None}
    )
    choices = list(itertools.product(table.options, table.settings, table.alpha, table.steps))
    with at(f"{where}, title"):
        titles = titles_of(table.title or [""], len(choices))
    for name, given, agent_name, values in itertools.product(
        table.environments, table.options, table.agents, table.settings
    ):
        with at(f"{where}, environments"):
            environment = registry.find_environment(name)
        with at(f"{where}, evaluation_goals"):
            for goal in evaluation.goals:
                environment.column(goal)  # which refuses an unknown one
        with at(f"{where}, agents"):
            agent = registry.find_agent(agent_name)
        with at(f"{where}, settings"):
            settings = agent.parse_settings(values).model_dump(mode="json")
        for alpha, steps in itertools.product(table.alpha, table.steps):
            title = titles[choices.index((given, values, alpha, steps))]
            with at(f"{where}, options"):
                options = _resolved(environment, given, alpha)
            with at(f"{where}, steps"):
                steps = _steps(agent, steps)
            with at(f"{where}, variant"):
                first = Trial(
                    environment=names.get((registry.ENVIRONMENT, name), environment.name), version=environment.version,
                    options=options, agent=names.get((registry.AGENT, agent_name), agent.name),
                    settings=settings, steps=steps, seed=seeds[0], evaluation=evaluation,
                    variant=_variant(table, alpha, given, values, steps),
                    code=code_of(environment, agent),
                )  # fmt: skip
            with at(f"{where}, title"):
                title = filled(title, first)
            yield from ((title, first.model_copy(update={"seed": seed})) for seed in seeds)


def replicates_of(
    table: PopulationTable, written: SuiteFile, where: str, names: Mapping[tuple[str, str], str]
) -> Iterator[Replicate]:
    """One for each condition and seed, controls with them."""
    with at(f"{where}, population"):
        model = find_model(table.population)
        code = registry.find_population(table.population).digest if table.population.endswith(".py") else ""
    with at(f"{where}, conditions"):
        conditions = model.with_controls(table.conditions)
    with at(f"{where}, knobs"):
        for name in conditions:
            model.conditions[name].values(model.knobs, table.knobs)  # which refuses what is not to be
    for condition, seed in itertools.product(
        conditions, written.seeds if table.seeds is None else table.seeds
    ):
        with at(where):
            yield Replicate(
                population=names.get((registry.POPULATION, table.population), model.name),
                condition=condition, knobs=table.knobs, seed=seed, code=code or None,
            )  # fmt: skip


def _resolved(environment: Environment, given: Mapping[str, Any], alpha: float) -> dict[str, Value]:
    """Options as the environment understands them. A knob that is not given stays away: a split may have its own."""
    for name in ("split", "alpha"):
        if name in given:
            raise ValueError(
                f"{name!r} is no option here: alpha stands beside `options`, and splits are all evaluated"
            )
    drawn = {
        name: DRAWN for name, value in given.items() if value == DRAWN and _has_choices(environment, name)
    }
    given = {name: value for name, value in given.items() if name not in drawn}
    task = Task(environment, {**given, "alpha": alpha, "split": TRAIN})
    knobs = {
        name: environment.knobs[environment.split_and_knob(name)[1]].parse(name, value)
        for name, value in task.distribution.knobs.items()
    }
    sight = {"sight": task.distribution.sight} if task.distribution.sight else {}
    return {
        "alpha": alpha,
        "levels": task.distribution.levels,
        "objective": task.paid,
        **sight,
        **knobs,
        **drawn,
    }


def _has_choices(environment: Environment, name: str) -> bool:
    knob = name.rpartition(".")[2]
    return knob in environment.knobs and bool(environment.knobs[knob].choices)


def _steps(agent: Agent, steps: int) -> int:
    if agent.learns and not steps:
        raise ValueError(f"{agent.name} learns: it needs at least 1 step")
    return steps if agent.learns else 0


def _variant(
    table: TrialsTable, alpha: float, options: Mapping[str, Any], settings: Mapping[str, Any], steps: int
) -> str:
    """The given name, or one by alpha; then whatever the table varies."""
    by_alpha = {0.0: "ordinary", 1.0: "control"}.get(alpha, f"alpha-{alpha:g}")
    parts = [table.variant or by_alpha]
    if table.variant and len(table.alpha) > 1:
        parts.append(by_alpha)
    for chosen, choices in ((options, table.options), (settings, table.settings)):
        parts += [
            f"{key}-{chosen[key]}"
            for key in chosen
            if any(key not in one or one[key] != chosen[key] for one in choices)
        ]
    if len(table.steps) > 1:
        parts.append(f"{steps}-steps")
    name = re.sub(r"[^A-Za-z0-9_.]+", "-", "-".join(parts)).strip("-.")
    if len(name) > MOST_LETTERS:
        raise ValueError(
            f"what this table varies makes a name of {len(name)} characters, {name!r}; at most {MOST_LETTERS} are allowed: "
            "give each choice a [[trials]] table with a `variant` of its own"
        )
    return name
