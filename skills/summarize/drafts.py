"""A model's draft of a summary, cut to what the source supports.

draft = drafted(item, tools.model)
draft.text, draft.reason      # empty text: give the draft up, and why
"""

from __future__ import annotations

from dataclasses import dataclass

from dialog.citations import check_sentence
from dialog.errors import PromptTooLong
from dialog.protocols import LanguageModel
from dialog.text import detect_language, sentences, words
from dialog.values import Passage
from skills import wordings
from skills.asking import asked
from skills.summarize.extract import LABELS
from skills.summarize.records import Evidence, Input

_MIN_SUPPORT = 0.6
_TOKENS_A_WORD = 3


@dataclass(frozen=True)
class Draft:
    """What of a draft may be shown, what it rests on, and why the rest may not."""

    text: str
    evidence: tuple[Evidence, ...] = ()
    reason: str = ""


def drafted(item: Input, model: LanguageModel) -> Draft:
    """Ask the model, keep the supported sentences. Raises ModelError."""
    if item.spoken not in (*model.info.languages, "und"):
        return Draft("", reason=f"the model does not write {item.spoken!r}")
    instruction = wordings.load("summarize").fill(item.kind, item.spoken, limit=str(item.max_words))
    try:
        text = asked(model, instruction, _shown(item), max_tokens=_TOKENS_A_WORD * item.max_words)
    except PromptTooLong as error:
        return Draft("", reason=f"the source is too long for the model: {error}")
    return _checked(item, text)


def _shown(item: Input) -> str:
    labels = LABELS.get(item.spoken, LABELS["en"])
    lines = (
        labels["user" if message.role == "user" else "agent"] + message.content
        for message in item.messages
        if message.role in ("user", "assistant")
    )
    return item.text or "\n".join(lines)


def _checked(item: Input, text: str) -> Draft:
    passages = _passages(item)
    kept: list[str] = []
    evidence: list[Evidence] = []
    dropped, num_words = 0, 0
    for start, end in sentences(text):
        sentence = text[start:end]
        check = check_sentence(sentence, passages=passages)
        num_words += len(words(sentence))
        is_other = item.spoken != "und" and detect_language(sentence) not in (item.spoken, "und")
        if (
            not check.supported(_MIN_SUPPORT)
            or check.passage is None
            or is_other
            or num_words > item.max_words
        ):
            dropped += 1
            continue
        kept.append(sentence)
        evidence.append(
            Evidence(
                message=int(check.passage.id), start=check.char_start, end=check.char_end, text=check.quote
            )
        )
    joined = ("" if item.spoken == "zh" else " ").join(kept)
    if not joined:
        return Draft("", reason="the source supports nothing of the model's draft")
    reason = (
        f"{dropped} sentences of the model's draft were left out: unsupported or too long" if dropped else ""
    )
    return Draft(joined, tuple(evidence), reason)


def _passages(item: Input) -> list[Passage]:
    texts = [message.content for message in item.messages] if item.messages else [item.text]
    return [
        Passage(id=str(number), text=text, source="", title="", score=1.0, char_start=0, char_end=len(text))
        for number, text in enumerate(texts)
    ]
