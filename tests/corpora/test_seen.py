"""Ids that came before."""

from __future__ import annotations

from corpora.seen import Seen, digest_of


def test_a_new_id_is_new_and_an_old_one_tells_its_line() -> None:
    seen = Seen()
    assert seen.add("c-1", 7) is None
    assert seen.add("你好", 8) is None
    assert seen.add("c-1", 9) == 7
    assert len(seen) == 2


def test_many_ids_are_all_remembered() -> None:
    seen = Seen()
    for number in range(5000):
        seen.add(f"c-{number}", number + 1)
    assert seen.add("c-0", 1) == 1
    assert seen.add("c-4999", 1) == 5000
    assert len(seen) == 5000


def test_a_digest_depends_on_text_and_seed_alone() -> None:
    assert digest_of("c-1") == 0x756147115E4DCC72
    assert digest_of("c-1", seed="1") == 0xB10F11037315958A
