"""How many planted defects the comparison of facts finds, and how often it raises a false alarm.

Made pairs (60 templates, zh and en): defects in the reference's own words and
in a paraphrase's. Where `../shared/data` is there, also: replies of real
transcripts with one number, amount, date or identifier changed in its last
digit, or with their polarity turned; and Doc2Dial, where an agent's words are
compared with the document spans they rest on (an alarm there is false or a
slip of the annotator, so that the share is an upper bound). The rules were
mended after reading what was missed, except on what is marked as held out.

    python -m benchmarks.facts [--show]
"""

from __future__ import annotations

import gzip
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from typing import Any

from benchmarks import DATA, markdown, save
from benchmarks._facts_made import harmless, planted
from dialog.metrics.facts import compare, extract

SEEDS = range(25)
_NEGATED = re.compile(r"\b(?:can|is|are|will|do|does|did|has|have)(?: not|n't)\b|不能|不会|没有|不可以|无法")
_LAST_DIGIT = re.compile(r"\d(?=\D*$)")


def main(show: bool) -> int:
    counts: Counter[tuple[str, str, str]] = Counter()
    found: Counter[tuple[str, str, str]] = Counter()
    for name, language, kind, reply, reference in cases():
        key = (name, language, kind)
        counts[key] += 1
        conflicts = compare(reply, reference).conflicts
        found[key] += bool(conflicts)
        if show and bool(conflicts) == (kind in ("none", "same text")):
            print(
                key, [(one.kind, one.given, one.wanted) for one in conflicts], reply, reference, sep="\n    "
            )
    rows = [(*key, counts[key], found[key], f"{found[key] / counts[key]:.3f}") for key in sorted(counts)]
    table = markdown(("pairs", "language", "defect", "pairs", "flagged", "share"), rows)
    values = {" ".join(key): {"pairs": counts[key], "flagged": found[key]} for key in sorted(counts)}
    save("facts", values, table=table)
    return 0


def cases() -> Iterator[tuple[str, str, str, str, str]]:
    """(set, language, defect, reply, reference)."""
    for seed in SEEDS:
        for pair in harmless(seed):
            yield "made, paraphrase", pair.language, "none", pair.reply, pair.reference
        for paraphrased, name in ((False, "made, same words"), (True, "made, paraphrase")):
            for pair in planted(seed, paraphrased=paraphrased):
                yield name, pair.language, pair.kind or "none", pair.reply, pair.reference
    for name, language, text in real():
        yield name, language, "same text", text, text
        for fact in extract(text):
            said = text[fact.start : fact.end]
            changed = _LAST_DIGIT.sub(lambda match: str((int(match.group()) + 1) % 10), said)
            if changed != said:
                yield name, language, fact.kind, text[: fact.start] + changed + text[fact.end :], text
        if (denial := _NEGATED.search(text)) and not text.rstrip().endswith(("?", "？")):
            turned = re.sub(
                r" not|n't|^不|没|^无法",
                lambda match: "能" if match.group() == "无法" else "",
                denial.group(),
            )
            yield name, language, "negation", text[: denial.start()] + turned + text[denial.end() :], text
    for reply, spans in doc2dial():
        yield "doc2dial, reply against its spans", "en", "none", reply, spans


def real() -> Iterator[tuple[str, str, str]]:
    """(set, language, reply) of agents in real and in written transcripts."""
    for part, name in (("valid", "tweetsumm valid"), ("train", "tweetsumm train, held out")):
        for record in _rows(f"tweetsumm/{part}.jsonl.gz"):
            for speaker, text in record["turns"]:
                if speaker == "Agent":
                    yield name, "en", text
    for record in _rows("crosswoz/val.jsonl.gz"):
        for message in record["messages"]:
            if message["role"] != "usr":
                yield "crosswoz val", "zh", message["content"]
    for domain in ("film", "travel"):
        for record in _rows(f"kdconv/{domain}_dev.jsonl.gz"):
            for message in record["messages"]:
                yield "kdconv dev, held out", "zh", message["message"]


def doc2dial() -> Iterator[tuple[str, str]]:
    """(what an agent said, the document spans it rests on)."""
    spans = {document["doc_id"]: document["spans"] for document in _rows("doc2dial/docs.jsonl.gz")}
    for dialogue in _rows("doc2dial/dialogues_full_annotation_small.jsonl.gz"):
        for turn in dialogue["turns"]:
            if turn["role"] == "agent" and turn["references"] and dialogue["doc_id"] in spans:
                texts = [spans[dialogue["doc_id"]][reference["sp_id"]] for reference in turn["references"]]
                yield turn["utterance"], " ".join(texts)


def _rows(name: str) -> Iterator[Any]:
    path = DATA / name
    if not path.is_file():
        print(f"{path} is missing; its rows are left out", file=sys.stderr)
        return
    with gzip.open(path, "rt", encoding="utf-8") as file:
        yield from map(json.loads, file)


if __name__ == "__main__":
    sys.exit(main("--show" in sys.argv[1:]))
