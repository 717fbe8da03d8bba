"""A tuning run as one self-contained HTML page: what was gained, the curves, what it came from.

    page(card, before=evaluated_before, after=evaluated_after)

Names of files and conversations are escaped, and the page's own policy forbids
scripts and the network.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from training.evaluation import Evaluated
from training.figures import interval, shown
from training.generated import Heard

_WIDTH, _HEIGHT, _MARGIN = 640, 240, 44
_MOST_SHOWN = 10
_LIKELIHOOD = (("cross-entropy per token, nats", "cross_entropy"), ("perplexity", "perplexity"))
_HEAD = """<!doctype html><html lang=en><meta charset=utf-8>
<meta http-equiv=Content-Security-Policy content="default-src 'none'; style-src 'unsafe-inline'">
<title>Tuning</title><style>
body{font:15px/1.5 system-ui,sans-serif;max-width:56rem;margin:2rem auto;padding:0 1rem}
table{border-collapse:collapse;margin:1rem 0}
td,th{padding:.2rem .8rem;text-align:left;vertical-align:top;border-bottom:1px solid #ccc}
.n{text-align:right;font-variant-numeric:tabular-nums}polyline{fill:none;stroke-width:2}
.train{stroke:#888}.valid{stroke:#06c}text{font-size:12px}
</style>"""


def page(
    card: Mapping[str, Any],
    *,
    before: Sequence[Evaluated],
    after: Sequence[Evaluated],
    heard: Heard | None = None,
) -> str:
    """The page of a run card (`training.json`), its evaluations, and what was said before and after."""
    parts = (
        _overview(card),
        _scores(card.get("replies")),
        _curves(card["reports"]),
        _replies(heard),
        _conversations(before, after),
        _origins(card),
    )
    return "\n".join([_HEAD, *(line for part in parts for line in part), "</html>"])


def _overview(card: Mapping[str, Any]) -> Iterator[str]:
    train = card["data"]["train"]
    yield f"<h1>{escape(card['method'])} on {escape(card['model'])}</h1>"
    yield (
        f"<p>{card['parameters']:,} numbers trained in {card['steps']} steps, {card['seconds']:.0f} seconds; "
        f"{train['supervised']:,} tokens trained on of {train['tokens']:,}.</p>"
    )
    yield "<table><tr><th>held out<th>before<th>after</tr>"
    is_likelihood = card["after"]["cross_entropy"] is not None or card["after"]["loss"] is None
    for name, key in _LIKELIHOOD if is_likelihood else (("loss of a pair or rated reply", "loss"),):
        values = (card[when][key] for when in ("before", "after"))
        cells = "".join(f"<td class=n>{'n/a' if value is None else f'{value:.4f}'}" for value in values)
        yield f"<tr><td>{name}{cells}</tr>"
    yield (
        f"<tr><td>conversations<td class=n colspan=2>{card['after']['conversations']}</tr>"
        f"<tr><td>{'tokens' if is_likelihood else 'pairs or rated replies, by weight'}"
        f"<td class=n colspan=2>{card['after']['tokens']:.0f}</tr></table>"
    )
    if (ranked := card.get("ranked")) is not None:
        yield (
            f"<p>The wanted reply is likelier in {ranked['before']:.0%} of {ranked['couples']} couples "
            f"before, in {ranked['after']:.0%} after ({shown(ranked['gain'], sign=True)}; "
            f"95 % {interval(ranked['ci95'])}).</p>"
        )


def _scores(replies: Mapping[str, Any] | None) -> Iterator[str]:
    """What generated replies came to; intervals by drawing conversations."""
    if replies is None:
        return
    yield (
        f"<h2>Replies to {replies['turns']} held-out turns of {replies['conversations']} conversations, "
        f"of {replies['of_turns']} turns there are</h2>"
    )
    yield "<table><tr><th>score<th>before<th>after<th>gain<th>95 %</tr>"
    for name, score in replies["scores"].items():
        cells = "".join(f"<td class=n>{shown(score[key])}" for key in ("before", "after"))
        yield (
            f"<tr><td title='{escape(score['signature'])}'>{escape(name)}{cells}"
            f"<td class=n>{shown(score['gain'], sign=True)}<td class=n>{interval(score['ci95'])}</tr>"
        )
    yield "</table>"
    for note in replies["notes"]:
        yield f"<p>{escape(note)}</p>"


def _replies(heard: Heard | None) -> Iterator[str]:
    """The first turns that were asked, as they are: not chosen by how they came out."""
    if heard is None:
        return
    said = list(zip(heard.asked.turns, heard.before, heard.after, strict=True))
    yield f"<h2>Before and after, the first {len(said[:_MOST_SHOWN])} of {len(said)}</h2>"
    yield "<table><tr><th>customer<th>agent<th>before<th>after</tr>"
    for one, before, after in said[:_MOST_SHOWN]:
        cells = "".join(f"<td>{escape(text)}" for text in (one.user, one.wanted, before, after))
        yield f"<tr>{cells}</tr>"
    yield "</table>"


def _curves(reports: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Training in grey, held out in blue, by step."""
    lines = {
        name: [(one["step"], one[key]) for one in reports if one[key] is not None]
        for name, key in (("train", "train_loss"), ("valid", "valid_loss"))
    }
    points = [point for line in lines.values() for point in line]
    if not points:
        return
    last = max(step for step, _ in points)
    least, most = min(loss for _, loss in points), max(loss for _, loss in points)
    span = (most - least) or 1.0

    def placed(step: int, loss: float) -> str:
        across = _MARGIN + (_WIDTH - 2 * _MARGIN) * step / last
        down = _MARGIN + (_HEIGHT - 2 * _MARGIN) * (most - loss) / span
        return f"{across:.1f},{down:.1f}"

    yield f'<h2>Loss by step</h2><svg viewBox="0 0 {_WIDTH} {_HEIGHT}" width="{_WIDTH}" role="img">'
    for name, line in lines.items():
        yield f'<polyline class="{name}" points="{" ".join(placed(*point) for point in line)}"/>'
    for loss, down in ((most, _MARGIN), (least, _HEIGHT - _MARGIN)):
        yield f'<text x="0" y="{down}">{loss:.3f}</text>'
    yield f'<text x="{_WIDTH - _MARGIN}" y="{_HEIGHT - 8}">{last}</text></svg>'
    yield "<p>grey: trained on; blue: held out</p>"


def _conversations(before: Sequence[Evaluated], after: Sequence[Evaluated]) -> Iterator[str]:
    """Those that lost most and gained most."""
    pairs = [(one, other) for one, other in zip(before, after, strict=True) if one.weight]
    pairs.sort(key=lambda pair: (pair[0].loss - pair[1].loss) / pair[0].weight)
    shown = pairs if len(pairs) <= 2 * _MOST_SHOWN else [*pairs[:_MOST_SHOWN], *pairs[-_MOST_SHOWN:]]
    if not shown:
        return
    yield "<h2>Held-out conversations, from loss to gain</h2>"
    yield "<table><tr><th>conversation<th>tokens<th>before<th>after</tr>"
    for one, other in shown:
        cells = "".join(f"<td class=n>{value.loss / value.weight:.3f}" for value in (one, other))
        yield f"<tr><td>{escape(one.id)}<td class=n>{one.weight:.0f}{cells}</tr>"
    yield "</table>"


def _origins(card: Mapping[str, Any]) -> Iterator[str]:
    yield "<h2>What it came from</h2><table>"
    for part, data in card["data"].items():
        for reason, number in (*data["refused"].items(), *data["notes"].items()):
            yield f"<tr><td>{part}: {escape(reason)}<td class=n>{number}</tr>"
        for path, sha256 in data["files"].items():
            yield f"<tr><td>{part}: {escape(path)}<td>{sha256[:16]}</tr>"
    facts = {**card["options"], **card["versions"], "dtype": card["dtype"], "device": card["device"]}
    for name, value in facts.items():
        yield f"<tr><td>{escape(str(name))}<td>{escape(str(value))}</tr>"
    yield "</table>"
