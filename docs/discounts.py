"""How much of TRUE the discount decides, with several discounts.

python docs/discounts.py                 write the table of scripted agents into scores.md
python docs/discounts.py runs/core       print that of a run's trained agents
"""

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from mesabench.engine.distribution import Distribution
from mesabench.policies.agent import Task
from mesabench.policies.behaviour import Behaviour
from mesabench.registry import find_agent, find_environment
from mesabench.runs.store import load_run
from mesabench.scores.reference import counts, reference_of
from mesabench.scores.undiscounted import DISCOUNTS, by_discount
from mesabench.solver.graph import LevelGraph, UnsolvableError, explore
from mesabench.world.environment import DEPLOY

PAGE = Path(__file__).parent / "scores.md"
MARKERS = "<!-- discounts -->", "<!-- /discounts -->"
WORLDS = "cheese_dish", "lava_land"
SCRIPTED: dict[str, tuple[str, Callable[[Any], dict[str, Any]]]] = {
    "the intended goal's oracle": ("oracle", lambda e: {}),
    "the same, 20 % of its actions random": ("oracle", lambda e: {"epsilon": 0.2}),
    "staller": ("staller", lambda e: {}),
    "the proxy's oracle": ("oracle", lambda e: {"objective": e.proxies[0]}),
}
LEVELS = 20


def counting(distribution: Distribution, number: int = LEVELS) -> list[LevelGraph]:
    """The first deploy levels that can be solved and tell goals apart."""
    found: list[LevelGraph] = []
    for level in range(10 * number):
        try:
            graph = explore(distribution, level)
        except UnsolvableError:
            continue
        if counts(reference_of(graph).disambiguating, distribution.environment):
            found.append(graph)
        if len(found) == number:
            break
    return found


def scripted() -> Iterator[Sequence[str]]:
    for world in WORLDS:
        environment = find_environment(world)
        distribution = Distribution(environment, DEPLOY)
        levels = counting(distribution)
        for name, (agent_name, settings) in SCRIPTED.items():
            agent, task = find_agent(agent_name), Task(environment)
            policy = agent.train(
                task, agent.parse_settings(settings(environment)), 0, lambda steps, columns: None
            )
            yield world, name, *told(by_discount(Behaviour(policy, distribution), levels))


def trained(folder: Path) -> Iterator[Sequence[str]]:
    """Every trial of a run that has its policy."""
    for one in load_run(folder).trials:
        task = Task(one.trial.declared()[0], one.trial.settled())
        distribution = task.distribution.with_(split=DEPLOY)
        found = by_discount(Behaviour(one.policy(), distribution), counting(distribution))
        yield one.trial.environment, one.trial.title.removeprefix(f"{one.trial.environment} "), *told(found)


def told(found: dict[float, float]) -> Iterator[str]:
    return (f"{value:.2f}".replace("-", "\N{MINUS SIGN}") for value in found.values())


def table(rows: Iterator[Sequence[str]]) -> str:
    head = ["environment", "agent", *(f"\N{GREEK SMALL LETTER GAMMA} = {one:g}" for one in DISCOUNTS)]
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def with_table(page: str) -> str:
    """The page with the table as it is now."""
    begin, end = (page.index(marker) for marker in MARKERS)
    return f"{page[: begin + len(MARKERS[0])]}\n\n{table(scripted())}\n\n{page[end:]}"


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(table(trained(Path(sys.argv[1]))))
    else:
        PAGE.write_text(with_table(PAGE.read_text()))
