"""What populations are called: a title in words that the suite gives, or one made from the variant's name."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from mesabench.runs.trial import Trial
from mesabench.suggestion import unknown

PLACE = re.compile(r"\{(\w*)\}")


def titles_of(given: Sequence[str], choices: int) -> Sequence[str]:
    """A title for each choice that a [[trials]] table makes: one for all of them, or as many as there are. Raises ValueError."""
    if len(given) not in (1, choices):
        raise ValueError(
            f"{len(given)} titles, and the table makes {choices} choices of options, settings, alpha and steps: give one "
            f"title, or {choices} of them in that order, the last changing fastest"
        )
    return given if len(given) == choices else [*given] * choices


def filled(title: str, trial: Trial) -> str:
    """A title with what stands in braces replaced: a knob, a setting, `alpha` (as a percentage) or `steps`. Raises ValueError."""
    known = {**trial.settings, **trial.options, "steps": trial.steps}
    return PLACE.sub(lambda found: _said(found[1], known), title)


def _said(name: str, known: Mapping[str, Any]) -> str:
    if name not in known:
        raise ValueError(unknown("placeholder", name, known))
    value = known[name]
    if name == "alpha":
        return f"{100 * value:g} %"
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else str(value)


def title_of(trial: Trial) -> str:
    """The variant of a trial in words, with what it sets taken apart again: `mesabench.runs.suite_table` puts it together."""
    rest, told = f"-{trial.variant}-", []
    for key, value in {**trial.options, **trial.settings}.items():
        for spelling in (str(value), f"{value:g}" if isinstance(value, float) else str(value)):
            part = "-" + re.sub(r"[^A-Za-z0-9_.]+", "-", f"{key}-{spelling}").strip("-.") + "-"
            if part in rest:
                said = str(value).lower() if isinstance(value, bool) else spelling
                told.append((rest.index(part), f"{key}={said}"))
                rest = rest.replace(part, "-" * len(part), 1)  # as long as before: places stay comparable
                break
    if steps := re.search(r"-(\d+)-steps-", rest):
        told.append((steps.start(), f"{int(steps[1]):,} steps"))
        rest = rest.replace(steps[0], "-", 1)
    base = " ".join(re.split(r"[-_]+", rest)).strip()
    base = "" if base == trial.agent.replace("_", " ") else base
    return ": ".join(filter(None, (base, ", ".join(said for _, said in sorted(told)))))
