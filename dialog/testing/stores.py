"""What every conversation store must do: checks that any implementation can run.

Each check is a plain function that gets a way to open the store and raises
AssertionError. A check uses conversation ids of its own, so all of them may
run over one store; opening twice must lead to the same conversations.

    @pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
    def test_store(check, tmp_path):
        check(lambda: open_store(f"sqlite:///{tmp_path / 'conversations.db'}"))
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from dialog.conversation import Conversation
from dialog.entries import (
    ActionDecided,
    ActionDone,
    ActionProposed,
    Entry,
    HandedOff,
    HumanSaid,
    InstructionSet,
    IntentSet,
    Rated,
    Replied,
    Resumed,
    SkillEntered,
    SlotSet,
    Summarised,
    UserSaid,
    new_id,
)
from dialog.errors import DialogError, DuplicateTurn, StaleHead
from dialog.instructions import Instruction
from dialog.protocols import Store
from dialog.values import Fingerprint, FitReport, Reply, Timings

OpenStore = Callable[[], Store]
NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)

ODD_IDS = (
    "../x",
    "..\\x",
    "/etc/passwd",
    "x",
    "X",
    "x ",
    " x",
    "a\0b",
    "a\0c",
    "a",
    "\0",
    "客服",
    "客服\u200b",
    "é",
    "e\u0301",
    "ｘ",
    "%s' OR 1=1 --",
    "x" * 10_000,
    "x" * 9_999 + "y",
    "🙂",
    "\ud800",
    ".",
    "CON",
)
ODD_TEXTS = (
    "",
    "a\0b",
    "客服：您好，请问有什么可以帮您？",
    "e\u0301 é ｆｕｌｌ \u202egnp.exe",
    "🙂👩‍👩‍👧",
    "\x1b[31mred\x1b[0m \r\n\t",
    "\"quoted\" \\ and 'so' on; DROP TABLE entries; --",
    "lone \ud83d surrogate",
    "z\u0301" * 1000,
    "长" * 300_000,
)


def said(conversation: Conversation, text: str, *, turn_key: str | None = None) -> UserSaid:
    """A user's message that follows the head."""
    return UserSaid(id=new_id(), parent=conversation.head_id, time=NOON, text=text, turn_key=turn_key)


def replied(conversation: Conversation, text: str) -> Replied:
    """A reply that follows the head."""
    return Replied(id=new_id(), parent=conversation.head_id, time=NOON, reply=reply(text))


def reply(text: str) -> Reply:
    """A `Reply` that says `text` and nothing else."""
    return Reply(
        text=text,
        mode="fixed",
        finish_reason="stop",
        conversation_id="-",
        turn_id="-",
        skill="answer",
        fit=FitReport(limit_tokens=0, used_tokens=0, reserved_tokens=0),
        timings=Timings(),
        fingerprint=Fingerprint(model="none", template="", prompt="", config=""),
    )


def talk(store: Store, id: str, *, num_turns: int) -> Conversation:
    """Record turns `question 0`, `answer 0`, ... at the head of a conversation."""
    for at in range(num_turns):
        conversation = store.load(id)
        question = said(conversation, f"question {at}")
        store.append(id, [question], expected_head=conversation.head)
        conversation = store.load(id)
        store.append(id, [replied(conversation, f"answer {at}")], expected_head=conversation.head)
    return store.load(id)


def unknown_conversation_is_empty(open_store: OpenStore) -> None:
    conversation = open_store().load("never heard of")
    assert conversation.head is None
    assert conversation.path() == ()


def entries_come_back_equal(open_store: OpenStore) -> None:
    entries = every_kind()
    store = open_store()
    store.append("every kind", entries, expected_head=None)
    for loaded in (store.load("every kind"), open_store().load("every kind")):
        assert loaded.path() == entries
        assert loaded.entries() == entries


def every_kind() -> tuple[Entry, ...]:
    """A path with an entry of each kind."""
    made: list[Entry] = []

    def add(kind: Callable[..., Entry], **fields: Any) -> None:
        parent = made[-1].id if made else None
        made.append(kind(id=f"entry {len(made)}", parent=parent, time=NOON, **fields))

    add(
        InstructionSet,
        instruction=Instruction(id="i", text="请用中文回答。", source="system", topic="language", weight=0.5),
    )
    add(UserSaid, text="退货要几天？", turn_key="key \0 one")
    add(SlotSet, name="order", value={"no": "A-1", "items": [1, 2.5, None, True]}, source="entry 1")
    add(IntentSet, intent="return", confidence=0.75)
    add(SkillEntered, skill="support")
    add(Replied, reply=reply("七天。"))
    add(Rated, reply_id="entry 5", score=-1.0, reason="too short", better="七天内可以退货。")
    add(Summarised, text="退货：七天", covers=("entry 1", "entry 5"), language="zh")
    add(HandedOff, status="waiting", reason="asked", briefing="退货", timeout_s=60.0)
    add(HandedOff, status="human")
    add(HumanSaid, text="您好", author="小王")
    add(Resumed, reason="done")
    add(ActionProposed, action_id="a", name="cancel", arguments={"单号": ["A-1", None]}, reason="客户要求")
    add(ActionDecided, action_id="a", approved=True, by="小王")
    add(ActionDone, action_id="a", result={"cancelled": True})
    return tuple(made)


def version_grows_by_one(open_store: OpenStore) -> None:
    store = open_store()
    conversation = talk(store, "versions", num_turns=2)
    assert conversation.head is not None
    assert conversation.head.version == 4


def stale_head_is_refused(open_store: OpenStore) -> None:
    mine, theirs = open_store(), open_store()
    before = talk(mine, "stale", num_turns=1)
    theirs_now = theirs.load("stale")
    theirs.append("stale", [said(theirs_now, "theirs")], expected_head=theirs_now.head)
    lost = said(before, "mine")
    _refused(StaleHead, lambda: mine.append("stale", [lost], expected_head=before.head))
    now = mine.load("stale")
    assert lost.id not in now
    assert [turn.user for turn in now.turns()] == ["question 0", "theirs"]


def conversation_is_begun_once(open_store: OpenStore) -> None:
    mine, theirs = open_store(), open_store()
    empty = Conversation.empty("begun")
    mine.append("begun", [said(empty, "first")], expected_head=None)
    _refused(StaleHead, lambda: theirs.append("begun", [said(empty, "second")], expected_head=None))
    assert [turn.user for turn in theirs.load("begun").turns()] == ["first"]


def other_handles_see_what_is_recorded(open_store: OpenStore) -> None:
    writer, reader = open_store(), open_store()
    for at in range(3):
        conversation = writer.load("seen")
        writer.append("seen", [said(conversation, f"{at}")], expected_head=conversation.head)
        assert [turn.user for turn in reader.load("seen").turns()] == [
            str(number) for number in range(at + 1)
        ]


def loaded_conversation_stays_as_it_was(open_store: OpenStore) -> None:
    store = open_store()
    before = talk(store, "kept view", num_turns=1)
    store.append("kept view", [said(before, "later")], expected_head=before.head)
    assert len(before.entries()) == 2
    assert len(store.load("kept view").entries()) == 3


def head_moves_without_losing_entries(open_store: OpenStore) -> None:
    store = open_store()
    conversation = talk(store, "moves", num_turns=3)
    undone = conversation.undo()
    assert undone.head is not None
    head = store.append(
        "moves", [], expected_head=conversation.head, head=undone.head.head, tip=undone.head.tip
    )
    assert head == undone.head
    loaded = open_store().load("moves")
    assert loaded.turns() == undone.turns()
    assert loaded.entries() == conversation.entries()
    assert loaded.redo().turns() == conversation.turns()


def head_moves_before_the_first_turn(open_store: OpenStore) -> None:
    store = open_store()
    conversation = talk(store, "to the root", num_turns=1)
    undone = conversation.undo()
    assert undone.head is not None
    assert undone.head.head is None
    store.append("to the root", [], expected_head=conversation.head, head=None, tip=undone.head.tip)
    loaded = open_store().load("to the root")
    assert loaded.turns() == ()
    assert loaded.redo().turns() == conversation.turns()


def branches_grow_beside_each_other(open_store: OpenStore) -> None:
    store = open_store()
    conversation = talk(store, "branches", num_turns=2)
    edited = conversation.edit(1)
    other = said(edited, "another question 1")
    store.append("branches", [other], expected_head=conversation.head)
    loaded = open_store().load("branches")
    assert [turn.user for turn in loaded.turns()] == ["question 0", "another question 1"]
    assert [branch.preview for branch in loaded.tips()] == ["question 1", "another question 1"]
    assert conversation.head_id is not None
    assert loaded.switch(conversation.head_id).turns() == conversation.turns()


def impossible_entries_are_refused(open_store: OpenStore) -> None:
    store = open_store()
    conversation = talk(store, "impossible", num_turns=1)
    head = conversation.head
    lost = UserSaid(id=new_id(), parent="nobody", time=NOON, text="?")
    again = conversation.path()[0]
    sound = said(conversation, "sound")
    _refused(ValueError, lambda: store.append("impossible", [lost], expected_head=head))
    _refused(ValueError, lambda: store.append("impossible", [again], expected_head=head))
    _refused(ValueError, lambda: store.append("impossible", [sound, lost], expected_head=head))
    _refused(ValueError, lambda: store.append("impossible", [], expected_head=head, head="nobody"))
    assert open_store().load("impossible").entries() == conversation.entries()
    assert open_store().load("impossible").head == head


def odd_ids_never_collide(open_store: OpenStore) -> None:
    store = open_store()
    for at, odd in enumerate(ODD_IDS):
        store.append(odd, [said(Conversation.empty(odd), f"text {at}")], expected_head=None)
    reopened = open_store()
    for at, odd in enumerate(ODD_IDS):
        loaded = reopened.load(odd)
        assert loaded.id == odd
        assert [turn.user for turn in loaded.turns()] == [f"text {at}"]
    assert set(ODD_IDS) <= {item.id for item in reopened.list(limit=1000).items}


def odd_texts_come_back_equal(open_store: OpenStore) -> None:
    store = open_store()
    for text in ODD_TEXTS:
        conversation = store.load("odd texts")
        store.append("odd texts", [said(conversation, text)], expected_head=conversation.head)
    assert tuple(turn.user for turn in open_store().load("odd texts").turns()) == ODD_TEXTS


def list_is_newest_first_in_pages(open_store: OpenStore) -> None:
    store = open_store()
    ids = [f"listed {number}" for number in range(5)]
    for listed in ids:
        talk(store, listed, num_turns=1)
    talk(store, ids[0], num_turns=1)
    seen: list[str] = []
    cursor: str | None = None
    while len(seen) < 1000:
        page = store.list(limit=2, cursor=cursor)
        assert len(page.items) <= 2
        seen += [item.id for item in page.items if item.id in ids]
        cursor = page.cursor
        if cursor is None:
            break
    assert seen == ["listed 0", "listed 4", "listed 3", "listed 2", "listed 1"]
    first = next(item for item in store.list(limit=1).items)
    assert (first.title, first.num_turns) == ("question 0", 2)


def turn_key_is_used_once(open_store: OpenStore) -> None:
    store = open_store()
    empty = Conversation.empty("keyed")
    store.append("keyed", [said(empty, "once", turn_key="k 1")], expected_head=None)
    conversation = store.load("keyed")
    again = said(conversation, "twice", turn_key="k 1")
    _refused(DuplicateTurn, lambda: store.append("keyed", [again], expected_head=conversation.head))
    assert store.load("keyed").entries() == conversation.entries()
    other = Conversation.empty("keyed elsewhere")
    store.append("keyed elsewhere", [said(other, "elsewhere", turn_key="k 1")], expected_head=None)


def writers_do_not_lose_each_others_entries(open_store: OpenStore) -> None:
    num_writers, num_each = 4, 10

    def write(name: int, failures: list[BaseException]) -> None:
        store = open_store()
        try:
            for at in range(num_each):
                _append_until_done(store, "writers", f"{name}:{at}")
        except BaseException as error:
            failures.append(error)

    failures: list[BaseException] = []
    threads = [threading.Thread(target=write, args=(name, failures)) for name in range(num_writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    texts = [turn.user for turn in open_store().load("writers").turns()]
    assert len(texts) == num_writers * num_each
    for name in range(num_writers):
        own = [text for text in texts if text.startswith(f"{name}:")]
        assert own == [f"{name}:{at}" for at in range(num_each)]


def hold_keeps_turns_whole(open_store: OpenStore) -> None:
    def turn(name: int) -> None:
        store = open_store()
        for at in range(5):
            with store.hold("held"):
                conversation = store.load("held")
                question = said(conversation, f"{name}:{at}")
                store.append("held", [question], expected_head=conversation.head)
                conversation = store.load("held")
                store.append("held", [replied(conversation, f"{name}:{at}")], expected_head=conversation.head)

    threads = [threading.Thread(target=turn, args=(name,)) for name in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    turns = open_store().load("held").turns()
    assert len(turns) == 15
    assert all(turn.reply == turn.user for turn in turns)


def _append_until_done(store: Store, id: str, text: str) -> None:
    while True:
        conversation = store.load(id)
        try:
            store.append(id, [said(conversation, text)], expected_head=conversation.head)
            return
        except StaleHead:
            continue


def _refused(kind: type[Exception], act: Callable[[], object]) -> None:
    try:
        act()
    except kind:
        return
    except DialogError as error:
        raise AssertionError(f"refused with {error!r} instead of {kind.__name__}") from error
    raise AssertionError(f"accepted what should raise {kind.__name__}")


STORE_CHECKS: tuple[Callable[[OpenStore], None], ...] = (
    unknown_conversation_is_empty,
    entries_come_back_equal,
    version_grows_by_one,
    stale_head_is_refused,
    conversation_is_begun_once,
    other_handles_see_what_is_recorded,
    loaded_conversation_stays_as_it_was,
    head_moves_without_losing_entries,
    head_moves_before_the_first_turn,
    branches_grow_beside_each_other,
    impossible_entries_are_refused,
    odd_ids_never_collide,
    odd_texts_come_back_equal,
    list_is_newest_first_in_pages,
    turn_key_is_used_once,
    writers_do_not_lose_each_others_entries,
    hold_keeps_turns_whole,
)
