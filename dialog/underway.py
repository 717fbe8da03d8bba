"""Actions between proposal and end: a skill's proposal made whole, its entries, and which are open.

proposal = completed(event, actions, conversation_id="c-42", turn_id=said.id, earlier=())
entries = list(proposal_entries([proposal], after=replied, refused=None))
underway = after({}, entries[0])          # {action_id: OpenAction(proposal=...)}
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dialog.actions import Actions, action_id, check, plain
from dialog.entries import ActionDecided, ActionDone, ActionEntry, ActionProposed, Entry, new_id
from dialog.events import ActionProposed as Proposal
from dialog.values import Value

NOBODY = "no approval needed"
"""Who decided on an action that waits for nobody."""


class OpenAction(Value):
    """A proposed action; with `approval` it was allowed, and its end is not recorded yet."""

    proposal: ActionProposed
    approval: ActionDecided | None = None


def after(actions: dict[str, OpenAction], entry: ActionEntry) -> dict[str, OpenAction]:
    """The open actions one entry later; a refusal or an end closes one."""
    rest = {known: action for known, action in actions.items() if known != entry.action_id}
    match entry:
        case ActionProposed():
            return {**rest, entry.action_id: OpenAction(proposal=entry)}
        case ActionDecided(approved=True) if entry.action_id in actions:
            return {**rest, entry.action_id: actions[entry.action_id].model_copy(update={"approval": entry})}
        case _:
            return rest


def completed(
    proposal: Proposal, actions: Actions, *, conversation_id: str, turn_id: str, earlier: Sequence[Proposal]
) -> Proposal:
    """The proposal with its id, checked arguments and gate, or with the problem why it cannot be done.

    Args:
        earlier: what this turn proposed before, completed.
    """
    try:
        arguments, problem = check(actions, proposal.name, proposal.arguments), None
    except ValueError as error:
        arguments, problem = plain(proposal.arguments), str(error)
    nth = sum(one.name == proposal.name and one.arguments == arguments for one in earlier)
    return proposal.model_copy(
        update={
            "arguments": arguments,
            "problem": problem,
            "needs_approval": problem is not None or actions[proposal.name].needs_approval,
            "action_id": action_id(conversation_id, turn_id, proposal.name, arguments, nth=nth),
        }
    )


def proposal_entries(
    proposals: Sequence[Proposal], *, after: Entry, refused: str | None = None
) -> Iterator[Entry]:
    """Completed proposals as entries that follow `after`; `refused` says why none of them may be done."""
    parent = after
    for proposal in proposals:
        parent = ActionProposed(
            **_following(parent, proposal),
            name=proposal.name,
            arguments=proposal.arguments,
            reason=proposal.reason,
            needs_approval=proposal.needs_approval,
        )
        yield parent
        problem = proposal.problem or refused
        if problem is not None:
            parent = ActionDone(**_following(parent, proposal), error=problem)
            yield parent
        elif not proposal.needs_approval:
            parent = ActionDecided(**_following(parent, proposal), approved=True, by=NOBODY)
            yield parent


def _following(parent: Entry, proposal: Proposal) -> dict[str, object]:
    return {"id": new_id(), "parent": parent.id, "time": parent.time, "action_id": proposal.action_id}
