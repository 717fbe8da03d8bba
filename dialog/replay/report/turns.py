"""One turn of the page: the question and its history, what was wanted, and the answers side by side."""

from __future__ import annotations

from collections.abc import Iterator

from dialog.replay.failures import Failure
from dialog.replay.report import svg
from dialog.replay.report.differ import marked
from dialog.replay.report.item import Item
from dialog.replay.report.pairs import Pair
from dialog.replay.report.shown import html, number
from dialog.replay.saved import SavedTurn

MAX_CAUSES = 6


def turn_item(pair: Pair, *, is_comparison: bool, has_seeds: bool) -> Item:
    """The turn as the page lists it."""
    return Item(
        tags=pair.turn.tags,
        intents=(pair.intent,) if pair.intent else (),
        languages=(pair.turn.language,),
        kinds=tuple(pair.kinds),
        has_failed=bool(pair.failures_a),
        html="\n".join(
            (
                _heading(pair, has_seeds=has_seeds),
                *_history(pair.turn),
                *_answers(pair, is_comparison=is_comparison),
            )
        ),
    )


def _heading(pair: Pair, *, has_seeds: bool) -> str:
    turn = pair.turn
    seed = f", seed {turn.seed}" if has_seeds else ""
    labels = [*turn.tags, *([pair.intent] if pair.intent else []), turn.language]
    badges = "".join(f'<span class="badge">{html(label)}</span>' for label in labels)
    return f"<h3>{html(turn.conversation_id)}, turn {turn.turn}{seed} {badges}</h3>"


def _history(turn: SavedTurn) -> Iterator[str]:
    *before, last = turn.messages
    if before:
        yield f"<details><summary>{len(before)} earlier messages</summary>"
        for message in before:
            yield f'<p class="quiet">{message.role}</p><div class="said">{html(message.content)}</div>'
        yield "</details>"
    yield f'<p class="quiet">{last.role}</p><div class="said user">{html(last.content)}</div>'


def _answers(pair: Pair, *, is_comparison: bool) -> Iterator[str]:
    wanted = pair.turn.wanted.text
    reply_a = pair.a.given.text if pair.a else None
    if not is_comparison:
        left, right = marked(wanted or "", reply_a or "")
        yield '<div class="both"><div>'
        yield f'<p class="quiet">wanted</p>{_said(left, is_there=wanted is not None)}</div><div>'
        yield from _answer("A", pair.a, right, pair.failures_a, pair.score_a)
        yield "</div></div>"
        return
    if wanted is not None:
        yield f'<p class="quiet">wanted</p><div class="said">{html(wanted)}</div>'
    left, right = marked((pair.b.given.text if pair.b else None) or "", reply_a or "")
    yield '<div class="both"><div>'
    yield from _answer("B", pair.b, left, pair.failures_b, pair.score_b)
    yield "</div><div>"
    yield from _answer("A", pair.a, right, pair.failures_a, pair.score_a)
    yield "</div></div>"


def _answer(
    name: str, turn: SavedTurn | None, text: str, failures: tuple[Failure, ...], score: float | None
) -> Iterator[str]:
    given = turn.given if turn is not None else None
    about = [f"agent {name}"]
    if score is not None:
        about.append(f"score {number(score)}")
    if given is not None and given.latency_s is not None:
        about.append(f"{given.latency_s:.3g} s")
    yield f'<p class="quiet">{", ".join(about)}</p>{_said(text, is_there=bool(given and given.text))}'
    for failure in failures:
        yield f'<p><span class="badge fail">{failure.kind}</span>{html(failure.detail)}</p>'
    if given is None:
        return
    if given.citations:
        sources = dict.fromkeys(citation.title or citation.source for citation in given.citations)
        yield f'<p class="quiet">cites {html(", ".join(sources))}</p>'
    if given.attribution:
        causes = [(f"{cause.kind} {cause.segment}", cause.share) for cause in given.attribution[:MAX_CAUSES]]
        yield f'<p class="quiet">rests on</p>{svg.shares(causes)}'


def _said(text: str, *, is_there: bool) -> str:
    return f'<div class="said">{text}</div>' if is_there else '<p class="none">nothing</p>'
