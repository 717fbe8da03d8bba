"""What is acknowledged is on the disk: kept through a power cut, and told when the disk fails."""

from __future__ import annotations

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from dialog.conversation import Conversation
from dialog.errors import StoreError
from dialog.store import flush, open_store
from dialog.store.sql import SqlStore
from tests.record.making import replied, said

MESSAGES = ["您好，我的包裹三天没有更新了。", "My parcel has not moved for three days."]


def on_disk(file: int) -> Path:
    return Path(os.readlink(f"/proc/self/fd/{file}"))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="open files are found in /proc")
def test_acknowledged_entries_survive_a_power_cut(
    tmp_path: Path, sqlite_url: str, opened: Callable[[str], SqlStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The disk is what the files held at the last flush; more than a whole log is written, so it wraps."""
    store = opened(sqlite_url)
    file = store.database.path
    assert file is not None
    log = file.with_name(file.name + "-wal")
    disk = tmp_path / "disk"
    disk.mkdir()
    num_flushes = 0

    def keep(descriptor: int) -> None:
        nonlocal num_flushes
        if on_disk(descriptor) != log:
            return
        num_flushes += 1
        if num_flushes % 52 == 0:
            for part in (file, log):
                shutil.copyfile(part, disk / part.name)

    monkeypatch.setattr(flush, "_flush_data", keep)
    conversation = Conversation.empty("c")
    size_before = file.stat().st_size
    for number in range(520):
        text = MESSAGES[number % 2] + str(number)
        entry = said(conversation, text) if number % 4 else replied(conversation, text)
        head = store.append("c", [entry], expected_head=conversation.head if number else None)
        conversation = store.load("c")
        assert conversation.head == head
        assert num_flushes == number + 1
        if num_flushes % 52 == 0:
            after_cut = tmp_path / f"cut-{number}"
            shutil.copytree(disk, after_cut)
            with open_store(f"sqlite:///{after_cut / file.name}") as found:
                assert list(found.load("c").path()) == list(conversation.path())
                assert not found.notices
    assert file.stat().st_size > size_before, "the log was never folded into the file"


def test_flush_is_waited_for_after_the_next_writer_was_let_in(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two writers that both wait for the disk at once: neither could if the first kept its turn."""
    both_flush = threading.Barrier(2)
    flushing: list[int] = []

    def wait(file: int) -> None:
        flushing.append(file)
        both_flush.wait(timeout=60)

    monkeypatch.setattr(flush, "_flush_data", wait)

    def write(conversation: str) -> None:
        store.append(conversation, [said(Conversation.empty(conversation), "hello")], expected_head=None)

    writers = [threading.Thread(target=write, args=(name,)) for name in ("first", "客服")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert len(flushing) == 2
    assert not both_flush.broken
    assert store.load("first").num_entries == 1
    assert store.load("客服").num_entries == 1


def test_disk_that_fails_to_flush_is_told(store: SqlStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_file: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as failing:
        failing.setattr(flush, "_flush_data", fail)
        with pytest.raises(StoreError, match=r"this was recorded, but a power cut may lose it"):
            store.append("c", [said(Conversation.empty("c"), "hello")], expected_head=None)
    conversation = store.load("c")
    assert conversation.num_entries == 1
    store.append("c", [replied(conversation, "你好")], expected_head=conversation.head)


def test_log_that_is_gone_needs_no_flush(tmp_path: Path) -> None:
    flush.flush_log(str(tmp_path / "never-opened.db-wal"))
