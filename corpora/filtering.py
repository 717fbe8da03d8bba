"""Which conversations are meant: by words, tags, language or id.

wanted = Wanted(search="refund", tags=("shipping",), language="en")
wanted.holds(transcript)
"""

from __future__ import annotations

from dataclasses import dataclass

from dialog.text import detect_language, normalise
from dialog.values import Language, Transcript


@dataclass(frozen=True)
class Wanted:
    """What has to be true of a conversation; nothing given, nothing asked.

    Attributes:
        search: words in any message, whatever their case and width.
        tags: all of them are there.
        language: that of what the user says.
        ids: one of them.
    """

    search: str = ""
    tags: tuple[str, ...] = ()
    language: Language | None = None
    ids: tuple[str, ...] = ()

    def holds(self, transcript: Transcript) -> bool:
        """Whether a conversation is meant."""
        return (
            (not self.ids or transcript.id in self.ids)
            and set(self.tags) <= set(transcript.tags)
            and (self.language is None or language_of(transcript) == self.language)
            and says(transcript, self.search)
        )


def says(transcript: Transcript, words: str) -> bool:
    """Whether a message holds the words."""
    wanted = normalise(words)
    return not wanted or any(wanted in normalise(message.content) for message in transcript.messages)


def language_of(transcript: Transcript) -> Language:
    """The language of what the user says; of everything where the user says nothing."""
    said = [message.content for message in transcript.messages if message.role == "user"]
    return detect_language("\n".join(said or [message.content for message in transcript.messages]))
