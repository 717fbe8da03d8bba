"""How many planted near copies of conversations are found, and how many that are none.

    python -m benchmarks.duplicates [--num 10000]

Made conversations in both languages (`benchmarks.made_log`); of a tenth a copy
is planted with a share of its words replaced. The exact resemblance of word
pairs says how much a copy it is; the threshold in use is 0.8, and the estimate
blurs it by its standard error.
"""

from __future__ import annotations

import sys
import time
from argparse import ArgumentParser
from itertools import pairwise

from benchmarks import markdown, save
from benchmarks.made_log import changed, made_log
from corpora.checks.duplicates import THRESHOLD, DuplicateIndex, print_of
from dialog.text import words
from dialog.values import Transcript

EDGES = (0.0, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 1.0, 1.1)
SHARES = (0.0, 0.01, 0.03, 0.05, 0.1, 0.3)


def text_of(transcript: Transcript) -> str:
    return "\n".join(message.content for message in transcript.messages)


def resemblance(first: str, second: str) -> float:
    """Exact Jaccard of neighbouring word pairs."""
    one, other = ({*pairwise(tokens)} for tokens in (words(first), words(second)))
    return len(one & other) / len(one | other) if one | other else 1.0


def main(arguments: list[str]) -> int:
    parser = ArgumentParser()
    parser.add_argument("--num", type=int, default=10_000)
    num = parser.parse_args(arguments).num
    texts: list[str] = []
    planted: list[tuple[int, int]] = []
    for number, transcript in enumerate(made_log(num=num, seed=11)):
        texts.append(text_of(transcript))
        if number % 10 == 0:
            share = SHARES[number // 10 % len(SHARES)]
            planted.append((len(texts) - 1, len(texts)))
            texts.append(text_of(changed(transcript, share=share, seed=3)))
    index = DuplicateIndex()
    before = time.process_time()
    for text in texts:
        index.add(print_of(text))
    found = {(pair.first, pair.second) for pair in index.pairs()}
    spent_s = time.process_time() - before
    num_bytes = sum(len(text.encode()) for text in texts)
    rows, values = [], {}
    measured = [(resemblance(texts[one], texts[two]), (one, two) in found) for one, two in planted]
    for low, high in pairwise(EDGES):
        hits = [is_found for value, is_found in measured if low <= value < high]
        share = f"{sum(hits) / len(hits):.3f}" if hits else "n/a"
        name = "equal" if low == 1 else f"{low:g} to {high:g}"
        rows.append((name, len(hits), share))
        values[name] = {"pairs": len(hits), "reported": share}
    alike = [resemblance(texts[first], texts[second]) for first, second in found]
    right = sum(value >= THRESHOLD for value in alike) / max(1, len(alike))
    near = sum(value >= THRESHOLD - 0.1 for value in alike) / max(1, len(alike))
    rows.append(("*all reported: resemblance >= 0.8*", len(found), f"{right:.3f}"))
    rows.append(("*all reported: resemblance >= 0.7*", len(found), f"{near:.3f}"))
    rows.append(("*MB of text a CPU second*", "", f"{num_bytes / 1e6 / spent_s:.2f}"))
    values["all"] = {"reported": len(found), "precision": right, "precision_within_0.1": near}
    header = ("exact resemblance of planted pairs", "pairs", "share reported")
    save("duplicates", values, table=markdown(header, rows))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
