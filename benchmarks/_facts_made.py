"""A made set of replies and references, Chinese and English, with defects planted into them.

Each template is a reference and a paraphrase of it; slots are filled with
values, written another way in the paraphrase. `harmless` pairs state the same
facts, `planted` pairs differ in exactly one of them.
"""

from __future__ import annotations

import datetime
import random
from collections.abc import Iterator
from dataclasses import dataclass

ZH = [
    ("您的订单{order}预计{date}送达。", "订单{order}会在{date}送到您手上。"),
    ("订单{order}已退款{money}。", "我们已为订单{order}办理退款，金额{money}。"),
    ("退货运费为{money}，由您承担。", "您需要承担{money}的退货运费。"),
    ("大部分商品可在{n}天内退货。", "商品签收后{n}天内都可以退货。"),
    ("您的会员将于{date}到期。", "会员到期时间是{date}。"),
    ("这款耳机售价{money}，库存{n}件。", "该耳机价格{money}，目前库存{n}件。"),
    ("维修一般需要{n}个工作日。", "一般维修需要{n}个工作日完成。"),
    ("快递将在{date}由顺丰派送，单号{order}。", "{date}顺丰会派送您的快递，单号是{order}。"),
    ("发票已于{date}开具，金额{money}。", "{money}的发票在{date}已经开好。"),
    ("保修期为{n}年。", "我们提供{n}年保修期。"),
    ("您有{n}次免费洗车机会，有效期至{date}。", "免费洗车机会还剩{n}次，{date}前有效。"),
    ("满{money}可免运费。", "消费满{money}即可免运费。"),
    ("请在{n}小时内完成付款。", "付款须在{n}小时内完成，请您留意。"),
    ("酒店入住日期是{date}，共{n}晚，总价{money}。", "您{date}入住酒店，一共{n}晚，总价是{money}。"),
    ("您的工单{order}已升级，{n}小时内回复。", "工单{order}升级完毕，我们{n}小时内回复您。"),
    ("押金{money}将原路退回。", "我们会把押金{money}原路退回给您。"),
    ("门店{date}恢复营业。", "恢复营业的时间是{date}，门店届时开放。"),
    ("积分可抵扣{money}。", "您的积分能抵扣{money}。"),
    ("电池续航约{n}小时。", "这块电池的续航大约有{n}小时。"),
    ("退款将在{n}个工作日到账，金额{money}。", "金额{money}的退款会在{n}个工作日到账。"),
]
EN = [
    ("Your order {order} will arrive on {date}.", "Order {order} should arrive on {date}, as planned."),
    ("We refunded {money} for order {order}.", "A refund of {money} was issued for your order {order}."),
    ("A return label costs {money}.", "The cost of a return label is {money}."),
    ("You can return most items within {n} days.", "Most items may be returned within {n} days of delivery."),
    ("Your membership expires on {date}.", "Please note that the membership expires on {date}."),
    (
        "The headphones cost {money} and we have {n} pieces in stock.",
        "In stock: {n} pieces of the headphones, which cost {money}.",
    ),
    ("Repairs take {n} business days.", "A repair usually takes {n} business days."),
    ("Your parcel {order} was shipped on {date}.", "We shipped parcel {order} on {date}."),
    ("The invoice for {money} was issued on {date}.", "On {date} we issued the invoice for {money}."),
    ("The warranty lasts {n} years.", "There is a warranty of {n} years."),
    ("You have {n} free washes until {date}.", "Your {n} free washes are valid until {date}."),
    ("Shipping is free for orders over {money}.", "Orders over {money} get free shipping."),
    ("Please pay within {n} hours.", "Payment has to be made within {n} hours, please pay soon."),
    (
        "You check in on {date} for {n} nights; the total is {money}.",
        "Check in is {date}, {n} nights, with a total of {money}.",
    ),
    (
        "Ticket {order} was escalated; we reply within {n} hours.",
        "We escalated ticket {order} and will reply within {n} hours.",
    ),
    ("Your deposit of {money} will be returned.", "We will return the {money} deposit to you."),
    ("The shop reopens on {date}.", "On {date}, the shop reopens its doors."),
    ("Your points are worth {money}.", "The points you have are worth {money}."),
    ("The battery lasts {n} hours.", "It has a battery that lasts for {n} hours."),
    ("The refund of {money} takes {n} business days.", "It takes {n} business days to refund {money}."),
]
FLIPS = [
    ("礼品卡可以退货。", "礼品卡是可以退货的。", "礼品卡不可以退货。"),
    (
        "这款商品支持七天无理由退货。",
        "这款商品是支持七天无理由退货的，您放心。",
        "这款商品不支持七天无理由退货。",
    ),
    ("您的订单已经发货。", "订单已发货，请您耐心等待。", "您的订单还没有发货。"),
    ("门店周末营业。", "我们的门店周末照常营业。", "门店周末不营业。"),
    ("该券可以与其他优惠同时使用。", "没问题，该券可以与其他优惠同时使用。", "该券不能与其他优惠同时使用。"),
    ("海外地址可以配送。", "海外地址不仅可以配送，还能查询进度。", "海外地址无法配送。"),
    ("退款会收取手续费。", "退款会收取一定的手续费。", "退款不收取手续费。"),
    ("这台电脑含有显卡。", "不过这台电脑是含有显卡的。", "这台电脑不含有显卡。"),
    ("酒店允许携带宠物。", "宠物可以携带，酒店是允许的。", "酒店不允许携带宠物。"),
    ("您需要提供身份证。", "请您提供身份证。", "您不需要提供身份证。"),
    ("Gift cards can be returned.", "Yes, gift cards can be returned.", "Gift cards cannot be returned."),
    (
        "Your order has been shipped.",
        "Good news: your order has been shipped already.",
        "Your order has not been shipped.",
    ),
    ("The shop is open on Sundays.", "On Sundays the shop is open.", "The shop is not open on Sundays."),
    (
        "The coupon can be combined with other offers.",
        "No problem, the coupon can be combined with other offers.",
        "The coupon can't be combined with other offers.",
    ),
    (
        "We deliver to Canada.",
        "We not only deliver to Canada, but to Mexico, too.",
        "We don't deliver to Canada.",
    ),
    ("A refund fee is charged.", "There is a refund fee that is charged.", "No refund fee is charged."),
    ("The hotel allows pets.", "The hotel allows pets, no doubt about it.", "The hotel doesn't allow pets."),
    ("This ticket is refundable.", "This ticket is fully refundable.", "This ticket is non-refundable."),
    (
        "You need to bring your passport.",
        "Don't forget: you need to bring your passport.",
        "You do not need to bring your passport.",
    ),
    ("The item is available in blue.", "In blue, the item is available.", "The item is unavailable in blue."),
]
NUMBERS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"]


@dataclass(frozen=True)
class Pair:
    """A reply and its reference; `kind` is that of the planted defect, None if there is none."""

    reply: str
    reference: str
    language: str
    kind: str | None = None


@dataclass(frozen=True)
class Values:
    order: str
    money: int
    date: datetime.date
    n: int

    def changed(self, slot: str) -> Values:
        """The same with the one value replaced as the defect says."""
        match slot:
            case "order":
                return Values(
                    self.order[:-1] + str((int(self.order[-1]) + 1) % 10), self.money, self.date, self.n
                )
            case "money":
                return Values(self.order, self.money * 10, self.date, self.n)
            case "date":
                return Values(self.order, self.money, self.date + datetime.timedelta(days=1), self.n)
        return Values(self.order, self.money, self.date, self.n + 2)


KINDS = {"order": "identifier", "money": "money", "date": "date", "n": "number"}


def harmless(seed: int) -> Iterator[Pair]:
    """Paraphrases: no fact differs."""
    for language, template, values in filled(seed):
        yield Pair(
            written(template[1], values, language, 1), written(template[0], values, language, 0), language
        )
    for language, affirmed, paraphrase, _ in flips():
        yield Pair(paraphrase, affirmed, language)


def planted(seed: int, *, paraphrased: bool) -> Iterator[Pair]:
    """One defect a pair, in the reference's own words or in those of the paraphrase."""
    for language, template, values in filled(seed):
        for slot, kind in KINDS.items():
            if f"{{{slot}}}" in template[0]:
                said = written(template[paraphrased], values.changed(slot), language, int(paraphrased))
                yield Pair(said, written(template[0], values, language, 0), language, kind)
    for language, affirmed, paraphrase, denied in flips():
        yield Pair(denied, paraphrase if paraphrased else affirmed, language, "negation")


def filled(seed: int) -> Iterator[tuple[str, tuple[str, str], Values]]:
    chance = random.Random(seed)
    for language, templates in (("zh", ZH), ("en", EN)):
        for template in templates:
            day = datetime.date(2026, 1, 1) + datetime.timedelta(days=chance.randrange(360))
            yield (
                language,
                template,
                Values(
                    f"KH-{chance.randrange(10_000, 99_999)}",
                    chance.randrange(12, 2000),
                    day,
                    chance.randrange(2, 9),
                ),
            )


def flips() -> Iterator[tuple[str, str, str, str]]:
    for affirmed, paraphrase, denied in FLIPS:
        yield ("en" if affirmed.isascii() else "zh"), affirmed, paraphrase, denied


def written(template: str, values: Values, language: str, style: int) -> str:
    """Style 0 and 1 write the same values in different notations."""
    month, day = values.date.month, values.date.day
    name = values.date.strftime("%B")
    date = {
        ("zh", 0): f"{month}月{day}日",
        ("zh", 1): values.date.isoformat(),
        ("en", 0): f"{name} {day}",
        ("en", 1): f"{day} {name[:3]} 2026",
    }[language, style]
    money = {
        ("zh", 0): f"¥{values.money}",
        ("zh", 1): f"{values.money:,}.00元",
        ("en", 0): f"${values.money}",
        ("en", 1): f"{values.money:,} dollars",
    }[language, style]
    n = {
        ("zh", 0): str(values.n),
        ("zh", 1): "零一两三四五六七八九十"[values.n],
        ("en", 0): str(values.n),
        ("en", 1): NUMBERS[values.n],
    }[language, style]
    order = values.order if style == 0 else values.order.replace("-", "")
    return template.format(order=order, money=money, date=date, n=n)
