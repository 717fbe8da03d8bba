"""Logs as the miners read them: any format, scrubbed before anything is kept, so a proposal shows nobody.

log = Log(readings, Detector())
for transcript in log:          # placeholders instead of personal data, ids too
    ...
log.skipped, log.notes
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from corpora.reading import Reading
from corpora.scrub.conversation import scrub, texts_of
from corpora.scrub.detect import Detector
from corpora.scrub.placeholders import Placeholders
from dialog.errors import CorpusError
from dialog.values import Transcript


class Log:
    """The conversations of some files, one by one and scrubbed; may be iterated once."""

    def __init__(self, readings: Sequence[Reading], detector: Detector) -> None:
        self._readings = readings
        self._detector = detector
        self.num_conversations = 0
        self.skipped: list[CorpusError] = []
        self.notes: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Transcript]:
        for reading in self._readings:
            with reading:
                for number, transcript in enumerate(reading, start=1):
                    self.num_conversations += 1
                    yield self._clean(transcript, f"{Path(reading.path).stem}-{number:06d}")
                self.skipped += [bad.error for bad in reading.skipped]
                self.notes += reading.notes

    def _clean(self, transcript: Transcript, place: str) -> Transcript:
        """As `data scrub` does it: an id that is personal gives way to the conversation's place."""
        bare = transcript.model_copy(update={"state": None, "meta": None})
        clean = scrub(bare, self._detector, replacement=Placeholders(taken=texts_of(transcript))).transcript
        is_personal = bool(self._detector(transcript.id))
        return clean.model_copy(update={"id": place}) if is_personal else clean
