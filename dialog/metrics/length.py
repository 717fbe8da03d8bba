"""How long replies are: words (a Han character is one), and the tokens of the model, where it says."""

from __future__ import annotations

from dialog.metrics.judged import JudgedTurn
from dialog.metrics.ratio import Part, Ratio
from dialog.metrics.tokens import SIGNATURE, metric_tokens

_AGENT = "tokenizer:agent's|unknown:left-out|avg:turn"


def length() -> Ratio:
    """Mean words of a reply; a missing one is left out."""
    return Ratio("length", "words", None, f"{SIGNATURE}|avg:turn", _words)


def length_ratio() -> Ratio:
    """Words of the replies per word of their references; a missing reply has none."""
    return Ratio("length_ratio", "ratio", None, f"{SIGNATURE}|avg:corpus", _share)


def prompt_tokens() -> Ratio:
    """Mean tokens of a prompt, as the agent's tokenizer counts; turns of which it is unknown are left out."""
    return Ratio(
        "prompt_tokens",
        "tokens",
        False,
        "tokenizer:agent's|avg:turn",
        lambda turn: _mean(turn.given.prompt_tokens),
    )


def reply_tokens() -> Ratio:
    """Mean tokens of a reply, as the agent's tokenizer counts; turns of which it is unknown are left out."""
    return Ratio(
        "reply_tokens",
        "tokens",
        None,
        "tokenizer:agent's|avg:turn",
        lambda turn: _mean(turn.given.reply_tokens),
    )


def _words(turn: JudgedTurn) -> Part | None:
    return None if turn.given.text is None else (len(metric_tokens(turn.given.text)), 1)


def _share(turn: JudgedTurn) -> Part | None:
    if turn.wanted.text is None:
        return None
    return len(metric_tokens(turn.given.text or "")), len(metric_tokens(turn.wanted.text))


def _mean(count: int | None) -> Part | None:
    return None if count is None else (count, 1)
