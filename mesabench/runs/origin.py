"""Where results come from: versions, the code's commit, the machine. Noted beside them; no number and no name depends on it."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import mesabench
from mesabench.engine.threads import processors

LIBRARIES = ("numpy", "numba", "gymnasium", "torch", "stable-baselines3", "sb3-contrib", "cma")
CODE = ("mesabench", "envs", "agents")
"""The folders of a checkout whose changes may change results."""


def versions() -> dict[str, str | None]:
    """The versions that decide results; None for what is not installed."""
    found: dict[str, str | None] = {"mesabench": mesabench.__version__, "python": platform.python_version()}
    for library in LIBRARIES:
        try:
            found[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            found[library] = None
    return found


def differing(one: Mapping[str, str | None], other: Mapping[str, str | None]) -> str:
    """Where two places' versions disagree, in words: `numpy 2.4.6 and 2.3.0`; '' where they do not.

    What is installed in one place alone was not used by what both could run.
    """
    both = ((name, one[name], other.get(name)) for name in one)
    return ", ".join(
        f"{name} {mine} and {theirs}" for name, mine, theirs in both if mine and theirs and mine != theirs
    )


@cache
def commit() -> str | None:
    """The commit (40 hex digits) of the git checkout that this package runs from, "+changes" added where its code differs.

    None for an installed package, and where git is not there or cannot tell.
    """
    root = Path(mesabench.__file__).resolve().parents[1]
    # a package installed inside somebody's own checkout is not that checkout's code
    if not (root / ".git").exists() or not (head := _git(root, "rev-parse", "HEAD")):
        return None
    changes = _git(root, "status", "--porcelain", "--", *(name for name in CODE if (root / name).is_dir()))
    return head + ("+changes" if changes or changes is None else "")


@cache
def processor() -> str:
    """The processor's model as the system calls it, '' where it does not tell."""
    if sys.platform == "darwin":
        return _told("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text(errors="replace").splitlines()
    except OSError:
        lines = []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return models[0] if models else platform.processor()


def machine() -> str:
    """System, architecture and number of processors."""
    return f"{platform.system()} {platform.machine()}, {processors()} processors"


def _git(root: Path, *arguments: str) -> str | None:
    # GIT_DIR and the like, as hooks set them, would point at another repository; no locks: looking changes nothing
    elsewhere = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return _told("git", "-C", str(root), "--no-optional-locks", *arguments, environment=elsewhere)


def _told(*command: str, environment: dict[str, str] | None = None) -> str | None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=20, env=environment)
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
