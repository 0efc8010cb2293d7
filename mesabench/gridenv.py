"""The Gymnasium environment: one episode at a time."""

from typing import Any

import gymnasium
import numpy as np

from mesabench import registry, render
from mesabench.batch import Batch
from mesabench.distribution import OPTIONS, Distribution
from mesabench.engine import RUNNING, TERMINATED, TRUNCATED, Array
from mesabench.environment import Environment
from mesabench.level import from_text, to_text
from mesabench.suggestion import unknown


def distribution_of(environment: str | Environment, options: dict[str, Any]) -> Distribution:
    """The distribution that keyword options (split, alpha, levels and knobs) describe. Raises ValueError, LookupError."""
    found = registry.find_environment(environment)
    for name in options:
        if "." in name:
            found.split_and_knob(name)
        elif name not in OPTIONS and name not in found.knobs:
            raise ValueError(
                unknown(f"option of {found.name}", name, {*OPTIONS, *found.knobs, "objective", "render_mode"})
            )
    knobs = {name: value for name, value in options.items() if name not in OPTIONS}
    return Distribution(found, **{name: options[name] for name in OPTIONS if name in options}, knobs=knobs)


def spaces_of(distribution: Distribution) -> tuple[gymnasium.spaces.Box, gymnasium.spaces.Discrete]:
    """Observation space, Box uint8 (planes, height, width), and action space of a distribution's environments."""
    engine = distribution.engine
    high = np.broadcast_to(engine.channel_highs[:, None, None], engine.observation_shape)
    box = gymnasium.spaces.Box(np.zeros_like(high), high.copy(), dtype=np.uint8)
    return box, gymnasium.spaces.Discrete(len(distribution.environment.actions))


def info_arrays(batch: Batch, chosen: Array | slice = slice(None)) -> dict[str, Array]:
    """What every info carries, as arrays (n,): the same keys and types at every reset and step.

    events: uint16, bit k set = the environment's k-th event happened in this step; level: int64, the level's seed; digest:
    uint64, of the level's content; is_success: bool, whether the intended objective has been paid more than nothing;
    return_<objective>: float64, undiscounted so far in this episode. chosen: the environments told of, all by default.
    """
    environment = batch.distribution.environment
    names = environment.objective_names
    returns = batch.returns[chosen].T.copy()
    return {
        "events": batch.events[chosen],
        "level": batch.levels[chosen].copy(),
        "digest": batch.digests[chosen].copy(),
        "is_success": returns[names.index(environment.intended)] > 0,
        **{f"return_{name}": own for name, own in zip(names, returns, strict=True)},
    }


class GridEnv(gymnasium.Env[Array, np.int64]):
    """One mesabench environment; made by `gymnasium.make("mesabench/CheeseCorner-v0", split="deploy", size=9)`.

    environment: its name. Options: `split`, `alpha`, `levels` (see `mesabench.distribution.Distribution`), `objective` (which
    one is paid) and the environment's knobs.

    Observations are uint8 (planes, height, width); see `info_arrays` for what infos carry. `reset(options={"level": 17})` replays
    the level of a seed, `reset(options={"text": "..."})` one that is drawn (see `mesabench.level`).
    """

    metadata: dict[str, Any] = {"render_modes": ["ansi", "rgb_array"], "render_fps": 8}

    def __init__(
        self,
        environment: str | Environment,
        *,
        objective: str | None = None,
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        if render_mode not in (None, *self.metadata["render_modes"]):
            raise ValueError(unknown("render_mode", render_mode, [*self.metadata["render_modes"], "human"]))
        self.distribution = distribution_of(environment, options)
        self.environment = self.distribution.environment
        self.batch = Batch(self.distribution, 1, objective=objective, threads=1)
        self.render_mode = render_mode
        self.observation_space, self.action_space = spaces_of(self.distribution)
        self._seeded = False

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Array, dict[str, Any]]:
        options = options or {}
        for name in options:
            if name not in ("level", "text"):
                raise ValueError(unknown("reset option", name, ("level", "text")))
        if len(options) > 1:
            raise ValueError("reset options level and text exclude each other")
        level = options.get("level", -1)
        if "level" in options and not (isinstance(level, int | np.integer) and 0 <= level < 1 << 63):
            raise ValueError(
                f"reset option level={level!r}: must be a level's seed, an integer from 0 to 2**63 - 1"
            )
        drawn = from_text(self.distribution, options["text"]) if "text" in options else None
        super().reset(seed=seed)
        if seed is not None:
            self.batch.seed(0, seed)
        elif not self._seeded:
            self.batch.seed(0, int(self.np_random.integers(1 << 63)))
        self._seeded = True
        self.batch.reset(levels=np.array([level], np.int64))
        if drawn:
            stream = self.batch.states["rng"].copy()
            self.batch.states, self.batch.digests[0] = drawn
            self.batch.states["rng"] = stream
            self.batch.levels[0] = -1
            self.engine.observe(self.batch.states_raw, self.batch.observations.reshape(-1), 1)
        return self.batch.observations[0].copy(), self._info()

    def step(self, action: Any) -> tuple[Array, float, bool, bool, dict[str, Any]]:
        if not self._seeded:
            raise gymnasium.error.ResetNeeded("call reset() before the first step()")
        batch = self.batch
        batch.step(np.array([action]))
        status = batch.status[0]
        return (
            batch.observations[0].copy(),
            float(batch.rewards[0]),
            bool(status == TERMINATED),
            bool(status == TRUNCATED),
            self._info(),
        )

    def render(self) -> Any:
        """The current state: text for `ansi`, uint8 (height, width, 3) for `rgb_array`."""
        state, environment = self.batch.states[0], self.environment
        status = {one.name: int(state[one.name]) for one in environment.fields if one.shown} or None
        drawn = environment.drawn
        if self.render_mode == "ansi":
            return render.render_ansi(state["grid"], drawn, environment.glyph_of, status=status)
        if self.render_mode == "rgb_array":
            return render.render_rgb(state["grid"], drawn, status=status)
        gymnasium.logger.warn(
            f'render() needs a render mode: gymnasium.make("{environment.id}", render_mode="rgb_array")'
        )
        return None

    @property
    def engine(self) -> Any:
        return self.distribution.engine

    @property
    def running(self) -> bool:
        """Whether the current episode goes on."""
        return bool(self.batch.status[0] == RUNNING)

    def text(self) -> str:
        """The current state as a level text, which `reset(options={"text": ...})` takes."""
        return to_text(self.environment, self.batch.states[0])

    def get_keys_to_action(self) -> dict[tuple[str, ...], int]:
        """Keys for `gymnasium.utils.play`."""
        keys = {"up": "w", "left": "a", "down": "s", "right": "d", "stay": " "}
        return {(keys.get(name, str(k)),): k for k, name in enumerate(self.environment.actions)}

    def _info(self) -> dict[str, Any]:
        batch = self.batch
        returns = batch.returns[0].tolist()
        names = self.environment.objective_names
        return {
            "events": int(batch.events[0]),
            "level": int(batch.levels[0]),
            "digest": batch.digests[0],  # np.uint64: Gymnasium's own vectors put an int into int64
            "is_success": returns[names.index(self.environment.intended)] > 0,
            **{f"return_{name}": value for name, value in zip(names, returns, strict=True)},
        }

    def __getstate__(self) -> dict[str, Any]:
        """Everything by value; the engine is found again by the environment's name."""
        batch = {
            k: getattr(self.batch, k)
            for k in ("states", "seeds", "episodes", "status", "levels", "layouts", "digests", "returns")
        }
        arrays = {
            name: np.frombuffer(a.tobytes(), np.uint8) if name == "states" else a for name, a in batch.items()
        }
        return {
            "make": (self.environment.name, self.batch.objective, self.render_mode, self.distribution.options()),
            "arrays": arrays, "np_random": self._np_random, "np_random_seed": self._np_random_seed, "seeded": self._seeded,
            "spec": self.spec,
        }  # fmt: skip

    def __setstate__(self, state: dict[str, Any]) -> None:
        name, objective, render_mode, options = state["make"]
        GridEnv.__init__(self, name, objective=objective, render_mode=render_mode, **options)
        for key, array in state["arrays"].items():
            setattr(self.batch, key, array.copy().view(self.engine.dtype) if key == "states" else array)
        self._np_random, self._np_random_seed = state["np_random"], state["np_random_seed"]
        self._seeded, self.spec = state["seeded"], state["spec"]
