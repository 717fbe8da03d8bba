"""Names of persons by the words around them, titles, salutations, signatures and common given names.

Chinese: a surname before 先生/女士/..., "我叫", "姓名：", "收件人". English: "my
name is", "Dear ...", Mr/Ms/Dr, a sign-off's line, "name:", a common given name
with a surname behind it. Rules see forms, so a rare name without such words is
missed; `docs/scrub.md` says how many.

    list(names("我叫张伟，请找王女士"))
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from corpora.scrub.finds import FORMED, LISTED, TOLD, Find
from corpora.scrub.gazetteer import (
    AMBIGUOUS_GIVEN,
    COMPOUND_SURNAMES,
    GENERIC,
    GIVEN,
    NOT_GIVEN_ZH,
    NOT_NAMES,
    SURNAMES,
    TITLED_SURNAMES,
)

_HAN = "\u3400-\u9fff"
_TITLE_ZH = re.compile("先生|女士|小姐|太太|夫人|老师|师傅|经理|主任|同学|医生|阿姨|大爷|大哥|大姐")
_BOUNDARY_ZH = frozenset("是叫找请给跟位名见为让问对由向致好嗨人到帮")
_TOLD_ZH = re.compile(
    r"(?:我叫|我的名字是|我名字是|名字叫|名字是|名叫|本人叫|我姓名是|姓名|收件人|收货人|联系人|寄件人|"
    r"持卡人|户名|开户名|真实姓名|客户名|实名|投保人|乘客|乘机人|入住人|"
    r"法人|签收人|署名|经办人|患者)(?:名字|姓名)?(?:都?是|叫|为|写的?是|改成|"
    r"填的?是)? ?[:：]? ?(?=(?P<name>[\u3400-\u9fff·]{2,12}))"
)
_SELF_ZH = re.compile(
    r"(?:^|[，。,.！!；;：:\s])(?:我是|这里是|您好我是|你好我是)(?=(?P<name>[\u3400-\u9fff]{2,4})(?:$|"
    r"[，。,.！!；;\s]))"
)

_LETTER = r"[^\W\d_]"
_UPPER = r"[A-ZÀ-ÖØ-ÞĀĂĄĆĈĊČĎĐĒĔĖĘĚĜĞĠĢĤĦĨĪĬĮİĴĶĹĻĽĿŁŃŅŇŊŌŎŐŒŔŖŘŚŜŞŠŢŤŦŨŪŬŮŰŲŴŶŸŹŻŽΑ-ΩА-Я]"
_WORD = rf"{_UPPER}(?:['’]{_UPPER})?(?:{_LETTER}|['’-](?={_LETTER})){{1,24}}"
_INITIAL = rf"{_UPPER}\.?"
_FULL = rf"{_WORD}(?: (?:{_INITIAL} )?(?:(?:van|von|de|da|del|la|der|bin|al|di|le) ){{0,2}}{_WORD}){{0,3}}"
_TOLD_EN = re.compile(
    rf"\b(?:(?i:my (?:full |first |last |maiden )?name is|my name's|name'?s|(?:the |under the |account |"
    rf"in the )?name(?: of| is| on (?:the |my )?(?:card|account|order|booking)(?: is)?)?:?|"
    rf"called|named him|named her|speaking (?:to|with)|spoke (?:to|with)|talked (?:to|with)|attn:?|c/o|"
    rf"signed(?: by)?|cardholder:?|recipient:?|customer:|"
    rf"passenger:?|guest:|contact:|partner's name|maiden name is|surname is|people call me|"
    rf"call me))[ \n]{{1,2}}(?P<name>{_FULL})"
)
_SELF_EN = re.compile(rf"\b(?:I am|I'm|I’m|[Tt]his is|[Ii]t's|[Hh]ere is) (?P<name>{_FULL})")
_TITLE_EN = re.compile(rf"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof|Professor|Sir|Madam|Mx)\b\.? (?P<name>{_FULL})")
_SALUTE = re.compile(
    rf"(?:^|[\n.!?] ?)(?:Dear|Hi|Hello|Hey|Good (?:morning|afternoon|evening)|Thanks|Thank you|Sorry|"
    rf"Welcome)[, ] ?(?P<name>{_FULL})(?=[ \t]*(?:[,!.\n:;-]|$))"
)
_SPEAKER = re.compile(rf"(?:^|\n)(?P<name>{_FULL}): ")
_SIGN_OFF = re.compile(
    rf"(?i:thanks|thank you|regards|sincerely|cheers|best|yours|faithfully|love|many thanks|"
    rf"warmly)[,.!]?[ \t]{{0,3}}\n[\n\s]{{0,3}}[-–~]?(?P<name>{_FULL})[ \t]*(?=\n|$|,)"
)
_DASH = re.compile(rf"(?:^|[ \n])[-–~^]{{1,2}} ?(?P<name>{_WORD}(?: {_WORD})?)[ \t]*$")
_PAIR = re.compile(
    rf"(?<![\w'’.])(?P<name>(?P<given>{_UPPER}[a-zà-ÿ]{{1,14}}) (?:{_INITIAL} )?{_WORD}(?:-{_WORD})?)"
)
_ALONE = re.compile(rf"(?<=[a-z,;:] )(?<!San )(?<!Santa )(?P<name>{_UPPER}[a-zà-ÿ]{{2,14}})(?![\w])")


def names(text: str) -> Iterator[Find]:
    """Names in folded text, in one linear pass a rule; finds may overlap."""
    if not text.isascii():
        yield from _chinese(text)
    if re.search("[A-Za-zÀ-ɏ]", text):
        yield from _western(text)


def is_generic(author: str) -> bool:
    """An author's name that names a role ("agent", "客服"), not a person."""
    words = re.findall(r"[^\W\d_]+", author.casefold())
    return not words or all(word in GENERIC for word in words)


def _chinese(text: str) -> Iterator[Find]:
    for title in _TITLE_ZH.finditer(text):
        num = _before_title(text, title.start())
        if num:
            yield Find("NAME", title.start() - num, title.start(), rule="zh-title", strength=FORMED)
    for told in _TOLD_ZH.finditer(text):
        length = _leading_name(told["name"])
        if length:
            yield Find("NAME", told.end(), told.end() + length, rule="zh-told", strength=TOLD)
    for said in _SELF_ZH.finditer(text):
        name = said["name"]
        if not _TITLE_ZH.search(name) and _leading_name(name) == len(name):
            yield Find("NAME", *said.span("name"), rule="zh-self", strength=TOLD)


def _before_title(text: str, end: int) -> int:
    """How many characters before a title are a name: the longest that begins with a surname at a boundary."""
    piece = text[max(0, end - 5) : end]
    fitting = []
    for num in range(1, min(4, len(piece)) + 1):
        name = piece[-num:]
        surname = 2 if name[:2] in COMPOUND_SURNAMES else 1 if name[0] in TITLED_SURNAMES else 0
        given = name[surname:]
        if (
            not surname
            or len(given) > 2
            or any(c in NOT_GIVEN_ZH or not "\u3400" <= c <= "\u9fff" for c in given)
        ):
            continue
        before = piece[-num - 1 : -num]
        fitting.append((not before or before in _BOUNDARY_ZH or not "\u3400" <= before <= "\u9fff", num))
    at_boundary = [num for is_boundary, num in fitting if is_boundary]
    if at_boundary:
        return max(at_boundary)
    return max((num for _, num in fitting), default=0)


def _leading_name(run: str) -> int:
    """How many characters at the start of a run of Han characters are a name; 0 if none."""
    if "·" in run[1:]:
        return len(run)
    surname = 2 if run[:2] in COMPOUND_SURNAMES else 1 if run[0] in SURNAMES else 0
    if not surname:
        return 0
    num = surname
    while num < min(len(run), surname + 2) and run[num] not in NOT_GIVEN_ZH:
        num += 1
    title = _TITLE_ZH.search(run, 1)
    if title:
        return min(num, title.start())
    return num if num > surname else 0


def _western(text: str) -> Iterator[Find]:
    for pattern, rule, strength in (
        (_TITLE_EN, "en-title", FORMED),
        (_TOLD_EN, "en-told", TOLD),
        (_SALUTE, "en-salutation", TOLD),
        (_SIGN_OFF, "en-signature", TOLD),
        (_DASH, "en-dash", TOLD),
        (_SPEAKER, "en-speaker", TOLD),
    ):
        for match in pattern.finditer(text):
            end = _cut(match["name"])
            if end and (rule not in ("en-dash", "en-speaker") or _is_known(match["name"])):
                yield Find(
                    "NAME", match.start("name"), match.start("name") + end, rule=rule, strength=strength
                )
    for match in _SELF_EN.finditer(text):
        if _is_known(match["name"]) or " " in match["name"][: _cut(match["name"])]:
            yield Find(
                "NAME",
                match.start("name"),
                match.start("name") + _cut(match["name"]),
                rule="en-self",
                strength=TOLD,
            )
    for match in _PAIR.finditer(text):
        if match["given"].lower() in GIVEN and (end := _cut(match["name"])) and " " in match["name"][:end]:
            yield Find(
                "NAME", match.start("name"), match.start("name") + end, rule="en-given", strength=LISTED
            )
    for match in _ALONE.finditer(text):
        word = match["name"].lower()
        if word in GIVEN and word not in AMBIGUOUS_GIVEN:
            yield Find("NAME", *match.span("name"), rule="en-given-alone", strength=LISTED)


def _cut(name: str) -> int:
    """The length of the part before the first word that is none of a name; 0 if it is the first."""
    for match in re.finditer(r"[^ ]+", name):
        if match.group().strip(".'’").lower() in NOT_NAMES:
            return len(name[: match.start()].rstrip())
    return len(name)


def _is_known(name: str) -> bool:
    return name.split(" ", 1)[0].lower() in GIVEN
