"""The page of learners: bars of what they serve, and how they came to it, with the numbers that are stored."""

from pathlib import Path

import polars
import pytest

from mesabench.evolution.drives import DRIVES
from mesabench.report import write_report
from mesabench.report.generations import courses
from mesabench.report.learners import shares
from mesabench.report.words import number
from mesabench.runs.cohort import populations_of
from mesabench.runs.execution import run_trial
from mesabench.runs.store import load_run, write_suite
from mesabench.runs.suite import parse_suite

SUITE = """
name = "lives"
seeds = 1
[evaluation]
levels = 2
measures = "goals"
[[trials]]
environments = "sweet_tooth"
agents = "animal"
steps = 1200
options = { max_steps = 50 }
settings = [{ population = 8, lives = 1, shift = 1 }, { population = 8, lives = 1, learning = false, innate = true }]
"""


@pytest.fixture(scope="module")
def lives(tmp_path_factory) -> Path:
    folder, suite = tmp_path_factory.mktemp("runs") / "lives", parse_suite(SUITE)
    write_suite(folder, suite)
    for one in suite.trials:
        run_trial(one, folder / one.name)
    return folder


def test_bars_stand_for_what_was_stored(lives) -> None:
    run = load_run(lives)
    one = populations_of(run)[0][0]
    table = one.trials[0].tables["lives"]
    for k, split in enumerate(("train", "deploy")):
        rows = table.filter(polars.col("split") == split)
        assert shares(one)[0, k].tolist() == pytest.approx([rows["drives"].mean(), rows["intended"].mean()])


def test_the_page_draws_learners_with_drives_and_leaves_reflexes_out(lives, tmp_path) -> None:
    page = write_report(lives, tmp_path / "page.html").read_text()
    section = page[page.index('id="learners"') :]
    section = section[: section.index("</section>")]
    assert section.count("<figure>") == 1
    assert "of its own drives" in section
    assert "optimum" in section


def test_the_first_goals_of_lives_are_not_told_as_they_say_nothing(lives, tmp_path) -> None:
    page = write_report(lives, tmp_path / "page.html").read_text()
    assert "First goal reached" not in page
    assert "everything is tried once" in page


def test_drives_are_drawn_over_generations_with_a_line_where_the_world_changes(lives, tmp_path) -> None:
    drives, reflexes = courses(populations_of(load_run(lives))[0])
    assert ["world changes" in one.figure for one in (drives, reflexes)] == [True, False]
    curve = load_run(lives).trials[0].curve
    for row, said in ((1, "before the world changes "), (-1, "in generation 3: ")):
        weights = ", ".join(f"{sense} {number(curve[f'gene_{sense}'][row])}" for sense in DRIVES)
        assert f"{said}{weights}" in drives.said
    page = write_report(lives, tmp_path / "page.html").read_text()
    section = page[page.index('<section id="generations"') :]
    assert section[: section.index("</section>")].count("<figure>") == 2
