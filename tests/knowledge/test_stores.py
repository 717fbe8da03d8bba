"""Two processes and ten churns: one writer, readers see what is published, nothing is lost or left behind."""

import json
import os
import random
import subprocess
import sys

import pytest

WRITER = """
import sys, time
from pathlib import Path
from dialog.knowledge.index import build_index
from dialog.settings import KnowledgeSection
from dialog.testing import HashEmbedder

def wait(progress):
    print("writing", flush=True)
    sys.stdin.readline()

index, documents = Path(sys.argv[1]), Path(sys.argv[2])
build_index(index, [documents], KnowledgeSection(), embedder=HashEmbedder(), progress=wait)
"""
READER = """
import sys
from pathlib import Path
from dialog.knowledge.base import open_knowledge
from dialog.settings import KnowledgeSection
from dialog.testing import HashEmbedder

with open_knowledge(
    Path(sys.argv[1]), KnowledgeSection(), embedder=HashEmbedder(), exact_limit=int(sys.argv[2])
) as knowledge:
    for line in sys.stdin:
        print(knowledge.search(line, top_k=1).passages[0].text.replace("\\n", " "), flush=True)
"""
CYCLES = 10


@pytest.fixture
def process():
    """`process(source, *arguments)`: Python in a process of its own, killed at the end."""
    started = []

    def start(source, *arguments):
        running = subprocess.Popen(
            [sys.executable, "-c", source, *map(str, arguments)],
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(running)
        return running

    yield start
    for running in started:
        running.kill()
        running.communicate()


@pytest.mark.slow
def test_second_process_fails_loudly_while_the_first_writes(shop, process):
    shop.write("new.md", "Parking is free.\n")
    first = process(WRITER, shop.index, shop.documents)
    assert first.stdout.readline() == "writing\n"
    second = process(WRITER, shop.index, shop.documents)
    _, problem = second.communicate(timeout=120)
    assert second.returncode != 0
    assert "another process is writing the knowledge index" in problem
    first.communicate("\n" * 9, timeout=120)
    assert first.returncode == 0
    assert "Parking is free." in shop.texts("parking")


@pytest.mark.slow
def test_killed_writer_leaves_no_lock(shop, process):
    first = process(WRITER, shop.index, shop.documents)
    assert first.stdout.readline() == "writing\n"
    first.kill()
    first.wait()
    assert shop.build().unchanged == 3


@pytest.mark.slow
@pytest.mark.parametrize("exact_limit", [100, 0])
def test_reader_in_another_process_sees_what_is_published(shop, process, exact_limit):
    reader = process(READER, shop.index, exact_limit)

    def ask(question):
        reader.stdin.write(f"{question}\n")
        reader.stdin.flush()
        return reader.stdout.readline()

    assert "We open at nine" in ask("when do you open and close on weekdays")
    shop.write("hours.txt", "Opening hours\nWe open at ten and close on weekdays.\n")
    shop.build()
    assert "We open at ten" in ask("when do you open and close on weekdays")
    shop.write("hours.txt", "Opening hours\nWe open at noon and close on weekdays.\n")
    shop.build(rebuild=True)
    assert "We open at noon" in ask("when do you open and close on weekdays")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "exact_limit", "num_records"),
    [("en", 10_000, 150), ("zh", 10_000, 150), ("zh", 0, 150), ("en", 0, 1200)],
)
def test_ten_churns_leave_every_record_first_for_its_own_text(
    shelf, shelf_at, tmp_path, language, exact_limit, num_records
):
    pick, part = random.Random(7), num_records // 5
    shelf.exact_limit = exact_limit
    live = {number: text(number, 0, language) for number in range(num_records)}
    write(shelf, live)
    shelf.build()
    for cycle in range(1, CYCLES + 1):
        for number in pick.sample(sorted(live), part):
            del live[number]
        for number in pick.sample(sorted(live), part):
            live[number] = text(number, cycle, language)
        new = range(10_000 * cycle, 10_000 * cycle + part)
        live |= {number: text(number, cycle, language) for number in new}
        write(shelf, live)
        report = shelf.build()
        assert (report.added, report.changed, report.removed) == (part, part, part)
    with shelf.open() as knowledge:
        first = {number: knowledge.search(own, top_k=1).passages[0] for number, own in live.items()}
    assert {number: passage.text for number, passage in first.items()} == live
    assert {passage.legs.dense for passage in first.values()} == {1}
    fresh = shelf_at(tmp_path / "fresh")
    write(fresh, live)
    fresh.build()
    assert size(shelf.index) <= 2 * size(fresh.index)


def text(number, version, language):
    words = (f"{kind}{number}x{version}" for kind in ("item", "price", "size", "place", "colour"))
    if language == "en":
        return f"Record {number} in version {version}: {' '.join(words)}."
    digits = str.maketrans("0123456789", "零一二三四五六七八九")
    said = "，".join(f"{kind}{f'{number}之{version}'.translate(digits)}" for kind in "货价尺地色")
    return f"记录如下：{said}。"


def write(shelf, live):
    lines = [json.dumps({"id": str(number), "text": text}) for number, text in sorted(live.items())]
    shelf.write("records.jsonl", "\n".join(lines))


def size(folder):
    return sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
