"""Turn keys, search, actions, retention, backup and transfer."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from dialog.conversation import Conversation
from dialog.entries import HumanSaid, InstructionSet, Replied, SlotSet, UserSaid, new_id
from dialog.errors import CorpusError, StaleHead, StoreError
from dialog.instructions import Instruction
from dialog.store import open_store
from dialog.store.outbox import Action, NewAction, run_actions
from dialog.store.sql import SqlStore
from dialog.store.transfer import from_record, from_transcript, read_record, to_record, to_transcript
from dialog.testing.making import every_kind, reply, talk
from dialog.values import Message, Transcript
from tests.record.making import NOON, add, ask, later, replied, said, talked

DATABASES = [
    pytest.param("sqlite_url", id="sqlite"),
    pytest.param("postgres_url", id="postgresql", marks=pytest.mark.postgres),
]


@pytest.fixture(params=DATABASES)
def each_store(request: pytest.FixtureRequest, opened: Callable[[str], SqlStore]) -> SqlStore:
    return opened(request.getfixturevalue(request.param))


class Clock:
    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


# turn keys


def test_reply_is_found_by_its_turn_key(each_store: SqlStore) -> None:
    each_store.append("c", [said(Conversation.empty("c"), "hello", turn_key="k")], expected_head=None)
    assert each_store.find_turn("c", "k") is None
    message = each_store.find_said("c", "k")
    assert message is not None
    assert message.text == "hello"
    conversation = each_store.load("c")
    each_store.append("c", [replied(conversation, "hi")], expected_head=conversation.head)
    talk(each_store, "c", num_turns=2)
    found = each_store.find_turn("c", "k")
    assert found is not None
    assert found.reply.text == "hi"
    assert each_store.find_turn("c", "other") is None
    assert each_store.find_turn("elsewhere", "k") is None


def test_retried_turn_gives_the_newest_reply(each_store: SqlStore) -> None:
    each_store.append("c", [said(Conversation.empty("c"), "hello", turn_key="k")], expected_head=None)
    conversation = each_store.load("c")
    message = conversation.head_id
    for text in ("first", "second"):
        entry = Replied(id=new_id(), parent=message, time=NOON, reply=reply(text))
        each_store.append("c", [entry], expected_head=each_store.head("c"))
    found = each_store.find_turn("c", "k")
    assert found is not None
    assert found.reply.text == "second"


# turns


def test_hold_gives_up_after_its_time(each_store: SqlStore) -> None:
    other = SqlStore(each_store.database, now=each_store._now)
    with each_store.hold("c"):
        with (
            pytest.raises(StoreError, match=r"still being answered elsewhere after 0\.05 s"),
            other.hold("c", timeout_s=0.05),
        ):
            raise AssertionError("two turns at once")
        with other.hold("another", timeout_s=5):
            pass
    with other.hold("c", timeout_s=5):
        pass


def test_no_conversation_waits_for_another(each_store: SqlStore) -> None:
    """Three hundred at once: with a fixed number of locks two of them would share one."""
    with ExitStack() as turns:
        for at in range(300 if each_store.database.dialect == "sqlite" else 20):
            turns.enter_context(each_store.hold(f"c{at}", timeout_s=5))


def test_nothing_is_left_of_a_turn(tmp_path: Path) -> None:
    with open_store(f"sqlite:///{tmp_path / 'conversations.db'}") as store:
        with store.hold("../客服"):
            (lock,) = (tmp_path / "conversations.db.turns").iterdir()
            assert lock.name.removesuffix(".lock").isalnum()
        assert list((tmp_path / "conversations.db.turns").iterdir()) == []


# search


@pytest.fixture
def searched(each_store: SqlStore) -> SqlStore:
    for one, question, answer in (
        ("c-zh", "我要退货，运费谁出？", "七天内可以退货，运费由卖家承担。"),
        ("c-en", "Where is my parcel A-17?", "The courier has your parcel; it's on its way."),
        ("c-mixed", "iPhone 15 的保修期多久", "Two years. 保修期为两年。"),
    ):
        conversation = Conversation.empty(one)
        conversation = ask(conversation, question)
        each_store.add(conversation.append(replied(conversation, answer)))
    return each_store


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("退货", {"c-zh"}),
        ("货退", set()),
        ("保修期", {"c-mixed"}),
        ("iphone 保修", {"c-mixed"}),
        ("parcel", {"c-en"}),
        ("PARCEL a-17", {"c-en"}),
        ("parcel 退货", set()),
        ("it's", {"c-en"}),
        ("", set()),
        ("？！", set()),
        ('" OR 1 NOT *:^ NEAR(', set()),
        ("运费 OR", set()),
        ("' & | ! :* <->", set()),
        ("\0", set()),
    ],
)
def test_search_finds_what_was_said(searched: SqlStore, query: str, found: set[str]) -> None:
    assert {hit.conversation_id for hit in searched.search(query)} == found


def test_search_shows_the_place(searched: SqlStore) -> None:
    (hit, *_) = searched.search("卖家承担")
    assert (hit.role, hit.snippet) == ("assistant", "七天内可以退货，运费由卖家承担。")
    assert searched.search("退货", conversation_id="c-en") == ()
    assert len(searched.search("退货", limit=1)) == 1


def test_deleted_conversation_is_not_found(searched: SqlStore) -> None:
    assert searched.delete("c-zh")
    assert searched.search("退货") == ()
    assert not searched.delete("c-zh")
    assert searched.load("c-zh").head is None


def test_conversation_may_begin_again_after_deletion(
    each_store: SqlStore, opened: Callable[[str], SqlStore]
) -> None:
    other = SqlStore(each_store.database, now=each_store._now)
    talk(each_store, "c", num_turns=1)
    assert other.load("c").num_turns == 1
    other.delete("c")
    each_store.append("c", [said(Conversation.empty("c"), "again")], expected_head=None)
    conversation = each_store.load("c")
    each_store.append("c", [replied(conversation, "yes")], expected_head=conversation.head)
    assert [turn.user for turn in other.load("c").turns()] == ["again"]


def test_append_to_a_deleted_conversation_is_stale(each_store: SqlStore) -> None:
    conversation = talk(each_store, "c", num_turns=1)
    each_store.delete("c")
    with pytest.raises(StaleHead, match="deleted"):
        each_store.append("c", [said(conversation, "?")], expected_head=conversation.head)


# actions

REFUND = NewAction(id="refund/A-1 \0", name="refund", payload={"order": "A-1", "cents": 1999})


def enqueue(store: SqlStore, *actions: NewAction) -> None:
    conversation = store.load("c")
    store.append("c", [said(conversation, "refund")], expected_head=conversation.head, actions=actions)


def test_action_is_done_once(each_store: SqlStore) -> None:
    enqueue(each_store, REFUND)
    enqueue(each_store, REFUND)
    done: list[Action] = []

    def handle(action: Action) -> str:
        done.append(action)
        return "ok"

    def work() -> int:
        return run_actions(
            handle,
            claim=lambda: each_store.claim("w"),
            complete=lambda done_id, result: each_store.complete(done_id, worker="w", result=result),
        )

    assert (work(), work()) == (1, 0)
    (action,) = done
    assert (action.id, action.payload, action.attempt) == (REFUND.id, REFUND.payload, 1)
    assert action.conversation_id == "c"
    finished = each_store.find_action(REFUND.id)
    assert finished is not None
    assert (finished.status, finished.result) == ("done", "ok")


def test_action_exists_only_if_its_turn_does(each_store: SqlStore) -> None:
    conversation = talk(each_store, "c", num_turns=1)
    each_store.append("c", [said(conversation, "first")], expected_head=conversation.head)
    with pytest.raises(StaleHead):
        each_store.append(
            "c", [said(conversation, "lost")], expected_head=conversation.head, actions=[REFUND]
        )
    assert each_store.find_action(REFUND.id) is None
    assert each_store.claim("w") is None


def test_dead_workers_action_goes_to_another_and_says_so(sqlite_url: str) -> None:
    clock = Clock()
    with open_store(sqlite_url, now=clock) as store:
        enqueue(store, REFUND)
        assert store.claim("dead", lease_s=60) is not None
        clock.now = later(59)
        assert store.claim("alive") is None
        clock.now = later(61)
        action = store.claim("alive")
        assert action is not None
        assert action.attempt == 2
        with pytest.raises(StoreError, match="not held by 'dead'"):
            store.complete(REFUND.id, worker="dead")
        store.complete(REFUND.id, worker="alive")
        clock.now = later(1e6)
        assert store.claim("alive") is None


def test_a_worker_may_claim_one_action_or_only_what_it_can_do(each_store: SqlStore) -> None:
    other = NewAction(id="mail-1", name="发邮件")
    enqueue(each_store, REFUND, other)
    assert each_store.claim("w", only="unknown") is None
    assert each_store.claim("w", names=("ship",)) is None
    claimed = each_store.claim("w", names=("ship", "发邮件"))
    assert claimed is not None
    assert claimed.id == "mail-1"
    assert each_store.claim("w", only="mail-1") is None
    claimed = each_store.claim("w", only=REFUND.id)
    assert claimed is not None
    assert claimed.id == REFUND.id


# named values


def test_setting_is_replaced_by_compare_and_set(each_store: SqlStore) -> None:
    assert each_store.get_setting("a").version == 0
    one = each_store.put_setting("a", {"n": 1}, expected_version=0)
    with pytest.raises(StaleHead):
        each_store.put_setting("a", {"n": 9}, expected_version=0)
    each_store.put_setting("a", {"n": 2}, expected_version=one.version)
    with pytest.raises(StaleHead):
        each_store.put_setting("a", {"n": 9}, expected_version=one.version)
    assert each_store.get_setting("a").value == {"n": 2}
    with pytest.raises(ValueError, match="printable ASCII"):
        each_store.get_setting("客服")


# retention


def test_prune_removes_the_least_recently_active(each_store: SqlStore) -> None:
    clock = Clock()
    store = SqlStore(each_store.database, now=clock)
    for at in range(4):
        clock.now = NOON + timedelta(days=at)
        talk(store, f"c{at}", num_turns=1)
    each = store.num_bytes() // 4
    pruned = store.prune(older_than=NOON + timedelta(days=1))
    assert (pruned.deleted, pruned.kept_conversations) == (("c0",), 3)
    pruned = store.prune(max_bytes=2 * each)
    assert pruned.deleted == ("c1",)
    assert pruned.kept_bytes == store.num_bytes() <= 2 * each
    assert list(store.ids()) == ["c3", "c2"]
    assert store.prune().deleted == ()
    assert store.prune(max_bytes=0).kept_conversations == 0
    with pytest.raises(ValueError, match="at least 0"):
        store.prune(max_bytes=-1)


def test_pruned_space_goes_back_to_the_disk(store: SqlStore) -> None:
    for at in range(20):
        store.append(f"c{at}", [said(Conversation.empty(f"c{at}"), "长" * 50_000)], expected_head=None)
    path = store.database.path
    assert path is not None
    before = path.stat().st_size + path.with_name(path.name + "-wal").stat().st_size
    store.prune(max_bytes=0)
    assert path.stat().st_size < before / 10


def test_deleted_words_are_not_left_in_the_file(store: SqlStore) -> None:
    store.append("c", [said(Conversation.empty("c"), "my secret is xyzzy4711")], expected_head=None)
    store.prune(max_bytes=0)
    path = store.database.path
    assert path is not None
    store.close()
    assert all(
        b"xyzzy4711" not in part.read_bytes()
        for part in path.parent.glob("conversations.db*")
        if part.is_file()
    )


# backup


def test_backup_is_whole_while_the_store_is_written(store: SqlStore, tmp_path: Path) -> None:
    talk(store, "c", num_turns=3)
    store.backup(tmp_path / "copy.db")
    talk(store, "c", num_turns=1)
    with open_store(f"sqlite:///{tmp_path / 'copy.db'}") as copy:
        assert copy.load("c").num_turns == 3
    with pytest.raises(StoreError, match="exists"):
        store.backup(tmp_path / "copy.db")
    with pytest.raises(StoreError, match="failed"):
        store.backup(tmp_path / "no such folder" / "copy.db")


# transfer


def test_record_is_lossless() -> None:
    conversation = Conversation.empty("客服 \0").append(*every_kind()).edit(0)
    conversation = ask(conversation, "another root").undo()
    line = to_record(conversation).model_dump_json()
    assert "\n" not in line
    restored = from_record(read_record(line, path="f.jsonl", line_number=1))
    assert restored.entries() == conversation.entries()
    assert restored.path() == conversation.path()
    assert restored.redo().turns() == conversation.redo().turns()


def test_record_goes_from_one_store_to_another(store: SqlStore, tmp_path: Path) -> None:
    store.append("c", every_kind(), expected_head=None)
    record = to_record(store.load("c"))
    with open_store(f"sqlite:///{tmp_path / 'other.db'}") as other:
        other.add(from_record(record))
        assert other.load("c").entries() == store.load("c").entries()
        assert to_record(other.load("c")) == record
        with pytest.raises(StaleHead):
            other.add(from_record(record))


def test_bad_record_names_file_and_line() -> None:
    with pytest.raises(CorpusError, match=r"f\.jsonl:7: not a conversation record"):
        read_record('{"id": "c"}', path="f.jsonl", line_number=7)
    with pytest.raises(CorpusError, match=r"f\.jsonl:8"):
        read_record("[" * 100_000, path="f.jsonl", line_number=8)


def test_transcript_holds_what_was_said_on_the_path() -> None:
    rule = Instruction(id="r", text="Be kind.", source="system")
    conversation = add(Conversation.empty("c"), InstructionSet, instruction=rule)
    conversation = ask(conversation, "hello")
    conversation = conversation.append(replied(conversation, "hi"))
    conversation = add(conversation, SlotSet, name="s", value=1, source="u")
    conversation = add(ask(conversation, "a person?"), HumanSaid, text="yes", author="Ann")
    transcript = to_transcript(conversation)
    assert transcript is not None
    assert [(message.role, message.content, message.name) for message in transcript.messages] == [
        ("system", "Be kind.", None),
        ("user", "hello", None),
        ("assistant", "hi", None),
        ("user", "a person?", None),
        ("assistant", "yes", "Ann"),
    ]
    assert to_transcript(Conversation.empty("c")) is None
    again = to_transcript(from_transcript(transcript))
    assert again == transcript


def test_foreign_transcript_becomes_a_conversation(store: SqlStore) -> None:
    transcript = Transcript(
        id="log 1",
        messages=(
            Message(role="user", content="Hi"),
            Message(role="assistant", content="Hello."),
            Message(role="assistant", content="How can I help?"),
            Message(role="user", content="退货"),
        ),
    )
    store.add(from_transcript(transcript, now=NOON))
    first, second = store.load("log 1").turns()
    assert (first.reply, second.reply) == ("Hello.\nHow can I help?", None)
    tool = Transcript(id="t", messages=(Message(role="tool", content="{}"),))
    with pytest.raises(ValueError, match="tool's message cannot be imported"):
        from_transcript(tool)


# what is written is what is read


def test_deeply_nested_value_is_refused_before_it_is_recorded(store: SqlStore) -> None:
    nested: object = 1
    for _ in range(100_000):
        nested = [nested]
    conversation = talk(store, "c", num_turns=1)
    entry = SlotSet(id="s", parent=conversation.head_id, time=NOON, name="n", value=nested, source="u")
    with pytest.raises(ValueError, match="cannot be recorded"):
        store.append("c", [entry], expected_head=conversation.head)
    assert store.load("c").num_turns == 1


def test_big_message_is_recorded_in_about_a_second(store: SqlStore) -> None:
    text = "长" * 3_400_000
    store.append("c", [said(Conversation.empty("c"), text)], expected_head=None)
    assert store.load("c").turns()[0].user == text


def test_remembered_conversation_equals_the_one_read_anew(store: SqlStore, sqlite_url: str) -> None:
    conversation = talk(store, "c", num_turns=2)
    entry = SlotSet(id="s", parent=conversation.head_id, time=NOON, name="n", value=(1, 2), source="u")
    store.append("c", [entry], expected_head=conversation.head)
    with open_store(sqlite_url) as fresh:
        assert fresh.load("c").entries() == store.load("c").entries()


def test_entry_of_a_newer_version_is_named(store: SqlStore, sqlite_url: str) -> None:
    talk(store, "old", num_turns=1)
    talk(store, "new", num_turns=1)
    _change_body(store, "new", {"kind": "telepathy_received"})
    with open_store(sqlite_url) as fresh:
        with pytest.raises(StoreError, match=r"'telepathy_received' was written by a newer version"):
            fresh.load("new")
        assert fresh.load("old").num_turns == 1
        assert fresh.delete("new")


def test_damaged_entry_is_named_and_others_are_readable(store: SqlStore, sqlite_url: str) -> None:
    talk(store, "sound", num_turns=1)
    talk(store, "hurt", num_turns=1)
    _change_body(store, "hurt", {"time": "yesterday"})
    with open_store(sqlite_url) as fresh:
        with pytest.raises(StoreError, match=r"conversation 'hurt', entry 1: the entry is damaged"):
            fresh.load("hurt")
        assert fresh.load("sound").num_turns == 1


def _change_body(store: SqlStore, id: str, changes: dict[str, str]) -> None:
    """Change the newest entry of a conversation behind the store's back."""
    path = store.database.path
    assert path is not None
    newest = store.load(id).head_id
    with closing(sqlite3.connect(path)) as connection, connection:
        rows = connection.execute("SELECT seq, body FROM entries").fetchall()
        for seq, body in rows:
            fields = json.loads(body)
            if fields["id"] == newest:
                connection.execute(
                    "UPDATE entries SET body = ? WHERE seq = ?", (json.dumps({**fields, **changes}), seq)
                )


def test_bad_cursor_is_misuse(store: SqlStore) -> None:
    with pytest.raises(ValueError, match="not a cursor"):
        store.list(limit=1, cursor="'; DROP TABLE entries")


def test_moving_the_head_of_nothing_is_misuse(store: SqlStore) -> None:
    with pytest.raises(ValueError, match="nothing to append"):
        store.append("c", [], expected_head=None)
    with pytest.raises(ValueError, match="at least one character"):
        store.load("")
    assert isinstance(talked(1).path()[0], UserSaid)
