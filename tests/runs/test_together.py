"""Seeds that are trained at once: shared out among the workers, each stored as the trial that it would be alone."""

import io
import shutil
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")

from rich.console import Console

from mesabench.runs import together
from mesabench.runs.execution import Report, run_trial
from mesabench.runs.runner import run_suite
from mesabench.runs.suite import Suite
from mesabench.runs.together import bundles_of, run_together
from mesabench.runs.trial import DRAWN, EvaluationSettings, Trial
from mesabench.runs.trial_folder import load_trial
from mesabench.runs.worker import log_of

SETTINGS = {"n_envs": 4, "n_steps": 4, "batch_size": 8, "hidden": [4]}


def trial(seed: int, agent: str = "ppo_batched", variant: str = "well", **options: Any) -> Trial:
    return Trial(
        environment="cheese_corner", options={"size": 5, **options}, agent=agent,
        settings=SETTINGS if agent == "ppo_batched" else {}, steps=32 if agent == "ppo_batched" else 0,
        seed=seed, variant=variant, evaluation=EvaluationSettings(levels=1, measures="goals"),
    )  # fmt: skip


def test_the_seeds_of_a_population_are_shared_out_among_the_workers() -> None:
    seeds = [trial(seed) for seed in range(5)]
    others = [trial(seed, "random") for seed in range(2)]
    assert bundles_of([*seeds, *others], 2) == [
        (others[0],), (others[1],), tuple(seeds[::2]), tuple(seeds[1::2])
    ]  # fmt: skip
    assert bundles_of(seeds[:2], 4) == [(seeds[0],), (seeds[1],)]
    assert bundles_of(seeds, 1) == [tuple(seeds)]


def test_only_trials_that_differ_in_nothing_but_their_seed_are_trained_at_once() -> None:
    apart = [trial(0), trial(0, variant="twin"), trial(0, alpha=1.0)]
    assert bundles_of(apart, 1) == [(one,) for one in apart]
    drawn = [trial(seed, place=DRAWN) for seed in range(8)]
    bundles = bundles_of(drawn, 1)
    assert 1 < len(bundles) < 8
    for bundle in bundles:
        assert len({str(one.settled()) for one in bundle}) == 1


SEEDS = [trial(seed) for seed in (2, 5, 11)]


def silent(one: Trial) -> Report:
    return lambda phase, step, columns: None


@pytest.fixture(scope="module")
def beside(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three seeds, trained at once."""
    folder, ends = tmp_path_factory.mktemp("beside"), []
    run_together(SEEDS, folder, silent, lambda one, error: ends.append((one, error)))
    assert ends == [(one, None) for one in SEEDS]
    return folder


def test_what_is_stored_of_a_seed_is_what_it_would_be_alone(beside: Path, tmp_path: Path) -> None:
    one = SEEDS[1]
    run_trial(one, tmp_path / one.name)
    alone, together_ = (load_trial(folder / one.name) for folder in (tmp_path, beside))
    assert alone.manifest.files == together_.manifest.files
    assert alone.curve.equals(together_.curve)
    assert len({load_trial(beside / each.name).manifest.files["weights.safetensors"] for each in SEEDS}) == 3


def test_a_run_trains_the_seeds_that_are_missing_at_once_and_tells_of_each(
    beside: Path, tmp_path: Path
) -> None:
    shutil.copytree(beside / SEEDS[1].name, tmp_path / "small" / SEEDS[1].name)
    lost = [
        one.model_copy(update={"settings": SETTINGS | {"device": "cuda"}, "variant": "lost"})
        for one in SEEDS[:2]
    ]
    said = io.StringIO()
    suite = Suite(name="small", trials=(*SEEDS, *lost))
    result = run_suite(suite, tmp_path, workers=1, console=Console(file=said, width=200))
    assert (result.finished, result.kept) == (2, 1), said.getvalue()
    for one in (SEEDS[0], SEEDS[2]):
        assert f"cheese_corner well ppo_batched seed {one.seed}: " in said.getvalue()
        again = load_trial(tmp_path / "small" / one.name)
        assert again.manifest.files == load_trial(beside / one.name).manifest.files
    assert result.failed.keys() == {one.name for one in lost}
    for one in lost:
        assert "device='cuda' needs an NVIDIA GPU" in result.failed[one.name]
        assert "device='cuda' needs" in log_of(tmp_path / "small" / one.name).read_text()


def test_a_seed_that_cannot_be_evaluated_is_no_end_of_the_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = together.store_evaluated

    def store_unless(one: Trial, *arguments: Any) -> None:
        if one.seed == 1:
            raise ValueError("no luck")
        store(one, *arguments)

    monkeypatch.setattr(together, "store_evaluated", store_unless)
    ends: dict[int, str] = {}
    run_together(
        [trial(seed) for seed in range(3)],
        tmp_path,
        silent,
        lambda one, error: ends.update({one.seed: str(error)}),
    )
    assert ends == {0: "None", 1: "no luck", 2: "None"}
    assert sorted(one.name for one in tmp_path.iterdir()) == [trial(0).name, trial(2).name]
