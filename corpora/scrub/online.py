"""E-mail addresses, links with personal parts, IP and hardware addresses, number plates.

A link counts as personal if it carries a log-in, an e-mail address, a person's
page or a parameter that names one (`user=`, `token=`, `phone=`); others stay.

    list(emails("写给zhang.wei@example.com吧"))
"""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from ipaddress import ip_address

from corpora.scrub.around import is_order, piece_before, says
from corpora.scrub.finds import CHECKED, FORMED, TOLD, Find

_LOCAL = string.ascii_letters + string.digits + "._%+-'"
_MAX_LOCAL = 64
_AT = re.compile(r"@| ?[(\[]at[)\]] ?", re.IGNORECASE)
_DOMAIN = re.compile(
    r"(?:[A-Za-z0-9\u00c0-\u024f-]{1,63}(?:\.| ?[(\[]dot[)\]] ?)){1,8}(?:[A-Za-z]{2,24}|"
    r"xn--[A-Za-z0-9-]{2,40}|[\u4e00-\u9fff]{2,4}(?![\u4e00-\u9fff]))",
    re.IGNORECASE,
)
_URL = re.compile(r"(?:https?|ftp)://[!-~]{3,2048}|(?<![A-Za-z0-9@./])www\.[!-~]{4,2048}", re.IGNORECASE)
_URL_END = ".,;:!?)]}'\">"
_PERSONAL_QUERY = re.compile(
    r"[?&;#](?:[a-z_]{0,20}(?:user|uid|email|mail|phone|mobile|token|session|sid|auth|password|pwd|openid|"
    r"account|customer|member|"
    r"idcard|name)[a-z_]{0,10})=[^&#]",
    re.IGNORECASE,
)
_PERSONAL_PATH = re.compile(
    r"://[^/@\s]{1,256}:[^/@\s]{1,256}@|%40|@|/(?:u|user|users|profile|profiles|people|member|members|"
    r"account|space|home/user)/[^/?#]{2}"
    r"|(?:linkedin\.com/in|facebook\.com|twitter\.com|x\.com|instagram\.com|t\.me|wa\.me|github\.com|"
    r"weibo\.com|weibo\.com/u|"
    r"space\.bilibili\.com|zhihu\.com/people|douyin\.com/user)/(?!share|help|support|about|login|"
    r"intl)[\w.-]{3,}",
    re.IGNORECASE,
)
_IPV4 = re.compile(r"(?:(?<![0-9A-Za-z.])|(?<=[Ii][Pp]))(?:\d{1,3}\.){3}\d{1,3}(?![0-9A-Za-z]|\.\d)")
_IPV6 = re.compile(
    r"(?:(?<![0-9A-Za-z:.])|(?<=[^0-9A-Fa-f:]:)|(?<=[Ii][Pp]))[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,7}(?![0-9A-Za-z:])"
)
_HARDWARE = re.compile(
    r"(?<![0-9A-Za-z:-])[0-9A-Fa-f]{2}([:-])(?:[0-9A-Fa-f]{2}\1){4}[0-9A-Fa-f]{2}(?![0-9A-Za-z:-])"
)
_CHINESE_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-Z][ ·•.-]?"
    r"(?:[DF][A-HJ-NP-Z0-9]\d{4}|\d{5}[DF]|[A-HJ-NP-Z0-9]{4}[A-HJ-NP-Z0-9挂学警港澳])(?![0-9A-Za-z])"
)
_BRITISH_PLATE = re.compile(r"(?<![0-9A-Za-z])[A-Z]{2}\d{2} [A-Z]{3}(?![0-9A-Za-z])")
_TOLD_PLATE = re.compile(
    r"(?<![0-9A-Za-z])(?=[A-Za-z-]{0,8}\d)[A-Z0-9]{1,4}[ -]?[A-Z0-9]{2,4}(?![0-9A-Za-z])"
)


def emails(text: str) -> Iterator[Find]:
    """Addresses around each `@` (or "(at)"), also in full-width characters and touching Chinese ones."""
    for at in _AT.finditer(text):
        piece = text[max(0, at.start() - _MAX_LOCAL) : at.start()]
        local = piece[len(piece.rstrip(_LOCAL)) :].lstrip(".'-%+")
        domain = _DOMAIN.match(text, at.end()) if local else None
        if domain is not None:
            yield Find("EMAIL", at.start() - len(local), domain.end(), rule="email", strength=CHECKED)


def urls(text: str) -> Iterator[Find]:
    """Links that lead to a person."""
    for match in _URL.finditer(text):
        link = match.group().rstrip(_URL_END)
        if _PERSONAL_PATH.search(link) or _PERSONAL_QUERY.search(link):
            yield Find("URL", match.start(), match.start() + len(link), rule="personal-url", strength=CHECKED)


def addresses_on_the_net(text: str) -> Iterator[Find]:
    """IPv4 and IPv6 addresses but loopback and wildcard ones, and hardware addresses."""
    for match in _IPV4.finditer(text):
        if not says("ip_not", piece_before(text, match.start())) and _is_ip(match.group()):
            yield Find("IP", *match.span(), rule="ipv4", strength=FORMED)
    for match in _IPV6.finditer(text):
        groups = [group for group in match.group().split(":") if group]
        if len(groups) >= 3 and re.search(r"\d", match.group()) and _is_ip(match.group()):
            yield Find("IP", *match.span(), rule="ipv6", strength=CHECKED)
    for match in _HARDWARE.finditer(text):
        yield Find("IP", *match.span(), rule="mac", strength=FORMED)


def plates(text: str) -> Iterator[Find]:
    """Chinese and British number plates by their form, others where the words say so."""
    for match in _CHINESE_PLATE.finditer(text):
        yield Find("PLATE", *match.span(), rule="zh-plate", strength=FORMED)
    for match in _BRITISH_PLATE.finditer(text):
        if not is_order(piece_before(text, match.start())):
            yield Find("PLATE", *match.span(), rule="gb-plate", strength=FORMED)
    for match in _TOLD_PLATE.finditer(text):
        if says("plate", piece_before(text, match.start())):
            yield Find("PLATE", *match.span(), rule="plate-told", strength=TOLD)


def _is_ip(text: str) -> bool:
    try:
        address = ip_address(text)
    except ValueError:
        return False
    return not (address.is_loopback or address.is_unspecified)
