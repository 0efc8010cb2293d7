"""Genomes and what develops from them, a generation's lives, and the search: no library and no network's framework is needed."""

import numpy as np
import pytest

from mesabench.engine.batch import Batch
from mesabench.engine.distribution import distribution_of
from mesabench.evolution.lineage import evolve
from mesabench.evolution.search import Code, Lives, OpenAIES, choose

ROOM = {"size": 5, "maze": "room", "max_steps": 16}
PLANES, ACTIONS = 3, 4
INPUTS = PLANES * 25


def flat(observations: np.ndarray) -> np.ndarray:
    return observations.reshape(len(observations), -1)


def lives(
    population: int = 6,
    levels: int = 32,
    seed: int = 0,
    threads: int = 1,
    hidden: int = 0,
    **options: float | str,
) -> Lives:
    distribution = distribution_of("cheese_corner", ROOM | options)
    inputs = int(np.prod(distribution.engine.observation_shape))
    code = Code.direct(inputs, ACTIONS, hidden)
    return Lives(
        distribution, "cheese", code, flat, np.ones(inputs), population=population, levels=levels, seed=seed, threads=threads
    )  # fmt: skip


def genomes(made: Lives, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.1, (made.population, made.code.genes))


def test_a_gene_of_the_fovea_sets_the_weights_of_its_place_and_no_other() -> None:
    code = Code.fovea((2, 7, 7), 1, ACTIONS)
    assert code.genes == (2 * (9 + 8) + 1) * ACTIONS + ACTIONS
    weights = [
        code.develop(np.eye(code.genes)[[gene]]).first[0, :, 0] for gene in range(0, code.genes, ACTIONS)
    ]
    planes = [one[:-1].reshape(2, 7, 7) for one in weights]
    middle = np.zeros((2, 7, 7))
    middle[0, 3, 3] = 1
    assert (planes[4] == middle).all(), "the cell in the middle has genes of its own"
    east = np.zeros((2, 7, 7))
    east[1, 3, 5:] = 1
    east[1, 2:5, 6] = 1
    assert (planes[17 + 9] == east).all(), "all cells that lie farther off in the east share theirs"
    assert weights[34].tolist() == [0] * 98 + [1]
    assert (np.sum(weights, axis=0) == 1).all(), "every input has one gene for each action"


def test_cheese_corner_needs_140_genes_in_place_of_972() -> None:
    assert Code.fovea((2, 11, 11), 0, ACTIONS).genes == 140
    assert Code.direct(242, ACTIONS).genes == 972


@pytest.mark.parametrize("hidden", [0, 5])
def test_animals_act_by_their_own_networks(hidden: int) -> None:
    """The kernel against the same sums in NumPy."""
    rng = np.random.default_rng(1)
    code = Code.direct(INPUTS, ACTIONS, hidden)
    inputs = (rng.random((12, INPUTS)) < 0.2).astype(np.uint8) * rng.integers(1, 9, INPUTS).astype(np.uint8)
    scale, draws = rng.random(INPUTS), rng.random(12)
    network = code.develop(rng.normal(size=(3, code.genes)))
    running = np.arange(12) != 7
    actions, probabilities = choose(inputs, scale, network, running, draws)
    for i in range(12):
        first, first_bias, second, second_bias = (part[i // 4] for part in network)
        sums = (inputs[i] * scale) @ first + first_bias
        sums = np.maximum(sums, 0) @ second + second_bias if hidden else sums
        odds = np.exp(sums - sums.max()) / np.exp(sums - sums.max()).sum()
        if i == 7:
            assert probabilities[i].tolist() == [0] * ACTIONS, "its life is over"
        else:
            np.testing.assert_allclose(probabilities[i], odds, atol=1e-12)
            assert actions[i] == (np.cumsum(odds) <= draws[i]).sum()


def test_equal_genomes_have_equal_lives() -> None:
    made = lives()
    one = genomes(made)[:1]
    fitness = made.live(np.repeat(one, made.population, axis=0)).fitness
    assert len({*fitness.tolist()}) == 1, "common random numbers"


def test_lives_depend_on_the_seed_and_not_on_threads() -> None:
    def lived(**settings: int) -> list[bytes]:
        made = lives(**settings)
        return [made.live(genomes(made)).fitness.tobytes() for _ in range(3)]

    assert lived(threads=1) == lived(threads=2)
    assert lived(seed=1) != lived(seed=0)
    assert len({*lived()}) == 3, "every generation lives on levels of its own"


def test_fitness_is_the_mean_discounted_return_and_steps_are_those_lived() -> None:
    made = lives(population=4, levels=3)
    generation = made.live(genomes(made))
    batch = made.batch
    worth = 0.97 ** (batch.states["_clock"] - 1.0)
    np.testing.assert_allclose(generation.fitness, (batch.returns[:, 0] * worth).reshape(4, 3).mean(1))
    assert generation.steps == batch.states["_clock"].sum()
    assert generation.columns["episodes"] == 12
    assert generation.columns["length_mean"] == pytest.approx(batch.states["_clock"].mean())


def test_training_levels_are_lived_on_and_none_that_is_held_out() -> None:
    maze = {"size": 7, "maze": "tree"}
    made = lives(population=2, levels=64, **maze)
    made.live(genomes(made))
    held_out = Batch(distribution_of("cheese_corner", ROOM | maze | {"split": "heldout"}), 200)
    held_out.reset(levels=np.arange(200))
    assert not np.intersect1d(made.batch.layouts, held_out.layouts).size


def test_evolution_strategies_climb() -> None:
    search = OpenAIES(np.zeros(5), 0.1, 20, 0.05, seed=0)
    for _ in range(200):
        asked = search.ask()
        search.tell(asked, -((asked - 1) ** 2).sum(1))
    np.testing.assert_allclose(search.mean, 1, atol=0.1)


def test_a_generation_is_whole_and_told_of() -> None:
    seen: list[int] = []
    made = lives()
    search = OpenAIES(np.zeros(made.code.genes), 0.1, made.population, 0.05, seed=0)
    evolve(search, made, 6000, lambda step, columns: seen.append(step))
    assert seen == sorted({*seen})
    assert seen[-2] < 6000 <= seen[-1]


def test_genomes_that_fit_no_network_are_refused() -> None:
    code = Code.direct(3, 2)
    with pytest.raises(ValueError, match=r"\(animals, 8\); got \(4, 7\).*evolved under the same code"):
        code.develop(np.zeros((4, 7)))
    for wrong in (np.nan, np.inf):
        genome = np.zeros((4, 8))
        genome[2, 5] = wrong
        with pytest.raises(ValueError, match=r"gene 5 of genome 2 is (nan|inf).*lower sigma"):
            code.develop(genome)


def test_a_world_in_which_nothing_can_be_selected_is_told() -> None:
    made = lives(max_steps=1, size=9)
    search = OpenAIES(np.zeros(made.code.genes), 1e-9, made.population, 0.05, seed=0)
    with pytest.warns(UserWarning, match="nothing was selected: take more steps"):
        evolve(search, made, 10, lambda step, columns: None)
