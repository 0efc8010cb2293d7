"""Policies: what may be evaluated, and how its answers are checked.

A policy is any callable. One without memory is called with observations, uint8 (n, planes, height, width),
and answers with either

- probabilities, float (n, actions): it can be evaluated exactly, or
- actions, integer (n,): it is evaluated by sampling, unless its attribute `deterministic` is True, which
  promises that an action is a function of the observation alone.

One with memory has the attribute `recurrent = True`; it is called with observations and its state and answers
with a pair: as above, and its new state. The state is None at the start of an episode; row i is the same
environment from call to call.
"""

import inspect
import warnings
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from mesabench import ownfile
from mesabench.streams import drawn

TOLERANCE = 1e-4
"""How far the probabilities of one row may sum from 1 (single precision needs about 1e-6)."""
HALF = {"float16": 2.0**-10, "bfloat16": 2.0**-7}
"""Relative steps between numbers of half precision."""
ROUNDINGS = 4
"""Such steps by which the probabilities of one row may miss 1, where that is more than `TOLERANCE`."""

SAME, SAME_STEPS = 1e-3, 16
"""The difference of two probabilities that counts as none; in half precision, so many steps between numbers."""


class Policy(Protocol):
    """What training gives: a callable as this module describes that can be stored in a folder.

    `save` writes `policy.json`, which holds at least `{"agent": name}`, and `weights.safetensors` where there
    are weights.
    """

    def __call__(self, observations: np.ndarray, /) -> Any: ...

    def save(self, folder: Path) -> None: ...


class PolicyError(ValueError):
    """A policy that cannot be found or read, or whose answer is neither probabilities nor actions."""


class _Trouble(ValueError):
    """What is wrong with an answer; who gave it, and to what, is added where it was asked."""


def _refuse_signature(policy: Any, recurrent: bool) -> None:
    """Whether it can be called as it will be is seen before anything runs; what has no signature is tried."""
    try:
        signature = inspect.signature(policy)
    except (TypeError, ValueError):
        return
    given = ("observations", "state") if recurrent else ("observations",)
    try:
        signature.bind(*given)
    except TypeError as error:
        kind = "recurrent policy" if recurrent else "policy without recurrent = True"
        raise PolicyError(
            f"a {kind} is called with ({', '.join(given)}); {_kind(policy)} takes {signature}: {error}"
        ) from error


class CheckedPolicy:
    """A policy whose every answer is checked, and that is shown a copy of what there is: it may write into it or keep it.

    policy: any callable, see this module. n_actions: the environment's number of actions.
    observations: uint8 (n, planes, height, width), n >= 1, on which a policy without memory is tried at once,
        so that trouble shows before anything is evaluated and `exact` is known from the start. It is asked twice: one that
        draws its probabilities anew at each call is not exact, and a warning says so.
    greedy: take the most probable action (the first of equals) instead of drawing one.

    Raises PolicyError.
    """

    def __init__(
        self, policy: Any, n_actions: int, observations: np.ndarray | None = None, *, greedy: bool = False
    ) -> None:
        if not callable(policy):
            raise PolicyError(f"a policy must be callable with a batch of observations; got {_kind(policy)}")
        self.policy, self.n_actions, self.greedy = policy, n_actions, greedy
        self.recurrent = bool(getattr(policy, "recurrent", False))
        _refuse_signature(policy, self.recurrent)
        self._deterministic = bool(getattr(policy, "deterministic", False))
        self._exact = not self.recurrent
        self.step, self.steady = 0.0, True
        if observations is not None and not self.recurrent:
            first, second = (self.answer(observations, None)[0] for _ in range(2))
            self.steady = first.shape == second.shape and not self.differs(first, second).any()
            if self._exact and not self.steady:
                self._exact = False
                warnings.warn(
                    f"{name_of(policy)} gives different answers to the same observations, so it is evaluated by "
                    "sampling; put a network into evaluation mode (dropout), and give probabilities instead of drawing them",
                    stacklevel=2,
                )

    def differs(self, one: np.ndarray, other: np.ndarray) -> np.ndarray:
        """bool (n,): whether two answers, actions (n,) or probabilities (n, actions), differ beyond rounding."""
        off = np.abs(one - other).reshape(len(one), -1).max(1)
        return off > max(SAME, SAME_STEPS * self.step)

    @property
    def exact(self) -> bool:
        """Whether the policy gives probabilities that depend on the observation alone.

        Before its first answer a policy without memory is taken to give them.
        """
        return self._exact

    def probabilities(self, observations: np.ndarray) -> np.ndarray:
        """What a policy without memory does: float64 (n, actions), every row a distribution.

        observations: uint8 (n, planes, height, width). Raises PolicyError, also where `exact` is False.
        """
        if self.recurrent:
            raise PolicyError(
                "a recurrent policy has no probabilities for an observation alone; sample it with act()"
            )
        answer, _ = self.answer(observations, None)
        if not self.steady:
            raise PolicyError(
                "this policy gives different answers to the same observations; sample it with act()"
            )
        if not self._exact:
            raise PolicyError(
                "this policy answers with actions and gives no probabilities; sample it with act(), or set "
                "its attribute deterministic = True if its action is a function of the observation alone"
            )
        return np.eye(self.n_actions)[answer] if answer.ndim == 1 else answer

    def act(
        self,
        observations: np.ndarray,
        state: Any,
        rng: np.random.Generator,
        running: np.ndarray | None = None,
    ) -> tuple[np.ndarray, Any]:
        """Actions, int64 (n,), and the new state (None for a policy without memory).

        state: what the last call returned, None at the start of an episode. rng: draws from probabilities. running: bool (n,),
        the episodes that go on; what is said of the others does not matter.
        """
        answer, state = self.answer(observations, state, running)
        return drawn(answer, rng.random(len(answer))), state

    def answer(
        self, observations: np.ndarray, state: Any, running: np.ndarray | None = None
    ) -> tuple[np.ndarray, Any]:
        """Checked actions, int64 (n,), or probabilities, float64 (n, actions), and the new state; otherwise as `act`.

        Raises PolicyError.
        """
        try:
            return self._answer(observations, state, running)
        except _Trouble as trouble:
            raise PolicyError(f"{name_of(self.policy)}: {trouble} ({_shown(observations)})") from trouble

    def features(self, observations: np.ndarray) -> np.ndarray:
        """What its method `features` answers, float64 (n, units). Raises PolicyError."""
        n = len(observations)
        given = self._called(self.policy.features, observations)
        try:
            found = self._array(given)
            if (
                found.ndim != 2
                or len(found) != n
                or found.dtype.kind not in "fiub"
                or not np.isfinite(found).all()
            ):
                raise _Trouble(
                    f"features must be finite numbers of shape ({n}, units); got {found.dtype} of shape {found.shape}"
                )
        except _Trouble as trouble:
            raise PolicyError(f"{name_of(self.policy)}: {trouble} ({_shown(observations)})") from trouble
        return found.astype(np.float64)

    def _answer(
        self, observations: np.ndarray, state: Any, running: np.ndarray | None
    ) -> tuple[np.ndarray, Any]:
        if self.recurrent:
            pair = self._called(self.policy, observations, state)
            if not isinstance(pair, tuple) or len(pair) != 2:
                raise _Trouble(f"a recurrent policy must answer with (output, new state); got {_kind(pair)}")
            output, state = pair
            if state is None:
                raise _Trouble(
                    "a recurrent policy must answer with its new state; it gave None, which stands for the start of an "
                    "episode (a policy without memory leaves out recurrent = True)"
                )
        else:
            output = self._called(self.policy, observations)
        array = self._array(output)
        n = len(observations)
        if running is not None and array.ndim in (1, 2) and len(array) == n:
            array = array.copy()
            array[~running] = 0 if array.ndim == 1 else 1 / array.shape[1]
        if np.issubdtype(array.dtype, np.integer):
            answer = self._checked_actions(array, n)
            self._exact = self._deterministic and not self.recurrent and self.steady
        elif np.issubdtype(array.dtype, np.floating):
            answer = self._checked_probabilities(array, n)
            self._exact = not self.recurrent and self.steady
        else:
            raise _Trouble(
                f"a policy must answer with {self._wanted(n)}; got {_kind(output)} of dtype {array.dtype}"
            )
        return answer, state

    def _array(self, output: Any) -> np.ndarray:
        """The answer as an array; notes the step between its numbers where they are of half precision, else 0."""
        self.step = HALF.get(str(getattr(output, "dtype", "")).removeprefix("torch."), 0.0)
        if hasattr(output, "detach"):  # a tensor that still carries its gradient
            output = output.detach().cpu()
            output = output.float() if self.step else output  # NumPy knows no bfloat16
        try:
            array = np.asarray(output)
        except Exception as error:  # rows of different lengths, strange numbers, a library's own refusal
            raise _Trouble(f"a policy must answer with one array: {error}") from error
        return array.astype(np.float32) if self.step else array

    def _called(self, method: Any, observations: np.ndarray, *state: Any) -> Any:
        try:
            return method(observations.copy(), *state)
        except (Exception, SystemExit) as error:  # whatever it is, it is the policy's
            if isinstance(error, PolicyError):
                raise
            if where := ownfile.told(error):
                raise PolicyError(f"{where} ({_shown(observations)})") from error
            error.add_note(f"({name_of(self.policy)}, {_shown(observations)})")
            raise

    def _checked_actions(self, actions: np.ndarray, n: int) -> np.ndarray:
        if actions.shape != (n,):
            raise _Trouble(
                f"a policy must answer with {self._wanted(n)}; got integers of shape {actions.shape}"
            )
        wrong = np.flatnonzero((actions < 0) | (actions >= self.n_actions))
        if len(wrong):
            raise _Trouble(
                f"action {actions[wrong[0]]} in row {wrong[0]} is not one of 0..{self.n_actions - 1}"
            )
        return actions.astype(np.int64)

    def _checked_probabilities(self, given: np.ndarray, n: int) -> np.ndarray:
        if given.shape != (n, self.n_actions):
            raise _Trouble(f"a policy must answer with {self._wanted(n)}; got floats of shape {given.shape}")
        rows = given.astype(np.float64)
        totals = rows.sum(axis=1)
        for bad, trouble in (
            (~np.isfinite(rows).all(axis=1), "are not all finite numbers"),
            ((rows < 0).any(axis=1), "are not all at least 0 (logits? apply a softmax)"),
            (
                np.abs(totals - 1) > max(TOLERANCE, ROUNDINGS * self.step),
                "do not sum to 1 (logits? apply a softmax)",
            ),
        ):
            if bad.any():
                row = int(np.argmax(bad))
                raise _Trouble(f"the probabilities in row {row} {trouble}: {_short(rows[row])}")
        if self.greedy:
            return np.eye(self.n_actions)[rows.argmax(axis=1)]
        return rows / totals[:, None]

    def _wanted(self, n: int) -> str:
        return f"float probabilities of shape ({n}, {self.n_actions}) or integer actions of shape ({n},)"


def name_of(policy: Any) -> str:
    """What an error calls a policy: the name of its function or class, and where its code is written if that is known."""
    name = f"policy {getattr(policy, '__name__', type(policy).__name__)!r}"
    # a network's own code is its `forward`
    written = (
        policy,
        *(getattr(type(policy), method, None) for method in ("on_graph", "forward", "__call__")),
    )
    code = next((one.__code__ for one in written if hasattr(one, "__code__")), None)
    return f"{name} ({ownfile.shown(code.co_filename)}, line {code.co_firstlineno})" if code else name


def _shown(observations: np.ndarray) -> str:
    return f"called with observations {observations.dtype} {observations.shape}"


def _kind(thing: object) -> str:
    return f"a value of type {type(thing).__name__}"


def _short(row: np.ndarray) -> str:
    return f"[{', '.join(f'{x:.4g}' for x in row)}]"
