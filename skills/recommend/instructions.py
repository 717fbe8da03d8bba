"""Recommendation as an instruction: preference x intention x task, and how well a title answers it.

    asked = Instruction(preference="implicit", intention="specific", task="matching", ...)
    text = render(asked, language="zh")
    scores = matching_scores(model, text, titles)       # mean log-probability of a token of each title

Source: Zhang et al., Recommendation as Instruction Following (InstructRec,
arXiv 2305.07001), 3.1: the three aspects. Its 39 templates are not used; the
wordings are our own (`wordings.toml`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from dialog.protocols import LanguageModel
from dialog.values import FitReport, Language, Prompt, Value
from skills.wordings import load

PREFERENCES = ("none", "implicit", "explicit")
INTENTIONS = ("none", "vague", "specific")
TASKS = ("pointwise", "pairwise", "matching", "reranking")
_HISTORY_ITEMS = 10


class Instruction(Value):
    """The three aspects and what fills them; `history` and `candidates` are titles, oldest or best first."""

    preference: Literal["none", "implicit", "explicit"] = "none"
    intention: Literal["none", "vague", "specific"] = "none"
    task: Literal["pointwise", "pairwise", "matching", "reranking"] = "matching"
    history: tuple[str, ...] = ()
    stated: str = ""
    wish: str = ""
    candidates: tuple[str, ...] = ()


def render(asked: Instruction, *, language: Language, wording: int = 0) -> str:
    """The instruction in words; `wording` picks among the ways to say each aspect.

    Raises:
        ValueError: an aspect is asked for and nothing fills it, or a pair is not two.
    """
    values = {
        "implicit": {"history": _listed(asked.history[-_HISTORY_ITEMS:], language)},
        "explicit": {"preference": asked.stated},
        "vague": {"intention": asked.wish},
        "specific": {"intention": asked.wish},
    }
    needed = {"pointwise": 1, "pairwise": 2, "matching": 0, "reranking": len(asked.candidates) or 1}[
        asked.task
    ]
    if len(asked.candidates) != needed and asked.task != "matching":
        raise ValueError(f"{asked.task} takes {needed} candidates, not {len(asked.candidates)}")
    for aspect in (asked.preference, asked.intention):
        if aspect != "none" and not all(values[aspect].values()):
            raise ValueError(f"{aspect!r} is asked for, and nothing was given to fill it")
    wordings = load("recommend")
    task = {} if asked.task == "matching" else {"candidates": _listed(asked.candidates, language)}
    parts = (
        wordings.fill(
            f"preference_{asked.preference}", language, wording, **values.get(asked.preference, {})
        ),
        wordings.fill(f"intention_{asked.intention}", language, wording, **values.get(asked.intention, {})),
        wordings.fill(f"task_{asked.task}", language, wording, **task),
    )
    return ("" if language == "zh" else " ").join(parts)


def matching_scores(model: LanguageModel, instruction: str, titles: Sequence[str]) -> list[float]:
    """Mean natural log-probability of a token of each title after the instruction; at most 0.

    Titles of more tokens are not punished for their length. Raises ModelError.
    """
    text = f"{instruction}\n"
    ids = tuple(model.tokenizer.encode(text)[0])
    fit = FitReport(limit_tokens=len(ids), used_tokens=len(ids), reserved_tokens=0)
    prompt = Prompt(text=text, ids=ids, segments=(), fit=fit)
    return [one.total / max(1, len(one.ids)) for one in model.score(prompt, list(titles))]


def _listed(titles: Sequence[str], language: Language) -> str:
    return ("、" if language == "zh" else "; ").join(titles)
