"""Feedback as training data: pairs for DPO, opinions for KTO, and of all the rest why it is not used.

    data = make_preferences(transcripts, tokenizer, objective="dpo", limit_tokens=2048)
    data.examples, data.refused

A conversation that ends with a reply and holds another in `meta.rejected` is a
pair; one whose `meta.label` is true or false is an opinion. Both are what
`history export --format feedback` writes and what `corpora` makes of preference
pairs and of labelled completions. KTO takes a pair as two opinions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from dialog.errors import CorpusError
from dialog.protocols import ChatTokenizer
from dialog.values import Message, Transcript
from training.data import TrainingData, hashes
from training.examples import Example, OnLong, build_examples
from training.methods.preference import Objective, Opinion, Pair

NO_FEEDBACK = "no feedback in it (neither meta.rejected nor meta.label)"
NO_PAIR = "rated, not reworded; kto learns from it"
SAME = "both replies are the same"
NO_REPLY = "it does not end with a reply"
DAMAGED = "meta.rejected is no list of messages"
OTHER_PROMPT = "its replies do not fit behind the same history; raise training.limit_tokens"
_MESSAGES = TypeAdapter(tuple[Message, ...])
_Judged = tuple[Example, bool]


class _Refused(Exception):
    """Why a conversation is not used."""


def make_preferences(
    transcripts: Sequence[Transcript],
    tokenizer: ChatTokenizer,
    *,
    objective: Objective,
    limit_tokens: int,
    on_long: OnLong = "windows",
    paths: Sequence[Path] = (),
) -> TrainingData:
    """All that can be learned from; each example is behind the prompt chat would show.

    Raises:
        CorpusError: there is nothing to learn from.
    """
    found: list[tuple[_Judged, ...]] = []
    refused: Counter[str] = Counter()
    for transcript in transcripts:
        try:
            judged = _judged(transcript, tokenizer, limit_tokens=limit_tokens, on_long=on_long)
            if objective == "dpo" and len(judged) == 1:
                raise _Refused(NO_PAIR)
            found.append(judged)
        except _Refused as error:
            refused[str(error)] += 1
    singly = [one for group in found for one in group]
    examples = _pairs(found) if objective == "dpo" else _opinions(singly, limit_tokens=limit_tokens)
    if not examples:
        reasons = "; ".join(f"{reason} ({count})" for reason, count in refused.most_common(3))
        wanted = "a pair of replies" if objective == "dpo" else "replies to two prompts"
        raise CorpusError(
            f"nothing to learn from, {objective} needs {wanted}: {reasons or 'there are too few'}",
            path=", ".join(map(str, paths)) or "the data",
        )
    num_good = sum(is_good for _, is_good in singly)
    notes = {"wanted reply": num_good, "unwanted reply": len(singly) - num_good}
    return TrainingData(tuple(examples), len(transcripts), dict(refused), notes, hashes(paths))


def _judged(
    transcript: Transcript, tokenizer: ChatTokenizer, *, limit_tokens: int, on_long: OnLong
) -> tuple[_Judged, ...]:
    """The wanted reply and the rejected one, or the rated one; raises `_Refused`."""
    meta = transcript.meta or {}
    start = _reply_start(transcript.messages)
    before, reply = transcript.messages[:start], transcript.messages[start:]

    def built(messages: tuple[Message, ...]) -> Example:
        shown = tuple(_marked(one, trained=False) for one in before)
        said = tuple(_marked(one, trained=True) for one in messages)
        whole = transcript.model_copy(update={"messages": shown + said})
        made = build_examples(whole, tokenizer, limit_tokens=limit_tokens, on_long=on_long)
        if made.refused is not None or len(made.examples) != 1:
            raise _Refused(made.refused or NO_REPLY)
        return made.examples[0]

    if not reply:
        raise _Refused(NO_REPLY)
    if "rejected" in meta:
        good, bad = built(reply), built(_rejected(meta["rejected"]))
        if _prompt(good) != _prompt(bad):
            raise _Refused(OTHER_PROMPT)
        if good.ids == bad.ids:
            raise _Refused(SAME)
        return (good, True), (bad, False)
    if isinstance(meta.get("label"), bool):
        return ((built(reply), meta["label"]),)
    raise _Refused(NO_FEEDBACK)


def _reply_start(messages: Sequence[Message]) -> int:
    """Where the last reply begins; messages before it that are not trained on belong to the prompt."""
    start = len(messages)
    while start and messages[start - 1].role in ("assistant", "tool"):
        if start < len(messages) and messages[start - 1].loss is False:
            break
        start -= 1
    return start


def _marked(message: Message, *, trained: bool) -> Message:
    if message.role != "assistant":
        return message
    return message.model_copy(update={"loss": None if trained else False, "weight": None})


def _rejected(value: object) -> tuple[Message, ...]:
    try:
        return _MESSAGES.validate_python(value)
    except ValidationError as error:
        raise _Refused(DAMAGED) from error


def _pairs(found: Sequence[tuple[_Judged, ...]]) -> list[Pair]:
    return [Pair(**vars(good), rejected=bad) for (good, _), (bad, _) in found]


def _opinions(found: Sequence[_Judged], *, limit_tokens: int) -> list[Opinion]:
    num = Counter(is_good for _, is_good in found)
    examples = [example for example, _ in found]
    opinions = []
    for at, (example, is_good) in enumerate(found):
        before = (examples[at - back] for back in range(1, len(found)))
        other = next((one for one in before if _prompt(one) != _prompt(example)), None)
        if other is None:
            return []
        mismatched = _behind(example, other, limit_tokens=limit_tokens)
        weight = max(num.values()) / num[is_good]
        opinions.append(Opinion(**vars(example), is_good=is_good, weight=weight, mismatched=mismatched))
    return opinions


def _behind(example: Example, other: Example, *, limit_tokens: int) -> Example:
    """The reply of `other` behind the prompt of `example`, cut at the limit; its segments are nobody's."""
    prompt, start = _prompt(example), other.boundaries[0]
    ids = (prompt + other.ids[start:])[:limit_tokens]
    weights = ((0.0,) * len(prompt) + other.weights[start:])[:limit_tokens]
    return replace(example, ids=ids, weights=weights, segments=())


def _prompt(example: Example) -> tuple[int, ...]:
    return example.ids[: example.boundaries[0]]
