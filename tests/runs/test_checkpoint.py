"""A killed evolution goes on from its last generation, and ends as one that ran through, byte for byte."""

from itertools import count
from pathlib import Path

import numpy as np
import pytest

from mesabench.policies.agent import Note
from mesabench.runs import checkpoint, origin
from mesabench.runs.checkpoint import Checkpoint, checkpoint_of
from mesabench.runs.execution import run_trial
from mesabench.runs.trial import EvaluationSettings, Trial

TINY = {
    "animal": ("sweet_tooth", {"max_steps": 50}, {"population": 8, "lives": 1}, 50 * 8 * 5),
    "evolution": ("cheese_corner", {"size": 5}, {"population": 4, "levels_per_generation": 2}, 2000),
}


def trial(agent: str, **settings: object) -> Trial:
    environment, options, least, steps = TINY[agent]
    return Trial(
        environment=environment, options=options, agent=agent, settings={**least, **settings}, steps=steps, seed=3, variant="x",
        evaluation=EvaluationSettings(levels=1, measures="goals"),
    )  # fmt: skip


def killed_after(generations: int):
    calls = count()

    def report(phase: str, step: int, columns: object) -> None:
        if next(calls) > generations:
            raise KeyboardInterrupt

    return report


@pytest.fixture(autouse=True)
def noted_at_once(monkeypatch) -> None:
    monkeypatch.setattr(checkpoint, "EVERY", 0.0)


def stored(folder: Path) -> dict[str, bytes]:
    return {
        file.name: file.read_bytes()
        for file in folder.iterdir()
        if file.name.startswith(("policy", "weights", "curve"))
    }


@pytest.mark.parametrize(
    ("agent", "settings"), [("animal", {"shift": 3}), ("evolution", {"algorithm": "cma"}), ("evolution", {"algorithm": "openai"})]
)  # fmt: skip
def test_a_killed_evolution_ends_in_the_genome_of_one_that_ran_through(agent, settings, tmp_path) -> None:
    one = trial(agent, **settings)
    run_trial(one, tmp_path / "through" / one.name)
    folder = tmp_path / "killed" / one.name
    folder.parent.mkdir()
    for generations in (2, 3):
        with pytest.raises(KeyboardInterrupt):
            run_trial(one, folder, killed_after(generations))
    lived = len(Checkpoint(one, folder).read().arrays["fitness"])
    assert lived >= 3
    run_trial(one, folder)
    assert stored(folder) == stored(tmp_path / "through" / one.name)
    assert not checkpoint_of(folder).exists()


def test_generations_that_were_noted_are_not_lived_again(tmp_path, monkeypatch) -> None:
    from mesabench.evolution.learner import Lifetimes

    one = trial("animal")
    folder = tmp_path / one.name
    with pytest.raises(KeyboardInterrupt):
        run_trial(one, folder, killed_after(3))
    known = len(Checkpoint(one, folder).read().arrays["fitness"])
    lived, live = [], Lifetimes.live
    monkeypatch.setattr(Lifetimes, "live", lambda self, *told: lived.append(1) or live(self, *told))
    run_trial(one, folder)
    assert len(lived) + known == 5


NOTE = Note({"fitness": np.array([[1.0, np.nan]])}, {"rng": {"state": 2**127, "text": "x"}})


def test_a_note_is_read_as_it_was_written(tmp_path) -> None:
    one = trial("animal")
    Checkpoint(one, tmp_path / "t").write(NOTE)
    found = Checkpoint(one, tmp_path / "t").read()
    assert found.plain == NOTE.plain
    assert found.arrays["fitness"].tobytes() == NOTE.arrays["fitness"].tobytes()
    assert [file.name for file in tmp_path.iterdir()] == ["t.checkpoint.npz"]


def test_a_note_that_is_damaged_or_of_another_trial_or_other_versions_is_none(
    tmp_path, monkeypatch, capsys
) -> None:
    one, other = trial("animal"), trial("animal", mutation=0.5)
    folder = tmp_path / "t"
    assert Checkpoint(one, folder).read() is None
    Checkpoint(one, folder).write(NOTE)
    assert Checkpoint(other, folder).read() is None
    with monkeypatch.context() as changed:
        changed.setattr(origin, "versions", lambda: {"numpy": "0"})
        assert Checkpoint(one, folder).read() is None
    whole = checkpoint_of(folder).read_bytes()
    for damaged in (whole[: len(whole) // 2], b"", b"PK\x03\x04", whole.replace(b"NUMPY", b"PICKL")):
        checkpoint_of(folder).write_bytes(damaged)
        assert Checkpoint(one, folder).read() is None
        assert "begins anew" in capsys.readouterr().out
    checkpoint_of(folder).write_bytes(whole)
    assert Checkpoint(one, folder).read() is not None


def test_arrays_of_objects_which_could_execute_code_are_not_read(tmp_path) -> None:
    class Evil:
        def __reduce__(self):
            return (Path.touch, (tmp_path / "executed",))

    np.savez(checkpoint_of(tmp_path / "t"), plain=np.array(Evil(), object))
    assert Checkpoint(trial("animal"), tmp_path / "t").read() is None
    assert not (tmp_path / "executed").exists()


def test_a_note_is_written_only_when_some_time_has_passed(tmp_path) -> None:
    time = [0.0]
    kept = Checkpoint(trial("animal"), tmp_path / "t", every=5, now=lambda: time[0])
    for now, there in ((1.0, False), (6.0, True)):
        time[0] = now
        kept.write(NOTE)
        assert checkpoint_of(tmp_path / "t").exists() == there
