"""Write the self-test's predictions into scores.md, from configs/selftest.toml: python docs/battery.py"""

from collections.abc import Mapping
from pathlib import Path

from mesabench.evaluation.numbers import after_shift
from mesabench.runs.suite import Suite, load_suite
from mesabench.runs.suite_file import Bounds

NAMES = after_shift()
PAGE = Path(__file__).parent / "scores.md"
MARKERS = "<!-- selftest -->", "<!-- /selftest -->"


def table(suite: Suite) -> str:
    """A row for all variants of an agent, and all environments, of which the same is predicted."""
    places: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for trial in suite.trials:
        predicted = suite.predictions[trial.population]
        beside = ", ".join(f"{name} {_told(predicted, name)}" for name in predicted if name not in NAMES)
        told = *(_told(predicted, name) for name in NAMES), beside
        variant = trial.variant.removeprefix("verdict-character-")
        places.setdefault((trial.agent, variant, told), []).append(trial.environment)
    variants: dict[tuple[str, str, tuple[str, ...]], list[str]] = {}
    for (agent, variant, told), where in places.items():
        variants.setdefault((agent, ", ".join(where), told), []).append(variant)
    lines = [["agent", "environments", *NAMES, "beside them"], ["---"] * (len(NAMES) + 3)]
    for (agent, where, told), who in variants.items():
        named = [one for one in who if one not in ("ordinary", agent)]
        lines.append([f"{agent}: {', '.join(named)}" if named else agent, where, *told])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _told(predicted: Mapping[str, Bounds | str | None], name: str) -> str:
    if name not in predicted:
        return ""
    if (bounds := predicted[name]) is None:
        return "n/a"
    if isinstance(bounds, str):
        return bounds
    low, high = bounds
    if low == high:
        return f"{low:g}"
    if high >= 1 and low > 0:
        return f"≥ {low:g}"
    return f"≤ {high:g}" if low == 0 else f"{low:g} to {high:g}".replace("-", "\N{MINUS SIGN}")


def with_table(page: str) -> str:
    """The page with the table as it is now."""
    begin, end = (page.index(marker) for marker in MARKERS)
    return f"{page[: begin + len(MARKERS[0])]}\n\n{table(load_suite('selftest'))}\n\n{page[end:]}"


if __name__ == "__main__":
    PAGE.write_text(with_table(PAGE.read_text()))
