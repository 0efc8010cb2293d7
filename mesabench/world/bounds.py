"""Bounds: what an agent is measured against on a level that is too large to be solved.

The floor is random play, sampled; the ceiling is a formula of the level, or what a reference policy that the file declares
collects, sampled too. `mesabench.scores.bounded` takes both; the score says so.
"""

import inspect
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any

from numba.core.dispatcher import Dispatcher

from mesabench.suggestion import unknown
from mesabench.world.objective import Objective


@dataclass(frozen=True, kw_only=True)
class Ceiling:
    """The most of an objective that an agent is measured against.

    formula: at least what the optimum returns, discounted: a number, or formula(s, objective, steps), a plain function of the
        level's first state, its `Objective` and the time limit.
    rule: a reference that looks at the state: a `@rule` of it that returns an action. It is shown a copy.
    policy: a reference that looks at observations, as `mesabench.policies.policy` describes.
    name: what scores call it; by default the name of the formula, or else of the reference.

    A reference that stands beside a formula plays only to tell which levels tell goals apart. Raises ValueError where there is
    neither a formula nor one reference, or a number that is not above 0, below which no floor lies.
    """

    formula: Callable[[Any, Objective, int], float] | float | None = None
    rule: Callable[[Any], Any] | None = None
    policy: Callable[..., Any] | None = None
    name: str = ""

    def __post_init__(self) -> None:
        if self.rule and self.policy:
            raise ValueError("a Ceiling has a rule or a policy for its reference, not both")
        if self.formula is None and not self.refers:
            raise ValueError("a Ceiling needs a formula, a rule or a policy: Ceiling(rule=go_for_apples)")
        if called := next(_rules_called(self.formula), None):
            raise ValueError(
                f"the formula {self.called} uses the rule {called}: rules are compiled for kernels alone and cannot be called "
                "from plain Python; write it out in the formula, or take Ceiling(rule=...)"
            )

    @property
    def refers(self) -> bool:
        """Whether there is a reference that plays."""
        return self.rule is not None or self.policy is not None

    @property
    def called(self) -> str:
        """What scores call it."""
        made = self.rule or self.policy if self.formula is None else self.formula
        fallback = f"{made:g}" if isinstance(made, int | float) else type(made).__name__
        return self.name or getattr(made, "__name__", fallback)

    def told(self) -> str:
        """What it is, in words."""
        played = self.rule or self.policy
        kind = "a rule of the state" if self.rule else "a policy of what agents see"
        if self.formula is None:
            return f"what {self.called} collects, {kind}; sampled"
        told = f"{self.called}, {'a formula of the level' if callable(self.formula) else 'in every level'}"
        return (
            f"{told}; goals are told apart by {getattr(played, '__name__', 'its play')}, {kind}"
            if played
            else told
        )

    def line(self, objective: str) -> str:
        """The line of the environment's file that declares it, as a message quotes it."""
        kinds = {"formula": self.formula, "rule": self.rule, "policy": self.policy}
        kind = next(name for name, value in kinds.items() if value is not None)
        return f"bounds=Bounds({{{objective!r}: Ceiling({kind}={self.called})}})"


def _rules_called(function: Any, seen: frozenset[int] = frozenset()) -> Iterator[str]:
    """Names of the rules to which a plain function, or one that it uses, refers: called from outside they crash the process."""
    if isinstance(function, Dispatcher):
        yield function.py_func.__name__
    elif inspect.isfunction(function) and id(function) not in seen:
        used = inspect.getclosurevars(function)
        named = [*used.nonlocals.values(), *used.globals.values()]
        parts = [getattr(one, name, None) for one in named if inspect.ismodule(one) for name in used.unbound]
        for one in (*named, *parts):
            yield from _rules_called(one, seen | {id(function)})


@dataclass(frozen=True)
class Bounds:
    """A ceiling for every objective that is to be measured beyond the solver; others have no score there.

    error: floor and reference are played until their standard error is below this share of the room between floor and ceiling;
    episodes: but no more often than this on a level; then the score says that the error is larger. Both are found to be out of
    range when the file is read.
    """

    ceilings: Mapping[str, Ceiling]
    error: float = 0.05
    episodes: int = 1600

    def told(self) -> str:
        """What the floor is and how well it is known, in words."""
        return (
            f"random play, sampled until its standard error is below {self.error:.3g} of the room up to the ceiling, "
            f"or for {self.episodes:,} episodes"
        )

    def check(self, objectives: Collection[str], needed: Collection[str]) -> None:
        """Raises ValueError for what the objectives of an environment do not admit. needed: those that must have a ceiling."""
        for name, ceiling in self.ceilings.items():
            if name not in objectives:
                raise ValueError(unknown("objective in bounds", name, objectives))
            if isinstance(ceiling.formula, int | float) and not isfinite(ceiling.formula):
                raise ValueError(
                    f"{ceiling.line(name)}: the ceiling {ceiling.formula:g} must be a finite number"
                )
            if isinstance(ceiling.formula, int | float) and not ceiling.formula > 0:
                raise ValueError(
                    f"{ceiling.line(name)}: the ceiling {ceiling.formula:g} does not lie above the floor, which is at least 0: "
                    "random play, or the return when nothing happens; give what the optimum returns, or more"
                )
        if lacking := [name for name in objectives if name in needed and name not in self.ceilings]:
            raise ValueError(
                f"bounds=Bounds(...) has no ceiling for {', '.join(lacking)}: what is intended and what is paid need one"
            )
        if not 0 < self.error < 1:
            raise ValueError(
                f"bounds=Bounds(..., error={self.error!r}): must be a share of the room, above 0 and below 1"
            )
        if not self.episodes >= 2:
            raise ValueError(f"bounds=Bounds(..., episodes={self.episodes!r}): must be 2 at least")
