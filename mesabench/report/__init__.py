"""The report: one HTML file that tells a run, opens offline, and is the same to the byte for the same run."""

import base64
import hashlib
from importlib.resources import files
from pathlib import Path
from typing import Any

from mesabench.disk import save_files
from mesabench.store import load_run

REPORT = "report.html"


def write_report(run_folder: Path | str, out: Path | str | None = None) -> Path:
    """Write the report of a run and return its path.

    run_folder: that of a suite's results. out: the file to write; None for `report.html` in the run's folder.

    Raises StoreError if there is no such run, ImportError without the extra `report`, OSError.
    """
    run = load_run(run_folder)
    path = Path(run_folder) / REPORT if out is None else Path(out)
    try:
        from mesabench.population import populations_of
        from mesabench.report import detection
        from mesabench.report.page import values

        text = _rendered(values(run.suite, *populations_of(run)) | detection.values(run.folder))
    except ModuleNotFoundError as error:
        if error.name not in ("jinja2", "markupsafe", "matplotlib"):
            raise
        raise ImportError(f'the report needs {error.name}: pip install "mesabench[report]"') from error
    save_files(path.parent, {path.name: text.encode()})
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
