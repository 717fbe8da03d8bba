"""Replies, titles and e-mails from instructions, with rules that are checked.

The model is told the rules; code checks what it wrote. What it breaks is said
back to it, a few times; the best attempt is returned with what it still breaks
in `violations`, never without saying so. What the model writes is checked
against the rules, not against the documents: grounded answers are `answer`'s.

    item = Input(instruction="Apologise for the delay", max_words=30, must_include=("MK-10482",))
    (output,) = Generate().work([item], tools)
    output.text, output.violations
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib.resources import files
from pathlib import Path

from dialog.events import Event, Notice
from dialog.phrases import phrase
from dialog.protocols import LanguageModel
from dialog.skill import SkillSpec, SkillTurn, Tools
from dialog.text import words
from skills import wordings
from skills.asking import asked
from skills.generate.records import Input, Output, Violation
from skills.generate.request import request
from skills.generate.rules import joined, one_told, told, violations

NAME = "generate"
_TOKENS_A_WORD = 3
_DEFAULT_WORDS = 120
_RETRY_TEMPERATURE = 0.7
_ABOUT_MESSAGES = 4


class Generate:
    """Implements `dialog.skill.Skill` and `dialog.skill.Worker`."""

    spec = SkillSpec(
        name=NAME,
        description="replies, titles and e-mails from instructions, with rules that are checked",
        input=Input,
        output=Output,
        cases=Path(str(files("skills") / NAME / "cases.jsonl")),
        titles={"en": "a text to be written", "zh": "写一段文字"},
    )

    def matches(self, turn: SkillTurn) -> float:
        return 0.9 if request(turn.text) is not None else 0.0

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        about = "\n".join(message.content for message in turn.history[-_ABOUT_MESSAGES:])
        item = request(turn.text, about) or Input(instruction=turn.text, text=about)
        output = written(item, turn.tools.model)
        if output.text:
            yield from turn.say(output.text, mode="generated")
        else:
            sorry = phrase("abstain", language=turn.language)
            yield from turn.say(sorry, finish_reason="abstained")
        for one in output.violations:
            yield Notice(text=f"the text breaks {one.rule}: {one.detail}")

    def work(self, items: Sequence[Input], tools: Tools) -> Iterator[Output]:
        for item in items:
            yield written(item, tools.model)


def written(item: Input, model: LanguageModel) -> Output:
    """The best of at most `retries` + 1 attempts. Raises ModelError, PromptTooLong."""
    if item.spoken not in model.info.languages:
        why = f"{model.info.name!r} does not write {item.spoken!r}; name another model"
        return _output("", item, attempts=0, found=(Violation(rule="language", detail=why),))
    best: Output | None = None
    last = ""
    for attempt in range(item.retries + 1):
        last = _attempt(item, model, attempt=attempt, last=last)
        output = _output(last, item, attempts=attempt + 1, found=violations(last, item))
        if best is None or len(output.violations) < len(best.violations):
            best = output
        if not best.violations:
            break
    assert best is not None, "there is a first attempt"
    return best.model_copy(update={"attempts": attempt + 1})


def _attempt(item: Input, model: LanguageModel, *, attempt: int, last: str) -> str:
    """One text; from the second on the model is told what was wrong with the last, and samples."""
    texts = wordings.load(NAME)
    instruction = f"{texts.fill(item.kind, item.spoken, attempt, instruction=item.instruction)}\n"
    instruction += told(item, texts)
    if attempt:
        broken = [one_told(one.rule, one.detail, item, texts) for one in violations(last, item)]
        problems = joined(broken, item.spoken)
        instruction += "\n" + texts.fill("again", item.spoken, problems=problems, text=last)
    return asked(
        model,
        instruction,
        item.text or item.instruction,
        max_tokens=_TOKENS_A_WORD * (item.max_words or max(_DEFAULT_WORDS, item.min_words or 0)),
        temperature=_RETRY_TEMPERATURE if attempt else 0.0,
        seed=attempt,
    )


def _output(text: str, item: Input, *, attempts: int, found: tuple[Violation, ...]) -> Output:
    return Output(
        text=text, language=item.spoken, num_words=len(words(text)), attempts=attempts, violations=found
    )


__all__ = ["Generate", "Input", "Output", "Violation", "written"]
