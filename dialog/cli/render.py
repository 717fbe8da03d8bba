"""`instructrec render`: exactly what the model would be shown, and where each part came from."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from dialog.cli import output
from dialog.cli.verb import Run, verb

if TYPE_CHECKING:
    from dialog.protocols import ChatTokenizer
    from dialog.values import Prompt, SegmentKind

COLOURS: dict[SegmentKind, str] = {
    "template": typer.colors.BRIGHT_BLACK,
    "instruction": typer.colors.MAGENTA,
    "user": typer.colors.GREEN,
    "agent": typer.colors.CYAN,
    "passage": typer.colors.YELLOW,
    "memory": typer.colors.BLUE,
    "tool": typer.colors.RED,
}


def register(app: typer.Typer) -> None:
    verb(app)(render)


def render(
    run: Run,
    conversation: Annotated[
        str | None, typer.Option("--conversation", metavar="ID", help="A conversation of the store.")
    ] = None,
    history: Annotated[
        str | None, typer.Option("--history", metavar="FILE.jsonl", help="A transcript with one line.")
    ] = None,
) -> None:
    """Print the exact prompt of the next reply."""
    from dialog.cli.arguments import exactly_one

    exactly_one({"--conversation": conversation, "--history": history})
    if conversation is not None:
        with run.agent() as agent:
            from dialog.cli.stored import require_conversation

            require_conversation(agent.store, conversation)
            _print(run, agent.preview(conversation), agent.model.tokenizer)
        return
    assert history is not None
    from dialog.cli.scratch import begin, scratch_agent
    from dialog.cli.transcripts import read_one

    transcript = read_one(history)
    messages = transcript.messages
    asked = messages[-1].content if messages[-1].role == "user" else None
    with scratch_agent(run) as agent:
        earlier = messages if asked is None else messages[:-1]
        begin(agent.store, transcript.id, earlier, path=history)
        _print(run, agent.preview(transcript.id, asked), agent.model.tokenizer)


def _print(run: Run, prompt: Prompt, tokenizer: ChatTokenizer) -> None:
    if run.json:
        run.show_json(prompt.model_dump(mode="json", include={"text", "ids", "segments", "fit"}))
    elif sys.stdout.isatty():
        print(coloured(prompt, tokenizer))
        if not run.quiet:
            typer.echo(summary(prompt), err=True)
    else:
        sys.stdout.write(prompt.text)


def coloured(prompt: Prompt, tokenizer: ChatTokenizer) -> str:
    """The prompt for a terminal: each segment in its kind's colour, the words themselves harmless."""
    return "".join(
        typer.style(
            output.clean(tokenizer.decode(prompt.ids[segment.start : segment.end])), fg=COLOURS[segment.kind]
        )
        for segment in prompt.segments
    )


def summary(prompt: Prompt) -> str:
    """The legend of the colours in use, and what was left out."""
    fit = prompt.fit
    kinds = [kind for kind in COLOURS if any(segment.kind == kind for segment in prompt.segments)]
    lines = [
        "  ".join(typer.style(kind, fg=COLOURS[kind]) for kind in kinds),
        f"{fit.used_tokens} tokens used, {fit.reserved_tokens} reserved for the reply, "
        f"{fit.limit_tokens} available",
    ]
    for name, parts in (("dropped", fit.dropped), ("summarised", fit.summarised)):
        if parts:
            lines.append(output.clean(f"{name}: {', '.join(parts)}"))
    return "\n".join(lines)
