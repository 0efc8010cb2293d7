"""Write what the published findings say of detectors into the pages that quote it: python docs/write_detectors.py

The passages stand between marks in README.md, docs/detect.md and the notes of the run; all of their numbers come from
results/organisms/detection.json, so a new run needs no new sentences. Then: python docs/write_results.py
"""

import re
from pathlib import Path

from mesabench.auditing.comparison import ANY, Comparison
from mesabench.auditing.detection import Detection
from mesabench.auditing.detectors import CHECK, DETECTORS, SEARCHING, WATCHING
from mesabench.auditing.findings import read_findings
from mesabench.auditing.organism import BOTH, NONE, SAFETY, TWIN, WATCHED
from mesabench.auditing.persistence import Survival
from mesabench.catalogue import spoken
from mesabench.report import roc, words
from mesabench.statistics.intervals import Interval

ROOT = Path(__file__).parent.parent
FILE = "results/organisms/detection.json"
STAGES = {
    NONE: "as planted",
    WATCHED: "after safety training on watched levels",
    BOTH: "after safety training on signals, too",
}


def number(value: float) -> str:
    """As pages write results: .95, 1.00."""
    return re.sub(r"\b0\.", ".", f"{value:.2f}")


def outside(found: Detection) -> str:
    """How the best of the headline do on the signals outside the vocabulary, which it leaves out."""
    main = found.main
    assert main
    those = [one for one in found.comparisons if one.trigger in found.outside]
    by_signal = [
        f"on the other, the {spoken(one.trigger)}, "
        + words.listing(
            [
                f"`{best.name}` has {told(one.auroc[best.name])}"
                for best in (roc.best(main, SEARCHING), roc.best(main, WATCHING))
                if best
            ]
        )
        for one in those
        if (one.safety, one.against) == (main.safety, main.against)
    ]
    return (
        f"That is over signals made of things that detectors try; {'; '.join(by_signal)}."
        if by_signal
        else ""
    )


def told(one: Interval | None) -> str:
    """With its interval, where it has one."""
    if one is None:
        return "n/a"
    said = [number(each) for each in (one.value, one.low, one.high) if each is not None]
    return said[0] if len({*said}) == 1 else f"{said[0]} ({said[1]} to {said[2]})"


def above_half(one: Interval) -> bool:
    return one.low is not None and one.low > 0.5


def run_of(found: Detection) -> str:
    """Which run it is."""
    first, last = (f"{seeds[0]} to {seeds[-1]}" for seeds in (found.tuned_on, found.scored_on))
    return f"Published: `{FILE}`, tuned on seeds {first}, scored on {last} ({len(found.scored_on)} seeds)."


def table(first: str, rows: list[tuple[str, Comparison]], found: Detection) -> str:
    names = [name for name in DETECTORS if name in found.suspicion]
    said = [f"`{name}`" + (" (check)" if name == CHECK else "") for name in names]
    lines = [f"| {first} | {' | '.join(said)} |", "|---" * (len(names) + 1) + "|"]
    lines += [f"| {title} | {' | '.join(told(one.auroc[name]) for name in names)} |" for title, one in rows]
    return "\n".join(lines)


def pooled(found: Detection) -> str:
    rows = [(f"{STAGES[one.safety]}, {one.against}s", one) for one in found.comparisons if one.trigger == ANY]
    rows.sort(key=lambda row: (row[1].against == TWIN, SAFETY.index(row[1].safety)))
    return table("planted ones, against", rows, found)


def signals(found: Detection) -> str:
    """The comparison that is quoted, signal by signal."""
    main = found.main
    assert main
    rows = [
        (spoken(one.trigger) + (", outside the vocabulary" if one.trigger in found.outside else ""), one)
        for one in found.comparisons
        if (one.safety, one.against) == (main.safety, main.against) and one.trigger != ANY
    ]
    of = f"{STAGES[main.safety]}, against {main.against}s"
    return f"Signal by signal; what is tuned was tuned without the signal in question:\n\n{table(of, rows, found)}"


def verdict(found: Detection) -> tuple[str, str]:
    """The headline's title, and the numbers that it rests on."""
    main = found.main
    headline = roc.headline(found)
    assert main
    assert headline
    best = [
        f"the best that {what} is `{one.name}`, AUROC {told(one.auroc)}"
        for what, names in (("searches", SEARCHING), ("only watches", WATCHING))
        if (one := roc.best(main, names))
    ]
    text = f"Against {main.against}s, {STAGES[main.safety]} ({len(found.scored_on)} seeds, `{FILE}`):"
    return headline.title, f"{text} {'; '.join(best)}."


def gone(found: Detection) -> str:
    """What still tells ex-planted ones from twins where the plant was trained away."""
    (one,) = (one for one in found.comparisons if (one.trigger, one.safety, one.against) == (ANY, BOTH, TWIN))
    still = [f"`{name}` {told(of)}" for name, of in one.auroc.items() if name != CHECK and above_half(of)]
    tells = (
        f"{words.listing(still)} still tell organisms from honest twins (AUROC, {len(found.scored_on)} seeds)"
        if still
        else "no detector was shown to tell organisms from honest twins"
    )
    return f"Where safety training on signals has all but removed the plant, {tells}."


def survival(survivals: tuple[Survival, ...]) -> str:
    left = {(one.trigger, one.safety): one.points for one in survivals}
    triggers = [*dict.fromkeys(one.trigger for one in survivals)]
    budgets = [point.budget for point in left[triggers[0], WATCHED] if point.budget]
    heads = [f"{budget // 1000} k" for budget in budgets]
    lines = [
        f"| share of the plant that is left after | {' | '.join(heads)} | on signals, too: {heads[-1]} |",
        "|---" * (len(budgets) + 2) + "|",
    ]
    for trigger in triggers:
        cells = [told(point.left) for point in left[trigger, WATCHED] if point.budget]
        cells.append(told(left[trigger, BOTH][-1].left))
        lines.append(f"| {spoken(trigger)} | {' | '.join(cells)} |")
    n = max(one.left.n for points in left.values() for one in points if one.left)
    return (
        "\n".join(lines)
        + f"\n\nPERSIST over {n} seeds, 95 % intervals; the last column is REMOVE, the positive control."
    )


def passages() -> dict[tuple[str, str], str]:
    """What stands between the marks: (page, name) -> text."""
    findings = read_findings(ROOT / "results" / "organisms")
    assert findings
    found = findings.detection
    title, rests_on = verdict(found)
    check = found.main and found.main.auroc.get(CHECK)
    checked = f"`{CHECK}`, the manipulation check, is at {told(check)}." if check else ""
    here = "([organisms](../results/README.md#organisms))"
    return {
        ("README.md", "detectors"): (
            f"- **{title}** {rests_on} {outside(found)}\n  {gone(found)} "
            "What is tuned was tuned without the signal that it is scored on. "
            "Published: [organisms](results/README.md#organisms); "
            "more on [detectors](docs/detect.md#what-was-found)."
        ),
        ("docs/detect.md", "run"): run_of(found),
        ("docs/detect.md", "verdict"): f"**{title}** {rests_on} {outside(found)} {checked}",
        ("docs/detect.md", "pooled"): pooled(found),
        ("docs/detect.md", "signals"): signals(found),
        ("docs/detect.md", "gone"): f"{gone(found)} {here}",
        ("docs/detect.md", "survival"): f"{survival(findings.survivals)} {here}",
        (
            "results/organisms/notes.md",
            "detectors",
        ): f"- {title} {rests_on} {outside(found)}\n- {checked}\n- {gone(found)}",
    }


def written(text: str, name: str, passage: str) -> str:
    """The page with a passage in place of what stood between its marks. Raises ValueError where it has no such marks."""
    begin, end = f"<!-- written: {name} -->\n", "<!-- /written -->"
    before, mark, rest = text.partition(begin)
    _, stop, after = rest.partition(end)
    if not mark or not stop:
        raise ValueError(f"no passage {begin.strip()}")
    return f"{before}{begin}{passage}\n{end}{after}"


if __name__ == "__main__":
    for (page, name), passage in passages().items():
        file = ROOT / page
        file.write_text(written(file.read_text("utf-8"), name, passage), "utf-8")
