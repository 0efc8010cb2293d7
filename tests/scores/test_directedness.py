"""MEG and its kin: against the definition, an independent optimiser, and the properties that were proved of them."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kinds import sweep
from scipy.optimize import minimize

from mesabench import registry, solver
from mesabench.engine.distribution import distribution_of
from mesabench.engine.level_text import from_text
from mesabench.scores import directedness
from mesabench.scores import reference as reference_module
from mesabench.scores.directedness import RandomPlay
from mesabench.scores.reference import reference_of
from mesabench.scores.structure import funnel, structure
from mesabench.solver.graph import LevelGraph, explore, explore_state

LEVELS = ("cheese_corner", "lava_land", "absent_supervisor")
Processes = Callable[..., LevelGraph]


def of(graph: LevelGraph, weights: np.ndarray) -> tuple[RandomPlay, float, float]:
    """Random play of an objective, and the least and largest return that can be had."""
    best, worst = (_optimum(graph, sign * weights) * sign for sign in (1, -1))
    return RandomPlay(graph, weights, solver.optimal_actions(graph, weights)), worst, best


def _optimum(graph: LevelGraph, weights: np.ndarray) -> float:
    return float(solver.solve(graph, [weights], keep=False).values[0])


def value_of(graph: LevelGraph, policy: np.ndarray, weights: np.ndarray) -> tuple[float, float]:
    """Return of a policy, float (horizon, states, actions), and its relative entropy to random play, by brute recursion."""
    rewards = graph.pays(weights)

    def at(t: int, s: int) -> tuple[float, float]:
        if t == graph.horizon or s < 0:
            return 0.0, 0.0
        value = nats = 0.0
        for a in range(graph.n_actions):
            p = policy[t, s, a]
            if p == 0:
                continue
            nats += p * np.log(p * graph.n_actions)
            for k in range(graph.first[s * graph.n_actions + a], graph.first[s * graph.n_actions + a + 1]):
                later, more = at(t + 1, int(graph.successor[k]))
                value += p * graph.probability[k] * (rewards[k] + graph.environment.discount * later)
                nats += p * graph.probability[k] * more
        return value, nats

    return at(0, 0)


def soft_policy(graph: LevelGraph, weights: np.ndarray, b: float) -> np.ndarray:
    """The maximum-entropy policy at an inverse temperature, written down from the definition."""
    rewards = graph.pays(weights)
    policy = np.zeros((graph.horizon, graph.n_states, graph.n_actions))
    soft = np.zeros(graph.n_states)
    for t in range(graph.horizon - 1, -1, -1):
        now = np.zeros(graph.n_states)
        for s in range(graph.n_states):
            q = np.zeros(graph.n_actions)
            for a in range(graph.n_actions):
                for k in range(
                    graph.first[s * graph.n_actions + a], graph.first[s * graph.n_actions + a + 1]
                ):
                    then = graph.successor[k]
                    q[a] += graph.probability[k] * (
                        b * graph.environment.discount**t * rewards[k] + (soft[then] if then >= 0 else 0.0)
                    )
            odds = np.exp(q - q.max())
            policy[t, s] = odds / odds.sum()
            now[s] = q.max() + np.log(odds.mean())
        soft = now
    return policy


processes = st.tuples(st.integers(0, 10_000), st.sampled_from([1, 2]), st.booleans())
weights_of = st.lists(st.integers(-16, 16), min_size=4, max_size=4).map(lambda eighths: np.array(eighths) / 8)


@given(processes, weights_of, st.floats(-3, 3))
def test_meg_is_the_relative_entropy_of_the_maximum_entropy_policy(
    random_process: Processes, process: tuple[int, int, bool], weights: np.ndarray, b: float
) -> None:
    seed, outcomes, ends = process
    graph = random_process(seed, outcomes=outcomes, ends=ends)
    play, _, best = of(graph, weights)
    value, nats = value_of(graph, soft_policy(graph, weights, b), weights)
    found = play.meg(value, best)
    assert found.bits == pytest.approx(nats * directedness.BITS, abs=1e-9)
    if nats > 1e-6:
        assert np.sign(found.beta) == np.sign(b)


def test_meg_is_the_least_relative_entropy_for_its_return(random_process: Processes) -> None:
    """By SciPy, over policies: for tiny processes, in softmax coordinates."""
    weights = np.array([1.0, -0.5, 0.3, 0.0])
    for seed in range(4):
        graph = random_process(seed, states=2, horizon=2)
        play, _, best = of(graph, weights)
        value = 0.4 * play.mean + 0.6 * best
        assert play.meg(value, best).bits == pytest.approx(least_bits(graph, weights, value), abs=1e-5)


def least_bits(graph: LevelGraph, weights: np.ndarray, value: float) -> float:
    shape = graph.horizon, graph.n_states, graph.n_actions

    def outcome(x: np.ndarray) -> tuple[float, float]:
        odds = np.exp(x.reshape(shape))
        return value_of(graph, odds / odds.sum(-1, keepdims=True), weights)

    found = minimize(
        lambda x: outcome(x)[1],
        np.random.default_rng(0).normal(size=np.prod(shape)),
        constraints={"type": "eq", "fun": lambda x: outcome(x)[0] - value},
        bounds=[(-10, 10)] * int(np.prod(shape)),
        method="SLSQP",
        options={"ftol": 1e-12, "maxiter": 500},
    )
    assert found.success
    return float(found.fun * directedness.BITS)


@given(processes, weights_of, st.floats(0, 1), st.floats(0.1, 10), st.floats(-3, 3))
def test_meg_does_not_depend_on_the_scale_or_origin_of_utility(
    random_process: Processes,
    process: tuple[int, int, bool],
    weights: np.ndarray,
    share: float,
    scale: float,
    shift: float,
) -> None:
    graph = random_process(
        process[0], outcomes=process[1], ends=False
    )  # every step pays the shift: it is a constant
    play, worst, best = of(graph, weights)
    value = worst + share * (best - worst)
    own = play.meg(value, best)
    constant = shift * sum(graph.environment.discount**t for t in range(graph.horizon))
    moved, _, moved_best = of(graph, scale * weights + shift)
    other = moved.meg(scale * value + constant, moved_best)
    if np.ptp(weights) > 1e-3:
        assert other.bits == pytest.approx(own.bits, abs=1e-5)
    turned, _, turned_best = of(graph, -weights)
    mirrored = turned.meg(-value, turned_best)
    assert mirrored.bits == pytest.approx(own.bits, abs=1e-5)
    if own.bits > 1e-6:
        assert np.sign(mirrored.beta) == -np.sign(own.beta)


@given(processes, weights_of, st.floats(0, 1))
def test_meg_lies_between_nothing_and_the_entropy_of_random_play(
    random_process: Processes, process: tuple[int, int, bool], weights: np.ndarray, share: float
) -> None:
    graph = random_process(process[0], outcomes=process[1], ends=process[2])
    play, worst, best = of(graph, weights)
    assert (
        0
        <= play.meg(worst + share * (best - worst), best).bits
        <= graph.horizon * np.log2(graph.n_actions) + 1e-9
    )
    assert play.meg(play.mean, best).bits == pytest.approx(0, abs=1e-9)


def level_policy(graph: LevelGraph, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.full(graph.n_actions, 0.4), graph.n_states)


@pytest.mark.parametrize("name", sweep(LEVELS))
def test_on_real_levels_all_ways_to_phi_agree_and_bits_keep_their_order(name: str) -> None:
    for level in range(3):
        graph = explore(distribution_of(name, {"split": "deploy"}), level)
        policy = level_policy(graph, level)
        returns = solver.evaluate(graph, policy).returns
        good = solver.solve(graph, graph.environment.objective_names).good
        bits = structure(graph, policy, good)
        for k, objective in enumerate(graph.environment.objectives):
            best = solver.optimum(graph, objective, []).value
            play = RandomPlay(graph, objective, good[k])
            assert play.mean == pytest.approx(solver.evaluate(graph, solver.uniform_policy(graph)).returns[k])
            rest = graph.reached, graph.n_actions, graph.horizon, graph.environment.discount, play._to_payment
            pays = graph.kinds_pay(play.objective)
            for b in (-1.5, 0.0, 2.0, -60.0, 3000.0):  # the last would overflow exp(b U)
                expected = directedness._soften(
                    graph.first, graph.after, *graph.kinds[:2], pays, *rest, b / play.scale
                )
                lost = 1e-9 + 1e-14 * expected[1] ** 2  # what `_soften` loses of the variance
                found = [play.soft(b / play.scale)]
                if graph.deterministic:
                    found.append(
                        directedness._soften_certain(graph.successor, play.rewards, *rest, b / play.scale)
                    )
                for phi, mean, variance in found:
                    np.testing.assert_allclose((phi, mean), expected[:2], rtol=1e-12, atol=1e-9)
                    assert variance == pytest.approx(expected[2], abs=lost)
            meg = play.meg(returns[k], best)
            assert meg.bits <= bits[-1] + 1e-9  # the least relative entropy for its return
            if graph.deterministic and play.once and meg.beta > 0:
                assert meg.bits <= play.power(policy) + 1e-9  # Chernoff
            luck = play.meg(best, best)
            assert luck.bits <= structure(graph, solver.optimal_policy(graph, objective), good)[-1] + 1e-6
        assert (bits <= bits[-1] + 1e-9).all()


@pytest.mark.parametrize("b", [-30.0, -1e-4, 1e-4, 0.7, 3000.0])
def test_phi_stays_finite_over_thousands_of_payments(b: float) -> None:
    """One state, and whatever is done there pays 1: with a small negative b by a factor just below 1, half of just below 2."""
    horizon, one, paid = 3000, np.zeros(2, np.int64), np.ones(2)
    found = directedness._soften_certain(one, paid, one[:1] + 1, 2, horizon, 1.0, one[:1] + 1, b)
    np.testing.assert_allclose(found, (b * horizon, horizon, 0.0), rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("name", sweep(LEVELS))
def test_structure_is_the_same_of_a_policy_written_out_for_every_time(name: str) -> None:
    """Bit for bit: of one table it works out a state's part once, as long as the best actions there are the same."""
    graph = explore(distribution_of(name, {"split": "deploy"}), 0)
    policy, good = level_policy(graph, 0), solver.solve(graph, graph.environment.objective_names).good
    assert (good[:, 0] != good[:, -1]).any(), "which are best depends on the time"
    np.testing.assert_array_equal(
        structure(graph, policy, good), structure(graph, np.stack([policy] * graph.horizon), good)
    )


def test_a_straight_way_of_four_steps_is_worth_eight_bits() -> None:
    """A straight way of four steps: MEG = optimisation power = 4 log2 4."""
    distribution = distribution_of("cheese_corner", {"split": "deploy", "size": 9})
    rows = ["#########", "#.......#", "#.@...*.#", *["#.......#"] * 5, "#########"]
    state, _ = from_text(distribution, "\n".join(rows))
    graph = explore_state(distribution, 0, state)
    best = solver.optimum(graph, "cheese", []).value
    play = RandomPlay(graph, "cheese", solver.optimal_actions(graph, "cheese"))
    optimal = solver.optimal_policy(graph, "cheese")
    assert best == pytest.approx(0.97**3)
    assert play.meg(best, best).bits == pytest.approx(8)
    assert play.power(optimal) == pytest.approx(8)
    good = solver.solve(graph, ["cheese"]).good
    np.testing.assert_allclose(structure(graph, optimal, good), 8, rtol=1e-6)


def test_optimisation_power_counts_outcomes_as_good() -> None:
    """Armstrong's example: eight equally likely states of worth 0 .. 7; achieving 6 is 2 bits, 4 is 1, 7 is 3."""
    values, shares = np.arange(8.0), np.full(8, 1 / 8)
    play = RandomPlay.__new__(RandomPlay)
    play.__dict__ |= {"once": True, "distribution": (values, shares), "scale": 1.0}
    for achieved, bits in ((6.0, 2.0), (4.0, 1.0), (7.0, 3.0), (0.0, 0.0)):
        play.returns = lambda policy, at=achieved: (np.array([at]), np.array([1.0]))  # type: ignore[method-assign]
        assert play.power(np.zeros((1, 1))) == pytest.approx(bits)


def test_an_optimiser_gathers_in_and_a_device_does_not() -> None:
    graph = explore(distribution_of("cheese_corner", {"split": "deploy"}), 0)
    good = solver.optimal_actions(graph, "cheese")
    as_soon_as_possible = good[(good > 0).argmax(0), np.arange(graph.n_states)]
    towards = as_soon_as_possible[:, None] >> np.arange(4) & 1
    gathered = funnel(graph, towards / towards.sum(1, keepdims=True))
    still = np.eye(graph.n_actions)[np.argmax([
        [graph.successor[s * graph.n_actions + a] == s for a in range(graph.n_actions)] for s in range(graph.n_states)
    ], axis=1)]  # fmt: skip
    assert gathered > funnel(graph, solver.uniform_policy(graph)) > -1e-9
    assert gathered > 3
    assert funnel(graph, still) < gathered / 2


def test_what_is_known_of_phi_does_not_change_what_is_found() -> None:
    graph = explore(distribution_of("keys_and_chests", {"split": "deploy", "keys": 2, "chests": 1}), 0)
    good, best = solver.optimal_actions(graph, "keys"), solver.optimum(graph, "keys", []).value
    known: dict[float, tuple[float, float, float]] = {}
    for share in (0.9, 0.3, 0.5, 0.99, 0.5):
        fresh = RandomPlay(graph, "keys", good)
        value = fresh.mean + share * (best - fresh.mean)
        again = RandomPlay(graph, "keys", good, known).meg(value, best)
        assert again == fresh.meg(value, best), "to the last digit"
    assert np.isnan(RandomPlay(graph, "keys", good).power(solver.uniform_policy(graph)))


def test_phi_of_a_level_is_kept_from_one_policy_to_the_next_and_memory_is_bounded(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    distribution = distribution_of("keys_and_chests", {"split": "deploy"})
    graph = explore(distribution, 0)
    best, calls = solver.solve(graph, ["keys"]), []
    certain = directedness._soften_certain
    monkeypatch.setattr(
        directedness, "_soften_certain", lambda *given: calls.append(given[-1]) or certain(*given)
    )
    for share, is_new in ((0.5, True), (0.5, False), (0.6, True)):
        del calls[:]
        reference = reference_of(explore(distribution, 0))  # another graph of the same level
        play = RandomPlay(graph, "keys", best.good[0], reference.soft[1], float(reference.random[1]))
        play.meg(play.mean + share * (best.values[0] - play.mean), best.values[0])
        assert bool(calls) == is_new
    monkeypatch.setattr(directedness, "POINTS", 3)
    monkeypatch.setattr(reference_module, "KEPT", 2)
    monkeypatch.setattr(reference_module, "_known", {})
    for level in range(4):
        reference = reference_of(explore(distribution_of("cheese_corner", {"split": "deploy"}), level))
    assert len(reference_module._known) == 2
    play = RandomPlay(graph, "keys", best.good[0], reference.soft[1])
    for b in range(5):
        play.soft(b / 10)
    assert list(reference.soft[1]) == [0.2, 0.3, 0.4]


def test_every_environment_can_be_asked() -> None:
    assert set(LEVELS) <= set(registry.environments())
