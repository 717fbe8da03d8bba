"""The layout of a prompt: which parts stand where, and the words around them.

    system     instructions, each its own part; then the summary of older turns
    user       )
    assistant  ) the turns shown, oldest first, exactly as they were said
    user       this turn's own instructions, memory, passages, then the newest user text

What stays the same from turn to turn comes first and what changes comes last,
so a turn's prompt begins like the one before it, up to that one's passages.
Headings and separators are `template` parts, in the conversation's language; a
passage's number, title and text are all `passage`.

    frame = Frame(instructions=(), user="Hi", user_id="u-1", language="en")
    frame.spoken()        # messages of parts, for `Template.lay_out`
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass

from dialog.instructions import Instruction
from dialog.prompt.parts import Part, Spoken
from dialog.values import Language, Passage, Summary, Turn

LAYOUT_VERSION = 1
MEMORY_REF = "memory"

_WORDS = {
    "en": {
        "summary": "Summary of the earlier conversation:\n",
        "memory": "Known so far:\n",
        "passages": "Passages:\n",
        "message": "Message:\n",
    },
    "zh": {
        "summary": "此前对话的摘要：\n",
        "memory": "已知信息：\n",
        "passages": "参考资料：\n",
        "message": "用户消息：\n",
    },
}
_GAP = "\n\n"

FINGERPRINT = hashlib.sha256(
    json.dumps([LAYOUT_VERSION, _WORDS, _GAP], ensure_ascii=False, sort_keys=True).encode()
).hexdigest()[:16]
"""Changes whenever the same parts would be laid out differently; part of `Reply.fingerprint`."""


@dataclass(frozen=True)
class Frame:
    """What one prompt shows; `turns` are oldest first, `passages` best first."""

    user: str
    user_id: str
    language: Language
    instructions: tuple[Instruction, ...] = ()
    summary: Summary | None = None
    turns: tuple[Turn, ...] = ()
    memory: str = ""
    passages: tuple[Passage, ...] = ()

    def spoken(self) -> list[Spoken]:
        """The messages, ready to be laid out."""
        said = [message for turn in self.turns for message in spoken_turn(turn)]
        return [*self.opening(), *said, self.newest()]

    def opening(self) -> list[Spoken]:
        """The system message, or nothing where there is nothing to say in it."""
        blocks = [[_instruction(one)] for one in self.instructions if one.scope != "turn"]
        if self.summary is not None:
            heading = words(self.summary.language)["summary"]
            blocks.append([Part("template", "", heading), Part("memory", self.summary.id, self.summary.text)])
        return [Spoken("system", _joined(blocks))] if blocks else []

    def newest(self) -> Spoken:
        """The user message to be answered, behind all that is only for this turn."""
        heading = words(self.language)
        blocks = [[_instruction(one)] for one in self.instructions if one.scope == "turn"]
        if self.memory:
            blocks.append([Part("template", "", heading["memory"]), Part("memory", MEMORY_REF, self.memory)])
        if self.passages:
            listed = [[_passage(number, one)] for number, one in enumerate(self.passages, start=1)]
            blocks.append([Part("template", "", heading["passages"]), *_joined(listed)])
        user = Part("user", self.user_id, self.user)
        blocks.append([Part("template", "", heading["message"]), user] if blocks else [user])
        return Spoken("user", _joined(blocks))


def spoken_turn(turn: Turn) -> list[Spoken]:
    """A past exchange: the user's message and, where the agent answered, its reply."""
    said = [Spoken("user", (Part("user", turn.user_id, turn.user),))]
    if turn.reply is not None:
        said.append(Spoken("assistant", (Part("agent", turn.reply_id or "", turn.reply),)))
    return said


def words(language: Language) -> dict[str, str]:
    """The frame's headings; English where the language is not known."""
    return _WORDS.get(language, _WORDS["en"])


def _instruction(instruction: Instruction) -> Part:
    return Part("instruction", instruction.id, instruction.text)


def _passage(number: int, passage: Passage) -> Part:
    title = f" {passage.title}" if passage.title else ""
    return Part("passage", passage.id, f"[{number}]{title}\n{passage.text}")


def _joined(blocks: Iterable[list[Part]]) -> tuple[Part, ...]:
    parts: list[Part] = []
    for block in blocks:
        if parts:
            parts.append(Part("template", "", _GAP))
        parts += block
    return tuple(parts)
