"""Policies: every wrong answer is refused, every right one is sampled and evaluated as it says."""

import json
import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mesabench.agents.random import RandomPolicy
from mesabench.disk import save_files
from mesabench.policies.loading import load_policy, read_saved
from mesabench.policies.policy import CheckedPolicy, PolicyError
from mesabench.policies.probabilities import probabilities_of

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
        (np.array(2), r"integers of shape \(\)"),
        (2.0, r"floats of shape \(\)"),
        (np.zeros(3), r"floats of shape \(3,\)"),
        (np.ones(3, bool), "dtype bool"),
        (np.zeros((3, 1), int), r"integers of shape \(3, 1\)"),
        (np.zeros(6, int), r"integers of shape \(6,\)"),
        ((np.zeros(3, int), None), "one array"),
        ({"actions": [0, 0, 0]}, "type dict"),
        ([10**30] * 3, "dtype object"),
        (np.full((3, 4), 0.25j), "dtype complex128"),
    ],
)
def test_wrong_answers_are_refused(answer, message):
    for ask in (
        lambda: CheckedPolicy(always(answer), ACTIONS, SOME),
        lambda: CheckedPolicy(always(answer), ACTIONS).act(SOME, None, np.random.default_rng(0)),
    ):
        with pytest.raises(PolicyError, match=message) as caught:
            ask()
        assert re.match(r"policy '<lambda>' \(.*test_policy\.py, line \d+\): ", str(caught.value))
        assert str(caught.value).endswith("(called with observations uint8 (3, 2, 5, 5))")


class ByProtocol:
    """What other array libraries are to NumPy."""

    def __array__(self, dtype=None, copy=None):
        return np.full((3, 4), 0.25)


@pytest.mark.parametrize(
    "answer",
    [[[0.25] * 4] * 3, ((0.25,) * 4,) * 3, np.full((3, 4), 0.25, np.float16), np.full((3, 4), 0.25, np.longdouble),
     np.asfortranarray(np.full((3, 4), 0.25)), np.ma.masked_array(np.full((3, 4), 0.25)), ByProtocol()],
    ids=["list", "tuple", "half", "long", "by columns", "masked", "__array__"],
)  # fmt: skip
def test_probabilities_come_in_many_forms(answer):
    np.testing.assert_array_equal(CheckedPolicy(always(answer), ACTIONS, SOME).probabilities(SOME), 0.25)


@pytest.mark.parametrize(
    "answer", [[1, 2, 3], (1, 2, 3), *(np.array([1, 2, 3], kind) for kind in ("u1", "i2", "u8"))], ids=repr
)
def test_actions_come_in_many_forms(answer):
    for form in (answer, Torchlike(answer)):
        actions, _ = CheckedPolicy(always(form), ACTIONS, SOME).act(SOME, None, np.random.default_rng(0))
        assert (actions.dtype, actions.tolist()) == (np.int64, [1, 2, 3])


class Torchlike:
    """With a tensor's methods, and NumPy refuses it unless they are used."""

    def __init__(self, answer):
        self.answer = answer

    def detach(self):
        return self

    def cpu(self):
        return np.array(self.answer)

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on a tensor that requires grad")


def test_a_librarys_own_refusal_is_told():
    rows = [Torchlike([0.25] * 4)] * 3
    with pytest.raises(PolicyError, match="one array: Can't call numpy"):
        CheckedPolicy(always(rows), ACTIONS, SOME)


def by_what_is_seen(observations):
    """Another action for every observation, told in an array that is used again and again."""
    by_what_is_seen.used[:] = 0
    rows = by_what_is_seen.used[: len(observations)]
    rows[np.arange(len(observations)), observations.reshape(len(observations), -1).sum(1) % ACTIONS] = 1
    return rows


by_what_is_seen.used = np.zeros((2000, ACTIONS))


def test_a_policy_may_write_into_what_it_sees_keep_it_and_reuse_what_it_answers_with(tmp_path):
    kept = []

    def writes(observations):
        kept.append((observations, observations.copy()))
        answer = by_what_is_seen(observations).copy()
        observations[:] = 255
        kept[-1][1][:] = 255
        return answer

    def keeps(observations):
        kept.append((observations, observations.copy()))
        return by_what_is_seen(observations)

    seen = np.random.default_rng(0).integers(0, 2, (500, 2, 5, 5)).astype(np.uint8)
    before = seen.copy()
    first, *others = (
        probabilities_of(CheckedPolicy(one, ACTIONS, seen[:8]), seen)
        for one in (lambda observations: by_what_is_seen(observations).copy(), by_what_is_seen, keeps, writes)
    )
    for other in others:
        np.testing.assert_array_equal(other, first)
    np.testing.assert_array_equal(seen, before)
    for one, as_it_was in kept:
        np.testing.assert_array_equal(one, as_it_was)


STATES = {
    "array": lambda state, n: np.zeros((n, 2)) if state is None else state + 1,
    "in place": lambda state, n: np.zeros((n, 2)) if state is None else np.add(state, 1, out=state),
    "dict": lambda state, n: {"t": np.zeros((n, 2)) if state is None else state["t"] + 1},
    "pair": lambda state, n: (np.zeros((n, 2)) if state is None else state[0] + 1, "rest"),
    "empty": lambda state, n: (),
    "number": lambda state, n: 0,
}


@pytest.mark.parametrize("kind", STATES)
def test_states_of_any_kind_are_handed_back_as_they_were(kind):
    seen = []

    class Remembering:
        recurrent = True

        def __call__(self, observations, state):
            seen.append(state)
            new = STATES[kind](state, len(observations))
            told.append(new)
            return np.zeros(len(observations), int), new

    told: list = []
    policy = CheckedPolicy(Remembering(), ACTIONS, SOME)
    state, rng = None, np.random.default_rng(0)
    for _ in range(4):
        _, state = policy.act(SOME, state, rng)
    assert seen[0] is None
    assert all(one is other for one, other in zip(seen[1:], told, strict=False))


@pytest.mark.parametrize("exit", [False, True])
def test_an_error_in_the_middle_names_line_and_shape(module, exit):
    trouble = "raise SystemExit(3)" if exit else "raise KeyError('door')"
    (module / "lost.py").write_text(f"def lost(observations):\n    {trouble}\n")
    with pytest.raises(PolicyError, match=r"lost.py, line 2, in lost: .*uint8 \(3, 2, 5, 5\)"):
        CheckedPolicy(load_policy("lost.py:lost"), ACTIONS, SOME)


def test_an_error_of_a_script_keeps_its_traceback_and_gets_a_note():
    def lost(observations):
        raise KeyError("door")

    with pytest.raises(KeyError, match="door") as caught:
        CheckedPolicy(lost, ACTIONS, SOME)
    (note,) = caught.value.__notes__
    assert re.search(
        r"policy 'lost' \(.*test_policy.py, line \d+\), called with observations uint8 \(3, 2", note
    )


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
