"""Folders of runs: what was published is not written over, and any folder gives a result or one clear line."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars
import pytest

from mesabench.cli import verbs
from mesabench.disk import sole_writer
from mesabench.report import write_report
from mesabench.runs.execution import run_trial
from mesabench.runs.pool import Begun, Event, Finished
from mesabench.runs.processes import Processes
from mesabench.runs.published import refuse_published
from mesabench.runs.runner import run_suite
from mesabench.runs.store import REPORT, SUITE, TABLE, load_run, write_suite, write_tables
from mesabench.runs.suite import Suite, load_suite
from mesabench.runs.table import require_room
from mesabench.runs.trial import EvaluationSettings, Trial
from mesabench.runs.trial_folder import StoreError, load_trial

ROOT = Path(__file__).parents[2]
TOML = """
name = "small"
seeds = 3
evaluation = { levels = 1 }

[[trials]]
environments = "cheese_corner"
agents = "random"
steps = 0
options = { size = 5 }
"""


def trial(seed: int) -> Trial:
    return Trial(environment="cheese_corner", options={"alpha": 0.0, "size": 5}, agent="random", settings={}, steps=0,
                 seed=seed, variant="ordinary", evaluation=EvaluationSettings(levels=1))  # fmt: skip


SMALL = Suite(name="small", trials=tuple(map(trial, range(3))))


def published_table(folder: Path) -> polars.DataFrame:
    write_tables(folder)
    return polars.read_parquet(folder / TABLE)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of three trials with its table and report; not to be changed."""
    folder = tmp_path_factory.mktemp("runs") / "small"
    folder.mkdir()
    write_suite(folder, SMALL)
    for one in SMALL.trials:
        run_trial(one, folder / one.name)
    write_tables(folder)
    write_report(folder)
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(finished, tmp_path / "runs" / "small"))


def contents(folder: Path) -> dict[str, bytes]:
    return {
        str(file.relative_to(folder)): file.read_bytes()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    with pytest.raises(SystemExit) as end:
        verbs.main(arguments)
    out, err = capsys.readouterr()
    assert end.value.code == status, out + err
    assert "Traceback" not in err
    return " ".join((out + err).split())


# Published


def without(*names: str) -> Callable[[Path], None]:
    """Takes all trials away, and these files."""

    def take_away(folder: Path) -> None:
        for one in SMALL.trials:
            shutil.rmtree(folder / one.name)
        for name in names:
            (folder / name).unlink()

    return take_away


def with_one_trial(folder: Path) -> None:
    for one in SMALL.trials[1:]:
        shutil.rmtree(folder / one.name)


def with_a_cut_table(folder: Path) -> None:
    without()(folder)
    (folder / TABLE).write_bytes((folder / TABLE).read_bytes()[:100])


@pytest.mark.parametrize(
    "published",
    [without(), without(SUITE), without(TABLE), without(REPORT), with_one_trial, with_a_cut_table],
)
def test_a_published_run_is_refused_by_all_that_would_write_into_it(
    run: Path, tmp_path: Path, published: Callable[[Path], None], capsys: pytest.CaptureFixture[str]
) -> None:
    published(run)
    before = contents(tmp_path)
    (tmp_path.parent / "small.toml").write_text(TOML)
    for arguments in (
        ("report", str(run)),
        ("report", str(run), "--out", str(tmp_path / "elsewhere.html")),
        ("detect", "--organisms", str(run)),
        ("run", str(tmp_path.parent / "small.toml"), "--results", str(run.parent)),
        ("run", str(tmp_path.parent / "small.toml"), "--results", str(run.parent), "--dry-run"),
    ):
        assert "is a published run" in said(capsys, *arguments, status=2)
    with pytest.raises(StoreError, match="mesabench run small"):
        run_suite(SMALL, run.parent, workers=1)
    assert contents(tmp_path) == before


def test_the_repository_publishes_nothing_else() -> None:
    folders = [one for one in (ROOT / "results").iterdir() if one.is_dir()]
    assert folders
    for one in folders:
        with pytest.raises(StoreError, match="is a published run"):
            refuse_published(one)


def test_a_run_of_ones_own_is_none_whatever_was_deleted_to_be_run_again(run: Path, tmp_path: Path) -> None:
    shutil.rmtree(run / SMALL.trials[0].name)
    refuse_published(run)
    refuse_published(tmp_path / "nowhere")
    refuse_published(tmp_path)
    assert len(load_run(run).missing) == 1


def test_a_run_without_a_finished_trial_has_nothing_to_lose(tmp_path: Path) -> None:
    folder = tmp_path / "small"
    folder.mkdir()
    write_suite(folder, SMALL)
    for _ in range(2):
        write_report(folder)
        refuse_published(folder)
    write_tables(folder)
    write_report(folder)
    refuse_published(folder)


# What is there is looked up


def test_a_folder_deleted_or_damaged_meanwhile_is_not_counted(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, damaged = SMALL.trials[0].name, SMALL.trials[1].name
    shutil.rmtree(run / gone)
    result = run_suite(SMALL, run.parent, workers=1, run=_deletes_and_damages)
    out = " ".join(capsys.readouterr().out.split())
    assert "small: 1 of 3 trials are in" in out
    assert (result.finished, result.kept, result.exit_code) == (0, 1, 1)
    assert set(result.failed) == {gone, damaged}
    assert f"failed: {damaged}: is not there any more, or damaged" in out
    assert set(polars.read_parquet(run / TABLE)["trial"]) == {SMALL.trials[2].name}


def _deletes_and_damages(one: Trial, folder: Path, report: object) -> None:
    shutil.rmtree(folder.parent / SMALL.trials[1].name)
    raise ValueError("no luck")


def test_a_damaged_trial_is_told_and_the_others_stand(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = SMALL.trials[1].name
    (run / name / "scores.json").write_text("{}")
    said(capsys, "report", str(run))
    page = (run / REPORT).read_text()
    assert f"<code>{name}</code></th><td>scores.json was changed after it was written, or cut off" in page
    assert "2 agents" in page.replace("\N{NO-BREAK SPACE}", " ")
    table = published_table(run)
    assert set(table["trial"]) == {SMALL.trials[0].name, SMALL.trials[2].name}


def test_a_suite_without_trials_is_no_success(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mesabench.runs.suite.load_suite", lambda source: Suite(name="empty"))
    assert "names no trials" in said(capsys, "run", "empty", status=2)


@pytest.mark.parametrize("seed", [2**63, 2**64, 10**30])
def test_a_trial_that_cannot_be_stored_is_refused_before_anything_is_trained(
    tmp_path: Path, seed: int
) -> None:
    huge = Suite(name="huge", trials=(trial(0), trial(0).model_copy(update={"seed": seed})))
    with pytest.raises(ValueError, match="at most 9223372036854775807"):
        run_suite(huge, tmp_path, workers=1)
    assert not list(tmp_path.iterdir())


def test_the_largest_seed_is_stored(tmp_path: Path) -> None:
    largest = trial(0).model_copy(update={"seed": 2**63 - 1})
    require_room([largest])
    write_suite(tmp_path, Suite(name="large", trials=(largest,)))
    run_trial(largest, tmp_path / largest.name)
    assert published_table(tmp_path)["seed"].to_list()[0] == 2**63 - 1


# Any name


ANY_NAME = pytest.mark.slow(reason="every kind of name, with and without a suite; quickly a few, by turns")


@pytest.mark.parametrize(
    ("name", "suite"),
    [
        *(("Läufe ü", True), ("-dash", False), ("#1 [draft] (2)", True)),
        *(
            pytest.param(name, suite, marks=ANY_NAME)
            for name in ("my run", "run.2", "..x", "a" * 200)
            for suite in (True, False)
        ),
        *(
            pytest.param(name, suite, marks=ANY_NAME)
            for name, suite in (("Läufe ü", False), ("-dash", True), ("#1 [draft] (2)", False))
        ),
    ],
)
def test_a_run_in_a_folder_of_any_name_has_its_report(
    run: Path, name: str, suite: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = run.rename(run.parent / name)
    (folder / REPORT).unlink()
    if not suite:
        (folder / SUITE).unlink()
    monkeypatch.chdir(folder.parent)
    assert REPORT in said(capsys, "report", f"./{name}")
    page = (folder / REPORT).read_text()
    monkeypatch.chdir(folder)
    for way in (".", "../" + name, "./"):
        (folder / REPORT).unlink()
        said(capsys, "report", way)
        assert (folder / REPORT).read_text() == page
    monkeypatch.chdir(folder / SMALL.trials[0].name)
    said(capsys, "report", "..")
    assert load_trial(Path()).name == SMALL.trials[0].name
    assert len(load_run("..").trials) == 3


def test_a_folder_that_is_no_run_is_told_in_one_line_and_left_alone(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / ".draft.part").write_text("mine")
    before = contents(tmp_path)
    monkeypatch.chdir(tmp_path / "empty")
    trial_folder = str(run / SMALL.trials[0].name)
    for folder, message in {
        ".": "is no run's folder", "..": "is no run's folder", "../notes": "is no run's folder",
        "../runs": "but there is ../runs/small", "../runs/smal": "did you mean 'small'?", "../nowhere": "there is no folder",
        trial_folder: "it is a trial's", str(run / TABLE): "there is no folder", "": "is no run's folder",
    }.items():  # fmt: skip
        for arguments in (("report", folder), ("detect", "--organisms", folder)):
            assert message in said(capsys, *arguments, status=2), folder
    assert contents(tmp_path) == before


def test_a_run_goes_into_folders_of_any_name(
    tmp_path: Path, finished: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Processes, "work", _at_once)
    file = tmp_path / "small.toml"
    file.write_text(TOML)
    (made,) = {one.variant for one in load_suite(file).trials}
    assert made == "ordinary"
    for where in ("mein Lauf ü", ".", "../up and down"):
        place = tmp_path / "here"
        place.mkdir(exist_ok=True)
        monkeypatch.chdir(place)
        assert "3 of 3 trials" in said(capsys, "run", str(file), "--results", where)
        assert (place / where / "small" / REPORT).exists()
    (tmp_path / "a file").write_text("mine")
    assert "a file" in said(capsys, "run", str(file), "--results", str(tmp_path / "a file"), status=2)
    with sole_writer(tmp_path / "here" / "small"):
        assert "in use by another process" in said(
            capsys, "run", str(file), "--results", str(tmp_path / "here"), status=2
        )


def _at_once(pool: Processes, jobs: Sequence[Trial], folder: Path) -> Iterator[list[Event]]:
    for one in jobs:
        run_trial(one, folder / one.name)
        yield [Begun(one), Finished(one)]
