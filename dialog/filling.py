"""A turn whose reply is for a program: ask for JSON, check it against the model, ask again.

The support gate of `dialog.answering` does not apply: it would cut JSON in
pieces. The reply says so. Passages are shown to the model all the same, and
nothing streams before it is known to fit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from dialog.answering import Answering
from dialog.events import Event, Notice, TextDelta
from dialog.fields import ask_again, describe
from dialog.guard.control import clean
from dialog.instructions import Instruction
from dialog.structured import Form, NotInShape, attempt_notice, read_as
from dialog.values import Language

FORM_REF = "form"
"""The ref of the prompt segment that says what to answer; `form again` says what was wrong."""
UNCHECKED = "structured reply: its shape is checked, its claims are not checked against the documents"
MAX_PROBLEM_CHARS = 400


def fill(turn: Answering, form: Form) -> Iterator[Event]:
    """Answer with a value of the form's model as JSON, else the fallback, else the model's last words."""
    if turn.result is not None and turn.result.abstain:
        turn = replace(turn, result=None)
    yield Notice(text=UNCHECKED)
    text, problem = "", ""
    for number in range(1, form.retries + 2):
        prompt = yield from turn.prompt(_asked(form, turn.language, problem))
        text = "".join(chunk.text for chunk in turn.chunks(prompt))
        try:
            value = read_as(form.model, text)
        except NotInShape as error:
            problem = _short(str(error), finish=turn.draft.finish_reason)
            yield Notice(text=attempt_notice(number, form, problem))
        else:
            yield TextDelta(text=value.model_dump_json())
            return
        if turn.draft.finish_reason == "interrupted":
            break
    if form.fallback is not None:
        turn.draft.mode = "fixed"
        yield Notice(text="no attempt fitted; the reply is the caller's fallback")
        yield TextDelta(text=form.fallback.model_dump_json())
        return
    yield Notice(text="no attempt fitted; the reply is the model's last words")
    if text:
        yield TextDelta(text=text)


def _asked(form: Form, language: Language, problem: str) -> list[Instruction]:
    """What this prompt asks for, and what was wrong with the answer before."""
    asked = [_instruction(FORM_REF, describe(form.model, language=language))]
    if problem:
        asked.append(_instruction(f"{FORM_REF} again", ask_again(problem, language=language)))
    return asked


def _instruction(id: str, text: str) -> Instruction:
    return Instruction(id=id, text=text, source="skill", scope="turn", priority=100)


def _short(problem: str, *, finish: str) -> str:
    """The problem in bounds and without control tokens: it may repeat the model's own words."""
    cut = "the answer was cut off at its longest; " if finish == "length" else ""
    return (cut + clean(problem).text)[:MAX_PROBLEM_CHARS]
