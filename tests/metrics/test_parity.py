"""Our scores are those of the reference implementations on the same texts."""

import itertools
import random
import re
import string
from collections import Counter

import numpy as np
import pytest
import sacrebleu
from rouge_score.rouge_scorer import RougeScorer

from dialog.metrics.actions import cascading_score
from dialog.metrics.registry import metric_named
from tests.metrics.making import score, turn

EN = [
    ("The refund takes 3 to 5 business days.", "A refund takes three to five business days, at most."),
    ("Your order KH-20481 has been shipped today.", "Order KH-20481 was shipped today."),
    ("I don't know, sorry!", "Please contact us by e-mail: help@shop.example"),
    ("You can return most items within 30 days.", "You can return most items within 30 days."),
    ("the the the the", "the cat sat on the mat"),
    ("", "An answer was due here, but none came."),
    ("Yes.", "Yes, of course you can do that."),
]
ZH = [
    ("退款需要3到5个工作日到账。", "退款一般在三到五个工作日内到账。"),
    ("您的订单KH-20481今天已经发货。", "订单KH-20481已于今天发货，请耐心等待。"),
    ("抱歉，我不清楚。", "请发邮件到 help@shop.example 联系我们。"),
    ("大部分商品可在30天内退货。", "大部分商品可在30天内退货。"),
    ("", "这里本来应该有一个回答。"),
]


def corpora():
    chance = random.Random(5)
    for pairs in (EN, ZH, EN[5:6], EN[4:5]):
        yield pairs
        yield [chance.choice(pairs) for _ in range(20)]
    for text in ("", "x", "a b c d e"):
        yield [(text, "a b c d e f")]


@pytest.mark.parametrize("tokenizer", ["13a", "zh", "char", "intl"])
def test_bleu_is_sacrebleu(tokenizer):
    metric = metric_named(f"bleu@{tokenizer}")
    for pairs in corpora():
        replies, references = [list(side) for side in zip(*pairs, strict=True)]
        expected = sacrebleu.corpus_bleu(replies, [references], tokenize=tokenizer).score
        assert score(metric, *itertools.starmap(turn, pairs)) == pytest.approx(expected, abs=1e-9)


def test_bleu_chooses_the_tokenizer_by_the_language_of_the_reference():
    assert score(metric_named("bleu"), *itertools.starmap(turn, EN)) == pytest.approx(
        score(metric_named("bleu@13a"), *itertools.starmap(turn, EN))
    )
    assert score(metric_named("bleu"), *itertools.starmap(turn, ZH)) == pytest.approx(
        score(metric_named("bleu@zh"), *itertools.starmap(turn, ZH))
    )


def test_chrf_is_sacrebleu():
    metric = metric_named("chrf")
    for pairs in corpora():
        replies, references = [list(side) for side in zip(*pairs, strict=True)]
        expected = sacrebleu.corpus_chrf(replies, [references]).score
        assert score(metric, *itertools.starmap(turn, pairs)) == pytest.approx(expected, abs=1e-9)


def test_the_signatures_of_bleu_and_chrf_are_sacrebleus():
    assert metric_named("bleu@zh").signature == str(_signature(sacrebleu.BLEU(tokenize="zh")))
    assert metric_named("chrf").signature == str(_signature(sacrebleu.CHRF()))


def _signature(metric):
    metric.corpus_score(["a"], [["a"]])
    return metric.get_signature()


def test_rouge_l_is_rouge_score_on_english():
    scorer = RougeScorer(["rougeL"], use_stemmer=False)
    for reply, reference in EN:
        expected = scorer.score(reference, reply)["rougeL"].fmeasure
        assert score(metric_named("rouge_l"), turn(reply, reference)) == pytest.approx(expected)


def test_token_f1_and_exact_match_are_squads_on_english():
    for reply, reference in [*EN, ("The answer", "an answer."), ("a", "the"), ("don't", "dont")]:
        if reply:
            assert score(metric_named("token_f1"), turn(reply, reference)) == pytest.approx(
                _squad_f1(reply, reference)
            )
        given = score(metric_named("exact_match"), turn(reply, reference))
        assert given == float(_squad_words(reply) == _squad_words(reference))


def _squad_words(text):
    kept = "".join(char for char in text.lower() if char not in set(string.punctuation))
    return re.sub(r"\b(a|an|the)\b", " ", kept).split()


def _squad_f1(reply, reference):
    given, wanted = _squad_words(reply), _squad_words(reference)
    common = sum((Counter(given) & Counter(wanted)).values())
    if not given or not wanted:
        return float(given == wanted)
    if not common:
        return 0.0
    precision, recall = common / len(given), common / len(wanted)
    return 2 * precision * recall / (precision + recall)


def test_the_cascade_is_abcds():
    for correct in itertools.product([True, False], repeat=5):
        expected = 0.0
        for start in range(5):
            run = itertools.takewhile(bool, correct[start:])
            expected += len(list(run)) / (5 - start)
        assert cascading_score(correct) == pytest.approx(expected)


def test_bleu_and_chrf_score_many_sums_at_once():
    for name in ("bleu", "chrf"):
        metric = metric_named(name)
        tallies = np.stack([metric.tally([turn(*pair)]) for pair in EN])
        sums = np.stack([tallies.sum(axis=0), tallies[:3].sum(axis=0)])
        assert metric.value(sums).tolist() == [float(metric.value(one)) for one in sums]
