"""Many environments side by side on an NVIDIA GPU: what `mesabench.engine.batch` is on the processor."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from numba.core import config
from numba.core.errors import TypingError

from mesabench.engine.batch import Batch, Outcome, strange_events, terms_of
from mesabench.engine.cuda_kernels import (
    BEGINNING,
    BLOCK,
    NO_ACTION,
    NO_LEVEL,
    OVER,
    STRANGE,
    WARP,
    cuda,
    kernels_of,
)
from mesabench.engine.distribution import Distribution
from mesabench.engine.dlpack import CUDA, Lending
from mesabench.engine.dynamics import AS_IT_STANDS, TRUNCATED
from mesabench.engine.state import episode_dtype
from mesabench.whole_number import whole

MARGIN = 0.95
"""The share of the device's free memory that a batch may take."""


_ARRAY: Any = getattr(cuda.cudadrv.devicearray, "DeviceNDArray", object)  # which the simulator does not have


class LentArray(Lending, _ARRAY):
    """An array on the device that knows DLPack."""

    @property
    def place(self) -> tuple[int, int]:
        return CUDA, cuda.current_context().device.id

    def settle(self) -> None:
        cuda.synchronize()


def lent(array: Any) -> Any:
    """The same memory as a `LentArray`; arrays of the simulator are NumPy's, which know DLPack already."""
    if config.ENABLE_CUDASIM:
        return array
    return LentArray(array.shape, array.strides, array.dtype, gpu_data=array.gpu_data)


class BatchTooLargeError(MemoryError, ValueError):
    """More environments than the device has memory for."""


class CudaBatch(Batch):
    """A `Batch` on the current CUDA device: same seeds, same trajectories, bit for bit.

    States, episodes and what a step writes stay on the device; every step writes over them. Events are int64.

    Raises ImportError, DeviceError, and BatchTooLargeError, which names the largest batch for which the device has memory.
    """

    states: Any  # on the device, where `Batch` has arrays of NumPy
    episodes: Any
    terms: Any

    def __init__(
        self, distribution: Distribution, n: int, *, objective: str | None = None, observe: bool = True
    ) -> None:
        environment, engine = distribution.environment, distribution.engine
        self.distribution, self.engine, self.n = distribution, engine, whole(n, 1, name="n")
        self.objective = objective or environment.paid
        self.paid, self.weights = environment.column(self.objective), environment.weights
        self.observed = self.n if observe else 0
        try:
            self.kernels = kernels_of(engine)
        except TypingError as error:
            self._refuse_header(error)
            raise
        self._check_memory()
        n, empty = self.n, cuda.device_array
        episodes = np.zeros(n, episode_dtype(environment))
        episodes["status"] = TRUNCATED  # nothing runs before it is reset
        self.states, self.episodes = cuda.to_device(engine.states(n)), cuda.to_device(episodes)
        self.terms = cuda.to_device(terms_of(distribution, self.objective))
        self.knobs = cuda.to_device(np.array(distribution.knob_records))
        self._words, self._raw = self.states.view(np.uint64), self.states.view(np.uint8)
        self._seen = empty(max(1, self.observed * int(np.prod(engine.observation_shape))), np.uint8)
        observations = self._seen.reshape(n, *engine.observation_shape) if observe else self._seen
        self.outcome = Outcome(
            observations, empty(n, np.float64), empty(n, np.bool_), empty(n, np.bool_), empty(n, np.int64)
        )
        self.successes = empty(n, np.bool_)
        self._beginning = empty(n, np.int32)
        self._fine = np.array([n, n, n, n, 0], np.int64)
        self._fine_there, self._trouble = cuda.to_device(self._fine), cuda.to_device(self._fine)
        self._stream = cuda.legacy_default_stream()
        self._told = [(cuda.event(), cuda.pinned_array(len(self._fine), np.int64)) for _ in range(2)]
        self._unheard: list[Any] = []
        self._no_levels = empty(0, np.int64)
        tables = engine.observation.painter.tables
        self._tiles = cuda.to_device(tables) if tables.size else empty(0, np.uint8)
        self._seeds: dict[int, int] = {}

    def _check_memory(self) -> None:
        per_environment = self.engine.dtype.itemsize + episode_dtype(self.engine.environment).itemsize + 23
        per_environment += int(np.prod(self.engine.observation_shape)) if self.observed else 0
        free = cuda.current_context().get_memory_info().free * MARGIN
        if self.n * per_environment > free:
            raise BatchTooLargeError(
                f"{self.n:,} environments take {self.n * per_environment / 1e9:.1f} GB, and the device has "
                f"{free / 1e9:.1f} GB for them: at most {int(free) // per_environment:,} fit"
            )

    def renew(self) -> None:
        """Nothing: arrays on the device are written over."""

    alternate = renew

    # views of the columns of `episodes`, on the device

    @property
    def status(self) -> Any:
        return self._column("status", np.uint8)

    @property
    def levels(self) -> Any:
        return self._column("level", np.int64)

    @property
    def layouts(self) -> Any:
        return self._column("layout", np.int64)

    @property
    def digests(self) -> Any:
        return self._column("digest", np.int64)

    @property
    def returns(self) -> Any:
        return self._column("returns", np.float64)

    def _column(self, name: str, dtype: Any) -> Any:
        kind, offset = episode_dtype(self.engine.environment).fields[name][:2]  # type: ignore[index]
        size = np.dtype(dtype).itemsize
        rows = self.episodes.view(dtype).reshape(self.n, -1)
        at, behind = offset // size, (offset + kind.itemsize) // size
        return rows[:, at:behind] if kind.shape else rows[:, at]

    def seed(self, i: int, seed: int) -> None:
        """Start environment i's stream of episodes anew, from its next episode on. seed: from 0 to 2**63 - 1."""
        self._seeds[i] = seed

    def seed_all(self, seeds: np.ndarray) -> None:
        """The same for all of them. seeds: int64 (n,)."""
        episodes = self.episodes.copy_to_host()
        episodes["seed"], episodes["number"] = seeds, 0
        self.episodes.copy_to_device(episodes)
        self._seeds.clear()

    def upload(self, array: np.ndarray) -> Any:
        """A copy on the device."""
        return cuda.to_device(np.ascontiguousarray(array))

    def download(self, array: Any) -> np.ndarray:
        """A copy in the computer's memory of an array on the device, a tensor for example."""
        return cuda.as_cuda_array(array).copy_to_host()

    def on_host(self) -> Any:
        """Copies of the records, as `Batch` has them."""
        names = "states", "episodes", "rewards", "events"
        return SimpleNamespace(**{name: getattr(self, name).copy_to_host() for name in names})

    def twin_of_observations(self) -> Any:
        """Another array on the device, with the same content."""
        twin = cuda.device_array(self.observations.shape, np.uint8)
        twin.copy_to_device(self.observations)
        return twin

    def _sow(self) -> None:
        """Write the seeds given since the last call to the device."""
        if self._seeds:
            episodes = self.episodes.copy_to_host()
            rows = np.fromiter(self._seeds.keys(), np.int64)
            episodes["seed"][rows] = np.fromiter(self._seeds.values(), np.uint64)
            episodes["number"][rows] = 0
            self.episodes.copy_to_device(episodes)
            self._seeds.clear()

    def reset(self, chosen: Any = None, levels: Any = None, starts: Any = None) -> None:
        """`Batch.reset`; what is given lies in the computer's memory."""
        self.wait()
        chosen = np.ones(self.n, np.bool_) if chosen is None else np.asarray(chosen, np.bool_)
        rows = np.flatnonzero(chosen)
        if starts is not None:
            states = self.states.copy_to_host()
            states[rows] = self.checked_starts(starts, levels, chosen)[rows]
            self.states.copy_to_device(states)
            levels = np.full(self.n, AS_IT_STANDS, np.int64)
        self._sow()
        beginning = np.zeros(self.n, np.int32)
        beginning[: len(rows)] = rows
        self._beginning.copy_to_device(beginning)
        fine = self._fine.copy()
        fine[BEGINNING] = len(rows)
        self._trouble.copy_to_device(fine)
        self._begin(self._no_levels if levels is None else cuda.to_device(np.array(levels, np.int64)))
        self._finish()
        self.wait()

    def step(self, actions: Any, *, autoreset: bool = False) -> None:
        """`Batch.step`; actions: int64 (n,), on the device or not.

        The device is not waited for, so what goes wrong in one step is raised by the next, or by `wait`; the other environments
        have stepped.
        """
        self._sow()
        self._trouble.copy_to_device(self._fine_there, self._stream)
        self._launch(
            self.kernels.step, self.states, self.episodes, self.terms, self._actions(actions), bool(autoreset), *self._written
        )  # fmt: skip
        if autoreset:
            self._begin(self._no_levels)
        self._finish()
        if len(self._unheard) == len(self._told):
            self._hear()

    def wait(self) -> None:
        """Until the device has done what it was told to. Raises what went wrong."""
        cuda.synchronize()
        while self._unheard:
            self._hear()

    @property
    def _written(self) -> tuple[Any, ...]:
        return (*self.outcome[1:], self.successes, self._beginning, self._trouble)

    def _begin(self, levels: Any) -> None:
        self._launch(
            self.kernels.begin, self.states, self._words, self.episodes, self.terms, self.knobs, levels, *self._written
        )  # fmt: skip

    def _launch(self, kernel: Any, *arguments: Any, each: int = 1) -> None:
        """Run a kernel with so many threads for each environment."""
        threads = min(BLOCK, self.n * each)
        kernel[-(-self.n * each // threads), threads](*arguments)

    def _observe(self) -> None:
        each = 1 if self.engine.observation.share is None else WARP
        self._launch(self.kernels.observe, self._raw, self._seen, self.n, self._tiles, each=each)

    def _complete(self) -> bool:
        """Draw the tiles that the device lacks; whether there were any."""
        painter = self.engine.observation.painter
        if not painter.side or not self._tiles[:1].copy_to_host()[0]:
            return False
        np.maximum(painter.tables, self._tiles.copy_to_host(), out=painter.tables)  # what is wanted, or drawn
        painter.complete()
        self._tiles.copy_to_device(painter.tables)
        return True

    def _finish(self) -> None:
        """Write observations, and ask whether anything went wrong."""
        if self.observed:
            self._observe()
            if self._complete():
                self._observe()
        event, told = self._told[0]
        self._trouble.copy_to_host(told, self._stream)
        event.record(self._stream)
        self._unheard.append(self._told[0])
        self._told.reverse()

    def _hear(self) -> None:
        """Wait for the oldest answer, and raise what it says."""
        event, trouble = self._unheard.pop(0)
        event.synchronize()
        self.first_over = int(trouble[OVER])
        if trouble[STRANGE] < self.n:
            raise strange_events(self.distribution.environment)
        if trouble[NO_ACTION] < self.n:
            names = self.distribution.actions
            raise ValueError(
                f"environment {trouble[NO_ACTION]}: its action is not one of 0..{len(names) - 1} ({', '.join(names)})"
            )
        if trouble[NO_LEVEL] < self.n:
            self._explain(int(trouble[NO_LEVEL]))

    def _actions(self, actions: Any) -> Any:
        given = f"{getattr(actions, 'dtype', type(actions).__name__)} of shape {tuple(np.shape(actions))}"
        if hasattr(actions, "__cuda_array_interface__"):
            own = cuda.as_cuda_array(actions)
            if own.shape == (self.n,) and own.dtype == np.int64 and own.is_c_contiguous():
                return own
        elif np.shape(actions) == (self.n,) and np.asarray(actions).dtype.kind in "iu":
            return cuda.to_device(np.array(actions, np.int64))
        raise ValueError(
            f"actions must be {self.n} integers, and on the device contiguous int64; got {given}"
        )
