"""What conversations are made of, counted while they are read: turns, tokens, languages, labels, topics.

Topics come from words (refund, delivery, ...), one for a conversation, by the
user's turns; where conversations carry labels, `labels` says more.

    figures = Figures()
    figures.add(transcript, file="a.jsonl", language="en", num_tokens=None)
"""

from __future__ import annotations

from collections import Counter
from typing import Any

from dialog.text import normalise
from dialog.values import Transcript

TOPICS: dict[str, tuple[str, ...]] = {
    "refund": ("退款", "退货", "退钱", "换货", "refund", "return", "money back", "exchange"),
    "delivery": (
        "快递",
        "物流",
        "发货",
        "配送",
        "签收",
        "包裹",
        "deliver",
        "shipping",
        "parcel",
        "package",
        "tracking",
    ),
    "payment": ("付款", "支付", "扣款", "发票", "账单", "payment", "charged", "invoice", "billing", "paid"),
    "account": (
        "账号",
        "账户",
        "密码",
        "登录",
        "注册",
        "验证码",
        "account",
        "password",
        "log in",
        "login",
        "sign in",
    ),
    "product": (
        "尺码",
        "颜色",
        "规格",
        "质量",
        "库存",
        "有货",
        "size",
        "colour",
        "color",
        "in stock",
        "quality",
    ),
    "fault": (
        "坏了",
        "故障",
        "打不开",
        "闪退",
        "不能用",
        "报错",
        "broken",
        "does not work",
        "doesn't work",
        "error",
        "crash",
    ),
    "booking": (
        "预订",
        "预约",
        "订票",
        "航班",
        "酒店",
        "取消订",
        "booking",
        "reservation",
        "flight",
        "hotel",
        "appointment",
    ),
    "complaint": ("投诉", "差评", "举报", "complain", "unacceptable", "terrible", "worst"),
}
_TOPIC_CHARS = 2_000
_TURN_STEPS = (2, 4, 6, 8, 10, 15, 20, 30, 50)
_TOKEN_STEPS = (64, 128, 256, 512, 1024, 2048, 4096, 8192, 16384)


class Figures:
    """Counts only; their number is bounded."""

    def __init__(self) -> None:
        self.num_conversations = 0
        self.num_messages = 0
        self.num_tokens = 0
        self.max_tokens = 0
        self.files: Counter[str] = Counter()
        self.turns: Counter[int] = Counter()
        self.tokens: Counter[int] = Counter()
        self.languages: Counter[str] = Counter()
        self.topics: Counter[str] = Counter()
        self.months: Counter[tuple[str, str]] = Counter()
        self.clusters: Counter[int] = Counter()
        self.labels: Counter[str] = Counter()

    def add(self, transcript: Transcript, *, file: str, language: str, num_tokens: int | None) -> None:
        """One conversation."""
        self.num_conversations += 1
        self.num_messages += len(transcript.messages)
        self.files[file] += 1
        self.turns[_step(len(transcript.messages), _TURN_STEPS)] += 1
        self.languages[language] += 1
        if num_tokens is not None:
            self.num_tokens += num_tokens
            self.max_tokens = max(self.max_tokens, num_tokens)
            self.tokens[_step(num_tokens, _TOKEN_STEPS)] += 1
        topic = topic_of(transcript)
        self.topics[topic] += 1
        time = next((message.time for message in transcript.messages if message.time), None)
        if time is not None:
            self.months[f"{time.year:04d}-{time.month:02d}", topic] += 1

    def as_json(self) -> dict[str, Any]:
        return {
            "conversations": self.num_conversations,
            "messages": self.num_messages,
            "tokens": {"sum": self.num_tokens, "max": self.max_tokens} if self.tokens else None,
            "files": dict(self.files),
            "turns": bars(self.turns, _TURN_STEPS),
            "token_lengths": bars(self.tokens, _TOKEN_STEPS),
            "languages": dict(self.languages.most_common()),
            "labels": dict(self.labels.most_common(50)),
            "topics": dict(self.topics.most_common()),
            "topics_by_month": {month: self._month(month) for month in sorted({m for m, _ in self.months})},
            "copies": {str(size): count for size, count in sorted(self.clusters.items())},
        }

    def _month(self, month: str) -> dict[str, int]:
        return {topic: count for (at, topic), count in sorted(self.months.items()) if at == month}


def topic_of(transcript: Transcript) -> str:
    """The topic most of whose words the user says; `other` if none."""
    said = normalise(
        " ".join(m.content[:_TOPIC_CHARS] for m in transcript.messages if m.role == "user")[:_TOPIC_CHARS]
    )
    scores = {topic: sum(said.count(word) for word in listed) for topic, listed in TOPICS.items()}
    best = max(scores, key=lambda topic: scores[topic])
    return best if scores[best] else "other"


def bars(counts: Counter[int], steps: tuple[int, ...]) -> dict[str, int]:
    """Counts by range, from the first to the last that holds any."""
    if not counts:
        return {}
    low, high = min(counts), max(counts)
    names = {}
    for place in range(low, high + 1):
        since = steps[place - 1] + 1 if place else 0
        names[f"{since}-{steps[place]}" if place < len(steps) else f"{since}+"] = counts[place]
    return names


def _step(value: int, steps: tuple[int, ...]) -> int:
    return next((place for place, step in enumerate(steps) if value <= step), len(steps))
