"""What a scripted user understands of a reply: is it a question, which fact does it ask for, does it answer?

    asks("Could you give me your order number?")                          # True
    answers("It takes 3 to 5 days.", wants="3-5 days")                    # True

By rules, the same in both languages; a user who is not sure counts a reply as
an answer where it states what was wanted, or shares its content words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from dialog.claims import content_terms, is_question
from dialog.metrics.facts.compare import compare
from dialog.metrics.facts.extract import extract
from dialog.text import normalise, sentences

MIN_SHARE = 0.5
"""Of the wanted answer's facts; without facts, of its content words."""
MIN_LIKENESS = 0.25
"""Shared content words of a question and a fact, as a share of the fewer."""
_REQUEST = re.compile(
    r"\b(?:please|kindly)\b.{0,20}\b(?:provide|tell|give|share|send|enter|confirm|let (?:me|us) know)\b"
    r"|\b(?:could|can|would|may) (?:you|i|we)\b.{0,40}\b(?:provide|tell|give|share|send|have|confirm|dm)\b"
    r"|\b(?:dm|pm) us\b|\blet (?:me|us) know\b|\bi need (?:your|the)\b"
    r"|请(?:您|你)?(?:先|再)?(?:提供|告知|告诉|输入|出示|确认|发|说|报|回复)"
    r"|(?:能否|可否|麻烦|方便)(?:您|你)?.{0,6}(?:提供|告知|告诉|说|发)|我需要(?:您|你)的"
)
_SUBJECTS = (
    r"\borders?\b|订单|单号",
    r"\b(?:first |last |full )?name\b|\bi am\b|姓名|名字|称呼|叫什么|我叫|我是",
    r"\bphone\b|\bmobile\b|\bnumber to call\b|电话|手机",
    r"\be-?mail\b|邮箱|邮件",
    r"\bzip(?: ?code)?\b|\bpost ?code\b|邮编",
    r"\baddress\b|\bstreet\b|地址",
    r"\bpay(?:ment)?\b|\bcard\b|\bpaypal\b|支付|付款|银行卡",
    r"\bwhen\b|\bdate\b|\bday\b|日期|什么时候|哪天|几号",
    r"\bwhy\b|\breason\b|原因|为什么|理由",
    r"\bwhich\b.{0,20}\b(?:product|model)s?\b|\bitems?\b|商品|型号|哪一?款",
)
_CONFIRM = re.compile(
    r"\b(?:confirm|proceed|is that (?:right|correct|ok)|shall i|should i|do you want me to|"
    r"would you like me to|go ahead|\(yes/no\)|yes or no)\b"
    r"|确认|是否(?:继续|同意|需要我)|可以吗|对吗|需要我(?:为|帮)"
)


def asks(reply: str) -> bool:
    """Whether it asks for something."""
    return any(_is_request(reply[start:end]) for start, end in sentences(reply))


def wants_a_yes(reply: str) -> bool:
    """Whether it asks for a go-ahead."""
    return asks(reply) and bool(_CONFIRM.search(normalise(reply)))


def statements(reply: str) -> str:
    """The reply without its questions and requests."""
    kept = (reply[start:end] for start, end in sentences(reply))
    return " ".join(sentence for sentence in kept if not _is_request(sentence))


def asked_for(reply: str, facts: Sequence[tuple[str, str]]) -> list[int]:
    """Which facts a reply asks for, in order.

    Args:
        facts: (what it says, the question it once answered, or nothing) of each.
    """
    questions = " ".join(reply[start:end] for start, end in sentences(reply) if _is_request(reply[start:end]))
    return [place for place, (say, about) in enumerate(facts) if _fits(questions, say, about)]


def answers(reply: str, *, wants: str) -> bool:
    """Whether a reply says what was wanted: half of its facts and no other ones, or half of its words."""
    if compare(reply, wants).conflicts:
        return False
    wanted = extract(wants)
    if wanted:
        given = extract(reply)
        stated = sum(any(fact.same(one) for one in given) for fact in wanted)
        return stated / len(wanted) >= MIN_SHARE
    terms = content_terms(wants)
    return not terms or len(terms & content_terms(reply)) / len(terms) >= MIN_SHARE


def unsaid(must_hear: Sequence[str], heard: Sequence[str]) -> list[str]:
    """What was to be heard and was in none of the replies; separators of thousands do not count."""
    said = normalise("\n".join(heard)).replace(",", "")
    return [one for one in must_hear if normalise(one).replace(",", "") not in said]


def _is_request(sentence: str) -> bool:
    return is_question(sentence) or bool(_REQUEST.search(normalise(sentence)))


def _fits(questions: str, say: str, about: str) -> bool:
    asked, known = normalise(questions), normalise(f"{about} {say}")
    if any(re.search(subject, asked) and re.search(subject, known) for subject in _SUBJECTS):
        return True
    first, second = content_terms(questions), content_terms(about or say)
    fewer = min(len(first), len(second))
    return fewer > 0 and len(first & second) / fewer >= MIN_LIKENESS
