"""Write api.md, the public names of mesabench with what they take, from their docstrings: python docs/write_api.py"""

import inspect
from pathlib import Path
from typing import Any

import mesabench

PAGE = Path(__file__).parent / "api.md"
HEAD = """# Names for programs of your own

`import mesabench` gives these names, each loaded when it is first used. They and what they take are held by a test;
whatever else can be imported may move. Environments are written with the names of `mesabench.world`
([add an environment](add-an-environment.md)); `mesabench.testing`
checks them. This page is made from the docstrings by `python docs/write_api.py`.
"""


def signature(thing: Any) -> str:
    """What a function takes, without types; a default that is a function or a path of this machine is left out."""
    plain = [
        one.replace(annotation=one.empty, default=_shown(one.default))
        for one in inspect.signature(thing).parameters.values()
    ]
    return str(inspect.Signature(plain)).replace("Ellipsis", "...")


def _shown(default: Any) -> Any:
    return str(default) if isinstance(default, Path) else Ellipsis if inspect.isfunction(default) else default


def page() -> str:
    """The whole page."""
    parts = [HEAD]
    named = {name: getattr(mesabench, name) for name in sorted(mesabench.__all__)}
    for title, wanted in (("Functions", inspect.isfunction), ("Types", inspect.isclass)):
        parts.append(f"\n## {title}\n")
        for name, thing in named.items():
            if wanted(thing):
                taken = signature(thing) if inspect.isfunction(thing) else ""
                told = (inspect.getdoc(thing) or "").replace("``", "`")
                parts.append(f"\n### {name}\n\n```text\nmesabench.{name}{taken}\n\n{told}\n```\n")
    return "".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
