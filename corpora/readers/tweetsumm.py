"""TweetSumm: customer care on Twitter, with summaries by people.

Source: Feigenblat et al. 2021, "TWEETSUMM - A Dialog Summarization Dataset for
Customer Service", section 3. Summaries are in `meta.summaries`, labels are tags.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from corpora.formats import Found, JsonFormat, present, transcript

_ROLES = {"Customer": "user", "Agent": "assistant"}


def convert(record: Mapping[str, Any], id: str) -> Found:
    """A dialogue as a transcript."""
    messages = [{"role": _ROLES[speaker], "content": text} for speaker, text in record["turns"]]
    labels = [record.get("dialog_type"), "negative" if record.get("is_negative") else None]
    labels.append("gratitude" if record.get("has_gratitude") else None)
    summaries = [one["abstractive"] for one in record.get("annotations") or () if one.get("abstractive")]
    extractive = [one["extractive"] for one in record.get("annotations") or () if one.get("extractive")]
    made = transcript(
        record.get("conversation_id", id),
        messages,
        tags=tuple(label for label in labels if label),
        meta=present(
            split=record.get("split"),
            summaries=summaries,
            extractive=extractive,
            sentences=record.get("tweet_ids_sentence_offset"),
            negative=record.get("negative_replics"),
            gratitude=record.get("gratitude_replics"),
        ),
    )
    return Found(made)


READER = JsonFormat(
    name="tweetsumm",
    fits=lambda record: "conversation_id" in record and record["turns"][0][0] in _ROLES,
    convert=convert,
)
