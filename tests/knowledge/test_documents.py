"""What is read, and what is listed as skipped with its reason."""

import gzip
import os

import pytest

from dialog import plugins
from dialog.knowledge.documents import MAX_FILE_BYTES, read_sources
from dialog.knowledge.records import Loaded, Skip


def read(*paths):
    return list(read_sources(list(paths)))


def reasons(*paths):
    return {item.source: item.reason for item in read(*paths) if isinstance(item, Skip)}


def sources(*paths):
    return [item.document.source for item in read(*paths) if isinstance(item, Loaded)]


def test_folders_are_walked_in_sorted_order(tmp_path):
    for name in ("b.md", "a/z.txt", "a/b.md", "c.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("text\n")
    assert sources(tmp_path) == ["a/b.md", "a/z.txt", "b.md", "c.txt"]


def test_hidden_files_and_folders_are_ignored(tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.md").write_text("x")
    (tmp_path / ".secret.md").write_text("x")
    (tmp_path / "a.md").write_text("x")
    assert sources(tmp_path) == ["a.md"]
    assert reasons(tmp_path) == {}


def test_symlink_loop_ends(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "doc.md").write_text("x")
    (tmp_path / "a" / "again").symlink_to(tmp_path, target_is_directory=True)
    assert sources(tmp_path) == ["a/doc.md"]


def test_file_reached_twice_is_read_once(tmp_path):
    (tmp_path / "a.md").write_text("x")
    assert sources(tmp_path, tmp_path / "a.md") == ["a.md"]


def test_missing_path_is_listed(tmp_path):
    assert reasons(tmp_path / "gone") == {str(tmp_path / "gone"): "does not exist"}


def test_empty_folder_is_listed(tmp_path):
    assert reasons(tmp_path) == {str(tmp_path): "holds no files"}


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.md", b"", "is empty"),
        ("a.md", b" \n\t\n", "is empty"),
        ("a.txt", b"\xef\xbb\xbf\n", "holds no text"),
        ("a.md", b"\x89PNG\r\n\x1a\n\0\0", "is an image"),
        ("a.md", b"PK\x03\x04....", "is a ZIP archive or Office document"),
        ("a.txt", bytes(range(256)) * 40, "is binary data"),
        ("a.exe", b"MZ", "has no reader for '.exe'"),
        ("a.doc", b"\xd0\xcf\x11\xe0", "has no reader for '.doc'; save it as .docx"),
        ("a.XLS", b"\xd0\xcf\x11\xe0", "has no reader for '.xls'; save it as .xlsx"),
        ("a.pptx", b"PK\x03\x04", "has no reader for '.pptx'; save it as .pdf"),
        ("a.pdf", b"", "is empty"),
        ("Makefile", b"all:", "has no reader for 'files without a suffix'"),
        (
            "a.jsonl.gz",
            b"not gzip",
            "is not a gzip file: Error -3 while decompressing data: incorrect header check",
        ),
        ("a.jsonl.gz", gzip.compress(b'{"text": "x"}' * 99)[:-20], "is a truncated gzip file"),
        ("a.csv", b"question,answer\n", "has a header but no rows"),
        ("a.md", b"---\ntitle: x\n---\n", "holds no text"),
    ],
)
def test_unusable_file_is_listed_with_its_reason(tmp_path, name, data, reason):
    (tmp_path / name).write_bytes(data)
    assert reasons(tmp_path) == {name: reason}


def test_unreadable_file_is_listed(tmp_path, monkeypatch):
    (tmp_path / "a.md").write_text("x")

    def refuse(self):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    assert reasons(tmp_path) == {"a.md": "cannot be read: Permission denied"}


def test_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe.md")
    assert reasons(tmp_path) == {"pipe.md": "is not a regular file"}


def test_dangling_link_is_listed(tmp_path):
    (tmp_path / "a.md").symlink_to(tmp_path / "gone.md")
    assert reasons(tmp_path) == {"a.md": "cannot be read: No such file or directory"}


def test_file_over_the_limit_is_listed_unread(tmp_path):
    with (tmp_path / "a.txt").open("wb") as file:
        file.truncate(MAX_FILE_BYTES + 1)
    assert "at most" in reasons(tmp_path)["a.txt"]


def test_gzip_bomb_stays_small(tmp_path, monkeypatch):
    monkeypatch.setattr("dialog.knowledge.documents.MAX_FILE_BYTES", 10_000)
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b" " * 1_000_000))
    assert reasons(tmp_path) == {"a.jsonl.gz": "unpacks to more than 10000 bytes"}


def test_reader_of_another_distribution_is_used(tmp_path, monkeypatch):
    from dialog.knowledge import readers

    plug(monkeypatch, plugins.Loaded({"rtf": readers.BUILT_IN[".txt"]}))
    (tmp_path / "a.rtf").write_text("text")
    assert sources(tmp_path) == ["a.rtf"]


def test_broken_reader_of_another_distribution_is_a_skip(tmp_path, monkeypatch):
    broken = plugins.Broken(
        "instructrec.documents", "rtf", "plugin:read", "acme", "ImportError: no such thing"
    )
    plug(monkeypatch, plugins.Loaded(broken=(broken,)))
    (tmp_path / "a.rtf").write_text("text")
    told = "has a reader 'plugin:read' that does not load: ImportError: no such thing"
    assert reasons(tmp_path) == {"a.rtf": told}


def plug(monkeypatch, loaded):
    """Have `loaded` as the plug-ins for `.rtf`."""
    monkeypatch.setattr(
        plugins, "load", lambda group, only=None: loaded if only == "rtf" else plugins.Loaded()
    )
