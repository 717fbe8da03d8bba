"""The phrases by which users ask for another way of answering, topic by topic.

Data for `dialog.wishes`: each rule lists English and Chinese phrases as regular
expressions, joined by "or", and the instruction they stand for in both
languages. Phrases name the act of answering, so that "a short cable" and
"说明书有中文吗" ask for nothing.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

ZH = "(?:中文|汉语|漢語|普通话|国语|简体中文|简体|华语)"
EN = "(?:英文|英语|英語)"
SAY = "(?:回答|回复|回覆|答复|回应|说|讲|交流|写|沟通|作答|解释|聊)"
ANSWER = "(?:answer|reply|respond|write|speak|talk|explain|communicate|chat)"
WHOM = r"(?: (?:to )?(?:me|us))?"
HOW = "(?: (?:only|always|back|everything))*"
NOT_TOLD = r"(?<!me to )(?<!us to )(?<!them to )(?<!not )(?<!n't )(?<!n’t )(?<!never )(?<!stop )"
NOT_ZH = "(?<!不要)(?<!别)(?<!不用)(?<!不能)(?<!不必)(?<!无需)"
USE = "(?:用|使用|改用|换成|以|讲|说)"
ASK = "(?:请|以后|从现在起|都|一直|麻烦)(?:你|您|都|一律|一直|请|始终|总是|只)*"
WITH = "(?:来|跟我|和我|给我|向我|进行)?"
BIT = "(?:一点|一些|点|些)"
SHORT = "(?:简短|简洁|精简|简明)"
NO_MORE = "(?:不要|别|不用|请勿)(?:再)?"
STOP = "(?:no|without|stop using|don[’']?t use|do not use)"
REPLIES = "(?:answers?|replies|reply|responses?|explanations?)"


@dataclass(frozen=True)
class Rule:
    """A pattern, and what it asks for: the topic and the instruction in both languages."""

    topic: str
    pattern: re.Pattern[str]
    en: str
    zh: str


def pattern_of(*phrases: str) -> re.Pattern[str]:
    """Any of the phrases, in text whose white space is single blanks."""
    return re.compile("|".join(phrases), re.IGNORECASE)


def _language(english: str, chinese: str, *, en: str, zh: str) -> Rule:
    return Rule(
        "language",
        pattern_of(
            rf"{NOT_TOLD}\b{ANSWER}{WHOM}{HOW} (?:in|using) {english}\b",
            rf"\b(?:in|use|speak|switch to) {english},? please\b",
            rf"\bplease (?:always )?(?:use|speak|switch to) {english}\b",
            rf"{NOT_ZH}{USE}{chinese}{WITH}{SAY}(?![的着了过])",
            rf"{NOT_ZH}{ASK}{USE}{chinese}",
        ),
        en,
        zh,
    )


IN_CHINESE = ("Always answer in Chinese.", "请始终用中文回答。")
IN_ENGLISH = ("Always answer in English.", "请始终用英文回答。")
BRIEFLY = ("Keep answers short.", "回答请简短。")
IN_DETAIL = ("Answer in detail.", "请详细回答。")
WITH_BULLETS = ("Use bullet points.", "请分点回答。")
WITHOUT_LISTS = ("Use plain sentences, no lists and no Markdown.", "请用普通句子，不用列表和 Markdown。")
WITHOUT_EMOJI = ("Do not use emoji.", "请不要使用表情符号。")
FORMALLY = ("Use a formal tone.", "请用正式的语气。")
CASUALLY = ("Use a friendly, casual tone.", "请用轻松亲切的语气。")
SIMPLY = ("Use simple words.", "请用通俗易懂的话。")

RULES: tuple[Rule, ...] = (
    _language("(?:simplified )?(?:chinese|mandarin)", ZH, en=IN_CHINESE[0], zh=IN_CHINESE[1]),
    _language("english", EN, en=IN_ENGLISH[0], zh=IN_ENGLISH[1]),
    Rule(
        "length",
        pattern_of(
            rf"{NOT_TOLD}\bkeep (?:it|this|that|them|(?:your|the) {REPLIES})"
            r"(?: very| nice and| really)? (?:short|brief|concise)(?:er)?\b",
            rf"{NOT_TOLD}\bbe (?:very |more |really )?(?:brief|concise|short)\b",
            rf"\bmake (?:it|them|your {REPLIES}) (?:short|brief)(?:er)?\b",
            rf"\b(?:short|brief|concise)(?:er)? {REPLIES}(?:,? please)?\b",
            rf"{NOT_TOLD}\b{ANSWER}{WHOM} (?:very )?(?:briefly|concisely|in (?:one|a) (?:short )?sentence)\b",
            rf"\b(?:no|without) long {REPLIES}\b",
            f"{NOT_ZH}(?:{SHORT}|简单|言简意赅)(?:{BIT}|吧|地)?{SAY}",
            f"(?:{SAY}|请|尽量|以后|都|再|更)(?:要|得|请|尽量|都|更|再)*{SHORT}(?:{BIT}|吧)?",
            f"{SAY}短{BIT}",
            rf"(?:^|[，,。；;！!\s]){SHORT}{BIT}",
            f"(?:用|只用)?一句话{SAY}",
            "长话短说",
            "(?:别|不要)(?:太|那么|这么)?(?:啰嗦|罗嗦|长篇大论)",
        ),
        *BRIEFLY,
    ),
    Rule(
        "length",
        pattern_of(
            r"\b(?:give|tell) (?:me|us) (?:more|all the|full) details?\b(?! (?:about|on|of))",
            rf"{NOT_TOLD}\bbe more (?:detailed|thorough|specific)\b",
            rf"{NOT_TOLD}\b{ANSWER}{WHOM} in (?:more |full |great(?:er)? )?detail\b",
            rf"\b(?:longer|more detailed) {REPLIES}(?:,? please)?\b",
            f"{NOT_ZH}(?:详细|具体|仔细)(?:{BIT}|地)?(?:{SAY}|介绍|说明)",
            f"(?:{SAY}|请|尽量|以后|再|更)(?:得|请|尽量|都|更|再)*(?:详细|具体){BIT}",
        ),
        *IN_DETAIL,
    ),
    Rule(
        "format",
        pattern_of(
            r"\b(?:use|with|in|as) (?:bullet points|bullets|a (?:bulleted |numbered )?list)\b(?!\?)",
            f"{NOT_ZH}(?:用|请用|以)(?:列表|要点|条目)(?:的?形式)?",
            f"分(?:条|点|步骤?)(?:{SAY}|列出|说明)",
        ),
        *WITH_BULLETS,
    ),
    Rule(
        "format",
        pattern_of(
            rf"\b{STOP} (?:bullet points|bullets|lists|markdown|formatting)\b",
            r"\bplain text(?: only)?,? please\b",
            r"\buse plain text\b",
            f"{NO_MORE}(?:用|使用|分)(?:列表|要点|条目|markdown|格式|条|点)",
            "(?:用|请用)纯文本",
        ),
        *WITHOUT_LISTS,
    ),
    Rule(
        "emoji",
        pattern_of(
            rf"\b{STOP} (?:any )?(?:emojis?|emoticons|smileys)\b",
            f"{NO_MORE}(?:用|使用|发|带)?(?:表情|表情符号|emoji)",
        ),
        *WITHOUT_EMOJI,
    ),
    Rule(
        "tone",
        pattern_of(
            r"\b(?:be|sound) (?:more )?(?:formal|polite|professional)\b(?!\?)",
            r"\bmore formal(?:ly)?,? please\b",
            f"(?:正式|礼貌|专业){BIT}",
            f"(?:语气|{SAY})(?:要|请|得)?更?(?:正式|礼貌|专业)",
        ),
        *FORMALLY,
    ),
    Rule(
        "tone",
        pattern_of(
            r"\b(?:be|sound) (?:more |less )?(?:casual|friendly|relaxed|informal)\b(?!\?)",
            r"\bless formal,? please\b",
            f"(?:轻松|随意|亲切|口语化){BIT}",
            "(?:别|不要)(?:太|那么|这么)(?:正式|死板|官方)",
        ),
        *CASUALLY,
    ),
    Rule(
        "wording",
        pattern_of(
            r"\b(?:use|in) (?:simple|plain|simpler|easy) (?:words|language|terms|english)\b",
            r"\bexplain (?:it |this )?like i[’']?m (?:five|5)\b",
            r"\b(?:no|without) jargon\b",
            f"(?:通俗|浅显|好懂|易懂)(?:{BIT}|易懂)",
            "(?:别|不要)(?:用|讲|说)(?:术语|专业词)",
            "说人话",
        ),
        *SIMPLY,
    ),
)

WITHDRAWALS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "length",
        pattern_of(
            r"\b(?:no need to|you (?:don[’']?t|do not) (?:need|have) to|stop) "
            r"(?:be(?:ing)?|keep(?:ing)? (?:it|them)) (?:so )?(?:short|brief|concise)",
            "(?:不用|不必|不需要|无需)再?(?:那么|这么|太)?(?:简短|简洁|详细)",
        ),
    ),
    (
        "language",
        pattern_of(
            r"\b(?:answer|reply|respond) in (?:any|whatever|whichever) language\b",
            r"\bin (?:any|whatever) language (?:you like|is fine)\b",
            "(?:什么|哪种|任何)语言(?:都|也)(?:行|可以|好)",
            "不用再?(?:一直|都|总是)用(?:中文|英文|英语)",
        ),
    ),
    ("*", pattern_of(r"\bforget (?:all )?my (?:wishes|preferences)\b", "忘(?:掉|记)我的(?:要求|偏好)")),
)

COMPLAINTS: tuple[Rule, ...] = (
    Rule(
        "length",
        pattern_of(
            r"\btoo (?:long|wordy|verbose|much (?:text|detail))\b",
            r"\brambl",
            r"\bget to the point\b",
            "太(?:长|多字)|啰嗦|罗嗦|冗长|废话",
        ),
        *BRIEFLY,
    ),
    Rule(
        "length",
        pattern_of(
            r"\btoo (?:short|brief|terse|vague)\b",
            r"\b(?:not enough|more|lacks?) detail",
            r"\bincomplete\b",
            "太(?:短|简单|简略|笼统)",
            "不够?(?:详细|具体|完整)",
        ),
        *IN_DETAIL,
    ),
    Rule(
        "language",
        pattern_of(
            r"\b(?:should|must) be (?:in )?chinese\b",
            r"\bnot in chinese\b",
            "没有?(?:用|说|是)中文|应该用中文|要中文",
        ),
        *IN_CHINESE,
    ),
    Rule(
        "language",
        pattern_of(
            r"\b(?:should|must) be (?:in )?english\b",
            r"\bnot in english\b",
            "没有?(?:用|说|是)英文|应该用英文|要英文",
        ),
        *IN_ENGLISH,
    ),
    Rule(
        "tone",
        pattern_of(
            r"\b(?:rude|impolite|unfriendly|too (?:casual|informal))\b",
            "太(?:随便|随意|不礼貌)|没礼貌|不礼貌|态度",
        ),
        *FORMALLY,
    ),
    Rule(
        "tone",
        pattern_of(r"\btoo (?:formal|stiff|cold|robotic)\b", "太(?:正式|死板|生硬|冷淡|机械|官方)"),
        *CASUALLY,
    ),
    Rule(
        "wording",
        pattern_of(
            r"\b(?:jargon|hard to understand|too (?:technical|complicated)|confusing)\b",
            "(?:看|听)不懂|太(?:专业|复杂|难懂)|术语",
        ),
        *SIMPLY,
    ),
    Rule(
        "format",
        pattern_of(r"\btoo many (?:bullets|bullet points|lists)\b", "太多(?:列表|条目)|不要列表"),
        *WITHOUT_LISTS,
    ),
)
