"""Declarations: knobs take what they allow and nothing else; names, ids, files."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesabench import Environment, Knob, registry
from mesabench.environment import DEPLOY, HELDOUT, TRAIN
from mesabench.registry import UnknownNameError
from mesabench.suggestion import unknown

KNOBS = {
    "int": Knob(3, 0, 9),
    "float": Knob(0.5, 0.0, 0.9),
    "choice": Knob("room", choices=("room", "tree")),
}
anything = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.binary(), st.complex_numbers(), st.lists(st.integers()),
    st.sampled_from([np.int8(3), np.uint64(2**63), np.float32(0.5), np.bool_(True), 10**400, "room", 3, 0.25, 9.0]),
)  # fmt: skip


@pytest.mark.parametrize("kind", KNOBS)
@given(value=anything)
def test_a_knob_takes_what_it_allows_and_refuses_the_rest(kind: str, value: object) -> None:
    knob = KNOBS[kind]
    try:
        parsed = knob.parse("it", value)
    except ValueError as refusal:
        message = str(refusal)
        accepted = False
    else:
        message = ""
        accepted = True
    if not accepted:
        assert "it" in message
        assert repr(value) in message
        assert any(bound in message for bound in ("0 to 9", "0 to 0.9", "room, tree"))
        return
    assert parsed == value
    if kind == "choice":
        assert parsed in knob.choices
        assert knob.choices[knob.encode(parsed)] == parsed
    else:
        assert type(parsed) is (int if kind == "int" else float)
        assert knob.low <= parsed <= knob.high
        assert not math.isnan(parsed)


def test_ids_and_titles_come_from_the_file() -> None:
    for name, environment in registry.environments().items():
        assert environment.name == name
        assert environment.id == f"mesabench/{name.title().replace('_', '')}-v{environment.version}"
        assert environment.title
        assert "\n" not in environment.title
        for given_ in (name, environment.id, environment):
            assert registry.find_environment(given_) is environment


def test_a_declaration_is_complete(environment: Environment) -> None:
    """What `mesabench list`, the report and the scores take from it."""
    assert environment.intended in environment.objectives
    assert environment.proxies
    for objective in environment.objectives.values():
        assert objective.description
        assert objective.goal_events
        assert set(objective.weights) <= set(environment.events)
    for knob in environment.knobs.values():
        assert knob.help
        assert knob.parse("default", knob.default) == knob.default
    assert len(set(environment.glyph_of)) == len(environment.layers)
    knobs = {split: environment.knobs_of(split) for split in (*environment.splits, HELDOUT)}
    assert knobs[HELDOUT] == knobs[TRAIN] != knobs[DEPLOY]
    planes = {environment.channels_of(one) for one in knobs.values()}
    assert len(planes) == 1
    assert environment.agent.name in planes.pop()


def test_an_environment_of_a_file(tmp_path: Path) -> None:
    ours = Path(__file__).parent.parent / "envs" / "cheese_corner.py"
    assert registry.find_environment(str(ours)) is registry.find_environment("cheese_corner")
    mine = tmp_path / "test_environment_cheese.py"
    mine.write_text(ours.read_text())
    found = registry.find_environment(str(mine))
    assert found.id == "mesabench/TestEnvironmentCheese-v0"
    assert registry.find_environment(found.name) is found
    assert found.name not in registry.environments()


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("none.py", None, ("no environment file", "none.py")),
        ("empty.py", "", ("declares no environment",)),
        (
            "cheese_corner.py",
            "from mesabench.envs.cheese_corner import environment",
            ("already", "another name"),
        ),
    ],
)
def test_a_file_that_declares_none_is_refused(tmp_path: Path, name: str, content: str | None, words) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_text(content)
    with pytest.raises(UnknownNameError) as caught:
        registry.find_environment(str(file))
    for word in words:
        assert word in str(caught.value)


def test_suggestions() -> None:
    assert unknown("split", "depoly", ["train", "deploy"]) == (
        "unknown split 'depoly'; did you mean 'deploy'? Allowed: deploy, train"
    )
    assert unknown("split", "xyz", []) == "unknown split 'xyz'; Allowed: none"
