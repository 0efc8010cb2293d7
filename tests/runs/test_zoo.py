"""The suite of every world."""

import re
from collections import Counter
from pathlib import Path

import mesabench.configs
from mesabench import registry
from mesabench.runs.suite import load_suite


def test_every_world_is_in_the_zoo_or_in_the_suite_that_its_head_names() -> None:
    """As an ordinary agent and a control, ten seeds each; the head says which has no control."""
    trials = load_suite("zoo").trials
    head = Path(mesabench.configs.__path__[0], "zoo.toml").read_text("utf-8").partition("\nname =")[0]
    ordinary, control = (
        Counter(one.environment for one in trials if one.variant == variant)
        for variant in ("ordinary", "control")
    )
    assert {*ordinary.values(), *control.values()} == {10}
    assert {*ordinary} - {*control} == {*re.findall(r"(\w+) has no control", head)}
    elsewhere = {*registry.environments()} - {*ordinary}
    told = {
        name: suite
        for names, suite in re.findall(r"((?:\w+, )*(?:\w+ and )?\w+) (?:is|are) in `(\w+)`", head)
        for name in re.split(r", | and ", names)
    }
    assert {*told} == elsewhere
    for name, suite in told.items():
        assert name in {one.environment for one in load_suite(suite).trials if one.agent == "ppo"}, (
            name,
            suite,
        )
