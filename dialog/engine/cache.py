"""What the model has already read: key-value caches of conversations, reused by common prefix.

A conversation's next prompt mostly repeats its last one and the reply. The
pool keeps each conversation's cache; the longest common token prefix stays,
the rest is cropped (undo, an edited turn) and only new tokens are read. A
conversation that is new, or a fork, starts from a copy of what it shares with
another: the instructions of an agent are read once, not once a customer.

    prefix = pool.take("c-42", prompt.ids) or Prefix(forward.new_cache)
    cached_tokens = prefix.keep(prompt.ids)      # the model need only read prompt.ids[cached_tokens:]
    ...
    pool.put("c-42", prefix)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from threading import Lock
from typing import Any

from dialog.engine.forward import Cache

Stem = tuple[object, tuple[int, ...]]
"""Reader and ids of a beginning that several conversations share."""
_LEAST_SHARED = 16
"""Fewer ids are read about as quickly as their cache is copied and looked after."""


class Prefix:
    """A cache and the ids it holds. Used by one thread at a time.

    Args:
        reader: what the ids are read with besides the model: the adapter, the decoder. Where it
            is another, the same ids leave something else behind.
    """

    def __init__(self, make_cache: Callable[[], Cache], *, reader: object = None) -> None:
        self._make_cache = make_cache
        self.reader = reader
        self.cache: Any = make_cache()
        self.ids: list[int] = []
        self._is_whole = True

    @property
    def is_whole(self) -> bool:
        """False after a forward pass that was broken off: some layers may hold more than others."""
        return self._is_whole

    @contextmanager
    def extending(self, ids: Sequence[int]) -> Iterator[Any]:
        """Around a forward pass over `ids`, which the cache then holds too."""
        self._is_whole = False
        yield self.cache
        self.ids.extend(ids)
        self._is_whole = True

    def keep(self, ids: Sequence[int]) -> int:
        """Crop to the longest common prefix with `ids`, all of which but the last may be kept.

        Returns:
            How many leading ids the cache still holds.
        """
        common = _common_prefix(self.ids, ids[:-1])
        return common if self.crop(common) else 0

    def crop(self, length: int) -> bool:
        """Forget all but the first `length` ids; False, and empty, where the layers cannot go back.

        A layer with a sliding window has thrown away what it would need.
        """
        if self.cache.crop(length):
            del self.ids[length:]
            return True
        self.cache = self._make_cache()
        self.ids = []
        return length == 0

    def fork(self, length: int) -> Prefix | None:
        """A prefix of its own with the first `length` ids; None where the layers cannot give them."""
        cache = self.cache.copy(length)
        if cache is None:
            return None
        fork = object.__new__(Prefix)
        fork._make_cache, fork.reader = self._make_cache, self.reader
        fork.cache, fork.ids, fork._is_whole = cache, self.ids[:length], True
        return fork

    def num_bytes(self) -> int:
        num_bytes: int = self.cache.num_bytes()
        return num_bytes


class PrefixPool:
    """Prefixes by conversation, the least recently used dropped beyond `max_bytes`. Thread-safe.

    What a new conversation shared with another is kept once more as a stem,
    under its reader and ids: so it is there also while everybody who has it is being answered.
    """

    def __init__(self, *, max_bytes: int) -> None:
        self.max_bytes = max_bytes
        self._prefixes: OrderedDict[str | Stem, Prefix] = OrderedDict()
        self._lock = Lock()

    def take(self, key: str | None, ids: Sequence[int], *, reader: object = None) -> Prefix | None:
        """The conversation's prefix, out of the pool while it is used: nobody else can change it.

        Args:
            ids: the prompt; where the conversation has no prefix yet, a copy of the longest
                beginning that another has of it is taken, if it is worth copying.
            reader: see `Prefix`; what another one read is of no use, and the conversation's own is let go.
        """
        if key is None:
            return None
        with self._lock:
            own = self._prefixes.pop(key, None)
            return own if own is not None and own.reader == reader else self._borrowed(ids, reader)

    def put(self, key: str | None, prefix: Prefix) -> None:
        """Keep it for the next turn; a broken one, or one too large on its own, is let go."""
        if key is None or not prefix.is_whole or not prefix.ids:
            return
        with self._lock:
            self._keep(key, prefix)

    def clear(self) -> None:
        with self._lock:
            self._prefixes.clear()

    def num_bytes(self) -> int:
        with self._lock:
            return sum(prefix.num_bytes() for prefix in self._prefixes.values())

    def _borrowed(self, ids: Sequence[int], reader: object) -> Prefix | None:
        """A copy of the longest beginning of `ids` that `reader` has read."""
        shared = {
            key: _common_prefix(prefix.ids, ids[:-1])
            for key, prefix in self._prefixes.items()
            if prefix.reader == reader
        }
        donor = max(shared, key=shared.__getitem__, default=None)
        if donor is None or shared[donor] < _LEAST_SHARED:
            return None
        length = shared[donor]
        fork = self._prefixes[donor].fork(length)
        self._prefixes.move_to_end(donor)
        longest_stem = max((shared[key] for key in shared if isinstance(key, tuple)), default=0)
        if fork is not None and length >= longest_stem + _LEAST_SHARED:
            stem = fork.fork(length)
            assert stem is not None
            self._keep((reader, tuple(stem.ids)), stem)
        return fork

    def _keep(self, key: str | Stem, prefix: Prefix) -> None:
        self._prefixes[key] = prefix
        self._prefixes.move_to_end(key)
        total = sum(kept.num_bytes() for kept in self._prefixes.values())
        while total > self.max_bytes:
            _, dropped = self._prefixes.popitem(last=False)
            total -= dropped.num_bytes()


def _common_prefix(a: Sequence[int], b: Sequence[int]) -> int:
    pairs = zip(a, b, strict=False)
    return next((i for i, (x, y) in enumerate(pairs) if x != y), min(len(a), len(b)))
