"""Errors that teach: what was given, what is allowed, what is nearest."""

import difflib
import re
from collections.abc import Iterable


class UnknownOption(ValueError, TypeError):
    """An unknown keyword where keywords are options.

    Python raises TypeError for an unknown keyword; libraries that try keywords out rely on that, and on its words.
    """

    @classmethod
    def named(cls, kind: str, given: str, allowed: Iterable[str]) -> "UnknownOption":
        return cls(f"got an unexpected keyword argument {given!r}: {unknown(kind, given, allowed)}")


def unknown(kind: str, given: object, allowed: Iterable[str]) -> str:
    """One sentence for an unknown name: `unknown split 'depoly'; did you mean 'deploy'? Allowed: deploy, heldout, train`.

    The nearest is the one most alike, letter by letter, of those with a word in common (`lava_land` for `land_lava`), or else of
    all. None is named where nothing is alike, as it would only mislead.
    """
    names = sorted(allowed)
    akin = [name for name in names if _words(name) & _words(str(given))]
    near = difflib.get_close_matches(str(given), akin or names, n=1, cutoff=0.0 if akin else 0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {kind} {given!r}; {hint}Allowed: {', '.join(names) or 'none'}"


def _words(name: str) -> set[str]:
    """The words of a name, but for short ones: `max` or `and` says little."""
    return set(re.findall(r"[^\W_]{4,}", name.lower()))
