import pytest

from dialog.phrases import phrase, small_talk


@pytest.mark.parametrize("text", ["hi", "Hello!", "你好", "您好！", "good morning", "在吗？"])
def test_greetings_are_small_talk(text: str) -> None:
    assert small_talk(text) == "greeting"


@pytest.mark.parametrize("text", ["thanks", "Thank you so much!", "谢谢", "好的，谢谢您！"])
def test_thanks_are_small_talk(text: str) -> None:
    assert small_talk(text) == "thanks"


@pytest.mark.parametrize(
    "text", ["hi, where is my parcel?", "你好，我要退货", "thanks, and the fee?", "history", ""]
)
def test_a_question_with_a_greeting_is_a_question(text: str) -> None:
    assert small_talk(text) is None


def test_the_agent_admits_in_the_language_of_the_user() -> None:
    assert phrase("abstain", language="zh").startswith("我不知道")
    assert phrase("abstain", language="en").startswith("I don't know")
    assert phrase("abstain", language="und") == phrase("abstain", language="en")
