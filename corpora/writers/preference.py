"""Preference pairs, one a line: the last answer is the chosen one, `meta.rejected` the other."""

from __future__ import annotations

from typing import Any

from pydantic import TypeAdapter, ValidationError

from corpora.formats import BadRecord
from corpora.writers.prompt_completion import as_text, parted
from corpora.writers.written import JsonWriter, Writer, plain
from dialog.values import Message, Transcript

_MESSAGES = TypeAdapter(tuple[Message, ...])


def writer(name: str, bare: bool) -> Writer:
    """With `bare`, the three fields alone."""
    more = ("id", "tags", "state", "meta", "time") if bare else ()
    return JsonWriter(
        name=name,
        make=_record,
        own=("prompt", "chosen", "rejected"),
        made_of=("rejected",),
        bare=bare,
        loses=("message_fields", *more),
    )


def _record(transcript: Transcript, bare: bool) -> dict[str, Any]:
    try:
        rejected = _MESSAGES.validate_python((transcript.meta or {})["rejected"])
    except KeyError:
        raise BadRecord("has no meta.rejected; only pairs can be written") from None
    except ValidationError as error:
        raise BadRecord("meta.rejected is no list of messages; make it one") from error
    prompt, chosen = parted(transcript)
    texts = as_text(chosen, role="assistant"), as_text(rejected, role="assistant")
    listed = [plain(one, bare=bare) for one in chosen], [plain(one, bare=bare) for one in rejected]
    both = listed if None in texts else texts
    asked = None if None in texts else as_text(prompt, role="user")
    return {
        "prompt": [plain(one, bare=bare) for one in prompt] if asked is None else asked,
        "chosen": both[0],
        "rejected": both[1],
    }
