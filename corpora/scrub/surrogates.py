"""Made-up values in place of found ones, in the form of their kind and never anybody's.

Where a range is set apart for examples it is used: example.com (RFC 2606),
192.0.2.0/24 and 2001:db8::/32, +1 202 555 01xx, +44 7700 900xxx. Elsewhere the value
passes its checksum and begins with what nobody was ever given: mobiles with
12, resident IDs of region 00, cards with 0000, IBANs of the country XX, social
security numbers of area 000. So forms hold and nobody is called.

Seeded: the same seed, conversation and value give the same surrogate.

    made_up = Surrogates(seed=7, conversation="c-1")
    made_up("EMAIL", "li.wei@163.com")         # "user4821@example.com"
    is_reserved("EMAIL", "user4821@example.com")   # True
"""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable

from stdnum import luhn
from stdnum.cn import ric

from corpora.scrub.folding import fold
from corpora.scrub.placeholders import canonical

_NAMES_ZH = ("张三", "李四", "王五", "赵六", "钱七", "孙八", "周九", "吴十", "甲某", "乙某", "丙某", "丁某")
_NAMES_EN = ("Alex", "Robin", "Sam", "Kim", "Chris", "Jo", "Pat", "Lee")
_FAMILIES_EN = ("Example", "Sample", "Doe", "Roe", "Specimen", "Placeholder")
_MAX_TRIES = 1000


class Surrogates:
    """The made-up values of one conversation; two values never share one while there are enough."""

    def __init__(self, *, seed: int, conversation: str) -> None:
        self._seed = f"{seed}|{conversation}"
        self._given: dict[tuple[str, str], str] = {}
        self._used: set[str] = set()

    def __call__(self, kind: str, value: str) -> str:
        key = (kind, canonical(kind, value))
        if key not in self._given:
            digest = hashlib.sha256("|".join((self._seed, *key)).encode("utf-8", "replace")).digest()
            draw = random.Random(digest)
            make = _MAKERS.get(kind, _other)
            made = make(draw, value, kind)
            for _ in range(_MAX_TRIES):
                if made not in self._used:
                    break
                made = make(draw, value, kind)
            self._used.add(made)
            self._given[key] = made
        return self._given[key]


def is_reserved(kind: str, value: str) -> bool:
    """True for what cannot be anybody's: example ranges and the surrogates made here."""
    pattern = _RESERVED.get(kind)
    text = fold(value).text
    return pattern is not None and bool(
        pattern.fullmatch(text if kind in _LITERAL else re.sub(r"[ .()-]", "", text))
    )


def _digits(draw: random.Random, num: int) -> str:
    return f"{draw.randrange(10**num):0{num}d}"


def _phone(draw: random.Random, value: str, kind: str) -> str:
    text = fold(value).text
    if re.match(r"(?:\+|00)44|07\d{3} \d{6}$", text):
        return f"+44 7700 900{_digits(draw, 3)}"
    if re.search(r"^(?:\+?1[ .-])?\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}$", text):
        return f"+1 202 555 01{_digits(draw, 2)}"
    return "12" + _digits(draw, 9)


def _resident(draw: random.Random, value: str, kind: str) -> str:
    if re.fullmatch(r"\d{3}-?\d{2}-?\d{4}", value):
        return f"000-{draw.randint(10, 99)}-{_digits(draw, 4)}"
    birth = f"{draw.randint(1950, 2005)}{draw.randint(1, 12):02d}{draw.randint(1, 28):02d}"
    body = f"000000{birth}{_digits(draw, 3)}"
    return body + ric.calc_check_digit(body + "0")


def _card(draw: random.Random, value: str, kind: str) -> str:
    body = "0000" + _digits(draw, 11)
    return body + luhn.calc_check_digit(body)


def _iban(draw: random.Random, value: str, kind: str) -> str:
    body = _digits(draw, 18)
    return f"XX{98 - int(body + '333300') % 97:02d}{body}"


def _ip(draw: random.Random, value: str, kind: str) -> str:
    if "." in value:
        return f"192.0.2.{draw.randint(1, 254)}"
    if re.fullmatch(r"(?:[0-9A-Fa-f]{2}[:-]){5}[0-9A-Fa-f]{2}", value):
        return "00:00:5E:00:53:" + f"{draw.randrange(256):02X}"
    return f"2001:db8::{draw.randrange(1, 65536):x}"


def _name(draw: random.Random, value: str, kind: str) -> str:
    if not value.isascii() and any("\u3400" <= c <= "\u9fff" for c in value):
        whole = draw.choice(_NAMES_ZH)
        return whole[0] if len(value) == 1 else whole
    given = draw.choice(_NAMES_EN)
    return f"{given} {draw.choice(_FAMILIES_EN)}" if " " in value else given


def _address(draw: random.Random, value: str, kind: str) -> str:
    if any("\u3400" <= c <= "\u9fff" for c in value):
        return f"样板省示例市样板区示例路{draw.randint(1, 999)}号"
    return f"{draw.randint(1, 999)} Example Street, Sampletown"


def _other(draw: random.Random, value: str, kind: str) -> str:
    return f"{kind}-{_digits(draw, 6)}"


_MAKERS: dict[str, Callable[[random.Random, str, str], str]] = {
    "PHONE": _phone,
    "ID": _resident,
    "CARD": _card,
    "IBAN": _iban,
    "IP": _ip,
    "NAME": _name,
    "ADDRESS": _address,
    "EMAIL": lambda draw, value, kind: f"user{_digits(draw, 4)}@example.com",
    "URL": lambda draw, value, kind: f"https://example.com/u/user{_digits(draw, 4)}",
    "PASSPORT": lambda draw, value, kind: "X00" + _digits(draw, 6),
    "PLATE": lambda draw, value, kind: "测A" + _digits(draw, 5),
}
_LITERAL = ("EMAIL", "URL", "IP", "NAME", "ADDRESS", "PLATE")
_RESERVED = {
    "PHONE": re.compile(r"\+?1?20255501\d\d|\+?447700900\d{3}|07700900\d{3}|12\d{9}"),
    "ID": re.compile(r"000\d{6}|000000\d{11}[\dXx]"),
    "CARD": re.compile(r"0000\d{12}"),
    "IBAN": re.compile(r"XX\d{20}"),
    "EMAIL": re.compile(r".*@(?:[\w-]+\.)*example\.(?:com|net|org)", re.IGNORECASE),
    "URL": re.compile(r"https?://(?:[\w-]+\.)*example\.(?:com|net|org)\b.*", re.IGNORECASE),
    "IP": re.compile(
        r"192\.0\.2\.\d+|198\.51\.100\.\d+|203\.0\.113\.\d+|2001:db8:.*|00[:-]00[:-]5E[:-]00[:-]53[:-]..",
        re.I,
    ),
    "PASSPORT": re.compile(r"X00\d{6}"),
    "PLATE": re.compile(r"测A\d{5}"),
    "NAME": re.compile(
        "|".join(
            (
                *_NAMES_ZH,
                "[张李王赵钱孙周吴甲乙丙丁]",
                rf"(?:{'|'.join(_NAMES_EN)})(?: (?:{'|'.join(_FAMILIES_EN)}))?",
            )
        )
    ),
    "ADDRESS": re.compile(r"样板省示例市样板区示例路\d+号|\d+ Example Street.*"),
}
