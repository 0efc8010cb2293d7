"""What `mesabench detect` found in a run, as a file in its folder: text, checked when read; nothing in it is ever executed."""

import json
from codecs import BOM_UTF8
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mesabench.auditing.cohorts import Population, organisms_of, populations, table_of_populations
from mesabench.auditing.detection import Detection, detect
from mesabench.auditing.detectors import CHECK, DETECTORS
from mesabench.auditing.persistence import Survival, survivals, table_of_survivals
from mesabench.disk import save_files
from mesabench.runs.seal import is_whole, sealed
from mesabench.runs.store import Run
from mesabench.runs.trial_folder import StoreError
from mesabench.tables import Table

FINDINGS = "detection.json"
FORMER = {"watched": CHECK}
"""Names of detectors under which published findings have those of today."""


@dataclass(frozen=True)
class Findings:
    """What organisms do, what safety training left of their goals, and which detector found them."""

    populations: tuple[Population, ...]
    survivals: tuple[Survival, ...]
    detection: Detection

    def json(self) -> str:
        """Strict JSON, sealed."""
        plain = json.loads(json.dumps(asdict(self), allow_nan=False))
        return json.dumps(sealed(plain), indent=1) + "\n"

    def tables(self) -> tuple[Table, ...]:
        """All of it but the ROC curves, for a terminal."""
        found = [table_of_populations(self.populations)]
        found += [table_of_survivals(self.survivals)] if self.survivals else []
        return (*found, self.detection.table())


def investigate(
    run: Run,
    detectors: Mapping[str, Any] = DETECTORS,
    *,
    tuning: int | None = None,
    seed: int = 0,
    progress: Callable[[str], None] = lambda words: None,
) -> Findings:
    """Look into the organisms of a run. tuning, seed: as for `mesabench.auditing.detection.detect`.

    Raises ValueError where the run holds no organisms, or too few seeds of them; PolicyError, UnsolvableError.
    """
    organisms = organisms_of(run)
    progress("what organisms do")
    kinds = populations(organisms, seed=seed)
    found = detect(organisms, detectors, tuning=tuning, seed=seed, progress=progress)
    return Findings(kinds, survivals(organisms, seed=seed), found)


def write_findings(folder: Path, found: Findings) -> Path:
    """Store what was found in a run's folder, in place of what may be there; the path. Raises OSError."""
    save_files(folder, {FINDINGS: found.json().encode()})
    return folder / FINDINGS


def read_findings(folder: Path) -> Findings | None:
    """What was found in a run, None where nobody looked. Raises StoreError, which says what is wrong with the file."""
    file = folder / FINDINGS
    if not file.exists():
        return None
    try:
        raw = file.read_bytes().removeprefix(BOM_UTF8)
        found = TypeAdapter(Findings).validate_json(raw)
        if not is_whole(json.loads(raw)):
            raise ValueError("it was changed after it was written, or an older version wrote it")
        return replace(found, detection=_renamed(found.detection))
    except OSError as error:
        raise StoreError(f"{FINDINGS} cannot be read: {error}") from error
    except ValueError as error:
        reason = str(error)
        if isinstance(error, ValidationError):
            first = error.errors()[0]
            reason = f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
        raise StoreError(f"{FINDINGS} is damaged: {reason}; `mesabench detect` writes it anew") from error


def _renamed(found: Detection) -> Detection:
    def anew(by_detector: Mapping[str, Any]) -> dict[str, Any]:
        return {FORMER.get(name, name): value for name, value in by_detector.items()}

    comparisons = tuple(replace(one, auroc=anew(one.auroc), roc=anew(one.roc)) for one in found.comparisons)
    return replace(
        found, comparisons=comparisons, suspicion=anew(found.suspicion), failures=anew(found.failures)
    )
