"""What the words on a command line stand for: policies, environments, options, settings."""

from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from mesabench import registry
from mesabench.policies.agent import Task
from mesabench.suggestion import unknown
from mesabench.world.environment import DEPLOY, Environment
from mesabench.world.knob import Knob
from mesabench.world.population import AFTER


def policy_of(
    name: str, env: str | None, knobs: list[str] | None, size: int | None, settings: list[str] | None
) -> tuple[Any, Task]:
    """The policy that a name stands for, scripted agents included; what it was trained on, and is to be evaluated on."""
    from mesabench.policies.loading import load_policy
    from mesabench.runs.trial_folder import MANIFEST, load_trial

    stored = load_trial(Path(name)) if (Path(name) / MANIFEST).is_file() else None
    if env:
        environment = registry.find_environment(env)
    elif stored:
        environment, _ = stored.trial.declared()
    else:
        raise ValueError(f"evaluate {name} in which environment? mesabench evaluate {name} ENV")
    options = options_of(environment, knobs, size, also=("alpha", "levels", "objective"))
    if stored:
        if (
            stored.trial.environment == environment.name
            or stored.trial.code.get("environment") == environment.digest
        ):
            options = stored.trial.settled() | options
        return stored.policy(), Task(environment, options)
    if name not in registry.agents() and not name.endswith(".py"):
        if settings:
            raise ValueError(f"--setting is for scripted agents; {name} is none and has no settings")
        return load_policy(name), Task(environment, options)
    agent = registry.find_agent(name)
    if agent.learns:
        raise ValueError(
            f"{name} has to learn first: `mesabench run` trains it; evaluate the folder of a trial"
        )
    chosen = agent.parse_settings(dict(map(pair, settings or ())))
    task = Task(environment, options)
    return agent.train(task, chosen, 0, lambda steps, columns: None), task


def options_of(
    environment: Environment, pairs: Iterable[str] | None, size: int | None, also: Collection[str] = ()
) -> dict[str, Any]:
    """Options for all splits at once, from texts KNOB=VALUE, SPLIT.KNOB=VALUE or sight=WORDS.

    also: options beside the knobs that are allowed here. Raises ValueError for a name or a value that is not.
    """
    options: dict[str, Any] = {}
    for name, text in [*([] if size is None else [("size", str(size))]), *map(pair, pairs or ())]:
        if name in (*also, "sight"):
            options[name] = text if name in ("objective", "sight") else _number(text)
        elif "." not in name and name not in environment.knobs:
            dotted = f"{DEPLOY}.{next(iter(environment.shifted_knobs(DEPLOY)))}"
            what = f"knob of {environment.name}"
            raise ValueError(
                f"{unknown(what, name, [*environment.knobs, *also, 'sight'])}; {dotted} sets one in {DEPLOY} alone"
            )
        else:
            knob = environment.knobs[environment.split_and_knob(name)[1]]
            options[name] = knob.parse(name, text if knob.choices else _number(text))
    task = Task(environment, options)
    _ = task.paid
    for split in environment.splits:
        _ = task.distribution.with_(split=split).own_knobs
    return options


def values_of(knobs: Mapping[str, Knob], pairs: Iterable[str] | None, what: str) -> dict[str, Any]:
    """Values for knobs of a population model, from texts KNOB=VALUE or after.KNOB=VALUE. Raises ValueError."""
    given: dict[str, Any] = {}
    for name, text in map(pair, pairs or ()):
        plain = name.removeprefix(f"{AFTER}.")
        if plain not in knobs:
            raise ValueError(unknown(what, plain, knobs))
        given[name] = knobs[plain].parse(name, text if knobs[plain].choices else _number(text))
    return given


def pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise ValueError(f"{text!r} sets nothing: write a name, = and a value, as in corner=3")
    return name, value


def _number(text: str) -> int | float | str:
    """A number where it is one, else the text itself."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text
