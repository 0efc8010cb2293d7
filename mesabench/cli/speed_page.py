"""The table of docs/performance.md: `mesabench bench --markdown`."""

import platform
from pathlib import Path

import gymnasium
import numba
import numpy

import mesabench
from mesabench.cli.bench import Bench
from mesabench.tables import Table

ELSEWHERE = Table(
    "What others publish",
    ("engine", "what", "steps/s", "on", "source"),
    (
        ("jaxgmg", "cheese in the corner, 13 x 13, observations written, batch 32", "3.2 M", "CPU of a MacBook Air M2",
         "[README](https://github.com/matomatical/jaxgmg)"),
        ("", "cheese and dish, 13 x 13", "6.9 M", "", ""),
        ("", "keys and chests, 13 x 13", "1.77 M", "", ""),
        ("", "lava land, 13 x 13", "7.29 M", "", ""),
        ("", "monster world, 13 x 13", "0.6 M", "", ""),
        ("NAVIX", "2,048 PPO agents with 16 environments each", "670 M", "one GPU",
         "[README](https://github.com/epignatelli/navix)"),
        ("Minigrid", "one PPO agent, training included, as NAVIX measured it", "4,167", "",
         "[README of NAVIX](https://github.com/epignatelli/navix)"),
        ("PufferLib", "its own environments in C, training included", "1 M to 4 M", "one GPU",
         "[README](https://github.com/PufferAI/PufferLib)"),
    ),
)  # fmt: skip
"""For orientation: measured by their authors, on other machines, in worlds that resemble ours at best."""


def page(bench: Bench) -> str:
    """All that was measured, in Markdown: machine and versions, each table, and what others publish."""

    versions = (
        f"mesabench {mesabench.__version__}, Python {platform.python_version()}, NumPy {numpy.__version__}, "
        f"Numba {numba.__version__}, Gymnasium {gymnasium.__version__}"
    )
    parts = [f"Measured on {processor()} ({bench.machine}), with {versions}.\n"]
    for table in (*bench.tables(), ELSEWHERE):
        parts.append(f"**{table.title}**\n\n{table.markdown()}")
    parts += [f"- {training}\n" for training in bench.trainings]
    return "\n".join(parts)


def processor() -> str:
    """The processor's name, as the system tells it."""
    told = Path("/proc/cpuinfo")
    lines = told.read_text().splitlines() if told.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()
