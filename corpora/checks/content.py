"""Checks of what a conversation says: language, harmful instructions, personal data left over, length.

checker = ContentChecks(Detector())
for problem in checker(transcript):
    print(problem.check, problem.severity, problem.message)
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

from corpora.checks.finding import Problem
from corpora.scrub.detect import PLACEHOLDER, Detector
from corpora.scrub.surrogates import is_reserved
from dialog.guard.orders import is_order
from dialog.text import detect_language
from dialog.values import Language, Message, Transcript

CountTokens = Callable[[str], int]
_HARMFUL = {
    "weapons": re.compile(
        r"(?:how (?:to|do i|can i)|steps to|instructions (?:for|to)|teach me to) (?:make|build|assemble|"
        r"produce|mix) .{0,30}"
        r"(?:bomb|explosive|grenade|molotov|nerve agent|silencer)|(?:怎么|如何|教我|教程).{0,6}(?:制作|"
        r"制造|做|配制|组装).{0,8}(?:炸弹|炸药|雷管|枪支|枪械|毒气|燃烧瓶)"
    ),
    "drugs": re.compile(
        r"(?:how (?:to|do i|can i)|steps to|recipe (?:for|to)) (?:make|cook|synthesi[sz]e|"
        r"produce) .{0,20}(?:meth|methamphetamine|heroin|cocaine|fentanyl|lsd)\b"
        r"|(?:怎么|如何|教我).{0,6}(?:制作|制造|合成|提炼|制).{0,6}(?:冰毒|海洛因|可卡因|摇头丸|毒品|芬太尼)"
    ),
    "self-harm": re.compile(
        r"(?:how (?:to|do i|can i)|best way to|ways to) (?:kill|hang|hurt|cut) (?:myself|yourself)|(?:怎么|"
        r"如何|怎样).{0,6}(?:自杀|自残|结束(?:自己的)?生命)|(?:you should|just) kill yourself|你去死"
    ),
    "malware": re.compile(
        r"(?:how (?:to|do i|can i)|write|create|build) .{0,20}(?:ransomware|keylogger|malware|trojan|"
        r"computer virus|phishing (?:page|site|e?mail|kit))"
        r"|(?:怎么|如何|帮我|教我).{0,8}(?:写|制作|开发|编写|搭建|做).{0,8}(?:勒索软件|木马|病毒程序|"
        r"键盘记录器|钓鱼网站|钓鱼邮件|盗号)"
    ),
    "fraud": re.compile(
        r"(?:how (?:to|do i|can i)|help me) .{0,20}(?:clone (?:a|the) (?:credit )?card|launder money|"
        r"steal (?:a|an|someone's|his|her) (?:identity|card|account)|"
        r"forge (?:a|an) (?:passport|id)|use a stolen card)|(?:怎么|如何|帮我|教我).{0,8}(?:洗钱|盗刷|"
        r"伪造(?:身份证|护照|证件|发票)|骗贷|套现|诈骗)"
    ),
    "hate": re.compile(
        r"(?:all|those) (?:\w+ )?(?:people|immigrants|women|jews|muslims|blacks|gays) "
        r"(?:should|must|deserve to) (?:die|be killed|burn)|(?:都|全)(?:该死|应该杀光)"
    ),
}
_MAX_CHARS = 20_000
_FEW_CHARS = 12


class ContentChecks:
    """The checks of content, with what they need.

    Args:
        detector: finds personal data.
        count_tokens: the model's tokenizer; None leaves lengths unchecked.
        window: the model's context in tokens.
    """

    def __init__(
        self, detector: Detector, *, count_tokens: CountTokens | None = None, window: int | None = None
    ) -> None:
        self._detector = detector
        self._count_tokens = count_tokens
        self._window = window
        self.last_tokens: int | None = None

    def __call__(self, transcript: Transcript) -> Iterator[Problem]:
        yield from self._language(transcript)
        for turn, message in enumerate(transcript.messages):
            yield from self._harm(turn, message)
            yield from self._personal(turn, message)
        yield from self._length(transcript)

    def _language(self, transcript: Transcript) -> Iterator[Problem]:
        asked: Language = "und"
        for turn, message in enumerate(transcript.messages):
            if message.role not in ("user", "assistant") or len(message.content.strip()) < 2:
                continue
            language = _language_of(message)
            if message.role == "user":
                asked = language if language != "und" else asked
            elif asked != "und" and language not in ("und", asked) and len(message.content) >= _FEW_CHARS:
                yield Problem("language", "warning", turn, f"asked in {asked}, answered in {language}")
        if language_of(transcript) == "mixed":
            yield Problem("language", "note", None, "the user writes in two languages")

    def _harm(self, turn: int, message: Message) -> Iterator[Problem]:
        text = message.content[:_MAX_CHARS].lower()
        for category, pattern in _HARMFUL.items():
            if pattern.search(text):
                yield Problem("harmful", "error", turn, f"asks for or gives what does harm ({category})")
        if message.role in ("user", "tool") and is_order(text):
            yield Problem(
                "injection", "warning", turn, "speaks to the model, not to an agent (prompt injection)"
            )

    def _personal(self, turn: int, message: Message) -> Iterator[Problem]:
        text = message.content
        kinds = Counter(
            find.kind
            for find in self._detector(text)
            if not is_reserved(find.kind, text[find.start : find.end])
        )
        if kinds:
            told = ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items()))
            yield Problem("personal-data", "warning", turn, f"personal data left: {told}; run data scrub")

    def _length(self, transcript: Transcript) -> Iterator[Problem]:
        self.last_tokens = None
        if self._count_tokens is None:
            return
        self.last_tokens = sum(self._count_tokens(message.content) for message in transcript.messages)
        if self._window is not None and self.last_tokens > self._window:
            yield Problem(
                "length",
                "warning",
                None,
                f"{self.last_tokens} tokens of text, the model holds {self._window}; its head will be cut",
            )


def language_of(transcript: Transcript) -> str:
    """`zh`, `en`, `mixed` (each carries a fifth of the user's turns or more) or `und`."""
    counts = Counter(_language_of(m) for m in transcript.messages if m.role == "user")
    known = counts["zh"] + counts["en"]
    if not known:
        return "und"
    share = counts["zh"] / known
    return "zh" if share > 0.8 else "en" if share < 0.2 else "mixed"


def _language_of(message: Message) -> Language:
    """Of what was said; the Latin letters of placeholders are the scrubber's."""
    return detect_language(PLACEHOLDER.sub(" ", message.content))
