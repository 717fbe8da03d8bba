"""Actions of a conversation: proposed, decided by somebody, done exactly once. `DialogAgent` inherits this.

    outcome = agent.propose("c-42", "cancel_order", {"order_no": "MK-10482"})
    for pending in agent.pending("c-42"):
        agent.decide("c-42", pending.id, approve=True, by="ann")

An approval and the order to act on it are one transaction, so neither exists
without the other. The handler runs after it; a process that dies before the
end is recorded leaves the order in the store's outbox, and `run_actions` does
it again once the lease has run out, under the same key.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from pydantic import JsonValue

from dialog.actions import NO_ACTIONS, ActionContext, ActionOutcome, Actions, OutcomeStatus, PendingAction
from dialog.conversation import Conversation
from dialog.conversations import Conversations
from dialog.deeds import Action as Deed
from dialog.entries import ActionDecided, ActionDone, ActionEntry, ActionProposed, Entry, new_id
from dialog.events import ActionProposed as Proposal
from dialog.state import fold
from dialog.underway import completed, proposal_entries


class Acting(Conversations):
    """Proposing, deciding and doing."""

    actions: Actions = NO_ACTIONS
    """What is declared, by name."""

    def propose(
        self, conversation_id: str, name: str, arguments: Mapping[str, Any], *, reason: str = ""
    ) -> ActionOutcome:
        """Ask for an action; one that needs no approval is done before this returns.

        An unknown name or wrong arguments are recorded as a failed action, not raised.

        Raises:
            ValueError: nothing was ever said in this conversation.
        """
        asked = Proposal.model_construct(name=name, arguments=dict(arguments), reason=reason)
        proposal = completed(
            asked, self.actions, conversation_id=conversation_id, turn_id=new_id(), earlier=()
        )

        def proposed(conversation: Conversation) -> list[Entry]:
            last = next(conversation.entries_back(), None)
            if last is None:
                raise ValueError(f"conversation {conversation_id!r} is empty; there is nothing to act on")
            return list(proposal_entries([proposal], after=last))

        self.ledger.append(conversation_id, proposed)
        return self._settled(conversation_id, proposal.action_id)

    def pending(self, conversation_id: str) -> tuple[PendingAction, ...]:
        """The actions that wait for a decision, oldest first."""
        return tuple(
            PendingAction(
                id=action.proposal.action_id,
                conversation_id=conversation_id,
                name=action.proposal.name,
                arguments=action.proposal.arguments,
                reason=action.proposal.reason,
                proposed=action.proposal.time,
            )
            for action in self.state(conversation_id).actions.values()
            if action.approval is None
        )

    def decide(
        self, conversation_id: str, action_id: str, *, approve: bool, by: str, reason: str = ""
    ) -> ActionOutcome:
        """Allow a pending action, which does it now, or refuse it. The same decision again changes nothing.

        Raises:
            ValueError: there is no such action on the conversation's path, it was decided otherwise, or
                this agent does not declare it.
            StoreError: the store has no outbox.
        """

        def decided(conversation: Conversation) -> list[Entry]:
            before = outcome_of(conversation, action_id)
            if before.status == "pending":
                if approve and before.name not in self.actions:
                    raise ValueError(
                        f"this program declares no action {before.name!r}; approve it in one that does"
                    )
                place = _next(conversation, action_id)
                return [ActionDecided(**place, approved=approve, by=by, reason=reason)]
            if approve != (before.status != "rejected"):
                decider = f", decided by {before.by!r}" if before.by else ""
                raise ValueError(f"action {action_id!r} is {before.status} already{decider}")
            return []

        self.ledger.append(conversation_id, decided)
        return self._settled(conversation_id, action_id)

    def run_actions(self, conversation_id: str | None = None) -> tuple[ActionOutcome, ...]:
        """Do what was approved and never finished: after a crash, or from a worker of its own.

        Args:
            conversation_id: only there; None takes whatever the outbox holds that this agent declares.

        Raises:
            StoreError: the store has no outbox.
        """
        if conversation_id is not None:
            underway = self.state(conversation_id).actions
            return tuple(self._settled(conversation_id, key) for key in underway if underway[key].approval)
        outcomes: list[ActionOutcome] = []
        names, worker = tuple(self.actions), new_id()
        lease_s = max((action.lease_s for action in self.actions.values()), default=0.0)
        while names and (deed := self.ledger.outbox.claim(worker, lease_s=lease_s, names=names)):
            self._do(deed, worker)
            self._act(deed.conversation_id, deed.id)
            outcomes.append(self._ended(deed.id))
        return tuple(outcomes)

    def _settled(self, conversation_id: str, action_id: str) -> ActionOutcome:
        """What has become of an action, after doing it if it is approved and nobody else is at it."""
        outcome = outcome_of(self.history(conversation_id), action_id)
        if outcome.status != "running":
            return outcome
        self._act(conversation_id, action_id)
        return outcome_of(self.history(conversation_id), action_id)

    def _act(self, conversation_id: str, action_id: str) -> None:
        """Do what the outbox holds under this id, unless somebody else is at it, and record the end."""
        outbox, worker = self.ledger.outbox, new_id()
        deed = outbox.find_action(action_id)
        action = self.actions.get(deed.name) if deed else None
        if action and (claimed := outbox.claim(worker, lease_s=action.lease_s, only=action_id)):
            self._do(claimed, worker)
            deed = outbox.find_action(action_id)
        if deed is None or deed.status != "done":
            return
        ended = deed.result if isinstance(deed.result, dict) else {"result": deed.result}
        error = ended.get("error")

        def done(conversation: Conversation) -> list[Entry]:
            underway = fold(conversation).actions.get(action_id)
            if underway is None or underway.approval is None:
                return []  # somebody else recorded it, or the head has moved elsewhere
            return [
                ActionDone(
                    **_next(conversation, action_id),
                    result=ended.get("result"),
                    error=None if error is None else str(error),
                )
            ]

        self.ledger.append(conversation_id, done)

    def _ended(self, action_id: str) -> ActionOutcome:
        """The outcome as the outbox has it, wherever the conversation's head may be by now."""
        deed = self.ledger.outbox.find_action(action_id)
        assert deed is not None
        assert isinstance(deed.result, dict)
        return ActionOutcome(
            id=deed.id,
            name=deed.name,
            status="failed" if "error" in deed.result else "done",
            result=deed.result.get("result"),
            error=str(deed.result["error"]) if "error" in deed.result else None,
            by=str(deed.payload.get("by", "")),
        )

    def _do(self, deed: Deed, worker: str) -> None:
        """Run the handler and record the end in the outbox; whatever it raises is the end, too."""
        ended: dict[str, JsonValue]
        try:
            arguments = deed.payload.get("arguments")
            context = ActionContext(
                key=deed.id,
                conversation_id=deed.conversation_id,
                approved_by=str(deed.payload.get("by", "")),
                attempt=deed.attempt,
            )
            ended = {
                "result": self.actions[deed.name].perform(
                    arguments if isinstance(arguments, dict) else {}, context
                )
            }
        except Exception as error:  # a stranger's code: the action failed, the conversation goes on
            ended = {"error": f"{type(error).__name__}: {error}"}
        self.ledger.outbox.complete(deed.id, worker=worker, result=ended)


def outcome_of(conversation: Conversation, action_id: str) -> ActionOutcome:
    """What has become of an action along the path to the head.

    Raises:
        ValueError: it was not proposed there.
    """
    decision: ActionDecided | None = None
    end: ActionDone | None = None
    for entry in conversation.entries_back():
        if not isinstance(entry, ActionEntry) or entry.action_id != action_id:
            continue
        match entry:
            case ActionDone():
                end = end or entry
            case ActionDecided():
                decision = decision or entry
            case ActionProposed(name=name):
                return ActionOutcome(
                    id=action_id,
                    name=name,
                    status=_status(decision, end),
                    result=end.result if end else None,
                    error=end.error if end else None,
                    by=decision.by if decision else "",
                )
            case _:
                raise AssertionError(f"an entry of an action that is none of its steps: {entry.id!r}")
    raise ValueError(
        f"no action {action_id!r} was proposed on the path of conversation {conversation.id!r}; "
        "see pending(), or redo or switch to the branch it is on"
    )


def _status(decision: ActionDecided | None, end: ActionDone | None) -> OutcomeStatus:
    if end is not None:
        return "done" if end.error is None else "failed"
    if decision is None:
        return "pending"
    return "running" if decision.approved else "rejected"


def _next(conversation: Conversation, action_id: str) -> dict[str, object]:
    return {
        "id": new_id(),
        "parent": conversation.head_id,
        "time": datetime.now(UTC),
        "action_id": action_id,
    }
