"""The Gymnasium environment: one episode at a time."""

import dataclasses
import inspect
from typing import Any

import gymnasium
import numpy as np
from gymnasium.envs.registration import EnvSpec

from mesabench import registry
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution, distribution_of
from mesabench.engine.kernels import RUNNING
from mesabench.engine.level_text import from_text, to_text
from mesabench.pictures import render
from mesabench.pictures.text import render_ansi
from mesabench.suggestion import UnknownOption, unknown
from mesabench.whole_number import whole
from mesabench.world.environment import Environment

RENDER_MODES = ("ansi", "rgb_array")


_MAKE = gymnasium.make.__code__


class EpisodeOver(gymnasium.error.ResetNeeded, AssertionError):
    """A step of an environment that has to be reset first. Gymnasium's own vectors raise AssertionError then."""


def spaces_of(distribution: Distribution) -> tuple[gymnasium.spaces.Box, gymnasium.spaces.Discrete]:
    """Observation space, Box uint8 (planes, height, width), and action space of a distribution's environments."""
    engine = distribution.engine
    high = np.broadcast_to(engine.channel_highs[:, None, None], engine.observation_shape)
    box = gymnasium.spaces.Box(np.zeros_like(high), high.copy(), dtype=np.uint8)
    return box, gymnasium.spaces.Discrete(len(distribution.actions))


def info_arrays(batch: Batch, chosen: np.ndarray | slice = slice(None)) -> dict[str, np.ndarray]:
    """What every info carries, as arrays (n,): the same keys and types at every reset and step.

    events: int64, bit k set = the environment's k-th event happened in this step; level: int64, the level's seed, -1 for one
    that was drawn; digest: int64, the bits of the level's digest (in tables: `f"{digest & (1 << 64) - 1:016x}"`); is_success:
    bool, whether the intended objective has been paid more than nothing; return_<objective>: float64, undiscounted so far in
    this episode. chosen: the environments told of, all by default. The arrays are the caller's own.
    """
    environment = batch.distribution.environment
    names = environment.objective_names
    returns = batch.returns[chosen].T.copy()
    return {
        "events": batch.events[chosen].astype(np.int64),  # PyTorch hardly computes with unsigned integers
        "level": batch.levels[chosen].copy(),
        "digest": batch.digests[chosen].astype(np.int64),
        "is_success": returns[names.index(environment.intended)] > 0,
        **{f"return_{name}": own for name, own in zip(names, returns, strict=True)},
    }


def picture(environment: Environment, state: Any, render_mode: str) -> Any:
    """One state drawn: text for `ansi`, uint8 (height, width, 3) for `rgb_array`."""
    status = {name: int(state[name]) for name in environment.numbers} or None
    grid, names, glyphs = environment.drawing(state["grid"])
    by_cell = [one for one in environment.shown if one.by_cell]
    if render_mode == "ansi":
        rows = {one.name: one.rows(state[one.name]) for one in by_cell}
        return render_ansi(grid, names, glyphs, status=status, numbers=rows, sprites=environment.sprites)
    cells = {one.name: one.cells(state[one.name]) for one in by_cell}
    return render.render_rgb(grid, names, status=status, numbers=cells, sprites=environment.sprites)


def checked_render_mode(render_mode: str | None, window: str) -> str | None:
    """Raises ValueError for a mode that does not draw here. window: what opens one, for those who asked for `human`."""
    if render_mode == "human":
        raise ValueError(
            f"render_mode='human': only {window} opens a window. Allowed here: {', '.join(RENDER_MODES)}"
        )
    if render_mode not in (None, *RENDER_MODES):
        raise ValueError(unknown("render_mode", render_mode, RENDER_MODES))
    return render_mode


def with_time_limit(
    environment: Environment, options: dict[str, Any], max_episode_steps: int | None
) -> dict[str, Any]:
    """Options in which the time limit has our name for it, the knob `max_steps`.

    max_episode_steps: Gymnasium's name; -1 asks for no limit and gets the longest there is. Of two limits the shorter holds.
    Raises ValueError.
    """
    if max_episode_steps is None:
        return options
    knob = environment.knobs["max_steps"]
    longest = max_episode_steps == -1
    asked = int(knob.high) if longest else knob.parse("max_episode_steps", max_episode_steps)
    return options | {"max_steps": min(asked, knob.parse("max_steps", options.get("max_steps", asked)))}


def limit_asked_of_gymnasium() -> int | None:
    """The `max_episode_steps` of the call of `gymnasium.make` that is under way, if there is one.

    Gymnasium does not hand it on but wraps what it made in a `TimeLimit`, which can cut our own limit and not lengthen it.
    """
    frame = inspect.currentframe()
    while frame is not None and frame.f_code is not _MAKE:
        frame = frame.f_back
    if frame is None:
        return None
    asked, spec = frame.f_locals.get("max_episode_steps"), frame.f_locals.get("env_spec")
    return asked if asked is not None else getattr(spec, "max_episode_steps", None)


def with_limit_told(spec: EnvSpec | None, distribution: Distribution) -> EnvSpec | None:
    """Gymnasium's description of what it made, which then tells how long an episode lasts at most.

    It cannot be registered: `gymnasium.make` would wrap a `TimeLimit` that cuts longer `max_steps`, too.
    """
    if spec is None or spec.max_episode_steps is not None:
        return spec
    return dataclasses.replace(spec, max_episode_steps=distribution.own_knobs.max_steps)


class GridEnv(gymnasium.Env[np.ndarray, np.int64]):
    """One mesabench environment; made by `gymnasium.make("mesabench/CheeseCorner-v0", split="deploy", size=9)`.

    environment: its name. Options: `split`, `alpha`, `levels`, `sight` (see `mesabench.engine.distribution.Distribution`),
    `objective` (which one is paid), `render_mode` (`ansi` or `rgb_array`; `gymnasium.make` knows `human` too), the environment's
    knobs, and `max_episode_steps`, which is Gymnasium's name for the knob `max_steps`.

    Observations are uint8 (planes, height, width), with `sight="rgb"` of red, green and blue; see `info_arrays` for what infos
    carry. A seed is a whole number from 0 to 2**63 - 1. `reset(options={"level": 17})` replays the level of a seed,
    `reset(options={"text": "..."})` one that is drawn (see `mesabench.engine.level_text`). A step before the first reset or after
    an episode's end raises EpisodeOver. A generator assigned to `np_random` gives the episodes from the next reset on their seed;
    drawing from it changes nothing.
    """

    metadata: dict[str, Any] = {"render_modes": [*RENDER_MODES], "render_fps": 8}

    def __init__(
        self,
        environment: str | Environment,
        *,
        objective: str | None = None,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        **options: Any,
    ) -> None:
        found = registry.find_environment(environment)
        self.render_mode = checked_render_mode(
            render_mode, f'gymnasium.make("{found.id}", render_mode="human")'
        )
        if max_episode_steps is None:
            max_episode_steps = limit_asked_of_gymnasium()
        if "vectorization_mode" in options:
            raise UnknownOption(
                "got an unexpected keyword argument 'vectorization_mode': this describes a vector of environments, which "
                "gymnasium.make_vec(spec) makes again; one of them is gymnasium.make(envs.get_attr('spec')[0])"
            )
        self.distribution = distribution_of(found, with_time_limit(found, options, max_episode_steps))
        self.environment = found
        self.batch = Batch(self.distribution, 1, objective=objective, threads=1)
        self.observation_space, self.action_space = spaces_of(self.distribution)
        self._return_names = tuple(f"return_{name}" for name in found.objective_names)
        self._intended = found.objective_names.index(found.intended)
        self._views = self._looks()
        self._seeded = False
        self._followed: np.random.Generator | None = None

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[np.ndarray, dict[str, Any]]:
        options = options or {}
        for name in options:
            if name not in ("level", "text"):
                raise UnknownOption.named("reset option", name, ("level", "text"))
        if len(options) > 1:
            raise ValueError("reset options level and text exclude each other")
        level = whole(options["level"], name="reset option level") if "level" in options else -1
        drawn = from_text(self.distribution, options["text"]) if "text" in options else None
        seed = None if seed is None else whole(seed, name="seed")
        super().reset(seed=seed)
        if seed is not None:
            self.batch.seed(0, seed)
        elif self.np_random is not self._followed:  # never seeded, or somebody assigned another generator
            self.batch.seed(0, int(self.np_random.integers(1 << 63)))
        self._followed, self._seeded = self.np_random, True
        if drawn:
            self.batch.reset(starts=drawn[0])
        else:
            self.batch.reset(levels=np.array([level], np.int64))
        return self._views[1].copy(), self._info()

    def step(self, action: Any) -> tuple[np.ndarray, float, bool, bool, dict[str, Any]]:
        batch, (status, observation, *_) = self.batch, self._views
        if status.item(0):  # not RUNNING, which is 0
            raise EpisodeOver(
                "the episode is over: call reset()"
                if self._seeded
                else "call reset() before the first step()"
            )
        batch.step_one(action)
        _, rewards, terminated, truncated, _ = batch.outcome
        return observation.copy(), rewards.item(0), terminated.item(0), truncated.item(0), self._info()

    def render(self) -> Any:
        """The current state: text for `ansi`, uint8 (height, width, 3) for `rgb_array`."""
        if self.render_mode is None:
            gymnasium.logger.warn(
                f'render() needs a render mode: gymnasium.make("{self.environment.id}", render_mode="rgb_array")'
            )
            return None
        if not self._seeded:
            raise gymnasium.error.ResetNeeded("call reset() before the first render()")
        return picture(self.environment, self.batch.states[0], self.render_mode)

    @property
    def engine(self) -> Any:
        return self.distribution.engine

    @property
    def running(self) -> bool:
        """Whether the current episode goes on."""
        return bool(self.batch.status[0] == RUNNING)

    @property
    def spec(self) -> EnvSpec | None:
        """What `gymnasium.make` was told, with the time limit that holds; None for what it did not make."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = with_limit_told(spec, self.distribution)

    _spec: EnvSpec | None = None

    def text(self) -> str:
        """The current state as a level text, which `reset(options={"text": ...})` takes."""
        return to_text(self.environment, self.batch.states[0])

    def get_keys_to_action(self) -> dict[tuple[str, ...], int]:
        """Keys for `gymnasium.utils.play`: w, a, s, d and the space bar for moves, of others the name if it is one character.

        Else their number, letters from 10 on; letters that mean something else in `mesabench play` are left out.
        """
        moves = {"up": "w", "left": "a", "down": "s", "right": "d", "stay": " "}
        others = "0123456789bcefghijklmpuvxyz,.;-+<>()"
        names = self.distribution.actions
        keys = {name: name for name in names if len(name) == 1}
        for k, name in enumerate(names):
            if name not in keys:
                wanted = [moves.get(name, others[k]), *others]
                keys[name] = next(key for key in wanted if key not in keys.values())
        return {(keys[name],): k for k, name in enumerate(names)}

    def look_at(self, batch: Batch, i: int) -> "GridEnv":
        """Show what stands in row i of another batch of the same distribution: a copy, to look at and not to step."""
        for name in ("states", "episodes", "rewards", "events"):
            getattr(self.batch, name)[0] = getattr(batch, name)[i]
        self._seeded = bool(batch.states[i]["_max_steps"])  # which a reset sets
        return self

    def _info(self) -> dict[str, Any]:
        """As `info_arrays`, in Python's own numbers."""
        _, _, events, level, digest, returns = self._views
        paid = returns.tolist()
        info = {
            "events": events.item(0),
            "level": level.item(0),
            "digest": digest.item(0),
            "is_success": paid[self._intended] > 0,
        }
        info.update(zip(self._return_names, paid, strict=True))
        return info

    def _looks(self) -> tuple[np.ndarray, ...]:
        """Views of what every step reads, made once: a step takes some microseconds, and they would be a good part of them."""
        batch = self.batch
        return (
            batch.status, batch.observations[0], batch.events, batch.levels, batch.digests.view(np.int64), batch.returns[0]
        )  # fmt: skip

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_views": ()}  # a copy of a view is a view of nothing

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._views = self._looks()
