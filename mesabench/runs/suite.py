"""A suite: a TOML file that names trials, read strictly; every name and value in it is checked before anything runs."""

import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.resources import files
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from mesabench import registry
from mesabench.deception.verdict import VERDICTS
from mesabench.evaluation.numbers import numbers
from mesabench.evaluation.verdict import KINDS, OUTCOMES
from mesabench.notebook import Rows, Tabular
from mesabench.policies.agent import Agent, Task
from mesabench.runs.question import Answer
from mesabench.runs.suite_file import IN_ORDER, Bounds, SuiteFile, TrialsTable, explained
from mesabench.runs.titles import filled, title_of, titles_of
from mesabench.runs.trial import DRAWN, MOST_LETTERS, Name, Trial, code_of
from mesabench.suggestion import unknown
from mesabench.world.environment import TRAIN, Environment
from mesabench.world.knob import Value

WORDS = {"outcome": OUTCOMES, "kind": tuple(KINDS), "deception": VERDICTS}
"""What is said of an agent in words, and may be predicted beside its numbers."""


class SuiteError(ValueError):
    """A suite that is not there or not right; the message says where, what is allowed and what is nearest."""


class Suite(Tabular, BaseModel, frozen=True, extra="forbid"):
    """Trials to run under one name.

    question, answer: what it is run to find out, and which number of which population tells (`mesabench.runs.question`).
    files: those that declare environments and agents which are not installed; known while it runs, stored nowhere.
    predictions: of a population (`Trial.population`), the bounds between which a score is predicted to lie, or None where there
    should be no number; of one of `WORDS` the word. titles: of populations, where the suite gives them in words; as variants they
    decide nothing.
    """

    name: Name
    description: str = ""
    question: str = ""
    answer: Answer | None = None
    trials: tuple[Trial, ...] = ()
    files: tuple[str, ...] = ()
    predictions: dict[str, dict[str, Bounds | str | None]] = {}
    titles: dict[str, str] = {}

    def title_of(self, trial: Trial) -> str:
        """What the population of a trial is called, '' if that only repeats the agent's name."""
        return self.titles.get(trial.population, title_of(trial))

    def headline(self) -> str:
        return f"{self.name}: {len(self.trials)} trials, {sum(one.steps for one in self.trials):,} steps"

    def rows(self) -> Rows:
        groups: dict[tuple[str, str, str, str, int], int] = {}
        for one in self.trials:
            key = one.environment, one.agent, one.variant, self.title_of(one), one.steps
            groups[key] = groups.get(key, 0) + 1
        told = ((*key[:4], f"{key[4]:,}", str(seeds)) for key, seeds in groups.items())
        return [("environment", "agent", "variant", "title", "steps", "seeds"), *told]


def load_suite(source: str | Path) -> Suite:
    """The suite of a TOML file, or the shipped one of a name (`quickstart`). Raises SuiteError."""
    path = Path(source)
    if path.suffix == ".toml" or path.is_file():
        try:
            return parse_suite(path.read_text("utf-8-sig"), str(path), path.parent)
        except (OSError, UnicodeDecodeError) as error:
            raise SuiteError(f"cannot read the suite {path}: {error}") from error
    shipped = {one.name.removesuffix(".toml"): one for one in files("mesabench.configs").iterdir()}
    if str(source) not in (names := [name for name, one in shipped.items() if one.name.endswith(".toml")]):
        raise SuiteError(f"{unknown('suite', str(source), names)}; or name a file that ends in .toml")
    return parse_suite(shipped[str(source)].read_text("utf-8"), f"suite {source}")


def parse_suite(text: str, origin: str = "suite", folder: Path = Path()) -> Suite:
    """The suite that a TOML text describes.

    origin: what errors call it. folder: where relative paths of files start. Raises SuiteError.
    """
    try:
        written = SuiteFile.model_validate(tomllib.loads(text.removeprefix("\ufeff")))
    except tomllib.TOMLDecodeError as error:
        raise SuiteError(f"{origin} is not TOML: {error}") from error
    except ValidationError as error:
        raise SuiteError("\n".join(f"{origin}: {one}" for one in explained(error))) from error
    found: dict[str, Trial] = {}
    predictions: dict[str, dict[str, Bounds | str | None]] = {}
    titles: dict[str, str] = {}
    files, names = _own_files(written, origin, folder)
    for number, table in enumerate(written.trials, 1):
        where = f"{origin}, [[trials]] number {number}"
        # a scripted agent trains for 0 steps: several numbers of steps are one trial
        for title, trial in {one[1].name: one for one in _trials_of(table, written, where, names)}.values():
            if trial.name in found:
                raise SuiteError(f"{where}: {trial.title} is there already, with the same settings")
            found[trial.name] = trial
            if predicted := _predicted(table, where):
                predictions[trial.population] = predicted
            if title:
                titles[trial.population] = title
    trials = tuple(found.values())
    _refuse_namesakes(trials, titles, origin)
    return Suite(
        name=written.name,
        description=written.description,
        question=written.question,
        answer=_answer(written, trials, origin),
        trials=trials,
        files=files,
        predictions=predictions,
        titles=titles,
    )


def _answer(written: SuiteFile, trials: Sequence[Trial], origin: str) -> Answer | None:
    if bool(written.question) != bool(written.answer):
        raise SuiteError(f"{origin}: question and answer go together: give both, or neither")
    with _at(f"{origin}, answer"):
        return written.answer.resolved(trials) if written.answer else None


def _own_files(
    written: SuiteFile, origin: str, folder: Path
) -> tuple[tuple[str, ...], dict[tuple[str, str], str]]:
    """The paths of files that tables name, which are written there in full; and what each declares, by kind and path."""
    paths: dict[str, None] = {}
    for number, table in enumerate(written.trials, 1):
        for kind, given in ((registry.ENVIRONMENT, table.environments), (registry.AGENT, table.agents)):
            for k, name in enumerate(given):
                if name.endswith(".py"):
                    given[k] = str((folder / name).resolve())
                    with _at(f"{origin}, [[trials]] number {number}, {kind}s"):
                        find = (
                            registry.find_environment if kind == registry.ENVIRONMENT else registry.find_agent
                        )
                        find(given[k])
                    paths[given[k]] = None
    with _at(origin):
        return tuple(paths), registry.take(paths)


def _predicted(table: TrialsTable, where: str) -> dict[str, Bounds | str | None]:
    with _at(f"{where}, predicted"):
        known = numbers()
        for name, bounds in table.predicted.items():
            if name in WORDS:
                if bounds not in WORDS[name]:
                    raise ValueError(unknown(name, str(bounds), WORDS[name]))
                continue
            if name not in known:
                raise ValueError(unknown("score", name, {*known, *WORDS}))
            if isinstance(bounds, str):
                raise ValueError(f"{name} = {bounds!r}: {IN_ORDER}")
            lowest, highest = known[name].lowest, known[name].highest
            if bounds and (bounds[1] < lowest or bounds[0] > highest):
                raise ValueError(
                    f"{name} = [{bounds[0]:g}, {bounds[1]:g}]: no {name} can lie there, it is between {lowest:g} and {highest:g}"
                )
    return table.predicted


def _trials_of(
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
    with _at(f"{where}, title"):
        titles = titles_of(table.title or [""], len(choices))
    for name, given, agent_name, values in itertools.product(
        table.environments, table.options, table.agents, table.settings
    ):
        with _at(f"{where}, environments"):
            environment = registry.find_environment(name)
        with _at(f"{where}, evaluation_goals"):
            for goal in evaluation.goals:
                environment.column(goal)  # which refuses an unknown one
        with _at(f"{where}, agents"):
            agent = registry.find_agent(agent_name)
        with _at(f"{where}, settings"):
            settings = agent.parse_settings(values).model_dump(mode="json")
        for alpha, steps in itertools.product(table.alpha, table.steps):
            title = titles[choices.index((given, values, alpha, steps))]
            with _at(f"{where}, options"):
                options = _resolved(environment, given, alpha)
            with _at(f"{where}, steps"):
                steps = _steps(agent, steps)
            with _at(f"{where}, variant"):
                first = Trial(
                    environment=names.get((registry.ENVIRONMENT, name), environment.name), version=environment.version,
                    options=options, agent=names.get((registry.AGENT, agent_name), agent.name),
                    settings=settings, steps=steps, seed=seeds[0], evaluation=evaluation,
                    variant=_variant(table, alpha, given, values, steps),
                    code=code_of(environment, agent),
                )  # fmt: skip
            with _at(f"{where}, title"):
                title = filled(title, first)
            yield from ((title, first.model_copy(update={"seed": seed})) for seed in seeds)


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


def _refuse_namesakes(trials: Sequence[Trial], titles: Mapping[str, str], origin: str) -> None:
    """Two populations with one name could not be told apart in a report."""
    known: dict[tuple[str, str, str, str], str] = {}
    for trial in trials:
        for key, name in (("variant", trial.variant), ("title", titles.get(trial.population, ""))):
            at = (key, trial.environment, trial.agent, name)
            if name and known.setdefault(at, trial.population) != trial.population:
                raise SuiteError(
                    f"{origin}: two different sets of trials would both be called {name!r} ({trial.agent} in "
                    f"{trial.environment}); give each a `{key}` of its own"
                    + ("" if key == "variant" else ", as with a list of them, or {alpha} or the like in it")
                )


@contextmanager
def _at(where: str) -> Iterator[None]:
    """Say where in the file a name or value was refused."""
    try:
        yield
    except (ValueError, LookupError, TypeError) as error:
        raise SuiteError(f"{where}: {error}") from error
