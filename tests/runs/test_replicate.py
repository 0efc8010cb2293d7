"""Population models as trials of a suite: run without an agent, stored with their tables by generation, told in the report."""

import json
import shutil
from pathlib import Path

import pytest

from mesabench.evolution.model import evolve
from mesabench.evolution.models import find_model
from mesabench.report import write_report
from mesabench.runs.replicate import (
    GENERATIONS,
    REPLICATE,
    load_replicate,
    outcomes_of,
    run_replicate,
)
from mesabench.runs.runner import run_suite
from mesabench.runs.store import load_run, write_suite
from mesabench.runs.suite import Suite, SuiteError, load_suite, parse_suite
from mesabench.runs.trial_folder import StoreError

KNOBS = "{ generations = 20, capacity = 40 }"


def suite(lines: str, seeds: int = 2) -> Suite:
    return parse_suite(f'name = "herds"\nseeds = {seeds}\n[[trials]]\npopulation = "irish_elk"\n{lines}')


def made(folder: Path, lines: str, seeds: int = 2) -> Path:
    chosen = suite(lines, seeds)
    write_suite(folder, chosen)
    for one in chosen.replicates:
        run_replicate(one, folder / one.name, lambda *told: None)
    return folder


@pytest.fixture(scope="module")
def herds(tmp_path_factory) -> Path:
    return made(tmp_path_factory.mktemp("runs") / "herds", f'conditions = "narrow"\nknobs = {KNOBS}')


def test_a_table_stands_for_each_condition_its_control_and_each_seed() -> None:
    found = suite('conditions = ["choice", "best"]', seeds=3).replicates
    assert [(one.condition, one.seed) for one in found] == [
        (name, seed) for name in ("choice", "random", "best") for seed in range(3)
    ]
    every = {one.condition for one in suite("").replicates}
    assert every == {*find_model("irish_elk").conditions}


def test_the_suite_evolution_runs_all_population_models() -> None:
    told = {(one.population, one.condition) for one in load_suite("evolution").replicates}
    for model in ("irish_elk", "guard", "commons"):
        assert {name for of, name in told if of == model} == {*find_model(model).conditions}


def test_what_is_stored_is_what_mesabench_evolve_says(herds) -> None:
    run = load_run(herds)
    assert not run.missing
    assert not run.broken
    [(outcomes, stored)] = outcomes_of(run.replicates)
    direct = evolve(find_model("irish_elk"), ["narrow"], seeds=2, knobs={"generations": 20, "capacity": 40})
    assert outcomes.table() == direct.table()
    table = stored["narrow"][0].generations
    assert table["generation"].to_list() == list(range(21))
    assert table["n"].max() <= 40
    assert stored["narrow"][0].measures["trait"] == pytest.approx(abs(table[table.columns[2]][20]))


@pytest.mark.parametrize("file", [REPLICATE, GENERATIONS])
def test_what_was_changed_is_reported_and_run_again(file, tmp_path) -> None:
    folder = made(tmp_path / "herds", f'conditions = "random"\nknobs = {KNOBS}', seeds=1)
    [one] = load_run(folder).replicates
    path = folder / one.name / file
    if file == REPLICATE:
        path.write_text(json.dumps(json.loads(path.read_text()) | {"measures": {"persists": 1.0}}))
    else:
        path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(StoreError, match="changed"):
        load_replicate(folder / one.name)
    run = load_run(folder)
    assert [name for name, _ in run.broken] == [one.name]
    assert [missing.name for missing in run.missing] == [one.name]


def test_a_run_keeps_what_is_there_and_workers_make_the_rest(herds, tmp_path) -> None:
    chosen = load_run(herds).suite
    for one in chosen.replicates[1:]:
        (tmp_path / "herds" / one.name).mkdir(parents=True)
        for file in (herds / one.name).iterdir():
            (tmp_path / "herds" / one.name / file.name).write_bytes(file.read_bytes())
    result = run_suite(chosen, tmp_path, workers=1)
    assert (result.finished, result.kept, result.exit_code) == (1, len(chosen.replicates) - 1, 0)
    first = chosen.replicates[0].name
    assert (tmp_path / "herds" / first / GENERATIONS).read_bytes() == (
        herds / first / GENERATIONS
    ).read_bytes()


def test_the_report_tells_each_share_with_its_interval_and_draws_curves(herds, tmp_path) -> None:
    page = write_report(herds, tmp_path / "page.html").read_text()
    assert "Population models" in page
    assert "2 of 2 (0.34 to 1.00)" in page
    assert "narrow-random: 2 of 2 (0.34 to 1.00)" in page
    assert page.count('aria-label="irish_elk, narrow:') == 2
    assert "No trial has been finished" not in page


def test_a_run_that_was_broken_off_before_any_control_has_a_report(herds, tmp_path) -> None:
    part = tmp_path / "herds"
    shutil.copytree(herds, part)
    for one in load_run(herds).replicates:
        if one.trial.condition == "random":
            shutil.rmtree(part / one.name)
    assert "2 of 2 (0.34 to 1.00)" in write_report(part).read_text()


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ('conditions = "chioce"', "choice"),
        ("knobs = { widht = 2 }", "width"),
        ("knobs = { capacity = 0 }", "capacity"),
        ('agents = "ppo"', "agents"),
        ("steps = 3", "steps"),
    ],
)
def test_a_table_that_cannot_be_run_is_refused_and_says_where(lines, said) -> None:
    with pytest.raises(SuiteError, match=said) as caught:
        suite(lines)
    assert "[[trials]] number 1" in str(caught.value)


def test_an_unknown_population_and_the_same_table_twice_are_refused() -> None:
    with pytest.raises(SuiteError, match="irish_elk"):
        parse_suite('name = "x"\nseeds = 1\n[[trials]]\npopulation = "irish_elf"')
    with pytest.raises(SuiteError, match="already"):
        suite('[[trials]]\npopulation = "irish_elk"')


def test_a_model_of_ones_own_is_run_from_its_file(tmp_path) -> None:
    text = (Path(find_model.__code__.co_filename).parents[2] / "envs" / "irish_elk.py").read_text()
    (tmp_path / "my_deer.py").write_text(text)
    chosen = parse_suite(
        f'name = "x"\nseeds = 1\n[[trials]]\npopulation = "my_deer.py"\nconditions = "random"\nknobs = {KNOBS}',
        folder=tmp_path,
    )
    [one] = chosen.replicates
    assert one.population == "my_deer"
    assert one.code
    assert "my_deer.py" not in one.model_dump_json()
    run_replicate(one, tmp_path / one.name, lambda *told: None)
    assert load_replicate(tmp_path / one.name).trial == one
