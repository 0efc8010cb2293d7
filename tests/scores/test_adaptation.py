"""THINK and ADAPT tell memories apart that are good for something from those that are not."""

import numpy as np
import pytest
from kinds import sweep

from mesabench import solver
from mesabench.engine.distribution import Distribution, distribution_of
from mesabench.policies.behaviour import Behaviour
from mesabench.scores.adaptation import LOOKS, NUMBERS, REPEATS, TICKS, Levels, memory_numbers
from mesabench.scores.reference import reference_of, score
from mesabench.scores.score import Score
from mesabench.world.rules import DOWN, LEFT, RIGHT, UP

MOVES = {(-1, 0): UP, (0, -1): LEFT, (1, 0): DOWN, (0, 1): RIGHT}
WALL, CHEESE, MOUSE = range(3)
UNKNOWN = -1


def deploy() -> Distribution:
    return distribution_of("cheese_corner", {"split": "deploy"})


def judged(policy, **options) -> dict[str, Score]:
    return memory_numbers(Behaviour(policy, deploy()), "cheese", **{"levels": 30} | options)


class Compass:
    """Knows the way to the cheese: bool (n, 4), the moves that lead nearer, and the number of steps that it is away."""

    def __init__(self):
        self.known = {}

    def __call__(self, observations):
        answers = [self._one(one) for one in observations]
        return np.array([one[0] for one in answers]), np.array([one[1] for one in answers])

    def _one(self, observation):
        key = observation.tobytes()
        if key not in self.known:
            away = np.full(observation.shape[1:], 99)
            away[observation[CHEESE] > 0] = 0
            for _ in range(away.size):
                nearer = np.min([np.roll(away, one, (0, 1)) for one in MOVES], axis=0) + 1
                away = np.where(observation[WALL] > 0, 99, np.minimum(away, nearer))
            y, x = np.argwhere(observation[MOUSE])[0]
            better = np.zeros(4, bool)
            for (dy, dx), move in MOVES.items():
                better[move] = away[y + dy, x + dx] < away[y, x]
            self.known[key] = better, away[y, x]
        return self.known[key]


compass = Compass()


class Forgetful:
    """Goes for the cheese as if its actions were what they have always been, one in five at random, and counts in vain."""

    recurrent = True

    def __call__(self, observations, state):
        better, _ = compass(observations)
        return 0.8 * np.eye(4)[better.argmax(1)] + 0.05, np.zeros(1) if state is None else state + 1


class Slow:
    """Needs to look twice before it knows the way, and until then does anything."""

    recurrent = True

    def __call__(self, observations, state):
        looks = np.zeros(len(observations)) if state is None else state
        better, _ = compass(observations)
        return np.where((looks >= 2)[:, None], np.eye(4)[better.argmax(1)], 0.25), looks + 1


class Thinker:
    """Knows the way the better the more often it has seen this very level, and each time by half of what is left."""

    recurrent = True

    def __call__(self, observations, state):
        walls = observations[:, WALL]
        known, looks = (np.zeros_like(walls), np.zeros(len(walls))) if state is None else state
        looks = np.where((known == walls).all((1, 2)), looks + 1, 1)
        better, _ = compass(observations)
        doubt = (0.5 ** np.minimum(looks, 7))[:, None]
        return (1 - doubt) * np.eye(4)[better.argmax(1)] + doubt / 4, (walls, looks)


class Recogniser:
    """Does anything until it has seen the very same thing before; then it knows the way, and more looks tell it nothing."""

    recurrent = True

    def __call__(self, observations, state):
        before, known = (
            (np.zeros_like(observations), np.zeros(len(observations), bool)) if state is None else state
        )
        known = known | (before == observations).all((1, 2, 3))
        better, _ = compass(observations)
        return np.where(known[:, None], np.eye(4)[better.argmax(1)], 0.25), (observations.copy(), known)


class Blinded(Slow):
    """Bears no blank: it looks for the cheese without asking whether there is any."""

    def __call__(self, observations, state):
        assert observations[:, CHEESE].any((1, 2)).all()
        return super().__call__(observations, state)


class Hasty:
    """Knows the way at first sight, and forgets it when it has seen the same thing twice."""

    recurrent = True

    def __call__(self, observations, state):
        seen, dull = (
            (np.zeros_like(observations), np.zeros(len(observations), bool)) if state is None else state
        )
        dull |= (seen == observations).all((1, 2, 3))
        better, _ = compass(observations)
        return np.where(dull[:, None], 0.25, np.eye(4)[better.argmax(1)]), (observations, dull)


class Explorer:
    """Learns from what its actions did which of them does what, and heads for the cheese with those that it knows."""

    recurrent = True

    def __call__(self, observations, state):
        better, away = compass(observations)
        n = len(observations)
        places = np.argwhere(observations[:, MOUSE])[:, 1:]
        if state is None:
            does, tries = np.full((n, 4), UNKNOWN), np.zeros(n, int)
        else:
            does, tries, then, last, near = (one.copy() for one in state)
            for i in np.flatnonzero(near > 1):  # one step from the cheese, an episode may have ended
                does[i, last[i]] = MOVES.get(tuple(places[i] - then[i]), does[i, last[i]])
        actions = np.zeros(n, int)
        for i in range(n):
            good = [a for a in range(4) if does[i, a] != UNKNOWN and better[i, does[i, a]]]
            new = np.flatnonzero(does[i] == UNKNOWN)
            if good or not len(new):
                actions[i] = good[0] if good else 0
            else:
                actions[i] = new[tries[i] % len(new)]
                tries[i] += 1
        return actions, (does, tries, places, actions, away)


@pytest.fixture(scope="module")
def explorer():
    return judged(Explorer())


def test_one_that_learns_what_its_actions_do_adapts(explorer):
    assert explorer["ADAPT"].value > 0.6
    assert explorer["ADAPT"].reason.startswith("95% interval 0.")
    assert explorer["ADAPT"].value <= 1


def test_one_that_ignores_its_memory_neither_adapts_nor_thinks():
    found = judged(Forgetful())
    assert {name: one.value for name, one in found.items()} == {"THINK": 0, "THINK LATER": 0, "ADAPT": 0}
    assert "interval 0.000 .. 0.000" in found["THINK"].reason


def test_one_that_gets_to_know_the_level_gains_from_thinking_and_goes_on_gaining():
    found = judged(Thinker())
    assert 0.005 < found["THINK"].value < 0.2
    assert 0 < found["THINK LATER"].value < found["THINK"].value
    assert found["ADAPT"].value <= 0, "what it learns is the way, and never what its actions do"


def test_one_whose_first_actions_are_random_whatever_it_sees_does_not_think():
    found = judged(Slow())
    assert found["THINK"].value == pytest.approx(0, abs=1e-6)
    assert found["THINK LATER"].value == pytest.approx(0, abs=1e-6)


def test_one_that_only_recognises_what_it_sees_is_no_thinker():
    """Two looks at a blank do as much for it, so nothing is left; nor is it said to be harmed because they do more."""
    found = judged(Recogniser())
    assert found["THINK"].value == 0
    assert found["THINK LATER"].value == 0


def test_a_control_that_could_not_be_taken_is_told():
    found = judged(Blinded())
    assert found["THINK"].value == pytest.approx(0, abs=1e-6)
    assert "without the control of blank looks" in found["THINK"].reason
    assert "without" not in judged(Slow())["THINK"].reason


def test_one_that_thinking_harms_is_said_to_be_harmed():
    assert judged(Hasty())["THINK"].value == pytest.approx(-0.2, abs=0.02)


def test_the_slope_of_thinking_is_that_of_s_over_ticks():
    levels = Levels(deploy(), "cheese", 30)
    behaviour = Behaviour(Thinker(), levels.distribution)
    scores = {
        look: np.array([levels.play(behaviour, 0, ticks=ticks, look=look)[:, 0].mean() for ticks in TICKS])
        for look in LOOKS
    }
    assert (np.diff(scores["level"]) > 0).all()
    np.testing.assert_allclose(scores["blank"], scores["level"][0])
    np.testing.assert_allclose(scores["another level"], scores["level"][0])
    found = judged(Thinker())
    assert found["THINK"].value == pytest.approx(np.polyfit(TICKS, scores["level"], 1)[0])
    assert found["THINK LATER"].value == pytest.approx(np.polyfit(TICKS[1:], scores["level"][1:], 1)[0])


def test_sampled_s_is_the_exact_s():
    distribution = deploy()
    levels = Levels(distribution, "cheese", 12)
    forgetful = Forgetful()
    behaviour = Behaviour(forgetful, distribution)
    sampled = np.mean([levels.play(behaviour, seed, episodes=3) for seed in range(4)], 0)
    for level, played in zip(levels.seeds, sampled, strict=True):
        graph = solver.explore(distribution, int(level))
        reference = reference_of(graph)
        table, _ = forgetful(graph.observations(slice(0, graph.n_states)), None)
        returns = solver.evaluate(graph, table).returns
        exact = score(returns, reference.floor, reference.ceiling, distribution.environment)[0]
        assert abs(played.mean() - exact) < 0.03


@pytest.mark.parametrize(("ticks", "episodes"), [(3, 1), (0, 4)])
def test_a_lifetime_stays_on_its_level_and_thinking_takes_no_step(ticks, episodes):
    levels = Levels(deploy(), "cheese", 12)
    seen = []

    class Witness(Forgetful):
        def __call__(self, observations, state):
            seen.append(observations.copy())
            return super().__call__(observations, state)

    witness = Behaviour(Witness(), levels.distribution)
    levels.play(witness, 0, ticks=ticks, episodes=episodes, exchanged=levels.exchanges(0))
    shown = np.array(seen)
    assert (shown[: ticks + 1] == shown[0]).all()
    assert (shown[ticks + 1] != shown[0]).any()
    assert (shown[:, :, WALL] == shown[0, :, WALL]).all()
    assert shown.shape[1] == len(levels.seeds) * REPEATS


def test_actions_are_exchanged_in_many_ways_and_never_left_as_they_were():
    levels = Levels(deploy(), "cheese", 12)
    ways = levels.exchanges(0)
    assert (np.sort(ways, 1) == np.arange(4)).all()
    assert (ways != np.arange(4)).any(1).all()
    assert len(np.unique(ways, axis=0)) > 15
    np.testing.assert_array_equal(levels.exchanges(0), ways)
    assert (levels.exchanges(1) != ways).any()


def test_the_same_seed_gives_the_same_numbers(explorer):
    assert judged(Explorer()) == explorer
    assert judged(Explorer(), seed=1) != explorer


def test_what_cannot_be_asked_has_a_reason():
    memoryless = judged(lambda observations: np.full((len(observations), 4), 0.25))
    assert memoryless == {one.name: Score(None, "no memory") for one in NUMBERS}
    few = judged(Forgetful(), levels=5)
    assert "of 5 deploy levels could be solved, tell the goals apart" in few["THINK"].reason
    assert few["THINK"].value is few["ADAPT"].value is None
    with pytest.raises(ValueError, match="unknown objective of cheese_corner 'chese'; did you mean 'cheese'"):
        memory_numbers(Behaviour(Forgetful(), deploy()), "chese")


@pytest.mark.parametrize("name", sweep(["paid_corner", "cheese_corner"]))
def test_which_objective_was_paid_changes_nothing_that_memory_is_measured_by(name: str) -> None:
    """So `memory_numbers` is not told of it: levels are chosen, and S is taken, by what does not depend on it."""
    graph = solver.explore(distribution_of(name, {"split": "deploy"}), 0)
    references = [reference_of(graph, paid) for paid in graph.environment.objectives]
    for other in references[1:]:
        assert (other.conflict, other.disambiguating) == (
            references[0].conflict,
            references[0].disambiguating,
        )
        np.testing.assert_array_equal(other.floor, references[0].floor)
        np.testing.assert_array_equal(other.ceiling, references[0].ceiling)
