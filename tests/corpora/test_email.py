"""Mails: threads put together, quotes cut, attachments never opened."""

from __future__ import annotations

from pathlib import Path

import pytest

from corpora.formats import ReadOptions
from corpora.mail.quotes import own_words
from corpora.reading import Reading
from tests.corpora.conftest import Write
from tests.corpora.making import problem, read, said

FIRST = """From li@home.example Wed May  1 10:00:00 2024
From: Li <li@home.example>
To: help@shop.example
Subject: =?utf-8?b?5YyF6KO55Zyo5ZOq6YeM77yf?=
Message-ID: <1@home.example>
Date: Wed, 1 May 2024 10:00:00 +0000
Content-Type: text/plain; charset=utf-8

我的包裹在哪里？
>From the depot?

"""
ANSWER = """From help@shop.example Wed May  1 11:00:00 2024
From: Shop <help@shop.example>
To: li@home.example
Subject: Re: =?utf-8?b?5YyF6KO55Zyo5ZOq6YeM77yf?=
Message-ID: <2@shop.example>
In-Reply-To: <1@home.example>
Date: Wed, 1 May 2024 11:00:00 +0000
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=B

--B
Content-Type: multipart/alternative; boundary=C

--C
Content-Type: text/plain; charset=utf-8

Sent today.

On Wed, 1 May 2024 at 10:00, Li <li@home.example> wrote:
> 我的包裹在哪里？

--C
Content-Type: text/html; charset=utf-8

<p>Sent today.</p>
--C--
--B
Content-Type: application/octet-stream
Content-Disposition: attachment; filename="../../x.exe"
Content-Transfer-Encoding: base64

TVqQ
--B--

"""
OTHER = """From bo@home.example Wed May  1 10:30:00 2024
From: Bo <bo@home.example>
Subject: Broken
Message-ID: <3@home.example>
Date: Wed, 1 May 2024 10:30:00 +0000
Content-Type: text/html; charset=gb2312

"""
HTML = "<p>屏幕坏了</p><blockquote type='cite'>old</blockquote><div class='gmail_quote'>older</div>".encode(
    "gb18030"
)


def mbox(write: Write) -> Path:
    return write("a.mbox", FIRST.encode() + OTHER.encode() + HTML + b"\n\n" + ANSWER.encode())


def test_an_mbox_is_read_thread_by_thread(write: Write) -> None:
    with Reading(mbox(write), options=ReadOptions(agents=("shop.example",))) as reading:
        one, other = reading
    assert reading.format == "email"
    assert one.id == "1@home.example"
    assert said(one) == [("user", "我的包裹在哪里？\nFrom the depot?"), ("assistant", "Sent today.")]
    assert one.meta == {"subject": "包裹在哪里？", "customer": "li@home.example"}
    assert said(other) == [("user", "屏幕坏了")]
    assert reading.notes == {"an attachment is left out": 1, "quoted text or a signature is cut": 1}


def test_a_packed_mbox_is_read(write: Write) -> None:
    path = write("a.mbox.gz", mbox(write).read_bytes())
    assert len(read(path)) == 2


def test_a_folder_of_mails_is_read(write: Write, tmp_path: Path) -> None:
    write("mails/b.eml", FIRST.split("\n", 1)[1])
    write("mails/a.eml", ANSWER.split("\n", 1)[1])
    (one,) = read(tmp_path / "mails")
    assert [role for role, _ in said(one)] == ["user", "assistant"]


def test_one_mail_is_a_conversation(write: Write) -> None:
    (one,) = read(write("a.eml", FIRST.split("\n", 1)[1]))
    assert one.messages[0].name == "Li"


def test_a_reply_that_refers_to_nothing_joins_by_its_subject(write: Write) -> None:
    answer = ANSWER.replace("In-Reply-To: <1@home.example>\n", "")
    (one,) = read(write("a.mbox", FIRST + answer))
    assert len(one.messages) == 2


def test_the_first_to_write_is_taken_for_the_customer_and_that_is_told(write: Write) -> None:
    with Reading(write("a.mbox", FIRST + ANSWER)) as reading:
        assert [role for role, _ in said(next(iter(reading)))] == ["user", "assistant"]
    assert [note for note in reading.notes if "guessed" in note]


def test_parts_nested_without_end_are_bad_and_quick(write: Write) -> None:
    nested = "".join(f"Content-Type: multipart/mixed; boundary=B{n}\n\n--B{n}\n" for n in range(3000))
    path = write("a.mbox", "From x Wed May  1 10:30:00 2024\nFrom: a@b.example\nSubject: x\n" + nested)
    assert "a mail cannot be read: " in problem(path)


def test_a_mail_without_own_words_is_bad(write: Write) -> None:
    assert "no mail of the thread has words of its own" in problem(
        write("a.eml", "From: a@b.example\nSubject: x\nDate: x\n\n> quoted\n")
    )


@pytest.mark.parametrize(
    ("text", "own"),
    [
        ("谢谢！\n\n在 2024年5月1日，客服 <help@shop.example> 写道：\n\n> 您好", "谢谢！"),
        ("谢谢！\n\n2024年5月1日 10:00，客服 写道：\n> 您好\n> 再见", "谢谢！"),
        ("收到\n\n------------------ 原始邮件 ------------------\n发件人: 客服\n您好", "收到"),
        ("收到\n\n发件人: 客服\n发送时间: 2024年5月1日\n收件人: 李\n主题: 包裹\n\n您好", "收到"),
        ("好的\n发自我的 iPhone", "好的"),
        ("Thanks\n\nOn Mon, May 1, 2024 at 10:00 AM Shop\n<help@shop.example> wrote:\n> Hi", "Thanks"),
        ("Thanks\n\n-----Original Message-----\nFrom: Shop\nHi", "Thanks"),
        ("Thanks\n\n________________________________\nFrom: Shop\nSent: Monday\n\nHi", "Thanks"),
        ("Thanks\n\nFrom: Shop\nSent: Monday\nTo: Li\nSubject: Hi\n\nHi", "Thanks"),
        ("Thanks\n-- \nLi\n+1 555 0100", "Thanks"),
        ("Sent from my iPhone\n\nOn Monday Shop wrote:\n> Hi", ""),
        ("> When?\nOn Monday.\n> Where?\n在家。", "On Monday.\n在家。"),
        ("On Monday Shop wrote:\n> When?\nToday.\n> Where?\nHome.", "Today.\nHome."),
        ("From: where do I order?\nI wrote: nothing", "From: where do I order?\nI wrote: nothing"),
        ("1 > 0 and a\n\n\n\nb", "1 > 0 and a\n\nb"),
    ],
)
def test_only_own_words_are_kept(text: str, own: str) -> None:
    assert own_words(text) == own
    assert own_words(text.replace("\n", "\r\n")) == own


def test_hostile_text_takes_little_time() -> None:
    own_words("On " * 20_000 + "\n" + "在" * 50_000 + "\n" + "<a@" * 20_000)
