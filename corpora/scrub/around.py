"""What the words just before a number say it is: an order, a telephone, a card, a document.

Only a short piece before the number is read, so the cost does not depend on
the text's length. All pieces are folded and in lower case.

    is_order("订单号：")          # True: what follows stays
    says("phone", "my tel is ")   # True
"""

from __future__ import annotations

import re
from typing import Literal

Subject = Literal["phone", "card", "id", "passport", "plate", "licence", "ip_not"]
WINDOW = 40

_LINK = (
    r"(?:\s?(?:号码|号|账号|码|no|number|num|nr|id|code|ref|reference))?[.#]?"
    r"[\"'”’)\]]?(?:\s|is|was|were|are|should be|ending|为|是|：|:|=|-|#|[\"'“(（\[【]|就是|应该是|分别|"
    r"如下|的|了|呢|我){0,8}$"
)
_ORDER = re.compile(
    r"(?:订单|单号|运单|快递|物流|流水|编号|工单|投诉|发票|货号|商品|型号|批次|序列号?|条码|凭证|交易号|提货码|"
    r"取件码|合同|邮编|优惠码|验证码|"
    r"\b(?:order|orders|tracking|track|invoice|ticket|case|reference|ref|serial|transaction|txn|parcel|"
    r"package|shipment|"
    r"waybill|awb|item|part|model|confirmation|booking|sku|isbn|barcode|rma|claim|complaint|payment|zip|postcode|postal|"
    r"coupon|voucher|promo|request|product|imei|"
    r"batch|po))" + _LINK
)
_SUBJECTS: dict[Subject, re.Pattern[str]] = {
    "phone": re.compile(
        r"(?:电话|手机|座机|号码|联系方式|致电|拨打|来电|传真|热线|电联|打给|打到|打我|联系我|"
        r"\b(?:phone|phones|tel|telephone|cell|cellphone|mobile|mob|fax|call|calls|calling|text|ring|rings|"
        r"ringing|dial|dialled|whatsapp|contact|reach (?:me|us|him|her|them)|answers?|answered|answering|"
        r"call (?:me|us|him|her|back)|number|line|ph|sms|hotline|home|office|work|direct))\b"
        r"[^\d\n,;。，；]{0,18}\s{0,3}[^\d\n,;。，；]{0,3}$"
    ),
    "card": re.compile(
        r"(?:银行卡|储蓄卡|信用卡|借记卡|卡号|账号|帐号|账户|尾号|"
        r"\b(?:card|cards|visa|mastercard|amex|debit|credit|account|pan))[^\d\n。;；]{0,16}$"
    ),
    "id": re.compile(
        r"(?:身份证|证件|证件号|公民身份号码|\b(?:identity card|id card|resident id|national id|id number|"
        r"id no|id))"
        r"[^\d\n,，。;；]{0,10}$"
    ),
    "passport": re.compile(r"(?:护照|通行证|\bpassports?\b)[^\n。;；]{0,24}$"),
    "licence": re.compile(r"(?:驾照|驾驶证|\b(?:driver'?s?|driving) licen[cs]e)[^\n.。;；]{0,16}$"),
    "plate": re.compile(
        r"(?:车牌|牌照|\b(?:licen[cs]e plates?|number plates?|plates?|plate number|registration|reg|"
        r"vrm))\b[^\n.。;；]{0,14}$"
    ),
    "ip_not": re.compile(
        r"(?:版本|固件|\b(?:version|ver|v|firmware|release|build|update))[号为是:：\s]{0,4}$"
    ),
}
_TOLD_AFTER = re.compile(r"\s?[-(,]?\s?(?:office|fax|home|mobile|cell|work|tel|手机|电话)\b", re.IGNORECASE)


def piece_before(text: str, start: int) -> str:
    """The last characters before `start`, in lower case."""
    return text[max(0, start - WINDOW) : start].lower()


def is_order(before: str) -> bool:
    """The number that follows names an order, a parcel or a thing, not a person."""
    return bool(_ORDER.search(before))


def says(subject: Subject, before: str) -> bool:
    """The words announce a number of this kind."""
    return bool(_SUBJECTS[subject].search(before))


def says_phone_after(text: str, end: int) -> bool:
    """The words just behind a number say that it is a telephone's."""
    return bool(_TOLD_AFTER.match(text, end))
