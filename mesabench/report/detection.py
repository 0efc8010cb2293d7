"""What `mesabench detect` found in a run, as the page shows it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

from mesabench.auditing.findings import read_findings
from mesabench.report import persistence, roc, svg
from mesabench.report.headline import Headline
from mesabench.runs.trial_folder import StoreError


@svg.as_delivered()
def values(folder: Path, asked: Headline | None = None) -> dict[str, Any]:
    """For the template, with a headline of its own; nothing where nobody looked for planted goals.

    asked: the suite's question and its answer, which then stand before what the detectors found.
    """
    try:
        found = read_findings(folder)
    except StoreError as error:
        return {"detection": {"trouble": str(error)}}
    if found is None:
        return {}
    failures = (f"{name} {reason}" for name, reason in found.detection.failures.items())
    headline = roc.headline(found.detection)
    if headline and asked:
        headline = replace(asked, standfirst=f"{asked.standfirst} {headline.title} {headline.standfirst}")
    return ({"headline": headline} if headline else {}) | {
        "detection": {
            "trouble": "",
            "check": roc.check(found.detection),
            "curves": roc.legend(),
            "detectors": roc.panels(found.detection),
            "by_trigger": roc.by_trigger(found.detection),
            "left_out": [*found.detection.missing, *failures],
            "triggers": persistence.legend(found.survivals),
            "survivals": persistence.panels(found.survivals),
        }
    }
