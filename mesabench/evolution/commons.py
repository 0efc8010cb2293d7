"""Commons: is it honesty or the risk of an audit that keeps animals from taking their own?

Every step each animal takes its own item (`own` for itself) or the communal one (`communal` times `worth`, shared by its group).
With chance `audits` it is audited; whoever takes its own then dies, and others die by chance. Children of parents drawn by what
they earned in this step take the places of the dead. Genes: the chance of taking its own under a lit lamp (audited), and in
the dark. No reward, no training: who leaves children decides. Genuineness G3.

Of the others in its group, a share `kin` are copies of the animal itself, the rest are anybody (relatedness: Mitri et al. 2011).

Source    the fitness of a rare genome, exactly: `fitness`; relatedness: Hamilton 1964
"""

from collections.abc import Mapping
from types import SimpleNamespace

import numpy as np

from mesabench.engine.kernel_cache import kernel
from mesabench.evolution.model import Lived, Model
from mesabench.evolution.population import record, stream
from mesabench.world.knob import Knob
from mesabench.world.population import Condition, Measure

NAME = "commons"


def fitness(lit: np.ndarray, dark: np.ndarray, knobs: SimpleNamespace, others: float = 0.0) -> np.ndarray:
    """Children of a rare genome in a lifetime, but for a factor that all have in common.

    lit, dark: its chances of taking its own. others: the share of own items that anybody else takes. With groups of one:
    [p (l b + (1 - l) c) + (1 - p) (d b + (1 - d) c)] / (m + (1 - m) p l), for audits p, death m, own b and communal c.
    """
    part = knobs.communal * knobs.worth / knobs.group
    taken = knobs.audits * lit + (1 - knobs.audits) * dark
    given = knobs.kin * (1 - taken) + (1 - knobs.kin) * (1 - others)
    earned = taken * knobs.own + (1 - taken) * part + (knobs.group - 1) * part * given
    return earned / (knobs.death + (1 - knobs.death) * knobs.audits * lit)


def threshold(audits: float, death: float) -> float:
    """own / communal above which it pays to take one's own where audits are out of view: 1 + (1 - m) p / m.

    It is where fitness(1, 1) = fitness(0, 0), groups of one: b / (m + (1 - m) p) = c / m.
    """
    return 1 + (1 - death) * audits / death


def kin_threshold(group: int, worth: float, kin: float) -> float:
    """own / communal above which it pays in the dark: worth (1 + (group - 1) kin) / group. Hamilton's rule for this game."""
    return worth * (1 + (group - 1) * kin) / group


def best_response(knobs: SimpleNamespace, others: float = 0.0, grid: int = 101) -> tuple[float, float]:
    """The genes (lit, dark) of the highest fitness on a grid; where the lamp is out of view both are the same."""
    genes = np.linspace(0, 1, grid)
    if not knobs.cue:
        best = float(genes[np.argmax(fitness(genes, genes, knobs, others))])
        return best, best
    k = int(np.argmax(fitness(genes[:, None], genes[None], knobs, others)))
    return float(genes[k // grid]), float(genes[k % grid])


def selected(knobs: SimpleNamespace, others: float = 0.0) -> bool:
    """Whether fitness depends on the genes at all: not where both items earn the same and nobody is audited."""
    genes = np.linspace(0, 1, 3)
    pairs = (genes, genes) if not knobs.cue else (genes[:, None], genes[None])
    found = np.broadcast_to(fitness(*pairs, knobs, others), (3, 3))
    return bool(np.ptp(found) > 1e-9 * found.max())


@kernel()
def _evolve(before, after, rng):
    """Means over the last quarter of steps: the genes lit and dark, and the share of own items. float64 (3,)."""
    n = before.animals
    genes = np.empty((n, 2))
    for k in range(n):
        genes[k, 0] = rng.random()
        genes[k, 1] = rng.random() if before.cue else genes[k, 0]
    earned = np.empty(n)
    own = np.empty(n, np.bool_)
    dies = np.empty(n, np.bool_)
    found = np.zeros(3)
    for step in range(before.steps):
        knobs = after if 0 < before.shift <= step else before
        part = knobs.communal * knobs.worth / knobs.group
        for k in range(n):
            audited = rng.random() < knobs.audits
            own[k] = rng.random() < genes[k, 0 if audited else 1]
            dies[k] = rng.random() < knobs.death or (audited and own[k])
        others = own.mean()
        for k in range(n):
            taken = knobs.audits * genes[k, 0] + (1 - knobs.audits) * genes[k, 1]
            given = knobs.kin * (1 - taken) + (1 - knobs.kin) * (1 - others)
            earned[k] = (knobs.own if own[k] else part) + (knobs.group - 1) * part * given
        if step >= before.steps - max(1, before.steps // 4):
            found += np.array([genes[:, 0].mean(), genes[:, 1].mean(), others])
        places = np.cumsum(earned)
        parents = genes.copy()
        for k in range(n):
            if dies[k] and places[-1] > 0:
                parent = np.searchsorted(places, rng.random() * places[-1], side="right")
                for gene in range(2):
                    child = parents[min(parent, n - 1), gene] + knobs.mutation * rng.standard_normal()
                    genes[k, gene] = min(1.0, max(0.0, child))
                if not knobs.cue:
                    genes[k, 1] = genes[k, 0]
    return found / max(1, before.steps // 4)


def _trial(condition: str, seed: int, knobs: Mapping[str, object]) -> Lived:
    before, after = model.conditions[condition].values(KNOBS, knobs)
    lit, dark, own = _evolve(record(KNOBS, before), record(KNOBS, after), stream(NAME, seed))
    last = after if 0 < before.shift < before.steps else before
    best_lit, best_dark = best_response(last, others=own)
    remarks = []
    if not before.mutation:
        remarks.append("nothing mutates, so only what the first animals had can win: raise mutation")
    if not selected(last, others=own):
        remarks.append(
            "no genome is fitter than another, so genes drift: change own, communal, worth or audits"
        )
    return Lived(
        {"own": own, "lit": lit, "dark": dark, "best lit": best_lit, "best dark": best_dark}, remarks
    )


KNOBS = {
    "animals": Knob(400, 2, 1_000_000, "how many there are at all times"),
    "steps": Knob(6000, 4, 100_000_000, "how long a run is; the last quarter counts"),
    "shift": Knob(0, 0, 100_000_000, "the step from which `after` holds, 0 for never"),
    "audits": Knob(0.05, 0.0, 1.0, "the chance of being audited in a step"),
    "death": Knob(0.02, 1e-6, 1.0, "the chance of dying of something else"),
    "own": Knob(2.0, 0.0, 1e6, "what the own item earns"),
    "communal": Knob(1.0, 1e-6, 1e6, "what the communal one earns"),
    "cue": Knob(1, 0, 1, "1: a lamp shows who is audited"),
    "group": Knob(1, 1, 1000, "animals that share what a communal item earns"),
    "worth": Knob(1.0, 0.0, 1000.0, "by which a communal item is worth more to a group"),
    "kin": Knob(0.0, 0.0, 1.0, "the share of the others in a group that are copies of oneself"),
    "mutation": Knob(0.05, 0.0, 1.0, "standard deviation, of each gene of a child"),
}  # fmt: skip
DEATH = KNOBS["death"].default
HIDDEN = {"cue": 0}
GROUPS = HIDDEN | {"audits": 0.0, "group": 4, "worth": 3.0}


def _hidden(audits: float, times: float) -> dict[str, float]:
    return HIDDEN | {"audits": audits, "own": times * threshold(audits, float(DEATH))}


CONDITIONS = {
    "seen": Condition("audits are in view: they are obeyed, and nothing else is", control="hidden",
                      predicts={"lit": (0, 0.12), "dark": (0.8, 1)}),
    "seen-often": Condition("the same with six times the audits", {"audits": 0.3}, control="hidden",
                            predicts={"lit": (0, 0.12), "dark": (0.8, 1)}),
    "hidden": Condition("audits are out of view: at this pay it is better to be honest always", HIDDEN, control="unaudited",
                        predicts={"own": (0, 0.25)}),
    "unaudited": Condition("no audits", HIDDEN | {"audits": 0.0}, predicts={"own": (0.6, 1)}),
    "audits-stop": Condition("as hidden, and half-way through the audits stop", HIDDEN | {"shift": 3000}, {"audits": 0.0},
                             control="hidden", predicts={"own": (0.6, 1)}),
    **{
        f"{name}-{times:g}x": Condition(f"audits of {audits:.0%} out of view, own pays {times:g} times the exact threshold",
                                        _hidden(audits, times), control="unaudited" if times < 1 else f"{name}-0.8x",
                                        predicts={"own": (0, 0.25) if times < 1 else (0.6, 1)})
        for name, audits in (("hidden", 0.05), ("rare", 0.01)) for times in (0.5, 0.8, 1.25, 2)
    },
    "kin": Condition("no audits; groups of four share what is communal, and the others are copies of oneself",
                     GROUPS | {"kin": 1.0}, control="strangers", predicts={"own": (0, 0.25)}),
    "strangers": Condition("the same, and the others are anybody", GROUPS, predicts={"own": (0.6, 1)}),
}  # fmt: skip
MEASURES = {
    "own": Measure("share of own items among all that are taken"),
    "lit": Measure("the gene under a lit lamp: chance of taking its own when audited"),
    "dark": Measure("the gene in the dark"),
    "best lit": Measure("the gene of the highest fitness, exactly, under a lit lamp"),
    "best dark": Measure("the same in the dark"),
}
model = Model(NAME, __doc__ or "", KNOBS, CONDITIONS, MEASURES, _trial)
