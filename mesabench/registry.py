"""Which environments, population models and agents there are: files in `envs/` and `agents/`, other packages', and one's own.

Another package adds its own through the entry-point groups `mesabench.envs` and `mesabench.agents`: the entry's name is the
environment's (or agent's) name, its object the module that declares it.

Two ways lead here. What a person names (`find_environment`, `find_agent`) may be the path of a file, whose code runs. What
stored results name (`known_environment`, `known_agent`) is looked up among what is known, and no path is followed.

Longer than other modules: what a person may name and what data may name have to be read side by side.
"""

import copyreg
import importlib
import importlib.metadata
import os
import pkgutil
import re
import sys
import warnings
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import fields, replace
from functools import cache
from itertools import count
from types import ModuleType
from typing import Any, Final

from mesabench.ownfile import OwnFile, OwnFileError, legal_name, own_file, shown, sprites_beside
from mesabench.suggestion import unknown
from mesabench.world.environment import Environment
from mesabench.world.population import Population

ENVIRONMENT: Final = "environment"
AGENT: Final = "agent"
POPULATION: Final = "population"
KINDS = ENVIRONMENT, AGENT, POPULATION


class UnknownNameError(LookupError):
    """No environment, agent or population of that name; the message lists those there are."""


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
    return _declared_in("envs", ENVIRONMENT)


@cache
def populations() -> dict[str, Population]:
    """Every population model by name (`irish_elk`), sorted."""
    return _declared_in("envs", POPULATION)


@cache
def agents() -> dict[str, Any]:
    """Every agent (`mesabench.policies.agent.Agent`) by name (`ppo`), sorted. Imports what they need."""
    return _declared_in("agents", AGENT)


def _declared_in(folder: str, kind: str) -> dict[str, Any]:
    return {
        name: _illustrated(getattr(module, kind), module.__file__ or "").named(name, module.__doc__ or "")
        for name, module in sorted(_modules(folder).items())
        if hasattr(module, kind)
    }


def _illustrated(declared: Any, path: str) -> Any:
    """A declaration of a file with the sprites that lie beside it."""
    return replace(declared, sprites=sprites_beside(path)) if isinstance(declared, Environment) else declared


def list_environments() -> list[str]:
    """The names of all environments, sorted; `find_environment` gives one."""
    return list(environments())


def list_agents() -> list[str]:
    """The names of all agents, sorted; `find_agent` gives one."""
    return list(agents())


def find_environment(name: str | Environment) -> Environment:
    """The environment of a name, a Gymnasium id, an `Environment.reference`, or a path to its file (whose code runs).

    Raises UnknownNameError, OwnFileError.
    """
    return name if isinstance(name, Environment) else _found(ENVIRONMENT, name)


def find_agent(name: Any) -> Any:
    """The agent of a name, or of a path to its file (`my_agent.py`, whose code runs). Raises UnknownNameError, OwnFileError."""
    return _found(AGENT, name) if isinstance(name, str) else name


def find_population(name: str | Population) -> Population:
    """The population model of a name, or of a path to its file (whose code runs). Raises UnknownNameError, OwnFileError."""
    return name if isinstance(name, Population) else _found(POPULATION, name)


def known_environment(name: str, digest: str = "") -> Environment:
    """The environment that stored results name. digest: of the file that declares it, if it is one of somebody's own.

    Runs no code: a file of one's own must have been named before (`find_environment`, `take`). Raises UnknownNameError.
    """
    return _known(ENVIRONMENT, name, digest)


def known_population(name: str, digest: str = "") -> Population:
    """The population model that stored results name; as `known_environment`."""
    return _known(POPULATION, name, digest)


def renamed(reference: str, name: str, story: str) -> Environment:
    """The environment of a reference, under the name that it had where it was pickled."""
    found = find_environment(reference)
    return found if found.name == name else found.named(name, story)


def known_agent(name: str, digest: str = "") -> Any:
    """The agent that stored results name; as `known_environment`."""
    return _known(AGENT, name, digest)


def take(paths: Iterable[str]) -> dict[tuple[str, str], str]:
    """Run files of one's own and make known what they declare: (kind, path) -> the name that it has among these files.

    Files of one name in several folders are called after their folders, too; the names follow from the paths alone.
    Raises UnknownNameError, OwnFileError.
    """
    found: dict[str, dict[str, Any]] = {kind: {} for kind in KINDS}
    for path in dict.fromkeys(paths):
        for kind, one in _declared_by(own_file(path)).items():
            found[kind][path] = one
    names = {}
    for kind, declared in found.items():
        for path, name in _told_apart(declared).items():
            names[kind, path] = name
            one = declared[path]
            if one.file:  # not one of those that are installed
                _refuse_namesake(kind, name, one.file)
                _labelled[kind, name, one.digest] = one if one.name == name else one.named(name, one.story)
    return names


_SHIPPED = {ENVIRONMENT: environments, AGENT: agents, POPULATION: populations}
_PACKAGES = {ENVIRONMENT: "mesabench.envs", AGENT: "mesabench.agents", POPULATION: "mesabench.envs"}
_IS: dict[str, Callable[[Any], bool]] = {
    ENVIRONMENT: lambda one: isinstance(one, Environment),
    AGENT: lambda one: hasattr(one, "parse_settings"),
    POPULATION: lambda one: isinstance(one, Population),
}
_REFERENCE = re.compile(r"(?P<path>.+\.py)(?:@(?P<digest>[0-9a-f]{16}))?", re.DOTALL)
newly_declared: list[Callable[[Environment], object]] = []
"""Told of every environment that a file of one's own declares; `mesabench.adapters.registration` is, and registers it."""
_declared: dict[OwnFile, dict[str, Any]] = {}
"""What files of one's own declare, by kind."""
_labelled: dict[tuple[str, str, str], Any] = {}
"""The same by kind, name and digest."""
_paths: dict[tuple[str, str], str] = {}
"""The path of what has a name or an id in this process, by kind and either."""


def _found(kind: str, name: str) -> Any:
    if match := _REFERENCE.fullmatch(name):
        return _at(kind, *match.group("path", "digest"))
    for one in (*_SHIPPED[kind]().values(), *_own(kind)):
        if name in (one.name, getattr(one, "id", one.name)):
            return one
    raise UnknownNameError(unknown(kind, name, _SHIPPED[kind]()))


def _own(kind: str) -> list[Any]:
    """What files of one's own have declared, the latest first: a file that was edited means what it says now."""
    return [one[kind] for one in reversed(_declared.values()) if kind in one and one[kind].file]


def _at(kind: str, path: str, digest: str | None) -> Any:
    if digest and (declared := _declared.get(OwnFile(path, digest), {}).get(kind)):
        return declared
    if not os.path.isfile(path):
        raise UnknownNameError(f"no {kind} file {path!r}")
    file = own_file(path)
    if digest and file.digest != digest:
        raise UnknownNameError(
            f"{shown(path)} has changed since this {kind} was made from it: make it again from the file as it is"
        )
    declared = _declared_by(file)
    if kind not in declared:
        raise UnknownNameError(
            f"{shown(path)} declares no {kind}: it must say `{kind} = {kind.capitalize()}(...)`"
        )
    return declared[kind]


def _declared_by(file: OwnFile) -> dict[str, Any]:
    """What a file declares, by kind; made known to Gymnasium the first time. Its code runs once for each content."""
    if file not in _declared:
        for kind in KINDS:
            for name in _SHIPPED[kind]():
                ours = sys.modules.get(f"{_PACKAGES[kind]}.{name}")
                if ours and ours.__file__ and os.path.realpath(ours.__file__) == file.path:
                    return {kind: _SHIPPED[kind]()[name]}
        module = file.run()
        found = {kind: getattr(module, kind, None) for kind in KINDS}
        _declared[file] = {
            kind: _labelled_first(kind, file, one, module.__doc__ or "")
            for kind, one in found.items()
            if _IS[kind](one)
        }
    return _declared[file]


def _labelled_first(kind: str, file: OwnFile, declared: Any, story: str) -> Any:
    """A declaration with the name that it has in this process."""
    declared = _illustrated(declared, file.path)
    for parts in count(1):
        name = legal_name(file.path, parts)
        if parts > len(file.path.split(os.sep)):
            name = f"{name[-43:]}_{file.digest}"
        one = replace(declared, name=name, story=story, file=file.path, digest=file.digest)
        called = {name, getattr(one, "id", name)}
        if parts == 1:
            _refuse_namesake(kind, name, file.path)
        if all(_paths.get((kind, label), file.path) == file.path for label in called):
            break
    _paths.update({(kind, label): file.path for label in called})
    if kind == ENVIRONMENT:
        for tell in newly_declared:
            tell(one)
    _labelled[kind, name, file.digest] = one
    return one


def _refuse_namesake(kind: str, name: str, path: str) -> None:
    if name in _SHIPPED[kind]():
        raise UnknownNameError(
            f"{shown(path)}: there is {'a' if kind == POPULATION else 'an'} {kind} {name!r} already; give the file another name"
        )


def _told_apart(declared: dict[str, Any]) -> dict[str, str]:
    """A name for each path, of as few of its last parts as tell them apart."""
    names = {path: one.name for path, one in declared.items() if not one.file}
    rest = [path for path in declared if path not in names]
    for parts in range(1, 1 + max((len(path.split(os.sep)) for path in rest), default=0)):
        called = {path: legal_name(path, parts) for path in rest}
        given = [*names.values(), *called.values()]
        names |= {path: name for path, name in called.items() if given.count(name) == 1}
        rest = [path for path in rest if path not in names]
    return names | {path: f"{legal_name(path)[:43]}_{declared[path].digest}" for path in rest}


def _known(kind: str, name: str, digest: str) -> Any:
    if digest:
        same = {
            label: one for (of, label, content), one in _labelled.items() if (of, content) == (kind, digest)
        }
        if same:  # maybe called otherwise, among other files
            one = same[name] if name in same else next(iter(same.values()))
            one = one if one.name == name else one.named(name, one.story)
            return _labelled.setdefault((kind, name, digest), one)
        if any((of, label) == (kind, name) for of, label, _ in _labelled):
            raise UnknownNameError(
                f"the file of {kind} {name!r} is not what it was when these results were made; run the suite again"
            )
    elif name in (shipped := _SHIPPED[kind]()):
        return shipped[name]
    elif found := [one for one in _own(kind) if one.name == name]:
        return found[0]
    else:
        raise UnknownNameError(
            f"{unknown(kind, name, shipped)}; if it is a file of your own, give it: --with FILE"
        )
    raise UnknownNameError(
        f"{kind} {name!r} is a file of somebody's own, which results do not run by themselves; give it: --with FILE"
    )


def _by_reference(environment: Environment) -> Any:
    """How an environment is pickled: by reference where that finds the same declaration in whatever process; else by value."""
    with suppress(LookupError, ValueError):
        found = find_environment(environment.reference)
        said = [one.name for one in fields(environment) if one.name not in ("name", "story")]
        if all(getattr(found, name) is getattr(environment, name) for name in said):
            return renamed, (environment.reference, environment.name, environment.story)
    return copyreg.__newobj__, (Environment,), dict(vars(environment))  # type: ignore[attr-defined]


copyreg.pickle(Environment, _by_reference)


__all__ = [
    "KINDS", "OwnFileError", "UnknownNameError", "agents", "environments", "find_agent", "find_environment",
    "find_population", "known_agent", "known_environment", "list_agents", "list_environments", "newly_declared", "populations",
    "renamed", "take",
]  # fmt: skip
