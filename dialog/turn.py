"""One turn, readable top to bottom: the only orchestrator.

    listen -> search -> pick a skill -> answer -> record

The user's words are durable before a turn starts. What comes out is a stream
of events; what stays is one recorded `Reply`, also when the stream is closed
early, cancelled, or fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from dialog.answering import Answering
from dialog.choosing import asked_before, is_leaving, title, understood
from dialog.draft import Draft, Outcome, Parts, Request
from dialog.events import ActionProposed, Event, Finished, Notice, PromptReady, Retrieved, SkillCalled
from dialog.explaining import decoded_shares
from dialog.filling import fill
from dialog.phrases import small_talk
from dialog.routing import routed
from dialog.shown import search
from dialog.skill import Leavable, Skill
from dialog.skill_turn import TurnInHand
from dialog.underway import completed
from dialog.wishes import is_only_wishes


def run_turn(parts: Parts, request: Request, *, record: Callable[[Outcome], None]) -> Iterator[Event]:
    """Answer `request.said`, streaming events; the last one is `Finished`.

    Args:
        record: makes the outcome durable; called exactly once, before `Finished`.
    """
    draft = Draft(parts, request)
    try:
        for event in _events(parts, request, draft):
            draft.take(event)
            yield event
    except BaseException as error:
        draft.finish_reason = "error" if isinstance(error, Exception) else "interrupted"
        record(draft.outcome())
        raise
    if draft.mode == "generated" and draft.prompt is not None:
        draft.attribution = decoded_shares(
            parts.model, draft.prompt, draft.text, cache_key=request.conversation.id
        )
    outcome = draft.outcome()
    record(outcome)
    yield Finished(reply=outcome.reply)


def _events(parts: Parts, request: Request, draft: Draft) -> Iterator[Event]:
    if draft.state.handoff.status == "human":
        # The conversation is in a person's hands: not a word.
        draft.mode, draft.finish_reason = "fixed", "handed_off"
        return
    if draft.state.handoff.status == "waiting":
        yield from draft.say("queued", finish_reason="handed_off")
        return
    if request.form is not None:
        result = search(parts, request, draft)
        if result is not None:
            yield Retrieved(result=result)
        yield from fill(Answering(parts, request, draft, result), request.form)
        return
    occasion = small_talk(request.said.text)
    if occasion is not None and parts.retriever is not None:
        yield from draft.say(occasion)
        return
    if is_only_wishes(request.said.text):
        yield from draft.say("noted")
        return
    in_charge = _in_charge(parts, draft)
    if in_charge is not None and is_leaving(request.said.text):
        yield from _left(in_charge, TurnInHand(parts, request, draft, None))
        return
    heard = _answered(parts, request, draft)
    if heard is not None and heard.name is None:
        yield from draft.say("neither")
        return
    request = heard.request if heard is not None else request
    result = search(parts, request, draft)
    if result is not None:
        yield Retrieved(result=result)
    turn = TurnInHand(parts, request, draft, result)
    yield from _in_skill(turn, chosen=heard.name if heard is not None else None)


def _in_skill(turn: TurnInHand, *, chosen: str | None) -> Iterator[Event]:
    """The turn in the hands of the skill that fits, or the question which of two is meant."""
    parts, draft = turn.parts, turn.draft
    route = routed(parts.skills, turn, parts.settings.skills, in_charge=draft.state.skill, chosen=chosen)
    for notice in route.notices:
        yield Notice(text=notice)
    if route.rivals:
        yield PromptReady(fit=turn.nothing_shown())
        yield from draft.ask_which([skill.spec for skill in route.rivals])
        return
    yield SkillCalled(skill=route.skill.spec.name, confidence=route.confidence)
    for event in route.skill.run(turn):
        if isinstance(event, ActionProposed):
            yield from _proposed(event, parts, draft)
        else:
            yield event


@dataclass(frozen=True)
class _Heard:
    """The answer to the question which skill is meant (None: neither), and the request it is about."""

    name: str | None
    request: Request


def _answered(parts: Parts, request: Request, draft: Draft) -> _Heard | None:
    """What the user chose, if they were asked and said so; a bare choice is about the message before."""
    asked = asked_before(request.conversation, request.said)
    if asked is None:
        return None
    specs = {skill.spec.name: skill.spec for skill in parts.skills}
    titles = {name: title(specs[name], draft.language) for name in asked.choices if name in specs}
    picked = understood(request.said.text, titles)
    if picked is None:
        return None
    if not picked.is_all:
        return _Heard(picked.name, request)
    about = request.said.model_copy(update={"text": asked.text})
    return _Heard(picked.name, replace(request, said=about))


def _in_charge(parts: Parts, draft: Draft) -> Skill | None:
    return next((skill for skill in parts.skills if skill.spec.name == draft.state.skill), None)


def _left(skill: Skill, turn: TurnInHand) -> Iterator[Event]:
    """The user drops the matter: the skill sees to it, or the router has the conversation again."""
    if isinstance(skill, Leavable):
        yield from skill.leave(turn)
        return
    turn.enter(None)
    yield from turn.draft.say("left")


def _proposed(event: ActionProposed, parts: Parts, draft: Draft) -> Iterator[Event]:
    """What a skill asks for, as it is recorded; nothing is done before the turn is."""
    proposal = completed(
        event,
        parts.actions,
        conversation_id=draft.request.conversation.id,
        turn_id=draft.request.said.id,
        earlier=draft.proposals,
    )
    yield proposal
    if proposal.problem is not None:
        yield Notice(text=f"an action was proposed and refused: {proposal.problem}")
