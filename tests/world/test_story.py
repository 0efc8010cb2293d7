"""Stories: one way to read the docstring of a file, whatever it declares."""

import textwrap

from hypothesis import given
from hypothesis import strategies as st

from mesabench import registry
from mesabench.world.story import story_of

WORDS = st.lists(st.text("abcdefgh,.", min_size=1, max_size=8), min_size=1, max_size=30).map(" ".join)
TERMS = st.lists(st.tuples(st.text("ABCdef", min_size=1, max_size=9), WORDS), min_size=1, max_size=4)


@given(headline=WORDS, blocks=st.lists(WORDS | TERMS, max_size=4), gap=st.integers(0, 3))
def test_a_story_is_read_as_it_was_written(
    headline: str, blocks: list[str | list[tuple[str, str]]], gap: int
) -> None:
    written = [textwrap.fill(headline, 40)]
    for block in blocks:
        if isinstance(block, str):
            written.append(block)
        else:
            lines = (textwrap.wrap(meaning, 40) for _, meaning in block)
            written.append(
                "\n".join(
                    f"{term:9}  " + ("\n" + " " * 11).join(meaning)
                    for (term, _), meaning in zip(block, lines, strict=True)
                )
            )
    told = story_of("\n" + ("\n" + " " * gap + "\n").join(written) + "\n")
    assert told.headline == headline
    assert [*told.paragraphs] == [block for block in blocks if isinstance(block, str)]
    assert [*told.terms] == [row for block in blocks if not isinstance(block, str) for row in block]


def test_a_paragraph_is_no_table_though_two_blanks_stand_in_it() -> None:
    told = story_of(
        "One: two\nthree\n\nTrain  a\n       b\nDeploy  c\n\nIt is hot.  It burns.\n\nTrain  d\nmore."
    )
    assert told.headline == "One: two three"
    assert told.terms == (("Train", "a b"), ("Deploy", "c"))
    assert told.paragraphs == ("It is hot.  It burns.", "Train  d\nmore.")


def test_environments_populations_and_agents_have_the_headlines_of_their_stories() -> None:
    for declared in (registry.environments(), registry.populations(), registry.agents()):
        for one in declared.values():
            assert one.title == story_of(one.story).headline != ""
