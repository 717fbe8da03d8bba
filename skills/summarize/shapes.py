"""The three shapes of an extract: a summary, a briefing, notes.

text, evidence = shaped(Input(messages=messages, kind="notes"))
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from dialog.claims import is_question
from skills.summarize.extract import LABELS, extracted, written
from skills.summarize.records import Evidence, Input
from skills.summarize.sentences import Speaker, Told, told_by_nobody, told_in

_HEADS: Mapping[str, Mapping[str, str]] = {
    "en": {"user": "Wants", "agent": "Done", "facts": "Facts", "open": "Open", "last": "Last said"},
    "zh": {"user": "诉求", "agent": "处理", "facts": "关键信息", "open": "待回复", "last": "最后一句"},
}
_BRIEFING: Mapping[Speaker, int] = {"user": 2, "agent": 2, "": 4}
_MAX_FACTS = 12
_MONTH = r"(?:January|February|March|April|May|June|July|August|September|October|November|December)"
_FACT = re.compile(
    r"[\w.+-]+@[\w-]+\.[\w.]*\w"
    r"|(?<![A-Za-z0-9])(?=[A-Za-z0-9-]*[A-Za-z])(?=[A-Za-z0-9-]*\d)[A-Za-z0-9]+(?:-[A-Za-z0-9]+)*"
    r"|[$€£¥￥] ?\d[\d,]*(?:\.\d+)?|\d[\d,]*(?:\.\d+)? ?(?:元|块|%|％|euros?\b|dollars?\b)"
    rf"|\d{{1,2}}月\d{{1,2}}[日号]|\d{{1,2}} {_MONTH}\b|{_MONTH} \d{{1,2}}\b|\d{{4}}-\d{{2}}-\d{{2}}"
    r"|\d{3,}",
    re.ASCII,
)


def shaped(item: Input) -> tuple[str, tuple[Evidence, ...]]:
    """The text in the item's shape, and the sentences it was made of."""
    told = told_in(item.messages) if item.messages else told_by_nobody(item.text)
    wanted = {} if item.kind == "summary" else {"wanted": _BRIEFING}
    chosen = extracted(told, max_words=item.max_words, **wanted)
    evidence = tuple(
        Evidence(message=_of(item, one), start=one.start, end=one.end, text=one.text) for one in chosen
    )
    if item.kind == "summary":
        return written(chosen, item.spoken), evidence
    lines = _lines(item, told, chosen)
    return "\n".join(f"- {line}" for line in lines) if item.kind == "notes" else "\n".join(lines), evidence


def _of(item: Input, one: Told) -> int:
    return one.message if item.messages else 0


def _lines(item: Input, told: Sequence[Told], chosen: Sequence[Told]) -> list[str]:
    """`Wants: ...`, `Done: ...`, the figures of all that was said, and what was not answered."""
    heads = _HEADS.get(item.spoken, _HEADS["en"])
    gap, mark = ("", "：") if item.spoken == "zh" else (" ", ": ")
    lines = []
    for speaker in ("user", "agent", ""):
        own = gap.join(one.text for one in chosen if one.speaker == speaker)
        if own:
            lines.append(f"{heads[speaker]}{mark}{own}" if speaker else own)
    if facts := _facts(told):
        lines.append(f"{heads['facts']}{mark}{', '.join(facts)}")
    if (last := _unanswered(told)) is not None:
        lines.append(f"{heads['open']}{mark}{last.text}")
    elif item.kind == "briefing" and told and told[-1].speaker:
        label = LABELS.get(item.spoken, LABELS["en"])[told[-1].speaker]
        lines.append(f"{heads['last']}{mark}{label}{told[-1].text}")
    return lines


def _facts(told: Sequence[Told]) -> list[str]:
    """Identifiers, amounts, dates and long numbers as they were said, each once, at most a dozen."""
    found = dict.fromkeys(match[0].strip() for one in told for match in _FACT.finditer(one.text))
    return list(found)[:_MAX_FACTS]


def _unanswered(told: Sequence[Told]) -> Told | None:
    """The user's last question, if nobody spoke after the message it stands in."""
    if not told or told[-1].speaker != "user":
        return None
    last = [one for one in told if one.message == told[-1].message]
    return next((one for one in reversed(last) if is_question(one.text)), None)
