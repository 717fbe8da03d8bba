"""Intervals, p-values and gates on tallies whose answer is known."""

import math
from itertools import product
from statistics import NormalDist

import numpy as np
import pytest

from dialog.replay.gates import decide, parse, verdict_of
from dialog.replay.statistics import Draws, Sample, t_quantile


def ratio(sums):
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 0] / sums[..., 1]


def ids(num):
    return [f"c{number:04}" for number in range(num)]


def shares(*values):
    return np.array([(value, 1.0) for value in values], dtype=float)


def two_agents(num=300, *, drop=0.0, seed=1):
    chance = np.random.default_rng(seed)
    b = (chance.random(num) < 0.7).astype(float)
    a = np.where(chance.random(num) < drop / 0.7, 0.0, b)
    return Sample(Draws(ids(num)), shares(*a), shares(*b), ratio)


def test_a_difference_is_a_minus_b():
    sample = Sample(Draws(ids(4)), shares(1, 1, 1, 0), shares(1, 0, 0, 0), ratio)
    assert (sample.of_a().point, sample.of_b().point, sample.difference().point) == (0.75, 0.25, 0.5)


def test_the_interval_of_a_mean_is_students():
    chance = np.random.default_rng(3)
    values = chance.normal(5, 2, size=40)
    low, high = Sample(Draws(ids(40)), shares(*values), None, ratio).of_a().interval(0.95)
    half = 2.0227 * values.std(ddof=1) / math.sqrt(40)  # t of 39 degrees of freedom
    assert low == pytest.approx(values.mean() - half, abs=0.06)
    assert high == pytest.approx(values.mean() + half, abs=0.06)


@pytest.mark.parametrize(
    ("share", "freedom", "table"),
    [(0.975, 1, 12.706), (0.975, 2, 4.303), (0.975, 4, 2.776), (0.975, 30, 2.042), (0.995, 10, 3.169)],
)
def test_students_quantiles_are_those_of_the_tables(share, freedom, table):
    assert t_quantile(share, freedom) == pytest.approx(table, rel=2e-3)


def test_exchanging_agents_gives_the_exact_p_value():
    a, b = np.array([3.0, 1, 4, 1, 5, 9, 2]), np.array([2.0, 1, 1, 3, 2, 4, 2])
    sample = Sample(Draws(ids(7)), shares(*a), shares(*b), ratio)
    signs = np.array(list(product([1, -1], repeat=7)))
    exact = np.mean(np.abs(signs @ (a - b)) >= abs((a - b).sum()) - 1e-9)
    assert sample.p_value() == pytest.approx(exact, abs=0.02)


def test_equal_agents_never_differ():
    sample = Sample(Draws(ids(9)), shares(*[1, 0, 1] * 3), shares(*[1, 0, 1] * 3), ratio)
    assert sample.p_value() == 1.0
    assert sample.difference().interval(0.95) == (0.0, 0.0)


def test_interval_and_p_value_of_a_threshold_agree():
    difference = two_agents(drop=0.05).difference()
    _, high = difference.interval(0.90)
    assert difference.p_beyond(high - 0.004, below=True, or_at=False) > 0.05
    assert difference.p_beyond(high + 0.004, below=True, or_at=False) < 0.05


def test_an_effect_of_the_smallest_detectable_size_is_found_four_times_in_five():
    mde = two_agents().of_a().mde(0.95)
    se = math.sqrt(0.7 * 0.3 / 300)
    assert mde == pytest.approx((1.96 + NormalDist().inv_cdf(0.8)) * se, rel=0.08)


def test_numbers_depend_on_the_conversations_alone():
    first, second = two_agents(drop=0.1), two_agents(drop=0.1)
    assert first.difference().interval(0.95) == second.difference().interval(0.95)
    assert first.p_value() == second.p_value()


def test_conversations_that_say_nothing_leave_a_metric_na():
    nothing = Sample(Draws(ids(5)), np.zeros((5, 2)), np.zeros((5, 2)), ratio)
    assert math.isnan(nothing.of_a().point)
    assert math.isnan(nothing.p_value())
    assert all(math.isnan(end) for end in nothing.difference().interval(0.95))


def test_a_metric_of_two_conversations_among_many_has_no_interval():
    rows = np.zeros((50, 2))
    rows[:2] = [(1, 1), (0, 1)]
    sample = Sample(Draws(ids(50)), rows, None, ratio)
    assert (sample.num, sample.of_a().point) == (2, 0.5)
    assert not sample.of_a().is_known


def decided(expr, sample):
    estimates = {("success", False): sample.of_a(), ("success", True): sample.difference()}
    (decision,) = decide([parse(expr)], estimates)
    return decision.verdict


@pytest.mark.parametrize(
    ("expr", "verdict"),
    [
        ("success<-0@95", "fail"),
        ("success<-0.02@95", "fail"),
        ("success<-0.1@95", "inconclusive"),
        ("success<-0.3@95", "pass"),
        ("success<0.3@95", "pass"),
        ("success<0.9@95", "fail"),
        ("success<0.9", "fail"),
        ("success>=0.5", "fail"),
        ("success>0.99", "pass"),
    ],
)
def test_a_gate_fails_passes_or_cannot_tell(expr, verdict):
    assert decided(expr, two_agents(drop=0.1)) == verdict


def test_few_conversations_cannot_decide_however_alike_they_are():
    few = Sample(Draws(ids(4)), shares(0, 0, 0, 0), shares(1, 1, 1, 1), ratio)
    many = Sample(Draws(ids(12)), shares(*[0] * 12), shares(*[1] * 12), ratio)
    assert decided("success<-0.02@95", few) == "inconclusive"
    assert decided("success<-0.02@95", many) == "fail"


def test_gates_that_gate_together_are_corrected_together():
    sample = two_agents(drop=0.01, seed=5)
    estimates = {("success", False): sample.of_a(), ("success", True): sample.difference()}
    for number in range(19):
        estimates[f"other{number}", True] = two_agents(seed=number + 10).difference()
    alone = decide([parse("success<-0@95")], estimates)
    gates = [parse("success<-0@95"), *(parse(f"other{number}<-0@95") for number in range(19))]
    assert alone[0].verdict == "fail"
    assert decide(gates, estimates)[0].verdict == "inconclusive"


def test_one_failed_gate_fails_all_and_an_undecided_one_leaves_all_undecided():
    sample = two_agents(drop=0.1)
    estimates = {("success", False): sample.of_a(), ("success", True): sample.difference()}

    def verdict(*exprs):
        return verdict_of(decide([parse(expr) for expr in exprs], estimates))

    assert verdict("success<-0.3@95") == "pass"
    assert verdict("success<-0.3@95", "success<-0.1@95") == "inconclusive"
    assert verdict("success<-0.1@95", "success<-0@95") == "fail"
    assert verdict("unknown<0.5") == "inconclusive"
    assert verdict() == "pass"


@pytest.mark.parametrize(
    ("expr", "metric", "operator", "threshold", "is_difference", "level"),
    [
        ("success<-0.02@95", "success", "<", -0.02, True, 0.95),
        ("p95_ms>800", "p95_ms", ">", 800.0, False, None),
        (" recall@5 <= 0.4 @ 99.5 ", "recall@5", "<=", 0.4, False, 0.995),
        ("pass^4<-0", "pass^4", "<", 0.0, True, None),
        ("p95_ms>=+.5@90", "p95_ms", ">=", 0.5, True, 0.9),
    ],
)
def test_expressions_are_read(expr, metric, operator, threshold, is_difference, level):
    gate = parse(expr)
    assert (gate.metric, gate.operator, gate.threshold) == (metric, operator, threshold)
    assert (gate.is_difference, gate.level) == (is_difference, level)


@pytest.mark.parametrize(
    ("expr", "told"),
    [
        ("success", "is no gate"),
        ("success=0.5", "is no gate"),
        ("<0.5", "is no gate"),
        ("success<", "is no gate"),
        ("success<2%", "'2%' is no number"),
        ("success<nan", "'nan' is no number"),
        ("success<1e9", "'1e9' is no number"),
        ("success<0.5@5", "between 50 and 100"),
        ("success<0.5@100", "between 50 and 100"),
        ("success<0.5@nan", "between 50 and 100"),
    ],
)
def test_what_is_no_expression_is_told_with_an_example(expr, told):
    with pytest.raises(ValueError, match="success") as caught:
        parse(expr)
    assert told in str(caught.value)
