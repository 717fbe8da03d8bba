"""The skill: recommendations in a conversation, sharpened turn by turn, or for records in a file.

    [skills.options.recommend]
    items = "catalogue.csv"         # id, title, tags, year, price, text
    behaviour = "orders.csv"        # user, item, time; may be missing
    weights = "weights.json"        # written there once they are learned
    model_weight = 0.0              # above 0 the language model reorders the best 20

What was asked so far and what was shown is the slot `recommend`; `user`, where
some other part of the agent has set that slot, finds the customer's own past.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import Field, JsonValue

from dialog.errors import ConfigError, KnowledgeError, SkillError
from dialog.events import Event
from dialog.skill import SkillSpec, SkillTurn, Tools
from dialog.text import detect_language
from dialog.values import Language, Value
from skills.recommend.behaviour import Behaviour, Floats, read_behaviour
from skills.recommend.catalogue import Catalogue, Item, read_catalogue
from skills.recommend.critique import Wish, asks_to_change, read_wish
from skills.recommend.fusion import EVEN, Weights, fit, load_weights
from skills.recommend.instructions import Instruction, matching_scores, render
from skills.recommend.ranking import Pick, Shop
from skills.wordings import load

SLOT = "recommend"
USER_SLOT = "user"
TOP_K = 3
_ASKS = re.compile(
    r"\b(?:recommend(?:ation|ations)?|suggest(?:ion|ions)?|something (?:like|similar)|what should i "
    r"(?:watch|read|buy|get|take)(?! (?:back|care|with|out)\b)|any ideas|what(?:'s| is) good)\b"
    r"|推荐|有什么好(?:看|用|的)|(?:看|买|选)什么好|类似(?!的?(?:问题|情况))",
    re.I,
)
_ASKS_HOW = re.compile(
    r"\b(?:how(?! about)|what (?:temperature|size|setting|amount|time)|which (?:temperature|size|setting))\b"
    r"|推荐的?(?:温度|水温|用量|码|人|奖)|怎么(?!样)|如何|多久|(?:多少|几)(?:水|克|毫升|度|天|次|分钟)",
    re.I,
)
"""A question about one thing, which the documents answer: "how do you recommend to clean it"."""
_SURE, _FOLLOWS = 0.9, 0.85


class Asked(Value):
    """What to recommend for: words, what was taken before (ids or titles), and from where.

    Attributes:
        candidates: choose among these instead of the configured catalogue.
    """

    text: str = ""
    history: tuple[str, ...] = ()
    candidates: tuple[Item, ...] = ()
    top_k: int = Field(default=TOP_K, ge=1, le=100)


class Recommended(Value):
    """What is recommended, best first, what was understood, and the instruction a model would be given."""

    ids: tuple[str, ...]
    picks: tuple[Pick, ...]
    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]
    liked: tuple[str, ...]
    disliked: tuple[str, ...]
    max_price: float | None
    instruction: str
    notes: tuple[str, ...] = ()


class Memory(Value):
    """What the slot holds: the wish so far, and the ids shown, newest last."""

    wish: Wish = Wish()
    shown: tuple[str, ...] = ()


class Recommend:
    """Recommends from a catalogue by what people took and what this one says."""

    spec = SkillSpec(
        name="recommend",
        description="recommend items by past choices and stated wishes",
        input=Asked,
        output=Recommended,
        cases=Path(__file__).with_name("cases.jsonl"),
        titles={"en": "a recommendation", "zh": "推荐商品"},
    )

    def __init__(self) -> None:
        self._opened: dict[str, tuple[Shop, tuple[str, ...]]] = {}

    def matches(self, turn: SkillTurn) -> float:
        if "items" not in turn.tools.options("recommend"):
            return 0.0
        if _ASKS.search(turn.text) and not _ASKS_HOW.search(turn.text):
            return _SURE
        return _FOLLOWS if SLOT in turn.state.slots and asks_to_change(turn.text) else 0.0

    def run(self, turn: SkillTurn) -> Iterator[Event]:
        """Offer what fits and remember it. Raises SkillError."""
        shop, _ = self._shop(turn.tools.options("recommend"))
        slot = turn.state.slots.get(SLOT)
        memory = Memory.model_validate(slot.value) if slot is not None else Memory()
        said = read_wish(turn.text, shop.catalogue)
        shown = tuple(
            shop.catalogue.items[shop.catalogue.places[one]]
            for one in memory.shown[-TOP_K:]
            if one in shop.catalogue.places
        )
        wish = memory.wish.then(said).settle(shown)
        language: Language = "zh" if turn.language == "zh" else "en"
        user = turn.state.slots.get(USER_SLOT)
        taken = shop.past.histories.get(str(user.value), ()) if user is not None else ()
        history = tuple(shop.catalogue.items[event.place].id for event in taken)
        picks, _, _ = _pick(
            shop, turn.tools, turn.text, history=history, wish=wish, shown=memory.shown, language=language
        )
        remembered = Memory(
            wish=wish.model_copy(update=_SETTLED), shown=(*memory.shown, *(p.item.id for p in picks))
        )
        turn.note_intent("recommend", _SURE)
        turn.set_slot(SLOT, remembered.model_dump(mode="json"))
        yield from turn.say(_told(picks, wish, language), mode="template")

    def work(self, items: Sequence[Asked], tools: Tools) -> Iterator[Recommended]:
        """One answer a record, in order. Raises SkillError: no candidates and no catalogue."""
        for asked in items:
            if asked.candidates:
                catalogue = Catalogue(asked.candidates)
                past = Behaviour((), num_items=len(catalogue.items))
                shop, notes = Shop(catalogue, past, EVEN), _NO_NOTES
            else:
                shop, notes = self._shop(tools.options("recommend"))
            yield _recommended(asked, shop, tools, notes)

    def _shop(self, options: Mapping[str, JsonValue]) -> tuple[Shop, tuple[str, ...]]:
        """The configured shop, read once, and what was left out in reading it."""
        if "items" not in options:
            raise SkillError('recommend has no catalogue; set [skills.options.recommend] items = "FILE.csv"')
        key = repr(sorted(options.items()))
        if key not in self._opened:
            self._opened[key] = open_shop(options)
        return self._opened[key]


def open_shop(options: Mapping[str, JsonValue]) -> tuple[Shop, tuple[str, ...]]:
    """Catalogue, past and weights as the options name them; weights are learned if there are none yet.

    Raises:
        SkillError: a file cannot be read or holds something else.
    """
    catalogue = read_catalogue(Path(str(options["items"])))
    events, unknown = (
        read_behaviour(Path(str(options["behaviour"])), catalogue) if "behaviour" in options else ([], 0)
    )
    past = Behaviour(events, num_items=len(catalogue.items))
    notes = [f"{unknown} events name items that are not in the catalogue"] if unknown else []
    path = Path(str(options["weights"])) if "weights" in options else None
    weights: Weights
    if path is not None and path.exists():
        weights = load_weights(path)
    else:
        weights = fit(events, catalogue, users=tuple(past.histories))
        if path is not None and weights != EVEN:
            weights.save(path)
    if weights == EVEN:
        notes.append("too little behaviour to learn weights from: every column counts the same")
    return Shop(catalogue, past, weights), tuple(notes)


_NO_NOTES: tuple[str, ...] = ()
_SETTLED = {"cheaper": False, "dearer": False, "newer": False, "older": False}


def _recommended(asked: Asked, shop: Shop, tools: Tools, notes: tuple[str, ...]) -> Recommended:
    wish = read_wish(asked.text, shop.catalogue)
    history = tuple(_id_of(name, shop.catalogue) for name in asked.history)
    unknown = [name for name in history if name not in shop.catalogue.places]
    language: Language = "zh" if detect_language(asked.text) == "zh" else "en"
    picks, instruction, more = _pick(
        shop, tools, asked.text, history=history, wish=wish, language=language, top_k=asked.top_k
    )
    if unknown:
        notes = (*notes, f"not in the catalogue, not used: {', '.join(unknown)}")
    return Recommended(
        ids=tuple(pick.item.id for pick in picks),
        picks=tuple(picks),
        wanted=wish.wanted,
        unwanted=wish.unwanted,
        liked=wish.liked,
        disliked=wish.disliked,
        max_price=wish.max_price,
        instruction=instruction,
        notes=(*notes, *more),
    )


def _pick(
    shop: Shop,
    tools: Tools,
    text: str,
    *,
    history: tuple[str, ...],
    wish: Wish,
    language: Language,
    shown: tuple[str, ...] = (),
    top_k: int = TOP_K,
) -> tuple[list[Pick], str, tuple[str, ...]]:
    """The picks, the instruction for a model, and notes on what could not be used."""
    items, places = shop.catalogue.items, shop.catalogue.places
    instruction = render(
        Instruction(
            preference="implicit" if history else "explicit" if text.strip() else "none",
            intention="specific" if wish.wanted or wish.unwanted else "vague" if wish.liked else "none",
            history=tuple(items[places[one]].title for one in history if one in places) or ("?",),
            stated=text.strip(),
            wish=_summary(wish, shop.catalogue),
        ),
        language=language,
    )
    weight = tools.options("recommend").get("model_weight", 0.0)
    likeness, notes = _likeness(shop, tools, text)
    picks = shop.pick(
        history=history,
        wish=wish,
        top_k=top_k,
        language=language,
        shown=shown,
        likeness_N=likeness,
        match=lambda titles: matching_scores(tools.model, instruction, titles),
        match_weight=float(weight) if isinstance(weight, int | float) else 0.0,
    )
    return picks, instruction, notes


def _likeness(shop: Shop, tools: Tools, text: str) -> tuple[Floats | None, tuple[str, ...]]:
    """Likeness of the words where items describe themselves and there is an embedder."""
    if not text.strip() or not any(item.text for item in shop.catalogue.items):
        return None, ()
    try:
        return shop.likeness(text, tools.embedder), ()
    except (ConfigError, KnowledgeError) as error:
        return None, (f"descriptions were not compared: {error}",)


def _summary(wish: Wish, catalogue: Catalogue) -> str:
    """The wish in the words it was read from, negations marked."""
    titles = [catalogue.items[catalogue.places[one]].title for one in wish.liked if one in catalogue.places]
    parts = [*wish.wanted, *(f"≠ {kind}" for kind in wish.unwanted), *(f"~ {title}" for title in titles)]
    parts += [f"≤ {wish.max_price:g}"] if wish.max_price is not None else []
    parts += [f"≥ {wish.min_price:g}"] if wish.min_price is not None else []
    parts += [f"≥ {wish.min_year}"] if wish.min_year is not None else []
    parts += [f"≤ {wish.max_year}"] if wish.max_year is not None else []
    return ", ".join(parts)


def _told(picks: Sequence[Pick], wish: Wish, language: Language) -> str:
    wordings = load("recommend")
    lines = []
    open_words = [one.words for one in wish.evidence if one.about in _SETTLED and getattr(wish, one.about)]
    if open_words:
        lines.append(wordings.fill("open", language, what=", ".join(open_words)))
    if not picks:
        asked = _summary(wish, Catalogue(())) or "-"
        return "\n".join([*lines, wordings.fill("nothing", language, wish=asked)])
    lines.append(wordings.fill("offer", language))
    between = "；" if language == "zh" else "; "
    for number, pick in enumerate(picks, start=1):
        price = "" if pick.item.price is None else f" ({pick.item.price:g})"
        why = between.join(reason.text for reason in pick.reasons)
        lines.append(f"{number}. {pick.item.title}{price}{'：' if language == 'zh' else ': '}{why}")
    return "\n".join(lines)


def _id_of(name: str, catalogue: Catalogue) -> str:
    if name in catalogue.places:
        return name
    return next(iter(catalogue.titles_in(f"《{name}》")), name)
