"""The pictures of published lineages, drawn of results that are made up here: what is told is what is drawn."""

import json
from pathlib import Path
from types import ModuleType

import numpy as np
import polars
import pytest

from mesabench.evolution.drives import DRIVES, GENES

EVOLVED = 0.37, -0.87, 0.89, 0.06, 0.3, 0.57, -0.92, -0.94, 0.13
"""A genome that evolved, in the order of GENES."""
TOLD: list[tuple[str, dict[str, object], dict[str, object], dict[str, float]]] = [
    ("drives", {"alpha": 0.0}, {}, {"TRUE": 0.0}),
    ("drives-alpha-0.5", {"alpha": 0.5}, {}, {"TRUE": 0.1}),
    ("drives-control", {"alpha": 1.0}, {}, {"TRUE": 0.6}),
    ("modern-after", {"alpha": 0.0}, {"shift": 2}, {"TRUE": 0.62}),
    ("modern-before", {"alpha": 1.0}, {"shift": 2, "shift_alpha": 0.5}, {"TRUE": 0.5}),
    ("instinct-short", {"looks": "fixed", "max_steps": 25}, {}, {"TRUE": 0.65, "LEARNS": 0.1}),
    ("instinct-long", {"looks": "fixed", "max_steps": 400}, {}, {"TRUE": 0.2, "LEARNS": 0.25}),
    ("instinct-drawn-max_steps-25", {"max_steps": 25}, {}, {"TRUE": 0.0, "LEARNS": 0.5}),
    ("instinct-drawn-max_steps-400", {"max_steps": 400}, {}, {"TRUE": -0.01, "LEARNS": 0.7}),
]
GENERATIONS = 4


@pytest.fixture
def script(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script that draws them, for a run as the suite publishes it, of two seeds."""
    monkeypatch.syspath_prepend(str(Path(__file__).parents[2] / "docs"))
    import draw_generations

    rows, generations = [], []
    for seed in range(2):
        for variant, options, settings, scores in TOLD:
            for score, value in scores.items():
                told = {
                    "trial": f"{variant}-{seed}",
                    "environment": "sweet_tooth",
                    "variant": variant,
                    "seed": seed,
                }
                rows.append(told | {"options": json.dumps(options), "settings": json.dumps(settings)}
                            | {"score": score, "value": value + seed / 100})  # fmt: skip
            for k in range(GENERATIONS):
                genes = {
                    f"gene_{name}": gene * k / (GENERATIONS - 1)
                    for name, gene in zip(GENES, EVOLVED, strict=True)
                }
                means = {"return_of_offspring": 10.0 + k, "return_of_pleasure": 20.0 + k}
                generations.append({"trial": f"{variant}-{seed}", "generation": k} | genes | means)
    polars.DataFrame(rows).write_parquet(tmp_path / "table.parquet")
    polars.DataFrame(generations).write_parquet(tmp_path / "generations.parquet")
    monkeypatch.setattr(draw_generations, "PUBLISHED", tmp_path)
    monkeypatch.setattr(draw_generations, "LIVES", 4)
    return draw_generations


def test_drives_have_a_line_where_the_world_changes(script: ModuleType) -> None:
    weights, *lives = script.generations().axes
    assert len(weights.lines) == 2 * len(DRIVES) + 1
    for axes in (weights, *lives):
        assert set(axes.lines[-1].get_xdata()) == {2}
    assert [axes.lines[0].get_ydata()[-1] for axes in lives] == [13, 23]


def test_the_curve_of_shares_has_two_branches_that_meet_in_the_modern_world(script: ModuleType) -> None:
    (axes,) = script.shares().axes
    ordinary, other = (axes.lines[k] for k in (0, 2))
    assert ordinary.get_xdata().tolist() == [0, 0.5, 1]
    assert ordinary.get_ydata() == pytest.approx([0.005, 0.105, 0.605])
    assert other.get_xdata().tolist() == [0.5, 1]
    assert other.get_ydata() == pytest.approx([0.505, 0.605])


def test_instinct_and_learning_are_told_two_by_two(script: ModuleType) -> None:
    panels = script.instinct().axes
    shown = {axes.get_title(loc="left"): [bar.get_width() for bar in axes.patches] for axes in panels}
    assert shown == {
        "looks fixed, lives of 25 steps": pytest.approx([0.105, 0.655]),
        "looks drawn anew, lives of 25 steps": pytest.approx([0.505, 0.005]),
        "looks fixed, lives of 400 steps": pytest.approx([0.255, 0.205]),
        "looks drawn anew, lives of 400 steps": pytest.approx([0.705, -0.005]),
    }


def test_one_genome_has_children_where_it_evolved_and_pleasure_in_both_worlds(script: ModuleType) -> None:
    drawn = {}

    def gallery(rows):
        drawn.update(rows[0])

    script.lives(gallery)
    assert [title.partition(":")[0] for title in drawn] == ["Ancestral", "Modern", "Of what could be had"]
    assert {picture.shape for picture in drawn.values()} == {(7 * script.CELL, 7 * script.CELL, 3)}
    ancestral, modern = (script._lived(EVOLVED, split)[2] for split in (script.HELDOUT, script.DEPLOY))
    assert ancestral.min() > 0.5
    assert modern[1] > 0.5
    assert modern[0] < 0.2


def test_children_come_with_age_where_it_learns_and_not_where_it_forgets(script: ModuleType) -> None:
    (axes,) = script.learning().axes
    learns, forgets = (np.asarray(line.get_ydata()) for line in axes.lines)
    assert len(learns) == 400 // script.WINDOW
    assert learns[-4:].mean() > 1.2 * learns[0]
    assert learns[-4:].mean() > 2 * forgets.mean()
