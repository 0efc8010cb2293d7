"""Learners: animals that live by their drives, and learn within their lives what leads to what feels good.

An animal chooses where to walk, and when it arrives, it learns by how much what it feels there is worth walking to: Q-learning
over walks (Sutton, Precup & Singh 1999), as one compiled function.
"""

from dataclasses import asdict, dataclass
from typing import NamedTuple

import numpy as np

from mesabench.engine.batch import Batch
from mesabench.engine.distribution import Distribution
from mesabench.engine.dynamics import RUNNING
from mesabench.engine.kernel_cache import kernel
from mesabench.evolution.drives import Minds, Nature
from mesabench.evolution.search import Generation, columns_of
from mesabench.suggestion import unknown
from mesabench.world.rules import GOLDEN, mix

RETURN, GENE = "return_of_", "gene_"
"""How the columns of a generation begin that tell of an objective, and of a gene."""


@dataclass(frozen=True)
class Body:
    """Where an animal finds what it senses: the numbers of planes of an observation, and its actions.

    looks: of the things that can be walked to; rest: the action that stays.
    """

    wall: int
    looks: tuple[int, ...]
    taken: int
    animal: int
    energy: int
    sweet: int
    contact: int
    bitter: int
    rest: int
    planes: int

    def __post_init__(self) -> None:
        """Raises ValueError for planes that there are not."""
        for name, place in asdict(self).items():
            for one in place if name == "looks" else [place] if name not in ("rest", "planes") else []:
                if not 0 <= one < self.planes:
                    raise ValueError(f"{name}={one}: it is seen in one of the planes 0 to {self.planes - 1}")

    @classmethod
    def of(cls, distribution: Distribution) -> "Body":
        """Raises ValueError for a world in which animals lack something that they sense."""
        environment, channels = distribution.environment, distribution.engine.channels
        senses = "wall", "taken", "animal", "energy", "sweet", "contact", "bitter"
        for name in senses:
            if channels.count(name) != 1:
                raise ValueError(
                    f"{environment.name}: {unknown('plane that an animal looks at', name, channels)}; "
                    "animals live in sweet_tooth, or where the same is sensed"
                )
        if environment.actions[:4] != ("up", "left", "down", "right") or "stay" not in environment.actions:
            raise ValueError(
                f"{environment.name}: an animal moves up, left, down and right, and rests ('stay'); its actions are "
                f"{', '.join(environment.actions)}"
            )
        looks = tuple(
            k for k, name in enumerate(channels) if name in environment.layer_names and name not in senses
        )
        places = {name: channels.index(name) for name in senses}
        return cls(**places, looks=looks, rest=environment.actions.index("stay"), planes=len(channels))


class Memory(NamedTuple):
    """What lives have learned, and what they are about: arrays of n lives.

    values: float64 (n, needs, options); option: int64, -1 for none; arrived: bool, whether this step ends it; energy, need:
    int64, as last seen, and when the option was chosen; chance: uint64, each life's own stream.
    """

    values: np.ndarray
    option: np.ndarray
    arrived: np.ndarray
    energy: np.ndarray
    need: np.ndarray
    chance: np.ndarray

    @classmethod
    def at_birth(cls, minds: Minds, seeds: np.ndarray) -> "Memory":
        """seeds: uint64 (n,), for an equal number of lives of each animal, one animal's after the other."""
        n = len(seeds)
        values = np.repeat(minds.born, n // len(minds.born), axis=0)
        zeros = np.zeros(n, np.int64)
        return cls(values, zeros - 1, np.zeros(n, bool), zeros.copy(), zeros.copy(), seeds.astype(np.uint64))

    def copy(self) -> "Memory":
        return Memory(*(one.copy() for one in self))

    def forgotten(self, minds: Minds) -> "Memory":
        """The same lives without anything learned; whoever is on its way goes on."""
        born = Memory.at_birth(minds, self.chance)
        return self._replace(values=born.values, option=np.where(self.arrived, -1, self.option))


def act(
    body: Body, minds: Minds, observations: np.ndarray, memory: Memory, running: np.ndarray
) -> np.ndarray:
    """Learn from what is seen, and choose: actions, int64 (n,). Writes into the memory.

    observations: uint8 (n, planes, height, width), an animal's lives one after the other; running: bool (n,).
    """
    actions = np.full(len(observations), body.rest, np.int64)
    _act(
        observations, np.array(body.looks), body.wall, body.taken, body.animal, body.energy, body.sweet, body.contact,
        body.bitter, body.rest, *minds, running, *memory, actions,
    )  # fmt: skip
    return actions


class Lifetimes:
    """The lives of a population of learners, stepped in one batch: as `mesabench.evolution.search.Lives`.

    shift: the generation from which on levels are as of `alpha=shift_alpha`; 0 for never.
    """

    def __init__(
        self,
        distribution: Distribution,
        objective: str,
        nature: Nature,
        *,
        population: int,
        lives: int,
        seed: int,
        shift: int = 0,
        shift_alpha: float = 1.0,
        threads: int = 0,
    ) -> None:
        self.body, self.nature, self.population, self.lives = Body.of(distribution), nature, population, lives
        worlds = [distribution, distribution.with_(alpha=shift_alpha)][: 2 if shift else 1]
        self.batches = [
            Batch(one, population * lives, objective=objective, threads=threads) for one in worlds
        ]
        self.shift, self.rng = shift, np.random.default_rng(seed)

    def live(self, genomes: np.ndarray, number: int = 0, /) -> Generation:
        """The generation of this number, on levels and chance that no other meets. genomes: float (population, genes).

        Its columns tell what of every objective a life came to on average, and the mean of every gene. Raises ValueError.
        """
        batch, minds = self.batches[0 < self.shift <= number], self.nature.develop(genomes)
        batch.episodes["seed"] = np.tile(self.rng.integers(2**63, size=self.lives), self.population)
        batch.episodes["number"] = 0
        batch.reset()
        memory = Memory.at_birth(
            minds, np.tile(self.rng.integers(2**63, size=self.lives, dtype=np.uint64), self.population)
        )
        fitness, lengths, worth = np.zeros(batch.n), np.zeros(batch.n, np.int64), 1.0
        while (running := batch.status == RUNNING).any():
            batch.step(act(self.body, minds, batch.observations, memory, running))
            fitness += worth * np.where(running, batch.rewards, 0.0)
            lengths += running
            worth *= batch.distribution.environment.discount
        objectives = batch.distribution.environment.objective_names
        told = columns_of(batch, lengths)
        told |= {
            f"{RETURN}{name}": float(one) for name, one in zip(objectives, batch.returns.mean(0), strict=True)
        }
        told |= {
            f"{GENE}{name}": float(one) for name, one in zip(self.nature.genes, genomes.mean(0), strict=True)
        }
        return Generation(fitness.reshape(self.population, -1).mean(1), int(lengths.sum()), told)


@kernel(mix)
def _random(chance, i):  # type: ignore[no-untyped-def]  # numba infers them
    """The next number in [0, 1) of a life's stream."""
    chance[i] += GOLDEN
    return float(mix(chance[i]) >> np.uint64(11)) / 9007199254740992.0


@kernel(_random)
def _act(  # type: ignore[no-untyped-def]  # numba infers them
    seen, looks, wall, taken, animal, energy_at, sweet, contact, bitter, rest, drives, rate, patience, curiosity, born,
    feeling, hungry, running, values, option, arrived, energy, need, chance, actions,
):  # fmt: skip
    n, height, width = len(seen), seen.shape[2], seen.shape[3]
    lives = n // len(drives)
    n_looks = len(looks)
    cells = height * width
    steps, way, queue = np.zeros(cells, np.int64), np.zeros(cells, np.int64), np.zeros(cells, np.int64)
    near, first = np.zeros(n_looks, np.int64), np.zeros(n_looks, np.int64)
    worth = np.zeros(n_looks + 1)
    for i in range(n):
        if not running[i]:
            continue
        who, view = i // lives, seen[i]
        here = 0
        while here < cells and view[animal, here // width, here % width] == 0:
            here += 1
        if here == cells:  # nobody is there
            continue
        steps[:] = -1
        steps[here] = 0
        near[:] = 0
        queue[0] = here
        head, tail = 0, 1
        while head < tail:  # every free cell that there is a way to, and the things beside them
            cell = queue[head]
            head += 1
            for move in range(4):
                y = cell // width + int(move == 2) - int(move == 0)
                x = cell % width + int(move == 3) - int(move == 1)
                if y < 0 or x < 0 or y >= height or x >= width:
                    continue
                there = y * width + x
                if steps[there] >= 0 or view[wall, y, x]:
                    continue
                steps[there] = steps[cell] + 1
                way[there] = move if cell == here else way[cell]
                thing = -1
                if not view[taken, y, x]:
                    for look in range(n_looks):
                        if view[looks[look], y, x]:
                            thing = look
                            break
                if thing < 0:
                    queue[tail] = there
                    tail += 1
                elif near[thing] == 0:
                    near[thing], first[thing] = steps[there], way[there]
        now = np.int64(view[energy_at, 0, 0])
        ready = int(now >= hungry)
        full, child, tries, which = (
            _random(chance, i),
            _random(chance, i),
            _random(chance, i),
            _random(chance, i),
        )
        if option[i] < 0 or arrived[i]:
            best, possible = -np.inf, 0
            for k in range(n_looks + 1):
                worth[k] = -np.inf
                if k == n_looks or near[k] > 0:
                    far = near[k] - 1 if k < n_looks else 0
                    worth[k] = values[i, ready, k] * patience[who] ** far
                    best = max(best, worth[k])
                    possible += 1
            if option[i] >= 0:
                felt = drives[who, 0] * view[sweet, 0, 0] + drives[who, 1] * view[bitter, 0, 0]
                felt += drives[who, 2] * view[contact, 0, 0]
                if now > energy[i] and full < feeling:
                    felt += drives[who, 3]
                if now < energy[i] and view[bitter, 0, 0] == 0 and child < feeling:
                    felt += drives[who, 4]
                old = values[i, need[i], option[i]]
                values[i, need[i], option[i]] = old + rate[who] * (felt + patience[who] * best - old)
                if need[i] == ready:  # what was learned just now counts already
                    k = option[i]
                    if worth[k] > -np.inf:
                        far = near[k] - 1 if k < n_looks else 0
                        worth[k] = values[i, ready, k] * patience[who] ** far
                        best = worth.max()
            ties = 0
            explores = tries < curiosity[who]
            for k in range(n_looks + 1):
                ties += worth[k] > -np.inf if explores else worth[k] == best
            left = int(which * ties)
            for k in range(n_looks + 1):
                if worth[k] > -np.inf if explores else worth[k] == best:
                    if left == 0:
                        option[i] = k
                    left -= 1
            need[i] = ready
        energy[i] = now
        k = option[i]
        arrived[i] = k == n_looks or near[k] <= 1
        actions[i] = rest if k == n_looks or near[k] == 0 else first[k]
