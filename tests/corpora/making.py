"""What the tests of this folder read with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from corpora.reading import Reading
from dialog.errors import CorpusError
from dialog.values import Message, Transcript


def read(path: Path, **options: Any) -> list[Transcript]:
    """Every conversation of a file."""
    with Reading(path, **options) as reading:
        return list(reading)


def problem(path: Path, **options: Any) -> str:
    """What is said about a file that cannot be read, without its name."""
    with pytest.raises(CorpusError) as caught:
        read(path, **options)
    return str(caught.value).removeprefix(str(path))


def said(transcript: Transcript) -> list[tuple[str, str]]:
    """Who says what."""
    return [(message.role, message.content) for message in transcript.messages]


def user(text: str) -> Message:
    return Message(role="user", content=text)


def agent(text: str) -> Message:
    return Message(role="assistant", content=text)
