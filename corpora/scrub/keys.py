"""What the key of a structured field says about its value: `{"recipient_name": "张伟"}` is a name.

kind_by_key("recipient name", "张伟")     # "NAME"
kind_by_key("product name", "张伟牌菜刀")  # None
"""

from __future__ import annotations

import re

from corpora.scrub.gazetteer import GIVEN, SURNAMES

_NAME = re.compile(
    r"^(?:full|first|last|given|family|customer|client|user|contact|recipient|receiver|sender|passenger|"
    r"guest|patient|"
    r"cardholder|holder|owner|buyer|consignee|payee|agent|real|nick|display|sur)? ?(?:name|names)$"
    r"|^(?:cardholder|surname|nickname|username|recipient|consignee)$"
    r"|(?:姓名|联系人|收件人|收货人|持卡人|户名|昵称)$",
    re.IGNORECASE,
)
_PHONE = re.compile(
    r"(?:^|\b)(?:phone|mobile|tel|telephone|cell|fax)(?: ?(?:number|no))?$|(?:电话|手机|手机号|座机)$", re.I
)
_ADDRESS = re.compile(
    r"^(?:(?:home|shipping|billing|delivery|mailing|postal|street|full) )?address(?: (?:line )?\d)?$|地址$|"
    r"^street$",
    re.I,
)
_MAX_CHARS = 200


def kind_by_key(key: str, value: str) -> str | None:
    """The kind of the whole value, or None if the key does not decide it."""
    text = value.strip()
    if not 2 <= len(text) <= _MAX_CHARS or text.startswith("["):
        return None
    key = key.strip()
    if _NAME.search(key) and not re.search(r"\d", text):
        return "NAME" if key.lower() not in ("name", "names") or _looks_like_a_person(text) else None
    if _PHONE.search(key) and len(re.findall(r"\d", text)) >= 5:
        return "PHONE"
    if _ADDRESS.search(key) and "@" not in text and "://" not in text and len(text) >= 4:
        return "ADDRESS"
    return None


def _looks_like_a_person(text: str) -> bool:
    """A field called only `name` may hold a product's or a function's."""
    if text[0] in SURNAMES and len(text) in (2, 3):
        return True
    return (
        bool(re.fullmatch(r"[A-Z][a-z]+(?: [A-Z][\w.'’-]*){0,3}", text)) and text.split()[0].lower() in GIVEN
    )
