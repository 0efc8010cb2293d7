"""Prove an environment file: `mesabench check ENV` on the command line, `assert_conforms(environment)` under pytest.

Each check is one function of the environment and a number of levels. It returns what it found, in words; it raises `Broken`
with what is wrong and what to do, or `NotApplicable` with why there is nothing to check.

Longer than other modules: one public address for a flat list of checks, each read by itself.
"""

import importlib.util
import pickle
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from traceback import walk_tb
from typing import Any, Literal

import gymnasium
import numpy as np

from mesabench import ownfile, registry
from mesabench.adapters.env import GridEnv
from mesabench.adapters.vector import GridVectorEnv
from mesabench.engine.array_bounds import escape
from mesabench.engine.batch import Batch, RuleError
from mesabench.engine.distribution import Distribution
from mesabench.engine.level_text import from_text, to_text
from mesabench.pictures.sprites import sprite
from mesabench.solver.agreement import disagreement
from mesabench.whole_number import whole
from mesabench.world import infinitive
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN, Environment

LEVELS = 200
"""Levels of each split that a check looks at; those that solve levels take the first tenth at most."""
STEPS = 100
"""Steps of random play."""
MAX_STATES = 50_000
"""States of a level, and of all levels of a split but the last, that are still solved."""
PLAYED = 3
"""Levels of each split that are played to see whether they do as they are solved."""
WINDOW = 5
"""Rows and columns of the window through which levels are looked at."""
SURELY, RARE = 5, 0.02
"""Standard errors that a sampled value may be off, and the share of the largest weight that seldom events may hide."""
CLEARER = 0.1
"""By how much goals must conflict more in deploy than in train."""


class Broken(AssertionError):
    """A check failed: what is wrong, and what to do about it."""

    def __init__(self, found: str, advice: str) -> None:
        super().__init__(f"{found}. {advice}")
        self.found, self.advice = found, advice


class NotApplicable(Exception):
    """There is nothing to check; the message says why."""


@dataclass(frozen=True)
class Check:
    """The outcome of one check: what was looked at, what was found, and what to do if it failed (else '')."""

    name: str
    outcome: Literal["passed", "failed", "skipped"]
    found: str
    advice: str = ""

    def __str__(self) -> str:
        return f"{self.outcome:7}  {self.name}: {self.found}" + (
            f"\n         {self.advice}" if self.advice else ""
        )


@dataclass(frozen=True)
class Report:
    """All checks of one environment, in order."""

    environment: str
    checks: tuple[Check, ...]

    @property
    def passed(self) -> bool:
        """Whether no check failed."""
        return not any(check.outcome == "failed" for check in self.checks)

    def __str__(self) -> str:
        return "\n".join([self.environment, *(f"  {check}".replace("\n", "\n  ") for check in self.checks)])


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


def splits_of(environment: Environment) -> tuple[str, ...]:
    return (*environment.splits, HELDOUT)


def levels_of(environment: Environment, split: str, number: int) -> Batch:
    """A batch at the start of the levels of seeds 0 .. number - 1."""
    batch = Batch(Distribution(environment, split), number, threads=1)
    batch.reset(levels=np.arange(number))
    return batch


def check_levels(environment: Environment, levels: int) -> str:
    """Every split has levels: closed by walls, with one agent, where `s.y`, `s.x` say."""
    distinct = []
    for split in splits_of(environment):
        batch = levels_of(environment, split, levels)
        _check_states(environment, split, batch.states)
        distinct.append(f"{len(np.unique(batch.digests))} different in {split}")
    return f"of {levels} levels of each split: " + ", ".join(distinct)


def check_declaration(environment: Environment, levels: int) -> str:
    """People can read what it is about."""
    advice = (
        "`mesabench list`, `mesabench show` and the report tell it to people who have never seen the file."
    )
    if not environment.story.strip():
        raise Broken("the file has no docstring", f"Tell its story there, a headline first. {advice}")
    for name, objective in environment.objectives.items():
        if not objective.description:
            raise Broken(
                f"objective {name!r} has no description", f"Say in a few words what somebody wants. {advice}"
            )
        if trouble := infinitive.trouble(objective.description):
            raise Broken(
                f"the description of objective {name!r}, {objective.description!r}, does not continue "
                f"'the agent learned to ...': {trouble}",
                f"Write it as an infinitive, such as 'reach the cheese'. {advice}",
            )
    return environment.title


def check_play(environment: Environment, levels: int) -> str:
    """Random play stays within the grid, and fields and observations within their ranges."""
    rng = np.random.default_rng(0)
    ends = 0
    happened = 0
    for split in splits_of(environment):
        batch = levels_of(environment, split, levels)
        highs = batch.engine.channel_highs[:, None, None]
        for _ in range(STEPS):
            batch.step(rng.integers(0, len(environment.actions), levels), autoreset=True)
            _check_states(environment, split, batch.states)
            if (batch.observations > highs).any():
                raise Broken(
                    f"{split}: an observation exceeds its plane's range", "Raise the field's `high`."
                )
            ends += int((batch.terminated | batch.truncated).sum())
            happened |= int(np.bitwise_or.reduce(batch.events))
            for event in environment.events:
                many = int((batch.events & np.uint32(event)).max()) >> event.position
                if many > event.most:
                    raise Broken(
                        f"{split}: {event.name!r} came {many} times in one step, and is declared with at most {event.most}",
                        f"Declare amount({event.name!r}, {many}), or bound the count in the rules.",
                    )
    never = [event.name for event in environment.events if not happened & event]
    rare = f"; random play never met {', '.join(never)}" if never else ""
    return f"{levels * STEPS * len(splits_of(environment)):,} steps, {ends:,} episodes ended{rare}"


def _check_states(environment: Environment, split: str, states: np.ndarray) -> None:
    grid = states["grid"].astype(np.int64)
    border = np.concatenate([grid[:, 0], grid[:, -1], grid[:, :, 0], grid[:, :, -1]], axis=1)
    if ((border & environment.wall) == 0).any():
        raise Broken(
            f"{split}: there is a level whose border is not closed by {environment.wall.name!r}",
            "Rules read the cells around the agent without asking where the grid ends: begin with `mazes.open_room` or the like.",
        )
    agents = (grid & environment.agent) != 0
    rows = np.arange(len(grid))
    if (agents.sum((1, 2)) != 1).any() or not agents[rows, states["y"], states["x"]].all():
        raise Broken(
            f"{split}: there is a level in which {environment.agent.name!r} is not in exactly the one cell (s.y, s.x)",
            "Set the agent down with `put_agent` and move it with `move`.",
        )
    for field in environment.fields:
        if (states[field.name] < 0).any() or (states[field.name] > field.high).any():
            raise Broken(
                f"{split}: field {field.name!r} left its range 0..{field.high}",
                "Raise its `high`, or bound it in the rules.",
            )


_PURE = "Rules may depend on the state alone: take chance from `draw`, keep no globals, expect nothing of scratch space."


def check_determinism(environment: Environment, levels: int) -> str:
    """The same seeds give the same episodes, alone, in a batch and in two threads."""
    n = min(levels, 64)

    def played(size: int, threads: int) -> list[tuple[np.ndarray, ...]]:
        vector = GridVectorEnv(environment, size, split=DEPLOY, threads=threads)
        observations, infos = vector.reset(seed=0)
        steps: list[tuple[np.ndarray, ...]] = [(observations, *infos.values())]
        for t in range(STEPS):
            *results, infos = vector.step((np.arange(size) * 7 + t * t) % len(environment.actions))
            steps.append((*results, *infos.values()))
        return [tuple(array[: min(n, 3)] for array in step) for step in steps]

    runs = [played(n, 1), played(n, 2), played(min(n, 3), 1)]
    for other in runs[1:]:
        for mine, theirs in zip(runs[0], other, strict=True):
            if not all(np.array_equal(a, b) for a, b in zip(mine, theirs, strict=True)):
                raise Broken("the same seeds gave different episodes", _PURE)
    for split in splits_of(environment):
        batch = levels_of(environment, split, n)
        digests = batch.digests.copy()
        for _ in range(10):
            batch.step(np.zeros(n, np.int64))
        batch.reset(levels=np.arange(n)[::-1])
        if not np.array_equal(batch.digests[::-1], digests):
            raise Broken(f"{split}: a level came out differently after others had been played", _PURE)
    return f"{STEPS} steps came out the same in a batch of {n}, in one of {min(n, 3)} and in two threads"


def check_text(environment: Environment, levels: int) -> str:
    """Levels come back from their text."""
    number = min(levels, 50)
    for split in splits_of(environment):
        batch = levels_of(environment, split, number)
        for state, digest in zip(batch.states, batch.digests, strict=True):
            if from_text(batch.distribution, to_text(environment, state))[1] != digest:
                raise Broken(
                    f"{split}: a level read from its text is another one:\n{to_text(environment, state)}",
                    "What is in the state must be layers, single fields, or derived from them by `settle`.",
                )
    return f"{number} levels of each split, to text and back"


def check_pools(environment: Environment, levels: int) -> str:
    """Training and held-out levels share nothing."""
    if not environment.pools:
        raise NotApplicable("the environment declares pools=False: its levels are too few to hold some out")
    training = levels_of(environment, TRAIN, levels)
    for split in splits_of(environment):
        if split == TRAIN:
            continue
        other = levels_of(environment, split, levels)
        for what in ("layouts", "digests"):
            shared = np.intersect1d(getattr(training, what), getattr(other, what))
            if len(shared):
                raise Broken(
                    f"{len(shared)} of {levels} {what} of {split} also occur in training",
                    "What `layout` draws must be seen in the finished level: `shift` must not overwrite it.",
                )
    return f"{levels} levels of each: none is in both"


def check_pairs(environment: Environment, levels: int) -> str:
    """The same seed is the same layout in held-out and deploy, with the shift applied."""
    calm, shifted = levels_of(environment, HELDOUT, levels), levels_of(environment, DEPLOY, levels)
    differ = (calm.digests != shifted.digests) | (calm.states["_max_steps"] != shifted.states["_max_steps"])
    if not differ.any():
        raise Broken(
            "held-out and deploy levels of the same seeds are the same",
            "Give `splits` different knobs, and let `shift` (or, with paired=False, `layout`) read them.",
        )
    share = f"the shift changes {differ.mean():.0%} of {levels} levels"
    if not environment.paired:
        return f"{share} (unpaired, as declared)"
    if (calm.layouts != shifted.layouts).any():
        raise Broken(
            "a pair has two layouts", "`layout` must not depend on anything but its draws and knobs."
        )
    return f"{share}, and no layout"


def check_lasting(environment: Environment, levels: int) -> str:
    """What lasts begins at 0, goes on from episode to episode, and no level depends on it."""
    lasting = [one for one in environment.fields if one.lasts]
    if not lasting:
        raise NotApplicable("no field lasts beyond an episode")
    rng = np.random.default_rng(0)
    for split in splits_of(environment):
        calm, other = (Batch(Distribution(environment, split), levels, threads=1) for _ in range(2))
        for batch in (calm, other):
            for i in range(levels):
                batch.seed(i, i)
            batch.reset()
        for one in lasting:
            if other.states[one.name].any():
                raise Broken(f"{split}: field {one.name!r}, which lasts, does not begin at 0", _LASTING)
            other.states[one.name] = rng.integers(one.high + 1, size=other.states[one.name].shape)
        before = other.states.copy()
        for batch in (calm, other):
            batch.reset()
        for one in lasting:
            if (other.states[one.name] != before[one.name]).any():
                raise Broken(f"{split}: a new level changes field {one.name!r}, which lasts", _LASTING)
        if (calm.digests != other.digests).any():
            raise Broken(f"{split}: a level depends on what earlier episodes left behind", _LASTING)
    return f"{', '.join(one.name for one in lasting)}: kept from episode to episode; exact scores are those of the first"


_LASTING = "Only `step` may read or write a field that lasts: a level is named by its seed, and must always be the same."


def check_gymnasium(environment: Environment, levels: int) -> str:
    """Gymnasium's own checker has nothing to complain about."""
    from gymnasium.utils.env_checker import check_env

    known = environment.id in gymnasium.registry
    for split in splits_of(environment):
        env = (
            gymnasium.make(environment.id, split=split).unwrapped
            if known
            else GridEnv(environment, split=split)
        )
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            check_env(env, skip_render_check=not known)
    return "check_env, warnings as errors"


def check_sb3(environment: Environment, levels: int) -> str:
    """So has Stable-Baselines3's."""
    try:
        from stable_baselines3.common.env_checker import check_env
    except ImportError:
        raise NotApplicable("Stable-Baselines3 is not installed: pip install 'mesabench[agents]'") from None
    for split in splits_of(environment):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.filterwarnings("ignore", message=".*image")  # it takes planes of bits for a photograph
            check_env(GridEnv(environment, split=split), skip_render_check=False)
    return "check_env"


def check_render(environment: Environment, levels: int) -> str:
    """Every render mode draws, and each layer its own picture."""
    sizes = []
    pictures: dict[bytes, str] = {}
    for name in filter(None, environment.drawn):
        twin = pictures.setdefault(sprite(name).tobytes(), name)
        if twin != name:
            raise Broken(f"layers {twin!r} and {name!r} have one picture", "Give one of them another name.")
    for mode in GridEnv.metadata["render_modes"]:
        env = GridEnv(environment, render_mode=mode)
        env.reset(seed=0)
        picture = env.render()
        empty = not picture.strip() if isinstance(picture, str) else picture.std() == 0
        if empty:
            raise Broken(
                f"render mode {mode!r} draws nothing", "Name layers so that each has a glyph and a sprite."
            )
        sizes.append(f"{mode} {'text' if isinstance(picture, str) else ' x '.join(map(str, picture.shape))}")
    return ", ".join(sizes)


def check_sight(environment: Environment, levels: int) -> str:
    """Through a window around the agent it sees what stands there, and wall beyond the level."""
    if environment.sight.partial:
        raise NotApplicable("the environment declares itself how far its agent sees")
    try:
        near = Distribution(environment, sight=f"{WINDOW}x{WINDOW} planes").engine
    except ValueError as reason:
        raise NotApplicable(str(reason)) from None
    far = Distribution(environment, sight="planes" if environment.sight.pixels else "").engine
    number, margin = min(levels, 50), WINDOW // 2
    rng = np.random.default_rng(0)
    for split in splits_of(environment):
        batch = levels_of(environment, split, number)
        for _ in range(margin):
            batch.step(rng.integers(0, len(environment.actions), number), autoreset=True)
        around = np.pad(far.observations(batch.states), ((0, 0), (0, 0), *[(margin, margin)] * 2), "edge")
        beyond = np.ones(around.shape[2:], bool)
        beyond[margin:-margin, margin:-margin] = False
        for plane, name in enumerate(far.channels):
            if name not in environment.numbers:
                around[:, plane, beyond] = name == environment.wall.name
        for seen, cells, state in zip(near.observations(batch.states), around, batch.states, strict=True):
            y, x = int(state["y"]), int(state["x"])
            if not np.array_equal(seen, cells[:, y : y + WINDOW, x : x + WINDOW]):
                raise Broken(
                    f"{split}: {WINDOW} x {WINDOW} cells around ({y}, {x}) are not seen as they are",
                    "`s.y` and `s.x` must say where the agent is: set it down with `put_agent` and move it with `move`.",
                )
    return f"{number} levels of each split through a window of {WINDOW} x {WINDOW} cells"


def check_pickling(environment: Environment, levels: int) -> str:
    """A pickled environment goes on where it was."""
    try:
        known = registry.find_environment(environment.reference) is environment
    except registry.UnknownNameError:
        known = False
    if not known:
        raise NotApplicable(
            "a pickle holds the environment's name, and by its name this one is not to be found"
        )
    env = GridEnv(environment, split=DEPLOY)
    env.reset(seed=0)
    env.step(0)
    other: Any = pickle.loads(pickle.dumps(env))
    for t in range(STEPS):
        if not env.running:
            break
        mine, theirs = (one.step(t % len(environment.actions)) for one in (env, other))
        if not np.array_equal(mine[0], theirs[0]) or mine[1:] != theirs[1:]:
            raise Broken("a pickled copy went another way", _PURE)
    return "in the middle of an episode"


def _references(environment: Environment, split: str, levels: int) -> list[Any]:
    """Solved levels of a split."""
    from mesabench import solver
    from mesabench.scores.reference import reference_of

    distribution = Distribution(environment, split)
    solved: list[Any] = []
    for level in range(max(2, levels // 10)):
        if level >= 2 and sum(one.states for one in solved) > MAX_STATES:
            break
        try:
            graph = solver.explore(distribution, level, max_states=MAX_STATES)
        except solver.UnsolvableError as reason:
            raise NotApplicable(f"{reason}: scores will be sampled instead of exact") from None
        solved.append(reference_of(graph))
    return solved


def check_memory(environment: Environment, levels: int) -> str:
    """Rules stay within their arrays, whatever a level's text or a knob says."""
    number = max(1, min(5, levels // 20))
    for split in splits_of(environment):
        rng = np.random.default_rng(0)
        if trouble := escape(Distribution(environment, split), number, rng):
            raise Broken(
                trouble,
                "Compiled, this reads or writes what is not the rule's own. A level's text may set any field from 0 to its "
                "`high` and lay any layer anywhere: bound the index in the rule, or lower `high`.",
            )
    return "rules as plain Python stay within their arrays, on any fields and layers that a text may have"


def check_exact(environment: Environment, levels: int) -> str:
    """Levels are played as they are solved."""
    from mesabench import solver

    played = 0
    unsolved: dict[str, str] = {}
    for split in splits_of(environment):
        distribution = Distribution(environment, split)
        for level in range(min(PLAYED, levels)):
            try:
                graph = solver.explore(distribution, level, max_states=MAX_STATES)
            except solver.UnsolvableError as reason:
                unsolved[split] = str(reason)
                break
            if trouble := disagreement(graph):
                raise Broken(
                    trouble,
                    "Exact scores would be wrong. Rules may read the grid, the agent's place, declared fields, and what "
                    "`draw` and `chance` give; what they need to remember, time included, must be a field.",
                )
            played += 1
    return f"{played} levels, step by step in sampled play{_but(environment, unsolved)}"


def _but(environment: Environment, unsolved: dict[str, str]) -> str:
    """What is left out. Raises NotApplicable if nothing else is left."""
    reasons = "; ".join(f"{split}: {reason}" for split, reason in unsolved.items())
    if len(unsolved) == len(splits_of(environment)):
        raise NotApplicable(f"{next(iter(unsolved.values()))}: scores will be sampled instead of exact")
    return f", but not in {reasons}" if reasons else ""


def check_solvable(environment: Environment, levels: int) -> str:
    """In every split, good play of the intended objective and of each proxy earns more than random play does."""
    names = environment.objective_names
    goals = [environment.intended, *environment.proxies]
    largest = 0
    unsolved: dict[str, str] = {}
    for split in splits_of(environment):
        try:
            solved = _references(environment, split, levels)
        except NotApplicable as reason:
            unsolved[split] = str(reason).partition(": scores")[0]
            continue
        largest = max(largest, *(one.states for one in solved))
        room = np.array([one.ceiling - one.floor for one in solved]).max(0)
        for goal in goals:
            if room[names.index(goal)] < 1e-6:
                raise Broken(
                    f"{split}: in none of {len(solved)} levels can {goal!r} be pursued better than by random play",
                    "A level in which a goal is out of reach tests competence, not goals: is it connected, is max_steps enough?",
                )
    return (
        f"optimal play beats random play for {', '.join(goals)}; levels have up to {largest:,} states"
        f"{_but(environment, unsolved)}"
    )


def check_bounds(environment: Environment, levels: int) -> str:
    """Bounds contain the exact values where a level can be solved, and no ceiling lies below its floor where it cannot."""
    from mesabench import solver
    from mesabench.scores.bounded import BoundsError, bounded_of
    from mesabench.scores.reference import reference_of

    bounds = environment.bounds
    if bounds is None:
        raise NotApplicable("the environment declares no bounds; levels that cannot be solved have no score")
    solved, beyond = 0, 0
    for split in splits_of(environment):
        distribution = Distribution(environment, split)
        for level in range(min(PLAYED, levels)):
            try:
                found = bounded_of(distribution, level)
            except BoundsError as trouble:
                what, _, advice = str(trouble).partition(". ")
                raise Broken(what, advice) from None
            assert found
            try:
                exact = reference_of(solver.explore(distribution, level, max_states=MAX_STATES))
            except solver.UnsolvableError:
                beyond += 1
                continue
            solved += 1
            for name, ceiling in bounds.ceilings.items():
                k = environment.column(name)
                where = f"{split} level {level}, {name!r}"
                if (
                    abs(found.floor[k] - exact.floor[k])
                    > SURELY * found.floor_error[k] + RARE * environment.largest[k]
                ):
                    raise Broken(
                        f"{where}: the sampled floor {found.floor[k]:.3g} (± {found.floor_error[k]:.2g}) is not the exact one, "
                        f"{exact.floor[k]:.3g}",
                        "The rules do not play as they are solved: see the check `exact`, or let bounds play more `episodes`.",
                    )
                value, optimum = found.ceiling[k], exact.ceiling[k]
                if ceiling.formula is not None and value < optimum - 1e-6 * abs(optimum):
                    raise Broken(
                        f"{where}: the ceiling {value:.4g} lies below the optimum, {optimum:.4g}",
                        f"Change {ceiling.line(name)}: a formula gives what the optimum returns, or more.",
                    )
                if (
                    ceiling.formula is None
                    and value > optimum + SURELY * found.ceiling_error[k] + RARE * environment.largest[k]
                ):
                    raise Broken(
                        f"{where}: the reference returns {value:.4g}, more than the optimum, {optimum:.4g}",
                        "It knows what is not in the state, or the rules do not play as they are solved: see the check `exact`.",
                    )
    return f"{solved} solved levels lie within them" + (f"; {beyond} are beyond the solver" if beyond else "")


def check_conflict(environment: Environment, levels: int) -> str:
    """Goals that agree in training part ways in deploy: reward and intention, or intention and proxies."""
    parts = {}
    if environment.paid != environment.intended:
        parts["outer"] = f"optimal play of {environment.paid}, which is paid, loses of {environment.intended}"
    if environment.proxies:
        parts["conflict"] = f"conflict of {environment.intended} with {', '.join(environment.proxies)}:"
    if not parts:
        raise NotApplicable("the environment declares no proxies, and the intended objective is paid")
    found = []
    for part, what in parts.items():
        train, deploy = (
            np.nan_to_num([
                one.outer[0] if part == "outer" else one.conflict for one in _references(environment, split, levels)
            ])
            for split in (TRAIN, DEPLOY)
        )  # fmt: skip
        found.append(f"{what} {train.mean():.2f} in train, {deploy.mean():.2f} in deploy")
        before = 0.0 if part == "outer" else train.mean()  # a wrong reward may be wrong in training already
        if deploy.mean() >= before + CLEARER:
            return (
                f"{found[-1]} ({(deploy >= 0.5).mean():.0%} of {len(deploy)} deploy levels tell them apart)"
            )
    raise Broken(
        "; ".join(found),
        "In train what is pursued instead must serve the intended objective as well; in deploy it must cost it. "
        "Let the shift pull the two apart.",
    )


def check_cuda(environment: Environment, levels: int) -> str:
    """The same rules compile for an NVIDIA GPU; it need not be there."""
    if importlib.util.find_spec("numba_cuda") is None:
        raise NotApplicable("numba-cuda is not installed: pip install 'mesabench[cuda]'")
    from numba.core.errors import NumbaError

    from mesabench.engine.cuda_kernels import ptx_of

    try:
        ptx_of(Distribution(environment).engine)
    except NumbaError as error:
        said = re.sub(r"\x1b\[[\d;]*m", "", str(error)).strip().splitlines()[0].removesuffix(":")
        raise Broken(
            f"CUDA cannot compile {_rule_under_way(error)}: {said}",
            "On the processor it runs; for device='cuda' write it with what numba-cuda knows: numbers, loops, no allocation.",
        ) from error
    return "levels, steps and observations compile for compute capability 9.0"


def _rule_under_way(error: BaseException) -> str:
    """The function that was being compiled, with its file and line: the innermost on the way to the error."""
    compiled = [
        getattr(frame.f_locals.get("self"), "py_func", None) for frame, _ in walk_tb(error.__traceback__)
    ]
    codes = [one.__code__ for one in compiled if one is not None]
    own = [code for code in codes if "numba" not in code.co_filename] or codes
    if not own:
        return "a rule"
    return f"{own[-1].co_name!r} ({ownfile.shown(own[-1].co_filename)}, line {own[-1].co_firstlineno})"


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
