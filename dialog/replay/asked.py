"""From a transcript to the turns that are asked again: history as it was, and what was wanted.

An assistant turn is everything the assistant and its tools said between two
messages of the user; turns are counted from 0. A turn before the user said
anything has no question and is not asked (`Questions.unasked` says how many).

    for asked in questions(transcript).asked:
        print(asked.turn, asked.messages[-1].content, asked.wanted.text)

What a transcript knows about single turns stands in `meta.turns`: by the
turn's number, fields of `dialog.metrics.judged.Wanted`. Else `state` (its
`slots`, if it has them) is wanted of the last turn, `meta.intent` and
`meta.document` of every turn.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import Field, ValidationError

from dialog.metrics.judged import Action, Given, JudgedTurn, Wanted
from dialog.replay.spoken import language_of, spoken
from dialog.values import Language, Message, Transcript, Value

NUM_CANDIDATES = 9
"""Replies of other conversations that a turn's reply is to be told from."""


class Asked(Value):
    """One question: the history, the newest user message last among those that speak."""

    conversation_id: str
    turn: int = Field(ge=0)
    messages: tuple[Message, ...]
    wanted: Wanted
    language: Language = "und"
    tags: tuple[str, ...] = ()
    candidates: tuple[str, ...] = ()

    def judged(self, given: Given) -> JudgedTurn:
        """The turn as metrics see it."""
        return JudgedTurn(**dict(self), given=given)

    def line(self) -> dict[str, Any]:
        """What a foreign agent is told: nothing of what is wanted."""
        return {
            "conversation_id": self.conversation_id,
            "turn": self.turn,
            "messages": [
                message.model_dump(mode="json", exclude_none=True, exclude={"loss", "weight"})
                for message in self.messages
            ],
        }


@dataclass(frozen=True)
class Questions:
    """The turns of one transcript."""

    asked: tuple[Asked, ...]
    unasked: int = 0


def questions(transcript: Transcript) -> Questions:
    """The turns to be asked.

    Raises:
        ValueError: `meta.turns` does not say what it should.
    """
    labels = _labels(transcript)
    user = language_of(one.content for one in transcript.messages if one.role == "user")
    asked: list[Asked] = []
    unasked = 0
    for turn, (start, end) in enumerate(_runs(transcript.messages)):
        history, run = transcript.messages[:start], transcript.messages[start:end]
        last_user = next((one for one in reversed(history) if one.role != "system"), None)
        if last_user is None or last_user.role != "user" or not last_user.content.strip():
            unasked += 1
            continue
        wanted = {**_wanted(run), **_of_conversation(transcript), **labels.pop(turn, {})}
        asked.append(
            Asked(
                conversation_id=transcript.id,
                turn=turn,
                messages=history,
                wanted=_validated(wanted, turn),
                language=spoken(last_user.content, user=user),
                tags=transcript.tags,
            )
        )
    if labels:
        raise ValueError(f"meta.turns names turn {min(labels)}, which is not asked; count replies from 0")
    if asked and transcript.state is not None and asked[-1].wanted.state is None:
        state = transcript.state.get("slots", transcript.state)
        if isinstance(state, dict):
            last = asked[-1]
            asked[-1] = last.model_copy(update={"wanted": last.wanted.model_copy(update={"state": state})})
    return Questions(tuple(asked), unasked)


def with_candidates(turns: Sequence[Asked]) -> list[Asked]:
    """The same turns, each with up to `NUM_CANDIDATES` replies of other conversations in its language.

    Drawn by the turn's name from the sorted replies, so that the order of `turns` does not matter.
    """
    pools: dict[Language, list[tuple[str, str]]] = {}
    for language in {turn.language for turn in turns}:
        pools[language] = sorted(
            {
                (turn.wanted.text, turn.conversation_id)
                for turn in turns
                if turn.wanted.text and turn.language == language
            }
        )
    return [turn.model_copy(update={"candidates": _drawn(turn, pools[turn.language])}) for turn in turns]


def _drawn(turn: Asked, pool: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    chance = random.Random(f"{turn.conversation_id}\0{turn.turn}")
    found: dict[str, None] = {}
    for text, conversation_id in chance.sample(pool, min(len(pool), 4 * NUM_CANDIDATES)):
        if conversation_id != turn.conversation_id and text != turn.wanted.text:
            found[text] = None
    return tuple(found)[:NUM_CANDIDATES]


def _runs(messages: Sequence[Message]) -> Iterator[tuple[int, int]]:
    """Half-open ranges of messages that are one assistant turn each."""
    start: int | None = None
    for at, message in enumerate(messages):
        if message.role in ("assistant", "tool"):
            start = at if start is None else start
        elif start is not None:
            yield start, at
            start = None
    if start is not None:
        yield start, len(messages)


def _wanted(run: Sequence[Message]) -> dict[str, Any]:
    texts = [one.content for one in run if one.role == "assistant" and one.content.strip()]
    calls = [_action(call) for one in run for call in one.tool_calls or ()]
    actions = tuple(call for call in calls if call is not None)
    return {"text": "\n".join(texts) or None, "actions": actions or None}


def _action(call: Mapping[str, Any]) -> Action | None:
    """A tool call in OpenAI's shape or as a plain name with arguments; None if it is neither."""
    inner = call.get("function")
    function = inner if isinstance(inner, dict) else call
    name, arguments = function.get("name"), function.get("arguments", {})
    if isinstance(arguments, str):
        try:
            arguments = json.loads(arguments)
        except ValueError:
            arguments = {"arguments": arguments}
    if not isinstance(name, str) or not name or not isinstance(arguments, dict):
        return None
    return Action(name=name, arguments=arguments)


def _of_conversation(transcript: Transcript) -> dict[str, Any]:
    meta = transcript.meta or {}
    found: dict[str, Any] = {}
    if isinstance(meta.get("intent"), str):
        found["intent"] = meta["intent"]
    if isinstance(meta.get("document"), str):
        found["sources"] = (meta["document"],)
    return found


def _labels(transcript: Transcript) -> dict[int, dict[str, Any]]:
    labels = (transcript.meta or {}).get("turns", {})
    if not isinstance(labels, dict):
        # somebody else's "turns"; ours is an object by number
        return {}
    found = {}
    for key, fields in labels.items():
        if not str(key).isdecimal() or not isinstance(fields, dict):
            raise ValueError(f'meta.turns[{key!r}]: write {{"0": {{"intent": ..., "sources": [...]}}}}')
        found[int(key)] = fields
    return found


def _validated(wanted: Mapping[str, Any], turn: int) -> Wanted:
    try:
        return Wanted.model_validate(wanted)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise ValueError(f"meta.turns[{turn}].{where}: {first['msg']}") from error
