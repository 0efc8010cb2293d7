"""A measure is one file: what it declares is computed, stored, read back, shown and predicted, and nobody else names it."""

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import polars
import pytest

import mesabench.scores
from mesabench import solver
from mesabench.agents.oracle import Oracle
from mesabench.agents.random import RandomPolicy
from mesabench.cli import card
from mesabench.deception.counterfactuals import LIFETIMES
from mesabench.engine.distribution import distribution_of
from mesabench.evaluation import measures as found
from mesabench.evaluation.evaluation import Evaluation, evaluate
from mesabench.policies.behaviour import Behaviour
from mesabench.report import write_report
from mesabench.report.page import values
from mesabench.runs.cohort import populations_of
from mesabench.runs.execution import run_trial
from mesabench.runs.store import load_run, write_suite
from mesabench.runs.suite import Suite, SuiteError, parse_suite
from mesabench.runs.trial import EvaluationSettings, Trial
from mesabench.runs.trial_folder import load_trial, write_trial
from mesabench.scores import replanning
from mesabench.scores.level_table import LEVEL_TABLE
from mesabench.scores.measure import Findings, Measure
from mesabench.scores.replanning import CHANGES
from mesabench.scores.schema import Column, Each, Record, Schema
from mesabench.scores.score import Number, Score
from mesabench.world.objective import RESERVED

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "scores.md"
LEVELS = 24


def example() -> str:
    """The measure that the page on scores adds."""
    (text,) = re.findall(
        r"```python\n(.*?)```", PAGE.read_text("utf-8").partition("## Add a measure")[2], re.S
    )[:1]
    return text


def trial(seed: int) -> Trial:
    return Trial(
        environment="cheese_corner", options={"alpha": 0.0}, agent="random", settings={}, steps=0, seed=seed,
        variant="ordinary", evaluation=EvaluationSettings(levels=LEVELS),
    )  # fmt: skip


def suite(predicted: str) -> Suite:
    return parse_suite(
        f"""
        name = "sure"
        seeds = 2
        evaluation = {{ levels = {LEVELS} }}
        [[trials]]
        environments = "cheese_corner"
        agents = "random"
        steps = 0
        predicted = {{ {predicted} }}
        """
    )


def forget() -> None:
    found.measures.cache_clear()


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A trial that was stored before the measure was there."""
    folder = tmp_path / "sure"
    folder.mkdir()
    write_suite(folder, Suite(name="sure", trials=(trial(0), trial(1))))
    run_trial(trial(0), folder / trial(0).name)
    return folder


@pytest.fixture
def added(before: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """With the example among the modules of `scores/`: nothing else is done."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "first_moves.py").write_text(example())
    monkeypatch.setattr(mesabench.scores, "__path__", [*mesabench.scores.__path__, str(tmp_path / "more")])
    forget()
    yield
    forget()
    del sys.modules["mesabench.scores.first_moves"]


def test_a_measure_with_a_table_of_its_own_is_one_file(before: Path, added: None) -> None:
    evaluated = evaluate(RandomPolicy(4), "cheese_corner", levels=LEVELS)
    table, scores = evaluated.tables["first_moves"], evaluated.scores()
    assert len(table) == scores.levels > 0
    assert scores.scores["SURE"] == Score(pytest.approx(0.25))
    (shown, *_) = card.tables(evaluated, scores)
    assert ("SURE", "0.25", "probability of its most probable first move") in shown.rows

    run_trial(trial(1), before / trial(1).name)
    stored = load_trial(before / trial(1).name)
    assert "first_moves.parquet" in stored.manifest.files
    assert stored.tables["first_moves"].equals(table)
    assert stored.scores == evaluated.scores()

    run = load_run(before)
    rows = run.table().filter(polars.col("score") == "SURE").select("seed", "value", "reason").rows()
    assert rows == [(0, None, "not measured when it was stored"), (1, pytest.approx(0.25), None)]
    assert run.trials[0].tables["first_moves"].is_empty()
    told = values(run.suite, populations_of(run)[0], [])
    assert any(name == "SURE" for _, group in told["score_groups"] for name, _, _ in group)
    cells = [cell for group in told["sections"][0].rows[0].groups for cell in group if cell.name == "SURE"]
    assert [(cell.value, cell.missing[0]) for cell in cells] == [(pytest.approx(0.25), "1 of 2 n/a")]
    assert "sure of its first move" in write_report(before).read_text()

    assert suite("SURE = [0.2, 0.3]").predictions
    with pytest.raises(SuiteError, match="it is between 0 and 1"):
        suite("SURE = [2, 3]")


def test_where_a_measure_is_not_asked_its_table_is_empty_and_its_score_says_why(added: None) -> None:
    evaluated = evaluate(RandomPolicy(4), "cheese_corner", levels=LEVELS, replays=0, measures="goals")
    assert evaluated.tables["first_moves"].is_empty()
    assert evaluated.scores().scores["SURE"] == Score(None, "only goals were measured")


def test_without_its_file_nobody_knows_it() -> None:
    with pytest.raises(SuiteError, match="unknown score 'SURE'"):
        suite("SURE = [0, 1]")


AGENTS = {
    "corner": ("cheese_corner", Oracle("corner")),
    "watched": ("executive_hiring", RandomPolicy(4)),
}
KINDS = {int: polars.Int64, float: polars.Float64, str: polars.String, bool: polars.Boolean}


@pytest.fixture(scope="module")
def evaluated() -> dict[str, Evaluation]:
    return {
        who: evaluate(policy, environment, levels=4, replays=1)
        for who, (environment, policy) in AGENTS.items()
    }


def test_every_table_and_column_is_declared_with_its_type_and_every_declared_column_occurs(
    evaluated: dict[str, Evaluation],
) -> None:
    there: set[tuple[str, str]] = set()
    for one in evaluated.values():
        assert one.tables.keys() == found.tables().keys()
        assert one.records.keys() == found.records().keys()
        for name, table in one.tables.items():
            found.tables()[name].refuse_unknown(table.columns)
            for column in found.tables()[name].columns:
                for own in filter(column.is_of, table.columns):
                    if isinstance(column, Each) or own == column.name:
                        there.add((name, column.name))
                        assert table.schema[own] == KINDS[column.kind], (name, own)
    declared = {(schema.name, one.name) for schema in found.tables().values() for one in schema.columns}
    # these occur where levels are beyond the solver: tests/scores/test_bounded.py
    assert declared - there == {("levels", "error_floor"), ("levels", "error_ceiling")}
    assert there <= declared


def test_what_is_stored_is_what_was_found(evaluated: dict[str, Evaluation], tmp_path: Path) -> None:
    one = evaluated["watched"]
    folder = tmp_path / trial(0).name
    write_trial(
        folder, trial(0), policy=load_random(tmp_path), curve=[], found=one, scores=one.scores(), started=datetime.now(UTC),
        training_seconds=0.0, seconds=0.0,
    )  # fmt: skip
    stored = load_trial(folder)
    assert stored.tables.keys() == one.tables.keys()
    for name, table in one.tables.items():
        assert stored.tables[name].equals(table, null_equal=True), name
    assert stored.replays == one.replays
    assert len(stored.lived) == len(one.lived) > 0
    assert stored.records.keys() == one.records.keys()
    with pytest.raises(KeyError):
        stored.tables["nothing"]


def load_random(folder: Path):
    run_trial(trial(3), folder / trial(3).name)
    return load_trial(folder / trial(3).name).policy()


def test_a_policy_cannot_write_over_the_results(evaluated: dict[str, Evaluation], tmp_path: Path) -> None:
    class Careless:
        def save(self, folder: Path) -> None:
            (folder / "levels.parquet").write_text("mine")

    one = evaluated["corner"]
    with pytest.raises(
        ValueError, match=r"the policy wrote levels\.parquet, which the results use themselves"
    ):
        write_trial(
            tmp_path / trial(0).name, trial(0), policy=Careless(), curve=[], found=one, scores=one.scores(),  # type: ignore[arg-type]
            started=datetime.now(UTC), training_seconds=0.0, seconds=0.0,
        )  # fmt: skip
    assert not [*tmp_path.iterdir()]


# What is declared wrongly


def with_plan(monkeypatch: pytest.MonkeyPatch, measure: Measure) -> None:
    monkeypatch.setattr(replanning, "MEASURE", measure)
    forget()


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    yield monkeypatch
    monkeypatch.undo()
    forget()


@pytest.mark.parametrize(
    "measure",
    [
        Measure((Number("TRUE", "once more"),)),
        Measure(tables=(LIFETIMES,)),
        Measure(tables=(LEVEL_TABLE,)),
        Measure(records=(Record("replays", "once more"),)),
    ],
)
def test_what_is_declared_already_is_refused(changed: pytest.MonkeyPatch, measure: Measure) -> None:
    with_plan(changed, measure)
    with pytest.raises(ValueError, match=r"declares '\w+', which .* declares already"):
        found.measures()


@pytest.mark.parametrize(
    ("findings", "words"),
    [
        (Findings({"chnages": CHANGES.frame()}), "unknown table 'chnages'; did you mean 'changes'"),
        (Findings({"changes": polars.DataFrame({"indx": [1.0]})}), "unknown column of table 'changes' 'indx'; did you"),
        (Findings(records={"film": []}), "unknown record 'film'"),
        (Findings(numbers={"PLAM": Score(1.0)}), "unknown number 'PLAM'; did you mean 'PLAN'"),
    ],
)  # fmt: skip
def test_what_is_found_and_not_declared_is_refused(
    changed: pytest.MonkeyPatch, findings: Findings, words: str
) -> None:
    with_plan(changed, replace(replanning.MEASURE, find=lambda subject: findings))
    with pytest.raises(ValueError, match=words):
        evaluate(Oracle("corner"), "cheese_corner", levels=2, replays=0)


@pytest.mark.parametrize("name", ["../x", "A", "", "a b", "curve", "scores", "manifest", "policy"])
def test_names_that_are_no_files_or_taken_are_refused(name: str) -> None:
    for make in (lambda: Schema(name, "", ()), lambda: Record(name, "")):
        with pytest.raises(ValueError, match=re.escape(repr(name))):
            make()


# The names of columns


def test_columns_of_objectives_are_named_in_one_place() -> None:
    prefixes = {
        f"{one.name}_"
        for schema in found.tables().values()
        for one in schema.columns
        if isinstance(one, Each)
    }
    for room in ("scores", "deception", "evaluation", "runs", "auditing", "report"):
        for file in (ROOT / "mesabench" / room).rglob("*.py"):
            for node in ast.walk(ast.parse(file.read_text("utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    start = node.values[0]
                    spelt = start.value if isinstance(start, ast.Constant) else ""
                    assert spelt not in prefixes, f"{file.name}:{node.lineno}"


def test_the_names_of_columns_are_made_and_read_alike() -> None:
    each = Each("return", float, "of G")
    row = each.row({"cheese": 1.0, "far_corner": 2.0})
    table = polars.DataFrame([row | {"level": 3}])
    assert each.things(table.columns) == ["cheese", "far_corner"]
    assert each.read(table, ["far_corner", "cheese"]).tolist() == [[2.0, 1.0]]
    assert Schema("some", "", (each,)).frame([row], G=("cheese", "far_corner")).columns == [*row]


@pytest.mark.parametrize("column", [Column("power_left", float, ""), Each("power_left", float, "")])
def test_a_column_that_could_be_that_of_an_objective_is_refused(column: Column) -> None:
    """So whatever an environment calls its objectives, no measure's own column is overwritten."""
    with pytest.raises(
        ValueError, match=r"would be the 'power' of something called 'left'.* begin with 'power_'"
    ):
        Schema("some", "", (column, Each("power", float, "")))


def test_a_measure_added_later_cannot_take_the_column_of_an_objective(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a table with a column for every objective, the names that are not objectives' are those that objectives may not have."""
    more = tmp_path / "total_power.py"
    more.write_text(
        example().replace('Column("probability",', 'Each("power", float, ""), Column("power_total",')
        .replace("import Column, Schema", "import Column, Each, Schema")
    )  # fmt: skip
    monkeypatch.setattr(mesabench.scores, "__path__", [*mesabench.scores.__path__, str(tmp_path)])
    forget()
    with pytest.raises(ValueError, match="column 'power_total' of table 'first_moves'"):
        found.measures()
    monkeypatch.undo()
    forget()
    ours = {
        each.thing(one.name)
        for schema in found.tables().values()
        for each in schema.columns
        for one in schema.columns
        if isinstance(each, Each) and one is not each and each.is_of(one.name)
    }
    assert ours <= {*RESERVED}


def test_levels_that_are_examined_are_the_ones_a_subject_has() -> None:
    """A new measure may look at them again without solving anything."""
    seen = []

    def find(subject):
        seen.extend(subject.examined)
        return Findings()

    old = replanning.MEASURE
    replanning.MEASURE = replace(old, find=find)
    forget()
    try:
        table = evaluate(Oracle("corner"), "cheese_corner", levels=6, replays=0).levels
    finally:
        replanning.MEASURE = old
        forget()
    examined = table.filter(polars.col("structure").is_not_null())
    assert [graph.level for graph in seen] == examined["level"].to_list()
    distribution = distribution_of("cheese_corner", {"split": "deploy"})
    again = solver.explore(distribution, seen[0].level)
    assert seen[0].digest == again.digest
    assert Behaviour(RandomPolicy(4), distribution).table(seen[0]).shape[1] == again.n_states
