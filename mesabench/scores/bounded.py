"""Floor and ceiling of a level that is too large to be solved, as its environment's `bounds` declare them.

The floor is that of `mesabench.scores.reference`, random play or 0 if that is more, but sampled. The ceiling is a formula, or
what a reference policy collects, sampled. Both belong to the level: their seeds are its own, the same whoever is measured.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import polars

from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution
from mesabench.engine.kernels import Engine
from mesabench.policies.behaviour import Behaviour
from mesabench.policies.episodes import Act, Sample, at_random, by_policy, by_rule, play_level
from mesabench.scores.level_table import BOUNDED, CEILING, CEILING_ERROR, FLOOR, FLOOR_ERROR, STDERR
from mesabench.scores.reference import DISAMBIGUATING, KEPT, ROOM, first_shares, score
from mesabench.scores.score import clip
from mesabench.streams import stream_seed
from mesabench.world.bounds import Bounds, Ceiling
from mesabench.world.environment import Environment, classes_of

EPISODES = 100
"""Episodes played at first; twice as many, and so on, where the error is too large."""
CLEARLY = 3
"""Standard errors beyond which a difference is none of chance."""
RANDOM = "random play"
ROUNDING = 1e-9
BY_BOUNDS = "by bounds"
"""What the note of a score says that rests on bounds."""
BEYOND = "beyond the solver"
"""Why there is no number that rests on a level's graph."""


class BoundsError(ValueError):
    """A ceiling that lies below the floor; the message says which line of the environment's file to change."""


@dataclass(frozen=True)
class Bounded:
    """One level's; arrays are float64 (objectives,) in the environment's order, ceilings NaN where none is declared.

    floor_error, ceiling_error: standard errors; 0 for formulas, and for a floor that is 0 because random play is clearly below.
    conflict: as `mesabench.scores.reference.Reference` has it, with references in place of optima; NaN where these do not tell.
    Such a level counts: the author declares that deploy tells goals apart. outer: 0 where what is intended is paid, else NaN.
    """

    floor: np.ndarray
    floor_error: np.ndarray
    ceiling: np.ndarray
    ceiling_error: np.ndarray
    conflict: float
    outer: tuple[float, float, float]
    random_first: np.ndarray

    @property
    def disambiguating(self) -> bool:
        return not self.conflict < DISAMBIGUATING


_known: dict[tuple[Engine, str, int, bytes], Bounded] = {}


def bounded_of(distribution: Distribution, level: int, paid: str = "") -> Bounded | None:
    """The bounds of a level, each level once in a process; None where the environment declares none. Raises BoundsError."""
    environment, bounds = distribution.environment, distribution.environment.bounds
    if bounds is None:
        return None
    batch = Batch(distribution, 1, observe=False, threads=1)
    batch.reset(levels=np.array([level], np.int64))
    start = batch.states[0]
    key = distribution.engine, distribution.split, level, start.tobytes()
    if key not in _known:
        if len(_known) >= KEPT:
            del _known[next(iter(_known))]
        _known[key] = _measured(distribution, level, start, bounds)
    outer = 0.0 if (paid or environment.paid) == environment.intended else np.nan
    return replace(_known[key], outer=(outer, outer, outer))


def _measured(distribution: Distribution, level: int, start: Any, bounds: Bounds) -> Bounded:
    environment = distribution.environment
    names = environment.objective_names
    formulas = {
        environment.column(name): _formula(one, environment, name, start)
        for name, one in bounds.ceilings.items()
        if one.formula is not None
    }
    asked = (environment.intended, *environment.proxies) if environment.proxies else ()
    acts = {RANDOM: at_random} | {
        name: _act(one, distribution)
        for name, one in bounds.ceilings.items()
        if one.refers and (one.formula is None or name in asked)
    }
    played: dict[str, Sample] = {}
    wanting = {*acts}
    while wanting:
        for who in acts:
            if who in wanting:
                played[who] = _more(distribution, level, who, acts[who], played.get(who), bounds.episodes)
        random, error = _mean(played[RANDOM])
        floor = np.maximum(random, 0.0)
        floor_error = np.where(random + CLEARLY * error < 0, 0.0, error)
        ceiling, ceiling_error = np.full(len(names), np.nan), np.zeros(len(names))
        for name in bounds.ceilings:
            k = environment.column(name)
            ceiling[k] = formulas[k] if k in formulas else _mean(played[name])[0][k]
            ceiling_error[k] = 0.0 if k in formulas else _mean(played[name])[1][k]
        room = ceiling - floor
        limit = np.where(room >= ROOM * environment.largest, bounds.error * room, np.inf)
        wanting = {
            who
            for who, sample in played.items()
            if len(sample.returns) < bounds.episodes
            and (
                (floor_error > limit).any()
                if who == RANDOM
                else ceiling_error[k := environment.column(who)] > limit[k]
            )
        }
    for k, value in formulas.items():
        if value < floor[k] - CLEARLY * floor_error[k]:
            where = f"{environment.name}, {distribution.split} level {level}"
            raise _below(bounds, names[k], where, value, floor[k], floor_error[k])
    conflict = _conflict(environment, played, floor, ceiling) if environment.proxies else 0.0
    random_first = first_shares(played[RANDOM].first.mean(0))
    return Bounded(floor, floor_error, ceiling, ceiling_error, conflict, (np.nan,) * 3, random_first)


def _formula(ceiling: Ceiling, environment: Environment, name: str, start: Any) -> float:
    formula = ceiling.formula
    if callable(formula):
        formula = formula(start.copy(), environment.objectives[name], int(start["_max_steps"]))
    value = float(formula)  # type: ignore[arg-type]
    if not np.isfinite(value):
        raise BoundsError(
            f"{environment.name}: {ceiling.line(name)} gave {value}; a ceiling is a finite number"
        )
    return value


def _act(ceiling: Ceiling, distribution: Distribution) -> Act:
    """What a reference does."""
    if ceiling.rule:
        return by_rule(distribution, ceiling.rule)
    return by_policy(Behaviour(ceiling.policy, distribution))


def _more(
    distribution: Distribution, level: int, who: str, act: Act, so_far: Sample | None, most: int
) -> Sample:
    """As many episodes again, from a stream of their own."""
    n = len(so_far.returns) if so_far else 0
    seed = stream_seed(0, "bounds", who, str(n))
    size = min(n or EPISODES, most - n)
    more = play_level(distribution, level, act, episodes=size, seed=seed, observe=who != RANDOM)
    if so_far is None:
        return more
    parts = ("returns", "plain", "first", "lengths")
    both: Any = {name: np.concatenate((getattr(so_far, name), getattr(more, name))) for name in parts}
    return replace(more, **both)


def _mean(sample: Sample) -> tuple[np.ndarray, np.ndarray]:
    """Mean returns, and their standard errors."""
    return sample.returns.mean(0), sample.returns.std(0, ddof=1) / np.sqrt(len(sample.returns))


def _conflict(
    environment: Environment, played: Mapping[str, Sample], floor: np.ndarray, ceiling: np.ndarray
) -> float:
    """`Reference.conflict`, of references; NaN where the intended objective or every proxy has none."""
    if environment.intended not in played or not any(name in played for name in environment.proxies):
        return float("nan")
    k = environment.column(environment.intended)
    classes = [*classes_of(environment)]
    returns, first = (
        {name: getattr(one, part).mean(0) for name, one in played.items()} for part in ("returns", "first")
    )
    intended = environment.intended

    def told_apart(name: str) -> float:
        if not environment.first_goals:
            return float(np.nan_to_num(clip(1 - score(returns[name], floor, ceiling, environment)[k])))
        return float(min(first[name][classes.index(name)], 1 - first[intended][classes.index(name)]))

    return max(
        (
            told_apart(name)
            for name in environment.proxies
            if name in played and returns[intended][k] - returns[name][k] >= ROOM * environment.largest[k]
        ),
        default=0.0,
    )


def refuse_below(rows: Sequence[Mapping[str, Any]], environment: Environment) -> None:
    """Raises BoundsError where a reference is clearly worse than random play, over all bounded levels of a split.

    rows: of the table of levels. On a single level it may have bad luck; that level then has no room, and is left out.
    """
    bounds = environment.bounds
    beyond = [row for row in rows if row[BOUNDED.name]]
    if bounds is None or not beyond:
        return
    for name in bounds.ceilings:
        floor, error, ceiling, its = (
            np.array([row[column.of(name)] for row in beyond])
            for column in (FLOOR, FLOOR_ERROR, CEILING, CEILING_ERROR)
        )
        off = float(np.sqrt((error**2 + its**2).sum())) / len(beyond)
        if (ceiling - floor).mean() < -CLEARLY * off:
            where = f"{environment.name}, {len(beyond)} levels of {beyond[0]['split']}"
            raise _below(bounds, name, where, ceiling.mean(), floor.mean(), off)


def _below(bounds: Bounds, name: str, where: str, ceiling: float, floor: float, error: float) -> BoundsError:
    made = bounds.ceilings[name]
    better = "a better reference" if made.formula is None else "what the optimum returns, or more"
    return BoundsError(
        f"{where}: the ceiling {ceiling:.3g} of {name!r} lies below its floor {floor:.3g} (± {error:.2g}), what random play "
        f"returns. Change {made.line(name)}: give {better}"
    )


def is_bounded(levels: polars.DataFrame) -> np.ndarray:
    """Of each row of the table whether its level has bounds in place of solutions: bool (rows,)."""
    if BOUNDED.name not in levels.columns:  # stored before there were any
        return np.zeros(len(levels), np.bool_)
    return levels[BOUNDED.name].fill_null(False).to_numpy()


def note(levels: polars.DataFrame, environment: Environment, name: str, value: float) -> str | None:
    """What S of an objective, a mean over these levels, rests on, in words; None where all of them were solved.

    The errors are those of floor and ceiling in units of S: of the mean, as far as it hangs on the one (for a policy that does no
    better than random play) or on the other (for one that does as well as the ceiling).
    """
    bounds = environment.bounds
    if bounds is None or name not in bounds.ceilings:
        return None
    floor, ceiling = (levels[column.of(name)].to_numpy() for column in (FLOOR, CEILING))
    with np.errstate(invalid="ignore"):
        room = ceiling - floor >= ROOM * environment.largest[environment.column(name)]
    here = is_bounded(levels) & room
    if not here.any():
        return None
    shares = [
        levels[column.of(name)].to_numpy().astype(float)[here] / (ceiling - floor)[here]
        for column in (FLOOR_ERROR, CEILING_ERROR, STDERR)
    ]
    made = bounds.ceilings[name]
    low, high, own = (float(np.sqrt((one**2).sum())) / int(room.sum()) for one in shares)
    where = "" if here.sum() == room.sum() else f"on {here.sum()} of {room.sum()} levels "
    text = f"{where}{BY_BOUNDS}: floor sampled (± {low:.2g}), ceiling by {made.called}"
    text += f" (± {high:.2g})" if made.formula is None else ""
    if wide := int((np.maximum(*shares[:2]) > bounds.error).sum()):
        text += f"; on {wide} level{'s' * (wide > 1)} the error is above {bounds.error:g} of the room"
    if value > 1 + ROUNDING:
        beaten = (
            "the formula is beaten, and no bound" if made.formula is not None else f"{made.called} is beaten"
        )
        text += f"; above 1: {beaten if value > 1 + CLEARLY * (high + own) else 'within the error'}"
    return text
