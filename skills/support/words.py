"""What the skill says besides the texts of the flow file, and how it names values in a briefing."""

from __future__ import annotations

from typing import Literal

from dialog.values import Language

Saying = Literal[
    "stopped",
    "what_is_wrong",
    "yes_or_no",
    "ambiguous",
    "out_of_range",
    "not_known",
    "not_found",
    "not_understood",
    "back_to",
    "unanswered",
    "asks_for_person",
    "not_understood_reason",
    "no_answer_reason",
    "wants",
    "known",
    "tried",
    "said",
    "asked_for",
    "proposed",
    "open_question",
    "unclear",
]
_WORDS: dict[Saying, tuple[str, str]] = {
    "stopped": (
        "好的，这件事就不办了。还有其他可以帮您的吗？",
        "All right, I leave it at that. Anything else?",
    ),
    "what_is_wrong": (
        "请告诉我哪里需要更正；如果不办了，请说“算了”。",
        'Please tell me what to correct, or say "never mind" to leave it.',
    ),
    "yes_or_no": ("请回答“是”或“不是”。", "Please answer yes or no."),
    "ambiguous": ("“{said}”可以有不止一种理解。", "“{said}” can be read in more than one way."),
    "out_of_range": ("“{said}”不在可以接受的范围内。", "“{said}” is outside of what is possible here."),
    "not_known": ("“{said}”不是有效的{label}。", "“{said}” is not a valid {label}."),
    "not_found": ("没有找到{label}为“{said}”的记录。", "I find nothing for {label} “{said}”."),
    "not_understood": ("抱歉，我没有明白。", "Sorry, I did not understand that."),
    "back_to": ("我们接着办“{what}”。", "Back to “{what}”."),
    "unanswered": ("这一点我在资料中没有找到。", "I found nothing about that in the documents."),
    "asks_for_person": ("客户要求人工服务", "the customer asks for a person"),
    "not_understood_reason": ("多次没有明白客户的回答", "the customer's answers were not understood"),
    "no_answer_reason": ("资料中没有答案", "the documents hold no answer"),
    "wants": ("客户需要：{what}（把握 {confidence}）", "Wants: {what} (confidence {confidence})"),
    "known": ("已知：{what}", "Known: {what}"),
    "tried": ("已做：{what}", "Tried: {what}"),
    "said": ("客户最近说：", "The customer's last messages:"),
    "asked_for": ("询问{what} {times} 次", "asked for {what} {times} time(s)"),
    "proposed": ("已提交操作 {what}，等待批准", "action {what} proposed, waits for approval"),
    "open_question": ("{times} 个问题没有找到答案", "{times} question(s) without an answer"),
    "unclear": ("不明确", "not clear"),
}


def say(saying: Saying, *, language: Language, **values: str) -> str:
    """The sentence with its values; English where the language is not known."""
    chinese, english = _WORDS[saying]
    text = chinese if language == "zh" else english
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", value)
    return text
