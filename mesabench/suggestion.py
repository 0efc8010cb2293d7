"""Errors that teach: what was given, what is allowed, what is nearest."""

import difflib
from collections.abc import Iterable


class UnknownOption(ValueError, TypeError):
    """An unknown keyword where keywords are options.

    Python raises TypeError for an unknown keyword; libraries that try keywords out rely on that, and on its words.
    """

    @classmethod
    def named(cls, kind: str, given: str, allowed: Iterable[str]) -> "UnknownOption":
        return cls(f"got an unexpected keyword argument {given!r}: {unknown(kind, given, allowed)}")


def unknown(kind: str, given: object, allowed: Iterable[str]) -> str:
    """One sentence for an unknown name: `unknown split 'depoly'; did you mean 'deploy'? Allowed: deploy, heldout, train`."""
    names = sorted(allowed)
    near = difflib.get_close_matches(str(given), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {kind} {given!r}; {hint}Allowed: {', '.join(names) or 'none'}"
