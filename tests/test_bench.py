"""The benchmark measures what it says, and its tables show it."""

from pathlib import Path

import numpy as np
import pytest

from mesabench import bench, registry
from mesabench.gridenv import GridEnv
from mesabench.registry import UnknownNameError


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> bench.Bench:
    """A file of one's own: the processes that it is measured in find it by its path."""
    file = tmp_path_factory.mktemp("own") / "my_supervisor.py"
    file.write_text((Path(__file__).parent.parent / "envs" / "absent_supervisor.py").read_text())
    told: list[str] = []
    result = bench.bench(
        [str(file)], batch_sizes=(1, 2048), threads=(1, 2), size=9, seconds=0.05, progress=told.append
    )
    assert any("compiling" in line for line in told)
    assert any("2048 environments, 2 threads" in line for line in told)
    return result


def test_every_rate_and_start_is_there(measured) -> None:
    assert [(one.batch, one.threads) for one in measured.rates] == [(1, 1), (2048, 1), (2048, 2)]
    assert {one.case for one in (*measured.rates, *measured.starts)} == {"my_supervisor 6 x 8"}
    for one in measured.rates:
        assert min(one.steps, one.blind, one.levels, one.bytes, one.share) > 0
    for one in measured.starts:
        assert min(one.compile, one.load, one.step, one.made) > 0
        assert one.load < one.compile
    assert 0 < measured.imports < 60


def test_numbers_fit_together(measured) -> None:
    """Loosely: machines are shared."""
    alone, many, _ = measured.rates
    assert many.steps > 5 * alone.steps, "batches are what vectors are for"
    space = GridEnv("absent_supervisor").observation_space
    assert many.bytes == pytest.approx(many.steps * np.prod(space.shape))
    single = measured.starts[-1].step / 1e6
    assert 0.1 < single * alone.steps < 10, "a step in a batch of one is about a single step"


def test_the_reference_case_regenerates_large_mazes() -> None:
    first, *rest = bench.cases_of(["cheese_corner", "keys_and_chests"])
    assert str(first) == "cheese_corner 13 x 13, maze tree, max_steps 128"
    assert [str(case) for case in rest] == ["cheese_corner 9 x 9", "keys_and_chests 9 x 9"]
    assert [case.environment.name for case in bench.cases_of()][1:] == list(registry.environments())
    with pytest.raises(UnknownNameError, match="did you mean"):
        bench.cases_of(["cheese_cornr"])
    with pytest.raises(ValueError, match="size=2"):
        str(bench.cases_of(["keys_and_chests"], size=2)[0])


def test_the_tables_show_what_was_measured(measured) -> None:
    throughput, latency = measured.tables()
    assert throughput.title.startswith("Throughput on ")
    for table, measurements in ((throughput, measured.rates), (latency, measured.starts)):
        assert len(table.rows) == len(measurements)
        for row, one in zip(table.rows, measurements, strict=True):
            assert len(row) == len(table.columns)
            assert row[0] == one.case
    steps = float(throughput.rows[1][3]) * 1e6
    assert steps == pytest.approx(measured.rates[1].steps, rel=0.01)


def test_episodes_end_all_the_time() -> None:
    """A rate without resets, or with all of them at once, would not be that of training."""
    batch = bench.running(bench.cases_of(["cheese_corner"])[1].distribution, 512, 1, False)
    actions = np.random.default_rng(0).integers(0, 4, (30, 512))
    ended = []
    for row in actions:
        batch.step(row, autoreset=True)
        ended.append(int((batch.terminated | batch.truncated).sum()))
    assert min(ended) > 0
    assert max(ended) < 100
