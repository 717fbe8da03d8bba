"""A flow from one turn to the next: its questions, its rules, its confirmation, its end."""

from __future__ import annotations

from collections.abc import Iterator

from dialog.events import ActionProposed, Event, Notice, TextDelta
from dialog.text import sentences
from skills.support.case import Case
from skills.support.cues import is_asking, is_bare_cancel, is_correcting, is_no, is_stop, is_yes
from skills.support.flows import Flow
from skills.support.intent import IntentClassifier, understood
from skills.support.progress import CONFIRM, Paused, Progress
from skills.support.taking import Taken, take, take_back


def begin(case: Case, name: str) -> Iterator[Event]:
    """Start a flow with what the message says already; one that is running waits."""
    flow, paused = case.flows.flows[name], case.progress.paused
    if case.progress.flow is not None and case.flow is not None:
        known = {slot: case.values[slot] for slot in case.flow.all_slots if slot in case.values}
        paused = (*paused, Paused(flow=case.progress.flow, slots=known))
    for slot in flow.all_slots:
        if not case.flows.slots[slot].keep:
            case.put(slot, None)
    case.move(Progress(flow=name, paused=paused))
    take(case, flow, asked=None)
    yield from _advance(case, flow)


def go_on(case: Case, flow: Flow, classifier: IntentClassifier) -> Iterator[Event]:
    """A message in the middle of a flow."""
    asked = case.progress.asked
    if is_stop(case.text) or (is_bare_cancel(case.text) and asked != CONFIRM):
        yield from give_up(case)
        return
    if asked == CONFIRM and is_yes(case.text):
        yield from _complete(case, flow)
        return
    taken = take(case, flow, asked=asked)
    if taken.names:
        question = _question_besides(case, taken)
        if question is not None:
            yield from case.turn.answer(question=question)
            yield from _advance(case, flow, after_answer=True)
            return
        yield from _advance(case, flow)
        return
    if take_back(case, flow) is not None:
        yield from _advance(case, flow)
        return
    if asked == CONFIRM and (is_correcting(case.text) or is_no(case.text) or is_bare_cancel(case.text)):
        told = case.phrase("yes_or_no") if is_bare_cancel(case.text) else case.phrase("what_is_wrong")
        yield from _retry(case, flow, told, ask=False)
        return
    yield from _aside(case, flow, taken, classifier)


def _aside(case: Case, flow: Flow, taken: Taken, classifier: IntentClassifier) -> Iterator[Event]:
    """Not what was asked for: another matter, a question, or not to be understood."""
    intent = understood(classifier, case.turn.text) if taken.trouble is None else None
    if intent is not None and intent.name in case.flows.flows and intent.name != case.progress.flow:
        case.turn.note_intent(intent.name, intent.confidence)
        case.intent = (intent.name, intent.confidence)
        yield from begin(case, intent.name)
        return
    if taken.trouble is None and is_asking(case.text):
        yield from _digress(case, flow)
        return
    yield from _retry(case, flow, _trouble(case, taken))


def _digress(case: Case, flow: Flow) -> Iterator[Event]:
    """Answer a question from the documents, then ask again what was asked."""
    found = case.turn.found
    if found is None or not found.abstain:
        case.step(unanswered=0)
        yield from case.turn.answer()
        yield TextDelta(text=f"\n\n{_asking(case, flow)}")
        return
    case.step(unanswered=case.progress.unanswered + 1)
    if case.progress.unanswered >= case.flows.hand_off.unanswered:
        yield from case.hand_off(case.phrase("no_answer_reason"))
        return
    yield from case.say(case.phrase("unanswered"), _asking(case, flow))


def _advance(case: Case, flow: Flow, lead: str = "", *, after_answer: bool = False) -> Iterator[Event]:
    """The next question, or the end; `after_answer` what is said follows an answer."""
    facts = case.facts(flow)
    if facts is None:
        assert flow.lookup is not None
        yield from _not_found(case, flow, flow.lookup.slots[0])
        return
    rule = next((rule for rule in flow.rules if rule.applies(facts, today=case.today)), None)
    if rule is not None and rule.refuse is not None:
        yield from _end(case, case.joined(lead, case.filled(rule.refuse, facts)))
        return
    if rule is not None and rule.hand_off is not None:
        yield from case.hand_off(rule.hand_off.in_language(case.language))
        return
    asked = next((name for name in flow.slots if name not in case.values), CONFIRM)
    if asked == CONFIRM and flow.confirm is None:
        yield from _complete(case, flow, lead)
        return
    case.step(asked=asked, tries=0)
    if after_answer:
        yield TextDelta(text=f"\n\n{_asking(case, flow)}")
    else:
        yield from case.say(lead, _asking(case, flow))


def _not_found(case: Case, flow: Flow, slot: str) -> Iterator[Event]:
    label = case.flows.slots[slot].label.in_language(case.language)
    told = case.phrase("not_found", label=label, said=case.values[slot])
    case.put(slot, None)
    if case.progress.asked != slot:
        case.step(asked=slot, tries=0)
    yield from _retry(case, flow, told)


def _complete(case: Case, flow: Flow, lead: str = "") -> Iterator[Event]:
    if flow.action is not None and flow.action.name not in case.turn.tools.actions:
        name = flow.action.name
        yield Notice(
            text=f"no action {name!r} is declared; a person takes over. See DialogAgent(actions=...)"
        )
        yield from case.hand_off(flow.description.in_language(case.language))
        return
    if flow.action is not None:
        arguments = {
            argument: case.values[slot]
            for argument, slot in flow.action.arguments.items()
            if slot in case.values
        }
        yield ActionProposed(name=flow.action.name, arguments=arguments, reason=case.turn.text)
    if flow.hand_off is not None:
        yield from case.hand_off(flow.hand_off.in_language(case.language))
    elif flow.reply is not None:
        yield from _end(case, case.joined(lead, case.filled(flow.reply, case.facts(flow) or case.values)))


def give_up(case: Case) -> Iterator[Event]:
    """The matter at hand is dropped."""
    return _end(case, case.phrase("stopped"))


def _end(case: Case, told: str) -> Iterator[Event]:
    """Say the last word, and go on with what waited, if anything did."""
    while case.progress.paused:
        *rest, last = case.progress.paused
        case.move(Progress(flow=last.flow, paused=tuple(rest)))
        flow = case.flow
        if flow is None:  # the file no longer has it
            continue
        for slot in flow.all_slots:
            case.put(slot, last.slots.get(slot))
        back = case.phrase("back_to", what=flow.description.in_language(case.language))
        yield from _advance(case, flow, f"{told}\n{back}")
        return
    case.move(Progress())
    yield from case.say(told)


def _retry(case: Case, flow: Flow, told: str, *, ask: bool = True) -> Iterator[Event]:
    """Ask again, so often and no more."""
    tries = case.progress.tries + 1
    if tries >= case.flows.hand_off.max_tries:
        yield from case.hand_off(case.phrase("not_understood_reason"))
        return
    case.step(tries=tries)
    yield from case.say(told, _asking(case, flow) if ask else "")


def _asking(case: Case, flow: Flow) -> str:
    """The question that is open."""
    asked = case.progress.asked
    if asked in case.flows.slots:
        return case.flows.slots[asked or ""].ask.in_language(case.language)
    return case.filled(flow.confirm, case.facts(flow) or case.values) if flow.confirm else ""


def _trouble(case: Case, taken: Taken) -> str:
    """What was wrong with the answer, and what a right one looks like."""
    spec = case.flows.slots.get(case.progress.asked or "")
    hint = spec.hint.in_language(case.language) if spec is not None and spec.hint is not None else ""
    if taken.trouble is None or taken.trouble.trouble is None or spec is None:
        return case.joined(case.phrase("not_understood"), hint)
    label = spec.label.in_language(case.language)
    return case.joined(case.phrase(taken.trouble.trouble, said=taken.trouble.value, label=label), hint)


def _question_besides(case: Case, taken: Taken) -> str | None:
    """A sentence that asks something and gives no value."""
    for start, end in sentences(case.text):
        has_value = any(start < stop and begun < end for begun, stop in taken.spans)
        if not has_value and is_asking(case.text[start:end]):
            return case.text[start:end]
    return None
