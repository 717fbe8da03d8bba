import pytest

from dialog.text import detect_language, sentences, words


def pieces(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences(text)]


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Where is my parcel?", "en"),
        ("我的包裹在哪里", "zh"),
        ("iPhone 15 保修期多久", "zh"),
        ("What does 保修 mean?", "en"),
        ("12345 ¥ !!", "und"),
        ("", "und"),
    ],
)
def test_language_follows_the_script_that_carries_the_text(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_words_keep_figures_whole_and_part_han_characters() -> None:
    assert words("The 3.5 kg Ｗｉ-Fi 保修") == ["the", "3.5", "kg", "wi-fi", "保", "修"]


@pytest.mark.parametrize(
    ("text", "language"), [("MK-10482", "und"), ("是MK-10482", "zh"), ("It is MK-1", "en")]
)
def test_an_identifier_is_a_word_of_no_language(text: str, language: str) -> None:
    assert detect_language(text) == language


def test_sentences_end_at_stops_of_both_languages() -> None:
    assert pieces("可以退货。运费谁出？You pay. Really!") == [
        "可以退货。",
        "运费谁出？",
        "You pay.",
        "Really!",
    ]


def test_abbreviations_decimals_and_list_numbers_do_not_end_a_sentence() -> None:
    text = "It takes 3.5 days, e.g. in May.\n1. Open the app.\n2. Tap Return."
    assert pieces(text) == ["It takes 3.5 days, e.g. in May.", "1. Open the app.", "2. Tap Return."]


def test_empty_text_has_no_sentences() -> None:
    assert sentences(" \n ") == []
