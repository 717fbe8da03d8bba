"""A second reading of the first passages: off by default, in a better order where it is on."""

import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

from dialog.errors import ConfigError, KnowledgeError
from dialog.knowledge.cross_encoder import CrossEncoder
from dialog.knowledge.likelihood import QueryLikelihood
from dialog.knowledge.ranking import Ranked
from dialog.knowledge.rerank import RERANKED, open_reranker, reordered
from dialog.knowledge.rows import ChunkRow
from dialog.testing import WordTokenizer
from dialog.values import TokenScores

WORDS = [*"[PAD] [UNK] [CLS] [SEP] [MASK] open nine return goods".split(), *"退货运费."]  # noqa: SIM905


class Wishes:
    """Scores by how often a passage holds a word."""

    name = "wishes"

    def __init__(self, word):
        self.word = word
        self.asked = []

    def scores(self, query, passages):
        self.asked.append((query, len(passages)))
        return [float(text.count(self.word)) for text in passages]


def saved(folder, *, num_labels, seed=0):
    """A tiny cross-encoder with random weights."""
    folder.mkdir()
    (folder / "vocab.txt").write_text("\n".join(WORDS), encoding="utf-8")
    BertTokenizerFast(vocab=str(folder / "vocab.txt")).save_pretrained(folder)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=len(WORDS),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        num_labels=num_labels,
    )
    model = BertForSequenceClassification(config)
    for weights in model.parameters():  # as drawn for training, every score would be about 0
        torch.nn.init.normal_(weights, std=0.5)
    model.save_pretrained(folder)
    return folder


def row(number, text):
    return ChunkRow(number, str(number), "d", "s", "", text, "en", 0, len(text), None, None, {})


def test_passages_come_in_the_rerankers_order_with_falling_scores():
    rows = [row(1, "b"), row(2, "a a"), row(3, "a")]
    ranked = [Ranked(1, 0.9), Ranked(2, 0.5), Ranked(3, 0.1)]
    moved, texts = reordered(Wishes("a"), "q", ranked, rows)
    assert [(one.number, one.score) for one in moved] == [(2, 0.9), (3, 0.5), (1, 0.1)]
    assert [one.number for one in texts] == [2, 3, 1]


def test_only_the_first_passages_are_read_again():
    rows = [row(i, "a" if i == RERANKED else "") for i in range(RERANKED + 5)]
    wishes = Wishes("a")
    moved, _ = reordered(wishes, "q", [Ranked(i, 1 - i / 100) for i in range(RERANKED + 5)], rows)
    assert wishes.asked == [("q", RERANKED)]
    assert [one.number for one in moved] == list(range(RERANKED + 5))


@pytest.mark.parametrize("num_labels", [1, 2])
def test_cross_encoder_of_a_folder_scores_each_pair(tmp_path, num_labels):
    reranker = open_reranker(f"st:{saved(tmp_path / 'model', num_labels=num_labels)}")
    passages = ["open nine .", "return goods .", "退货运费."] * 7
    scores = reranker.scores("return goods", passages)
    assert len(scores) == 21
    assert len({round(score, 4) for score in scores}) == 3
    assert scores[:3] == pytest.approx(scores[18:], abs=1e-4)


def test_long_passage_is_cut_to_what_the_model_reads(tmp_path):
    reranker = CrossEncoder(str(saved(tmp_path / "model", num_labels=1)))
    assert len(reranker.scores("return " * 500, ["goods " * 5000])) == 1


def test_model_with_many_classes_is_refused(tmp_path):
    reranker = CrossEncoder(str(saved(tmp_path / "model", num_labels=5)))
    with pytest.raises(KnowledgeError, match="has 5 classes"):
        reranker.scores("q", ["p"])


def test_folder_without_a_model_names_the_way_out(tmp_path):
    (tmp_path / "model").mkdir()
    with pytest.raises(KnowledgeError, match="cannot load the reranker"):
        CrossEncoder(str(tmp_path / "model")).scores("q", ["p"])


def test_pickled_weights_are_refused(tmp_path):
    folder = saved(tmp_path / "model", num_labels=1)
    (folder / "model.safetensors").unlink()
    torch.save({}, folder / "pytorch_model.bin")
    with pytest.raises(KnowledgeError, match="safetensors"):
        CrossEncoder(str(folder)).scores("q", ["p"])


@pytest.mark.parametrize("name", ["", "st:", "onnx:x"])
def test_unknown_kind_is_a_configuration_error(name):
    with pytest.raises(ConfigError, match="use model, st:NAME_OR_PATH"):
        open_reranker(name)


class Repeats:
    """A model that finds likely what it has just read."""

    info = None
    tokenizer = WordTokenizer()

    def __init__(self):
        self.shown = []
        self.asked = []

    def score(self, prompt, continuations):
        self.shown.append(prompt.text)
        self.asked += continuations
        read = set(prompt.ids)
        encoded = [tuple(self.tokenizer.encode(text)[0]) for text in continuations]
        return [
            TokenScores(ids=ids, logprobs=tuple(-0.1 if token in read else -5.0 for token in ids))
            for ids in encoded
        ]


@pytest.mark.parametrize(
    ("question", "right", "wrong", "asks"),
    [
        ("Are returns free?", "returns are free?", "open at nine", "write a question"),
        ("退货 免费 吗", "退货 免费 三十 天", "早上 九点 开门", "写一个问题"),
    ],
)
def test_language_model_prefers_the_passage_that_makes_the_question_likely(question, right, wrong, asks):
    model = Repeats()
    right_score, wrong_score = open_reranker("model", model=lambda: model).scores(question, [right, wrong])
    assert 0 >= right_score > wrong_score
    assert all(asks in text for text in model.shown)


def test_long_passage_and_question_are_cut_to_their_tokens():
    model = Repeats()
    reranker = QueryLikelihood(lambda: model)
    reranker.scores("a b " * 1000, ["goods " * 5000])
    assert model.shown[0].count("goods") == 384
    assert len(WordTokenizer().encode(model.asked[0])[0]) == 128
    assert ("a b " * 1000).endswith(model.asked[0])


def test_model_reranker_without_a_model_says_so_when_it_is_used():
    with pytest.raises(ConfigError, match="is not open here"):
        open_reranker("model").scores("q", ["p"])


def test_search_uses_the_configured_reranker(shop, tmp_path):
    with shop.open() as knowledge:
        before = [p.id for p in knowledge.search("goods", top_k=5).passages]
    model = saved(tmp_path / "model", num_labels=1, seed=1)
    shop.section = shop.section.model_copy(update={"reranker": f"st:{model}"})
    with shop.open() as knowledge:
        passages = knowledge.search("goods", top_k=5).passages
        scores = CrossEncoder(str(model)).scores("goods", [f"{p.title}\n{p.text}".strip() for p in passages])
    assert scores == sorted(scores, reverse=True)
    assert {p.id for p in passages} == set(before)
    assert [p.score for p in passages] == sorted((p.score for p in passages), reverse=True)
