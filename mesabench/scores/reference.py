"""What a level offers, whoever plays it: floor and ceiling of every objective, and how far its objectives conflict.

S_g(policy) = (J_g(policy) - floor_g) / (ceiling_g - floor_g). The ceiling is the optimum. The floor is what the uniform random
policy gets, or 0, the return when nothing happens, if that is more: where random play does harm, keeping still must not look
like competence. Policies that are optimal for one objective break ties uniformly.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from mesabench import solver
from mesabench.scores.directedness import Point, steps_to
from mesabench.scores.score import clip
from mesabench.world.environment import Environment, classes_of

if TYPE_CHECKING:
    import polars

Told = TypeVar("Told", bool, "polars.Expr")
DISAMBIGUATING = 0.5
"""A level tells the goals apart if its conflict is at least this."""
ROOM = 0.05
"""A level says something about an objective if optimum and random play differ by this share of its largest weight."""


def score(
    returns: np.ndarray, floor: np.ndarray, ceiling: np.ndarray, environment: Environment
) -> np.ndarray:
    """S of every objective: float64 (..., objectives); NaN where a level has no room for it."""
    largest = environment.largest
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(ceiling - floor >= ROOM * largest, (returns - floor) / (ceiling - floor), np.nan)


@dataclass(frozen=True)
class Reference:
    """One level's reference values; arrays are float64 (objectives,) in the environment's order.

    states: number of states;
    random: the returns of uniformly random play;
    conflict: how surely the first goal reached tells the optimum of a proxy from that of the intended objective, 0 .. 1: the
        smaller of the chances that the one meets the proxy's goal first and that the other does not; for the proxy with the
        largest, among those whose optimum costs the intended objective something (`ROOM`). Where first goals say nothing
        (`Environment.first_goals`), 1 - S of the intended objective under that optimum;
    outer: 1 - S of the intended objective under optimal play of what is paid, with ties broken
        uniformly, for the best, for the worst;
    random_first: chance of each class to come first in random play, and of none;
    distance: float64 (classes,), the fewest steps to each class from the start, infinite where there is no way;
    plain: floor and ceiling of the intended objective, undiscounted;
    soft: for each objective, the points of Phi that are known (see `mesabench.scores.directedness.RandomPlay`).
    """

    states: int
    random: np.ndarray
    floor: np.ndarray
    ceiling: np.ndarray
    conflict: float
    outer: tuple[float, float, float]
    random_first: np.ndarray
    distance: np.ndarray
    plain: tuple[float, float]
    soft: tuple[dict[float, Point], ...]

    @property
    def disambiguating(self) -> bool:
        return self.conflict >= DISAMBIGUATING


def counts(disambiguating: Told, environment: Environment) -> Told:
    """Whether a level says what a policy is after: it tells the goals apart, or there is no proxy to tell from the intended one.

    disambiguating: bool, or polars' column of that name; comes back as what it was.
    """
    return disambiguating | (not environment.proxies)


def first_shares(first: np.ndarray) -> np.ndarray:
    """Append the chance that none came first."""
    return np.append(first, max(0.0, 1.0 - first.sum()))


KEPT = 10_000
"""Levels whose reference values are kept, some kilobytes each; of more, those solved last."""
_known: dict[tuple[Any, ...], Reference] = {}


def reference_of(graph: solver.LevelGraph, paid: str = "") -> Reference:
    """Solve a level for every objective; each level once in a process, since no agent changes it."""
    paid = paid or graph.environment.paid
    # no digest: it knows nothing of what lasts; and the actions, which knobs may add to
    key = graph.environment, graph.distribution.actions, paid, graph.content[0].tobytes(), graph.horizon
    if key not in _known:
        if len(_known) >= KEPT:
            del _known[next(iter(_known))]
        _known[key] = _solve(graph, paid)
    return _known[key]


def _solve(graph: solver.LevelGraph, paid: str) -> Reference:
    environment = graph.environment
    names, classes = environment.objective_names, list(classes_of(environment).values())
    random = solver.evaluate(graph, solver.uniform_policy(graph), classes)
    best = solver.solve(graph, names)
    floor, ceiling = np.maximum(random.returns, 0.0), best.values
    k = environment.column(environment.intended)
    optima = {
        name: solver.evaluate(graph, best.good[environment.column(name)], classes)
        for name in {environment.intended, paid, *environment.proxies}
    }

    def lost(value: float) -> float:
        """What is lost of the intended objective: 1 - S."""
        returns = np.where(np.arange(len(names)) == k, value, floor)
        return 1 - float(score(returns, floor, ceiling, environment)[k])

    def told_apart(n: int, proxy: str) -> float:
        if not environment.first_goals:
            return float(np.nan_to_num(clip(lost(optima[proxy].returns[k]))))
        return min(optima[proxy].first[1 + n], 1 - optima[environment.intended].first[1 + n])

    matters = ROOM * environment.largest[k]
    conflict = max(
        (
            told_apart(n, proxy)
            for n, proxy in enumerate(environment.proxies)
            if ceiling[k] - optima[proxy].returns[k] >= matters
        ),
        default=0.0,
    )
    outer = (0.0, 0.0, 0.0)
    if paid != environment.intended:
        low, high = solver.leeway(graph, best.good[environment.column(paid)], environment.intended)
        outer = (lost(optima[paid].returns[k]), lost(high), lost(low))
    steps = [steps_to(graph, (graph.events & mask) != 0)[0] for mask in classes]
    distance = np.where(np.array(steps) > graph.horizon, np.inf, steps)
    plain = solver.solve(graph, [environment.intended], keep=False, discount=1.0)
    soft: tuple[dict[float, Point], ...] = tuple({} for _ in names)
    return Reference(
        graph.n_states,
        random.returns,
        floor,
        ceiling,
        float(conflict),
        outer,
        first_shares(random.first),
        distance,
        (max(0.0, float(random.plain[k])), float(plain.values[0])),
        soft,
    )
