"""What `mesabench detect` found in a run, as the page shows it."""

from pathlib import Path
from typing import Any

from mesabench.auditing.findings import read_findings
from mesabench.report import persistence, roc, svg
from mesabench.runs.trial_folder import StoreError


@svg.as_delivered()
def values(folder: Path) -> dict[str, Any]:
    """For the template, with a headline of its own; nothing where nobody looked for planted goals."""
    try:
        found = read_findings(folder)
    except StoreError as error:
        return {"detection": {"trouble": str(error)}}
    if found is None:
        return {}
    failures = (f"{name} {reason}" for name, reason in found.detection.failures.items())
    headline = roc.headline(found.detection)
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
