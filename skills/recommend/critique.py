"""What somebody asks of a recommendation, read from their words, and what holds over several turns.

    said = read_wish("Something funny like Toy Story, but not horror and cheaper", catalogue)
    said.wanted, said.unwanted, said.liked, said.cheaper
    wish = earlier.then(said)           # later words win
    wish.allows(item)

A refusal reaches to the end of its clause ("no horror or war, but comedy"), in
both languages. Every part remembers the words it was read from.
"""

from __future__ import annotations

import re

from dialog.text import normalise, words
from dialog.values import Value
from skills.recommend.catalogue import Catalogue, Item, Span

_REFUSAL = re.compile(
    r"\b(?:not?|without|don'?t|do not|doesn'?t|never|nothing|hate[ds]?|dislike[ds]?|avoid|except|"
    r"anything but|everything but|rather than|instead of|tired of|enough of)\b"
    r"|不要|不想|不喜欢|不爱|不看|不是|别(?!的|人|家|处)|讨厌|除了|排除|避免|没有|不含|看腻了",
    re.I,
)
_NOT_ONLY = re.compile(r"\bnot (?:only|just|necessarily)\b|不(?:只|仅|光)", re.I)
_CLAUSE = re.compile(
    r"[.!?;。！？；]|[,，](?!\s*(?:or|nor|and no)\b|(?:或|和|也不))"
    r"|(?<!anything)(?<!everything)\s\bbut\b|\b(?:i (?:want|like|love|prefer)|something|rather(?! than))\b"
    r"|但是?|而是|只要|我要|想要|换(?=成|个|一)|来(?=点|个|一|部)",
    re.I,
)
_CHEAPER = re.compile(
    r"\b(?:cheaper|less expensive|lower price|too expensive|too dear)\b|便宜|太贵|再低", re.I
)
_DEARER = re.compile(
    r"\b(?:more expensive|higher end|premium|better quality)\b|贵一点|高端|高档|好一点的", re.I
)
_MOST_PRICE = re.compile(
    r"(?:\b(?:under|below|less than|at most|up to|no more than)|不超过|低于|最多|[¥￥$€£])"
    r"\s*[¥￥$€£]?\s*(\d+(?:\.\d+)?)"
    r"(?!\d)|(\d+(?:\.\d+)?)\s*(?:元|块钱?)?(?:以内|以下|之内)",
    re.I,
)
_NEWER = re.compile(r"\b(?:newer|more recent|more modern)\b|新一点|最近的|更新的|近几年", re.I)
_OLDER = re.compile(r"\b(?:older|classics?|more classic)\b|老一点|经典|老片|怀旧", re.I)
_STEP_YEARS = 10
_ANOTHER = re.compile(
    r"\b(?:another|(?:any|some|no)(?:thing|one) else|more like|others|next one"
    r"|other (?:ones?|options?|choices?|models?))\b|\belse\W*$"
    r"|换(?:一?[个款种顶件]|一下|别的)|(?:别的|其他的?)(?=吗|呢|款|型号|推荐|\W*$)|还有(?=吗|没有|别的|其他|\W*$)"
)
_OTHER_MATTER = re.compile(
    r"\b(?:how(?! about)|when|where|why|who|returns?|returned|refund|ship|shipping|deliver\w*|parcel|courier|"
    r"pay|paid|orders?|ordered|address|invoice|warranty|questions?|account|shops?)\b"
    r"|怎么|如何|多久|几天|什么时候|哪里|哪儿|为什么|谁"
    r"|[退寄付补]|送[货达到]|快递|包裹|运费|发票|保修|订单|地址|账号|问题|换货|店"
)
"""Words of questions that the documents answer, whatever else is in them."""
_ASKING = re.compile(r"[?？]|吗\W*$|有没有|^\W*(?:is|are|does|do|can|may|will|what|which)\b(?! not\b)")
_CRITIQUE_WORDS = 12


class Evidence(Value):
    """Words of the user, and what was read from them."""

    about: str
    words: str


class Wish(Value):
    """What was asked for; ids of items are the catalogue's, limits belong to what they allow.

    `cheaper`, `dearer`, `newer`, `older` are relative to what was shown and become limits in `settle`.
    """

    wanted: tuple[str, ...] = ()
    unwanted: tuple[str, ...] = ()
    liked: tuple[str, ...] = ()
    disliked: tuple[str, ...] = ()
    max_price: float | None = None
    min_price: float | None = None
    min_year: int | None = None
    max_year: int | None = None
    cheaper: bool = False
    dearer: bool = False
    newer: bool = False
    older: bool = False
    evidence: tuple[Evidence, ...] = ()

    def then(self, later: Wish) -> Wish:
        """Both, the later words winning where the two disagree."""
        return later.model_copy(
            update={
                "wanted": _joined(self.wanted, later.wanted, without=later.unwanted),
                "unwanted": _joined(self.unwanted, later.unwanted, without=later.wanted),
                "liked": _joined(self.liked, later.liked, without=later.disliked),
                "disliked": _joined(self.disliked, later.disliked, without=later.liked),
                "max_price": self.max_price if later.max_price is None else later.max_price,
                "min_price": self.min_price if later.min_price is None else later.min_price,
                "min_year": self.min_year if later.min_year is None else later.min_year,
                "max_year": self.max_year if later.max_year is None else later.max_year,
                "evidence": (*self.evidence, *later.evidence),
            }
        )

    def settle(self, shown: tuple[Item, ...]) -> Wish:
        """Relative words turned into limits by what was shown; without prices or years they stay open."""
        prices = [item.price for item in shown if item.price is not None]
        years = [item.year for item in shown if item.year is not None]
        changes: dict[str, object] = {}
        if self.cheaper and prices:
            changes |= {"max_price": _below(min(prices)), "min_price": None, "cheaper": False}
        if self.dearer and prices:
            changes |= {"min_price": max(prices), "max_price": None, "dearer": False}
        if self.newer and years:
            changes |= {"min_year": max(years) + 1, "max_year": None, "newer": False}
        if self.older and years:
            limit = min(min(years) - 1, max(years) - _STEP_YEARS)
            changes |= {"max_year": limit, "min_year": None, "older": False}
        return self.model_copy(update=changes)

    def allows(self, item: Item) -> bool:
        """True if nothing that was refused is in the item; a limit on what is not known refuses it."""
        price, year = item.price, item.year
        return (
            not set(self.unwanted) & set(item.tags)
            and item.id not in self.disliked
            and (self.max_price is None or (price is not None and price <= self.max_price))
            and (self.min_price is None or (price is not None and price >= self.min_price))
            and (self.max_year is None or (year is not None and year <= self.max_year))
            and (self.min_year is None or (year is not None and year >= self.min_year))
        )

    @property
    def is_empty(self) -> bool:
        """True if the words asked for nothing in particular."""
        return self.model_copy(update={"evidence": ()}) == Wish()


def read_wish(text: str, catalogue: Catalogue) -> Wish:
    """What a text asks for, by the names of the catalogue; nothing outside of it is guessed."""
    titles = catalogue.titles_in(text)
    kinds = {
        tag: span
        for tag, span in catalogue.tags_in(text).items()
        if not any(start <= span[0] < end for start, end in titles.values())
    }
    refused = {name for name, span in (kinds | titles).items() if _is_refused(text, span)}
    price = _MOST_PRICE.search(text)
    relative = {"cheaper": _CHEAPER, "dearer": _DEARER, "newer": _NEWER, "older": _OLDER}
    heard = {name: match for name, pattern in relative.items() if (match := pattern.search(text))}
    evidence = [
        Evidence(about=name, words=text[start:end]) for name, (start, end) in (kinds | titles).items()
    ]
    evidence += [Evidence(about=name, words=match[0]) for name, match in heard.items()]
    if price:
        evidence.append(Evidence(about="price", words=price[0]))
    return Wish(
        wanted=tuple(tag for tag in kinds if tag not in refused),
        unwanted=tuple(tag for tag in kinds if tag in refused),
        liked=tuple(item for item in titles if item not in refused),
        disliked=tuple(item for item in titles if item in refused),
        max_price=float(price[1] or price[2]) if price else None,
        cheaper="cheaper" in heard and price is None,
        dearer="dearer" in heard,
        newer="newer" in heard,
        older="older" in heard,
        evidence=tuple(evidence),
    )


def asks_to_change(text: str) -> bool:
    """True for words that only make sense after something was shown: "cheaper", "another one", 换一个.

    They are few and about nothing else; a refusal ("not horror") is no question.
    """
    plain = normalise(text)
    if len(words(plain)) > _CRITIQUE_WORDS or _OTHER_MATTER.search(plain):
        return False
    if any(one.search(plain) for one in (_CHEAPER, _DEARER, _NEWER, _OLDER, _ANOTHER)):
        return True
    return bool(_REFUSAL.search(plain)) and not _ASKING.search(plain)


def _is_refused(text: str, span: Span) -> bool:
    """A refusal stands before the words, in their own clause, and is not "not only"."""
    clause = text[: span[0]]
    for mark in _CLAUSE.finditer(text, 0, span[0]):
        if not _REFUSAL.match(text, mark.start()):
            clause = text[mark.end() : span[0]]
    return bool(_REFUSAL.search(_NOT_ONLY.sub(" ", clause)))


def _below(price: float) -> float:
    """The largest price of two decimals under `price`, at least 0."""
    return max(0.0, round(price - 0.01, 2))


def _joined(before: tuple[str, ...], after: tuple[str, ...], *, without: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys((*before, *after)) if name not in without)
