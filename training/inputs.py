"""What the verbs of tuning begin with: files to transcripts, transcripts to what is trained on.

transcripts = read_all(run, paths, format=None, skip_bad=0, agents=None, most=None)
data = made(transcripts, tokenizer, settings.training, paths=paths)
"""

from __future__ import annotations

from pathlib import Path

from corpora.verbs.options import read_options, readings, tell
from dialog import home
from dialog.cli.verb import Run
from dialog.protocols import ChatTokenizer
from dialog.settings import TrainingSection
from dialog.values import Transcript
from training.data import TrainingData, make_examples


def read_all(
    run: Run,
    paths: list[Path],
    *,
    format: str | None,
    skip_bad: int,
    agents: list[str] | None,
    most: int | None,
) -> list[Transcript]:
    """The conversations of all files, at most `most`; what was skipped and left behind is told."""
    found: list[Transcript] = []
    for source in readings(paths, format=format, skip_bad=skip_bad, options=read_options(run, agents=agents)):
        with source:
            for transcript in source:
                if most is not None and len(found) == most:
                    break
                found.append(transcript)
        tell(run, [bad.error for bad in source.skipped], source.notes)
    return found


def made(
    transcripts: list[Transcript], tokenizer: ChatTokenizer, section: TrainingSection, *, paths: list[Path]
) -> TrainingData:
    """What the objective learns from. Raises CorpusError if there is nothing."""
    if section.objective == "likelihood":
        return make_examples(
            transcripts, tokenizer, limit_tokens=section.limit_tokens, on_long=section.on_long, paths=paths
        )
    from training.preferences import make_preferences  # with torch, which a preview does without

    return make_preferences(
        transcripts,
        tokenizer,
        objective=section.objective,
        limit_tokens=section.limit_tokens,
        on_long=section.on_long,
        paths=paths,
    )


def features_folder() -> Path:
    """Where a decoder's features are kept if nobody says otherwise."""
    return home.cache_dir() / "features"
