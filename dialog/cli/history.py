"""`instructrec history`: the recorded conversations: look, find, take out, bring in, remove."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from dialog.cli import output
from dialog.cli.verb import Run, verb

if TYPE_CHECKING:
    from dialog.values import Transcript

Id = Annotated[str, typer.Argument(metavar="ID", help="A conversation of `history list`.")]


def register(app: typer.Typer) -> None:
    from dialog.cli import history_transfer

    history = typer.Typer(help="Look at, find, export and remove conversations.", no_args_is_help=True)
    verb(history, "list")(list_conversations)
    verb(history, "show")(show_conversation)
    verb(history, "search")(search_conversations)
    verb(history, "delete", data=False)(delete_conversations)
    verb(history, "prune")(prune_conversations)
    history_transfer.register(history)
    app.add_typer(history, name="history")


def list_conversations(
    run: Run,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, at most.")] = 20,
) -> None:
    """List conversations, the most recently active first."""
    with run.store() as store:
        page = store.list(limit=limit)
    if run.json:
        run.show_json([item.model_dump(mode="json") for item in page.items])
        return
    rows = [
        (item.id, f"{item.updated.astimezone():%Y-%m-%d %H:%M}", f"{item.num_turns} turns", item.title)
        for item in page.items
    ]
    if rows:
        run.show(output.table(rows))
    if not rows:
        run.remark("no conversations yet")
    if page.cursor is not None:
        run.remark("there are more; see --limit")


def show_conversation(run: Run, conversation: Id) -> None:
    """Print what was said, along the path to the head; --json prints a transcript line."""
    from dialog.cli.stored import require_conversation
    from dialog.store.transfer import to_transcript

    with run.store() as store:
        require_conversation(store, conversation)
        transcript = to_transcript(store.load(conversation))
    if transcript is None:
        run.remark(f"nothing is said in {conversation!r} at its head")
    elif run.json:
        run.show_json(transcript.model_dump(mode="json", exclude_none=True, exclude_defaults=True))
    else:
        run.show(_read_aloud(transcript))


def search_conversations(
    run: Run,
    query: Annotated[str, typer.Argument(metavar="WORDS", help="All of them must occur.")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many messages, at most.")] = 20,
) -> None:
    """Find messages, in Chinese and English, best match first."""
    from dialog.cli.arguments import spoken

    wanted = spoken(query, name="WORDS")
    with run.store() as store:
        hits = store.search(wanted, limit=limit)
    if run.json:
        run.show_json([hit.model_dump(mode="json") for hit in hits])
    elif hits:
        run.show(output.table([(hit.conversation_id, hit.role, hit.snippet) for hit in hits]))
    else:
        run.remark("nothing found")


def delete_conversations(
    run: Run,
    conversations: Annotated[list[str], typer.Argument(metavar="ID", help="Conversations to remove.")],
) -> None:
    """Remove conversations for good."""
    with run.store() as store:
        missing = [one for one in conversations if not store.delete(one)]
    for one in missing:
        run.warn(f"no conversation {one!r}; `instructrec history list` names those there are")
    run.remark(f"{len(conversations) - len(missing)} removed")
    if missing:
        raise typer.Exit(1)


def prune_conversations(
    run: Run,
    older_than: Annotated[
        str | None,
        typer.Option("--older-than", metavar="AGE", help="Not active for this long: 90d, 12h, 4w."),
    ] = None,
    max_bytes: Annotated[
        str | None,
        typer.Option("--max-bytes", metavar="SIZE", help="Keep the newest up to this size: 500M, 2G."),
    ] = None,
) -> None:
    """Remove old conversations for good."""
    from dialog.cli.quantities import age, size

    if older_than is None and max_bytes is None:
        raise typer.BadParameter("say what to remove: --older-than or --max-bytes")
    before = None if older_than is None else datetime.now(UTC) - age(older_than)
    limit = None if max_bytes is None else size(max_bytes)
    with run.store() as store:
        pruned = store.prune(older_than=before, max_bytes=limit)
    if run.json:
        run.show_json(pruned)
    elif not run.quiet:
        run.show(
            f"{len(pruned.deleted)} conversations removed ({pruned.deleted_bytes} bytes); "
            f"{pruned.kept_conversations} kept ({pruned.kept_bytes} bytes)"
        )


def _read_aloud(transcript: Transcript) -> str:
    return "\n\n".join(
        f"{message.name or message.role}: {message.content}" for message in transcript.messages
    )
