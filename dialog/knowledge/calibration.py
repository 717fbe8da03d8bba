"""An index's own confidence curves, kept beside its stores: `calibration.json`.

Indexing again leaves it alone. It remembers which passages it was fitted on
(the smallest of their ids, which are hashes), so that `stale` can say when the
index has become another. One that was fitted with another embedder does not
count.

    calibration = read_calibration(Path("kb"))
    if calibration: print(calibration.languages["zh"].threshold)
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import ValidationError

from dialog.errors import KnowledgeError
from dialog.knowledge.abstain import THRESHOLDS, Curve, Evidence, default_curve
from dialog.knowledge.fitting import Figures
from dialog.values import Language, Value

FILE_NAME = "calibration.json"
FORMAT = 1
STALE_BELOW = 0.7
"""Share of passages in common below which an index is another than the one calibrated."""
_SKETCH = 256
_MAX_BYTES = 1_000_000


class LanguageFit(Value):
    """A language's curve and threshold, what they were fitted on, and figures by cross-validation."""

    curve: Curve
    threshold: float
    figures: Figures
    num_answerable: int
    num_unanswerable: int


class Calibration(Value):
    """Curves by language. `origin` says where the questions came from; `notes`, what was left out and why."""

    format: int = FORMAT
    origin: str
    made: datetime
    embedder_fingerprint: str
    num_chunks: int
    sketch: tuple[str, ...]
    languages: Mapping[Language, LanguageFit]
    notes: tuple[str, ...] = ()

    def overlap(self, chunk_ids: Iterable[str]) -> float:
        """About which share of the passages, then and now together, are in both.

        Source: Broder (SEQUENCES 1997), the bottom-k sketch; passage ids are the hashes.
        """
        now, then = set(sketch(chunk_ids)), set(self.sketch)
        least = sorted(now | then)[:_SKETCH]
        return sum(one in now and one in then for one in least) / len(least) if least else 1.0


@dataclass(frozen=True)
class Standing:
    """An index's calibration, whether searches use it, and why it no longer is this index's, if so."""

    calibration: Calibration
    why_stale: str = ""
    is_used: bool = True

    @property
    def is_stale(self) -> bool:
        return bool(self.why_stale)


def standing(found: Calibration, *, chunk_ids: Iterable[str], embedder_fingerprint: str) -> Standing:
    """How a calibration stands to the passages of the index now."""
    if found.embedder_fingerprint != embedder_fingerprint:
        return Standing(found, "the calibration was made with another embedder and is not used", False)
    overlap = found.overlap(chunk_ids)
    if overlap < STALE_BELOW:
        return Standing(
            found, f"the index has changed since it was calibrated: {overlap:.0%} of it is the same"
        )
    return Standing(found)


def sketch(chunk_ids: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(chunk_ids)[:_SKETCH])


def confidence_of(
    evidence: Evidence | None, *, language: Language, embedder: str, calibration: Calibration | None
) -> tuple[float, float]:
    """(confidence, threshold) of the index's own curve, else of the default one."""
    fitted = _fit_of(calibration, language)
    curve = fitted.curve if fitted else default_curve(language, embedder=embedder)
    threshold = fitted.threshold if fitted else THRESHOLDS[language]
    return (0.0 if evidence is None else curve(evidence)), threshold


def _fit_of(calibration: Calibration | None, language: Language) -> LanguageFit | None:
    """A text in neither language ("A7?") is judged as English, as the default curves do."""
    return calibration.languages.get("en" if language == "und" else language) if calibration else None


def read_calibration(path: Path) -> Calibration | None:
    """The calibration of the index at `path`; None if there is none.

    Raises:
        KnowledgeError: it is damaged, or made by a newer version.
    """
    file = path / FILE_NAME
    way_out = f"calibrate again with: instructrec index calibrate, or delete {FILE_NAME}"
    try:
        with file.open("rb") as opened:
            content = opened.read(_MAX_BYTES)
        found = Calibration.model_validate_json(content)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValidationError) as error:
        raise KnowledgeError(f"{str(file)!r} is damaged: {str(error).splitlines()[0]}; {way_out}") from error
    if found.format > FORMAT:
        raise KnowledgeError(
            f"{str(file)!r} has format {found.format}, this version reads {FORMAT}; {way_out}"
        )
    return found


def write_calibration(path: Path, calibration: Calibration) -> None:
    """Replace it all at once."""
    draft = path / f".{FILE_NAME}.new"
    with draft.open("w", encoding="utf-8") as file:
        file.write(calibration.model_dump_json(indent=1) + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path / FILE_NAME)


@dataclass
class CalibrationFile:
    """Reads the file again only when it changed; shared between threads."""

    path: Path
    embedder_fingerprint: str

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._found: Calibration | None = None

    def current(self) -> Calibration | None:
        """What searches are judged by; None where there is none for this embedder."""
        try:
            status = (self.path / FILE_NAME).stat()
        except OSError:
            return None
        with self._lock:
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp != self._seen:
                found = read_calibration(self.path)
                fits = found and found.embedder_fingerprint == self.embedder_fingerprint
                self._found, self._seen = (found if fits else None), stamp
            return self._found
