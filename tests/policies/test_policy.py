"""Policies: every wrong answer is refused, every right one is sampled and evaluated as it says."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesabench.agents.random import RandomPolicy
from mesabench.disk import save_files
from mesabench.policies.policy import CheckedPolicy, PolicyError, load_policy, read_saved

ACTIONS = 4
SOME = np.zeros((3, 2, 5, 5), np.uint8)


def always(answer):
    return lambda observations: answer


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (np.full((3, 5), 0.2), r"shape \(3, 4\) or integer.*floats of shape \(3, 5\)"),
        (np.full(4, 0.25), r"floats of shape \(4,\)"),
        (np.zeros((3, 4), int), r"integers of shape \(3, 4\)"),
        (np.zeros(2, int), r"integers of shape \(2,\)"),
        (np.array([0, 1, 4]), "action 4 in row 2 is not one of 0..3"),
        (np.array([0, -1, 0]), "action -1 in row 1"),
        (np.array([[0.25] * 4, [0.25] * 4, [np.nan, 0, 0, 1]]), "row 2 are not all finite"),
        (np.array([[0.25] * 4, [np.inf, 0, 0, 0], [0.25] * 4]), "row 1 are not all finite"),
        (np.array([[-0.5, 0.5, 0.5, 0.5]] * 3), "row 0 are not all at least 0"),
        (np.full((3, 4), 0.2501), r"do not sum to 1 \(logits"),
        (np.ones((3, 4), bool), "dtype bool"),
        (None, "NoneType of dtype object"),
        ([[0.5, 0.5], [1.0]], "one array"),
        (["up", "up", "up"], "of dtype <U2"),
    ],
)
def test_wrong_answers_are_refused(answer, message):
    with pytest.raises(PolicyError, match=message):
        CheckedPolicy(always(answer), ACTIONS, SOME)
    with pytest.raises(PolicyError, match=message):
        CheckedPolicy(always(answer), ACTIONS).act(SOME, None, np.random.default_rng(0))


def test_what_is_not_callable_is_no_policy():
    with pytest.raises(PolicyError, match=r"must be callable.*type int"):
        CheckedPolicy(3, ACTIONS)


def test_a_signature_that_cannot_be_called_is_refused_at_once() -> None:
    class Forgetful:
        recurrent = True

        def __call__(self, observations: np.ndarray) -> np.ndarray:
            return np.zeros(len(observations), int)

    with pytest.raises(
        PolicyError, match=r"recurrent policy is called with \(observations, state\); .* Forgetful takes"
    ):
        CheckedPolicy(Forgetful(), 4)
    with pytest.raises(
        PolicyError,
        match=r"without recurrent = True is called with \(observations\); .* takes \(observations, state\)",
    ):
        CheckedPolicy(lambda observations, state: None, 4)


@given(
    st.lists(
        st.lists(st.floats(0, 10), min_size=4, max_size=4).filter(lambda row: sum(row) > 0.1),
        min_size=1,
        max_size=5,
    )
)
def test_probabilities_are_kept_to_rounding_and_sum_to_one(rows):
    given_rows = np.array(rows)
    given_rows = (given_rows / given_rows.sum(axis=1, keepdims=True)).astype(np.float32)
    policy = CheckedPolicy(always(given_rows), ACTIONS)
    checked = policy.probabilities(np.zeros((len(rows), 1, 3, 3), np.uint8))
    assert policy.exact
    assert checked.dtype == np.float64
    np.testing.assert_allclose(checked, given_rows, atol=1e-6)
    np.testing.assert_allclose(checked.sum(axis=1), 1, atol=1e-12)


def test_sampled_actions_follow_the_probabilities():
    wanted = np.array([0.1, 0.0, 0.6, 0.3])
    n = 100_000
    policy = CheckedPolicy(always(np.tile(wanted, (n, 1))), ACTIONS)
    actions, state = policy.act(np.zeros((n, 1, 1, 1), np.uint8), None, np.random.default_rng(0))
    assert state is None
    assert actions.dtype == np.int64
    shares = np.bincount(actions, minlength=ACTIONS) / n
    assert shares[1] == 0
    np.testing.assert_allclose(shares, wanted, atol=5 * np.sqrt(0.25 / n))


def test_greedy_takes_the_most_probable_action():
    rows = np.array([[0.4, 0.3, 0.3, 0.0], [0.0, 0.5, 0.5, 0.0], [0.1, 0.2, 0.3, 0.4]])
    policy = CheckedPolicy(always(rows), ACTIONS, greedy=True)
    assert policy.probabilities(SOME).tolist() == np.eye(4)[[0, 1, 3]].tolist()
    assert policy.act(SOME, None, np.random.default_rng(0))[0].tolist() == [0, 1, 3]


def test_integer_actions_are_exact_only_if_declared_deterministic():
    class Fixed:
        def __call__(self, observations):
            return np.full(len(observations), 2)

    sampled = CheckedPolicy(Fixed(), ACTIONS, SOME)
    assert not sampled.exact
    assert sampled.act(SOME, None, np.random.default_rng(0))[0].tolist() == [2, 2, 2]
    with pytest.raises(PolicyError, match="deterministic = True"):
        sampled.probabilities(SOME)

    Fixed.deterministic = True
    exact = CheckedPolicy(Fixed(), ACTIONS, SOME)
    assert exact.exact
    assert exact.probabilities(SOME).tolist() == np.eye(4)[[2, 2, 2]].tolist()


def test_a_recurrent_policy_keeps_its_state():
    class Counter:
        recurrent = True

        def __call__(self, observations, state):
            state = np.zeros(len(observations), int) if state is None else state
            return state % ACTIONS, state + 1

    policy = CheckedPolicy(Counter(), ACTIONS, SOME)
    assert policy.recurrent
    assert not policy.exact
    state, rng = None, np.random.default_rng(0)
    for k in range(6):
        actions, state = policy.act(SOME, state, rng)
        assert actions.tolist() == [k % ACTIONS] * 3
    with pytest.raises(PolicyError, match="recurrent policy has no probabilities"):
        policy.probabilities(SOME)


def test_a_recurrent_policy_must_answer_with_a_pair():
    class Forgetful:
        recurrent = True

        def __call__(self, observations, state):
            return np.zeros(len(observations), int)

    with pytest.raises(PolicyError, match=r"\(output, new state\)"):
        CheckedPolicy(Forgetful(), ACTIONS).act(SOME, None, np.random.default_rng(0))


def test_a_tensor_with_a_gradient_is_an_answer():
    torch = pytest.importorskip("torch")
    logits = torch.zeros((3, ACTIONS), requires_grad=True)
    policy = CheckedPolicy(always(logits.softmax(1)), ACTIONS)
    np.testing.assert_allclose(policy.probabilities(SOME), 0.25)


@pytest.fixture
def module(tmp_path, monkeypatch):
    """A module in the current folder with several policies, right and wrong."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "stranger_policies.py").write_text(
        "import dataclasses, numpy as np\n"
        "def up(observations): return np.zeros(len(observations), int)\n"
        "class Up:\n"
        "    def __call__(self, observations): return up(observations)\n"
        "@dataclasses.dataclass\n"
        "class Needy:\n"
        "    size: int\n"
        "    def __call__(self, observations): return up(observations)\n"
        "class Silent: pass\n"
        "number = 3\n"
    )
    (tmp_path / "stranger_broken.py").write_text("import a_module_that_nobody_has\n")
    return tmp_path


@pytest.mark.parametrize(
    "name",
    ["stranger_policies:up", "stranger_policies:Up", "stranger_policies.py:up", "./stranger_policies.py:Up"],
)
def test_policies_are_found_by_module_and_by_file(module, name):
    assert load_policy(name)(SOME).tolist() == [0, 0, 0]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere", "not a folder; a policy is named package.module:object"),
        ("stranger_policies:", "a policy is named"),
        ("no_such_package.part:policy", "no module 'no_such_package.part': 'no_such_package' is neither"),
        ("no_such_file.py:policy", "no file 'no_such_file.py'"),
        ("stranger_policies:Uq", "unknown policy in stranger_policies 'Uq'; did you mean 'U?u?p'"),
        ("stranger_policies.py:number", "must be callable"),
        ("stranger_policies:Needy", "called without arguments.*'size'"),
        ("stranger_policies:Silent", "type Silent"),
        (".", "there is no policy.json"),
    ],
)
def test_a_policy_that_is_not_there_is_explained(module, name, message):
    with pytest.raises(PolicyError, match=message):
        load_policy(name)


@pytest.mark.parametrize("name", ["stranger_broken:policy", "stranger_broken.py:policy"])
def test_a_module_that_cannot_import_says_so_in_one_line(module, name):
    with pytest.raises(
        PolicyError, match=r"stranger_broken.py, line 1: ModuleNotFoundError: .*a_module_that_nob"
    ) as caught:
        load_policy(name)
    assert "\n" not in str(caught.value)


def test_a_saved_policy_is_found_by_its_folder(tmp_path):
    RandomPolicy(5).save(tmp_path / "trial")
    assert load_policy(str(tmp_path / "trial")) == RandomPolicy(5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('{"agent": "random", "n_act', "damaged"),
        ("[]", "must be an object"),
        ('{"agent": 3}', "must be an object"),
        ('{"agent": "randon", "n_actions": 4}', "did you mean 'random'"),
        ('{"agent": "random", "n_actions": "4"}', "n_actions='4'"),
    ],
)
def test_a_damaged_saved_policy_is_refused(tmp_path, text, message):
    (tmp_path / "policy.json").write_text(text)
    with pytest.raises(PolicyError, match=message):
        load_policy(str(tmp_path))


def test_files_are_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    save_files(tmp_path, {"policy.json": json.dumps({"agent": "old"}).encode()})

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", no_space)
    with pytest.raises(OSError, match="No space left"):
        save_files(tmp_path, {"policy.json": json.dumps({"agent": "new"}).encode()})
    assert read_saved(tmp_path) == {"agent": "old"}
    assert [file.name for file in tmp_path.iterdir()] == ["policy.json"]
