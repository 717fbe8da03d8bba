"""Our metrics by base name, each with what makes it from the parameter behind the `@`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import get_args

from dialog.metrics import actions, course, failures, intent, language, length, retrieval
from dialog.metrics.bleu import Bleu
from dialog.metrics.chrf import ChrF
from dialog.metrics.confidence import ConfidenceAuroc, ConfidenceError
from dialog.metrics.decisions import abstention, handoff
from dialog.metrics.facts.compare import ConflictKind
from dialog.metrics.latency import first_token_latency, reply_latency
from dialog.metrics.metric import Metric
from dialog.metrics.overlap import exact_match, token_f1
from dialog.metrics.perplexity import Perplexity, cross_entropy
from dialog.metrics.repetition import repeated_reply, repetition
from dialog.metrics.rouge import rouge_l
from dialog.metrics.selection import selection
from dialog.metrics.state import joint_goal_accuracy, slot
from dialog.metrics.success import PassHat, Success
from dialog.metrics.support import citation_hit, citation_support, groundedness

Make = Callable[[str | None], Metric]


def _plain(make: Callable[[], Metric]) -> Make:
    def made(parameter: str | None) -> Metric:
        if parameter is not None:
            raise ValueError(f"it takes no parameter, but has {parameter!r}")
        return make()

    return made


def _of(make: Callable[[str], Metric], score: str) -> Make:
    return _plain(lambda: make(score))


def _at(make: Callable[[int], Metric], default: int) -> Make:
    def made(parameter: str | None) -> Metric:
        return make(default if parameter is None else _int(parameter))

    return made


def _int(parameter: str) -> int:
    if not re.fullmatch(r"\d{1,4}", parameter, re.ASCII):
        raise ValueError(f"{parameter!r} is no whole number")
    return int(parameter)


def _facts(parameter: str | None) -> Metric:
    if parameter is None:
        return failures.facts()
    for kind in get_args(ConflictKind):
        if kind == parameter:
            return failures.facts(kind)
    raise ValueError(f"{parameter!r} is no kind of fact; there are {', '.join(get_args(ConflictKind))}")


def _selection(parameter: str | None) -> Metric:
    k, separator, num_candidates = (parameter or "1").partition("of")
    return selection(_int(k), num_candidates=_int(num_candidates) if separator else 10)


FAMILIES: Mapping[str, Make] = {
    "answered": _plain(failures.answered),
    "facts": _facts,
    "success": _plain(Success),
    "pass^": _at(PassHat, 1),
    "token_f1": _plain(token_f1),
    "exact_match": _plain(exact_match),
    "rouge_l": _plain(rouge_l),
    "bleu": Bleu,
    "chrf": _plain(ChrF),
    "selection": _selection,
    "cross_entropy": _plain(cross_entropy),
    "perplexity": _plain(Perplexity),
    "groundedness": _plain(groundedness),
    "citation_support": _plain(citation_support),
    "citation_hit": _plain(citation_hit),
    "hit": _at(retrieval.hit, 5),
    "recall": _at(retrieval.recall, 5),
    "mrr": _at(retrieval.mrr, 10),
    "ndcg": _at(retrieval.ndcg, 10),
    "intent_accuracy": _plain(intent.intent_accuracy),
    "in_scope_accuracy": _plain(intent.in_scope_accuracy),
    **{f"oos_{score}": _of(intent.out_of_scope, score) for score in ("precision", "recall", "f1")},
    "joint_goal_accuracy": _plain(joint_goal_accuracy),
    **{f"slot_{score}": _of(slot, score) for score in ("precision", "recall", "f1")},
    "action_accuracy": _plain(actions.action_accuracy),
    "action_value_accuracy": _plain(actions.action_value_accuracy),
    "action_joint_accuracy": _plain(actions.action_joint_accuracy),
    "cascade": _plain(actions.Cascade),
    **{f"abstention_{score}": _of(abstention, score) for score in ("precision", "recall", "f1")},
    **{f"handoff_{score}": _of(handoff, score) for score in ("precision", "recall", "f1")},
    "confidence_auroc": _plain(ConfidenceAuroc),
    "confidence_ece": _plain(ConfidenceError),
    "goals_met": _plain(course.goals_met),
    "loops": _plain(course.loops),
    "turns": _plain(course.turns),
    "diverged": _plain(course.diverged),
    "turns_on_script": _plain(course.turns_on_script),
    "repetition": _at(repetition, 4),
    "repeated_reply": _plain(repeated_reply),
    "length": _plain(length.length),
    "length_ratio": _plain(length.length_ratio),
    "language_match": _plain(language.language_match),
    **{f"p{percent}_ms": _plain(partial(reply_latency, percent)) for percent in (50, 90, 95, 99)},
    **{f"first_token_p{percent}_ms": _plain(partial(first_token_latency, percent)) for percent in (50, 95)},
    "prompt_tokens": _plain(length.prompt_tokens),
    "reply_tokens": _plain(length.reply_tokens),
}

DEFAULTS = (
    "success",
    "answered",
    "facts",
    "token_f1",
    "rouge_l",
    "selection@1",
    "groundedness",
    "citation_hit",
    "recall@5",
    "mrr@10",
    "intent_accuracy",
    "joint_goal_accuracy",
    "slot_f1",
    "action_joint_accuracy",
    "cascade",
    "abstention_f1",
    "handoff_f1",
    "confidence_auroc",
    "confidence_ece",
    "goals_met",
    "loops",
    "turns",
    "diverged",
    "turns_on_script",
    "repetition@4",
    "language_match",
    "length",
    "p50_ms",
    "p95_ms",
    "reply_tokens",
)
