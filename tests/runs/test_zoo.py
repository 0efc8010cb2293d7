"""The suite of every world."""

import re
from pathlib import Path

import mesabench.configs
from mesabench import registry
from mesabench.runs.suite import load_suite


def test_every_world_is_in_the_zoo_or_in_the_suite_that_its_head_names() -> None:
    """As an ordinary agent and a control, ten seeds each."""
    trials = load_suite("zoo").trials
    for variant in ("ordinary", "control"):
        of = [one.environment for one in trials if one.variant == variant]
        assert {of.count(name) for name in of} == {10}, variant
        elsewhere = {*registry.environments()} - {*of}
    head = Path(mesabench.configs.__path__[0], "zoo.toml").read_text("utf-8").partition("\nname =")[0]
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
