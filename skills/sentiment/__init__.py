"""Praise and blame: of a text, of its aspects, with the clause that says so.

skill = SentimentSkill()
found, = skill.work([Text(text="房间很大，但是太吵了", aspects=("房间", "吵"))], tools)
found.sentiment, found.evidence.text
"""

from __future__ import annotations

from skills.sentiment.judging import ChoosingJudge, Judge, Sentiment, TrainedJudge
from skills.sentiment.rules import RuleJudge
from skills.sentiment.skill import AspectSentiment, Evidence, SentimentSkill, Text, TextSentiment

__all__ = [
    "AspectSentiment",
    "ChoosingJudge",
    "Evidence",
    "Judge",
    "RuleJudge",
    "Sentiment",
    "SentimentSkill",
    "Text",
    "TextSentiment",
    "TrainedJudge",
]
