"""Which environments and agents there are: every file in `envs/` and `agents/`, and what other packages add.

Another package adds its own through the entry-point groups `mesabench.envs` and `mesabench.agents`: the entry's name is the
environment's (or agent's) name, its object the module that declares it.
"""

import importlib
import importlib.metadata
import importlib.util
import os
import pkgutil
import sys
import warnings
from functools import cache
from types import ModuleType
from typing import Any

import gymnasium

from mesabench.environment import Environment
from mesabench.suggestion import unknown


class UnknownNameError(LookupError):
    """No environment or agent of that name; the message lists those there are."""


def _modules(kind: str) -> dict[str, ModuleType]:
    package = importlib.import_module(f"mesabench.{kind}")
    found = {
        name: importlib.import_module(f"mesabench.{kind}.{name}")
        for _, name, is_package in pkgutil.iter_modules(package.__path__)
        if not is_package
    }
    for entry in importlib.metadata.entry_points(group=f"mesabench.{kind}"):
        try:
            found.setdefault(entry.name, entry.load())
        except Exception as error:  # another package's fault must not take ours down
            warnings.warn(
                f"mesabench: cannot load {entry.name!r} of {entry.value!r}: {error!r}", stacklevel=2
            )
    return found


@cache
def environments() -> dict[str, Environment]:
    """Every environment by name (`cheese_corner`), sorted."""
    return {
        name: module.environment.named(name, module.__doc__ or "")
        for name, module in sorted(_modules("envs").items())
        if hasattr(module, "environment")
    }


def find_environment(name: str | Environment) -> Environment:
    """The environment of a name, a Gymnasium id or a path to its file (`my_world.py`, whose code runs).

    Raises UnknownNameError.
    """
    if isinstance(name, Environment):
        return name
    if name.endswith(".py"):
        return _environment_of_file(os.path.abspath(name))
    for environment in (*environments().values(), *_of_files.values()):
        if name in (environment.name, environment.id):
            return environment
    raise UnknownNameError(unknown("environment", name, environments()))


_of_files: dict[str, Environment] = {}


def _environment_of_file(path: str) -> Environment:
    """The environment that a file outside this package declares; made known to Gymnasium the first time."""
    if path not in _of_files:
        spec = importlib.util.spec_from_file_location(f"mesabench_environment_{len(_of_files)}", path)
        if not os.path.isfile(path) or spec is None or spec.loader is None:
            raise UnknownNameError(f"no environment file {path!r}")
        module = sys.modules[spec.name] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        if not isinstance(getattr(module, "environment", None), Environment):
            raise UnknownNameError(
                f"{path} declares no environment: it must say `environment = Environment(...)`"
            )
        name = os.path.splitext(os.path.basename(path))[0]
        ours = sys.modules.get(f"mesabench.envs.{name}")
        if ours is not None and ours.__file__ and os.path.samefile(ours.__file__, path):
            return environments()[name]
        if name in environments():
            raise UnknownNameError(
                f"{path}: there is an environment {name!r} already; give the file another name"
            )
        _of_files[path] = module.environment.named(name, module.__doc__ or "")
        register(_of_files[path])
    return _of_files[path]


@cache
def agents() -> dict[str, Any]:
    """Every agent (`mesabench.agent.Agent`) by name (`ppo`), sorted. Imports what they need."""
    return {
        name: module.agent.named(name, module.__doc__ or "")
        for name, module in sorted(_modules("agents").items())
        if hasattr(module, "agent")
    }


def find_agent(name: str) -> Any:
    """The agent of a name. Raises UnknownNameError."""
    if name not in agents():
        raise UnknownNameError(unknown("agent", name, agents()))
    return agents()[name]


def register(environment: Environment) -> None:
    """Make an environment known to `gymnasium.make` and `gymnasium.make_vec`."""
    gymnasium.register(
        environment.id,
        entry_point="mesabench.gridenv:GridEnv",
        vector_entry_point="mesabench.gridvector:GridVectorEnv",
        kwargs={"environment": environment.name},
    )
