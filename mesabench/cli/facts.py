"""What verbs say in tables, as plain data for `--json`: things stand under their names, and their facts beside one another."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from mesabench import catalogue, registry
from mesabench.cli.bench import Bench
from mesabench.engine.distribution import Distribution
from mesabench.evolution.models import models
from mesabench.runs.selftest import Line
from mesabench.testing import Report


def listed() -> dict[str, Any]:
    """Every environment, agent, suite and population model."""
    return {
        "environments": {
            name: {"id": e.id, "title": e.title, "intended": e.intended, "training": e.paid, "proxies": e.proxies}
            for name, e in registry.environments().items()
        },
        "agents": {
            name: {"title": agent.title, "learns": agent.learns} for name, agent in registry.agents().items()
        },
        "suites": {name: {"description": words} for name, words in catalogue.suites().items()},
        "population models": {
            name: {"title": one.title, "conditions": [*one.conditions]} for name, one in models().items()
        },
    }  # fmt: skip


def declared(distribution: Distribution, level: int) -> dict[str, Any]:
    """One environment: all that it declares, its knobs in every split, and a level of each."""
    e, engine = distribution.environment, distribution.engine
    starts = catalogue.beginnings(distribution, level)
    return {
        "environment": e.name,
        "id": e.id,
        "title": e.title,
        "story": e.story,
        "options": {**({"sight": distribution.sight} if distribution.sight else {}), **distribution.knobs},
        "level": level,
        "layers": {
            one.name: {"glyph": glyph, "agent": one == e.agent, "hidden": one.name not in engine.observation.in_view}
            for one, glyph in zip(e.layers, e.glyph_of, strict=True)
        },
        "events": {
            one.name: {"ends": bool(e.ends & one), "once": bool(e.once & one), "hazard": bool(e.hazards & one)}
            | ({"most": one.most} if one.most > 1 else {})
            for one in e.events
        },
        "objectives": {
            name: {
                "description": one.description,
                "roles": catalogue.roles_of(e, name),
                "pays": {event.name: weight for event, weight in one.weights.items()},
            }
            for name, one in e.objectives.items()
        },
        "knobs": {
            name: {"default": one.default, "help": one.told}
            | ({"choices": one.choices} if one.choices else {"low": one.low, "high": one.high})
            for name, one in e.knobs.items()
        },
        "splits": {split: {"knobs": vars(distribution.with_(split=split).own_knobs)} for split in e.splits},
        "observation": {"shape": engine.observation_shape, "planes": engine.channels},
        "sight": {"told": engine.observation.sight.told(e.layers), "others": [*catalogue.other_sights(distribution)]},
        "bounds": e.bounds and {
            "floor": e.bounds.told(), "ceilings": {name: one.told() for name, one in e.bounds.ceilings.items()},
        },
        "actions": distribution.actions,
        "discount": e.discount,
        "levels": {split: env.text() for split, env in starts.items()},
        "warnings": catalogue.alike_words(distribution),
    }  # fmt: skip


def checked(report: Report, levels: int) -> dict[str, Any]:
    """The outcome of every check."""
    outcomes = {
        one.name: {"outcome": one.outcome, "found": one.found, "advice": one.advice} for one in report.checks
    }
    return {
        "environment": report.environment,
        "levels_per_split": levels,
        "passed": report.passed,
        "checks": outcomes,
    }


def predicted(lines: Iterable[Line]) -> dict[str, Any]:
    """What was predicted of scripted agents, and what was measured, by agent and score."""
    agents: dict[str, dict[str, Any]] = {}
    for line in lines:
        agents.setdefault(line.trial, {})[line.score] = {
            "predicted": line.bounds, "measured": line.value, "holds": line.holds, "reason": line.reason or None,
        }  # fmt: skip
    holds = [one["holds"] for scores in agents.values() for one in scores.values()]
    return {"predictions": len(holds), "hold": sum(holds), "agents": agents}


def measured(bench: Bench) -> dict[str, Any]:
    """Rates, beginnings and trainings, each with its case."""
    return asdict(bench)
