"""How much personal data the scrubber's rules find, and how often they cover what is none.

    python -m benchmarks.pii              # the report parts, saved
    python -m benchmarks.pii --tune       # the tuning parts with what failed, not saved

Made sentences (`benchmarks.pii_made`) in both languages, and the part of
presidio-research in `../shared/data/presidio_pii`, halved by template with a
seed. Recall: share of spans that are covered completely by finds of any kind.
"Kind": share of these with the right kind. Decoys: share of spans that must
stay but were touched. Precision: share of structured finds that touch a span.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from benchmarks import DATA, markdown, save
from benchmarks.pii_made import Part, Sentence, made
from corpora.scrub.detect import Detector

PRESIDIO = DATA / "presidio_pii" / "synth_dataset_v2_part.jsonl.gz"
NUM = {"zh": 6000, "en": 6000}
KINDS = {
    "PERSON": "NAME",
    "STREET_ADDRESS": "ADDRESS",
    "CREDIT_CARD": "CARD",
    "PHONE_NUMBER": "PHONE",
    "EMAIL_ADDRESS": "EMAIL",
    "IBAN_CODE": "IBAN",
    "IP_ADDRESS": "IP",
    "US_SSN": "ID",
    "US_DRIVER_LICENSE": "ID",
}
UNSTRUCTURED = ("NAME", "ADDRESS")


@dataclass
class Tally:
    """Counts of one kind in one set."""

    num: int = 0
    covered: int = 0
    typed: int = 0
    missed: list[str] = field(default_factory=list)


def presidio(part: Part) -> Iterator[Sentence]:
    """Half of the templates; spans of kinds the scrubber does not look for are left out."""
    with gzip.open(PRESIDIO, "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            even = int(hashlib.sha256(f"pii-7|{row['template_id']}".encode()).hexdigest(), 16) % 2 == 0
            if even == (part == "tune"):
                spans = [
                    (KINDS[span["entity_type"]], span["start_position"], span["end_position"])
                    for span in row["spans"]
                    if span["entity_type"] in KINDS
                ]
                others = [
                    (span["entity_type"], span["start_position"], span["end_position"])
                    for span in row["spans"]
                    if span["entity_type"] not in KINDS
                ]
                yield Sentence(row["full_text"], tuple(spans), tuple(others))


@dataclass
class Outcome:
    """What came of one set."""

    tallies: dict[str, Tally]
    num_decoys: int
    touched: Counter[str]
    num_finds: int
    astray: int
    examples: list[str]


def judged(sentences: Iterable[Sentence], detector: Detector, *, decoys_count: bool = True) -> Outcome:
    tallies: dict[str, Tally] = defaultdict(Tally)
    outcome = Outcome(tallies, 0, Counter(), 0, 0, [])
    for sentence in sentences:
        finds = detector(sentence.text)
        covered = {place for find in finds for place in range(find.start, find.end)}
        for kind, start, end in sentence.spans:
            tally = tallies[kind]
            tally.num += 1
            if all(place in covered for place in range(start, end) if sentence.text[place].isalnum()):
                tally.covered += 1
                tally.typed += any(f.kind == kind and f.start < end and start < f.end for f in finds)
            else:
                tally.missed.append(
                    f"{sentence.text[start:end]!r} in {sentence.text[max(0, start - 40) : end + 20]!r}"
                )
        for kind, start, end in sentence.decoys if decoys_count else ():
            outcome.num_decoys += 1
            if covered.intersection(range(start, end)):
                outcome.touched[kind] += 1
                outcome.examples.append(f"decoy {kind}: {sentence.text!r}")
        for find in finds:
            if find.kind in UNSTRUCTURED:
                continue
            outcome.num_finds += 1
            if not any(find.start < end and start < find.end for _, start, end in sentence.spans):
                outcome.astray += 1
                found = sentence.text[find.start : find.end]
                outcome.examples.append(
                    f"astray {find.kind} {find.rule}: {found!r} in {sentence.text[:120]!r}"
                )
    return outcome


def main(arguments: list[str]) -> int:
    part: Part = "tune" if "--tune" in arguments else "report"
    detector = Detector()
    outcomes = {
        f"made, {language}": judged(made(language, part=part, num=num), detector)
        for language, num in NUM.items()
    }
    if PRESIDIO.is_file():
        outcomes["presidio, en"] = judged(presidio(part), detector, decoys_count=False)
    else:
        print(f"{PRESIDIO} is missing; its rows are left out")
    rows, values = [], {}
    for name, outcome in outcomes.items():
        for kind, tally in sorted(outcome.tallies.items()):
            shares = (tally.covered / tally.num, tally.typed / max(1, tally.covered))
            rows.append((name, kind, tally.num, f"{shares[0]:.3f}", f"{shares[1]:.3f}"))
            values[f"{name}: {kind}"] = {"num": tally.num, "recall": shares[0], "kind_right": shares[1]}
        decoys = f"{sum(outcome.touched.values()) / outcome.num_decoys:.4f}" if outcome.num_decoys else "n/a"
        precision = 1 - outcome.astray / max(1, outcome.num_finds)
        rows.append((name, "*decoys touched*", outcome.num_decoys or "n/a", decoys, ""))
        rows.append((name, "*precision, structured*", outcome.num_finds, f"{precision:.3f}", ""))
        values[f"{name}: all"] = {"decoys": decoys, "precision_structured": precision}
    table = markdown(("set", "kind", "spans", "recall (or share)", "right kind"), rows)
    if part == "report":
        save("pii", values, table=table)
        return 0
    print(table)
    for outcome in outcomes.values():
        for kind, tally in outcome.tallies.items():
            for missed in tally.missed[:12]:
                print("missed", kind, missed)
        print(outcome.touched, *outcome.examples[:25], sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
