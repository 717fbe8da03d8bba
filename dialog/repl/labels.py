"""Readable names for the ids in fit reports and attributions: entries, passages, instructions.

labels_of(conversation, search, reply)["0f3a..."]    # 'you: "Where is my parcel?"'
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from dialog.citations import place
from dialog.conversation import Conversation
from dialog.entries import HumanSaid, InstructionSet, Replied, Summarised, UserSaid
from dialog.events import ActionProposed
from dialog.values import Reply, SearchResult

MAX_CHARS = 60


def labels_of(
    conversation: Conversation, search: SearchResult | None, reply: Reply | None
) -> Mapping[str, str]:
    """A short name by id, for everything on the path and everything that was found."""
    found = dict(_entry_labels(conversation))
    for citation in reply.citations if reply else ():
        found[citation.passage_id] = f"{citation.title} ({citation.source}{place(citation)})"
    for passage in search.passages if search else ():
        found[passage.id] = f"{passage.title} ({passage.source}{place(passage)})"
    return found


def _entry_labels(conversation: Conversation) -> Iterator[tuple[str, str]]:
    for entry in conversation.path():
        match entry:
            case UserSaid():
                yield entry.id, f'you: "{shortened(entry.text)}"'
            case Replied(reply=said):
                yield entry.id, f'agent: "{shortened(said.text)}"'
            case HumanSaid():
                yield entry.id, f'{entry.author}: "{shortened(entry.text)}"'
            case InstructionSet(instruction=instruction):
                yield instruction.id, f'{instruction.source}: "{shortened(instruction.text)}"'
            case Summarised():
                yield entry.id, f'summary: "{shortened(entry.text)}"'
            case _:
                pass


def shortened(text: str, limit: int = MAX_CHARS) -> str:
    """One line of at most `limit` characters."""
    line = " ".join(text[: 8 * limit].split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def called(name: str, arguments: Mapping[str, object]) -> str:
    """An action as one line: `cancel_order(order_no='MK-10482')`."""
    return shortened(f"{name}({', '.join(f'{key}={value!r}' for key, value in arguments.items())})", 120)


def proposal_notice(proposal: ActionProposed) -> str:
    """What to tell of a proposal that waits; nothing of one that does not."""
    if proposal.problem is not None or not proposal.needs_approval:
        return ""
    return f"waits for your approval: {called(proposal.name, proposal.arguments)} (/actions)"


def counted(number: int, noun: str) -> str:
    """`1 turn`, `2 turns`."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
