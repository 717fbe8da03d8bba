"""Pictures of values: a reply's foot, its sources, the budget bar, attribution bars, lists.

Every function takes a value and gives something rich can print; none reads an
agent or writes to a screen. Text from outside is made harmless on its way in.

    console.print(footer(reply, show_timings=False))
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from dialog.citations import place
from dialog.heads import Branch
from dialog.instructions import Resolution
from dialog.learning import LearnedChoice
from dialog.repl.command import Command
from dialog.repl.labels import counted, shortened
from dialog.repl.screen import plain
from dialog.values import Attribution, FitReport, Reply, SearchResult, Timings, Turn

_MODES = {
    "quoted": "quoted from the documents",
    "fixed": "fixed answer",
    "template": "from a template",
}
_FINISHES = {
    "interrupted": "stopped",
    "length": "cut at its longest",
    "abstained": "not in the documents",
    "handed_off": "waiting for a person",
    "error": "failed on the way",
}
_KIND_STYLES = {"instruction": "magenta", "turn": "green", "passage": "cyan", "memory": "yellow"}


def footer(reply: Reply, *, show_timings: bool) -> Text:
    """The line under a reply: how it came about, how many sources, how long it took."""
    parts = [_MODES.get(reply.mode), _FINISHES.get(reply.finish_reason)]
    num_sources = len(reply.citations)
    if num_sources:
        parts.append(f"{counted(num_sources, 'source')} (/sources)")
    num_left_out = len(reply.fit.dropped) + len(reply.fit.summarised)
    if num_left_out:
        parts.append(f"{counted(num_left_out, 'part')} left out (/context)")
    parts.append(_times(reply.timings) if show_timings else f"{_total_s(reply.timings):.1f} s")
    return plain(" · ".join(part for part in parts if part), "dim")


def notice(text: str) -> Text:
    """Something the user must be told beside a reply."""
    return plain(f"note: {text}", "yellow")


def sources(reply: Reply, scores: Mapping[str, float]) -> list[RenderableType]:
    """The citations, numbered, with what the document says and the score where it is known."""
    found: list[RenderableType] = []
    for number, citation in enumerate(reply.citations, start=1):
        score = scores.get(citation.passage_id)
        span = f"{citation.char_start}-{citation.char_end}"
        found.append(
            Text.assemble(
                (f"{number:>2}  ", "dim"),
                plain(citation.title, "bold"),
                plain(f"  {citation.source}:{span}{place(citation)}", "dim"),
                ("" if score is None else f"  {score:.2f}", "green"),
            )
        )
        found.append(Padding(plain(citation.quote.strip(), "italic"), (0, 0, 0, 4), expand=False))
    return found


def passages(search: SearchResult) -> list[RenderableType]:
    """What was found, best first; says so where it was too weak to answer from."""
    found: list[RenderableType] = []
    for number, passage in enumerate(search.passages, start=1):
        found.append(
            Text.assemble(
                (f"{number:>2}  ", "dim"),
                plain(passage.title, "bold"),
                plain(f"  {passage.source}{place(passage)}", "dim"),
                (f"  {passage.score:.2f}", "green"),
            )
        )
        found.append(Padding(plain(shortened(passage.text, 160), "italic"), (0, 0, 0, 4), expand=False))
    if search.abstain:
        found.append(plain(f"confidence {search.confidence:.2f}: too low to answer from these", "yellow"))
    return found


def budget(fit: FitReport, *, width: int) -> Text:
    """A bar of the prompt's budget: used, reserved for the reply, free."""
    cells = max(min(width - 4, 60), 10)
    total = max(fit.limit_tokens, fit.used_tokens + fit.reserved_tokens, 1)
    used = min(-(-fit.used_tokens * cells // total), cells)
    reserved = min(-(-fit.reserved_tokens * cells // total), cells - used)
    return Text.assemble(
        ("█" * used, "cyan"),
        ("▒" * reserved, "yellow"),
        ("░" * (cells - used - reserved), "dim"),
        f"\n{fit.used_tokens} used",
        (f" + {fit.reserved_tokens} for the reply", "yellow"),
        (f" of {fit.limit_tokens} tokens", "dim"),
    )


def fit_lists(fit: FitReport, labels: Mapping[str, str]) -> list[RenderableType]:
    """What was kept, retrieved, summarised and dropped, by name."""
    found: list[RenderableType] = []
    for title, refs, style in (
        ("kept", fit.kept, "green"),
        ("retrieved", fit.retrieved, "cyan"),
        ("summarised", fit.summarised, "yellow"),
        ("dropped", fit.dropped, "red"),
    ):
        if refs:
            found.append(Text(f"{title} ({len(refs)})", style=style))
            found.extend(Padding(plain(labels.get(ref, ref)), (0, 0, 0, 2), expand=False) for ref in refs)
    return found


def attribution_bars(
    shares: Sequence[Attribution], labels: Mapping[str, str], *, width: int
) -> list[RenderableType]:
    """Shares as bars, largest first; bars of all segments have one scale."""
    cells = max(min(width // 4, 24), 6)
    scale = max((share.share for share in shares), default=0.0) or 1.0
    ordered = sorted(shares, key=lambda share: -share.share)
    return [
        Text.assemble(
            (f"{share.share:>6.1%} ", "bold"),
            ("█" * round(share.share / scale * cells)).ljust(cells),
            " ",
            plain(shortened(labels.get(share.segment, share.segment)), _KIND_STYLES[share.kind]),
        )
        for share in ordered
    ]


def help_lines(commands: Iterable[Command], *, width: int) -> list[RenderableType]:
    """Commands, their arguments, and what they do; on a narrow screen what they do stands below."""
    known = list(commands)
    widest = max(len(f"{command.name} {command.usage}") for command in known)
    found: list[RenderableType] = []
    for command in known:
        call = Text.assemble((command.name, "bold"), (f" {command.usage}", "dim"))
        if widest + 40 <= width:
            call.pad_right(widest + 2 - len(call))
            found.append(call + Text(command.help))
        else:
            found.extend([call, Padding(Text(command.help, style="dim"), (0, 0, 0, 4), expand=False)])
    return found


def pairs(rows: Iterable[tuple[str, str]], *, marked: str | None = None) -> Table:
    """Rows of a name and what is to be said about it; `marked` is the current one."""
    return _grid(((name, text) for name, text in rows), marked=marked)


def numbered(rows: Iterable[tuple[str, str]], *, marked: str | None = None) -> Table:
    """The same with numbers, which commands accept."""
    known = list(rows)
    return _grid(known, marked=marked, numbers=[str(number) for number, _ in enumerate(known, start=1)])


def _grid(
    rows: Iterable[tuple[str, str]], *, marked: str | None, numbers: Sequence[str] | None = None
) -> Table:
    grid = Table.grid(padding=(0, 2))
    if numbers is not None:
        grid.add_column(justify="right", style="dim")
    grid.add_column(no_wrap=True)
    grid.add_column()
    for at, (name, text) in enumerate(rows):
        cells = [plain(name, "bold" if name == marked else ""), plain(text, "dim")]
        grid.add_row(*([numbers[at], *cells] if numbers is not None else cells))
    return grid


def turn_lines(turns: Iterable[Turn]) -> list[RenderableType]:
    """Turns with their numbers, from 1: what was asked in full, what was answered on a few lines."""
    found: list[RenderableType] = []
    for turn in turns:
        found.append(Text.assemble((f"{turn.index + 1:>3} › ", "bold"), plain(shortened(turn.user, 400))))
        answer = "(no reply)" if turn.reply is None else shortened(turn.reply, 400)
        found.append(Padding(plain(answer, "dim"), (0, 0, 0, 6), expand=False))
    return found


def tree_lines(branches: Sequence[Branch], replies: Mapping[str, str]) -> list[RenderableType]:
    """Branches with their numbers, their last words and, by tip, the last reply.

    The thick bar is what a branch shares with the current one.
    """
    return [
        Text.assemble(
            ("→ " if branch.is_current else "  ", "bold green"),
            (f"{number:>2} ", "dim"),
            ("━" * min(branch.shared_turns, 12), "dim"),
            ("┳" if branch.num_turns > branch.shared_turns or branch.is_current else "╸", "dim"),
            ("━" * min(branch.num_turns - branch.shared_turns, 12), "cyan"),
            f" {counted(branch.num_turns, 'turn')}",
            plain(f'  "{shortened(branch.preview, 40)}"'),
            plain(f" {shortened(replies[branch.tip], 40)}" if branch.tip in replies else "", "dim"),
        )
        for number, branch in enumerate(branches, start=1)
    ]


def instruction_lines(system: str, stack: Resolution) -> list[RenderableType]:
    """The deployment's own words, then the stack in the order the model reads it, then who lost to whom."""
    found: list[RenderableType] = [Text.assemble(("  system  ", "magenta"), plain(shortened(system, 200)))]
    for number, instruction in enumerate(stack.active, start=1):
        about = f"{instruction.source}, {instruction.scope}, priority {instruction.priority}"
        found.append(
            Text.assemble((f"{number:>2}  ", "dim"), plain(instruction.text), plain(f"  ({about})", "dim"))
        )
    for lost in stack.overridden:
        found.append(
            Text.assemble(
                ("  - ", "red"), plain(lost.instruction.text, "strike"), plain(f"  {lost.reason}", "dim")
            )
        )
    return found


def choice_lines(choice: LearnedChoice, *, used: Set[str]) -> list[RenderableType]:
    """How often each variant of a choice is picked, and from what ratings; those in `used` are marked."""
    found: list[RenderableType] = [Text.assemble("choice ", (choice.name, "bold"))]
    for variant in choice.variants:
        found.append(
            Text.assemble(
                ("→ " if variant.id in used else "  ", "bold green"),
                (f"{variant.share:>4.0%}  ", "magenta"),
                plain(variant.text),
                plain(f"  ({counted(variant.num_ratings, 'rating')}, mean {variant.mean:.2f})", "dim"),
            )
        )
    return found


def _total_s(timings: Timings) -> float:
    return timings.retrieve_s + timings.render_s + timings.first_token_s + timings.decode_s


def _times(timings: Timings) -> str:
    rate = timings.reply_tokens / timings.decode_s if timings.decode_s else 0.0
    return (
        f"{_total_s(timings):.2f} s (retrieve {timings.retrieve_s:.2f}, prefill {timings.prefill_s:.2f}, "
        f"first token {timings.first_token_s:.2f}, decode {timings.decode_s:.2f} at {rate:.0f}/s) · "
        f"{timings.prompt_tokens} tokens in, {timings.cached_tokens} cached, {timings.reply_tokens} out"
    )
