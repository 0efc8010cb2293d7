"""Every measure there is, found where it is declared: `MEASURE` of a module of `scores/`, `deception/` or `evaluation/`."""

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from mesabench.scores.level_table import LEVEL_TABLE
from mesabench.scores.measure import Measure, Measures
from mesabench.scores.schema import Record, Schema
from mesabench.scores.score import Number

ROOMS = ("mesabench.scores", "mesabench.deception", "mesabench.evaluation")
FIRST = ("scores.goals", "scores.replanning", "scores.evidence", "scores.adaptation", "deception.measure")
"""Modules whose numbers stand first where numbers are listed, in this order; those of others follow, by their modules' names."""


@cache
def measures() -> dict[str, Measure]:
    """All of them, by their modules' names.

    Raises ValueError where two declare the same number, table or record.
    """
    found: dict[str, Measure] = {}
    for room in ROOMS:
        for one in iter_modules(import_module(room).__path__, f"{room}."):
            if isinstance(measure := getattr(import_module(one.name), "MEASURE", None), Measure):
                found[one.name.removeprefix("mesabench.")] = measure
    order = {name: place for place, name in enumerate(FIRST)}
    found = dict(sorted(found.items(), key=lambda one: (order.get(one[0], len(order)), one[0])))
    declared: dict[str, str] = {LEVEL_TABLE.name: "every evaluation"}
    for module, measure in found.items():
        named: tuple[Number | Schema | Record, ...] = (*measure.numbers, *measure.tables, *measure.records)
        for name in (one.name for one in named):
            if name in declared:
                raise ValueError(f"{module} declares {name!r}, which {declared[name]} declares already")
            declared[name] = module
    return found


def asked(what: Measures) -> dict[str, Measure]:
    """Those whose `find` is asked, by their modules' names. Those of `evaluation/` come last: they look at what others found."""
    found = {name: one for name, one in measures().items() if one.is_asked(what)}
    return dict(sorted(found.items(), key=lambda one: one[0].startswith("evaluation.")))


def tables() -> dict[str, Schema]:
    """Every table that an evaluation returns, by name, that of the levels first."""
    found = (table for measure in measures().values() for table in measure.tables)
    return {one.name: one for one in (LEVEL_TABLE, *found)}


def records() -> dict[str, Record]:
    """Every record that an evaluation may return, by name."""
    return {one.name: one for measure in measures().values() for one in measure.records}
