"""What a policy's behaviour on solved levels tells beyond its returns: what OPT and the evidence rest on, and PLAN too.

Levels are looked at in order, those that tell goals apart. Large ones are costly, and of them `FEW` are enough.
"""

import numpy as np

from mesabench import solver
from mesabench.policies.behaviour import Behaviour
from mesabench.scores.attribution import Devices, goal_bits, goals_of, sample_episode
from mesabench.scores.directedness import RandomPlay
from mesabench.scores.level_table import (
    ALL_STRUCTURE,
    CHANCE_FUNNEL,
    DEVICES,
    DISTANCE,
    EVIDENCE,
    FUNNEL,
    GREEDY,
    MEG,
    POWER,
    STRUCTURE,
)
from mesabench.scores.reference import Reference, counts
from mesabench.scores.structure import funnel, structure
from mesabench.solver.graph import LevelGraph
from mesabench.streams import generator, stream_seed
from mesabench.world.environment import classes_of

LARGE = 5_000_000
"""Transitions times steps of the horizon from which on a level is large: seconds for each."""
FEW = 10
"""Large levels that are examined."""
REPLANNED = 50
"""Levels at most that are changed to see whether a policy plans anew; `FEW` if they are large."""


def is_large(graph: LevelGraph) -> bool:
    return len(graph.successor) * graph.horizon >= LARGE


class Examination:
    """One policy's, in one environment. seed: of the episodes drawn; levels: those that other measures may look at again."""

    def __init__(self, behaviour: Behaviour, seed: int) -> None:
        self.behaviour, self.seed = behaviour, seed
        self.environment = environment = behaviour.distribution.environment
        self.devices = Devices(len(behaviour.distribution.actions))
        self.goals = goals_of(environment)
        self.levels: list[LevelGraph] = []
        self.large = 0

    def wants(self, graph: LevelGraph, reference: Reference) -> bool:
        """Whether a level is to be examined."""
        asks = counts(reference.disambiguating, self.environment)
        return asks and (not is_large(graph) or self.large < FEW)

    def columns(
        self, graph: LevelGraph, table: np.ndarray, returns: np.ndarray, reference: Reference
    ) -> dict[str, float]:
        """The columns of an examined level's row (`mesabench.scores.level_table`); bits are those of an episode.

        table: the policy's probabilities, float (1 or horizon, states, actions). returns: discounted, for every objective.
        """
        names = self.environment.objective_names
        self.large += is_large(graph)
        if len(self.levels) < (FEW if is_large(graph) else REPLANNED):
            self.levels.append(graph)
        episode = sample_episode(graph, table, self._stream(graph)).up_to(self.goals)
        solved = solver.solve(graph, names, path=episode.states)
        bits = structure(graph, table, solved.good)
        greedy = solver.evaluate(graph, np.eye(graph.n_actions)[table.argmax(-1)]).returns
        found = {ALL_STRUCTURE.name: bits[-1], DEVICES.name: self.devices.bits(graph, episode)}
        for k, name in enumerate(names):
            play = RandomPlay(graph, name, solved.good[k], reference.soft[k], float(reference.random[k]))
            meg = play.meg(float(returns[k]), float(reference.ceiling[k]))
            found |= {
                MEG.of(name): float(np.copysign(meg.bits, meg.beta)),
                STRUCTURE.of(name): bits[k],
                POWER.of(name): play.power(table),
                GREEDY.of(name): greedy[k],
                EVIDENCE.of(name): goal_bits(graph, name, episode, solved.along[k]),
            }
        if len(table) == 1:
            found |= {
                FUNNEL.name: funnel(graph, table[0]),
                CHANCE_FUNNEL.name: funnel(graph, solver.uniform_policy(graph)),
            }
        return found | {
            DISTANCE.of(name): float(steps)
            for name, steps in zip(classes_of(self.environment), reference.distance, strict=True)
        }

    def _stream(self, graph: LevelGraph) -> np.random.Generator:
        """Chance of a level's own: what is drawn on it does not depend on which others are examined."""
        seed = stream_seed(self.seed, "examination", graph.distribution.split, str(graph.level))
        return generator(seed)
