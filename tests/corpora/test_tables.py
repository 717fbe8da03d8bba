"""CSV, TSV and XLSX: columns told, given or asked for."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import datetime
from io import BytesIO
from pathlib import Path

import pytest
from openpyxl import Workbook

from corpora.columns import read_columns
from corpora.formats import Columns, ReadOptions
from corpora.reading import Reading
from dialog.errors import CorpusError
from tests.corpora.conftest import Result, Write
from tests.corpora.making import agent, problem, read, said, user

EN = """Ticket ID,Sender,Message,Created At,Region
7,Customer,"Where, is
it?",2024-05-01 10:00,EU
7,Agent,Sent.,,
8,Customer,Hi,soon,US
"""
ZH = "会话ID,角色,内容,标签\n7,顾客,包裹在哪里？,物流；催单\n7,客服,已发货。,\n"
ODD = "Fall;Von;Nachricht\n7;Kunde;Wo?\n7;Berater;Da.\n"
ODD_COLUMNS = Columns(
    conversation="Fall", speaker="Von", text="Nachricht", roles={"Kunde": "user", "Berater": "assistant"}
)


def workbook(*rows: tuple[object, ...]) -> bytes:
    book, content = Workbook(), BytesIO()
    assert book.active is not None
    for row in rows:
        book.active.append(row)
    book.save(content)
    return content.getvalue()


def test_columns_are_told_by_their_english_names(write: Write) -> None:
    with Reading(write("a.csv", EN)) as reading:
        one, other = reading
    assert said(one) == [("user", "Where, is\nit?"), ("assistant", "Sent.")]
    assert one.messages[0].time == datetime(2024, 5, 1, 10, 0)
    assert one.meta == {"Region": "EU"}
    assert other.id == "8"
    assert reading.notes == {"a time is not read": 1}


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_columns_are_told_by_their_chinese_names_in_every_encoding(write: Write, encoding: str) -> None:
    (one,) = read(write("a.csv", ZH.encode(encoding)))
    assert said(one) == [("user", "包裹在哪里？"), ("assistant", "已发货。")]
    assert one.tags == ("物流", "催单")


@pytest.mark.parametrize(
    "text", ["question,answer\nFee?,10\n", "question\tanswer\nFee?\t10\n", "问题,答案\nFee?,10\n"]
)
def test_an_exchange_a_row_is_a_conversation_each(write: Write, text: str) -> None:
    (one,) = read(write("a.txt", text))
    assert one.messages == (user("Fee?"), agent("10"))


def test_a_workbook_is_read_like_a_table(write: Write) -> None:
    rows = (
        ("conversation", "role", "text", "time"),
        (7, "user", "保修？", datetime(2024, 5, 1)),
        (7, "assistant", "一年。", None),
    )
    (one,) = read(write("a.xlsx", workbook(*rows)))
    assert one.id == "7"
    assert said(one) == [("user", "保修？"), ("assistant", "一年。")]
    assert one.messages[0].time == datetime(2024, 5, 1)


def test_given_columns_and_roles_are_used(write: Write) -> None:
    (one,) = read(write("a.csv", ODD), options=ReadOptions(columns=ODD_COLUMNS))
    assert said(one) == [("user", "Wo?"), ("assistant", "Da.")]


def test_columns_are_asked_for_until_they_are_clear(write: Write) -> None:
    answers = iter(["1", "nobody", "Von", "3"])
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return next(answers)

    (one,) = read(write("a.csv", ODD), options=ReadOptions(ask=ask, agents=("Berater",)))
    assert said(one) == [("user", "Wo?"), ("assistant", "Da.")]
    assert asked[0].startswith("1=Fall  2=Von  3=Nachricht\nWhich column tells conversations apart?")
    assert len(asked) == 4


def test_unclear_columns_are_an_error_with_the_way_out(write: Write) -> None:
    assert problem(write("a.csv", ODD)) == (
        ":1: it is not clear which column is conversation, speaker, text (or question and answer); "
        "say so with --column conversation=NAME or --columns FILE.toml; it has 'Fall', 'Von', 'Nachricht'"
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("conversation,role,text\n,user,x\n", ":2: 1 rows without a 'conversation'; fill it in"),
        ("conversation,role,text\n7,,x\n", ":2: a row of conversation '7' says nobody in 'role'; fill it in"),
        ("conversation,role,text\n7,user,x\n8,user,x\n7,user,x\n", ":4: id '7' was used on line 2"),
        ("question,answer\nFee?,10\n\nFee?,\n", ":4: has no 'answer'; fill it in"),
    ],
)
def test_a_bad_row_is_named(write: Write, text: str, said: str) -> None:
    assert problem(write("a.csv", text)).startswith(said)


def test_an_open_quote_ends_at_the_bound(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpora.readers.table.MAX_CELL_CHARS", 1000)
    assert "is no table: field larger than field limit" in problem(
        write("a.csv", 'conversation,role,text\n7,user,"' + "x\n" * 2000)
    )


def test_a_conversation_of_endless_rows_is_bad(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("corpora.readers.table.MAX_ROWS", 5)
    assert "has 9 rows; at most 5 are read" in problem(
        write("a.csv", "conversation,role,text\n" + "7,user,x\n" * 9)
    )


def test_a_workbook_that_is_a_bomb_is_refused(write: Write) -> None:
    content = BytesIO(workbook(("question", "answer"), ("a", "b")))
    with zipfile.ZipFile(content, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/media/x.bin", b"\0" * 60_000_000)
    assert "unpacks to far more than its size" in problem(write("a.xlsx", content.getvalue()))


def test_a_damaged_workbook_is_named(write: Write) -> None:
    content = BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("xl/workbook.xml", "<nonsense")
    assert "is a damaged workbook" in problem(write("a.xlsx", content.getvalue()))


def test_a_mapping_is_read_from_toml(write: Write) -> None:
    path = write(
        "map.toml",
        '[columns]\nconversation = "Fall"\nspeaker = "Von"\ntext = "Nachricht"\n'
        '[roles]\nuser = "Kunde"\nassistant = ["Berater"]\n',
    )
    assert read_columns(path) == ODD_COLUMNS


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("columns = ", "not TOML"),
        ("[colums]\n", "has parts other than"),
        ('[columns]\nwords = "x"\n', "[columns] words = 'x'; name one of answer, conversation"),
        ('[roles]\nboss = "x"\n', "[roles] has ['boss']; there are user, assistant, system, tool"),
    ],
)
def test_a_bad_mapping_is_named(write: Write, text: str, said: str) -> None:
    with pytest.raises(CorpusError) as caught:
        read_columns(write("map.toml", text))
    assert said in str(caught.value)


def test_the_command_takes_the_mapping(data: Callable[..., Result], write: Write, tmp_path: Path) -> None:
    path, mapping = write("a.csv", ODD), write("m.toml", '[roles]\nuser = "Kunde"\nassistant = "Berater"\n')
    named = ["--column", "conversation=Fall", "--column", "speaker=Von", "--column", "text=Nachricht"]
    result = data("convert", path, "--out", "b.csv", "--columns", mapping, *named)
    assert result.code == 0, result.err
    assert (tmp_path / "b.csv").read_text().splitlines()[1] == "7,user,,,Wo?,"


def test_our_own_table_is_read_back(data: Callable[..., Result], write: Write, tmp_path: Path) -> None:
    text = (
        "conversation,role,time,name,text,tags\n"
        '7,user,2024-05-01T10:00:00,Li,"a,\n""b""",x;物流\n7,assistant,,,好,\n7,tool,,,{},\n'
    )
    data("convert", write("a.csv", text), "--out", "b.csv")
    assert (tmp_path / "b.csv").read_text() == text
