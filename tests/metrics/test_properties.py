"""What holds for every metric: tallies add up, order means nothing, nothing to divide by is n/a."""

import math
import random

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog.metrics.judged import Action
from dialog.metrics.metric import Metric
from dialog.metrics.registry import all_metrics
from dialog.testing import HashEmbedder
from dialog.values import Citation
from tests.metrics.making import IDENTICAL, score, turn

METRICS = all_metrics(embedder=HashEmbedder()).found
TEXTS = ["", "Yes.", IDENTICAL["zh"], IDENTICAL["en"], "退款199元", "The fee is $5."]
each_metric = pytest.mark.parametrize("metric", METRICS.values(), ids=METRICS)
maybe = st.none() | st.booleans()


@st.composite
def judged(draw):
    citation = Citation(
        passage_id="p",
        source="s",
        title="",
        quote=TEXTS[2],
        reply_start=0,
        reply_end=5,
        char_start=0,
        char_end=5,
    )
    return turn(
        draw(st.none() | st.sampled_from(TEXTS)),
        draw(st.none() | st.sampled_from(TEXTS)),
        conversation=draw(st.sampled_from("ab")),
        number=draw(st.integers(0, 9)),
        seed=draw(st.integers(0, 1)),
        language=draw(st.sampled_from(["zh", "en", "und"])),
        candidates=tuple(f"reply {number}" for number in range(9)),
        wanted={
            "sources": draw(st.none() | st.just(("s",))),
            "intent": draw(st.none() | st.sampled_from(["oos", "refund"])),
            "state": draw(st.none() | st.just({"order": "KH-1"})),
            "actions": draw(st.none() | st.just((Action(name="refund", arguments={"n": 1}),))),
            "is_answerable": draw(maybe),
            "hands_off": draw(maybe),
        },
        citations=draw(st.sampled_from([(), (citation,)])),
        retrieved=draw(st.none() | st.sampled_from([("s",), ("x", "s"), (("p", "s"),)])),
        intent=draw(st.none() | st.sampled_from(["oos", "refund"])),
        state=draw(st.none() | st.just({"order": "KH-1"})),
        actions=draw(st.none() | st.just((Action(name="refund", arguments={"n": 1}),))),
        abstained=draw(maybe),
        handed_off=draw(maybe),
        succeeded=draw(maybe),
        logprobs=draw(st.none() | st.just((-0.5, -1.5))),
        latency_s=draw(st.none() | st.floats(0, 100)),
        first_token_s=draw(st.none() | st.floats(0, 100)),
        prompt_tokens=draw(st.none() | st.integers(0, 100)),
        reply_tokens=draw(st.none() | st.integers(0, 100)),
    )


@each_metric
def test_a_metric_says_what_it_is(metric):
    assert isinstance(metric, Metric)
    assert metric.name
    assert metric.unit
    assert metric.signature
    assert metric.tally([]).shape == (metric.size,)


@each_metric
def test_nothing_to_score_is_not_available(metric):
    assert math.isnan(metric.value(metric.tally([])))
    assert not metric.tally([]).any()
    assert np.isnan(metric.value(np.zeros((2, 3, metric.size)))).tolist() == [[True] * 3] * 2


@each_metric
@settings(max_examples=20, deadline=None)
@given(turns=st.lists(judged(), max_size=6), seed=st.integers(0, 9))
def test_the_order_of_turns_means_nothing(metric, turns, seed):
    # Two answers to one turn of one run do not occur.
    turns = list({(one.conversation_id, one.seed, one.turn): one for one in turns}.values())
    shuffled = turns.copy()
    random.Random(seed).shuffle(shuffled)
    assert metric.tally(turns) == pytest.approx(metric.tally(shuffled))


@each_metric
@settings(max_examples=20, deadline=None)
@given(turns=st.lists(judged(), max_size=6))
def test_tallies_of_conversations_add_up(metric, turns):
    turns = list({(one.conversation_id, one.seed, one.turn): one for one in turns}.values())
    parts = [metric.tally([one for one in turns if one.conversation_id == name]) for name in "ab"]
    assert parts[0] + parts[1] == pytest.approx(metric.tally(turns))


@pytest.mark.parametrize(
    "name",
    [
        "token_f1",
        "exact_match",
        "rouge_l",
        "bleu",
        "chrf",
        "similarity",
        "selection@1",
        "facts",
        "language_match",
        "answered",
    ],
)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_reference_itself_has_the_top_score_in_both_languages(name, language):
    text = IDENTICAL[language]
    metric = METRICS[name]
    top = 100 if metric.unit == "points" else 1
    others = tuple(f"{text[:number]}" for number in range(9))
    assert score(metric, turn(text, text, language=language, candidates=others)) == pytest.approx(top)


MISSING = {
    "sources": ("s",),
    "intent": "refund",
    "state": {"order": "1"},
    "actions": (Action(name="refund"),),
    "is_answerable": False,
    "hands_off": True,
}
NO_FAILING_VALUE = {
    *("cross_entropy", "perplexity", "citation_support", "repetition@4", "repeated_reply", "length"),
    *("p50_ms", "p90_ms", "p95_ms", "p99_ms", "first_token_p50_ms", "first_token_p95_ms"),
    *("prompt_tokens", "reply_tokens", "success"),
    # An agent that never tells a confidence; forced replay has no course.
    *("confidence_auroc", "confidence_ece", "goals_met", "loops", "turns", "diverged", "turns_on_script"),
    # Precision of what was never said; recall and F1 count the miss.
    *("abstention_precision", "handoff_precision", "oos_precision", "oos_recall", "oos_f1", "slot_precision"),
}


@pytest.mark.parametrize("name", [name for name in METRICS if name not in NO_FAILING_VALUE])
def test_a_missing_answer_counts_as_a_failure(name):
    missing = turn(
        None, IDENTICAL["en"], language="en", candidates=tuple("abcdefghi"), wanted=MISSING, failure="crash"
    )
    assert score(METRICS[name], missing) == 0


@pytest.mark.parametrize("name", sorted(NO_FAILING_VALUE))
def test_of_a_missing_answer_nothing_is_made_up(name):
    missing = turn(None, IDENTICAL["en"], language="en", wanted=MISSING, failure="crash")
    assert math.isnan(score(METRICS[name], missing))
