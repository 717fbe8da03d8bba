"""`history`: the record, from the command line."""

import json

import pytest

from dialog.conversation import Conversation
from dialog.entries import Rated, new_id
from dialog.heads import ConversationSummary
from dialog.store.search import Hit
from dialog.store.transfer import to_record
from dialog.store.upkeep import Pruned
from dialog.testing.making import NOON, replied, said
from dialog.values import Transcript

TALK = {
    "id": "客服/../1",
    "messages": [
        {"role": "user", "content": "我的订单 4711 在哪里？"},
        {"role": "assistant", "content": "It is on its way."},
    ],
}
OTHER = {"id": "c-2", "messages": [{"role": "user", "content": "Can I return it?"}]}


@pytest.fixture
def stored(command, lines):
    assert command("history", "import", lines("in.jsonl", TALK, OTHER)).code == 0


def listed(command):
    return {item["id"] for item in json.loads(command("history", "list", "--json").out)}


def test_list_of_an_empty_store(command):
    result = command("history", "list")
    assert (result.code, result.out, result.err) == (0, "", "no conversations yet\n")


def test_list_json_is_summaries(command, stored):
    items = json.loads(command("history", "list", "--json").out)
    assert [ConversationSummary.model_validate(item).id for item in items] == ["c-2", "客服/../1"]


def test_list_says_that_there_are_more(command, stored):
    result = command("history", "list", "--limit", "1")
    assert result.out.startswith("c-2")
    assert "there are more" in result.err


def test_show_prints_what_was_said(command, stored):
    out = command("history", "show", "客服/../1").out
    assert out == "user: 我的订单 4711 在哪里？\n\nassistant: It is on its way.\n"


def test_show_json_is_a_transcript(command, stored):
    transcript = Transcript.model_validate_json(command("history", "show", "客服/../1", "--json").out)
    assert [message.content for message in transcript.messages] == [m["content"] for m in TALK["messages"]]


@pytest.mark.parametrize("words", ["订单", "on its way", "4711"])
def test_search_finds_both_languages(command, stored, words):
    (hit,) = json.loads(command("history", "search", words, "--json").out)[:1]
    assert Hit.model_validate(hit).conversation_id == "客服/../1"


def test_search_without_a_hit_is_fine(command, stored):
    result = command("history", "search", "zebra")
    assert (result.code, result.out) == (0, "")


@pytest.mark.parametrize("kind", ["transcript", "record"])
def test_export_and_import_give_the_same_conversations(command, stored, kind):
    assert command("history", "export", "--format", kind, "--out", "out.jsonl").code == 0
    before = {one: command("history", "show", one).out for one in listed(command)}
    command("history", "delete", *before)
    assert listed(command) == set()
    assert command("history", "import", "out.jsonl").code == 0
    assert {one: command("history", "show", one).out for one in listed(command)} == before


def test_import_again_changes_nothing(command, stored, lines):
    result = command("history", "import", lines("in.jsonl", TALK, OTHER), "--json")
    assert json.loads(result.out) == {"added": [], "unchanged": ["客服/../1", "c-2"], "refused": []}


def test_import_does_not_overwrite_and_exits_1(command, stored, lines):
    changed = {**OTHER, "messages": [{"role": "user", "content": "Something else"}]}
    result = command("history", "import", lines("in.jsonl", changed))
    assert result.code == 1
    assert "'c-2' is here already" in result.err
    assert "Can I return it?" in command("history", "show", "c-2").out


def test_bad_line_of_an_import_exits_2_and_nothing_is_imported(command, lines):
    result = command("history", "import", lines("in.jsonl", TALK, "{"))
    assert result.code == 2
    assert "in.jsonl:2: " in result.err
    assert listed(command) == set()


def test_export_does_not_overwrite(command, stored, tmp_path):
    (tmp_path / "out.jsonl").write_text("precious")
    assert command("history", "export", "--out", "out.jsonl").code == 2
    assert (tmp_path / "out.jsonl").read_text() == "precious"


def test_export_into_a_missing_folder_exits_1(command, stored):
    result = command("history", "export", "--out", "nowhere/out.jsonl")
    assert result.code == 1
    assert "cannot write" in result.err


def test_delete_of_an_unknown_conversation_exits_1_and_deletes_the_others(command, stored):
    result = command("history", "delete", "nobody", "c-2")
    assert result.code == 1
    assert "no conversation 'nobody'" in result.err
    assert listed(command) == {"客服/../1"}


def test_prune_by_size_keeps_the_newest(command, stored):
    everything = Pruned.model_validate_json(command("history", "prune", "--older-than", "1d", "--json").out)
    limit = str(everything.kept_bytes - 1)
    pruned = Pruned.model_validate_json(command("history", "prune", "--max-bytes", limit, "--json").out)
    assert pruned.deleted == ("客服/../1",)


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["--older-than", "soon"],
        ["--older-than", "99999999w"],
        ["--max-bytes", "-1"],
        ["--max-bytes", "x"],
    ],
)
def test_prune_without_a_sensible_limit_exits_2(command, stored, arguments):
    assert command("history", "prune", *arguments).code == 2
    assert len(listed(command)) == 2


def test_backup_is_a_store(command, stored, tmp_path):
    assert command("history", "backup", "copy.db").code == 0
    copied = command("history", "list", "--json", "--set", f"store.url=sqlite:///{tmp_path}/copy.db")
    assert len(json.loads(copied.out)) == 2


def test_backup_over_a_file_exits_1(command, stored, tmp_path):
    (tmp_path / "copy.db").write_text("precious")
    assert command("history", "backup", "copy.db").code == 1
    assert (tmp_path / "copy.db").read_text() == "precious"


def test_id_that_is_not_utf8_is_an_id(command):
    strange = b"\xbf\xcd\xb7\xfe".decode("utf-8", "surrogateescape")
    result = command("history", "show", strange)
    assert result.code == 1
    assert "no conversation '\\udcbf" in result.err


def test_feedback_is_exported_with_counts(command, lines):
    asked, other = (
        lines(f"{number}.jsonl", record(number, answer, score=score, better=better))
        for number, (answer, score, better) in enumerate([("不知道。", -1, "周五。"), ("Hm.", 0, None)])
    )
    assert command("history", "import", asked, other).code == 0
    result = command("history", "export", "--format", "feedback")
    pair = Transcript.model_validate_json(result.out)
    assert pair.messages[-1].content == "周五。"
    assert pair.meta == {"rejected": [{"role": "assistant", "content": "不知道。"}]}
    assert "1 reworded" in result.err
    assert "left out 1: neither liked nor disliked" in result.err


def record(number, answer, *, score, better):
    """A record of one question, its reply, and what somebody thought of it."""
    talk = Conversation.empty(f"c-{number}")
    talk = talk.append(said(talk, "什么时候到？ When?"))
    entry = replied(talk, answer)
    generated = entry.reply.model_copy(update={"mode": "generated"})
    talk = talk.append(entry.model_copy(update={"reply": generated}))
    talk = talk.append(
        Rated(id=new_id(), parent=entry.id, time=NOON, reply_id=entry.id, score=score, better=better)
    )
    return to_record(talk).model_dump(mode="json")
