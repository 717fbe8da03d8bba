"""Free conversations of the page: those of both agents side by side, the worst regressions first.

A conversation regresses where A does not succeed and B does. Nothing is marked
as different: from the second turn on the two have other histories.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from dialog.replay.failures import Failure
from dialog.replay.report.item import Item
from dialog.replay.report.shown import html
from dialog.replay.saved import Key, SavedTurn

Failures = Mapping[Key, tuple[Failure, ...]]


@dataclass(frozen=True)
class _Talk:
    """One conversation of one agent, in order."""

    turns: tuple[SavedTurn, ...]
    failures: Failures

    @property
    def is_good(self) -> bool:
        return self.turns[-1].given.succeeded is True

    @property
    def ended(self) -> str:
        course = self.turns[-1].course
        return (course.ended or "") if course is not None else ""

    @property
    def kinds(self) -> set[str]:
        return {failure.kind for turn in self.turns for failure in self.failures.get(turn.key, ())}


def talk_items(
    turns: Iterable[SavedTurn], failures: Failures, *, is_comparison: bool, has_seeds: bool
) -> list[Item]:
    """One item a conversation and seed."""
    grouped: dict[tuple[str, int], dict[str, list[SavedTurn]]] = defaultdict(lambda: defaultdict(list))
    for turn in sorted(turns, key=lambda turn: turn.turn):
        grouped[turn.conversation_id, turn.seed][turn.agent].append(turn)
    talks = {
        key: {agent: _Talk(tuple(found), failures) for agent, found in by_agent.items()}
        for key, by_agent in grouped.items()
    }

    def order(item: tuple[tuple[str, int], Mapping[str, _Talk]]) -> tuple[bool, bool, tuple[str, int]]:
        key, by_agent = item
        a, b = by_agent.get("a"), by_agent.get("b")
        return (not (a and b and b.is_good and not a.is_good), bool(a and a.is_good), key)

    return [
        _item(by_agent, is_comparison=is_comparison, has_seeds=has_seeds)
        for _, by_agent in sorted(talks.items(), key=order)
    ]


def _item(talks: Mapping[str, _Talk], *, is_comparison: bool, has_seeds: bool) -> Item:
    first = next(iter(talks.values())).turns[0]
    shown = [("B", talks.get("b")), ("A", talks.get("a"))] if is_comparison else [("A", talks.get("a"))]
    seed = f", seed {first.seed}" if has_seeds else ""
    languages = list(dict.fromkeys(turn.language for talk in talks.values() for turn in talk.turns))
    badges = "".join(f'<span class="badge">{html(label)}</span>' for label in (*first.tags, *languages))
    columns = "".join(f"<div>{''.join(_column(name, talk))}</div>" for name, talk in shown)
    a = talks.get("a")
    return Item(
        tags=first.tags,
        languages=tuple(languages),
        kinds=tuple(sorted(set().union(*(talk.kinds for talk in talks.values())))),
        endings=tuple(sorted({talk.ended for talk in talks.values()})),
        has_failed=a is None or not a.is_good,
        html=f"<h3>{html(first.conversation_id)}{seed} {badges}</h3>"
        f'<div class="{"both" if is_comparison else "one"}">{columns}</div>',
    )


def _column(name: str, talk: _Talk | None) -> Iterator[str]:
    if talk is None:
        yield f'<p class="quiet">agent {name}</p><p class="none">nothing</p>'
        return
    verdict = ("pass", "success") if talk.is_good else ("fail", "no success")
    yield (
        f'<p class="quiet">agent {name} <span class="badge {verdict[0]}">{verdict[1]}</span>'
        f'<span class="badge">{talk.ended.replace("_", " ")}</span></p>'
    )
    for turn in talk.turns:
        yield from _turn(turn, talk.failures.get(turn.key, ()))


def _turn(turn: SavedTurn, failures: Sequence[Failure]) -> Iterator[str]:
    if turn.messages:
        off = turn.course is not None and turn.course.is_off_script
        left = ' <span class="badge">off script</span>' if off else ""
        yield f'<div class="said user">{html(turn.messages[-1].content)}{left}</div>'
    for action in turn.given.actions or ():
        arguments = ", ".join(f"{key}={value}" for key, value in action.arguments.items())
        yield f'<p class="quiet">does <code>{html(f"{action.name}({arguments})")}</code></p>'
    if turn.given.text:
        yield f'<div class="said">{html(turn.given.text)}</div>'
    else:
        yield '<p class="none">nothing</p>'
    for failure in failures:
        yield f'<p><span class="badge fail">{failure.kind}</span>{html(failure.detail)}</p>'
