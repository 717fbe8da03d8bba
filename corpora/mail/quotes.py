"""What a mail adds to its thread: quoted mails and signatures are cut, in Chinese and English.

own_words("Thanks!\\n\\nOn Mon, Ann wrote:\\n> Hello")     # "Thanks!"
own_words("谢谢\\n\\n在 2024-05-01，客服 写道：\\n> 您好")   # "谢谢"
"""

from __future__ import annotations

import re

_ATTRIBUTION = re.compile(
    r"(?:On\b.{1,200}\bwrote\s?[:：]|Am\b.{1,200}\bschrieb.{0,80}[:：]|Le\b.{1,200}\ba écrit\s?[:：]"
    r"|El\b.{1,200}\bescribió\s?[:：]|(?=.{0,200}[\d@])(?:在|于)?\s?.{1,200}(?:写道|寫道)\s?[:：]|.{1,120}<[^<>\s]{1,100}@[^<>\s]{1,100}>"
    r".{0,60}(?:写道|wrote)\s?[:：])\s*",
    re.IGNORECASE | re.DOTALL,
)
_FORWARD = re.compile(
    r"\s*-{2,}\s*(?:Original Message|Forwarded message|Original Appointment"
    r"|原始邮件|原邮件|回复的邮件|转发的邮件|转发邮件(?:信息)?|邮件原件"
    r"|Ursprüngliche Nachricht|Message d'origine)\s*-{2,}.*",
    re.IGNORECASE,
)
_RULE = re.compile(r"\s*_{10,}\s*")
_HEADER = re.compile(
    r"[*\s]*(?:From|Sent|To|Date|Subject|发件人|发送时间|发送日期|收件人|日期|主题)\s?\*?\s?[:：]", re.I
)
_SIGNATURE = re.compile(
    r"-- ?|(?:Sent|Get Outlook) (?:from|for) (?:my )?.{1,40}"
    r"|发自我的.{0,40}|(?:从|来自).{1,20}(?:发送|客户端)",
    re.I,
)
_LOOK_AHEAD = 4


def own_words(text: str) -> str:
    """The text without what it quotes. Answers between quoted lines are kept; empty if all was quoted."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    kept: list[str] = []
    number = 0
    while number < len(lines):
        line = lines[number]
        if _FORWARD.fullmatch(line) or _starts_header(lines, number):
            break
        if length := _attribution(lines, number):
            if not _is_quote(_next_words(lines, number + length)):
                break
            number += length
            continue
        if _SIGNATURE.fullmatch(line.rstrip("\n")) or line == "--":
            number = _after_signature(lines, number)
            continue
        if not _is_quote(line):
            kept.append(line.rstrip())
        number += 1
    return re.sub(r"\n{3,}", "\n\n", "\n".join(kept)).strip()


def _attribution(lines: list[str], number: int) -> int:
    """How many lines, from this one, say who wrote what follows; 0 if they do not."""
    if not lines[number].strip():
        return 0
    for length in (1, 2):
        joined = " ".join(lines[number : number + length]).strip()
        if len(joined) <= 400 and _ATTRIBUTION.fullmatch(joined):
            return length
    return 0


def _starts_header(lines: list[str], number: int) -> bool:
    """Whether the headers of a quoted mail stand here: a rule above them, or three in a row."""
    if _RULE.fullmatch(lines[number]):
        return bool(_HEADER.match(_next_words(lines, number + 1)))
    block = [line for line in lines[number : number + _LOOK_AHEAD] if line.strip()]
    return bool(_HEADER.match(lines[number])) and sum(bool(_HEADER.match(line)) for line in block) >= 3


def _after_signature(lines: list[str], number: int) -> int:
    """The next line that quotes or attributes; a signature ends there, or with the mail."""
    for following in range(number + 1, len(lines)):
        if (
            _is_quote(lines[following])
            or _FORWARD.fullmatch(lines[following])
            or _attribution(lines, following)
        ):
            return following
    return len(lines)


def _next_words(lines: list[str], number: int) -> str:
    return next((line for line in lines[number : number + _LOOK_AHEAD] if line.strip()), "")


def _is_quote(line: str) -> bool:
    return line.lstrip().startswith((">", "｜", "＞"))
