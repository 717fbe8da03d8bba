"""Tiny models are quicker on one thread than on several that wait for each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True)
def own_cache(
    request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Tiny models are not prepared in the user's cache; the real one is fetched once and shared."""
    if request.node.get_closest_marker("model") is None:
        root: Path = tmp_path_factory.getbasetemp() / "home"
        monkeypatch.setenv("INSTRUCTREC_HOME", str(root))
