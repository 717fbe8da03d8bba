"""One turn, readable top to bottom: the only orchestrator.

    listen -> search -> pick a skill -> answer -> record

The user's words are durable before a turn starts. What comes out is a stream
of events; what stays is one recorded `Reply`, also when the stream is closed
early, cancelled, or fails.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from dialog.answering import Answering
from dialog.draft import Draft, Outcome, Parts, Request
from dialog.events import ActionProposed, Event, Finished, Notice, Retrieved, SkillCalled
from dialog.explaining import decoded_shares
from dialog.filling import fill
from dialog.phrases import small_talk
from dialog.shown import search
from dialog.skill import Skill
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
    result = search(parts, request, draft)
    if result is not None:
        yield Retrieved(result=result)
    turn = TurnInHand(parts, request, draft, result)
    skill, confidence = _pick_skill(parts, draft, turn)
    yield SkillCalled(skill=skill.spec.name, confidence=confidence)
    for event in skill.run(turn):
        if isinstance(event, ActionProposed):
            yield from _proposed(event, parts, draft)
        else:
            yield event


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


def _pick_skill(parts: Parts, draft: Draft, turn: TurnInHand) -> tuple[Skill, float]:
    """The skill in charge, else the one that fits best; ties go to the default."""
    skills = {skill.spec.name: skill for skill in parts.skills}
    if draft.state.skill is not None and draft.state.skill in skills:
        return skills[draft.state.skill], 1.0
    default = parts.settings.skills.default
    confidence, _, name = max((skill.matches(turn), name == default, name) for name, skill in skills.items())
    return skills[name], confidence
