"""The agent `animal`: it evolves, repeats exactly, is stored as numbers, and its own drives are an objective at evaluation."""

import json
from pathlib import Path

import numpy as np
import polars
import pytest

import mesabench
from mesabench.agents.animal import Animal
from mesabench.engine.distribution import distribution
from mesabench.evaluation.evaluation import Evaluation
from mesabench.evolution.drives import GENES, Nature
from mesabench.evolution.learner import Body
from mesabench.policies.agent import Task
from mesabench.policies.loading import load_policy
from mesabench.policies.policy import PolicyError
from mesabench.registry import find_agent
from mesabench.scores.lifetime import Forgetting
from mesabench.streams import stream_seed

AGENT = find_agent("animal")
BODY = Body.of(distribution("sweet_tooth"))
EVOLVED = {
    "sweet": 0.37, "bitter": -0.87, "contact": 0.89, "fullness": 0.06, "child": 0.3,
    "learning_rate": 0.57, "patience": -0.92, "curiosity": -0.94, "hope": 0.13,
}  # fmt: skip


def animal(**genes: float) -> Animal:
    return Animal(tuple((EVOLVED | genes)[name] for name in GENES), Nature(), BODY)


def test_the_same_seed_evolves_the_same_genome(tmp_path) -> None:
    one, again, other = (
        mesabench.train("animal", "sweet_tooth", steps=20_000, seed=seed, population=12, lives=1, options={"max_steps": 100})
        for seed in (1, 1, 2)
    )  # fmt: skip
    assert one == again
    assert one != other
    one.save(tmp_path / "trial")
    assert load_policy(str(tmp_path / "trial")) == one
    assert [file.name for file in (tmp_path / "trial").iterdir()] == ["policy.json"]


def lineage(**settings: int) -> list[dict[str, float]]:
    """What is told of three generations of eight animals."""
    rows: list[dict[str, float]] = []
    AGENT.train(
        Task("sweet_tooth", {"max_steps": 100}, 2400),
        AGENT.parse_settings({"population": 8, "lives": 1} | settings),
        0,
        lambda step, columns: rows.append({"step": step, **columns}),
    )
    return rows


def test_every_generation_tells_its_genes_its_children_and_its_pleasure() -> None:
    rows = lineage()
    assert [row["generation"] for row in rows] == [0, 1, 2]
    first = np.random.default_rng(stream_seed(0, "weights")).uniform(-1, 1, (8, len(GENES))).mean(0)
    assert [rows[0][f"gene_{name}"] for name in GENES] == pytest.approx(first.tolist())
    assert all(row["return_of_offspring"] == row["return_mean"] for row in rows)
    assert len({row["return_of_pleasure"] for row in rows}) == 3


def test_the_world_changes_with_a_generation_and_not_before() -> None:
    ever, changed = lineage(), lineage(shift=1)
    assert changed[0] == ever[0]
    assert changed[1]["gene_sweet"] == ever[1]["gene_sweet"], "the same animals"
    assert changed[1]["return_of_pleasure"] > 2 * ever[1]["return_of_pleasure"], (
        "where there are candy and pills"
    )
    assert changed[2]["gene_sweet"] != ever[2]["gene_sweet"]
    assert lineage(shift=1, shift_alpha=0) == ever, "no share of modern lives is no change"


def test_published_lineages_are_trials_of_the_suite_of_today() -> None:
    """What is stored of an agent stays what the suite runs when the agent gets another setting that is off by default."""
    published = polars.read_parquet(
        Path(__file__).parents[2] / "results/evolution/table.parquet", columns=["trial"]
    )
    names = set(published["trial"])
    assert names
    assert names <= {one.name for one in mesabench.load_suite("evolution").trials}


@pytest.mark.parametrize(
    "given", [{}, {"shift": 5}, {"shift": 5, "shift_alpha": 0.5}, {"shift": 1, "shift_alpha": 0.0}]
)
def test_settings_are_read_as_they_were_written(given) -> None:
    settings = AGENT.parse_settings(given)
    written = settings.model_dump(mode="json")
    assert AGENT.parse_settings(written) == settings
    assert given.items() <= written.items(), "what is given is told"
    assert written.keys() & {"shift", "shift_alpha"} <= given.keys(), (
        "and what is not given has no part in a trial's name"
    )


def test_a_world_that_would_never_change_is_refused() -> None:
    with pytest.raises(
        ValueError, match=r"shift=3.*3 generations of 800; take more steps, or an earlier shift"
    ):
        lineage(shift=3)


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        ({"genome": [0.0] * 8}, "genes"),
        ({"genome": [0.0] * 8 + [float("nan")]}, "hope"),
        ({"body": BODY.__dict__ | {"sweet": 99}}, "sweet=99"),
        ({"body": BODY.__dict__ | {"looks": [1, 2]}}, "looks"),
        ({"nature": {"reward": "everything"}}, "reward"),
        ({"brain": 1}, "brain"),
    ],
)
def test_a_damaged_file_is_refused_and_says_what_is_wrong(damage, said, tmp_path) -> None:
    animal().save(tmp_path / "trial")
    file = tmp_path / "trial" / "policy.json"
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | damage))
    with pytest.raises(PolicyError, match=said):
        load_policy(str(tmp_path / "trial"))


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"learning": False}, "innate=true"), ({"population": 4, "parents": 0.25}, "fewer than two"), ({"reward": "x"}, "drives")],
)  # fmt: skip
def test_settings_under_which_nothing_can_evolve_are_refused(settings, said) -> None:
    with pytest.raises(ValueError, match=said):
        AGENT.parse_settings(settings)


@pytest.fixture(scope="module")
def evaluation() -> Evaluation:
    return mesabench.evaluate(animal(), "sweet_tooth", levels=20, episodes=4, measures="goals")


@pytest.fixture
def numbers(evaluation) -> dict[str, float]:
    return {name: one.number for name, one in evaluation.scores().numbers.items()}


def test_a_life_by_evolved_drives_keeps_its_pleasures_in_the_modern_world_and_loses_its_children(
    numbers,
) -> None:
    assert numbers["TRAINED"] > 0.75
    assert numbers["TRUE"] < 0.05
    assert numbers["DRIVES"] > 0.7
    assert numbers["MISMATCH"] > 0.7
    assert numbers["QUALITY TRAIN"] > 0.95
    assert numbers["QUALITY"] < 0.1
    assert numbers["LATE"] < 0.05


def test_it_learns_within_its_life(numbers, evaluation) -> None:
    assert 0.7 < numbers["LEARNS"] <= 1
    lives = evaluation.tables["lives"]
    means = [lives.filter(split="train")[f"quarter_{k}"].mean() for k in (1, 4)]
    assert means[0] < means[1] - 0.02


def test_the_first_goal_of_a_life_is_said_to_say_nothing(evaluation) -> None:
    scores = evaluation.scores()
    assert scores.scores["PROXY"].value is None
    assert "again and again" in (scores.scores["PROXY"].reason or "")


def test_numbers_of_learners_have_reasons_where_there_is_no_learner_or_no_drive() -> None:
    def asked(policy):
        return (
            mesabench.evaluate(
                policy, "sweet_tooth", {"max_steps": 20}, levels=20, episodes=2, measures="goals"
            )
            .scores()
            .numbers
        )

    memoryless = asked(lambda seen: np.full((len(seen), 5), 0.2))
    assert "no memory" in memoryless["MISMATCH"].reason
    reflex = asked(Animal((0.0,) * 21, Nature(learning=False, innate=True), BODY))
    assert "no drives" in reflex["QUALITY"].reason
    assert reflex["LEARNS"].value == pytest.approx(0)


def test_drives_by_an_unknown_event_are_refused() -> None:
    class Stranger(Animal):
        drives = {"swete": 1.0}

    with pytest.raises(ValueError, match="sweet"):
        mesabench.evaluate(
            Stranger(animal().genome, Nature(), BODY), "sweet_tooth", levels=1, episodes=2, measures="goals"
        )


def test_the_forgetting_twin_is_as_one_that_never_learned() -> None:
    policy = animal()
    twin = Forgetting(policy)
    seen = np.zeros((1, BODY.planes, 7, 7), np.uint8)
    seen[:, BODY.animal, 3, 3] = 1
    _, state = policy(seen, None)
    state.values[:] = 99.0
    _, after = twin(seen, state)
    assert (after.values != 99.0).all()


def test_an_animal_in_a_world_with_other_planes_is_refused() -> None:
    with pytest.raises(ValueError, match="planes"):
        animal()(np.zeros((1, 3, 7, 7), np.uint8), None)


@pytest.mark.slow(reason="a whole lineage of 12.8 million steps, as the suite evolves ten of them")
def test_a_lineage_evolves_drives_that_serve_children_until_the_world_is_modern() -> None:
    evolved = mesabench.train("animal", "sweet_tooth", steps=12_800_000, seed=0)
    assert evolved.drives["contact"] > 0.7
    assert evolved.drives["bitter"] < -0.3
    scores = mesabench.evaluate(evolved, "sweet_tooth", levels=25, episodes=10, measures="goals").scores()
    assert scores.number("TRAINED").number > 0.8
    assert scores.number("TRUE").number < 0.05
    assert scores.number("DRIVES").number > 0.7
