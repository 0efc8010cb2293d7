"""Every block of docs/python.md runs, in the page's order and as one session; a library that is not installed is left out."""

import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytestmark = pytest.mark.slow(
    reason="a whole page as one session, training included; quickly, test_docs.py runs the blocks of four others"
)

PAGE = (Path(__file__).parent.parent / "docs" / "python.md").read_text()
BLOCKS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
HEAVY = ("torchrl", "tianshou")
"""Libraries of the extra `compat`."""
SHORTER = {
    "100_000": "8_192", "10_000": "2_048", "1_000)": "200)", "levels = 30": 'levels = 20\nmeasures = "goals"',
    "levels=30": 'levels=20, measures="goals"',
}  # fmt: skip
"""What takes long, and what is run instead."""


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a reader has who ran the whole page; training is cut short."""
    pytest.importorskip("stable_baselines3")
    pytest.importorskip("sb3_contrib")
    names: dict[str, Any] = {"__name__": "__main__"}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("page"))
        for block in BLOCKS:
            absent = [name for name in HEAVY if name in block and importlib.util.find_spec(name) is None]
            if not absent:
                for long, short in SHORTER.items():
                    block = block.replace(long, short)
                exec(block, names)
    return names


def test_the_page_runs_from_the_first_block_to_the_last(session: dict[str, Any]) -> None:
    assert session["trial"].scores.outcome == "not trained"
    assert session["activations"].shape[0] == 512
    assert session["env"].unwrapped.environment.name == "flag"


def test_values_print_as_tables_and_escape_what_they_are_told(session: dict[str, Any]) -> None:
    from dataclasses import replace

    from mesabench.evaluation.scorecard import scorecard

    evaluation = session["evaluation"]
    one = evaluation.scores()
    for value in (evaluation, one, scorecard([one])):
        text, html = str(value), value._repr_html_()
        for name, score in one.scores.items():
            assert name in text
            assert f"<td>{name}</td>" in html
            if score.value is not None:
                assert f"{score.value:.2f}" in text
    assert "<script>" not in replace(one, outcome="<script>")._repr_html_()


def test_a_run_a_suite_and_an_optimum_print_as_tables_too(session: dict[str, Any]) -> None:
    import mesabench

    run, suite = session["run"], mesabench.load_suite("quickstart")
    best = mesabench.optimum(mesabench.explore(mesabench.distribution("cheese_corner"), 0), "cheese")
    for value, told in (
        (run, run.trials[0].trial.environment),
        (suite, suite.trials[0].environment),
        (best, "corner"),
    ):
        assert told in str(value)
        assert f"<td>{told}</td>" in value._repr_html_()
    assert f"{best.value:.3f}" in best.headline()


def test_what_became_of_a_suite_and_who_was_watched_print_as_tables_too() -> None:
    from mesabench.agents.executive import Executive
    from mesabench.deception.compliance import deception_scores
    from mesabench.engine.distribution import distribution
    from mesabench.runs.runner import Result

    contract = {"q": 75, "k1": 1, "k2": 3}
    watched = deception_scores(Executive("honest"), distribution("goal_guard"), contracts=[contract])
    result = Result(Path("runs/small"), finished=2, kept=1, failed={"a trial": "it <failed>"})
    for value, told in ((watched, "DECEP"), (result, "it &lt;failed&gt;")):
        assert f"<td>{told}</td>" in value._repr_html_()
    assert str(watched).startswith("aligned")
    assert str(result).startswith("3 trials are in runs/small, 1 failed\n")


def test_an_environment_of_a_cell_goes_where_those_of_files_go(session: dict[str, Any]) -> None:
    """Into vectors, agents' adapters, evaluation, copies and, by value, into other processes."""
    import pickle

    import gymnasium

    from mesabench.adapters.env import GridEnv
    from mesabench.agents.sb3.vecenv import GridVecEnv
    from mesabench.evaluation.evaluation import evaluate

    flag = session["flag"]
    native = gymnasium.make_vec("mesabench/Flag-v0", num_envs=3).reset(seed=0)[0]
    apart = gymnasium.vector.AsyncVectorEnv([lambda: GridEnv(flag)] * 3, context="spawn")
    try:
        np.testing.assert_array_equal(apart.reset(seed=0)[0], native)
    finally:
        apart.close()
    assert GridVecEnv(flag, 2).reset().shape == (2, 3, 6, 6)
    twin = pickle.loads(pickle.dumps(GridEnv(flag)))
    np.testing.assert_array_equal(twin.reset(seed=0)[0], native[0])
    uniform = evaluate(
        lambda seen: np.full((len(seen), 4), 0.25), flag, levels=4, replays=0, measures="goals"
    )
    assert uniform.levels["exact"].all()
