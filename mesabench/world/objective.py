"""What somebody might want: a weight for every event that counts."""

from collections.abc import Mapping
from dataclasses import dataclass

from mesabench.world.bits import Bit

HAZARD, NONE, DEVICES = RESERVED = "hazard", "none", "devices"
"""What stands beside objectives in results, in columns such as first_none, evidence_devices: no objective may have these names.
`mesabench.scores.schema` refuses any other column that could be an objective's, so this list is never too short.
"""


@dataclass(frozen=True)
class Objective:
    """What somebody might want: a weight for every event that counts; of an amount, for each unit.

    `goal`: the events whose first occurrence shows that this objective is being pursued (default: those it pays for).
    """

    weights: Mapping[Bit, float]
    description: str = ""
    goal: int = 0

    @property
    def goal_events(self) -> int:
        return int(self.goal or sum(event for event, weight in self.weights.items() if weight > 0))
