"""A suite: a TOML file that names trials, read strictly; every name and value in it is checked before anything runs."""

import tomllib
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

from pydantic import BaseModel, ValidationError

from mesabench import registry
from mesabench.deception.verdict import VERDICTS
from mesabench.evaluation.numbers import numbers
from mesabench.evaluation.verdict import KINDS, OUTCOMES
from mesabench.notebook import Rows, Tabular
from mesabench.runs.question import Answer
from mesabench.runs.replicate import Replicate
from mesabench.runs.suite_file import (
    IN_ORDER,
    Bounds,
    PopulationTable,
    SuiteError,
    SuiteFile,
    TrialsTable,
    at,
    explained,
)
from mesabench.runs.suite_table import replicates_of, trials_of
from mesabench.runs.titles import title_of
from mesabench.runs.trial import Name, Trial
from mesabench.suggestion import unknown

WORDS = {"outcome": OUTCOMES, "kind": tuple(KINDS), "deception": VERDICTS}
"""What is said of an agent in words, and may be predicted beside its numbers."""


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
    replicates: tuple[Replicate, ...] = ()
    files: tuple[str, ...] = ()
    predictions: dict[str, dict[str, Bounds | str | None]] = {}
    titles: dict[str, str] = {}

    def title_of(self, trial: Trial) -> str:
        """What the population of a trial is called, '' if that only repeats the agent's name."""
        return self.titles.get(trial.population, title_of(trial))

    @property
    def jobs(self) -> tuple[Trial | Replicate, ...]:
        """All that is to be run."""
        return *self.trials, *self.replicates

    def headline(self) -> str:
        return f"{self.name}: {len(self.jobs)} trials, {sum(one.steps for one in self.trials):,} steps"

    def rows(self) -> Rows:
        groups: dict[tuple[str, str, str, str, int], int] = {}
        for one in self.trials:
            key = one.environment, one.agent, one.variant, self.title_of(one), one.steps
            groups[key] = groups.get(key, 0) + 1
        for replicate in self.replicates:
            key = replicate.population, "", replicate.condition, "", 0
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
    replicates: dict[str, Replicate] = {}
    for number, table in enumerate(written.trials, 1):
        where = f"{origin}, [[trials]] number {number}"
        if isinstance(table, PopulationTable):
            for one in replicates_of(table, written, where, names):
                if one.name in replicates:
                    raise SuiteError(f"{where}: {one.title} is there already, with the same knobs")
                replicates[one.name] = one
            continue
        # a scripted agent trains for 0 steps: several numbers of steps are one trial
        for title, trial in {one[1].name: one for one in trials_of(table, written, where, names)}.values():
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
        replicates=tuple(replicates.values()),
        files=files,
        predictions=predictions,
        titles=titles,
    )


def _answer(written: SuiteFile, trials: Sequence[Trial], origin: str) -> Answer | None:
    if bool(written.question) != bool(written.answer):
        raise SuiteError(f"{origin}: question and answer go together: give both, or neither")
    with at(f"{origin}, answer"):
        return written.answer.resolved(trials) if written.answer else None


def _own_files(
    written: SuiteFile, origin: str, folder: Path
) -> tuple[tuple[str, ...], dict[tuple[str, str], str]]:
    """The paths of files that tables name, which are written there in full; and what each declares, by kind and path."""
    paths: dict[str, None] = {}
    for number, table in enumerate(written.trials, 1):
        if isinstance(table, PopulationTable):
            if table.population.endswith(".py"):
                table.population = str((folder / table.population).resolve())
                with at(f"{origin}, [[trials]] number {number}, population"):
                    registry.find_population(table.population)
                paths[table.population] = None
            continue
        for kind, given in ((registry.ENVIRONMENT, table.environments), (registry.AGENT, table.agents)):
            for k, name in enumerate(given):
                if name.endswith(".py"):
                    given[k] = str((folder / name).resolve())
                    with at(f"{origin}, [[trials]] number {number}, {kind}s"):
                        find = (
                            registry.find_environment if kind == registry.ENVIRONMENT else registry.find_agent
                        )
                        find(given[k])
                    paths[given[k]] = None
    with at(origin):
        return tuple(paths), registry.take(paths)


def _predicted(table: TrialsTable, where: str) -> dict[str, Bounds | str | None]:
    with at(f"{where}, predicted"):
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
