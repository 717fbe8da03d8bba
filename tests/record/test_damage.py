"""Files that are damaged, read-only, too big for the disk, foreign or too new."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import update

from dialog.errors import MissingExtra, StoreError
from dialog.store import open_store
from dialog.store.database import suspect_marker
from dialog.store.open import open_database
from dialog.store.repair import set_aside
from dialog.store.schema import schema_info
from dialog.testing.making import talk
from tests.record.making import talked

NUM_CONVERSATIONS = 40


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A closed store with forty conversations of three turns."""
    path = tmp_path_factory.mktemp("original") / "conversations.db"
    with open_store(f"sqlite:///{path}") as store:
        for at in range(NUM_CONVERSATIONS):
            store.add(talked(3, id=f"c{at}"))
    assert not path.with_name(path.name + "-wal").exists()
    return path


@pytest.fixture
def path(original: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(original, tmp_path / "conversations.db"))


def url(path: Path) -> str:
    return f"sqlite:///{path}"


def aside(path: Path) -> list[Path]:
    return sorted(path.parent.glob(f"{path.name}.damaged-*"))


def test_sound_store_opens_without_a_word(path: Path) -> None:
    with open_store(url(path)) as store:
        assert store.notices == ()
        assert store.load("c0").num_turns == 3
    assert aside(path) == []


def test_garbage_is_set_aside_and_said(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path.write_bytes(b"not a database at all" * 1000)
    with open_store(url(path)) as store:
        (notice,) = store.notices
        assert "not an SQLite database" in notice
        assert "conversations kept: 0 whole" in notice
        talk(store, "new", num_turns=1)
    assert notice in caplog.text
    (kept,) = aside(path)
    assert kept.name in notice
    assert kept.read_bytes().startswith(b"not a database at all")
    with open_store(url(path)) as store:
        assert store.notices == ()
        assert store.load("new").num_turns == 1


def test_truncated_store_keeps_what_can_be_read(path: Path) -> None:
    size = path.stat().st_size
    os.truncate(path, size * 2 // 3)
    with open_store(url(path)) as store:
        (notice,) = store.notices
        assert "cut off" in notice
        kept = [store.load(one) for one in store.ids()]
        assert kept, "something of the first two thirds is readable"
        for conversation in kept:
            assert conversation.turns() == tuple(
                turn for turn in conversation.turns() if turn.user == f"question {turn.index}"
            )
        assert any(conversation.num_turns == 3 for conversation in kept)
        assert {hit.conversation_id for hit in store.search("question")} <= set(store.ids())
    assert aside(path)[0].stat().st_size == size * 2 // 3


def test_damaged_page_is_met_while_reading_and_mended_at_the_next_start(path: Path) -> None:
    data = bytearray(path.read_bytes())
    page = 4096
    for at in range(len(data) // page // 2, len(data) // page // 2 + 3):
        data[at * page : at * page + 200] = os.urandom(200)
    path.write_bytes(data)
    problems = []
    with open_store(url(path)) as store:
        for at in range(NUM_CONVERSATIONS):
            try:
                store.load(f"c{at}")
            except StoreError as error:
                problems.append(str(error))
    assert problems, "three broken pages are noticed"
    assert suspect_marker(path).exists()
    assert "set aside" in problems[0]
    with open_store(url(path)) as store:
        assert len(store.notices) == 1
        whole = [one for one in store.ids() if store.load(one).num_turns == 3]
        assert len(whole) >= NUM_CONVERSATIONS // 2
    assert not suspect_marker(path).exists()


def test_empty_file_is_a_fresh_store(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with open_store(url(path)) as store:
        assert store.notices == ()
        assert store.list(limit=1).items == ()


def test_folder_and_foreign_urls_are_refused(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is a folder"):
        open_store(url(tmp_path))
    with pytest.raises(StoreError, match="not a database URL"):
        open_store("conversations.db")
    with pytest.raises(StoreError, match="only sqlite and postgresql"):
        open_store("mysql://localhost/x")
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match="cannot be created"):
        open_store(url(tmp_path / "file" / "conversations.db"))


def test_database_of_somebody_else_is_not_touched(tmp_path: Path) -> None:
    """Our tables join it; its own stay."""
    path = tmp_path / "theirs.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE precious (x)")
        connection.execute("INSERT INTO precious VALUES (1)")
    with open_store(url(path)) as store:
        talk(store, "c", num_turns=1)
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT x FROM precious").fetchall() == [(1,)]


def test_newer_schema_is_refused_and_left_alone(path: Path) -> None:
    database = open_database(url(path))
    with database.writing() as connection:
        connection.execute(update(schema_info).values(version=99))
    database.close()
    before = path.read_bytes()
    with pytest.raises(StoreError, match=r"schema version 99.*update instructrec"):
        open_store(url(path))
    assert path.read_bytes() == before
    assert aside(path) == []


def test_missing_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(MissingExtra, match=r"instructrec\[postgres\]"):
        open_store("postgresql+psycopg://nobody@/none?host=/nowhere")


def test_unreachable_server_is_a_clear_error() -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(StoreError, match=r"'postgresql\+psycopg://nobody:\*\*\*@.*check store.url"):
        open_store("postgresql://nobody:secret@/none?host=/nowhere")


_IN_A_CHILD = """
import json, os, resource, sys
from pathlib import Path
from dialog.errors import StoreError
from dialog.store import open_store
from dialog.testing.making import said, talk
path, task = Path(sys.argv[1]), sys.argv[2]
{body}
"""


def _child(body: str, path: Path) -> dict[str, object]:
    """Run `body` in a process of its own, whose rights and limits it may lower."""
    code = _IN_A_CHILD.format(body=body)
    done = subprocess.run(
        [sys.executable, "-c", code, str(path), ""], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(result, dict)
    return result


_READ_ONLY = """
with open_store(f"sqlite:///{path.parent / 'imports.db'}"):
    pass  # whatever is imported late, is imported while it may be
for part in [path, path.parent]:
    part.chmod(0o555 if part.is_dir() else 0o444)
if os.geteuid() == 0:
    os.setgid(65534); os.setuid(65534)
store = open_store(f"sqlite:///{path}")
conversation = store.load("c0")
try:
    store.append("c0", [said(conversation, "?")], expected_head=conversation.head)
    problem = None
except StoreError as error:
    problem = str(error)
print(json.dumps({"turns": conversation.num_turns, "problem": problem, "notices": store.notices}))
"""


def test_read_only_store_can_be_read_and_says_so(path: Path) -> None:
    for folder in list(path.parents)[1:4]:
        folder.chmod(folder.stat().st_mode | 0o011)
    try:
        result = _child(_READ_ONLY, path)
    finally:
        path.parent.chmod(0o755)
        path.chmod(0o644)
    assert result["turns"] == 3
    assert "read-only" in str(result["problem"])
    assert result["notices"] == []


_FULL_DISK = """
store = open_store(f"sqlite:///{path}")
limit = path.stat().st_size + 300_000
resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
recorded, problem = 0, None
while problem is None:
    conversation = store.load("c0")
    try:
        store.append("c0", [said(conversation, "x" * 20_000)], expected_head=conversation.head)
        recorded += 1
    except StoreError as error:
        problem = str(error)
print(json.dumps({"recorded": recorded, "problem": problem, "readable": store.load("c1").num_turns}))
"""


def test_full_disk_is_said_and_loses_nothing_acknowledged(path: Path) -> None:
    result = _child(_FULL_DISK, path)
    assert "not recorded" in str(result["problem"])
    assert result["readable"] == 3
    recorded = result["recorded"]
    assert isinstance(recorded, int)
    assert recorded > 0
    with open_store(url(path)) as store:
        assert store.notices == ()
        assert store.load("c0").num_turns == 3 + recorded


def test_conversation_whose_own_row_is_lost_is_kept_under_a_new_name(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA foreign_keys=OFF")
        (num,) = connection.execute("SELECT min(num) FROM conversations").fetchone()
        connection.execute("DELETE FROM conversations WHERE num = ?", (num,))
        before = connection.execute("SELECT count(*) FROM entries").fetchone()
    suspect = set_aside(path, problem="a test")
    assert "1 lost their name and are called recovered-N now" in suspect
    with open_store(url(path)) as store:
        assert store.load(f"recovered-{num}").num_turns == 3
        assert f"recovered-{num}" in store.ids()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("SELECT count(*) FROM entries").fetchone() == before
