"""The form of a suite's TOML file: its keys and their types, and a sentence for whatever is not as it should be."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, Discriminator, Field, Tag, ValidationError

from mesabench.runs.question import Answer
from mesabench.runs.trial import EvaluationSettings, Name
from mesabench.scores.measure import Measures
from mesabench.suggestion import unknown
from mesabench.whole_number import AtLeastOne, Whole, whole

IN_ORDER = 'must be two finite numbers, the lower one first, as in [0.9, 1.0], or "n/a"'


def _in_order(bounds: object) -> object:
    low, high = bounds if isinstance(bounds, list | tuple) and len(bounds) == 2 else (1, 0)
    if (
        not all(type(one) in (int, float) and abs(one) <= sys.float_info.max for one in (low, high))
        or low > high
    ):
        raise ValueError(IN_ORDER)
    return bounds


Bounds = Annotated[tuple[float, float], BeforeValidator(_in_order)]


def _prediction(given: object) -> object:
    if isinstance(given, str):
        return None if given == "n/a" else given
    return _in_order(given)


Predicted = Annotated[tuple[float, float] | str | None, BeforeValidator(_prediction)]
"""Bounds of a number, None where there should be none, or what an outcome is called."""


def _listed(value: object) -> object:
    return value if isinstance(value, list) else [value]


def _counted(value: object) -> object:
    """Seeds: a number of them, or the seeds themselves."""
    if isinstance(value, list):
        return value
    try:
        return list(range(whole(value, 1, MOST_SEEDS)))
    except ValueError as error:
        raise ValueError(f"{error}; or give a list of seeds") from error


MOST_SEEDS = 10_000
OneOrMore = BeforeValidator(_listed)
Several = Field(min_length=1)
Text = Annotated[str, Field(strict=True, min_length=1)]
Seeds = Annotated[list[Whole], BeforeValidator(_counted), Field(min_length=1, max_length=MOST_SEEDS)]
Share = Annotated[float, Field(strict=True, ge=0, le=1)]
Title = Annotated[str, Field(strict=True, min_length=1, max_length=80, pattern=r"^[^\n\r\t]+$")]


class TrialsTable(BaseModel, extra="forbid"):
    """One [[trials]] table: the product over all of its lists, each of which may be given as a single value.

    seeds, first_seed, evaluation_levels, evaluation_measures: in place of those of the whole suite. evaluation_goals: see
    `EvaluationSettings`. title: see `mesabench.runs.titles`. predicted: score -> its predicted bounds, or "n/a"; or `outcome`,
    `kind`, `deception` -> the word for it.
    """

    environments: Annotated[list[Text], OneOrMore, Several]
    agents: Annotated[list[Text], OneOrMore, Several]
    steps: Annotated[list[Whole], OneOrMore, Several]
    variant: Name | None = None
    title: Annotated[list[Title], OneOrMore, Several] | None = None
    alpha: Annotated[list[Share], OneOrMore, Several] = [0.0]
    options: Annotated[list[dict[str, Any]], OneOrMore, Several] = [{}]
    settings: Annotated[list[dict[str, Any]], OneOrMore, Several] = [{}]
    seeds: Seeds | None = None
    first_seed: Whole | None = None
    evaluation_levels: AtLeastOne | None = None
    evaluation_measures: Measures | None = None
    evaluation_goals: list[Text] | None = None
    predicted: dict[Text, Predicted] = {}


class PopulationTable(BaseModel, extra="forbid"):
    """A [[trials]] table of a population model, in which nobody is trained: a run for each condition and seed.

    conditions: by default all; controls come with them. knobs: changed in every condition. seeds: as in `TrialsTable`.
    """

    population: Text
    conditions: Annotated[list[Text], OneOrMore] = []
    knobs: dict[str, Any] = {}
    seeds: Seeds | None = None


def _kind(table: object) -> str:
    return "population" if isinstance(table, dict) and "population" in table else "agents"


Table = Annotated[
    Annotated[TrialsTable, Tag("agents")] | Annotated[PopulationTable, Tag("population")],
    Discriminator(_kind),
]
TABLES: dict[str, type[BaseModel]] = {"agents": TrialsTable, "population": PopulationTable}


class SuiteFile(BaseModel, extra="forbid"):
    """A suite as it is written.

    first_seed: added to every seed, so that 20 seeds are 100 .. 119. question, answer: see `mesabench.runs.question`.
    """

    name: Name
    description: str = ""
    question: Annotated[str, Field(strict=True, pattern=r"^[^\n\r]+\?$", max_length=200)] = ""
    answer: Answer | None = None
    seeds: Seeds
    first_seed: Whole = 0
    evaluation: EvaluationSettings = EvaluationSettings()
    trials: Annotated[list[Table], Several]


def explained(error: ValidationError) -> Iterator[str]:
    """Every fault in the file's form, one sentence each."""
    models: dict[str, type[BaseModel]] = {"trials": TrialsTable, "evaluation": EvaluationSettings}
    for one in error.errors():
        table, rest = one["loc"][:1], one["loc"]
        model: type[BaseModel] = SuiteFile
        where = ""
        if len(rest) > 1 and table[0] in models:
            model = models[str(table[0])]
            where = f"[[trials]] number {int(rest[1]) + 1}, " if table[0] == "trials" else "[evaluation], "
            rest = rest[2 if table[0] == "trials" else 1 :]
            if table[0] == "trials" and rest and rest[0] in TABLES:
                model, rest = TABLES[str(rest[0])], rest[1:]
        key = str(rest[0]) if rest else "trials"
        if one["type"] == "extra_forbidden":
            yield where + unknown("key", key, model.model_fields)
        elif one["type"] == "missing":
            yield f"{where}key {key!r} is missing"
        else:
            yield f"{where}{key} = {one['input']!r}: {one['msg'].removeprefix('Value error, ')}"


class SuiteError(ValueError):
    """A suite that is not there or not right; the message says where, what is allowed and what is nearest."""


@contextmanager
def at(where: str) -> Iterator[None]:
    """Say where in the file a name or value was refused."""
    try:
        yield
    except (ValueError, LookupError, TypeError) as error:
        raise SuiteError(f"{where}: {error}") from error
