"""Judged turns for tests of metrics."""

from dialog.metrics.judged import Given, JudgedTurn, Wanted
from dialog.values import Message

IDENTICAL = {
    "zh": "您的订单可以在七天内免费退货，请保留包装和发票。",
    "en": "You can return your order within seven days, please keep the box and the invoice.",
}


def turn(
    reply=None,
    reference=None,
    *,
    conversation="c",
    number=0,
    seed=0,
    question="?",
    language="und",
    candidates=(),
    wanted=None,
    **given,
):
    return JudgedTurn(
        conversation_id=conversation,
        turn=number,
        seed=seed,
        messages=(Message(role="user", content=question),),
        wanted=Wanted(text=reference, **(wanted or {})),
        given=Given(text=reply, **given),
        language=language,
        candidates=candidates,
    )


def score(metric, *turns):
    return float(metric.value(metric.tally(turns)))
