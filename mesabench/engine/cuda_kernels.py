"""The same dynamics on an NVIDIA GPU: one thread for each environment, its records in the device's memory.

Nothing of a world is written twice: the functions of `mesabench.engine.dynamics` are compiled again, for the device. Only
who asks for a device imports this module, and with it the extra `mesabench[cuda]`.
"""

import importlib.metadata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from types import SimpleNamespace
from typing import Any, NamedTuple

import numba
import numpy as np
from numba.core.errors import NumbaPerformanceWarning

try:
    numba_cuda: str = importlib.metadata.version("numba-cuda")
    from numba import cuda as cuda
    from numba.cuda import dispatcher
    from numba.cuda.cudadrv import nvvm
except ImportError as error:
    raise ImportError(
        f"device='cuda' needs numba-cuda, and there is none beside numba {numba.__version__} ({error}). "
        "Try: pip install 'mesabench[cuda]'"
    ) from error

from mesabench.engine.dynamics import OWN_LEVEL, RUNNING, TERMINATED, TRUNCATED
from mesabench.engine.kernels import Engine
from mesabench.engine.state import episode_dtype, knobs_dtype, terms_dtype

BLOCK = 128
"""Threads of a block."""
WARP = 32
"""Threads that run in step."""
SPREAD = 8
"""At most so many threads for each environment that begins an episode; one of them does it."""
HOPPER = (9, 0)
"""The compute capability that kernels are compiled for where there is no device: that of the H100 and H200."""

NO_LEVEL, STRANGE, NO_ACTION, OVER, BEGINNING = range(5)
"""Of a batch's `trouble`: the first environment with each kind of it, the number of environments if there is none; and how many
environments begin an episode."""

warnings.filterwarnings("ignore", "Grid size", NumbaPerformanceWarning)  # a small batch is no mistake


class DeviceError(ValueError):
    """No device to run on."""


class Kernel(NamedTuple):
    """A kernel in Python, and the types that it is compiled for."""

    function: Any
    types: tuple[Any, ...]


class Kernels(NamedTuple):
    """What a batch calls, in this order: running environments step, those listed begin an episode, all are observed."""

    step: Any
    begin: Any
    observe: Any


def kernels_in_python(engine: Engine) -> Kernels:
    """The kernels of an engine, not yet compiled."""
    environment, dynamics = engine.environment, engine.dynamics
    play, begin_episode, strange = dynamics.play, dynamics.begin, dynamics.strange
    write, share = engine.observation.write, engine.observation.share
    n_actions = len(engine.actions)
    intended = environment.objective_names.index(environment.intended)

    def step(
        states, episodes, terms, actions, autoreset, rewards, terminated, truncated, happened, successes, beginning, trouble
    ):  # fmt: skip
        i = cuda.grid(1)
        if i >= states.size:
            return
        episode = episodes[i]
        rewards[i] = 0.0
        happened[i] = 0
        if episode.status == RUNNING:
            action = actions[i]
            if action < 0 or action >= n_actions:
                cuda.atomic.min(trouble, NO_ACTION, i)
            else:
                reward, came = play(states[i], action, episode, terms[0])
                rewards[i] = reward
                if strange(came):
                    episode.status = RUNNING
                    cuda.atomic.min(trouble, STRANGE, i)
                else:
                    happened[i] = came
        elif autoreset:
            beginning[cuda.atomic.add(trouble, BEGINNING, 1)] = i  # in any order: each has chance of its own
        else:
            cuda.atomic.min(trouble, OVER, i)
        terminated[i] = episode.status == TERMINATED
        truncated[i] = episode.status == TRUNCATED
        successes[i] = episode.returns[intended] > 0.0

    def begin(
        states, words, episodes, terms, knobs, levels, rewards, terminated, truncated, happened, successes, beginning, trouble
    ):  # fmt: skip
        # threads of a warp wait for one another wherever their ways part: where few begin, they are spread over more warps
        number, spread = trouble[BEGINNING], 1
        while spread < SPREAD and number * spread * 2 <= states.size:
            spread *= 2
        k = cuda.grid(1) // spread
        if k >= number or cuda.grid(1) % spread:
            return
        i = np.int64(beginning[k])
        level = levels[i] if levels.size > 0 else np.int64(OWN_LEVEL)
        episode = episodes[i]
        if not begin_episode(states[i], words, i, episode, level, terms[0], knobs):
            cuda.atomic.min(trouble, NO_LEVEL, i)
        rewards[i] = 0.0
        happened[i] = 0
        terminated[i] = False
        truncated[i] = episode.status == TRUNCATED
        successes[i] = False

    def observe(raw, seen, n, tiles):
        i = cuda.grid(1)
        if i < n:
            write(raw, i, seen, i, tiles)

    def observe_together(raw, seen, n, tiles):
        """The threads of a warp write one observation, each the bytes beside those of its neighbours."""
        i = cuda.grid(1) // WARP
        if i < n:
            share(raw, i, seen, i, cuda.grid(1) % WARP, WARP)

    record, of = numba.from_dtype, _array
    states, episodes = of(record(engine.dtype)), of(record(episode_dtype(environment)))
    terms, knobs = of(record(terms_dtype(environment))), of(record(knobs_dtype(environment)))
    float64, int64, uint8, flags = of(numba.float64), of(numba.int64), of(numba.uint8), of(numba.boolean)
    written = (float64, flags, flags, int64, flags, of(numba.int32), int64)
    return Kernels(
        Kernel(step, (states, episodes, terms, int64, numba.boolean, *written)),
        Kernel(begin, (states, of(numba.uint64), episodes, terms, knobs, int64, *written)),
        Kernel(observe if share is None else observe_together, (uint8, uint8, numba.int64, uint8)),
    )


def _array(kind: Any) -> Any:
    return numba.types.Array(kind, 1, "C")


@cache
def kernels_of(engine: Engine) -> Kernels:
    """The kernels of an engine, compiled for the device; once in a process. Raises DeviceError."""
    if not cuda.is_available():
        raise DeviceError(
            "device='cuda' needs an NVIDIA GPU and its driver. Found: numba "
            f"{numba.__version__} with numba-cuda {numba_cuda}, and {_no_device()}. Leave device out to run on the processor"
        )
    with _rounding_as_the_processor_does():
        return Kernels(*(cuda.jit(numba.void(*one.types))(one.function) for one in kernels_in_python(engine)))


def ptx_of(engine: Engine, capability: tuple[int, int] = HOPPER) -> Kernels:
    """The kernels as PTX, the text that a driver makes machine code of; without any device. Raises what Numba raises."""
    with _rounding_as_the_processor_does(), _in_place_of_a_device(capability):
        return Kernels(
            *(
                cuda.compile_ptx(one.function, numba.void(*one.types), cc=capability)[0]
                for one in kernels_in_python(engine)
            )
        )


def card() -> str:
    """The name of the current device."""
    name = cuda.get_current_device().name
    return name.decode() if isinstance(name, bytes) else str(name)


def _no_device() -> str:
    try:
        return f"{len(cuda.gpus)} devices"
    except Exception as error:  # whatever a driver that does not work may raise
        return " ".join(str(error).split())


_compiling = Lock()


@contextmanager
def _rounding_as_the_processor_does() -> Iterator[None]:
    """Compile a * b + c with two roundings, as the processor does: numba-cuda has no option for it, NVVM has."""
    if numba.config.ENABLE_CUDASIM:
        yield
        return
    with _compiling:
        compile_ir = nvvm.compile_ir
        nvvm.compile_ir = lambda code, **options: compile_ir(code, **{"fma": False} | options)
        try:
            yield
        finally:
            nvvm.compile_ir = compile_ir


@contextmanager
def _in_place_of_a_device(capability: tuple[int, int]) -> Iterator[None]:
    """Functions called by a kernel ask the current device what it is capable of; it need not be there."""
    asked = dispatcher.get_current_device
    dispatcher.get_current_device = lambda: SimpleNamespace(compute_capability=capability)
    try:
        yield
    finally:
        dispatcher.get_current_device = asked
