"""Prove an environment file: `mesabench check ENV` on the command line, `assert_conforms(environment)` under pytest.

Each check is one function of the environment and a number of levels. It returns what it found, in words; it raises `Broken`
with what is wrong and what to do, or `NotApplicable` with why there is nothing to check.
"""

from collections.abc import Callable

from mesabench import ownfile, registry
from mesabench.engine.batch import RuleError
from mesabench.testing.goals import check_bounds, check_conflict, check_exact, check_solvable
from mesabench.testing.interfaces import check_cuda, check_gymnasium, check_render, check_sb3, check_sight
from mesabench.testing.levels import (
    LEVELS,
    check_declaration,
    check_lasting,
    check_levels,
    check_memory,
    check_pairs,
    check_pools,
    check_text,
)
from mesabench.testing.play import check_determinism, check_pickling, check_play
from mesabench.testing.report import Broken, Check, NotApplicable, Report
from mesabench.whole_number import whole
from mesabench.world.environment import Environment

CHECKS: dict[str, Callable[[Environment, int], str]] = {
    "levels": check_levels,
    "memory": check_memory,
    "declaration": check_declaration,
    "random play": check_play,
    "determinism": check_determinism,
    "text": check_text,
    "pools": check_pools,
    "pairs": check_pairs,
    "lasting fields": check_lasting,
    "Gymnasium's checker": check_gymnasium,
    "Stable-Baselines3's checker": check_sb3,
    "render modes": check_render,
    "sight": check_sight,
    "pickling": check_pickling,
    "exact": check_exact,
    "solvable": check_solvable,
    "conflict": check_conflict,
    "bounds": check_bounds,
    "CUDA": check_cuda,
}
"""All checks by name, in the order in which they run."""

FOUNDATIONS = "levels", "memory"
"""Checks without which no other is run: compiled rules that leave their arrays may do anything."""


def check(environment: str | Environment, *, levels: int = LEVELS) -> Report:
    """Run every check on an environment: its name, its declaration or the path of its file.

    Raises UnknownNameError if there is none, ValueError for another number of levels; whatever else is wrong is in the report.
    """
    levels = whole(levels, 1, name="levels")
    found = registry.find_environment(environment)
    outcomes: list[Check] = []
    for name, function in CHECKS.items():
        if any(one.outcome == "failed" and one.name in FOUNDATIONS for one in outcomes):
            outcomes.append(Check(name, "skipped", "waits for levels and rules that are in order"))
        else:
            outcomes.append(_outcome(name, function, found, levels))
    return Report(found.name, tuple(outcomes))


def assert_conforms(environment: str | Environment, *, levels: int = LEVELS) -> None:
    """For pytest: raises AssertionError with the report if any check fails."""
    report = check(environment, levels=levels)
    if not report.passed:
        raise AssertionError(str(report))


def _outcome(
    name: str, function: Callable[[Environment, int], str], environment: Environment, levels: int
) -> Check:
    try:
        return Check(name, "passed", function(environment, levels))
    except NotApplicable as reason:
        return Check(name, "skipped", str(reason))
    except Broken as trouble:
        return Check(name, "failed", trouble.found, trouble.advice)
    except RuleError as trouble:
        found, _, advice = str(trouble).partition(". ")
        return Check(name, "failed", found, advice)
    except Exception as error:  # an author's rules may fail in any way; the other checks still say something
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        if place := ownfile.told(error):
            return Check(name, "failed", place)
        message = " ... ".join(dict.fromkeys([*lines[:1], *lines[-1:]]))
        advice = "Run it with NUMBA_DISABLE_JIT=1: the same rules as plain Python, with their traceback."
        return Check(name, "failed", f"{type(error).__name__}: {message}"[:500], advice)


__all__ = [
    "CHECKS", "LEVELS", "Broken", "Check", "NotApplicable", "Report", "assert_conforms", "check", "check_bounds",
    "check_conflict", "check_cuda", "check_declaration", "check_determinism", "check_exact", "check_gymnasium",
    "check_lasting", "check_levels", "check_memory", "check_pairs", "check_pickling", "check_play", "check_pools",
    "check_render", "check_sb3", "check_sight", "check_solvable", "check_text",
]  # fmt: skip
