"""Errors that teach: what was given, what is allowed, what is nearest."""

import difflib
from collections.abc import Iterable


def unknown(kind: str, given: object, allowed: Iterable[str]) -> str:
    """One sentence for an unknown name: `unknown split 'depoly'; did you mean 'deploy'? Allowed: deploy, heldout, train`."""
    names = sorted(allowed)
    near = difflib.get_close_matches(str(given), names, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}? " if near else ""
    return f"unknown {kind} {given!r}; {hint}Allowed: {', '.join(names) or 'none'}"
