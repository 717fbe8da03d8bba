"""The comparison of facts: what is the same in two notations, what conflicts, and what it costs."""

import datetime
import gc
import time

import pytest

from dialog.metrics.facts import MAX_CHARS, compare, conflicts, extract


def kinds(reply, reference):
    return [conflict.kind for conflict in compare(reply, reference).conflicts]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("10,000 points", "1万积分"),
        ("10000积分", "一万积分"),
        ("壹万积分", "１０，０００ points"),
        ("1.2万元", "¥12,000"),
        ("¥199", "199元"),
        ("199.00 RMB", "￥199"),
        ("一百九十九元", "199块钱"),
        ("99元9角", "99.9元"),
        ("$1.50", "150 cents"),
        ("$1.2 million", "1,200,000 dollars"),
        ("100-150元", "100元到150元"),
        ("3月5日", "March 5"),
        ("2024-03-05", "3月5号"),
        ("2024年3月5日", "5 March 2024"),
        ("二〇二四年三月五日", "2024/3/5"),
        ("05/03/2024", "5 March 2024"),
        ("05/03/2024", "May 3, 2024"),
        ("3月5日至7日", "March 5 to 7"),
        ("周日", "Sunday"),
        ("明天", "tomorrow"),
        ("下午两点半", "14:30"),
        ("2:30 pm", "14:30"),
        ("中午12点", "noon"),
        ("9:00-18:00", "9am-6pm"),
        ("百分之五", "5%"),
        ("85折", "八五折"),
        ("24小时内", "within 1 day"),
        ("两周", "14 days"),
        ("一年", "12个月"),
        ("半小时", "30 minutes"),
        ("一个半小时", "90分钟"),
        ("三个工作日", "3 business days"),
        ("3-5天", "3到5天"),
        ("a 7-day window", "seven days"),
        ("twenty-one days", "21天"),
        ("KH-20481", "ＫＨ－２０４８１"),
        ("order 20481", "KH-20481"),
        ("+86 138-0013-8000", "13800138000"),
        ("5公斤", "5000 g"),
    ],
)
def test_one_value_in_two_notations(first, second):
    found, expected = extract(first), extract(second)
    assert len(found) == len(expected) > 0
    assert all(one.same(other) for one, other in zip(found, expected, strict=True))
    assert kinds(first, second) == []


@pytest.mark.parametrize(
    ("reply", "reference", "kind"),
    [
        ("退款199元", "退款1990元", "money"),
        ("The fee is $19.90.", "The fee is $199.", "money"),
        ("The fee is $199.", "The fee is ¥199.", "money"),
        ("订单20482已发货", "订单20481已发货", "identifier"),
        ("Call 400-820-8821.", "Call 400-820-8820.", "identifier"),
        ("Your code is AB-1029-X.", "Your code is AB-1028-X.", "identifier"),
        ("3月6日送达", "3月5日送达", "date"),
        ("It arrives on 6 March.", "It arrives on March 5.", "date"),
        ("The deadline is 06/03/2024.", "The deadline is March 5, 2024.", "date"),
        ("门店9点开门", "门店10点开门", "date"),
        ("We open at 2:30 am.", "We open at 2:30 pm.", "date"),
        ("周二上门取件", "周一上门取件", "date"),
        ("It arrives tomorrow.", "It arrives today.", "date"),
        ("30天内可以退货", "7天内可以退货", "number"),
        ("Returns take 10 days.", "Returns take ten hours.", "number"),
        ("The discount is 15%.", "The discount is 50%.", "number"),
        ("八折优惠", "九折优惠", "number"),
        ("3-7天到货", "3-5天到货", "number"),
        ("十万积分", "1万积分", "number"),
    ],
)
def test_another_value_is_a_conflict_of_its_kind(reply, reference, kind):
    assert kinds(reply, reference) == [kind]
    assert kinds(reference, reply) == [kind]


def test_a_conflict_names_both_values_and_where_they_stand():
    reply, reference = "您好！退款金额是¥1,990。", "退款金额是199元。"
    (found,) = conflicts(reply, reference)
    assert (found.given, found.wanted) == ("¥1,990", "199元")
    assert reply[found.start : found.end] == "¥1,990"
    assert reference[found.wanted_start : found.wanted_end] == "199元"
    assert found.detail == "says '¥1,990', the reference '199元'"


@pytest.mark.parametrize(
    ("reply", "reference"),
    [
        ("You can return it.", "You can return it within 7 days."),
        ("可以退货，运费12元。", "可以退货。"),
        ("运费12元，7天内可以退货。", "7天内可以退货。"),
        ("There are 3 stores in Berlin.", "You have 7 days to return it."),
        ("The date is 05/03.", "The date is 3 May."),
    ],
)
def test_what_is_left_out_added_or_ambiguous_is_no_conflict(reply, reference):
    assert kinds(reply, reference) == []


@pytest.mark.parametrize(
    ("denied", "affirmed"),
    [
        ("不可以退货", "可以退货"),
        ("本店不支持退货。", "本店支持退货。"),
        ("礼品卡禁止退货。", "礼品卡可以退货。"),
        ("包裹还没到。", "包裹已经到了。"),
        ("没问题，但礼品卡不能退货。", "没问题，礼品卡能退货。"),
        ("不可以。", "可以的。"),
        ("You cannot return it.", "You can return it."),
        ("You can’t.", "You can."),
        ("The item isn't in stock.", "The item is in stock."),
        ("Gift cards cannot be returned without a receipt.", "Gift cards can be returned without a receipt."),
        ("The ticket is non-refundable.", "The ticket is refundable."),
    ],
)
def test_turned_polarity_is_a_conflict_both_ways(denied, affirmed):
    assert kinds(denied, affirmed) == ["negation"]
    assert kinds(affirmed, denied) == ["negation"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("没问题，可以退货。", "可以退货。"),
        ("不仅可以退货，还可以换货。", "可以退货，也可以换货。"),
        ("不过可以退货。", "可以退货。"),
        ("能不能退货？可以退货。", "可以退货。"),
        ("请不要担心，我们会退款。", "我们会退款，请放心。"),
        ("礼品卡不能退货。", "礼品卡不支持退货。"),
        ("未开封商品可以退货。", "没有开封的商品可以退货。"),
        ("不得不说这款手机很好。", "这款手机很好。"),
        ("您不用支付运费。", "运费无需您支付。"),
        ("No problem, you can return it.", "You can return it."),
        ("Don't hesitate to contact us.", "Feel free to contact us."),
        ("You can return it if it is unopened.", "If it isn't opened, you can return it."),
        ("It won't take longer than 3 days.", "It takes 3 days at most."),
        ("Other items can be returned.", "Gift cards cannot be returned."),
        ("We do not charge a fee.", "There is no fee."),
    ],
)
def test_words_that_look_like_a_denial_are_no_conflict(first, second):
    assert kinds(first, second) == []
    assert kinds(second, first) == []


@pytest.mark.parametrize(
    "text",
    [
        "一下一起一定一直万一一般统一第一千万别十分满意一点一切一律",
        "请问您一个问题",
        "he is one of our best agents",
        "1. first\n2. second",
        "24/7 service, covid-19",
        "三星手机",
    ],
)
def test_what_looks_like_a_number_and_counts_nothing(text):
    assert [fact for fact in extract(text) if fact.kind != "identifier"] == []


def test_a_relative_day_is_compared_with_a_date_where_today_is_known():
    today = datetime.date(2026, 3, 4)
    assert compare("明天送达", "3月5日送达", today=today).conflicts == ()
    assert [c.kind for c in compare("明天送达", "3月6日送达", today=today).conflicts] == ["date"]
    assert compare("明天送达", "3月6日送达").conflicts == ()


def test_a_text_that_is_too_long_is_refused_with_the_reason():
    assert "10000000 characters" in compare("1" * 10_000_000, "x").refused
    assert "more than 200" in compare("共3天。" * 400, "共4天。").refused


BAIT = "1|1-|1 |1,|1.|3月|一百|¥|no |不|a1-|one and |http://|a@|#|(12)|不好,|3天,|订单1234567,|1:23 |not a"


@pytest.mark.parametrize("bait", BAIT.split("|"))
def test_bait_takes_less_than_a_second(bait):
    text = (bait * MAX_CHARS)[:MAX_CHARS]
    gc.disable()  # else the objects of all tests before are gone through again and again
    try:
        before = time.process_time()
        compare(text, text[::-1])
        assert time.process_time() - before < 1.0
    finally:
        gc.enable()
