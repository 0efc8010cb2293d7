"""Checks of levels: what a seed gives, as text, in pools and in pairs, and that rules stay within their arrays."""

import numpy as np

from mesabench.engine.array_bounds import escape
from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution
from mesabench.engine.level_text import from_text, to_text
from mesabench.testing.report import Broken, NotApplicable
from mesabench.world import infinitive
from mesabench.world.environment import DEPLOY, HELDOUT, TRAIN, Environment

LEVELS = 200
"""Levels of each split that a check looks at; those that solve levels take the first tenth at most."""


def splits_of(environment: Environment) -> tuple[str, ...]:
    return (*environment.splits, HELDOUT)


def levels_of(environment: Environment, split: str, number: int) -> Batch:
    """A batch at the start of the levels of seeds 0 .. number - 1."""
    batch = Batch(Distribution(environment, split), number, threads=1)
    batch.reset(levels=np.arange(number))
    return batch


def check_levels(environment: Environment, levels: int) -> str:
    """Every split has levels: closed by walls, with one agent, where `s.y`, `s.x` say."""
    distinct = []
    for split in splits_of(environment):
        batch = levels_of(environment, split, levels)
        _check_states(environment, split, batch.states)
        distinct.append(f"{len(np.unique(batch.digests))} different in {split}")
    return f"of {levels} levels of each split: " + ", ".join(distinct)


def check_declaration(environment: Environment, levels: int) -> str:
    """People can read what it is about."""
    advice = (
        "`mesabench list`, `mesabench show` and the report tell it to people who have never seen the file."
    )
    if not environment.story.strip():
        raise Broken("the file has no docstring", f"Tell its story there, a headline first. {advice}")
    for name, objective in environment.objectives.items():
        if not objective.description:
            raise Broken(
                f"objective {name!r} has no description", f"Say in a few words what somebody wants. {advice}"
            )
        if trouble := infinitive.trouble(objective.description):
            raise Broken(
                f"the description of objective {name!r}, {objective.description!r}, does not continue "
                f"'the agent learned to ...': {trouble}",
                f"Write it as an infinitive, such as 'reach the cheese'. {advice}",
            )
    return environment.title


def _check_states(environment: Environment, split: str, states: np.ndarray) -> None:
    grid = states["grid"].astype(np.int64)
    border = np.concatenate([grid[:, 0], grid[:, -1], grid[:, :, 0], grid[:, :, -1]], axis=1)
    if ((border & environment.wall) == 0).any():
        raise Broken(
            f"{split}: there is a level whose border is not closed by {environment.wall.name!r}",
            "Rules read the cells around the agent without asking where the grid ends: begin with `mazes.open_room` or the like.",
        )
    agents = (grid & environment.agent) != 0
    rows = np.arange(len(grid))
    if (agents.sum((1, 2)) != 1).any() or not agents[rows, states["y"], states["x"]].all():
        raise Broken(
            f"{split}: there is a level in which {environment.agent.name!r} is not in exactly the one cell (s.y, s.x)",
            "Set the agent down with `put_agent` and move it with `move`.",
        )
    for field in environment.fields:
        if (states[field.name] < 0).any() or (states[field.name] > field.high).any():
            raise Broken(
                f"{split}: field {field.name!r} left its range 0..{field.high}",
                "Raise its `high`, or bound it in the rules.",
            )


def check_text(environment: Environment, levels: int) -> str:
    """Levels come back from their text."""
    number = min(levels, 50)
    for split in splits_of(environment):
        batch = levels_of(environment, split, number)
        for state, digest in zip(batch.states, batch.digests, strict=True):
            if from_text(batch.distribution, to_text(environment, state))[1] != digest:
                raise Broken(
                    f"{split}: a level read from its text is another one:\n{to_text(environment, state)}",
                    "What is in the state must be layers, single fields, or derived from them by `settle`.",
                )
    return f"{number} levels of each split, to text and back"


def check_pools(environment: Environment, levels: int) -> str:
    """Training and held-out levels share nothing."""
    if not environment.pools:
        raise NotApplicable("the environment declares pools=False: its levels are too few to hold some out")
    training = levels_of(environment, TRAIN, levels)
    for split in splits_of(environment):
        if split == TRAIN:
            continue
        other = levels_of(environment, split, levels)
        for what in ("layouts", "digests"):
            shared = np.intersect1d(getattr(training, what), getattr(other, what))
            if len(shared):
                raise Broken(
                    f"{len(shared)} of {levels} {what} of {split} also occur in training",
                    "What `layout` draws must be seen in the finished level: `shift` must not overwrite it.",
                )
    return f"{levels} levels of each: none is in both"


def check_pairs(environment: Environment, levels: int) -> str:
    """The same seed is the same layout in held-out and deploy, with the shift applied."""
    calm, shifted = levels_of(environment, HELDOUT, levels), levels_of(environment, DEPLOY, levels)
    differ = (calm.digests != shifted.digests) | (calm.states["_max_steps"] != shifted.states["_max_steps"])
    if not differ.any():
        raise Broken(
            "held-out and deploy levels of the same seeds are the same",
            "Give `splits` different knobs, and let `shift` (or, with paired=False, `layout`) read them.",
        )
    share = f"the shift changes {differ.mean():.0%} of {levels} levels"
    if not environment.paired:
        return f"{share} (unpaired, as declared)"
    if (calm.layouts != shifted.layouts).any():
        raise Broken(
            "a pair has two layouts", "`layout` must not depend on anything but its draws and knobs."
        )
    return f"{share}, and no layout"


def check_lasting(environment: Environment, levels: int) -> str:
    """What lasts begins at 0, goes on from episode to episode, and no level depends on it."""
    lasting = [one for one in environment.fields if one.lasts]
    if not lasting:
        raise NotApplicable("no field lasts beyond an episode")
    rng = np.random.default_rng(0)
    for split in splits_of(environment):
        calm, other = (Batch(Distribution(environment, split), levels, threads=1) for _ in range(2))
        for batch in (calm, other):
            for i in range(levels):
                batch.seed(i, i)
            batch.reset()
        for one in lasting:
            if other.states[one.name].any():
                raise Broken(f"{split}: field {one.name!r}, which lasts, does not begin at 0", _LASTING)
            other.states[one.name] = rng.integers(one.high + 1, size=other.states[one.name].shape)
        before = other.states.copy()
        for batch in (calm, other):
            batch.reset()
        for one in lasting:
            if (other.states[one.name] != before[one.name]).any():
                raise Broken(f"{split}: a new level changes field {one.name!r}, which lasts", _LASTING)
        if (calm.digests != other.digests).any():
            raise Broken(f"{split}: a level depends on what earlier episodes left behind", _LASTING)
    return f"{', '.join(one.name for one in lasting)}: kept from episode to episode; exact scores are those of the first"


_LASTING = "Only `step` may read or write a field that lasts: a level is named by its seed, and must always be the same."


def check_memory(environment: Environment, levels: int) -> str:
    """Rules stay within their arrays, whatever a level's text or a knob says."""
    number = max(1, min(5, levels // 20))
    for split in splits_of(environment):
        rng = np.random.default_rng(0)
        if trouble := escape(Distribution(environment, split), number, rng):
            raise Broken(
                trouble,
                "Compiled, this reads or writes what is not the rule's own. A level's text may set any field from 0 to its "
                "`high` and lay any layer anywhere: bound the index in the rule, or lower `high`.",
            )
    return "rules as plain Python stay within their arrays, on any fields and layers that a text may have"
