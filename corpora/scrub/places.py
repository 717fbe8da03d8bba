"""Postal addresses as far as rules go: a Chinese road or estate with a number, an English street word.

A province or a city alone is no address. Work is bounded at each anchor (a
road, an estate, a street word), so the cost grows with the text's length only.

    list(addresses("请寄到浙江省杭州市西湖区文三路90号5幢301室"))
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from corpora.scrub.finds import FORMED, TOLD, Find

_BACK = 48
_NUM = r"[0-9零〇一二三四五六七八九十百]{1,6}"
_HAN = "\u3400-\u9fff"
_ROAD_NUMBER = re.compile(
    rf"(?:路|街|大道|道|巷|胡同|弄|里|段|村|庄|屯|镇|乡|社区|组|条|东|西|南|北|中)"
    rf"第?(?P<number>{_NUM}(?:[-—/]{_NUM})?)(?P<unit>号院|号楼|号|弄|組|组|队|#)(?![线机客柜]|航站|登机|"
    rf"台风|下午|上午|晚|早|之前|到货|以前|左右|前)"
)
_ESTATE = re.compile(
    rf"(?:小区|花园|花苑|苑|公寓|家园|新村|社区|大厦|大楼|广场|中心|国际|城|府|庭|湾|园|郡|院|宿舍|校区|"
    rf"雅居|名邸|庄|村|里|座)"
    rf"[（(]?[A-Za-z]?(?:区|{_NUM}期)?[)）]?[ ,，]?(?:第?{_NUM}|[A-Za-z][0-9]{{0,3}}|[东西南北])(?:号楼|栋|"
    rf"幢|座|单元|号|#|楼)"
)
_VILLAGE = re.compile(r"[县区市乡镇](?:[\u3400-\u9fff]{1,6}[镇乡])?[\u3400-\u9fff]{1,6}村")
_DETAIL = re.compile(
    rf"[ ,，-]?(?:第?{_NUM}(?:[-—/]{_NUM}){{0,3}}(?:号院|号楼|号|弄|栋|幢|座|单元|室|楼|层|户|房|铺|門|门|"
    rf"组|队|#)?"
    rf"|[A-Za-z]?[0-9]{{0,4}}(?:栋|幢|座|单元|室|区|#)|[A-Za-z][0-9]{{2,5}}"
    rf"|[{_HAN}A-Za-z0-9]{{2,10}}(?:小区|花园|公寓|家园|大厦|大楼|广场|中心|苑|城|宿舍|园区?|新村|"
    rf"国际)(?=第?[0-9A-Za-z一二三四五六七八九十])|[东西南北]门)"
)
_STOP = re.compile(
    r".*"
    r"(?:[^\u3400-\u9fffA-Za-z0-9·（）() -]|[在到是住往我你您他她请把给了的吧呢吗]|寄至|送至|发往|位于|址|"
    r"点击|知道|这里|那里|哪里|公里|家里|[和与或]|然后|[改换]成)",
    re.DOTALL,
)
_PROVINCE = re.compile(
    "北京|上海|天津|重庆|河北|山西|辽宁|吉林|黑龙江|江苏|浙江|安徽|福建|江西|山东|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|"
    "甘肃|青海|台湾|内蒙古|广西|西藏|宁夏|新疆|香港|澳门"
)
_TIER = re.compile(r"[省市区县旗州盟镇乡]")
_REGION_BEFORE = re.compile(
    r"(?:[\u3400-\u9fff]{2,8}(?:省|市|区|县|自治区|自治州|街道|镇|乡)[ ,，]{0,2}){1,5}$"
)
_WEAK_ROADS = re.compile(r"(?<!大)[里段村庄屯镇乡组条东西南北中道]$")

_CAP = r"[A-Z0-9À-ÞΑ-ΩА-Я][\w'’.-]{0,24}"
_STREET_WORD = (
    r"(?:Street|St|Avenue|Ave|Av|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Courts|Place|Pl|Way|"
    r"Square|Sq|Terrace|Ter|Parkway|"
    r"Pkwy|Circle|Cir|Highway|Hwy|Trail|Crescent|Cres|Close|Grove|Gardens|Mews|Row|Walk|Hill|Park|Parks|"
    r"Extensions?|Streets|Squares|"
    r"Broadway|Plaza|Crossing|Loop|Alley|Turnpike|Pike)"
)
_STREET = re.compile(
    rf"(?<![\w.,$€£#:@])\d{{1,6}}[A-Za-z]?"
    rf"(?:[-/]\d{{1,5}})?,?[ \n]{{1,2}}(?:{_CAP} ){{1,5}}{_STREET_WORD}\b\.?"
)
_LOWER_STREET = re.compile(
    r"(?<![\w.,$€£#])\d{1,6} (?:(?:north|south|east|west|n|s|e|w)\.? )?(?!days?|hours?|minutes?|the|of|on|"
    r"in|to|a|and|or|more|items?|weeks?|times?)[a-z'’]{3,20} "
    r"(?:(?!the|of|on|in|to|a|and|or)[a-z'’]{2,20} )?(?:street|avenue|ave|road|rd|boulevard|blvd|lane|"
    r"drive|court|terrace|parkway|crescent)\b\.?"
)
_EUROPEAN = re.compile(
    rf"(?:(?:Rua|Rúa|Rue|Via|Viale|Calle|Avenida|Av\.|Plaza|Piazza|Ulica|ul\.|Boulevard|Chemin|Weg|Am|"
    rf"An der|Im) (?:(?:d[aeio]s?|del|la|le|du|des|der|den) )?(?:{_CAP} ){{1,3}}"
    r"|[A-ZÀ-Þ][\w'-]{1,24}(?:strasse|straße|str\.|weg|gasse|platz|allee|gatan|vägen|väg|vej|vejen|gade|"
    r"veien|gata|tie|katu|kuja|polku|laan|straat|plein|utca|tér) )"
    r"\d{1,5}[A-Za-z]?(?!\w)"
)
_NUMBERED_BOTH_WAYS = re.compile(
    rf"(?<![\w.,$€£#/:@-])\d{{3,6}} (?!(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|For|Episode|"
    rf"Version|Windows|"
    rf"Series|Model|Type|Part|Level|Grade|Chapter|Gate|Platform|Size|Pro|Plus|Max|Mini|Order|Item|Ticket|"
    rf"Case))"
    rf"[A-ZÀ-ÞΑ-ΩА-Я][^\W\d_]{{2,24}} (?:{_CAP} ){{0,2}}\d{{1,4}}[A-Za-z]?(?![\w:%])"
)
_BOX = re.compile(
    r"\bP\.? ?O\.? ?Box \d{1,7}|\bPostbox \d{1,6}|\b(?:PSC|Unit|CMR) \d{1,5},? Box \d{1,5}", re.IGNORECASE
)
_POSTCODE = r"[A-Z]{1,2}\d[A-Z\d]? ?\d[A-Z]{2}\b"
_ADDRESS_TAIL = re.compile(
    rf"[\s,]{{1,6}}(?:(?:Apt|Apartment|Suite|Ste|Unit|Flat|Floor|Room|Rm|Bldg|#)\.? ?#?[\w-]{{1,8}}\b"
    rf"|{_CAP}(?: {_CAP}){{0,2}}[\s,]{{1,4}}{_CAP}(?: {_CAP}){{0,3}},? \d{{4,5}}\b"
    rf"|{_POSTCODE}|{_CAP}(?: {_CAP}){{0,2}},? {_POSTCODE}"
    rf"|(?:[DAF]PO )?(?:[A-Z]{{2}} )?\d{{4,5}}(?:-\d{{3,4}})?\b(?! [a-z])"
    rf"|{_CAP}(?: {_CAP}){{0,3}},? [A-Z]{{2}},? \d{{4,5}}(?:-\d{{4}})?\b"
    rf"|{_CAP}(?: {_CAP}){{0,3}},? \d{{4,5}}\b)"
)
_MAX_TAILS = 6
_HOUSE_BEFORE = re.compile(r"(?<![\w.])\d{1,6}[A-Za-z]? $")
_TOLD = re.compile(
    r"(?:(?:street|home|mailing|billing|shipping|delivery|postal) address|"
    r"address) ?: ?(?P<told>[^\n]{6,120})",
    re.IGNORECASE,
)
_TOLD_ZH = re.compile(
    r"(?:(?:收货|收件|家庭|邮寄|通讯|联系|寄件|居住|详细)?(?:地址|"
    r"住址)) ?[:：是为] ?(?P<told>[^\n，,。；;！!?？]{5,60})"
)


def addresses(text: str) -> Iterator[Find]:
    """Chinese and other addresses of folded text; finds may overlap."""
    if not text.isascii():
        yield from _chinese(text)
    yield from _western(text)


def _chinese(text: str) -> Iterator[Find]:
    reached = 0
    for pattern in (_ROAD_NUMBER, _ESTATE, _VILLAGE):
        reached = 0
        for match in pattern.finditer(text):
            if match.start() < reached:
                continue
            start = _start(text, match.start(), match)
            if start is None:
                continue
            reached = _forward(text, match.end(), _DETAIL)
            yield Find("ADDRESS", start, reached, rule="zh-postal", strength=FORMED)
    for match in _TOLD_ZH.finditer(text):
        told = match["told"]
        if len(_TIER.findall(told)) >= 2 or re.search(r"[路街巷村苑区].{0,12}\d", told):
            yield Find("ADDRESS", *match.span("told"), rule="zh-postal-told", strength=TOLD)


def _start(text: str, anchor: int, match: re.Match[str]) -> int | None:
    """Where the address around an anchor begins; None if too little stands before it."""
    low = max(0, anchor - _BACK)
    window = text[low:anchor]
    stop = _STOP.match(window)
    begin = stop.end() if stop else 0
    first_province = _PROVINCE.search(window, begin)
    if first_province:
        begin = first_province.start()
    else:  # "浙江省, 杭州市, 文三路": regions before a comma belong to it
        before = _REGION_BEFORE.search(window[:begin])
        begin = (
            before.start()
            if before and not _STOP.match(window[before.start() : begin].rstrip(" ,，"))
            else begin
        )
    body = window[begin:].lstrip(" ()（）-")
    begin = len(window) - len(body)
    word = match.group()
    han = len(re.findall(f"[{_HAN}]", body))
    weak = bool(_WEAK_ROADS.search(re.split(r"第?[0-9零〇一二三四五六七八九十百]", word, maxsplit=1)[0]))
    needed_tiers = 1 if weak else 0
    if han < 1 or len(_TIER.findall(body)) + bool(first_province) < needed_tiers:
        return None
    return low + begin


def _western(text: str) -> Iterator[Find]:
    for pattern, rule in (
        (_STREET, "street"),
        (_LOWER_STREET, "street-lower"),
        (_EUROPEAN, "street-european"),
        (_NUMBERED_BOTH_WAYS, "street-foreign"),
        (_BOX, "po-box"),
    ):
        for match in pattern.finditer(text):
            house = _HOUSE_BEFORE.search(text[max(0, match.start() - 10) : match.start()])
            start = match.start() - (len(house.group()) if house else 0)
            yield Find(
                "ADDRESS", start, _forward(text, match.end(), _ADDRESS_TAIL), rule=rule, strength=FORMED
            )
    for match in _TOLD.finditer(text):
        if re.search(r"\d", match["told"]) and "@" not in match["told"] and "://" not in match["told"]:
            yield Find(
                "ADDRESS",
                match.start("told"),
                match.start("told") + len(match["told"].rstrip()),
                rule="address-told",
                strength=TOLD,
            )


def _forward(text: str, end: int, more: re.Pattern[str]) -> int:
    """The end of the address's further parts, at most six of them."""
    for _ in range(_MAX_TAILS):
        match = more.match(text, end)
        if match is None:
            break
        end = match.end()
    return end
