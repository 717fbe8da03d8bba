"""Doc2Dial: dialogues grounded in documents, whole ones and the history before each grounded answer.

Source: Feng et al. 2020, "doc2dial: A Goal-Oriented Document-Grounded Dialogue
Dataset", section 3. References and answer spans are in `meta`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpora.formats import Found, JsonFormat, present, transcript

_ROLES = {"user": "user", "agent": "assistant"}


def convert(record: Mapping[str, Any], id: str) -> Found:
    """A dialogue, or a history that ends with the question to answer, as a transcript."""
    turns = record.get("turns")
    if turns is None:
        said = [(speaker, text) for speaker, text in record["history"]]
        answer = {
            key: record.get(key)
            for key in ("dial_id", "turn_id", "answer_text", "answer_start", "answer_spans")
        }
    else:
        said = [(turn["role"], turn["utterance"]) for turn in turns]
        answer = {
            "references": {
                str(n): turn["references"] for n, turn in enumerate(turns) if turn.get("references")
            },
            "acts": {str(n): turn["da"] for n, turn in enumerate(turns) if turn.get("da")},
        }
    domain = record.get("domain")
    made = transcript(
        record.get("id") or record.get("dial_id", id),
        [{"role": _ROLES[speaker], "content": text} for speaker, text in said],
        tags=(domain,) if domain else (),
        meta=present(document=record.get("doc_id"), **answer),
    )
    return Found(made)


READER = JsonFormat(
    name="doc2dial",
    fits=lambda record: "dial_id" in record and ("history" in record or "utterance" in record["turns"][0]),
    convert=convert,
)
