"""Commands that write and read files: a transcript for others, the whole record for oneself.

`/export` writes the current path as a transcript line (or Markdown, by the
file's ending); `/save` writes every entry of every branch, and `/load` reads
that back as a new conversation. No file is ever written over.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

from pydantic import TypeAdapter, ValidationError

from dialog.conversation import Conversation
from dialog.entries import Entry
from dialog.errors import CorpusError
from dialog.heads import Head
from dialog.repl.command import Choice, Command
from dialog.repl.context import CommandError, ReplSession, new_conversation_id
from dialog.repl.labels import counted
from dialog.values import Message, Transcript

FORMAT = "instructrec-conversation"
VERSION = 1
MAX_FILE_BYTES = 200_000_000
_ENTRY: TypeAdapter[Entry] = TypeAdapter(Entry)


def export(session: ReplSession, argument: str) -> None:
    """Write what was said as a transcript."""
    conversation = session.agent.history(session.conversation_id)
    if not conversation.num_turns:
        raise CommandError("this conversation is empty")
    path = _path(argument, otherwise=f"{_file_name(conversation.id)}.jsonl")
    is_markdown = path.suffix.lower() in (".md", ".markdown")
    _write_new(path, _markdown(conversation) if is_markdown else _transcript(conversation))
    session.say(f"{counted(conversation.num_turns, 'turn')} written to {path}")


def save(session: ReplSession, argument: str) -> None:
    """Write the whole record, branches and all."""
    conversation = session.agent.history(session.conversation_id)
    if conversation.head is None:
        raise CommandError("this conversation is empty")
    header = {"format": FORMAT, "version": VERSION, "head": conversation.head.model_dump(mode="json")}
    lines = [json.dumps(header, ensure_ascii=False)]
    lines += [_ENTRY.dump_json(entry).decode() for entry in conversation.entries()]
    path = _path(argument, otherwise=f"{_file_name(conversation.id)}.record.jsonl")
    _write_new(path, "\n".join(lines) + "\n")
    session.say(f"{conversation.num_entries} entries written to {path}; /load reads them")


def load(session: ReplSession, argument: str) -> None:
    """Read a saved record as a new conversation and go on in it."""
    if not argument:
        raise CommandError("/load needs the file that /save wrote")
    path = Path(argument).expanduser()
    head, entries = _read(path)
    new = new_conversation_id()
    session.agent.store.append(new, entries, expected_head=None, head=head.head, tip=head.tip)
    session.enter(new)
    session.say(f"{len(entries)} entries read; you are in {new} now")


def _transcript(conversation: Conversation) -> str:
    messages = []
    for turn in conversation.turns():
        messages.append(Message(role="user", content=turn.user))
        if turn.reply is not None:
            messages.append(Message(role="assistant", content=turn.reply))
    transcript = Transcript(id=conversation.id, messages=tuple(messages))
    return transcript.model_dump_json(exclude_none=True, exclude_defaults=True) + "\n"


def _markdown(conversation: Conversation) -> str:
    parts = [f"# {conversation.id}\n"]
    for turn in conversation.turns():
        quoted = "\n".join(f"> {line}" for line in turn.user.splitlines() or [""])
        parts.append(f"{quoted}\n\n{turn.reply or '*(no reply)*'}\n")
    return "\n".join(parts)


def _read(path: Path) -> tuple[Head, list[Entry]]:
    try:
        if path.stat().st_size > MAX_FILE_BYTES:
            raise CorpusError(f"is larger than {MAX_FILE_BYTES} bytes", path=path)
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise CorpusError(f"cannot be read: {error}; name a file that /save wrote", path=path) from error
    head = _header(lines[0] if lines else "", path)
    entries = []
    for number, line in enumerate(lines[1:], start=2):
        try:
            entries.append(_ENTRY.validate_json(line))
        except ValidationError as error:
            problem = error.errors(include_url=False, include_input=False)[0]["msg"]
            raise CorpusError(f"not an entry: {problem}; save it again", path=path, line=number) from error
    Conversation.of(head.conversation_id, entries, head)
    return head, entries


def _header(line: str, path: Path) -> Head:
    try:
        header = json.loads(line)
        if header["format"] != FORMAT or header["version"] != VERSION:
            raise ValueError(f"format {header['format']!r} version {header['version']!r}")
        return Head.model_validate(header["head"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise CorpusError("is not a record that /save wrote", path=path, line=1) from error


def _path(argument: str, *, otherwise: str) -> Path:
    return Path(argument).expanduser() if argument else Path(otherwise)


def _file_name(id: str) -> str:
    """A harmless file name for any conversation id; the id itself is never a path."""
    kept = "".join(char if char.isalnum() or char in "-_" else "_" for char in id[:60])
    return kept or "conversation"


def _write_new(path: Path, text: str) -> None:
    try:
        with path.open("x", encoding="utf-8", errors="replace") as file:
            file.write(text)
    except FileExistsError:
        raise CommandError(f"{path} exists; name another file") from None
    except OSError as error:
        raise CommandError(f"cannot write {path}: {error.strerror}") from error


def _paths(session: ReplSession, argument: str) -> Iterable[Choice]:
    typed = Path(argument or ".").expanduser()
    folder = typed if argument.endswith(("/", "\\")) or not argument else typed.parent
    try:
        found = sorted(folder.iterdir())[:200]
    except OSError:
        return ()
    return (
        (str(path) + ("/" if path.is_dir() else ""), "") for path in found if not path.name.startswith(".")
    )


COMMANDS = (
    Command("/export", "[FILE]", "write the turns as a transcript, .jsonl or .md", export, _paths),
    Command("/save", "[FILE]", "write the whole record with its branches", save, _paths),
    Command("/load", "FILE", "read a saved record as a new conversation", load, _paths),
)
