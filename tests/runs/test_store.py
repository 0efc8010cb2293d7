"""Results on disk: whole or not at all, and nothing that happens to a folder takes the others down."""

import errno
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import polars
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesabench.disk import BusyError, is_full, new_folder, sole_writer
from mesabench.evaluation.numbers import scores
from mesabench.runs import store
from mesabench.runs.execution import run_trial
from mesabench.runs.store import TABLE, load_run, survey, write_suite, write_tables
from mesabench.runs.suite import Suite
from mesabench.runs.trial import EvaluationSettings, Trial, digest
from mesabench.runs.trial_folder import MANIFEST, StoreError, load_trial, write_trial
from mesabench.scores import evidence

FILES = (
    "manifest.json",
    "scores.json",
    "curve.parquet",
    "levels.parquet",
    "changes.parquet",
    "lifetimes.parquet",
    "lives.parquet",
    "replays.json",
    "policy.json",
)


def trial(seed: int, **changes: Any) -> Trial:
    fields: dict[str, Any] = {
        "environment": "cheese_corner", "options": {"alpha": 0.0, "size": 5}, "agent": "random", "settings": {}, "steps": 0,
        "variant": "ordinary", "evaluation": EvaluationSettings(levels=1),
    }  # fmt: skip
    return Trial.model_validate(fields | {"seed": seed} | changes)


SUITE = Suite(name="small", description="Small.", trials=(trial(0), trial(1)))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two whole trials; not to be changed."""
    folder = tmp_path_factory.mktemp("results") / "small"
    folder.mkdir()
    write_suite(folder, SUITE)
    for one in SUITE.trials:
        run_trial(one, folder / one.name)
    return folder


def published_table(folder: Path) -> polars.DataFrame:
    write_tables(folder)
    return polars.read_parquet(folder / TABLE)


@contextmanager
def copied(run: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as place:
        yield Path(shutil.copytree(run, Path(place) / run.name))


def hidden(folder: Path) -> list[Path]:
    return [one for one in folder.iterdir() if one.name.startswith(".")]


def test_what_was_written_is_read_back(run: Path) -> None:
    stored = load_trial(run / trial(1).name)
    assert (stored.trial, stored.seed, stored.name) == (trial(1), 1, trial(1).name)
    assert set(stored.manifest.files) == set(FILES) - {MANIFEST}
    assert stored.manifest.versions["mesabench"]
    assert stored.manifest.started <= stored.manifest.finished
    assert stored.curve.columns == ["step", "episodes", "return_mean", "success", "length_mean"]
    assert set(stored.levels["split"]) == {"train", "heldout", "deploy"}
    assert stored.replays[0]["grids"]
    assert stored.scores.outcome == "not trained"
    assert stored.scores.scores["TRUE"].value is None
    assert stored.scores.scores["TRUE"].reason
    assert stored.policy()(stored.levels.select("level").to_numpy()).shape == (3, 4)
    assert not hidden(run)


def test_the_curve_is_what_the_agent_told(tmp_path: Path, run: Path) -> None:
    stored = load_trial(run / trial(0).name)
    rows = [{"step": 10, "episodes": 0, "return_mean": float("nan")}, {"step": 20, "episodes": 2, "loss": 1}]
    given_ = {
        "policy": stored.policy(), "found": stored,
        "scores": stored.scores,
        "started": stored.manifest.started, "training_seconds": 2.0, "seconds": 3.0,
    }  # fmt: skip
    learned = trial(0, steps=20)
    write_trial(tmp_path / learned.name, learned, curve=rows, **given_)
    again = load_trial(tmp_path / learned.name)
    assert again.curve["step"].to_list() == [10, 20]
    assert again.curve["loss"].to_list() == [None, 1.0]
    assert again.curve.schema["episodes"] == polars.Int64
    assert again.manifest.steps_per_second == 10
    assert "NaN" not in (again.folder / "scores.json").read_text()


def test_what_is_told_of_generations_is_published(tmp_path: Path, run: Path) -> None:
    stored = load_trial(run / trial(0).name)
    told = {"step": 10, "generation": 0.0, "gene_sweet": 0.25, "return_of_cheese": 2.0, "return_mean": 2.0}
    given_ = {
        "policy": stored.policy(), "found": stored, "scores": stored.scores, "started": stored.manifest.started,
        "training_seconds": 2.0, "seconds": 3.0,
    }  # fmt: skip
    for one, rows in ((trial(0), [told, told | {"generation": 1.0}]), (trial(1), [{"step": 10}])):
        write_trial(tmp_path / one.name, one, curve=rows, **given_)
    write_suite(tmp_path, SUITE)
    write_tables(tmp_path)
    published = polars.read_parquet(tmp_path / "generations.parquet")
    assert published.columns == ["trial", "generation", "gene_sweet", "return_of_cheese"]
    assert published.rows() == [(trial(0).name, 0, 0.25, 2.0), (trial(0).name, 1, 0.25, 2.0)]
    assert not (run / "generations.parquet").exists()


def test_tables_that_are_written_in_parts_are_those_of_the_whole_run(
    tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = load_trial(run / trial(0).name)
    given_ = {
        "policy": stored.policy(), "found": stored, "scores": stored.scores, "started": stored.manifest.started,
        "training_seconds": 2.0, "seconds": 3.0,
    }  # fmt: skip
    told = {"generation": 0.0, "return_of_cheese": 2.0}
    genes: list[dict[str, float]] = [{}, {"gene_sweet": 0.25}, {"gene_salty": 0.5}]
    suite = Suite(name="parts", trials=tuple(trial(seed) for seed in (3, 1, 2, 0, 4)))
    for k, one in enumerate(suite.trials[:-1]):
        rows = [{"step": 10.0, **told, **genes[k % 3]}] if genes[k % 3] else []
        write_trial(tmp_path / one.name, one, curve=rows, **given_)
    write_suite(tmp_path, suite)
    names = [f"{name}.parquet" for name in ("table", "origins", "generations")]
    found = {}
    for part in (100, 2, 1):
        monkeypatch.setattr(store, "PART", part)
        assert write_tables(tmp_path) == {one.name for one in suite.trials[:-1]}
        found[part] = [polars.read_parquet(tmp_path / name) for name in names]
        assert not hidden(tmp_path)
    whole = load_run(tmp_path)
    for tables in found.values():
        assert tables[0].equals(whole.table())
        assert tables[2].equals(whole.generations())
        assert tables[1].equals(found[100][1])
    assert survey(tmp_path, suite) == (whole.there, whole.broken)


def test_a_run_is_its_suite_in_order(run: Path) -> None:
    with copied(run) as folder:
        write_suite(folder, Suite(name="small", trials=(trial(1), trial(2), trial(0))))
        found = load_run(folder)
        assert [one.seed for one in found.trials] == [1, 0]
        assert found.missing == (trial(2),)
        assert [[one.seed for one in group] for group in found.populations()] == [[0, 1]]

        write_suite(folder, Suite(name="small", trials=(trial(1),)))
        found = load_run(folder)
        assert [one.seed for one in found.trials] == [1]
        assert [one.seed for one in found.others] == [0]
        assert not found.broken


def test_the_table_has_a_row_for_every_trial_and_score(run: Path) -> None:
    with copied(run) as folder:
        table = published_table(folder)
        assert len(table) == 2 * len(load_trial(folder / trial(0).name).scores.numbers)
        assert {*scores(), *(one.name for one in evidence.NUMBERS)} <= set(table["score"])
        row = table.row(by_predicate=(polars.col("score") == "TRUE") & (polars.col("seed") == 1), named=True)
        assert (row["trial"], row["outcome"], row["value"]) == (trial(1).name, "not trained", None)
        assert row["reason"]
        assert json.loads(row["options"]) == {"alpha": 0.0, "size": 5}
        shutil.rmtree(folder / trial(0).name)
        shutil.rmtree(folder / trial(1).name)
        empty = published_table(folder)
        assert (len(empty), empty.schema) == (0, table.schema)


def changed(raw: bytes, way: str, at: float, new: bytes) -> bytes:
    place = int(at * len(raw))
    return {
        "cut off": raw[:place],
        "flipped": raw[:place] + bytes([raw[place] ^ 1]) + raw[place + 1 :],
        "overwritten": new,
        "inserted": raw[:place] + new + raw[place:],
    }[way]


@settings(max_examples=50)  # each copies a folder
@given(
    st.sampled_from(FILES),
    st.sampled_from(("cut off", "flipped", "overwritten", "inserted")),
    st.floats(0, 1, exclude_max=True),
    st.binary(min_size=1, max_size=40),
)
def test_a_damaged_file_costs_its_trial_and_no_other(
    run: Path, name: str, way: str, at: float, new: bytes
) -> None:
    with copied(run) as folder:
        file = folder / trial(0).name / name
        before = load_trial(file.parent).manifest
        file.write_bytes(changed(file.read_bytes(), way, at, new))
        found = load_run(folder)
        seeds = [one.seed for one in found.trials]
        if seeds == [0, 1]:  # a blank more or less in the manifest says the same
            assert name == MANIFEST
            assert found.trials[0].manifest == before
        else:
            assert seeds == [1]
            assert [broken for broken, _ in found.broken] == [trial(0).name]
            assert found.missing == (trial(0),)
        write_tables(folder)


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(run: Path, name: str) -> None:
    with copied(run) as folder:
        (folder / trial(0).name / name).unlink()
        with pytest.raises(StoreError, match=f"^{name} is missing$"):
            load_trial(folder / trial(0).name)


plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=9,
)


@settings(max_examples=50)  # each copies a folder
@given(st.sampled_from(("spec", "files", "versions", "started", "seconds", "seal", "new")), plain)
def test_a_manifest_that_is_sealed_and_wrong_is_refused(run: Path, key: str, value: Any) -> None:
    with copied(run) as folder:
        file = folder / trial(0).name / MANIFEST
        data = json.loads(file.read_text()) | {key: value}
        unsealed = {name: item for name, item in data.items() if name != "seal"}
        if key != "seal":
            data["seal"] = digest(unsealed)
        file.write_text(json.dumps(data))
        for one in load_run(folder).trials:
            assert one.seed == 1 or key in ("seconds", "versions", "started")


@pytest.mark.parametrize("name", ["../../secret", "/etc/hostname", "."])
def test_a_manifest_cannot_point_out_of_its_folder(run: Path, name: str) -> None:
    with copied(run) as folder:
        file = folder / trial(0).name / MANIFEST
        data = json.loads(file.read_text())
        data["files"][name] = "0"
        del data["seal"]
        file.write_text(json.dumps(data | {"seal": digest(data)}))
        with pytest.raises(StoreError):
            load_trial(file.parent)


@settings(max_examples=50)  # each copies a folder
@given(st.binary(max_size=60) | plain.map(lambda value: json.dumps(value).encode()) | st.just(b"[" * 100_000))
def test_a_damaged_suite_file_leaves_the_trials(run: Path, raw: bytes) -> None:
    with copied(run) as folder:
        (folder / "suite.json").write_bytes(raw)
        (folder / trial(0).name / MANIFEST).write_bytes(raw)
        found = load_run(folder)
        assert [one.seed for one in found.trials] == [1]
        assert [name for name, _ in found.broken] == ["suite.json", trial(0).name]


def test_a_folder_under_another_name_is_another_trial(run: Path) -> None:
    with copied(run) as folder:
        shutil.copytree(folder / trial(0).name, folder / trial(2).name)
        found = load_run(folder)
        assert found.broken == ((trial(2).name, f"{MANIFEST} describes another trial, {trial(0).name}"),)


def test_results_that_are_not_there_are_looked_for_nearby(run: Path) -> None:
    with pytest.raises(StoreError, match="'smal'; did you mean 'small'"):
        load_run(run.with_name("smal"))


def test_a_full_disk_leaves_nothing_half_written(
    tmp_path: Path, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = Path(shutil.copytree(run, tmp_path / "small"))
    before = {file: file.read_bytes() for file in there.rglob("*") if file.is_file()}
    calls = 0

    def fsync(descriptor: int) -> None:
        nonlocal calls
        calls += 1
        if calls == 4:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fsync)
    for one in (trial(2), trial(0)):
        calls = 0
        with pytest.raises(OSError, match="No space left") as caught:
            run_trial(one, there / one.name)
        assert is_full(caught.value)
    assert {file: file.read_bytes() for file in there.rglob("*") if file.is_file()} == before
    assert not hidden(there)


def test_a_full_disk_is_recognised_in_what_libraries_say() -> None:
    def raised(error: Exception, cause: Exception | None = None) -> Exception:
        try:
            raise error from cause
        except Exception as caught:
            return caught

    assert is_full(OSError(errno.EDQUOT, "quota"))
    assert is_full(raised(RuntimeError("cannot save"), OSError(errno.ENOSPC, "full")))
    assert is_full(RuntimeError("I/O error: No space left on device (os error 28)"))
    assert not is_full(raised(OSError(errno.EACCES, "no"), ValueError("no")))


def test_a_new_folder_takes_the_old_ones_place(tmp_path: Path) -> None:
    folder = tmp_path / "one"
    for text in ("first", "second"):
        with new_folder(folder) as beside:
            (beside / "file").write_text(text)
            assert not folder.exists() or (folder / "file").read_text() == "first"
        assert (folder / "file").read_text() == text

    def interrupted() -> None:
        with new_folder(folder) as beside:
            (beside / "file").write_text("third")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert (folder / "file").read_text() == "second"
    assert list(tmp_path.iterdir()) == [folder]


WRITER = """
import os, sys
from pathlib import Path
from mesabench.disk import new_folder, sole_writer
with sole_writer(Path(sys.argv[1])), new_folder(Path(sys.argv[1]) / "one") as beside:
    (beside / "file").write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def test_what_a_killed_writer_leaves_is_cleared_but_not_while_it_lives(tmp_path: Path) -> None:
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(tmp_path / "run")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert writer.stdout
    assert writer.stdout.readline() == b"writing\n"
    with pytest.raises(BusyError, match="in use by another process"), sole_writer(tmp_path / "run"):
        pass
    assert len(hidden(tmp_path / "run")) == 1
    writer.kill()
    writer.communicate()
    assert len(hidden(tmp_path / "run")) == 1
    with sole_writer(tmp_path / "run"):
        assert not list((tmp_path / "run").iterdir())
