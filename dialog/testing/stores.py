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

from dialog.conversation import Conversation
from dialog.entries import (
    UserSaid,
    new_id,
)
from dialog.errors import DialogError, DuplicateTurn, StaleHead
from dialog.protocols import Store
from dialog.testing.making import NOON, ODD_IDS, ODD_TEXTS, every_kind, replied, said, talk

OpenStore = Callable[[], Store]


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
