"""Made support logs of any size, zh and en, with personal data and known near copies, for measuring.

Sentences are drawn from parts, so that two conversations seldom share much by
chance; nothing is a record of anybody.

    for transcript in made_log(num=1000, seed=1):
        print(transcript.id)
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from benchmarks import pii_made
from dialog.values import Message, Transcript

START = datetime(2024, 1, 1, tzinfo=UTC)
ZH = (
    ("我", "你好，我", "请问我", "麻烦看下，我", "上周我", "昨天我朋友"),
    ("买的", "下单的", "退回的", "收到的", "预订的", "咨询过的"),
    (
        "蓝色外套",
        "电饭煲",
        "无线耳机",
        "儿童座椅",
        "羽毛球拍",
        "台灯",
        "旅行箱",
        "净水器",
        "手机壳",
        "跑步机",
        "咖啡豆",
        "床垫",
    ),
    ("一直没有", "可以不可以", "什么时候才能", "到底能不能", "为什么还不", "怎样才会"),
    ("发货", "退款", "换大一码", "上门安装", "开发票", "补寄配件", "改地址", "取消", "延长保修", "送到门口"),
    ("，很着急", "，谢谢", "？已经等了三天", "，客服说要等", "，页面打不开", "，包装破了", "，颜色不对"),
)
EN = (
    ("Hi, I", "Hello, my friend", "Last week I", "For the second time I", "Yesterday my sister"),
    ("bought", "returned", "ordered", "received", "reserved", "asked about"),
    (
        "the blue jacket",
        "a rice cooker",
        "wireless headphones",
        "the child seat",
        "two rackets",
        "a desk lamp",
        "the suitcase",
        "a water filter",
        "some coffee beans",
        "the mattress",
    ),
    (
        "and still cannot",
        "and would like to",
        "but was told not to",
        "so how do I",
        "and when can we",
        "and it is time to",
    ),
    (
        "get a refund",
        "change the size",
        "have it installed",
        "see the invoice",
        "replace a part",
        "move the date",
        "cancel it all",
        "extend the warranty",
        "track the parcel",
    ),
    (
        "please hurry",
        "thank you",
        "after three days of waiting",
        "as the page says",
        "because the box was torn",
        "since the colour is wrong",
    ),
)
PERSONAL = {
    "zh": (
        "我叫{NAME}，电话{PHONE:mobile}",
        "寄到{ADDRESS}",
        "身份证{ID}",
        "退到{CARD}",
        "订单号{-order}",
        "邮箱{EMAIL}",
    ),
    "en": (
        "My name is {NAME}, call {PHONE:us}",
        "send it to {ADDRESS}",
        "card {CARD:grouped}",
        "order {-order}",
        "mail {EMAIL}",
    ),
}


def made_log(*, num: int, seed: int, personal: float = 0.2) -> Iterator[Transcript]:
    """`num` conversations, half of them Chinese; `personal` is the share of turns with personal data."""
    draw = random.Random(f"log-{seed}")
    for number in range(num):
        language = draw.choice(("zh", "en"))
        time = START + timedelta(minutes=draw.randrange(500_000))
        messages = []
        for turn in range(2 * draw.randint(2, 6)):
            text = sentence(draw, language)
            if draw.random() < personal:
                text += " " + pii_made.filled(draw.choice(PERSONAL[language]), draw, language).text
            role = "user" if turn % 2 == 0 else "assistant"
            messages.append(Message(role=role, content=text, time=time + timedelta(minutes=turn)))
        yield Transcript(id=f"made-{seed}-{number}", messages=tuple(messages))


def sentence(draw: random.Random, language: str) -> str:
    parts = ZH if language == "zh" else EN
    between = "" if language == "zh" else " "
    return between.join(draw.choice(part) for part in parts) + ("。" if language == "zh" else ".")


def changed(transcript: Transcript, *, share: float, seed: int) -> Transcript:
    """A near copy: about `share` of its words (a Han character is one) replaced by others."""
    draw = random.Random(f"changed-{seed}-{transcript.id}")
    return transcript.model_copy(
        update={
            "id": f"{transcript.id}-copy",
            "messages": tuple(
                message.model_copy(update={"content": _changed(message.content, share, draw)})
                for message in transcript.messages
            ),
        }
    )


def _changed(text: str, share: float, draw: random.Random) -> str:
    han = any("\u3400" <= character <= "\u9fff" for character in text)
    units = list(text) if han else text.split(" ")
    others = (
        list("春夏秋冬东西南北山水风云日月星火")
        if han
        else ["maybe", "really", "again", "soon", "both", "quite"]
    )
    joined = (draw.choice(others) if draw.random() < share else unit for unit in units)
    return ("" if han else " ").join(joined)
