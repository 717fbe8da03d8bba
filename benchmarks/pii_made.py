"""Made sentences with personal data and decoys, zh and en: numbers drawn by seed, checksums right or wrong.

Two parts with other sentences and other seeds: rules may be mended after
reading what fails on `tune`; `report` is for reporting only. Every value is
random; prefixes are those of real numbering plans, since that is what is to be found.

    for sentence in made("zh", part="tune", num=100):
        print(sentence.text, sentence.spans, sentence.decoys)
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

Part = Literal["tune", "report"]
Made = Callable[[random.Random], str]


@dataclass(frozen=True)
class Sentence:
    """A text, the spans to be found by kind, and those of decoys that must stay."""

    text: str
    spans: tuple[tuple[str, int, int], ...]
    decoys: tuple[tuple[str, int, int], ...]


def made(language: str, *, part: Part, num: int) -> Iterator[Sentence]:
    """`num` sentences; the same for the same arguments."""
    draw = random.Random(f"pii-{language}-{part}")
    for number in range(num):
        template = TEMPLATES[language][part][number % len(TEMPLATES[language][part])]
        yield filled(template, draw, language)


def digits(draw: random.Random, num: int) -> str:
    return "".join(draw.choice("0123456789") for _ in range(num))


def luhn(body: str) -> str:
    """`body` with its check digit."""
    total = 0
    for place, character in enumerate(reversed(body)):
        value = int(character) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return body + str(-total % 10)


def resident_id(draw: random.Random) -> str:
    area = draw.choice(("110105", "310104", "440305", "330106", "510107", "420111", "610113", "320505"))
    birth = f"{draw.randint(1940, 2015)}{draw.randint(1, 12):02d}{draw.randint(1, 28):02d}"
    body = area + birth + digits(draw, 3)
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]


def wrong_resident_id(draw: random.Random) -> str:
    right = resident_id(draw)
    return right[:17] + draw.choice([c for c in "0123456789" if c != right[17]])


def card(draw: random.Random) -> str:
    prefix, size = draw.choice(
        (("622202", 19), ("621700", 19), ("625903", 16), ("4367", 16), ("5264", 16), ("622848", 19))
    )
    return luhn(prefix + digits(draw, size - len(prefix) - 1))


def grouped_card(draw: random.Random) -> str:
    number, by = card(draw), draw.choice((" ", "-"))
    return by.join(number[place : place + 4] for place in range(0, len(number), 4))


def wrong_card(draw: random.Random) -> str:
    right = card(draw)
    return right[:-1] + str((int(right[-1]) + draw.randint(1, 9)) % 10)


def iban(draw: random.Random) -> str:
    country, body = draw.choice(
        (("DE", digits(draw, 18)), ("GB", "WEST" + digits(draw, 14)), ("FR", digits(draw, 23)))
    )
    number = "".join(str(int(c, 36)) for c in body + country + "00")
    whole = f"{country}{98 - int(number) % 97:02d}{body}"
    return whole if draw.random() < 0.5 else " ".join(whole[i : i + 4] for i in range(0, len(whole), 4))


def mobile(draw: random.Random) -> str:
    number = draw.choice(("130", "138", "139", "150", "159", "166", "177", "186", "189", "199")) + digits(
        draw, 8
    )
    form = draw.randint(0, 5)
    spaced = (f"{number[:3]} {number[3:7]} {number[7:]}", f"{number[:3]}-{number[3:7]}-{number[7:]}")
    return (number, number, *spaced, f"+86 {number}", number.translate(FULL_WIDTH))[form]


def landline(draw: random.Random) -> str:
    area, size = draw.choice((("010", 8), ("021", 8), ("0755", 8), ("0571", 8), ("0931", 7)))
    local = draw.choice("2345678") + digits(draw, size - 1)
    return draw.choice(
        (f"{area}-{local}", f"({area}){local}", f"{area} {local}", f"{area}-{local}转{digits(draw, 3)}")
    )


def american(draw: random.Random) -> str:
    area, rest = draw.choice(("212", "415", "617", "312", "206")), f"{draw.randint(200, 999)}"
    last = digits(draw, 4)
    return draw.choice(
        (
            f"({area}) {rest}-{last}",
            f"{area}-{rest}-{last}",
            f"+1 {area} {rest} {last}",
            f"{area}.{rest}.{last}",
        )
    )


def british(draw: random.Random) -> str:
    return draw.choice(
        (
            f"07{draw.choice('45789')}{digits(draw, 2)} {digits(draw, 6)}",
            f"+44 20 7{digits(draw, 3)} {digits(draw, 4)}",
        )
    )


def email(draw: random.Random) -> str:
    user = draw.choice(("li.wei", "zhang_san", "amy", "j.doe+shop", "xiaoming88", digits(draw, 9)))
    return f"{user}@{draw.choice(('163.com', 'qq.com', 'gmail.com', 'mail.example.co.uk', 'corp-mail.cn'))}"


def passport(draw: random.Random) -> str:
    return draw.choice(
        (
            f"E{digits(draw, 8)}",
            f"E{draw.choice('ABCDEFGHJK')}{digits(draw, 7)}",
            f"G{draw.choice('3456')}{digits(draw, 7)}",
        )
    )


def ip(draw: random.Random) -> str:
    if draw.random() < 0.2:
        return "2001:" + ":".join(f"{draw.randint(4096, 65535):x}" for _ in range(7))
    return ".".join(str(draw.randint(11, 120)) for _ in range(4))


def plate(draw: random.Random) -> str:
    letters = "ABCDEFGHJKLMNPQRSTUVWXYZ"
    head = draw.choice("京沪粤浙苏川鄂闽") + draw.choice("ABCDEF")
    return head + draw.choice(
        (
            draw.choice(letters) + digits(draw, 4),
            digits(draw, 5),
            "D" + digits(draw, 5),
            "·" + digits(draw, 5),
        )
    )


def british_plate(draw: random.Random) -> str:
    letters = "ABCDEFGHJKLMNPRSTUVWXY"
    return (
        "".join(draw.choice(letters) for _ in range(2))
        + digits(draw, 2)
        + " "
        + "".join(draw.choice(letters) for _ in range(3))
    )


def url(draw: random.Random) -> str:
    return draw.choice(
        (
            f"https://weibo.com/u/{digits(draw, 10)}",
            f"https://shop.example.com/pay?user={digits(draw, 6)}&token=ab{digits(draw, 6)}",
            f"https://www.linkedin.com/in/amy-{digits(draw, 4)}",
            f"http://example.net/reset?email=amy{digits(draw, 3)}%40qq.com",
        )
    )


def chinese_name(draw: random.Random) -> str:
    return draw.choice("王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗") + draw.choice(
        ("伟", "芳", "秀英", "建国", "子涵", "小明", "志强", "婷婷", "宇轩", "丽")
    )


def english_name(draw: random.Random) -> str:
    given = (
        "James",
        "Mary",
        "Robert",
        "Linda",
        "Oliver",
        "Priya",
        "Sofia",
        "Daniel",
        "Emma",
        "Ahmed",
        "Yuki",
        "Olga",
    )
    family = ("Smith", "Jones", "Patel", "Garcia", "Novak", "Fischer", "Brown", "O’Brien")
    return f"{draw.choice(given)} {draw.choice(family)}"


def chinese_address(draw: random.Random) -> str:
    city = draw.choice(
        ("浙江省杭州市西湖区", "北京市朝阳区", "广东省深圳市南山区", "上海市浦东新区", "成都市武侯区", "")
    )
    place = draw.choice(("文三路", "建国门外大街", "科技园南路", "世纪大道", "人民南路"))
    end = draw.choice(
        (
            "",
            f"{draw.randint(1, 20)}栋{draw.randint(101, 2999)}室",
            f"阳光花园{draw.randint(1, 9)}幢{draw.randint(1, 4)}单元{draw.randint(101, 909)}",
        )
    )
    return f"{city}{place}{draw.randint(1, 999)}号{end}"


def english_address(draw: random.Random) -> str:
    street = draw.choice(
        ("Main Street", "Oak Ave", "Maple Drive", "Church Road", "North Lake Blvd", "Elm St")
    )
    end = draw.choice(("", f", Apt {draw.randint(1, 99)}", f", Springfield, IL {digits(draw, 5)}"))
    return f"{draw.randint(1, 9999)} {street}{end}"


FULL_WIDTH = {ord("0") + value: chr(0xFF10 + value) for value in range(10)}
ZH: dict[str, Made] = {
    "PHONE:mobile": mobile,
    "PHONE:landline": landline,
    "ID": resident_id,
    "CARD": card,
    "CARD:grouped": grouped_card,
    "CARD:full-width": lambda draw: card(draw).translate(FULL_WIDTH),
    "EMAIL": email,
    "IBAN": iban,
    "PASSPORT": passport,
    "IP": ip,
    "PLATE": plate,
    "URL": url,
    "NAME": chinese_name,
    "ADDRESS": chinese_address,
}
EN: dict[str, Made] = ZH | {
    "PHONE:us": american,
    "PHONE:gb": british,
    "PLATE": british_plate,
    "NAME": english_name,
    "ADDRESS": english_address,
}
DECOYS: dict[str, Made] = {
    "order": lambda draw: digits(draw, draw.choice((10, 12, 15, 16, 18, 19, 20))),
    "dated": lambda draw: (
        f"20{draw.randint(20, 26)}{draw.randint(1, 12):02d}{draw.randint(1, 28):02d}{digits(draw, 10)}"
    ),
    "parcel": lambda draw: draw.choice(("SF", "YT", "JD", "1Z")) + digits(draw, 13),
    "wrong-card": wrong_card,
    "wrong-id": wrong_resident_id,
    "mobile-like": lambda draw: "1" + draw.choice("3579") + digits(draw, 9),
    "amount": lambda draw: f"{draw.randint(1, 99999)}.{digits(draw, 2)}",
    "date": lambda draw: f"20{draw.randint(20, 26)}-{draw.randint(1, 12):02d}-{draw.randint(1, 28):02d}",
    "time": lambda draw: f"{draw.randint(0, 23):02d}:{draw.randint(0, 59):02d}:{draw.randint(0, 59):02d}",
    "service": lambda draw: f"400-{digits(draw, 3)}-{digits(draw, 4)}",
    "version": lambda draw: f"{draw.randint(1, 9)}.{draw.randint(0, 20)}.{draw.randint(0, 20)}",
    "model": lambda draw: draw.choice(("XZ-", "KD", "AB-C")) + digits(draw, draw.choice((4, 6))),
    "page": lambda draw: f"https://shop.example.com/p/{digits(draw, 8)}?ref=home",
    "code": lambda draw: digits(draw, 6),
}
TEMPLATES: dict[str, dict[Part, tuple[str, ...]]] = {
    "zh": {
        "tune": (
            "你好，我的手机号是{PHONE:mobile}，麻烦回电。",
            "订单号{-order}到现在还没有发货，请查一下",
            "我身份证{ID}你们核对一下",
            "打我座机{PHONE:landline}就行",
            "退款退到{CARD}这张卡里",
            "卡号：{CARD:grouped}，户名：{NAME}",
            "银行卡{CARD:full-width}绑定不上",
            "发到邮箱{EMAIL}谢谢",
            "我叫{NAME}，住在{ADDRESS}",
            "{NAME}先生您好，您的快递单号{-parcel}已签收",
            "护照号{PASSPORT}填错了",
            "登录IP{IP}不是我",
            "来源：{IP}，请拉黑",
            "车牌{PLATE}进不了停车场",
            "我的主页{URL}打不开",
            "IBAN是{IBAN}对吗",
            "付了{-amount}元，{-date}下的单",
            "编号{-wrong-card}的商品什么时候到",
            "流水号{-wrong-id}查不到",
            "客服热线{-service}打不通",
            "订单编号：{-mobile-like}，退货",
            "固件版本{-version}，型号{-model}",
            "商品页面{-page}显示{-time}开抢，验证码是{-code}",
            "交易号{-dated}重复扣款",
        ),
        "report": (
            "有事打{PHONE:mobile}找我",
            "对方留的是{PHONE:mobile}，一直关机",
            "请拨{PHONE:landline}确认下",
            "身份证号码是{ID}，请查收",
            "上传证件{ID}提示失败",
            "我刚从{CARD}转了账",
            "请解绑{CARD:grouped}这张",
            "储蓄卡{CARD:full-width}被锁了",
            "先用{CARD}不行，再用{CARD:grouped}成功了",
            "联系邮箱：{EMAIL}，备用{EMAIL}",
            "收款账户{IBAN}",
            "护照{PASSPORT}下个月到期",
            "异地登录：{IP}",
            "车主{PLATE}，预约保养",
            "主页在{URL}可以看到",
            "联系人：{NAME}，手机：{PHONE:mobile}，收货地址：{ADDRESS}",
            "帮我寄到{ADDRESS}，{NAME}先生签收",
            "持卡人{NAME}，预留手机{PHONE:mobile}",
            "订单{-order}可以取消吗",
            "支付流水：{-dated}重复了",
            "快递{-parcel}两天没更新",
            "批次{-wrong-card}的货有问题",
            "合同编号{-wrong-id}续签",
            "投诉单号{-mobile-like}什么时候回复",
            "退款{-amount}元，{-date}申请，{-time}到账",
            "{-service}是你们的电话吗",
            "系统{-version}上的{-model}闪退",
            "活动页{-page}打不开，输{-code}没反应",
        ),
    },
    "en": {
        "tune": (
            "Hi, my number is {PHONE:us}, please call back.",
            "Order {-order} has not shipped yet",
            "you can ring me on {PHONE:gb} after six",
            "My card {CARD} was charged twice",
            "card no. {CARD:grouped} in the name of {NAME}",
            "Please email {EMAIL} about it",
            "My name is {NAME} and I live at {ADDRESS}",
            "Dear Mr {NAME}, your parcel {-parcel} was delivered",
            "passport number {PASSPORT}",
            "someone logged in from {IP}",
            "number plate {PLATE} is not recognised",
            "my profile {URL} is gone",
            "Send it to IBAN {IBAN} please",
            "I paid ${-amount} on {-date} at {-time}",
            "item {-wrong-card} is out of stock",
            "reference number: {-wrong-id}",
            "firmware version {-version}, model {-model}",
            "the page {-page} wants the code {-code}",
            "Chinese mobile {PHONE:mobile} does not get the text",
            "resident id {ID} was rejected",
            "ticket #{-mobile-like} is still open",
        ),
        "report": (
            "You can get hold of me at {PHONE:us} all day",
            "My mobile is {PHONE:gb} if needed.",
            "Both {PHONE:us} and {PHONE:gb} are mine",
            "it took the money from {CARD}, not from {CARD:grouped}",
            "remove {CARD:grouped} from my wallet",
            "the receipt should go to {EMAIL}",
            "wire it to {IBAN} this week",
            "my new passport is {PASSPORT}",
            "the firewall stopped {IP}",
            "I drive {PLATE}, is it insured?",
            "my page is {URL} by the way",
            "Recipient: {NAME}\nShipping address: {ADDRESS}\nMobile: {PHONE:us}",
            "Kind regards,\n{NAME}",
            "the courier went to {ADDRESS} by mistake",
            "This is {NAME}, I want to cancel order {-order}",
            "the parcel {-parcel} is stuck",
            "confirmation number {-wrong-card} not found",
            "my transaction {-wrong-id} was declined",
            "support ticket {-mobile-like} has no answer",
            "you billed {-amount} on {-date}",
            "version {-version} broke my {-model}",
            "at {-time} the site {-page} rejected {-code}",
            "for China use {PHONE:mobile}, national id {ID}",
            "purchase order {-dated} is missing",
        ),
    },
}


def filled(template: str, draw: random.Random, language: str) -> Sentence:
    """A sentence with a value drawn for each slot; `{-slot}` is a decoy."""
    text, spans, decoys = "", [], []
    for piece in template.split("{"):
        slot, closed, rest = piece.partition("}")
        if not closed:
            text += slot
            continue
        values = DECOYS if slot.startswith("-") else ZH if language == "zh" else EN
        value = values[slot.removeprefix("-")](draw)
        place = (slot.removeprefix("-").split(":")[0], len(text), len(text) + len(value))
        (decoys if slot.startswith("-") else spans).append(place)
        text += value + rest
    return Sentence(text, tuple(spans), tuple(decoys))
