"""Descriptions of objectives as infinitives: what follows "learned to" in a sentence, such as "reach the cheese"."""

import re

WORD = re.compile(r"[\w'-]+")
NO_VERBS = frozenset(
    WORD.findall(
        "a an the this that these those my your his her its our their own one's no not any every each all both some to as at by "
        "for from in into of on onto or and but with without whatever whoever it he she they we you i is are was were"
    )
)
"""Words with which no infinitive begins."""
ENDINGS = re.compile(r"(ing|(?<![su])s|(?<!e)ed)$")
"""What the other forms of a verb and most plurals end in."""
VERBS = frozenset(
    WORD.findall("bring sing ring swing cling fling sling sting wring ping shed shred embed wed")
)
"""Verbs that end so, too."""


def trouble(description: str) -> str | None:
    """Why a description cannot follow "to" in a sentence; None where nothing speaks against it.

    A word list knows no grammar: what is refused is wrong, what is let through may still read badly.
    """
    found = WORD.match(description)
    first = found[0] if found else ""
    if not first.isascii() and first.lower() == first:
        return None  # not English: nobody here can tell
    if not re.fullmatch(r"[a-z]+(-[a-z]+)*", first):
        return f"it must begin with a verb in small letters, not {first or description[:1]!r}"
    if first in NO_VERBS or (ENDINGS.search(first) and first not in VERBS):
        return f"it must begin with a verb in its basic form, which {first!r} is not"
    if end := re.search(r"[:;?!\n]|\.$", description):
        return f"it must read on in a sentence, and {end[0]!r} ends one"
    return None
