"""What environments, population models and agents have in common: a file declares them, whose name they have and whose story."""

from dataclasses import replace
from typing import Any, Self

from mesabench.world.story import story_of


class Declaration:
    """A declaration, which the registry labels. file, digest: of the file and its content; empty for what is installed."""

    name: str
    story: str
    file: str
    digest: str

    def __deepcopy__(self, memo: Any) -> Self:
        return self  # nothing in it can change

    @property
    def title(self) -> str:
        """The story's headline."""
        return story_of(self.story).headline

    @property
    def reference(self) -> str:
        """What `mesabench.registry` finds it by in another process too: its name, or its file and content."""
        return f"{self.file}@{self.digest}" if self.file else self.name

    def named(self, name: str, story: str) -> Self:
        """The same declaration with the name and story that its file gives it."""
        return replace(self, name=name, story=story)  # type: ignore[type-var]
