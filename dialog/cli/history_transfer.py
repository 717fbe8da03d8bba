"""`instructrec history export | import | backup`: conversations out of the store, and in."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dialog.cli.verb import Run, verb
from dialog.errors import CorpusError, StoreError

if TYPE_CHECKING:
    from dialog.conversation import Conversation
    from dialog.store.sql import SqlStore
    from dialog.values import Transcript


class Format(StrEnum):
    """What a line of an export holds."""

    transcript = "transcript"
    record = "record"
    feedback = "feedback"


def register(app: typer.Typer) -> None:
    verb(app, "export", data=False)(export_conversations)
    verb(app, "import")(import_conversations)
    verb(app, "backup", data=False)(backup)


def export_conversations(
    run: Run,
    conversations: Annotated[
        list[str] | None, typer.Argument(metavar="ID", help="Conversations; all if none is named.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="A new file, instead of stdout.")
    ] = None,
    kind: Annotated[
        Format,
        typer.Option(
            "--format",
            help="What was said at the head, every entry of every branch, or what people rated or reworded.",
        ),
    ] = Format.transcript,
) -> None:
    """Write conversations as JSON lines."""
    from dialog.cli.stored import require_conversation

    if out is not None and out.exists():
        raise typer.BadParameter(f"{str(out)!r} exists; name a new file")
    with run.store() as store:
        for one in conversations or ():
            require_conversation(store, one)
        ids = conversations or store.ids()
        lines = _feedback(run, store, ids) if kind is Format.feedback else _lines(run, store, ids, kind)
        if out is None:
            for line in lines:
                print(line)
        else:
            what = "rated replies" if kind is Format.feedback else "conversations"
            run.remark(f"{_write(out, lines)} {what} in {out}")


def import_conversations(
    run: Run,
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="What `history export` wrote.")],
) -> None:
    """Bring conversations in; those that are here already stay as they are."""
    conversations = [conversation for file in files for conversation in _read(file)]
    outcome: dict[str, list[str]] = {"added": [], "unchanged": [], "refused": []}
    with run.store() as store:
        for conversation in conversations:
            outcome[_add(store, conversation)].append(conversation.id)
    for one in outcome["refused"]:
        run.warn(f"{one!r} is here already and says something else; delete it first or give it another id")
    if run.json:
        run.show_json(outcome)
    elif not run.quiet:
        run.show(", ".join(f"{len(ids)} {what}" for what, ids in outcome.items()))
    if outcome["refused"]:
        raise typer.Exit(1)


def backup(
    run: Run,
    target: Annotated[Path, typer.Argument(metavar="FILE", help="A new file.")],
) -> None:
    """Copy the whole store while it is in use."""
    with run.store() as store:
        store.backup(target)
    run.remark(f"backed up to {target}")


def _lines(run: Run, store: SqlStore, ids: Iterator[str] | list[str], kind: Format) -> Iterator[str]:
    from dialog.store.transfer import to_record, to_transcript

    for one in ids:
        conversation = store.load(one)
        if kind is Format.record:
            yield json.dumps(to_record(conversation).model_dump(mode="json"), ensure_ascii=False)
            continue
        transcript = to_transcript(conversation)
        if transcript is None:
            run.warn(f"left out {one!r}: nothing is said in it at its head")
            continue
        yield _line(transcript)


def _feedback(run: Run, store: SqlStore, ids: Iterator[str] | list[str]) -> Iterator[str]:
    from dialog.store.judged import Judged

    judged = Judged(store.load(one) for one in ids)
    for transcript in judged:
        yield _line(transcript)
    run.remark(", ".join(f"{num} {what}" for what, num in judged.num.items()) or "nobody rated a reply")
    for reason, num in judged.skipped.items():
        run.warn(f"left out {num}: {reason}")


def _line(transcript: Transcript) -> str:
    content = transcript.model_dump(mode="json", exclude_none=True, exclude_defaults=True)
    return json.dumps(content, ensure_ascii=False)


def _write(path: Path, lines: Iterator[str]) -> int:
    """Whole at `path` or not there at all; returns the number of lines."""
    unfinished = path.with_name(path.name + ".unfinished")
    num_lines = 0
    try:
        with unfinished.open("w", encoding="utf-8", errors="backslashreplace") as file:
            for line in lines:
                file.write(line + "\n")
                num_lines += 1
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError as error:
        unfinished.unlink(missing_ok=True)
        raise StoreError(
            f"cannot write {str(path)!r}: {error.strerror or error}; name another file"
        ) from error
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise
    return num_lines


def _read(path: Path) -> Iterator[Conversation]:
    """The conversations of a file of records or transcripts."""
    from dialog.cli.transcripts import numbered_lines, parsed
    from dialog.store.transfer import from_record, from_transcript, read_record

    for number, line in numbered_lines(str(path)):
        try:
            if '"instructrec-record-' in line[:200]:
                yield from_record(read_record(line, path=path, line_number=number))
            else:
                yield from_transcript(parsed(line, path=str(path), line_number=number))
        except (ValueError, StoreError) as error:
            raise CorpusError(str(error), path=path, line=number) from error


def _add(store: SqlStore, conversation: Conversation) -> str:
    from dialog.errors import StaleHead

    try:
        store.add(conversation)
    except StaleHead:
        same = store.load(conversation.id).entries() == conversation.entries()
        return "unchanged" if same else "refused"
    return "added"
