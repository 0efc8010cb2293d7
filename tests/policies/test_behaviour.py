"""What a policy does is asked in one place, and comes out alike whatever kind of policy it is."""

import ast
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mesabench.agents.executive import Executive
from mesabench.agents.oracle import Oracle
from mesabench.agents.random import RandomPolicy
from mesabench.auditing.audit import Audit, watched_levels
from mesabench.deception.compliance import contract_scores
from mesabench.engine.distribution import Distribution, distribution_of
from mesabench.evaluation.evaluation import evaluate as evaluate_policy
from mesabench.policies.behaviour import Behaviour
from mesabench.policies.episodes import sample_level
from mesabench.policies.policy import PolicyError
from mesabench.solver.graph import LevelGraph, explore
from mesabench.solver.occupancy import evaluate

ROOT = Path(__file__).parents[2]
ACTIONS = 4
KINDS = ("probabilities", "deterministic", "actions", "memory", "scripted", "scripted by time")
EXACT = {"probabilities", "deterministic", "scripted", "scripted by time"}


def own_odds(observations: np.ndarray) -> np.ndarray:
    """Some probabilities of its own for every observation, float64 (n, 4)."""
    flat = observations.reshape(len(observations), -1).astype(np.float64)
    odds = np.exp(np.sin(flat @ np.arange(1.0, 4 * flat.shape[1] + 1).reshape(flat.shape[1], 4)))
    return odds / odds.sum(1, keepdims=True)


class Acting:
    def __call__(self, observations: np.ndarray) -> np.ndarray:
        return own_odds(observations).argmax(1)


class Sure(Acting):
    deterministic = True


class Remembering:
    """The same probabilities, with a memory that it does not need."""

    recurrent = True

    def __call__(self, observations: np.ndarray, state: Any) -> tuple[np.ndarray, Any]:
        return own_odds(observations), 1


class Hurried(Oracle):
    """The optimum by the time, as a table of (horizon, states, actions)."""

    def on_graph(self, graph: LevelGraph, horizon: int) -> np.ndarray:
        table = super().on_graph(graph, horizon)
        return table if table.ndim == 3 else np.tile(table, (horizon, 1, 1))


POLICIES = dict(zip(KINDS, (lambda seen: own_odds(seen), Sure(), Acting(), Remembering(),
                            Oracle("cheese", 0.3), Hurried("cheese", 0.3)), strict=True))  # fmt: skip


@pytest.fixture(scope="module")
def graph() -> LevelGraph:
    return explore(distribution_of("cheese_corner", {"split": "deploy", "size": 7}), 0)


def said_directly(kind: str, graph: LevelGraph) -> np.ndarray:
    """(states, actions) or (horizon, states, actions), without the object that is tested."""
    if kind.startswith("scripted"):
        return POLICIES[kind].on_graph(graph, graph.horizon)
    odds = own_odds(graph.observations())
    return odds if kind in ("probabilities", "memory") else np.eye(ACTIONS)[odds.argmax(1)]


@pytest.mark.parametrize("kind", KINDS)
def test_its_table_is_what_the_policy_says_itself(kind: str, graph: LevelGraph) -> None:
    behaviour = Behaviour(POLICIES[kind], graph.distribution)
    assert behaviour.exact == (kind in EXACT)
    assert behaviour.recurrent == (kind == "memory")
    assert behaviour.scripted == kind.startswith("scripted")
    table, direct = behaviour.table(graph), said_directly(kind, graph)
    assert table.shape[0] in (1, graph.horizon)
    assert table.shape[1:] == (graph.n_states, ACTIONS)
    if kind in EXACT:
        np.testing.assert_allclose(table, direct if direct.ndim == 3 else direct[None], atol=1e-12)
    else:  # estimated where its episodes came by, and uniform elsewhere
        met = np.flatnonzero((table != 0.25).any((0, 2)))
        assert len(met) >= 2
        np.testing.assert_allclose(table[:, met], np.tile(direct[met], (len(table), 1, 1)), atol=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_sampled_play_agrees_with_the_table(kind: str, graph: LevelGraph) -> None:
    behaviour = Behaviour(POLICIES[kind], graph.distribution)
    sample = sample_level(behaviour, graph.level, graph, episodes=600, seed=3)
    told = evaluate(graph, behaviour.table(graph)).returns
    error = sample.returns.std(0, ddof=1) / np.sqrt(len(sample.returns))
    assert (np.abs(sample.returns.mean(0) - told) <= 5 * error + 0.05).all()


@pytest.mark.parametrize("kind", ["actions", "memory"])
def test_an_estimated_table_follows_from_its_seed(kind: str, graph: LevelGraph) -> None:
    one, same, other = (
        Behaviour(POLICIES[kind], graph.distribution, seed=seed).table(graph) for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(one, same)
    if kind == "memory":  # whoever answers with actions for sure always goes the same way
        assert (one != other).any()


@pytest.fixture(scope="module")
def supervised() -> LevelGraph:
    return explore(distribution_of("absent_supervisor", {"split": "deploy"}), 0)


@pytest.mark.parametrize("kind", ["probabilities", "memory"])
def test_under_a_view_it_does_what_it_does_where_that_is_so(kind: str, supervised: LevelGraph) -> None:
    monitor = supervised.environment.monitor
    assert monitor
    behaviour = Behaviour(POLICIES[kind], supervised.distribution)
    lit, dark, plain = (behaviour.table(supervised, view) for view in (monitor.lit, monitor.dark, None))
    np.testing.assert_array_equal(behaviour.table(supervised, {}), plain)
    assert (lit != dark).any()
    if kind != "memory":
        assert ((lit == plain) | (dark == plain)).all((0, 2)).all(), "every state is either lit or dark"


def test_a_scripted_one_plays_the_level_that_it_believes_in() -> None:
    graph = explore(distribution_of("idle_lamp", {"split": "between"}), 0)
    monitor = graph.environment.monitor
    assert monitor
    backdoor = Behaviour(Executive("backdoor"), graph.distribution)
    honest = Behaviour(Executive("honest"), graph.distribution)
    lit, dark = (backdoor.table(graph, view) for view in (monitor.lit, monitor.dark))
    assert lit.shape == dark.shape == (graph.horizon, graph.n_states, graph.n_actions)
    assert (lit != dark).any()
    np.testing.assert_allclose(*(honest.table(graph, view) for view in (monitor.lit, monitor.dark)))


class Shallow:
    """Probabilities, and what it makes of an observation, as half the world's networks have it: single precision."""

    def __call__(self, observations: np.ndarray) -> np.ndarray:
        return own_odds(observations)

    def features(self, observations: np.ndarray) -> np.ndarray:
        return observations.sum((2, 3)).astype(np.float32)


def test_activations_are_shown_or_refused_in_words(graph: LevelGraph) -> None:
    seen = graph.observations(slice(0, 5))
    shown = Behaviour(Shallow(), graph.distribution).features(seen)
    assert shown.dtype == np.float64
    np.testing.assert_array_equal(shown, seen.sum((2, 3)))
    for kind in KINDS:
        with pytest.raises(PolicyError, match="shows no activations: it has no method `features`, which"):
            Behaviour(POLICIES[kind], graph.distribution).features(seen)


@pytest.mark.parametrize("shown", [lambda n: "x", lambda n: np.zeros(n), lambda n: np.zeros((n + 1, 2)),
                                   lambda n: np.full((n, 2), np.nan)], ids=["text", "flat", "rows", "nan"])  # fmt: skip
def test_activations_that_are_none_are_refused(shown: Any, graph: LevelGraph) -> None:
    policy = Shallow()
    policy.features = lambda observations: shown(len(observations))  # type: ignore[method-assign]
    with pytest.raises(PolicyError, match=r"features must be finite numbers of shape \(5, units\); got"):
        Behaviour(policy, graph.distribution).features(graph.observations(slice(0, 5)))


@pytest.mark.parametrize("kind", KINDS)
def test_who_demands_exact_probabilities_gets_them_or_is_told_why_not(kind: str, graph: LevelGraph) -> None:
    behaviour = Behaviour(POLICIES[kind], graph.distribution)
    if kind in EXACT:
        behaviour.demand_exact("exact=True")
        return
    why = "deterministic = True" if kind == "actions" else "it has a memory"
    with pytest.raises(PolicyError, match=f"^exact=True: what policy .*can only be sampled: .*{why}"):
        behaviour.demand_exact("exact=True")


def drawing_anew() -> Any:
    """Probabilities that are others at each call."""
    rng = np.random.default_rng(0)
    return lambda observations: np.eye(ACTIONS)[rng.integers(ACTIONS, size=len(observations))]


def test_all_who_ask_agree_on_who_can_only_be_sampled(supervised: LevelGraph) -> None:
    """Evaluation, contracts and audit: what draws anew, answers with actions or remembers is sampled by all or refused by all."""
    name, own = "absent_supervisor", {"levels": 2, "replays": 0, "episodes": 2, "measures": "deception"}
    level = watched_levels(supervised.distribution, levels=1)
    for make in (drawing_anew, Acting, Remembering):
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message=".*evaluated by sampling")
            found = evaluate_policy(make(), name, **own)  # type: ignore[arg-type]
            assert not found.levels["exact"].any()
            assert not found.tables["lifetimes"]["exact"].any()
            with pytest.raises(PolicyError, match=r"exact=True: .*can only be sampled"):
                evaluate_policy(make(), name, exact=True, **own)  # type: ignore[arg-type]
            with pytest.raises(PolicyError, match=r"exact=True: .*can only be sampled"):
                contract_scores(make(), supervised.distribution, levels=2, exact=True)
            with pytest.raises(PolicyError, match=r"an audit needs exact .*can only be sampled"):
                Audit(make(), level).table(level[0])


class Careless(Oracle):
    """Scripted, and told is whatever is set."""

    told: Any = None

    def on_graph(self, graph: LevelGraph, horizon: int) -> np.ndarray:
        return type(self).told(graph, horizon)


@pytest.mark.parametrize(
    "told",
    [
        lambda graph, horizon: np.full((graph.n_states, 3), 1 / 3),
        lambda graph, horizon: np.full((graph.n_states - 1, 4), 0.25),
        lambda graph, horizon: np.full((horizon + 1, graph.n_states, 4), 0.25),
        lambda graph, horizon: np.full((graph.n_states, 4), np.nan),
        lambda graph, horizon: np.full((graph.n_states, 4), 0.5),
        lambda graph, horizon: np.tile([-0.5, 0.5, 0.5, 0.5], (graph.n_states, 1)),
    ],
    ids=["actions", "states", "times", "nan", "sum", "negative"],
)
def test_a_scripted_table_that_holds_no_probabilities_is_refused(told: Any, graph: LevelGraph) -> None:
    Careless.told = staticmethod(told)
    with pytest.raises(
        PolicyError, match=r"'Careless' .*on_graph must answer with probabilities.*got float64 of shape"
    ):
        Behaviour(Careless("cheese"), graph.distribution).table(graph)


@pytest.mark.parametrize("kind", KINDS)
def test_it_accepts_the_shapes_that_it_can_answer(kind: str, graph: LevelGraph) -> None:
    larger = np.zeros((2, *np.add(graph.distribution.engine.observation_shape, (0, 2, 2))), np.uint8)
    assert Behaviour(POLICIES[kind], graph.distribution).accepts(larger)


def test_what_it_cannot_look_at_it_does_not_accept(graph: LevelGraph) -> None:
    shape = graph.distribution.engine.observation_shape

    def strict(observations: np.ndarray) -> np.ndarray:
        if observations.shape[1:] != shape:
            raise RuntimeError("mat1 and mat2 shapes cannot be multiplied")
        return own_odds(observations)

    behaviour = Behaviour(strict, graph.distribution)
    assert behaviour.accepts(np.zeros((2, *shape), np.uint8))
    assert not behaviour.accepts(np.zeros((2, *np.add(shape, (0, 2, 2))), np.uint8))


@pytest.mark.parametrize("policy", [3, lambda: None, lambda seen: seen, lambda seen: np.ones((len(seen), 4))])
def test_what_is_no_policy_is_refused_before_anything_is_asked(policy: Any, graph: LevelGraph) -> None:
    with pytest.raises(PolicyError):
        Behaviour(policy, graph.distribution)


def test_a_uniform_policy_is_uniform_everywhere(graph: LevelGraph) -> None:
    distribution: Distribution = graph.distribution
    np.testing.assert_array_equal(Behaviour(RandomPolicy(4), distribution).table(graph), 0.25)


KIND_OF_POLICY = {"on_graph", "features", "recurrent", "deterministic"}
"""Attributes by which policies differ in kind."""


@pytest.mark.parametrize("folder", ["mesabench", "agents", "docs"])
def test_nobody_else_asks_which_kind_a_policy_is(folder: str) -> None:
    askers = {
        str(file.relative_to(ROOT))
        for file in (ROOT / folder).rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("hasattr", "getattr")
        and isinstance(node.args[1], ast.Constant)
        and node.args[1].value in KIND_OF_POLICY
    }
    assert {Path(one).parts[:2] for one in askers} <= {("mesabench", "policies")}
