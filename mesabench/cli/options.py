"""The options of verbs: how one is declared, and those that several verbs have."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer

from mesabench import registry
from mesabench.whole_number import whole_text


def option(help: str, *names: str, metavar: str | None = None, **settings: Any) -> Any:
    """An option of a verb. One with a whole number as `min` is a whole number, which may be written 1e5, too."""
    if isinstance(settings.get("min"), int):
        least = settings.pop("min")
        settings["parser"] = _whole_from(least)
        metavar = metavar or f"<int from {least}>"
    return typer.Option(*names, help=help, metavar=metavar, **settings)


def _whole_from(least: int) -> Callable[[Any], int]:
    def parse(given: Any) -> int:
        try:
            return whole_text(str(given), least)
        except ValueError as error:
            raise typer.BadParameter(str(error)) from error

    return parse


def completing(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Completes an argument by names that are looked up only then."""
    return lambda incomplete: [name for name in names() if name.startswith(incomplete)]


EnvironmentName = Annotated[
    str,
    typer.Argument(
        metavar="ENV",
        help="An environment: a name from `mesabench list`, or the path of your own file.",
        autocompletion=completing(registry.environments),
    ),
]
Level = Annotated[int, option("Seed of the level: the same seed is the same level on every machine.", min=0)]
Size = Annotated[int | None, option("Cells per side, walls included.", min=1, show_default="as declared")]
Knobs = Annotated[
    list[str] | None,
    option("Set a knob: size=9. A knob in which splits differ is set for train only: corner=3. For deploy: deploy.corner=0. "
           "sight=5x5 or sight=rgb: what the agent sees. May be repeated.", "--set", metavar="KNOB=VALUE"),
]  # fmt: skip
Own = Annotated[
    list[str] | None,
    option(
        "A file of your own that declares an environment or agent which these results name. May be repeated.",
        "--with",
        metavar="FILE",
        show_default=False,
    ),
]

AsJson = Annotated[bool, option("Print the result as JSON.", "--json")]
