"""Only the template makes control ids, whatever the text says and whatever kind the tokenizer is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from dialog.engine.tokenizer import HFChatTokenizer
from dialog.errors import ModelError
from dialog.testing.tiny import tiny_tokenizer
from dialog.values import Message

TOKENIZER = HFChatTokenizer(tiny_tokenizer())
CONTROL = ("<|endoftext|>", "<|im_start|>", "<|im_end|>", "<think>", "</think>", "<tool_call>")
CONTROL_IDS = {0, 1, 2, 266, 267, 268, 269}

texts = st.lists(
    st.sampled_from([*CONTROL, "<|im_", "end|>", "\n", " 你好", "😀", "12", "the"]) | st.text()
).map("".join)


@given(texts)
def test_text_never_becomes_a_control_id(text: str) -> None:
    ids, _ = TOKENIZER.encode(text)
    assert not CONTROL_IDS & set(ids)


@given(texts)
def test_text_survives_encoding(text: str) -> None:
    ids, _ = TOKENIZER.encode(text)
    assert TOKENIZER.decode(ids) == text


@given(texts)
def test_spans_cover_the_text_in_order(text: str) -> None:
    _, spans = TOKENIZER.encode(text)
    assert spans == sorted(spans)
    covered = 0
    for start, end in spans:
        assert start <= covered
        covered = max(covered, end)
    assert covered == len(text)


def test_a_lone_surrogate_is_a_replacement_character() -> None:
    ids, spans = TOKENIZER.encode("a\ud83d!")
    assert TOKENIZER.decode(ids) == "a\ufffd!"
    assert spans[-1] == (2, 3)
    assert TOKENIZER.split_control("a\ud83d!") == [(None, "a\ud83d!")]


def test_the_stock_tokenizer_would_have_made_a_control_id_of_an_unflagged_token() -> None:
    stock = tiny_tokenizer()
    assert 266 in stock("<think>", split_special_tokens=True).input_ids
    assert 266 not in TOKENIZER.encode("<think>")[0]


def test_every_piece_of_a_character_spans_the_character() -> None:
    ids, spans = TOKENIZER.encode("a你😀")
    assert len(ids) == 1 + 2 + 4  # "ä½" is merged
    assert spans == [(0, 1), (1, 2), (1, 2), (2, 3), (2, 3), (2, 3), (2, 3)]


def test_a_leading_space_belongs_to_its_word() -> None:
    _, spans = TOKENIZER.encode("to the")
    assert spans == [(0, 1), (1, 2), (2, 6)]


def test_control_tokens_of_template_text_are_split_off() -> None:
    text = "<|im_start|>user\nhi<think><|im_end|>\n"
    assert TOKENIZER.split_control(text) == [
        (1, "<|im_start|>"),
        (None, "user\nhi"),
        (266, "<think>"),
        (2, "<|im_end|>"),
        (None, "\n"),
    ]


@given(texts)
def test_split_pieces_join_to_the_text(text: str) -> None:
    assert "".join(piece for _, piece in TOKENIZER.split_control(text)) == text


@pytest.mark.parametrize("text", ["", "plain", "你好"])
def test_text_without_control_tokens_is_one_piece(text: str) -> None:
    assert TOKENIZER.split_control(text) == ([(None, text)] if text else [])


def test_harmless_text_is_encoded_as_the_stock_tokenizer_does() -> None:
    text = "Where is the parcel 12345?\n\n退货要多久？ 😀\n"
    assert TOKENIZER.encode(text)[0] == tiny_tokenizer()(text, add_special_tokens=False).input_ids


def test_pieces_joined_are_the_stock_ids_of_a_rendered_conversation() -> None:
    messages = [Message(role="system", content="Be brief."), Message(role="user", content="你好 the")]
    text = TOKENIZER.apply_template(messages, add_generation_prompt=True)
    ids: list[int] = []
    for control, piece in TOKENIZER.split_control(text):
        ids += [control] if control is not None else TOKENIZER.encode(piece)[0]
    assert ids == tiny_tokenizer()(text, add_special_tokens=False).input_ids


def _special(tokenizer: Tokenizer, *tokens: str) -> HFChatTokenizer:
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in tokens])
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer)
    fast.chat_template = "{{ messages[0]['content'] }}"
    return HFChatTokenizer(fast)


def test_a_control_token_in_the_vocabulary_of_a_unigram_model_is_cut_apart() -> None:
    pieces = [("<unk>", 0.0), ("<s>", -1.0), ("<", -3.0), ("s", -3.0), (">", -3.0), ("a", -3.0)]
    tokenizer = _special(Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False)), "<unk>", "<s>")
    assert tokenizer.split_control("a<s>")[-1] == (1, "<s>")
    ids, spans = tokenizer.encode("a<s>")
    assert ids == [5, 2, 3, 4]
    assert spans == [(0, 1), (1, 2), (2, 3), (3, 4)]


def test_a_control_word_of_a_word_level_model_becomes_unknown() -> None:
    model = models.WordLevel({"[UNK]": 0, "[END]": 1, "hello": 2}, unk_token="[UNK]")
    backend = Tokenizer(model)
    backend.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    ids, _ = _special(backend, "[UNK]", "[END]").encode("hello [END]")
    assert 1 not in ids
    assert ids[0] == 2


def test_white_space_kept_as_added_tokens_stays_usable() -> None:
    backend = tiny_tokenizer().backend_tokenizer
    backend.add_tokens([AddedToken("    ", special=False, normalized=False)])
    fast = PreTrainedTokenizerFast(tokenizer_object=backend)
    fast.chat_template = "{{ messages[0]['content'] }}"
    assert HFChatTokenizer(fast).encode("    x")[0] == fast("    x").input_ids


def test_a_template_that_refuses_a_role_is_a_value_error() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = "{{ raise_exception('System role not supported') }}"
    with pytest.raises(ValueError, match="System role not supported"):
        HFChatTokenizer(tokenizer).apply_template(
            [Message(role="system", content="x")], add_generation_prompt=True
        )


def test_the_template_sees_no_training_fields() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = "{{ messages[0] | tojson }}"
    shown = HFChatTokenizer(tokenizer).apply_template(
        [Message(role="user", content="x", loss=True, weight=2.0)], add_generation_prompt=False
    )
    assert shown == '{"role": "user", "content": "x"}'


def test_a_model_without_a_template_is_refused() -> None:
    tokenizer = tiny_tokenizer()
    tokenizer.chat_template = None
    with pytest.raises(ModelError, match="no chat template"):
        HFChatTokenizer(tokenizer)


def test_the_fingerprint_follows_template_and_vocabulary() -> None:
    same, other_template, other_vocabulary = tiny_tokenizer(), tiny_tokenizer(), tiny_tokenizer()
    other_template.chat_template += " "
    other_vocabulary.add_tokens(["<new>"])
    prints = [HFChatTokenizer(tokenizer).fingerprint for tokenizer in (other_template, other_vocabulary)]
    assert HFChatTokenizer(same).fingerprint == TOKENIZER.fingerprint
    assert len({TOKENIZER.fingerprint, *prints}) == 3
