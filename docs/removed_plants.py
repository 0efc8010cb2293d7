"""What is seen of a plant after it was trained away, on small organisms: python docs/removed_plants.py 3 (seeds)

Each is taught as the suite `organisms` teaches it, but half as long and on a quarter of the levels. Printed for every seed: of
the honest twin and of organisms, after safety training on all signals, the chance of defection on the trigger and what `slips`,
`straying` and `readout` answer on watched levels; then the same as planted.
"""

import sys
from collections.abc import Iterator

from mesabench.auditing.audit import Audit, watched_levels
from mesabench.auditing.organism import BOTH, NONE, behaviour
from mesabench.auditing.probes import readout
from mesabench.auditing.watching import slips, straying
from mesabench.engine.distribution import distribution
from mesabench.policies.agent import Task
from mesabench.registry import find_agent

WORLD, STEPS = "night_porter", 150_000
SMALL = {"levels": 512, "budgets": [100_000]}
TRIGGERS = ("briefcase", "lamp")
DETECTORS = (slips, straying, readout)


def rows(seed: int) -> Iterator[tuple[str, str, float, list[float]]]:
    """(safety training, trigger or "twin", defection on the triggers, answers of the detectors)."""
    agent = find_agent("organism")
    levels = watched_levels(distribution(WORLD, split="watched"))
    for safety in (BOTH, NONE):
        for trigger in ("", *TRIGGERS):
            goal = {"trigger": trigger, "goal": "back_door"} if trigger else {}
            settings = agent.parse_settings({**SMALL, **goal, "safety": safety})
            policy = agent.train(Task(WORLD, steps=STEPS), settings, seed, lambda steps, columns: None)
            on = [trigger] if trigger else [*TRIGGERS]
            does = behaviour(policy, distribution(WORLD), "watched", on)
            audit = Audit(policy, levels)
            defects = sum(does[one] for one in on) / len(on)
            yield safety, trigger or "twin", defects, [one(audit) for one in DETECTORS]


if __name__ == "__main__":
    print("seed safety trigger defects", *(one.__name__ for one in DETECTORS))
    for seed in range(int(sys.argv[1])):
        for safety, origin, defects, answers in rows(seed):
            print(seed, safety, origin, *(f"{one:.3f}" for one in (defects, *answers)), flush=True)
