"""The story that a file tells in its docstring: a headline, a table of terms, and whatever else there is to say."""

import re
from typing import NamedTuple


class Story(NamedTuple):
    """headline: on one line; terms: each with its meaning, on one line (`Train`, `Deploy`, `Intended` ...); paragraphs: the
    rest, as they stand."""

    headline: str
    terms: tuple[tuple[str, str], ...]
    paragraphs: tuple[str, ...]


def story_of(docstring: str) -> Story:
    """Read a docstring. Blank lines divide it into blocks, and the first is the headline.

    A block of the table has lines that begin with a term, which is one word, and after two blanks or more its meaning; lines
    that are indented go on with the meaning above. Every other block is a paragraph.
    """
    headline, *blocks = re.split(r"\n\s*\n", docstring.strip())
    terms: list[tuple[str, str]] = []
    paragraphs = []
    for block in blocks:
        if rows := _rows(block):
            terms += rows
        else:
            paragraphs.append(block)
    return Story(" ".join(headline.split()), tuple(terms), tuple(paragraphs))


def _rows(block: str) -> list[tuple[str, str]]:
    """The terms and meanings of a block; none unless all of it is a table."""
    rows: list[tuple[str, str]] = []
    for line in block.splitlines():
        term, _, meaning = line.partition("  ")
        if line.startswith(" ") and rows:
            rows[-1] = rows[-1][0], f"{rows[-1][1]} {line.strip()}"
        elif term.isalpha() and meaning.strip():
            rows.append((term, meaning.strip()))
        else:
            return []
    return rows
