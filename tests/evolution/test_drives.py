"""Evolved drives: what a genome develops into, that learning is learning, and that a generation repeats exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution, distribution
from mesabench.engine.level_text import from_text
from mesabench.evolution.drives import GENES, Nature
from mesabench.evolution.heredity import Truncation, price
from mesabench.evolution.learner import Body, Lifetimes, Memory, act

ANCESTRAL = distribution("sweet_tooth")
BODY = Body.of(ANCESTRAL)
REST = BODY.rest


def genome(**genes: float) -> np.ndarray:
    """One genome; of genes that are not named, 0. It learns at once and explores as seldom as can be."""
    given_genes = {"learning_rate": 1.0, "curiosity": -1.0} | genes
    return np.array([[given_genes.get(name, 0.0) for name in GENES]])


def level(text: str) -> Batch:
    states, _ = from_text(ANCESTRAL, text)
    batch = Batch(ANCESTRAL, 1)
    batch.reset(starts=states)
    return batch


def live(batch: Batch, minds, steps: int) -> tuple[list[int], Memory]:
    memory = Memory.at_birth(minds, np.arange(batch.n, dtype=np.uint64))
    actions = []
    for _ in range(steps):
        actions.append(act(BODY, minds, batch.observations, memory, np.ones(batch.n, bool)))
        batch.step(actions[-1])
    return actions, memory


ROUND_THE_STONE = """
#######
#@*o..#
#.....#
#.....#
#.....#
#.....#
#######
circle_is = 0
square_is = 5
triangle_is = 2
star_is = 3
cross_is = 4
diamond_is = 1
"""


def test_it_walks_to_the_nearest_of_a_look_around_other_things_by_a_shortest_way() -> None:
    batch = level(ROUND_THE_STONE.replace("circle_is = 0\n", ""))
    nature = Nature(innate=True, learning=False)
    genes = dict.fromkeys(nature.genes, -1.0) | {"hungry_0": 1.0, "ready_0": 1.0, "patience": 1.0}
    minds = nature.develop(np.array([list(genes.values())]))
    live(batch, minds, 4)  # down, right, right, up: through the stone it would be 2 steps
    assert (batch.states["y"][0], batch.states["x"][0]) == (1, 3)
    assert batch.states["energy"][0] == 1


def test_what_it_feels_on_arrival_becomes_the_value_of_going_there() -> None:
    batch = level(ROUND_THE_STONE)
    minds = Nature().develop(genome(sweet=0.5, hope=1.0, patience=-1.0))
    _, memory = live(batch, minds, 12)
    born = minds.born[0, 0, 0]
    assert memory.values[0, 0, 3] < born  # the star, nearest and a stone, was tried, and gave nothing
    assert (memory.values[0, :, 1] == born).all()  # squares were never met


@pytest.mark.parametrize("reward", ["drives", "fitness"])
def test_animals_that_feel_nothing_of_their_own_learn_from_children_only_if_these_are_the_reward(
    reward,
) -> None:
    """With all drives 0, nothing is worth more than anything else, except under `fitness`."""
    batch = Batch(ANCESTRAL, 20)
    batch.reset(levels=np.arange(20))
    minds = Nature(reward=reward).develop(genome(hope=0.0))
    memory = Memory.at_birth(minds, np.arange(20, dtype=np.uint64))
    for _ in range(300):
        batch.step(act(BODY, minds, batch.observations, memory, np.ones(20, bool)))
    assert (memory.values != 0).any() == (reward == "fitness")


def test_a_reflex_learns_nothing_and_has_no_drives() -> None:
    nature = Nature(learning=False, innate=True)
    genes = np.random.default_rng(0).uniform(-1, 1, (1, len(nature.genes)))
    minds = nature.develop(genes)
    batch = Batch(ANCESTRAL, 8)
    batch.reset(levels=np.arange(8))
    _, memory = live(batch, minds, 100)
    assert (memory.values == minds.born).all()
    assert nature.drives(genes[0]) == {}


def test_drives_are_told_by_event_as_they_are_felt() -> None:
    told = Nature(feeling=0.5).drives(genome(sweet=0.25, contact=0.5, child=0.5)[0])
    assert told == {"sweet": 0.25, "contact": 0.5, "child": 0.25}
    assert Nature(reward="fitness").drives(genome(sweet=1.0)[0]) == {"child": 1.0}


def test_the_same_seed_lives_the_same_generation_on_any_number_of_threads() -> None:
    animals = np.random.default_rng(0).uniform(-1, 1, (6, len(GENES)))
    found = [
        Lifetimes(ANCESTRAL, "offspring", Nature(), population=6, lives=2, seed=seed, threads=threads).live(
            animals
        )
        for seed, threads in ((1, 1), (1, 2), (2, 1))
    ]
    assert (found[0].fitness == found[1].fitness).all()
    assert (found[0].fitness != found[2].fitness).any()
    assert found[0].steps == 6 * 2 * 400


def test_animals_with_the_same_genome_have_the_same_fitness_as_they_share_levels_and_chance() -> None:
    animals = np.tile(np.random.default_rng(0).uniform(-1, 1, (1, len(GENES))), (5, 1))
    fitness = Lifetimes(ANCESTRAL, "offspring", Nature(), population=5, lives=3, seed=0).live(animals).fitness
    assert np.ptp(fitness) == 0


@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    population=st.integers(8, 40),
    share=st.floats(0.25, 1),
    mutation=st.floats(0, 1),
)
def test_children_are_the_mean_of_two_of_the_fittest_and_price_accounts_for_all_that_changes(
    seed, population, share, mutation
) -> None:
    search = Truncation(3, population, share, mutation, seed)
    before = search.ask().copy()
    fitness = np.random.default_rng(seed).normal(size=population)
    search.tell(before, fitness)
    after = search.ask()
    assert (abs(after) <= 1).all()
    fittest = before[np.argsort(-fitness)[: int(share * population)]]
    if mutation == 0:
        assert (after >= fittest.min(0) - 1e-12).all()
        assert (after <= fittest.max(0) + 1e-12).all()
    assert np.isin(before[search.of], fittest).all(), "nobody else has children"
    for gene in range(3):
        found = price(before[:, gene], after[:, gene], search.of)
        assert found.change == pytest.approx(found.selection + found.transmission, abs=1e-12)
        if mutation == 0:
            assert found.transmission == pytest.approx(0, abs=1e-12), (
                "children are what their parents are, on average"
            )


def test_the_price_equation_accounts_for_every_generation_of_a_lineage() -> None:
    search = Truncation(len(GENES), 8, 0.25, 0.08, seed=0)
    lives = Lifetimes(
        distribution("sweet_tooth", max_steps=50), "offspring", Nature(), population=8, lives=1, seed=0
    )
    selected = 0.0
    for generation in range(5):
        before = search.ask()
        search.tell(before, lives.live(before, generation).fitness)
        for gene in range(len(GENES)):
            found = price(before[:, gene], search.ask()[:, gene], search.of)
            assert found.change == pytest.approx(found.selection + found.transmission, abs=1e-12)
            selected += abs(found.selection)
    assert selected > 0.1


def test_a_gene_that_is_no_number_or_too_large_is_refused_by_its_name() -> None:
    for value in (np.nan, np.inf, 1.5):
        animals = np.zeros((3, len(GENES)))
        animals[2, GENES.index("contact")] = value
        with pytest.raises(ValueError, match="gene contact of genome 2"):
            Nature().develop(animals)
    with pytest.raises(ValueError, match=r"must have the shape \(animals, 9\)"):
        Nature().develop(np.zeros((3, 8)))


def test_a_population_without_two_parents_is_refused() -> None:
    with pytest.raises(ValueError, match="two at least"):
        Truncation(9, 4, 0.25, 0.08, 0)


def test_a_world_in_which_animals_lack_a_sense_is_refused() -> None:
    with pytest.raises(ValueError, match="sweet_tooth"):
        Body.of(distribution("cheese_corner"))
    assert Body.of(Distribution(ANCESTRAL.environment, "deploy")) == BODY
