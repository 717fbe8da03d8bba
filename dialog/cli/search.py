"""`instructrec search`: what the agent would find, for one question or a file of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dialog.cli.verb import Run, verb

if TYPE_CHECKING:
    from dialog.values import Message, SearchResult

EXCERPT_CHARS = 160


def register(app: typer.Typer) -> None:
    verb(app)(search)


def search(
    run: Run,
    query: Annotated[str | None, typer.Argument(metavar="QUERY", help="The question.")] = None,
    history: Annotated[
        str | None, typer.Option("--history", metavar="FILE.jsonl", help="The conversation so far.")
    ] = None,
    top_k: Annotated[
        int | None, typer.Option("--top-k", min=1, max=50, help="How many passages, at most.")
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME=VALUE", help="Only where the metadata says so; repeatable, a name too."),
    ] = None,
    batch: Annotated[
        str | None,
        typer.Option("--batch", metavar="FILE.jsonl", help='Search for each {"id", "messages"} of a file.'),
    ] = None,
) -> None:
    """Search the knowledge index."""
    from dialog.cli.arguments import exactly_one, filters, spoken
    from dialog.cli.transcripts import read_batch, read_one

    exactly_one({"QUERY": query, "--batch": batch})
    among = filters(where, option="--where")
    if batch is not None:
        if history is not None:
            raise typer.BadParameter("a batch line carries its own history; leave --history out")
        transcripts = read_batch(batch)
        find = _Finder(run, top_k, among)
        for transcript in transcripts:
            *before, last = transcript.messages
            run.show_json({"id": transcript.id, **find(last.content, before).model_dump(mode="json")})
        return
    assert query is not None
    question = spoken(query, name="QUERY")
    messages = read_one(history).messages if history is not None else ()
    result = _Finder(run, top_k, among)(question, messages)
    if run.json:
        run.show_json(result)
    else:
        run.show(described(result))


class _Finder:
    """The opened index with the settings of one invocation."""

    def __init__(self, run: Run, top_k: int | None, where: dict[str, Any]) -> None:
        from dialog.knowledge.base import open_knowledge

        config, agent = run.config(), run.agent()
        self._retriever = open_knowledge(
            config.knowledge_path, config.values.knowledge, model=lambda: agent.model
        )
        self._where = where
        self._top_k = top_k or config.values.knowledge.top_k

    def __call__(self, query: str, history: Sequence[Message]) -> SearchResult:
        return self._retriever.search(query, top_k=self._top_k, history=history, where=self._where)


def described(result: SearchResult) -> str:
    """A search result for people: rank, score, title, source and the beginning of each passage."""
    from dialog.citations import place

    lines = []
    if result.rewritten is not None:
        lines.append(f"searched as: {result.rewritten}")
    verdict = "not enough to answer from" if result.abstain else "enough to answer from"
    lines.append(f"confidence {result.confidence:.2f}: {verdict}")
    for rank, passage in enumerate(result.passages, start=1):
        legs = ", ".join(
            f"{leg} {found}"
            for leg, found in (("lexical", passage.legs.lexical), ("dense", passage.legs.dense))
            if found is not None
        )
        lines.append(f"\n{rank}. {passage.title}  [{passage.score:.2f}; {legs or 'no leg'}]")
        lines.append(f"   {passage.source}:{passage.char_start}-{passage.char_end}{place(passage)}")
        lines.append(f"   {_excerpt(passage.text)}")
    return "\n".join(lines)


def _excerpt(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= EXCERPT_CHARS else flat[: EXCERPT_CHARS - 1] + "…"
