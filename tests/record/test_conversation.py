"""The tree: appending, moving the head, branches, and what older views see."""

from __future__ import annotations

import threading

import pytest

from dialog.conversation import Conversation
from dialog.entries import HumanSaid, Rated, new_id
from dialog.heads import Head
from tests.record.making import add, ask, replied, said, talked


def questions(conversation: Conversation) -> list[str]:
    return [turn.user for turn in conversation.turns()]


def test_turns_are_numbered_along_the_path() -> None:
    first, second = talked(2).turns()
    assert (first.index, first.user, first.reply) == (0, "question 0", "answer 0")
    assert (second.index, second.user, second.reply) == (1, "question 1", "answer 1")


def test_newest_turn_comes_first_and_may_be_unanswered() -> None:
    newest, before = ask(talked(1), "and now?").turns_back()
    assert (newest.user, newest.reply, newest.reply_id) == ("and now?", None, None)
    assert before.reply == "answer 0"


def test_turn_answered_by_a_person_has_no_reply() -> None:
    conversation = add(ask(Conversation.empty("c"), "hello?"), HumanSaid, text="hi", author="Ann")
    assert conversation.turns()[0].reply is None


def test_two_replies_to_one_message_are_joined() -> None:
    conversation = talked(1)
    conversation = conversation.append(replied(conversation, "and more"))
    assert conversation.turns()[0].reply == "answer 0\nand more"


def test_undo_and_redo_move_by_one_user_turn() -> None:
    conversation = talked(3)
    assert questions(conversation.undo()) == ["question 0", "question 1"]
    assert questions(conversation.undo().undo().redo()) == ["question 0", "question 1"]
    assert conversation.undo().undo().redo().redo().turns() == conversation.turns()
    assert conversation.undo().undo().undo().redo().turns() == conversation.turns()[:1]


def test_undo_takes_the_entries_of_the_turn_with_it_and_keeps_those_before() -> None:
    rated = add(talked(1), Rated, reply_id="r", score=1.0)
    conversation = ask(rated, "next")
    assert conversation.undo().path() == rated.path()


def test_nothing_to_undo_or_redo_is_misuse() -> None:
    with pytest.raises(ValueError, match="no user turn to undo"):
        Conversation.empty("c").undo()
    with pytest.raises(ValueError, match="nothing to redo"):
        talked(1).redo()
    with pytest.raises(ValueError, match="nothing to redo"):
        Conversation.empty("c").redo()


def test_answering_after_undo_starts_a_branch_and_keeps_the_old_one() -> None:
    conversation = talked(2)
    branched = ask(conversation.undo(), "something else")
    assert questions(branched) == ["question 0", "something else"]
    with pytest.raises(ValueError, match="nothing to redo"):
        branched.redo()
    old, new = branched.tips()
    assert (old.preview, old.num_turns, old.shared_turns, old.is_current) == ("question 1", 2, 1, False)
    assert (new.preview, new.num_turns, new.shared_turns, new.is_current) == ("something else", 2, 2, True)
    assert branched.switch(old.tip).turns() == conversation.turns()


def test_edit_puts_the_head_before_a_turn() -> None:
    edited = talked(3).edit(1)
    assert questions(edited) == ["question 0"]
    assert questions(ask(edited, "better")) == ["question 0", "better"]
    with pytest.raises(ValueError, match="no turn 3"):
        talked(3).edit(3)
    with pytest.raises(ValueError, match="no turn -1"):
        talked(3).edit(-1)


def test_editing_the_first_turn_makes_a_second_root() -> None:
    conversation = ask(talked(1).edit(0), "begin again")
    assert [entry.parent for entry in conversation.children(None)] == [None, None]
    assert len(conversation.tips()) == 2


def test_fork_carries_only_the_path() -> None:
    branched = ask(talked(2).undo(), "something else")
    forked = branched.fork("other")
    assert forked.id == "other"
    assert forked.path() == branched.path()
    assert len(forked.tips()) == 1
    with pytest.raises(ValueError, match="id of its own"):
        branched.fork("c")


def test_older_views_never_see_what_came_later() -> None:
    before = talked(1)
    left, right = ask(before, "left"), ask(before, "right")
    assert len(before.entries()) == 2
    assert questions(left) == ["question 0", "left"]
    assert questions(right) == ["question 0", "right"]
    assert left.head_id not in right
    assert right.children(before.head_id) == (right.path()[-1],)


def test_view_from_the_store_and_own_view_share_the_same_entries() -> None:
    before = talked(1)
    message = said(before, "next")
    one, two = before.append(message), before.append(message)
    assert one.arena is two.arena
    assert one.turns() == two.turns()


def test_entry_in_the_wrong_place_is_misuse() -> None:
    conversation = talked(1)
    stray = said(Conversation.empty("c"), "stray")
    with pytest.raises(ValueError, match="follows"):
        conversation.append(stray)
    with pytest.raises(ValueError, match="already recorded"):
        conversation.extended([conversation.path()[0]], conversation.head)
    with pytest.raises(ValueError, match="no entry 'nobody'"):
        conversation.switch("nobody")
    with pytest.raises(ValueError, match="belongs to"):
        conversation.at(Head(conversation_id="other", head=None, tip=None, version=0))


def test_refused_entries_leave_nothing_behind() -> None:
    conversation = talked(1)
    good = said(conversation, "good")
    with pytest.raises(ValueError, match="already recorded"):
        conversation.extended([good, good], conversation.head)
    assert questions(conversation.append(good)) == ["question 0", "good"]


def test_threads_may_extend_one_view_at_once() -> None:
    before = talked(1)
    results: list[Conversation] = []
    threads = [
        threading.Thread(target=lambda at=at: results.append(ask(before, f"thread {at}"))) for at in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(questions(result)[-1] for result in results) == sorted(f"thread {at}" for at in range(16))
    assert all(len(result.entries()) == 3 for result in results)


def test_moves_take_few_steps_in_a_long_conversation() -> None:
    """Jump pointers: reaching turn 0 of 2,000 visits dozens of nodes, not thousands."""
    node = talked(2_000).head_node
    assert node is not None
    steps = 0
    while node.depth > 0:
        node = node.jump
        steps += 1
    assert steps < 40
    assert questions(talked(2_000).edit(1)) == ["question 0"]


def test_ids_sort_by_time_and_differ() -> None:
    early = new_id(clock_ns=lambda: 1, random_bytes=lambda count: b"\xff" * count)
    late = new_id(clock_ns=lambda: 2, random_bytes=lambda count: b"\0" * count)
    assert early < late
    assert len({new_id() for _ in range(1_000)}) == 1_000
