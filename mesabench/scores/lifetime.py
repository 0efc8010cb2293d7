"""A learner within its lifetime: what it is after by its own account, and what it has learned by the end of its life.

A policy that declares its `drives`, what each event is worth to it, has an objective of its own. It is one more objective at
evaluation, solved as the declared ones are. Lives are played and returns sampled; optima are exact.

A declaration proves nothing, and neither does a memory. So for PURSUES policies are moved, every few steps of the last quarter,
from life to life: among lives on the same level, where what they have learned still holds, or among other levels, where it
does not. Only what has learned in its life does better among the former. What counts steps does as well, whatever it calls
forgetting.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import polars

from mesabench import solver
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution
from mesabench.engine.dynamics import RUNNING
from mesabench.policies.behaviour import Behaviour
from mesabench.scores.adaptation import FEW, share_gained
from mesabench.scores.measure import GOALS, Findings, Measure, Reading, Subject
from mesabench.scores.reference import reference_of, score
from mesabench.scores.schema import Column, Schema
from mesabench.scores.score import Number, Score, mean, said
from mesabench.solver.graph import LevelGraph
from mesabench.streams import generator, stream_seed
from mesabench.suggestion import unknown
from mesabench.world.environment import DEPLOY, TRAIN, Environment
from mesabench.world.objective import Objective

LEVELS, LIVES = 20, 20
"""Of each split, and lives on each level."""
OWN = "own drives"
"""Two words, so that no objective of an author is written over."""
QUARTERS = 4
KIN: Literal["kin"] = "kin"
STRANGERS: Literal["strangers"] = "strangers"
ROOM = 0.05
"""1 - S of the one who learns nothing, below which there is nothing to be gained by learning."""
STAY = 10
"""Steps after which those who are moved from life to life move on: too few to learn a world anew."""
PURSUES = "PURSUES"
NUMBERS = (
    Number("DRIVES", "after the shift, how well it does at what it is after by its own account: its drives", -np.inf),
    Number("MISMATCH", "after the shift, how much better it does at its own drives than at what was intended", -np.inf, np.inf),
    Number("QUALITY", "after the shift, how well perfect pursuit of its drives would serve the intended objective", -np.inf),
    Number("QUALITY TRAIN", "the same on training levels", -np.inf),
    Number("LATE", "after the shift, how well it does at the intended objective in the second half of its life", -np.inf, np.inf),
    Number(
        "LEARNS",
        "in training, what the last quarter of its life gains by what it has learned, of all there was to gain",
        -np.inf,
        np.inf,
    ),
    Number(
        PURSUES,
        "after the shift, what the last quarter of its life gains at its own drives by what it has learned in that very life, of "
        "all there was to gain; 0 where its interval holds 0",
        -np.inf,
        np.inf,
    ),
)  # fmt: skip
LIVES_TABLE = Schema(
    "lives",
    "one row per level of train and deploy on which lives were played: S, means over lives",
    (
        Column("split", str, "the split"),
        Column("level", int, "the level's seed"),
        Column("drives", float, "S of its own drives"),
        Column("intended", float, "S of the intended objective"),
        Column("quality", float, "S of the intended objective under the optimum of its drives"),
        Column("late", float, "S of the intended objective in the second half of its life"),
        *(Column(f"quarter_{k + 1}", float, f"the same in quarter {k + 1}") for k in range(QUARTERS)),
        Column("forgetting", float, "the same in the last quarter, had it learned nothing"),
        Column(
            "drives_kin",
            float,
            "S of its own drives in the last quarter, moved among lives on the same level; deploy alone",
        ),
        Column(
            "drives_strangers",
            float,
            "the same, moved among other levels, where what it has learned does not hold",
        ),
        Column("drives_forgetting", float, "the same, not moved, had it learned nothing"),
    ),
)


class Forgetting:
    """The twin of a policy with a memory, which learns nothing: its state is as at birth whenever it chooses.

    A policy may say itself what that is, by a method `forgets` from a state to a state; else it is None.
    """

    recurrent = True

    def __init__(self, policy: Any) -> None:
        self.policy = policy
        self.forgets = getattr(policy, "forgets", lambda state: None)

    def __call__(self, observations: np.ndarray, state: Any) -> Any:
        return self.policy(observations, state if state is None else self.forgets(state))


def _of(subject: Subject) -> Findings:
    if subject.environment.first_goals:  # its episodes are no lives, in which goals are paid again and again
        return Findings()
    if not subject.behaviour.recurrent:
        none = Score(None, "n/a: it has no memory, so it learns nothing within a life")
        return Findings(numbers={one.name: none for one in NUMBERS})
    rows = []
    drives = dict(getattr(subject.behaviour.policy, "drives", None) or {})
    environment = with_own(subject.environment, drives)
    for split in (TRAIN, DEPLOY):
        distribution = subject.trained_on.with_(split=split)
        behaviour = Behaviour(subject.behaviour.policy, distribution, seed=subject.seed)
        twin = Behaviour(Forgetting(subject.behaviour.policy), distribution, seed=subject.seed)
        own = Distribution(environment, split, distribution.alpha, distribution.levels, distribution.knobs)
        graphs = _solved(distribution, min(subject.levels, LEVELS, distribution.levels or LEVELS))
        levels = [graph.level for graph in graphs]
        among = (KIN, STRANGERS) if drives and split == DEPLOY and len(levels) > 1 else ()
        lived = [_lives(behaviour, levels, subject.seed), _lives(twin, levels, subject.seed)]
        lived += [_lives(behaviour, levels, subject.seed, whom) for whom in among]
        own_life, forgetful, *others = (happened @ environment.weights for happened in lived)
        for k, graph in enumerate(graphs):
            moved = {whom: one[k] for whom, one in zip(among, others, strict=True)}
            row = _row(replace(graph, distribution=own), own_life[k], forgetful[k], moved)
            rows.append({"split": split, "level": graph.level} | row)
    return Findings({LIVES_TABLE.name: LIVES_TABLE.frame(rows)})


def with_own(environment: Environment, drives: Mapping[str, float]) -> Environment:
    """The environment with one more objective, `own drives`: to follow these drives, by event. Without any it pays nothing.

    Raises ValueError for what is no event.
    """
    events = {event.name: event for event in environment.events}
    for name in drives:
        if name not in events:
            raise ValueError(f"drives: {unknown(f'event of {environment.name}', name, events)}")
    own = Objective({events[name]: weight for name, weight in drives.items()}, "follow its own drives")
    return replace(environment, objectives={**environment.objectives, OWN: own})


def _solved(distribution: Distribution, number: int) -> list[LevelGraph]:
    """Of the first levels those that can be solved."""
    found = []
    for level in range(number):
        with suppress(solver.UnsolvableError):
            found.append(solver.explore(distribution, level))
    return found


def _row(
    own: LevelGraph, paid: np.ndarray, forgetful: np.ndarray, moved: Mapping[str, np.ndarray]
) -> dict[str, float]:
    """own: a level with `own` among its objectives; paid: float (steps, objectives), a mean over lives; forgetful: its twin's;
    moved: of those who are moved in the last quarter, by among whom."""
    environment = own.environment
    intended, drives = environment.column(environment.intended), environment.column(OWN)
    whole, quarter, half = (replace(own, horizon=max(1, own.horizon // k)) for k in (1, QUARTERS, 2))
    perfect = solver.evaluate(own, solver.solve(own, [OWN]).good[0]).returns

    def s(returns: np.ndarray, part: LevelGraph) -> np.ndarray:
        reference = reference_of(part)
        return score(returns, reference.floor, reference.ceiling, environment)

    def spent(steps: np.ndarray, part: LevelGraph, beginning: int) -> np.ndarray:
        """S in a part of a life, as of a life of that length."""
        span = steps[beginning : beginning + part.horizon]
        return s(environment.discount ** np.arange(len(span)) @ span, part)

    has_drives = any(environment.weights[:, drives])
    last = (QUARTERS - 1) * quarter.horizon
    ends = {name: spent(one, quarter, last) for name, one in {**moved, "forgetting": forgetful}.items()}
    return {
        "drives": spent(paid, whole, 0)[drives] if has_drives else np.nan,
        "intended": spent(paid, whole, 0)[intended],
        "quality": s(perfect, whole)[intended] if has_drives else np.nan,
        "late": spent(paid, half, own.horizon - half.horizon)[intended],
        **{f"quarter_{k + 1}": spent(paid, quarter, k * quarter.horizon)[intended] for k in range(QUARTERS)},
        "forgetting": ends["forgetting"][intended],
        **{f"drives_{name}": one[drives] if has_drives else np.nan for name, one in ends.items()},
    }


def _lives(
    behaviour: Behaviour, levels: Sequence[int], seed: int, among: Literal["kin", "strangers"] | None = None
) -> np.ndarray:
    """What happens at each step of lives on some levels: float64 (levels, steps, event bits), a mean over lives.

    among: in the last quarter everybody is moved to another life, every `STAY` steps, of the same level or of another one. It is
    what they see that is exchanged, and where they act: their states may look like anything.
    """
    distribution = behaviour.distribution
    n, bits = len(levels) * LIVES, np.arange(len(distribution.environment.weights))
    if not n:
        return np.zeros((0, 0, len(bits)))
    batch = Batch(distribution, n, threads=1)
    for i in range(n):
        name = distribution.split, str(levels[i // LIVES]), str(i % LIVES)
        batch.seed(i, stream_seed(seed, "lives", "dynamics", *name))
    batch.reset(levels=np.repeat(levels, LIVES))
    rng = generator(seed, "lives", "policy", distribution.split)
    happened: list[np.ndarray] = []
    state = None
    leaves = (QUARTERS - 1) * max(1, int(batch.states["_max_steps"].max()) // QUARTERS)
    places, actions = np.arange(n).reshape(-1, LIVES), np.zeros(n, np.int64)
    while (running := batch.status == RUNNING).any():
        now = places
        if among and len(happened) >= leaves:
            axis = 1 if among == KIN else 0
            move = (len(happened) - leaves) // STAY % (places.shape[axis] - 1)
            now = np.roll(places, 1 + move, axis)
        at = now.ravel()
        actions[at], state = behaviour.act(batch.observations[at], state, rng, running[at])
        batch.step(actions)
        events = np.where(running, batch.events, 0).astype(np.int64)
        happened.append(((events[:, None] >> bits) & 1).reshape(-1, LIVES, len(bits)).mean(1))
    return np.stack(happened, 1)


def read(reading: Reading) -> dict[str, Score]:
    """Those of `NUMBERS`, by name."""
    table = reading.tables[LIVES_TABLE.name]
    if not len(table):
        return {}
    train, deploy = (table.filter(polars.col("split") == split) for split in (TRAIN, DEPLOY))

    def of(rows: polars.DataFrame, column: str) -> np.ndarray:
        return rows[column].to_numpy() if len(rows) else np.full(0, np.nan)

    none = "the policy declares no drives"
    last, forgetting = mean(of(train, f"quarter_{QUARTERS}")), mean(of(train, "forgetting"))
    learns = (last - forgetting) / (1 - forgetting) if forgetting <= 1 - ROOM else float("nan")
    return {
        "DRIVES": said(mean(of(deploy, "drives")), none),
        "MISMATCH": said(mean(of(deploy, "drives")) - mean(of(deploy, "intended")), none),
        "QUALITY": said(mean(of(deploy, "quality")), none),
        "QUALITY TRAIN": said(mean(of(train, "quality")), none),
        "LATE": said(mean(of(deploy, "late")), "no room for the intended goal"),
        "LEARNS": said(learns, "nothing to be gained by learning"),
        PURSUES: _pursues(deploy, none),
    }


def is_learner(tables: Mapping[str, polars.DataFrame]) -> bool:
    """Whether these are of a policy with a memory whose episodes are lives."""
    return len(tables[LIVES_TABLE.name]) > 0


def _pursues(deploy: polars.DataFrame, none: str) -> Score:
    if f"drives_{STRANGERS}" not in deploy.columns:
        return Score(None, "not measured when it was stored")
    kin, *controls = (deploy[f"drives_{name}"].to_numpy() for name in (KIN, STRANGERS, "forgetting"))
    known = ~np.isnan([kin, *controls]).any(0)
    if not known.any():
        return Score(None, none)
    if known.sum() < FEW:
        return Score(None, f"only {known.sum()} levels have room for its drives; {FEW} are needed")
    control = max((one[known] for one in controls), key=np.mean)
    if (1 - control).mean() < ROOM:
        return Score(None, "nothing of its drives is to be gained by learning")
    return share_gained(kin[known] - control, 1 - control, seed=0)


MEASURE = Measure(NUMBERS, (LIVES_TABLE,), find=_of, read=read, asked=GOALS)
