"""A lineage: generation after generation of a search over genomes, which goes on where an earlier attempt was killed."""

import warnings
from collections.abc import Callable, Sequence
from itertools import count

import numpy as np

from mesabench.evolution.search import Generation, Living, Search
from mesabench.policies.agent import Kept, Note, NothingKept

GENERATION = "generation"
"""The column of progress that numbers generations, from 0 on."""
COLUMN = "column "
"""How the names of arrays begin that hold a column of progress."""


def evolve(
    search: Search,
    lives: Living,
    steps: int,
    progress: Callable[[int, dict[str, float]], None],
    kept: Kept = NothingKept(),  # noqa: B008  # it has no state
) -> np.ndarray:
    """Whole generations until `steps` steps are lived; the genome in the middle of the last, float (genes,).

    progress: told of every generation, by its number. kept: where each is noted. What was noted is not lived again: the search is
    told once more how fit its animals were, which is all that it ever learns, so that any search comes to the same genome, byte
    for byte. Warns if no two animals ever differed in fitness: then nothing was selected.
    """
    lived, selected = 0, False
    history = recalled(kept, lives.rng)
    known = len(history)
    for k in count():
        if lived >= steps:
            break
        genomes = search.ask()
        if k >= known:
            history.append(lives.live(genomes, k))
            kept.write(noted(history, lives.rng))
        generation = history[k]
        search.tell(genomes, generation.fitness)
        selected |= bool(np.ptp(generation.fitness))
        lived += generation.steps
        progress(lived, {GENERATION: float(k), **generation.columns})
    if not selected:
        warnings.warn(
            "no two animals of a generation ever differed in fitness, so nothing was selected. Their lives had "
            f"{history[-1].columns['length_mean']:g} steps: if that is too short for what is paid, raise max_steps; else take "
            "more steps or levels per generation, an easier level (a smaller size), or an objective that chance sometimes meets",
            stacklevel=2,
        )
    return search.mean


def noted(history: Sequence[Generation], rng: np.random.Generator) -> Note:
    """Generations that were lived, and the state of chance after them."""
    names = {name: None for one in history for name in one.columns}
    arrays = {f"{COLUMN}{name}": np.array([one.columns[name] for one in history]) for name in names}
    arrays |= {
        "fitness": np.array([one.fitness for one in history]),
        "steps": np.array([one.steps for one in history]),
    }
    return Note(arrays, {"rng": rng.bit_generator.state})


def recalled(kept: Kept, rng: np.random.Generator) -> list[Generation]:
    """The generations that were noted; none if there is no note. Chance goes on where it was."""
    if (note := kept.read()) is None:
        return []
    rng.bit_generator.state = note.plain["rng"]
    columns = {
        name.removeprefix(COLUMN): one.tolist()
        for name, one in note.arrays.items()
        if name.startswith(COLUMN)
    }
    return [
        Generation(fitness, steps, {name: one[k] for name, one in columns.items()})
        for k, (fitness, steps) in enumerate(
            zip(note.arrays["fitness"], note.arrays["steps"].tolist(), strict=True)
        )
    ]
