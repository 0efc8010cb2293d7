"""Results that belong together are put together, and nothing else is; what is refused changes nothing."""

import hashlib
import json
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mesabench.cli import verbs
from mesabench.runs.execution import run_trial
from mesabench.runs.merging import MergeError, merge
from mesabench.runs.replicate import REPLICATE, Replicate, run_replicate
from mesabench.runs.seal import SEAL, sealed
from mesabench.runs.shard import Shard
from mesabench.runs.store import SUITE, TABLE, load_run, write_suite, write_tables
from mesabench.runs.suite import Suite
from mesabench.runs.trial import EvaluationSettings, Trial
from mesabench.runs.trial_folder import MANIFEST, StoreError


def trial(seed: int, variant: str = "ordinary") -> Trial:
    return Trial(
        environment="cheese_corner", options={"alpha": 0.0, "size": 5}, agent="random", settings={}, steps=0,
        seed=seed, variant=variant, evaluation=EvaluationSettings(levels=1, measures="goals"),
    )  # fmt: skip


ELK = Replicate(population="irish_elk", condition="random", seed=0, knobs={"generations": 3, "capacity": 20})
SMALL = Suite(name="small", trials=tuple(map(trial, range(3))), replicates=(ELK,))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All of the suite, run in one place; not to be changed."""
    folder = tmp_path_factory.mktemp("whole") / "small"
    write_suite(folder, SMALL)
    for one in SMALL.trials:
        run_trial(one, folder / one.name)
    run_replicate(ELK, folder / ELK.name, lambda *told: None)
    write_tables(folder)
    return folder


@pytest.fixture
def shards(whole: Path, tmp_path: Path) -> list[Path]:
    """The same as two shards left it."""
    folders = []
    for shard, jobs in ((Shard(1, 2), SMALL.trials[:2]), (Shard(2, 2), (*SMALL.trials[2:], ELK))):
        folders.append(shard.folder(tmp_path / "runs", "small"))
        write_suite(folders[-1], SMALL)
        for one in jobs:
            shutil.copytree(whole / one.name, folders[-1] / one.name)
    return folders


def contents(folder: Path) -> dict[str, bytes]:
    """Every file, but for locks."""
    found = (one for one in sorted(folder.rglob("*")) if one.is_file() and one.suffix != ".lock")
    return {str(one.relative_to(folder)): one.read_bytes() for one in found}


def resealed(file: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change sealed data as if it had been written so."""
    data = json.loads(file.read_text())
    del data[SEAL]
    change(data)
    file.write_text(json.dumps(sealed(data)))


def test_merged_shards_are_the_run_of_one_place_byte_for_byte_and_merging_again_changes_nothing(
    whole: Path, shards: list[Path], tmp_path: Path
) -> None:
    before = [contents(one) for one in shards]
    merged = merge(shards, tmp_path / "runs")
    assert (merged.folder, merged.added, merged.kept) == (tmp_path / "runs" / "small", 4, 0)
    assert (merged.missing, merged.broken) == ((), ())
    assert contents(merged.folder) == contents(whole)
    assert [contents(one) for one in shards] == before
    again = merge([*shards, *shards[:1], merged.folder], tmp_path / "runs")
    assert (again.added, again.kept) == (0, 4)
    assert contents(merged.folder) == contents(whole)


def test_what_one_shard_lacks_is_named_and_comes_with_a_later_merge(
    shards: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[Path] = []
    monkeypatch.setattr("mesabench.report.write_report", reported.append)
    for folders, status in ((shards[:1], 1), (shards[1:], 0)):
        with pytest.raises(SystemExit) as end:
            verbs.main(["merge", *map(str, folders), "--results", str(tmp_path / "runs")])
        said = capsys.readouterr().out
        assert end.value.code == status, said
        assert ("missing: " in said) == bool(status)
        assert reported.pop() == tmp_path / "runs" / "small"
    assert "small: 4 of 4 trials are in" in said
    assert not load_run(tmp_path / "runs" / "small").missing


def test_a_trial_that_was_run_twice_counts_once_if_only_the_hour_differs(
    shards: list[Path], tmp_path: Path
) -> None:
    one = load_run(shards[0]).trials[0].name
    shutil.copytree(shards[0] / one, shards[1] / one)
    resealed(shards[1] / one / MANIFEST, lambda data: data.update(seconds=1e6, machine="another"))
    assert merge(shards, tmp_path / "runs").added == 4


def test_what_is_damaged_is_left_out_and_named_and_a_whole_one_elsewhere_takes_its_place(
    whole: Path, shards: list[Path], tmp_path: Path
) -> None:
    one = load_run(shards[0]).trials[0].name
    file = next(file for file in (shards[0] / one).iterdir() if file.name not in (MANIFEST, REPLICATE))
    file.write_bytes(b"cut off")
    merged = merge(shards, tmp_path / "runs")
    assert merged.missing == (one,)
    ((folder, reason),) = merged.broken
    assert folder == shards[0] / one
    assert "changed after it was written" in reason
    whole_again = merge([*shards, whole], tmp_path / "runs")
    assert (whole_again.added, whole_again.missing, whole_again.broken) == (1, (), ())


def other_name(folder: Path) -> None:
    write_suite(folder, SMALL.model_copy(update={"name": "large"}))


def other_trials(folder: Path) -> None:
    write_suite(folder, SMALL.model_copy(update={"trials": (*SMALL.trials, trial(7))}))


def other_title(folder: Path) -> None:
    write_suite(folder, SMALL.model_copy(update={"description": "Other words"}))


def other_version(folder: Path) -> None:
    for file in [*folder.glob(f"*/{MANIFEST}"), *folder.glob(f"*/{REPLICATE}")]:
        resealed(file, lambda data: data["versions"].update(numpy="1.0"))


def other_scores(folder: Path) -> None:
    for one in folder.parent.glob(f"small-1-of-2/*/{MANIFEST}"):
        place = folder / one.parent.name
        shutil.copytree(one.parent, place)
        (place / "curve.parquet").write_bytes(b"")
        empty = hashlib.sha256(b"").hexdigest()
        resealed(place / MANIFEST, partial(_with_curve, digest=empty))


def _with_curve(data: dict[str, Any], digest: str) -> None:
    data["files"]["curve.parquet"] = digest


def other_elk(folder: Path) -> None:
    place = folder.parent / "small-1-of-2" / ELK.name
    shutil.copytree(folder / ELK.name, place)
    resealed(place / REPLICATE, lambda data: data["measures"].update(trait=99.0))


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (other_name, "hold results of different suites: 'small' and 'large'"),
        (other_trials, f"both are called 'small', but 1 trials are in one of them only, {trial(7).name}"),
        (other_title, "both are called 'small', but they differ in description"),
        (other_version, "were made by different versions: numpy .* and 1.0"),
        (other_scores, r"trials are there twice, with different contents: .*small-2-of-2.*\(curve.parquet\)"),
        (other_elk, rf"1 trials are there twice, with different contents: .*{ELK.name} \(measures\)"),
    ],
)
def test_what_does_not_belong_together_is_refused_and_nothing_is_written(
    shards: list[Path], tmp_path: Path, change: Callable[[Path], None], said: str
) -> None:
    change(shards[1])
    before = contents(tmp_path)
    with pytest.raises(MergeError, match=said):
        merge(shards, tmp_path / "runs")
    assert contents(tmp_path) == before
    assert not (tmp_path / "runs" / "small").exists()


def test_what_is_there_already_is_held_to_the_same(whole: Path, shards: list[Path], tmp_path: Path) -> None:
    there = tmp_path / "runs" / "small"
    shutil.copytree(whole, there)
    other_version(there)
    before = contents(there)
    with pytest.raises(MergeError, match="different versions"):
        merge(shards, tmp_path / "runs")
    assert contents(there) == before


def test_folders_that_are_no_runs_are_refused(
    whole: Path, shards: list[Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(MergeError, match="nothing to merge"):
        merge([], tmp_path)
    (tmp_path / "empty").mkdir()
    for folder, said in (("empty", "is no run's folder"), ("nowhere", "there is no folder")):
        with pytest.raises(SystemExit) as end:
            verbs.main(["merge", str(tmp_path / folder), "--results", str(tmp_path / "runs")])
        assert end.value.code == 2
        assert said in capsys.readouterr().err
    for text, said in ((None, "its suite.json is missing"), ("{", "its suite.json is damaged")):
        (shards[0] / SUITE).write_text(text) if text else (shards[0] / SUITE).unlink()
        with pytest.raises(StoreError, match=said):
            merge(shards, tmp_path / "runs")
    published = tmp_path / "results" / "small"
    published.mkdir(parents=True)
    shutil.copy(whole / TABLE, published)
    with pytest.raises(StoreError, match="is a published run"):
        merge(shards[1:], tmp_path / "results")
