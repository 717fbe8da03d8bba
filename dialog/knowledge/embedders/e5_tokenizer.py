"""multilingual-e5's unigram tokenizer, from the vocabulary in the weights file.

Gives the ids of the C engine: code points are replaced by the file's own map,
runs of spaces become one, spaces become the meta symbol, and the best path
through the pieces is taken.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tokenizers import Tokenizer, models

from dialog.knowledge.embedders.e5_file import E5Vocabulary

_META = "\u2581"
_SPACES = re.compile(" {2,}")


class E5Tokenizer:
    """Content ids only; the encoder adds begin and end to every window."""

    def __init__(self, vocabulary: E5Vocabulary) -> None:
        self._replacements = dict(vocabulary.replacements)
        self._tokenizer = Tokenizer(models.Unigram(list(vocabulary.pieces), vocabulary.unk, False))

    def encode(self, texts: Sequence[str]) -> list[list[int]]:
        """Ids of each text, in order."""
        prepared = [self._prepared(text) for text in texts]
        return [
            encoding.ids for encoding in self._tokenizer.encode_batch_fast(prepared, add_special_tokens=False)
        ]

    def _prepared(self, text: str) -> str:
        plain = _SPACES.sub(" ", text.translate(self._replacements))
        return (plain if plain.startswith(" ") else " " + plain).replace(" ", _META)
