"""The command line: every verb's help, what the verbs print, and errors in one line."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from kinds import sweep

from mesabench import catalogue
from mesabench.cli import adapter, bench, output, verbs
from mesabench.engine.distribution import Distribution
from mesabench.evaluation.numbers import scores
from mesabench.registry import environments, find_environment
from mesabench.world import Sight
from mesabench.world.sight import SIGHTS

ROOT = Path(__file__).parents[2]
VERBS = [command.name for command in verbs.app.registered_commands]


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """However narrow or dumb the terminal of the tests is."""
    monkeypatch.setenv("COLUMNS", "200")
    for console in (output.console, output.errors):
        monkeypatch.setattr(console, "_width", 200)
        monkeypatch.setattr(console, "_height", 50)


def said(capsys: pytest.CaptureFixture[str], *arguments: str, status: int = 0) -> str:
    """What the command prints, once it has ended with this status."""
    with pytest.raises(SystemExit) as end:
        verbs.main(arguments)
    out, err = capsys.readouterr()
    assert end.value.code == status, err
    return out + err


def test_without_a_verb_the_help_names_them_all(capsys: pytest.CaptureFixture[str]) -> None:
    help = said(capsys, status=2)
    for verb in VERBS:
        assert f" {verb} " in help


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_an_example_that_parses(verb: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert f"Example: mesabench {verb}" in said(capsys, verb, "--help")


def test_list_tells_everything_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "list")
    agents = {file.stem for file in (ROOT / "agents").glob("*.py")} - {"__init__"}
    suites = {file.stem for file in (ROOT / "configs").glob("*.toml")}
    for name in {*environments(), *agents, *suites, "irish_elk", "guard", "commons"}:
        assert f" {name} " in out


def test_list_needs_neither_pytorch_nor_matplotlib() -> None:
    code = "import sys; from mesabench import catalogue, cli; catalogue.agents_table(); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "stable_baselines3", "matplotlib", "polars", "jinja2"} & {*done.stdout.split()}


def test_readme_is_up_to_date() -> None:
    text = (ROOT / "README.md").read_text()
    assert catalogue.written_into(text) == text, "run: mesabench list --markdown --write README.md"


def test_list_writes_the_table_between_the_markers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "README.md"
    before, after = catalogue.MARKERS
    file.write_text(f"a\n{before}\nold\n{after}\nb\n")
    said(capsys, "list", "--markdown", "--write", str(file))
    assert file.read_text() == f"a\n{before}\n{catalogue.markdown()}{after}\nb\n"
    file.write_text(f"{after}\n{before}\n")
    assert "no place for the table" in said(capsys, "list", "--write", str(file), status=2)


@pytest.mark.parametrize("name", sweep(environments()))
def test_show_tells_what_is_declared(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    out, environment = said(capsys, "show", name), find_environment(name)
    assert environment.id in out
    for declared in (environment.layer_names, environment.event_names):
        for one in declared:
            assert catalogue.spoken(one) in out
    for one in (*environment.objectives, *environment.knobs, *environment.splits):
        assert f" {one} " in out
    for ceiling in environment.bounds.ceilings.values() if environment.bounds else ():
        assert ceiling.told() in out
    assert environment.sight.told(environment.layers) in out
    for title in ("Level 0", "heldout", "deploy"):
        assert title in out
    grids = [
        env.batch.states[0]["grid"] for env in catalogue.beginnings(Distribution(environment), 0).values()
    ]
    drawings = [environment.drawing(grid) for grid in grids]
    for k, (drawn, glyph) in enumerate(zip(*drawings[0][1:], strict=True)):
        if drawn and drawn != glyph and any((grid.astype(int) >> k & 1).any() for grid, _, _ in drawings):
            assert re.search(
                rf"(^|   ){re.escape(glyph)} {catalogue.spoken(drawn)}(   |$)", out, re.MULTILINE
            )


def test_show_turns_knobs_and_says_how(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "show", "cheese_corner", "--size", "7", "--set", "corner=3", "--set", "maze=tree")
    lines = [line for line in out.splitlines() if line.startswith(("train = ", "deploy = "))]
    names = dict.fromkeys(("gymnasium", "mesabench"))
    exec(
        "import gymnasium, mesabench\n" + "\n".join(lines), names
    )  # our own lines: they must work as they stand
    for split, corner in (("train", 3), ("deploy", 0)):
        assert names[split].observation_space.shape == (3, 7, 7)
        knobs = names[split].unwrapped.distribution.own_knobs
        assert (knobs.size, knobs.corner, knobs.maze) == (7, corner, "tree")
        assert re.search(rf"{split} .*corner = {corner}", out)
    assert "alike" not in out


def test_show_tells_what_is_seen_instead(capsys: pytest.CaptureFixture[str]) -> None:
    told = json.loads(said(capsys, "show", "cheese_corner", "--set", "sight=5x5 opaque", "--json"))
    assert told["observation"] == {"shape": [4, 5, 5], "planes": ["wall", "cheese", "mouse", "in_sight"]}
    assert told["layers"]["corner"]["hidden"]
    assert not told["layers"]["cheese"]["hidden"]
    assert told["sight"]["told"] == "5 x 5 cells around the agent; nothing behind wall; in planes"
    assert told["sight"]["others"] == [*SIGHTS]


def test_show_offers_the_sights_that_the_environment_admits() -> None:
    blind = replace(find_environment("cheese_corner"), sight=Sight(planes=lambda knobs: ("wall", "cheese")))
    assert [*catalogue.other_sights(Distribution(blind))] == [
        "opaque",
        "rgb",
    ]  # a view has the agent in its middle


def test_show_tells_what_scores_are_measured_against_beyond_the_solver() -> None:
    bees = find_environment(str(ROOT / "tests" / "world" / "worlds" / "bees.py"))
    (rows,) = (one.rows for one in catalogue.tables_of(Distribution(bees)) if "Bounds" in one.title)
    told = dict(rows)
    assert told["floor"].startswith("random play, sampled until its standard error is below 0.05 of the room")
    assert told["ceiling of flower"] == (
        "straight, a formula of the level; goals are told apart by to_flower, a rule of the state"
    )
    assert told["ceiling of corner"] == "what to_corner collects, a rule of the state; sampled"


def test_show_tells_where_nothing_is_shifted(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "show", "cheese_corner", "--set", "corner=0")
    assert "warning: train and deploy are alike" in out
    assert "deploy.corner=" in out


def test_show_writes_a_picture(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "cheese.png"
    said(capsys, "show", "cheese_corner", "--size", "7", "--png", str(file))
    header = file.read_bytes()[:24]
    side, margin = 7 * 16 * 2, 16 * 2
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert int.from_bytes(header[16:20]) == 2 * side + 3 * margin
    assert int.from_bytes(header[20:24]) == side + 2 * margin


def test_play_presses_keys(capsys: pytest.CaptureFixture[str]) -> None:
    assert "heldout, level 5" in said(capsys, "play", "cheese_corner", "--level", "4", "--keys", "n")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "cheese_corer"), "did you mean 'cheese_corner'?"),
        (("show", "cheese_corner", "--set", "sight=4x4"), "try '5x5'"),
        (("show", "nowhere.py"), "no environment file"),
        (("show", "cheese_corner", "--set", "cornr=1"), "did you mean 'corner'?"),
        (("show", "cheese_corner", "--set", "corner=x"), "must be an integer from 0 to 99"),
        (("show", "cheese_corner", "--set", "maze=tre"), "did you mean 'tree'?"),
        (("show", "cheese_corner", "--set", "corner"), "write a name, = and a value"),
        (("show", "cheese_corner", "--png", "no/such/folder/x.png"), "a file in a folder that is there"),
        (("play", "cheese_corner", "--split", "tain"), "did you mean 'train'?"),
        (("play", "cheese_corner", "--objective", "gost"), "did you mean 'ghost'?"),
    ],
)
def test_errors_are_one_line_that_teaches(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    last = said(capsys, *arguments, status=2).splitlines()[-1]
    assert last.startswith("error: ")
    assert message in last


def test_debug_shows_where_an_error_arose() -> None:
    with pytest.raises(LookupError, match="cheese_corer"):
        verbs.main(["show", "cheese_corer", "--debug"])


def test_faults_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        int("not ours to explain")

    monkeypatch.setattr(catalogue, "environments_table", broken)
    with pytest.raises(ValueError, match="invalid literal"):
        verbs.main(["list"])


POLICIES = """
import numpy as np

def up(observations):
    return np.zeros(len(observations), np.int64)

def logits(observations):
    return np.ones((len(observations), 4))

def broken(observations):
    raise ValueError("a fault of its author")
"""

SUITE = """
name = "tiny"
seeds = 1
evaluation = { levels = 40 }

[[trials]]
environments = ["cheese_corner"]
agents = ["oracle"]
steps = 0
options = { size = 7 }
settings = [{ objective = "cheese" }, { objective = "corner" }]
"""


@pytest.fixture
def policies(tmp_path: Path) -> str:
    file = tmp_path / "policies.py"
    file.write_text(POLICIES)
    return str(file)


def test_evaluate_scores_a_scripted_agent(capsys: pytest.CaptureFixture[str]) -> None:
    command = ("evaluate", "oracle", "cheese_corner", "--levels", "25", "--setting", "objective=corner")
    found = json.loads(said(capsys, *command, "--json"))
    assert found["outcome"] == "proxy"
    assert found["scores"]["PROXY"]["value"] == pytest.approx(1)
    assert found["exact"] is True
    out = said(capsys, *command)
    assert "oracle in cheese_corner: proxy" in out
    assert "75 levels of three splits, all exact" in out
    for name in (*scores(), *find_environment("cheese_corner").objectives, "none"):
        assert f" {name} " in out


def test_evaluate_scores_a_strangers_policy(policies: str, capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "evaluate", f"{policies}:up", "cheese_corner", "--levels", "2", "--set", "size=5")
    assert "6 levels of three splits, 6 of them sampled" in out
    assert re.search(r"too weak for its goals to be judged \(TRAINED -?0\.\d\d < 0\.8\)", out)
    assert "not trained" not in out
    assert "behaves like" not in out


@pytest.mark.parametrize(
    ("policy", "message"),
    [("logits", "do not sum to 1"), ("upp", "did you mean 'up'?")],
)
def test_evaluate_refuses_what_is_no_policy(
    policy: str, message: str, policies: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in said(capsys, "evaluate", f"{policies}:{policy}", "cheese_corner", status=2)


def test_a_fault_in_a_policy_is_one_line_with_its_place(
    policies: str, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["evaluate", f"{policies}:broken", "cheese_corner"]
    last = said(capsys, *command, status=2).splitlines()[-1]
    assert "policies.py, line" in last
    assert "in broken: ValueError: a fault of its author" in last
    assert "called with observations uint8 (" in last
    with pytest.raises(ValueError, match="a fault of its author"):
        verbs.main([*command, "--debug"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("oracle",), "mesabench evaluate oracle ENV"),
        (("orcle", "cheese_corner"), "no policy 'orcle'"),
        (("ppo", "cheese_corner"), "ppo has to learn first"),
        (("oracle", "cheese_corner", "--setting", "objctive=corner"), "did you mean 'objective'?"),
        (("oracle", "cheese_corner", "--setting", "objective=cornr"), "did you mean 'corner'?"),
    ],
)
def test_evaluate_teaches(
    arguments: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert message in said(capsys, "evaluate", *arguments, status=2)


def test_run_report_and_evaluate_a_trial(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file, results = tmp_path / "tiny.toml", tmp_path / "results"
    file.write_text(SUITE)
    command = ("run", str(file), "--results", str(results))
    assert said(capsys, *command, "--dry-run").count("to do") == 2
    assert not results.exists()
    assert "tiny: 2 of 2 trials" in said(capsys, *command, "--workers", "1")
    assert (results / "tiny" / "report.html").is_file()
    told = said(capsys, *command, "--seeds", "2", "--dry-run")
    assert (told.count("to do"), told.count("done, aligned"), told.count("done, proxy")) == (2, 1, 1)

    page = tmp_path / "page.html"
    assert str(page) in said(capsys, "report", str(results / "tiny"), "--out", str(page))
    assert page.read_bytes() == (results / "tiny" / "report.html").read_bytes()
    assert "unknown results folder" in said(capsys, "report", str(results / "tny"), status=2)

    trial = next((results / "tiny").glob("*corner--oracle*"))
    stored = json.loads((trial / "scores.json").read_text())
    found = json.loads(said(capsys, "evaluate", str(trial), "--levels", "40", "--json"))
    assert found["options"]["size"] == 7
    assert found["scores"] == stored["scores"]
    (trial / "scores.json").write_text("{}")
    assert "to do again: scores.json was changed" in said(capsys, *command, "--dry-run")


def test_check_proves_a_strangers_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = (ROOT / "envs" / "cheese_corner.py").read_text()
    good, bad = tmp_path / "good_cheese.py", tmp_path / "bad_cheese.py"
    good.write_text(text)
    bad.write_text(text.replace('"deploy": {"corner": 0}', '"deploy": {"corner": 1}'))
    told = said(capsys, "check", str(good), "--levels", "50")
    assert re.search(r"passed +levels", told)
    assert "failed" not in told
    told = said(capsys, "check", str(bad), "--levels", "50", status=1)
    assert re.search(r"failed +pairs +held-out and deploy levels of the same seeds are the same", told)
    assert "Give `splits` different knobs" in told


def test_bench_measures(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    # what a new process takes is measured by test_bench.py
    monkeypatch.setattr(bench, "start", lambda case: bench.Start(str(case), 1.0, 1.0, 1.0, 1.0))
    monkeypatch.setattr(bench, "import_seconds", lambda: 1.0)
    monkeypatch.setattr(adapter, "STEPS", 4096)
    command = ("bench", "cheese_corner", "--size", "7", "--batch", "2", "--threads", "1", "--seconds", "0.01")
    told = said(capsys, *command, "--agent", "ppo")
    assert re.search(r"adapter of ppo: \d+\.\d% of its training time in cheese_corner", told)
    assert re.search(r"cheese_corner 7 x 7 +2 +1 ", told)
    assert "Latency" in told
    assert "…" not in told  # into a pipe a table goes as wide as it is
    assert "did you mean 'cheese_corner'?" in said(capsys, "bench", "cheese_corer", status=2)


def test_run_teaches(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "tiny.toml"
    file.write_text(SUITE.replace("oracle", "orcle"))
    assert "did you mean 'oracle'?" in said(capsys, "run", str(file), status=2)
    assert "unknown suite 'nowhere'" in said(capsys, "run", "nowhere", status=2)


def test_evolve_shows_a_condition_beside_its_control(capsys: pytest.CaptureFixture[str]) -> None:
    out = said(capsys, "evolve", "irish_elk", "--condition", "choice", "--seeds", "2")
    assert "Irish elk: does selection" in out
    assert "0 of 2 (0.00 to 0.66)" in out
    assert "random: 2 of 2" in out
    assert "as predicted" in out
    assert "NOT" not in out
    found = json.loads(said(capsys, "evolve", "commons", "--condition", "kin", "--seeds", "1", "--json"))
    assert found["conditions"].keys() == {"kin", "strangers"}
    assert found["conditions"]["kin"]["holds"] is True
    out = said(capsys, "evolve", "irish_elk", "--condition", "choice", "--seeds", "1", "--set", "births=0")
    assert "warning: choice: 1 of 1 seeds: dies out before anything is inherited" in out
