"""Checks of what others ask of an environment: Gymnasium, Stable-Baselines3, pictures, views, CUDA."""

import importlib.util
import re
import warnings
from traceback import walk_tb

import gymnasium
import numpy as np

from mesabench import ownfile
from mesabench.adapters.env import GridEnv
from mesabench.engine.distribution import Distribution
from mesabench.pictures.sprites import sprite
from mesabench.testing.levels import levels_of, splits_of
from mesabench.testing.report import Broken, NotApplicable
from mesabench.world.environment import Environment

WINDOW = 5
"""Rows and columns of the window through which levels are looked at."""


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
        twin = pictures.setdefault(sprite(name, environment.sprites).tobytes(), name)
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
            batch.step(rng.integers(0, len(batch.distribution.actions), number), autoreset=True)
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
