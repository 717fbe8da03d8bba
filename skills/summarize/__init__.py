"""Summaries of conversations and documents, briefings for colleagues, ticket notes.

Every sentence comes from the source, with its place as evidence: either it is
the source's own, or the model wrote it and the source supports it. A draft in a
language the model does not write, or one of which nothing is supported, gives
way to the source's own sentences, and `reason` says so.

    output = summarised(Input(messages=messages, kind="briefing"))
    output.text, output.evidence[0].text
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from dialog.events import Event
from dialog.skill import SkillSpec, SkillTurn, Tools
from dialog.values import Language, Message
from skills.summarize.drafts import Draft, drafted
from skills.summarize.records import Evidence, Input, Kind, Output
from skills.summarize.request import is_request
from skills.summarize.shapes import shaped

NAME = "summarize"


class Summarize:
    """Implements `dialog.skill.Skill` and `dialog.skill.Worker`.

    `[skills.options.summarize] draft = true` lets the model write first; by default the source's own
    sentences are taken, which serve better than a small model's words.
    """

    spec = SkillSpec(
        name=NAME,
        description="summaries, briefings and ticket notes from conversations and documents",
        input=Input,
        output=Output,
        cases=Path(str(files("skills") / NAME / "cases.jsonl")),
        titles={"en": "a summary of our conversation", "zh": "总结我们的对话"},
    )

    def matches(self, turn: SkillTurn) -> float:
        return 0.9 if is_request(turn.text) else 0.0

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        if not turn.history:
            empty = (
                "我们还没有聊过什么可以总结的内容。"
                if turn.language == "zh"
                else "There is nothing to summarise yet."
            )
            yield from turn.say(empty)
            return
        item = Input(messages=tuple(turn.history), language=turn.language)
        output = self._one(item, turn.tools)
        yield from turn.say(output.text, mode="generated" if output.mode == "generated" else "quoted")

    def work(self, items: Sequence[Input], tools: Tools) -> Iterator[Output]:
        for item in items:
            yield self._one(item, tools)

    def _one(self, item: Input, tools: Tools) -> Output:
        if tools.options(NAME).get("draft") is not True:
            return summarised(item)
        draft = drafted(item, tools.model)
        if draft.text:
            return Output(
                text=draft.text,
                mode="generated",
                language=item.spoken,
                evidence=draft.evidence,
                reason=draft.reason,
            )
        return summarised(item, reason=draft.reason)


def summarised(item: Input, *, reason: str = "") -> Output:
    """The summary in the source's own sentences; its text is empty if the source says nothing."""
    text, evidence = shaped(item)
    return Output(text=text, mode="extracted", language=item.spoken, evidence=evidence, reason=reason)


def briefing(messages: Sequence[Message], *, language: Language) -> str:
    """What a colleague who takes over must know: the wish, the facts, the last word, what is open."""
    return summarised(Input(messages=tuple(messages), kind="briefing", language=language)).text


__all__ = ["Draft", "Evidence", "Input", "Kind", "Output", "Summarize", "briefing", "summarised"]
