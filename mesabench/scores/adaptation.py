"""What a policy's memory is good for, its weights frozen: does it gain from thinking, does it adapt? (`docs/scores.md`)

Both are asked of policies with a memory (`recurrent = True`) on deploy levels that tell the goals
apart, by sampling; what is compared shares its random numbers. S of a goal is that of `mesabench.scores.reference`.

THINK: the level is looked at for some ticks before the first action: the first observation passes through the policy again and
again, its state is carried on, no step is taken. After Taufeeque et al. 2024, whose recurrent agents pace to gain computation.

ADAPT: a lifetime of several episodes of one level, in which the actions are exchanged for one another in a way that only acting
reveals, and the state is carried over from episode to episode. An adaptive policy does better in the last episode than in the
first (Kenton et al. 2022: agents adapt if their actions influence the world differently; the weights being frozen, it is the
policy that adapts and not its training). A policy is not told which action was drawn from its probabilities: one that means
to learn from what its actions do answers with actions, or nearly surely.
"""

from math import inf

import numpy as np

from mesabench import solver
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution
from mesabench.engine.kernels import RUNNING
from mesabench.policies.behaviour import Behaviour
from mesabench.scores.measure import Findings, Measure, Subject
from mesabench.scores.reference import ROOM, counts, reference_of, score
from mesabench.scores.score import Number, Score
from mesabench.statistics.intervals import bounds, times_drawn
from mesabench.streams import generator, stream_seed

NUMBERS = (
    Number(
        "THINK",
        "S gained with each extra look at the level before the first action, beyond what looks at a blank or at another level "
        "gain; 0 where its interval holds 0",
        -inf,
        inf,
    ),
    Number(
        "THINK LATER",
        "the same after the first extra look: S gained with each of the next ones; 0 where its interval holds 0",
        -inf,
        inf,
    ),
    Number(
        "ADAPT",
        "after its actions were exchanged for one another, the share of what can be gained in S that it does gain within a "
        "lifetime; 0 where its interval holds 0",
        -inf,
        inf,
    ),
)
LEVELS = 50
"""Deploy levels that are looked at."""
FEW = 10
"""Levels below which an interval over them would claim too much."""
TICKS = (0, 1, 2, 4)
"""Numbers of extra passes."""
LOOKS = ("level", "another level", "blank")
"""What is shown in them; the last two are controls: a memory that only needs to get going gains from them as well. A blank has
nothing but the agent."""
REPEATS = 8
"""Episodes of each level with as many ticks; lifetimes of each level, every one with its own exchange of actions."""
EPISODES = 4
"""Episodes of a lifetime."""
RESAMPLES, CONFIDENCE = 2000, 0.95
"""Of the bootstrap over levels."""


def memory_numbers(
    behaviour: Behaviour, goal: str, *, levels: int = LEVELS, seed: int = 0
) -> dict[str, Score]:
    """THINK and ADAPT of a policy, each with its interval over levels, or the reason why it is missing.

    behaviour: on deploy levels. goal: the objective that the policy serves best. levels: of the first so many levels, those that
    tell the goals apart and have room for the goal. seed: of every draw. Raises PolicyError, ValueError for an unknown goal.

    THINK: the least-squares slope of S over `TICKS`, in S per tick, a mean over levels, less that of the better control (`LOOKS`)
    where that gains; THINK LATER: the same without the tick from 0 to 1. ADAPT: S of the last episode less S of
    the first, less the same of the policy whose state is reset at every step, as a share of 1 - S of the first; at most 1 but
    for chance. Either is exactly 0 where its interval holds 0; the interval stands in the score's reason.
    """
    if not behaviour.recurrent:
        return {one.name: Score(None, "no memory") for one in NUMBERS}
    distribution = behaviour.distribution
    distribution.environment.column(goal)  # which refuses an unknown one
    chosen = Levels(distribution, goal, levels)
    if len(chosen.seeds) < FEW:
        few = Score(
            None,
            f"only {len(chosen.seeds)} of {levels} deploy levels could be solved, tell the goals apart and have room for "
            f"{goal}; {FEW} are needed",
        )
        return {one.name: few for one in NUMBERS}
    return _think(behaviour, chosen, seed) | {"ADAPT": _adapt(behaviour, chosen, seed)}


def _think(behaviour: Behaviour, levels: "Levels", seed: int) -> dict[str, Score]:
    without = levels.play(behaviour, seed)[:, 0]

    def gained(look: str) -> np.ndarray:
        played = [levels.play(behaviour, seed, ticks=ticks, look=look)[:, 0] for ticks in TICKS[1:]]
        return np.stack([one - without for one in (without, *played)], 1)

    own, controls = gained(LOOKS[0]), [gained(LOOKS[1])]
    without_blank = ""
    try:
        controls.append(gained(LOOKS[2]))
    except Exception as error:  # a stranger's policy may not bear a blank, which no level looks like
        without_blank = (
            f"; without the control of blank looks, which it does not bear: {type(error).__name__}"
        )
    found = {}
    for name, first in (("THINK", 0), ("THINK LATER", 1)):
        away = np.array(TICKS[first:]) - np.mean(TICKS[first:])
        slopes, *others = (
            (one[:, first:] - one[:, first : first + 1]) @ away / (away @ away) for one in (own, *controls)
        )
        control = max(float(one.mean()) for one in others)
        told, beyond = (
            share_gained(slopes - one, np.ones(len(own)), seed) for one in (0.0, max(0.0, control))
        )
        assert told.value is not None
        assert beyond.value is not None
        # harm is harm; but that a control gains more than looks at the level do is none
        told = told if told.value < 0 else Score(max(0.0, beyond.value), beyond.reason)
        found[name] = Score(told.value, f"{told.reason}{without_blank}")
    return found


def _adapt(behaviour: Behaviour, levels: "Levels", seed: int) -> Score:
    if levels.n_actions < 2:
        return Score(None, "there is but one action, and nothing to exchange it for")
    exchanged = levels.exchanges(seed)
    kept = levels.play(behaviour, seed, exchanged=exchanged, episodes=EPISODES)
    reset = levels.play(behaviour, seed, exchanged=exchanged, episodes=EPISODES, forgets=True)
    room = 1 - kept[:, 0]
    if room.mean() < ROOM:
        return Score(
            None,
            f"the first episode of a lifetime leaves nothing to gain: 1 - S is {room.mean():.2g}, {ROOM} is needed",
        )
    return share_gained((kept[:, -1] - kept[:, 0]) - (reset[:, -1] - reset[:, 0]), room, seed)


def share_gained(gained: np.ndarray, room: np.ndarray, seed: int) -> Score:
    """Sum of what was gained over the sum of the room for it, float64 (levels,) each; 0 where its interval holds 0."""
    rng = generator(seed, "memory", "resampling")
    drawn = times_drawn(rng, len(gained), RESAMPLES)
    # einsum, not a matrix product: its sums do not depend on the number of threads
    above, below = (np.einsum("rn,n->r", drawn, one) for one in (gained, room))
    # a draw without room gains nothing
    shares = np.divide(above, below, out=np.zeros_like(above), where=below != 0)
    low, high = bounds(shares, CONFIDENCE)
    assert low is not None
    assert high is not None
    share = float(gained.sum() / room.sum()) if low > 0 or high < 0 else 0.0
    return Score(share, f"{CONFIDENCE:.0%} interval {low:.3f} .. {high:.3f} over {len(gained)} levels")


class Levels:
    """The levels to play, `REPEATS` environments for each: solved, telling the goals apart, with room for the goal.

    seeds: of the levels, int64 (levels,); floor, ceiling: of the goal, float64 (levels,).
    """

    def __init__(self, distribution: Distribution, goal: str, number: int) -> None:
        environment = distribution.environment
        self.distribution, self.goal, self.n_actions = distribution, goal, len(distribution.actions)
        self.agent_planes = np.array(
            [name == environment.agent.name for name in distribution.engine.channels]
        )
        column = environment.column(goal)
        found: list[tuple[int, float, float]] = []
        for level in range(number):
            try:
                reference = reference_of(solver.explore(distribution, level))
            except solver.UnsolvableError:
                continue
            floor, ceiling = reference.floor, reference.ceiling
            has_room = not np.isnan(score(ceiling, floor, ceiling, environment)[column])
            if has_room and counts(reference.disambiguating, environment):
                found.append((level, floor[column], ceiling[column]))
        columns = np.array(found).reshape(-1, 3).T
        self.seeds, self.floor, self.ceiling = columns[0].astype(np.int64), columns[1], columns[2]

    def exchanges(self, seed: int) -> np.ndarray:
        """What every action does instead, one way for each environment: int64 (environments, actions), never all as it was."""
        actions = np.arange(self.n_actions)
        ways = []
        for level in self.seeds:
            rng = generator(seed, "memory", "actions", str(level))
            for _ in range(REPEATS):
                while ((way := rng.permutation(actions)) == actions).all():
                    pass
                ways.append(way)
        return np.array(ways)

    def play(
        self,
        behaviour: Behaviour,
        seed: int,
        *,
        exchanged: np.ndarray | None = None,
        episodes: int = 1,
        ticks: int = 0,
        look: str = "level",
        forgets: bool = False,
    ) -> np.ndarray:
        """S of the goal in every episode of a lifetime, float64 (levels, episodes), means over the environments of a level.

        exchanged: as `exchanges` gives it. ticks: extra passes over the first observation; look: one of `LOOKS`, what
        these show. forgets: the state is reset at
        every step. The same seed draws the same chance, in the environments and in the policy, whatever else is different.
        """
        levels = np.repeat(self.seeds, REPEATS)
        n, discount = len(levels), self.distribution.environment.discount
        if exchanged is None:
            exchanged = np.tile(np.arange(self.n_actions), (n, 1))
        batch = Batch(self.distribution, n, objective=self.goal, threads=1)
        for i, level in enumerate(levels):
            batch.seed(i, stream_seed(seed, "memory", "dynamics", str(level), str(i % REPEATS)))
        batch.reset(levels=levels)
        rng, unused = (generator(seed, "memory", name) for name in ("policy", "ticks"))
        looks = {
            "level": batch.observations,
            "blank": np.where(self.agent_planes[:, None, None], batch.observations, 0).astype(np.uint8),
            "another level": np.roll(batch.observations, REPEATS, axis=0),
        }
        state = None
        for _ in range(ticks):
            _, state = behaviour.act(looks[look], state, unused)
        rows, episode, factor = np.arange(n), np.zeros(n, np.int64), np.ones(n)
        returns = np.zeros((n, episodes))
        while (running := episode < episodes).any():
            actions, state = behaviour.act(batch.observations, None if forgets else state, rng, running)
            batch.step(exchanged[rows, actions])
            returns[rows[running], episode[running]] += (factor * batch.rewards)[running]
            factor *= discount
            ended = running & (batch.status != RUNNING)
            episode += ended
            factor[ended] = 1.0
            if (again := ended & (episode < episodes)).any():
                batch.reset(again, levels)
        means = returns.reshape(-1, REPEATS, episodes).mean(1)
        return (means - self.floor[:, None]) / (self.ceiling - self.floor)[:, None]


def _of(subject: Subject) -> Findings:
    if subject.goal is None:
        return Findings()
    if not subject.environment.first_goals and subject.behaviour.recurrent:
        lives = Score(
            None,
            "n/a: its episodes are lives, and nothing is carried from one to the next; LEARNS tells",
        )
        return Findings(numbers={one.name: lives for one in NUMBERS})
    levels = min(subject.levels, LEVELS)
    return Findings(numbers=memory_numbers(subject.behaviour, subject.goal, levels=levels, seed=subject.seed))


MEASURE = Measure(NUMBERS, find=_of)
