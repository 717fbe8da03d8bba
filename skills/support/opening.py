"""A message when nothing is under way: a flow, an approved answer, the documents, or a person."""

from __future__ import annotations

from collections.abc import Iterator

from dialog.events import Event
from dialog.templates import fill, fits, is_template, placeholders
from dialog.values import Passage
from skills.support.case import Case
from skills.support.cues import is_asking
from skills.support.flows import Bilingual, Kind, SlotSpec
from skills.support.intent import IntentClassifier, understood
from skills.support.reading import read
from skills.support.running import begin

_KINDS: dict[str, Kind] = {"text": "text", "number": "number", "money": "money", "date": "date", "id": "id"}
_STRICT = ("date", "money", "id", "number", "text")
_ANY_ID = r"(?=\S*\d)[A-Za-z0-9][A-Za-z0-9_./#-]*"


def open_matter(case: Case, classifier: IntentClassifier) -> Iterator[Event]:
    """Note the intent; an approved answer to the very question comes first, then a flow, then a search.

    "Cancel my order" asks nothing: it starts its flow, though "can I cancel my order?" may be approved.
    """
    intent = understood(classifier, case.turn.text)
    case.turn.note_intent(intent.name, intent.confidence)
    case.intent = (intent.name, intent.confidence)
    wants_flow = intent.name in case.flows.flows
    if _is_approved(case) and (is_asking(case.text) or not wants_flow):
        yield from _answer(case)
    elif wants_flow:
        yield from begin(case, intent.name or "")
    else:
        yield from _answer(case)


def complete_question(case: Case) -> Iterator[Event] | None:
    """Read what an approved answer still needs and give it; None where the message gives nothing of it."""
    question, needs = case.progress.question, case.progress.needs
    assert question is not None
    missing = _read_needs(case, needs, is_asked=True)
    if len(missing) == len(needs):
        case.step(question=None, needs={})
        return None
    case.step(question=question if missing else None, needs=missing)
    return case.turn.answer(question=question)


def _answer(case: Case) -> Iterator[Event]:
    """From the documents; a template that lacks slots waits for them."""
    found = case.turn.found
    if found is not None and found.abstain:
        case.step(unanswered=case.progress.unanswered + 1)
        if case.progress.unanswered >= case.flows.hand_off.unanswered:
            yield from case.hand_off(case.phrase("no_answer_reason"))
            return
    else:
        case.step(unanswered=0)
        passage = _best(case)
        if passage is not None and is_template(passage):
            missing = _read_needs(case, _needed(case, passage), is_asked=False)
            if missing:
                case.step(question=case.turn.text, needs=missing)
    yield from case.turn.answer()


def _best(case: Case) -> Passage | None:
    return case.turn.passages[0] if case.turn.passages else None


def _is_approved(case: Case) -> bool:
    passage, found = _best(case), case.turn.found
    return (
        passage is not None
        and found is not None
        and not found.abstain
        and passage.language in (case.language, "und")
        and fits(case.turn.text, passage)
    )


def _needed(case: Case, passage: Passage) -> dict[str, str]:
    """The slots a template cannot be said without, with their kinds."""
    template = passage.answer or ""
    needs = fill(template, case.values).needs
    return {name: kind for name, kind in placeholders(template).items() if name in needs}


def _read_needs(case: Case, needs: dict[str, str], *, is_asked: bool) -> dict[str, str]:
    """Record what the message says of them; returns what is still missing."""
    missing = dict(needs)
    spans: list[tuple[int, int]] = []
    # An amount could be an identifier, but no identifier an amount: the strict kinds read first.
    for name, kind in sorted(needs.items(), key=lambda need: _STRICT.index(need[1])):
        spec = case.flows.slots.get(name) or _spec(name, kind)
        # With several things asked for at once, a free text could be the answer to any of them.
        asked = is_asked and (spec.kind not in ("text", "name") or len(needs) == 1)
        found = [
            one
            for one in read(case.text, spec, today=case.today, asked=asked)
            if one.trouble is None and all(one.end <= start or one.start >= end for start, end in spans)
        ]
        if len({one.value for one in found}) == 1:
            case.put(name, found[0].value)
            spans += [(one.start, one.end) for one in found]
            del missing[name]
    return missing


def _spec(name: str, kind: str) -> SlotSpec:
    """What a template says of its slot, as far as it goes."""
    label = Bilingual(zh=name, en=name)
    return SlotSpec(
        kind=_KINDS.get(kind, "text"), label=label, ask=label, pattern=_ANY_ID if kind == "id" else None
    )
