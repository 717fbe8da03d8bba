"""What a text denies: clauses, the content they deny, and whether two aligned clauses contradict.

Negation is compared by what it covers: "You can return it if it is not
opened" and "You can return it unopened" deny the same word. `不仅`, `没问题`,
"no problem" and their like deny nothing; two negations in a row affirm.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from dialog.claims import content_terms, is_question
from dialog.metrics.facts.folding import BLOT, Page
from dialog.text import sentences

_MIN_LIKENESS = 0.5
_SCOPE_CHARS = 40
"""How far a negation reaches, unless the clause ends before."""


def _words(*lines: str) -> str:
    return r"\b(?:" + "|".join(lines) + r")\b"


_BREAK = re.compile(
    r"[,，;；、。！？!?\n]|\.(?=\s|$)|但是?|不过|然而|而是|因为|虽然|"
    + _words("but|however|although|though|while|whereas|because")
)
_NEUTRAL = re.compile(
    _words(
        "no (?:problem|worries|doubt|matter|need to worry|sooner|(?:later|earlier|more|less|fewer) than)",
        "not (?:only|just|to mention|sooner|a problem|at all)",
        "(?:do not|don't|never) (?:hesitate|worry|forget|mind)",
        "(?:cannot|can't) (?:but|wait|help but|thank)",
        "(?:not|won't|doesn't)(?: [a-z]{2,12})? (?:longer|later|fewer|earlier|more|less) than",
        "whether or not|or not|if not|why not|isn't it|don't you|nothing (?:but|else than)",
    )
    + r"|\bnot (?:un|in|im)(?=[a-z]{4})|\bno\. ?(?=\d)|\bnot ?- ?for ?- ?profit\b"
    r"|不仅|不但|不只|不光|不单|不同|不断|不客气|不好意思|不用谢|不谢|不止|不少|不错|差不多|不久|不妨|不愧"
    r"|不论|不管|不等|不足\d|不超过|不低于|不少于|不晚于|不迟于|(?:不[能可得会是]|没有|无)不|不得不|少不了|免不了"
    r"|没问题|没有问题|没关系|没事|无论|无限|无线|无忧|无疑|无理由|无条件|无障碍|非常|除非|未来|是否|与否|有没有"
    r"|([能会是要行好用需])不\1|可不可|特别|分别|区别|级别|性别|类别|别的|别人|没收|沉没|非洲|非凡"
    r"|(?:不用|不必|不要|别|请勿|勿|无需)太?(?:担心|着急|客气|忘记|忘了|忘|介意|紧张)"
)
_NEGATION = re.compile(
    _words(
        "cannot|(?:could|may|must|will|would|shall|should|do|does|did|is|are|was|were|has|have|had) not",
        "(?:ca|could|must|wo|would|should|do|does|did|is|are|was|were|has|have|had)n't",
        "never|not|no longer|no|none|nothing|without|neither|nor",
        "unable to|fails? to|failed to|refuse[sd]? to",
    )
    + r"|\bnon-?(?=[a-z]{4})|\bin(?=eligible|valid\b|correct|complete)|\bim(?=possible)"
    r"|\bun(?=available|able\b|opened|used|likely|supported|paid|eligible|worn|safe)"
    r"|不再|不可以|不能够?|不会|不可|不支持|不允许|不需要?|不用|不必|不是|不在|不得|不"
    r"|没有?|無|无法|无需|无|尚未|从未|未|请勿|勿|并?非|禁止|严禁|谢绝|拒绝|别"
)
_MODAL = re.compile(
    _words(
        "can|could|may|might|will|would|shall|should|must|do|does|did|is|are|was|were|be|been|has|have|had",
        "able to|able|allowed to|yes|yeah|sure|already|any|anymore|yet",
    )
    + "|可以|能够|能|会|可|需要|支持|允许|需|要|已经|已|还|就|都|是|的|了|吗|呢|您|你|我们|我"
)
_LONE_HAN = re.compile(r"(?<![\u4e00-\u9fff])[\u4e00-\u9fff](?![\u4e00-\u9fff])")
_YES = re.compile(
    r"\W*(?:yes|yeah|yep|sure|of course|certainly|(?:i|you|we|they|it) (?:can|may|will|do|does|is|are)"
    r"|是的|是|对的?|可以的?|能的?|会的|有的?|行|好的|当然(?:可以|能)?)[哦呀啊呢哈]?\W*"
)
_NO = re.compile(
    r"\W*(?:no|nope|sorry,? no"
    r"|(?:i|you|we|they|it) (?:(?:can|may|will|do|does|is|are) ?not|(?:ca|wo|do|does|is|are)n't)"
    r"|不是的?|不可以的?|不能的?|不会的?|没有的?|不行|不|抱歉,?不(?:可以|能))[哦呀啊呢哈]?\W*"
)


@dataclass(frozen=True)
class Clause:
    """A clause: what it affirms and what it denies, as content terms, and its span in the original."""

    start: int
    end: int
    text: str
    affirmed: frozenset[str]
    denied: frozenset[str]
    num_negations: int

    @cached_property
    def terms(self) -> frozenset[str]:
        return self.affirmed | self.denied

    @cached_property
    def answer(self) -> bool | None:
        """True for a mere yes, False for a mere no, None for anything that says more."""
        if _NO.fullmatch(self.text):
            return False
        return True if _YES.fullmatch(self.text) else None


def clauses(text: str) -> list[Clause]:
    """The clauses of the statements of a text, in order; questions state nothing."""
    found: list[Clause] = []
    for start, end in sentences(text):
        if is_question(text[start:end]):
            continue
        page = Page(text[start:end])
        page.drop(_NEUTRAL)
        position = 0
        for stop in [*_BREAK.finditer(page.text), None]:
            last = stop.start() if stop else len(page.text)
            if page.text[position:last].strip(BLOT + " "):
                span = page.span(position, last)
                found.append(_clause(page.text[position:last], start + span[0], start + span[1]))
            position = stop.end() if stop else last
    return found


def contradicts(first: Clause, second: Clause) -> bool:
    """Whether aligned clauses say the opposite of one content word."""
    if first.answer is not None and second.answer is not None:
        return first.answer != second.answer
    is_turned = (first.num_negations - second.num_negations) % 2 == 1
    if not is_turned or likeness(first, second) < _MIN_LIKENESS:
        return False
    return bool(first.denied & second.affirmed or second.denied & first.affirmed)


def likeness(first: Clause, second: Clause) -> float:
    """Shared content terms as a share of all (Dice), in [0, 1]."""
    size = len(first.terms) + len(second.terms)
    return 2 * len(first.terms & second.terms) / size if size else 0.0


def _clause(text: str, start: int, end: int) -> Clause:
    affirmed: set[str] = set()
    denied: set[str] = set()
    negations = [match.span() for match in _NEGATION.finditer(text)]
    affirmed.update(_terms(text[: negations[0][0] if negations else len(text)]))
    stops = [*(start for start, _ in negations[1:]), len(text)]
    for (_, scope), stop in zip(negations, stops, strict=False):
        reach = min(scope + _SCOPE_CHARS, stop)
        denied.update(_terms(text[scope:reach]))
        affirmed.update(_terms(text[reach:stop]))
    return Clause(start, end, text.strip(), frozenset(affirmed - denied), frozenset(denied), len(negations))


def _terms(text: str) -> set[str]:
    """Content terms, and Han characters that are left alone: `还没到` denies 到."""
    plain = _MODAL.sub(" ", text.replace(BLOT, " "))
    return content_terms(plain) | set(_LONE_HAN.findall(plain))
