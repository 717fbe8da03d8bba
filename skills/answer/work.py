"""A question answered outside of a conversation, by the turn pipeline itself.

output = answered(Input(text="Are returns free?", documents=("Returns are free.",)), tools)
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from dialog.draft import Outcome, Parts, Request
from dialog.entries import new_id
from dialog.errors import SkillError
from dialog.events import Event, Finished, Retrieved
from dialog.prompt.render import FINGERPRINT
from dialog.protocols import Retriever
from dialog.recording import last_said
from dialog.skill import SkillSpec, SkillTurn, Tools
from dialog.store.transfer import from_transcript
from dialog.turn import run_turn
from dialog.values import Fingerprint, Message, Reply, SearchResult, Transcript
from skills.answer.given import GivenDocuments
from skills.answer.records import Input, Output


def answered(item: Input, tools: Tools) -> Output:
    """The reply that a conversation would give. Raises ModelError, KnowledgeError."""
    retriever = GivenDocuments(item.documents, tools.embedder) if item.documents else tools.retriever
    request = _request(item, tools)
    found: list[SearchResult] = []
    reply: Reply | None = None
    for event in run_turn(_parts(tools, retriever), request, record=_forget):
        if isinstance(event, Retrieved):
            found.append(event.result)
        elif isinstance(event, Finished):
            reply = event.reply
    assert reply is not None, "a turn ends with Finished or raises"
    return Output(
        text=reply.text,
        language=request.language,
        mode=reply.mode,
        abstained=reply.finish_reason in ("abstained", "handed_off"),
        confidence=found[0].confidence if found else 0.0,
        citations=reply.citations,
        notices=reply.notices,
    )


class _Grounded:
    """What the turn runs: the grounded answer, whatever was said."""

    spec = SkillSpec(name="answer", description="the grounded answer")

    def matches(self, turn: SkillTurn) -> float:
        return 1.0

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        return turn.answer()


def _parts(tools: Tools, retriever: Retriever | None) -> Parts:
    info = tools.model.info
    section = tools.settings.skills.model_copy(update={"default": "answer"})
    return Parts(
        settings=tools.settings.model_copy(update={"skills": section}),
        model=tools.model,
        retriever=retriever,
        skills=[_Grounded()],
        tools=tools,
        fingerprint=Fingerprint(
            model=info.fingerprint,
            template=info.template_fingerprint,
            prompt=FINGERPRINT,
            index=retriever.fingerprint if retriever is not None else None,
            config=tools.settings.fingerprint,
        ),
    )


def _request(item: Input, tools: Tools) -> Request:
    """The question as the head of a conversation that nobody keeps."""
    said = Message(role="user", content=item.text)
    transcript = Transcript(id=f"record-{new_id()}", messages=(*item.messages, said))
    try:
        conversation = from_transcript(transcript)
    except ValueError as error:
        raise SkillError(f"the messages before {item.text!r} cannot be used: {error}") from error
    return Request(conversation, last_said(conversation), tools.settings.sampling, threading.Event())


def _forget(outcome: Outcome) -> None:
    """A record's answer is its output; nothing is stored."""
