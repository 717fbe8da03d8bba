"""What the model is to write after a prompt: the reply as the template frames it, up to its terminator.

The ids are those that follow the generation prompt when the stock template
renders the reply, so training sees what generation must produce. Where the
two would be tokenized across their border (a reply that begins with a line
break), the reply is encoded by itself, as the model would write it.

    reply = continue_with(template, [Part("agent", "r-1", "It ships today.")])
    prompt.ids + reply.ids
"""

from __future__ import annotations

from collections.abc import Sequence

from dialog.errors import ModelError
from dialog.prompt.parts import Laid, Part, Spoken
from dialog.prompt.template import Template

_ASKED = Spoken("user", (Part("user", "", "?"),))


def continue_with(template: Template, parts: Sequence[Part]) -> Laid:
    """Ids and origins from the end of the generation prompt to the terminator, included.

    Raises:
        ModelError: the template ends a reply without a control token, so that
            a model could never learn where to stop.
    """
    spoken = Spoken("assistant", tuple(parts))
    prompt = template.lay_out([_ASKED], reply_follows=True)
    whole = template.lay_out([_ASKED, spoken], reply_follows=False)
    end = _end_of_reply(whole)
    start = len(prompt.ids)
    if whole.ids[:start] == prompt.ids:
        return _cut(whole, start, end)
    return _alone(template, spoken, terminator=_cut(whole, end - 1, end))


def _end_of_reply(whole: Laid) -> int:
    """Position after the first control token behind the last part of the reply."""
    last_part = max(index for index, part in enumerate(whole.parts) if part.kind != "template")
    for position in whole.controls:
        if whole.owners[position] > last_part:
            return position + 1
    raise ModelError(
        "the model's chat template ends a reply without a control token; "
        "tune a model whose template marks where a reply ends"
    )


def _cut(laid: Laid, start: int, end: int) -> Laid:
    owners = laid.owners[start:end]
    shown = laid.parts[owners[0] : owners[-1] + 1]
    return Laid(
        text="".join(part.text for part in shown),
        ids=laid.ids[start:end],
        owners=tuple(owner - owners[0] for owner in owners),
        parts=shown,
        controls=tuple(position - start for position in laid.controls if start <= position < end),
    )


def _alone(template: Template, spoken: Spoken, *, terminator: Laid) -> Laid:
    """The reply encoded by itself, then the terminator."""
    [adapted] = template.adapt([spoken])
    laid = template.lay_out_plain(adapted.parts)
    num_parts, num_ids = len(laid.parts), len(laid.ids)
    return Laid(
        text=laid.text + terminator.text,
        ids=laid.ids + terminator.ids,
        owners=laid.owners + tuple(owner + num_parts for owner in terminator.owners),
        parts=laid.parts + terminator.parts,
        controls=tuple(position + num_ids for position in terminator.controls),
    )
