"""Population models: what is declared, how it runs, and the Irish elk's conditions with what was predicted of them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mesabench import registry
from mesabench.evolution.model import evolve, model_of
from mesabench.evolution.models import find_model
from mesabench.evolution.population import generations, run
from mesabench.registry import find_population
from mesabench.world import Condition, Knob

ROOT = Path(__file__).parents[2]
ELK = find_population("irish_elk")


@pytest.fixture(scope="module")
def outcomes() -> Any:
    """Every condition, eight seeds, as `mesabench evolve irish_elk` runs them."""
    return evolve(find_model("irish_elk"))


# ---------------------------------------------------------------- the elk

WHOLE = pytest.mark.slow(
    reason="the published table of every condition, eight seeds of each; few seeds are tried quickly"
)


@WHOLE
def test_every_condition_ends_as_predicted_and_random_mating_never_kills(outcomes: Any) -> None:
    for name, one in ELK.conditions.items():
        for measure, (low, high) in one.predicts.items():
            assert low <= outcomes.values(name, measure).mean() <= high, name
    controls = [name for name, one in ELK.conditions.items() if one.knobs.get("mating") == "random"]
    assert len(controls) > 8
    assert all(outcomes.values(name, "persists").all() for name in controls)
    exact = [
        one for one in ELK.conditions.values() if any(low == high for low, high in one.predicts.values())
    ]
    assert len(exact) > 15


def test_every_condition_with_choice_that_may_die_has_a_control_that_mates_at_random() -> None:
    for name, one in ELK.conditions.items():
        if one.control:
            control = ELK.conditions[one.control]
            assert control.knobs.get("mating") == "random", name
            same = {knob: value for knob, value in one.knobs.items() if knob not in ("mating", "choice_cost")}
            assert {knob: value for knob, value in control.knobs.items() if knob != "mating"} == same, name
            assert one.after == control.after, name


@WHOLE
def test_where_stags_alone_pay_the_end_is_sudden_and_where_both_pay_it_is_gradual(outcomes: Any) -> None:
    sudden, gradual = (float(np.median(outcomes.values(one, "last N"))) for one in ("choice", "both-pay"))
    assert sudden == 600
    assert gradual < 60
    sizes = [float(np.median(outcomes.values(one, "trait"))) for one in ("choice", "both-pay")]
    assert sizes == pytest.approx([15, 9], abs=1.5)


@pytest.mark.parametrize(
    "condition", ["choice", "random", "both-pay", "narrow", "best", "scarce", "very-costly"]
)
def test_a_third_of_the_animals_end_the_same_way(condition: str) -> None:
    ((low, high),) = ELK.conditions[condition].predicts.values()
    found = [run(ELK, condition, seed, {"capacity": 200}).measures()["persists"] for seed in range(4)]
    assert low <= np.mean(found) <= high


# ---------------------------------------------------------------- how a model runs


def test_a_seed_is_a_course_and_another_seed_another() -> None:
    one, again, other = (run(ELK, "choice", seed) for seed in (5, 5, 6))
    assert np.array_equal(one.means, again.means, equal_nan=True)
    assert np.array_equal(one.n, again.n)
    assert not np.array_equal(one.means[:50], other.means[:50])


def test_conditions_of_a_seed_begin_with_the_same_animals() -> None:
    first = [next(iter(generations(ELK, name, 2))) for name in ("choice", "random", "best")]
    assert np.array_equal(first[0].animals, first[1].animals)
    assert np.array_equal(first[0].animals, first[2].animals)


def test_the_world_changes_in_the_generation_that_is_named_and_not_before() -> None:
    stays, changes = run(ELK, "no-shift", 1), run(ELK, "shift", 1)
    assert np.array_equal(stays.trait[:151], changes.trait[:151])
    assert stays.trait[151] != changes.trait[151]


def test_animals_are_never_more_than_the_capacity_and_have_parents_of_both_sexes() -> None:
    before = None
    for one in generations(ELK, "both-pay", 0, {"capacity": 50}):
        assert len(one.animals) <= 50
        if before is not None:
            assert before.female[one.mothers].all()
            assert not before.female[one.fathers].any()
        before = one
    assert before is not None
    assert len(before.animals) == 0


def test_a_course_is_empty_from_the_extinction_on() -> None:
    course = run(ELK, "both-pay", 0)
    assert course.extinct_at
    assert (course.n[: course.extinct_at] > 0).all()
    assert (course.n[course.extinct_at :] == 0).all()
    assert np.isnan(course.trait[course.extinct_at :]).all()
    assert len(course.n) == 401


# ---------------------------------------------------------------- mistakes


@pytest.mark.parametrize(
    ("condition", "knobs", "words"),
    [
        ("choise", {}, "unknown condition of irish_elk 'choise'; did you mean 'choice'"),
        ("choice", {"capacity": 1}, "capacity=1: must be an integer from 2"),
        ("choice", {"widht": 1}, "unknown knob 'widht'; did you mean 'width'"),
        ("choice", {"after.widht": 1}, "unknown knob 'widht'"),
        ("choice", {"width": float("nan")}, "width=nan"),
        ("choice", {"mating": "none"}, "unknown value of knob 'mating'"),
    ],
)
def test_a_run_that_cannot_be_is_refused(condition: str, knobs: dict[str, object], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        run(ELK, condition, 0, knobs)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"conditions": {"a": Condition("")}}, "'a' has no control and is none: say control="),
        ({"conditions": {"a": Condition("", control="b")}}, "unknown control 'b'"),
        (
            {"conditions": {"a": Condition("", control="a", predicts={"persist": (0, 1)})}},
            "did you mean 'persists'",
        ),
        ({"conditions": {"a": Condition("", {"widht": 1}, control="a")}}, "did you mean 'width'"),
        ({"conditions": {"a": Condition("", {"births": -1}, control="a")}}, "births=-1"),
        ({"traits": ("antlers",)}, "a trait and the preference for it"),
        ({"knobs": {"births": Knob(1.0)}}, "knobs must include 'generations'"),
    ],
)
def test_a_declaration_that_lacks_something_is_refused(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        replace(ELK, **change)


def test_extinction_before_anything_is_inherited_is_told() -> None:
    found = evolve(find_model("irish_elk"), ["choice"], seeds=2, knobs={"births": 0})
    assert "2 of 2 seeds: dies out before anything is inherited" in found.remarks["choice"][0]
    assert found.told("choice", "persists").startswith("0 of 2")


def test_a_preference_without_variance_is_told() -> None:
    found = evolve(
        find_model("irish_elk"), ["choice"], seeds=1, knobs={"preference_variance": 0, "generations": 3}
    )
    assert found.remarks["choice"] == [
        "choice: 1 of 1 seeds: preference does not vary and cannot evolve: give it variance"
    ]


def test_two_animals_of_one_sex_are_the_end_and_not_an_error() -> None:
    ends = [run(ELK, "choice", seed, {"capacity": 2}).extinct_at for seed in range(8)]
    assert all(ends)


# ---------------------------------------------------------------- where models are found


def test_a_population_is_found_by_its_file(tmp_path: Path) -> None:
    assert "irish_elk" in registry.populations()
    assert "irish_elk" not in registry.environments()
    text = (ROOT / "envs" / "irish_elk.py").read_text()
    (tmp_path / "giant_deer.py").write_text(text.replace("Irish elk:", "Giant deer:"))
    mine = find_population(str(tmp_path / "giant_deer.py"))
    assert (mine.name, mine.title.split(":")[0]) == ("giant_deer", "Giant deer")
    assert find_model(str(tmp_path / "giant_deer.py")).name == "giant_deer"
    assert run(mine, "random", 0, {"generations": 5}).n.all()
    (tmp_path / "irish_elk.py").write_text(text)
    with pytest.raises(registry.UnknownNameError, match="there is a population 'irish_elk' already"):
        find_population(str(tmp_path / "irish_elk.py"))
    (tmp_path / "empty.py").write_text("population = 3")
    with pytest.raises(registry.UnknownNameError, match="it must say `population = Population"):
        find_population(str(tmp_path / "empty.py"))
    with pytest.raises(registry.UnknownNameError, match="did you mean 'irish_elk'"):
        find_model("irish_elks")


def test_a_chosen_condition_brings_its_control() -> None:
    found = evolve(model_of(ELK), ["narrow"], seeds=1, knobs={"generations": 2})
    assert [*found.found] == ["narrow", "narrow-random"]
    assert found.holds("narrow") is True
    assert found.json()["conditions"]["narrow"]["holds"] is None, "with other knobs nothing is predicted"
    assert not found.failed


def test_a_prediction_that_does_not_hold_is_told() -> None:
    wrong = replace(
        ELK,
        conditions=ELK.conditions
        | {"choice": replace(ELK.conditions["choice"], predicts={"persists": (1, 1)})},
    )
    found = evolve(model_of(wrong), ["choice"], seeds=1)
    assert found.failed == ["choice"]
    assert found.table().rows[0][-1] == "NOT AS PREDICTED"


@WHOLE
def test_the_table_of_the_page_is_what_the_command_prints(
    outcomes: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "docs"))
    import evolution_tables

    page = evolution_tables.PAGE.read_text("utf-8")
    assert "<!-- evolve irish_elk -->" in page
    assert evolution_tables.with_table(page, outcomes) == page, "run: python docs/evolution_tables.py"
