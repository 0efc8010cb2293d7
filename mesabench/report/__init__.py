"""The report: one HTML file that tells a run, opens offline, and is the same to the byte for the same run."""

import base64
import hashlib
from contextlib import nullcontext
from importlib.resources import files
from pathlib import Path
from typing import Any

from mesabench.disk import save_files, sole_writer
from mesabench.runs.published import refuse_published
from mesabench.runs.store import REPORT, load_run, require_run

PATIENCE = 30.0
"""Seconds to wait for another process that writes into the same run: another report takes no longer, as a rule."""


def write_report(run_folder: Path | str, out: Path | str | None = None) -> Path:
    """Write the report of a run and return its path.

    run_folder: that of a suite's results. out: the file to write; None for `report.html` in the run's folder, for which no other
    process may write there meanwhile.

    Raises StoreError if there is no such run, or a published one; BusyError, ImportError without the extra `report`, OSError.
    """
    folder = Path(run_folder)
    refuse_published(folder)
    require_run(folder)
    path = folder / REPORT if out is None else Path(out)
    within = path.parent.resolve() == folder.resolve()
    try:
        from mesabench.report import detection, populations
        from mesabench.report.page import values
        from mesabench.runs.cohort import populations_of

        with sole_writer(folder, PATIENCE) if within else nullcontext():
            run = load_run(folder)
            told = values(run.suite, *populations_of(run))
            asked = told["headline"] if run.suite.question else None
            told |= detection.values(run.folder, asked)
            text = _rendered(told | populations.values(run.replicates, only=not run.trials and asked is None))
            save_files(path.parent, {path.name: text.encode()})
    except ModuleNotFoundError as error:
        if error.name not in ("jinja2", "markupsafe", "matplotlib"):
            raise
        raise ImportError(f'the report needs {error.name}: pip install "mesabench[report]"') from error
    return path


def _rendered(values: dict[str, Any]) -> str:
    """The page. Every text is escaped where it enters; only this package's own style, script and figures are markup."""
    import jinja2
    from markupsafe import Markup

    from mesabench.report import words

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("mesabench.report", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"code": words.code, "whole": words.whole, "number": words.number, "zip": zip}
    style, script = (
        (files("mesabench.report") / name).read_text("utf-8") for name in ("style.css", "viewer.js")
    )
    fingerprint = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("report.html").render(
        values, style=Markup(style), script=Markup(script), script_hash=f"sha256-{fingerprint}"
    )
