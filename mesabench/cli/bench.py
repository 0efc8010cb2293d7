"""How fast environments run: `mesabench bench`.

Machines are shared and clocks wander, so what is compared is measured in turns, several times over, and the median counts:
steps with and without observations, new levels, and a plain copy of the same observations, which no environment can beat.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import gymnasium
import numba
import numpy as np

import mesabench
from mesabench import registry
from mesabench.adapters.env import GridEnv
from mesabench.cli import adapter
from mesabench.cli.adapter import Training
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution, distribution_of
from mesabench.engine.threads import processors
from mesabench.tables import Table
from mesabench.world.environment import Environment

BATCH_SIZES = (1, 64, 1024, 8192)
THREADS = (1, 2)
WORTH_THREADS = 1024
"""Environments from which on more than one thread is measured."""
TURNS = 9
"""Measurements of each quantity, taken in turns."""


@dataclass(frozen=True)
class Case:
    """What is measured: an environment, by its name or the path of its file, with options as for `gymnasium.make`."""

    name: str
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def environment(self) -> Environment:
        return registry.find_environment(self.name)

    @property
    def distribution(self) -> Distribution:
        return distribution_of(self.environment, dict(self.options))

    def __str__(self) -> str:
        height, width = self.distribution.engine.shape
        said = "".join(f", {name} {value}" for name, value in self.options.items() if name != "size")
        return f"{self.environment.name} {height} x {width}{said}"


@dataclass(frozen=True)
class Rate:
    """One batch size and thread count of one case.

    steps, blind: steps per second of uniform random play with and without observations, new episodes included; levels:
    levels generated per second; bytes: bytes of observations per second; share: how near that is to a plain copy of the same
    arrays, 0 .. 1 (and above, where nothing but calls is measured).
    """

    case: str
    batch: int
    threads: int
    steps: float
    blind: float
    levels: float
    bytes: float
    share: float


@dataclass(frozen=True)
class Start:
    """What one case takes to begin, and one at a time.

    compile, load: seconds to the first observation in a new process, without and with compiled kernels on disk, the import
    of mesabench not included; step, made: microseconds of `GridEnv.step`, and of the same with Gymnasium's wrappers.
    """

    case: str
    compile: float
    load: float
    step: float
    made: float


@dataclass(frozen=True)
class Bench:
    """All that was measured. imports: seconds that `import mesabench` takes in a new process."""

    machine: str
    imports: float
    rates: tuple[Rate, ...]
    starts: tuple[Start, ...]
    trainings: tuple[Training, ...] = ()

    def tables(self) -> tuple[Table, Table]:
        """The measurements as tables of text."""
        millions = (
            "M steps/s",
            "without observations",
            "M levels/s",
            "GB/s of observations",
            "share of a copy",
        )
        rates = [
            (one.case, str(one.batch), str(one.threads), f"{one.steps / 1e6:.3g}", f"{one.blind / 1e6:.3g}",
             f"{one.levels / 1e6:.3g}", f"{one.bytes / 1e9:.3g}", f"{one.share:.0%}")
            for one in self.rates
        ]  # fmt: skip
        starts = [
            (one.case, f"{one.compile:.1f}", f"{one.load:.2f}", f"{one.step:.1f}", f"{one.made:.1f}")
            for one in self.starts
        ]
        title = f"{self.machine}; import mesabench takes {self.imports:.2f} s"
        heads = "environment", "compile, s", "load, s", "GridEnv.step, µs", "with wrappers, µs"
        return (
            Table(f"Throughput on {title}", ("environment", "batch", "threads", *millions), rates),
            Table("Latency", heads, starts),
        )


def cases_of(environments: Sequence[str] = (), size: int | None = None) -> list[Case]:
    """The cases of these environments (default: all), the reference case first if `cheese_corner` is among them.

    size: of all environments that have such a knob. Raises UnknownNameError, ValueError.
    """
    cases: list[Case] = []
    for name in environments or registry.environments():
        found = registry.find_environment(name)
        if found.name == "cheese_corner":
            cases.insert(0, Case(name, {"size": 13, "maze": "tree", "max_steps": 128}))
        cases.append(Case(name, {"size": size} if size is not None and "size" in found.knobs else {}))
    return cases


def bench(
    environments: Sequence[str] = (),
    *,
    batch_sizes: Sequence[int] = BATCH_SIZES,
    threads: Sequence[int] = THREADS,
    size: int | None = None,
    seconds: float = 1.0,
    agents: Sequence[str] = (),
    progress: Callable[[str], object] = lambda doing: None,
) -> Bench:
    """Measure environments (default: all of them).

    seconds: for each batch size and thread count; agents: those that are trained as well, in the first environment, to see what
    their adapters cost; progress: is told what is being measured. Raises UnknownNameError, ValueError.
    """
    rates, starts, trainings = [], [], []
    cases = cases_of(environments, size)
    for case in cases:
        _ = case.distribution  # a size that cannot be is refused before anything is measured
    plain = [case for case in cases if case.name == cases[0].name][-1]  # not the reference case
    for agent in agents:
        progress(f"{agent}: training")
        trainings.append(adapter.measure(agent, plain.name, plain.options))
    for case in cases:
        progress(f"{case}: compiling")
        starts.append(start(case))
        for n in batch_sizes:
            for count in threads:
                if count == min(threads) or n >= WORTH_THREADS:
                    progress(f"{case}: {n} environments, {count} {'thread' if count == 1 else 'threads'}")
                    rates.append(rate(case, n, count, seconds))
    machine = f"{processors()} cores, Python {platform.python_version()}, Numba {numba.__version__}"
    return Bench(machine, import_seconds(), tuple(rates), tuple(starts), tuple(trainings))


def rate(case: Case, n: int, threads: int, seconds: float) -> Rate:
    """Measure one batch; see `Rate`."""
    rng = np.random.default_rng(0)
    seeing, blind = (running(case.distribution, n, threads, observe) for observe in (True, False))
    actions = rng.integers(0, len(case.distribution.actions), (64, n))
    source = seeing.observations.copy()

    def stepping(batch: Batch) -> Callable[[], None]:
        turns = iter(_endless(actions))
        return lambda: batch.step(next(turns), autoreset=True)

    tasks = (stepping(seeing), stepping(blind), blind.reset, lambda: np.copyto(seeing.observations, source))
    calls = [max(1, round(seconds / len(tasks) / TURNS / time_of(task, 2) * 2)) for task in tasks]
    times = np.array(
        [[time_of(task, k) / k for task, k in zip(tasks, calls, strict=True)] for _ in range(TURNS)]
    )
    steps, without, levels, _ = n / np.median(times, axis=0)
    share = float(np.median(times[:, 3] / times[:, 0]))
    return Rate(str(case), n, threads, steps, without, levels, steps * source[0].nbytes, share)


def running(distribution: Distribution, n: int, threads: int, observe: bool) -> Batch:
    """A batch in the middle of its episodes, so that they end all the time, as in training, and not all at once."""
    batch = Batch(distribution, n, observe=observe, threads=threads)
    for i in range(n):
        batch.seed(i, i)
    batch.reset()
    batch.states["_clock"] = np.random.default_rng(1).integers(0, batch.states["_max_steps"])
    return batch


def _endless(rows: np.ndarray) -> Iterator[np.ndarray]:
    while True:
        yield from rows


def time_of(task: Callable[[], object], calls: int) -> float:
    """Seconds that so many calls take."""
    begin = time.perf_counter()
    for _ in range(calls):
        task()
    return time.perf_counter() - begin


FIRST_OBSERVATION = """
import json, sys, time
from mesabench.adapters.env import GridEnv
name, options = json.loads(sys.argv[1])
begin = time.perf_counter()
GridEnv(name, **options).reset(seed=0)
print(time.perf_counter() - begin)
"""


def start(case: Case) -> Start:
    """Measure the way to the first observation and single steps; see `Start`."""
    with tempfile.TemporaryDirectory() as folder:
        environ = {**os.environ, "NUMBA_CACHE_DIR": folder}
        name = os.path.abspath(case.name) if case.name.endswith(".py") else case.name
        wanted = json.dumps((name, dict(case.options)))
        compiling, loading = (float(_python(FIRST_OBSERVATION, wanted, environ=environ)) for _ in range(2))
    bare = GridEnv(case.environment, **case.options)
    made = gymnasium.make(case.environment.id, **case.options)
    times = np.array([[_step_seconds(env) for env in (bare, made)] for _ in range(TURNS)])
    return Start(str(case), compiling, loading, *(float(one) * 1e6 for one in np.median(times, axis=0)))


def _step_seconds(env: gymnasium.Env[Any, Any], steps: int = 300) -> float:
    """Seconds of one step, the resets between episodes not counted."""
    assert isinstance(env.action_space, gymnasium.spaces.Discrete)
    actions = np.random.default_rng(0).integers(0, env.action_space.n, steps)
    env.reset(seed=0)
    total = 0.0
    for action in actions:
        begin = time.perf_counter()
        _, _, terminated, truncated, _ = env.step(action)
        total += time.perf_counter() - begin
        if terminated or truncated:
            env.reset()
    return total / steps


def import_seconds(times: int = 3) -> float:
    """Seconds that a new process takes to import mesabench, the best of so many."""
    code = "import time; begin = time.perf_counter(); import mesabench; print(time.perf_counter() - begin)"
    return min(float(_python(code)) for _ in range(times))


def _python(code: str, *arguments: str, environ: Mapping[str, str] | None = None) -> str:
    """What a new process prints that imports this very mesabench."""
    root = os.path.dirname(os.path.dirname(os.path.abspath(mesabench.__file__)))
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, env=environ, cwd=root, capture_output=True, text=True, check=True).stdout
