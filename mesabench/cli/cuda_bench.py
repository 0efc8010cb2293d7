"""How fast environments run on an NVIDIA GPU: `mesabench bench --device cuda`.

As on the processor, what is compared is measured in turns and the median counts. Each measurement waits for the
device.
"""

import importlib.metadata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numba
import numpy as np

from mesabench.cli.bench import TURNS, Case, cases_of, time_of
from mesabench.engine.distribution import Distribution
from mesabench.tables import Table

BATCH_SIZES = (16_384, 1_048_576)


@dataclass(frozen=True)
class DeviceRate:
    """One batch size of one case.

    steps, blind: steps per second of uniform random play with and without observations, new episodes included; levels: levels
    generated per second; bytes, copied: bytes of observations per second that steps write, and that a plain copy of the same
    observations within the device's memory writes.
    """

    case: str
    batch: int
    steps: float
    blind: float
    levels: float
    bytes: float
    copied: float


@dataclass(frozen=True)
class DeviceBench:
    """All that was measured. card: the device's name."""

    card: str
    machine: str
    rates: tuple[DeviceRate, ...]

    def table(self) -> Table:
        heads = (
            "environment", "batch", "M steps/s", "without observations", "M levels/s", "GB/s of observations",
            "GB/s of a plain copy",
        )  # fmt: skip
        rows = [
            (one.case, f"{one.batch:,}", f"{one.steps / 1e6:.4g}", f"{one.blind / 1e6:.4g}",
             f"{one.levels / 1e6:.4g}", f"{one.bytes / 1e9:.4g}", f"{one.copied / 1e9:.4g}")
            for one in self.rates
        ]  # fmt: skip
        return Table(f"Throughput on one {self.card}; {self.machine}", heads, rows)


def bench(
    environments: Sequence[str] = (),
    *,
    batch_sizes: Sequence[int] = BATCH_SIZES,
    size: int | None = None,
    seconds: float = 1.0,
    progress: Callable[[str], object] = lambda doing: None,
) -> DeviceBench:
    """Measure environments (default: all of them) on the current device, `seconds` each batch size.

    Raises ImportError and DeviceError where there is no CUDA, BatchTooLargeError, UnknownNameError, ValueError.
    """
    from mesabench.engine import cuda_kernels

    rates = []
    cases = cases_of(environments, size)
    for case in cases:
        _ = case.distribution
    for case in cases:
        for n in batch_sizes:
            progress(f"{case}: {n:,} environments")
            rates.append(rate(case, n, seconds))
    versions = f"Numba {numba.__version__}, numba-cuda {importlib.metadata.version('numba-cuda')}"
    return DeviceBench(cuda_kernels.card(), versions, tuple(rates))


def rate(case: Case, n: int, seconds: float) -> DeviceRate:
    """Measure one batch; see `DeviceRate`."""
    size, steps, copied = _observed(case, n, seconds)
    blind = running(case.distribution, n, observe=False)
    without, levels = _medians(blind, (stepping(blind), blind.reset), seconds)
    return DeviceRate(str(case), n, n / steps, n / without, n / levels, size * n / steps, size * n / copied)


def _observed(case: Case, n: int, seconds: float) -> tuple[int, float, float]:
    """Bytes of one observation; seconds of a step and of a copy of all observations. Its memory is free again then."""
    batch = running(case.distribution, n, observe=True)
    twin = batch.twin_of_observations()
    tasks = stepping(batch), lambda: batch.observations.copy_to_device(twin)
    steps, copied = _medians(batch, tasks, seconds)
    return int(np.prod(batch.engine.observation_shape)), steps, copied


def _medians(batch: Any, tasks: Sequence[Callable[[], object]], seconds: float) -> list[float]:
    """Seconds that each task takes, measured in turns."""

    def timed(task: Callable[[], object], calls: int) -> float:
        def all_done() -> None:
            for _ in range(calls):
                task()
            batch.wait()

        return time_of(all_done, 1)

    calls = []
    for task in tasks:
        timed(task, 2)
        calls.append(max(1, round(seconds / 2 / TURNS / len(tasks) / timed(task, 2) * 2)))
    times = [[timed(task, k) / k for task, k in zip(tasks, calls, strict=True)] for _ in range(TURNS)]
    return [float(one) for one in np.median(times, axis=0)]


def stepping(batch: Any) -> Callable[[], None]:
    """Random steps, from actions that are on the device already."""
    rng = np.random.default_rng(0)
    names = batch.distribution.actions
    actions = [batch.upload(rng.integers(0, len(names), batch.n)) for _ in range(16)]

    def turns() -> Iterator[Any]:
        while True:
            yield from actions

    turn = turns()
    return lambda: batch.step(next(turn), autoreset=True)


def running(distribution: Distribution, n: int, *, observe: bool) -> Any:
    """A batch in the middle of its episodes, as in `mesabench.cli.bench.running`."""
    from mesabench.engine.cuda import CudaBatch

    batch: Any = CudaBatch(distribution, n, observe=observe)
    batch.seed_all(np.arange(n))
    batch.reset()
    states = batch.states.copy_to_host()
    states["_clock"] = np.random.default_rng(1).integers(0, states["_max_steps"])
    batch.states.copy_to_device(states)
    return batch
