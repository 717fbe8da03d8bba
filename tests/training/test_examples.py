"""Examples show the model what chat shows it, and train on the replies alone."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialog.errors import ModelError, PromptTooLong
from dialog.instructions import Instruction
from dialog.prompt.render import render
from dialog.testing.words import WordTokenizer
from dialog.values import Message, Prompt, Transcript, Turn
from tests.prompt.families import FAMILIES, chat_tokenizer, control_ids
from training.examples import Built, Example, build_examples

EN = [("Where is my parcel?", "It was sent on 3 May."), ("And the fee?", "19.90."), ("Thanks", "Bye!")]
ZH = [("我的快递到哪里了？", "五月三日已发货。"), ("运费呢？", "十元。"), ("谢谢", "再见！")]
every_family = pytest.mark.parametrize("name", FAMILIES)
both_languages = pytest.mark.parametrize("said", [EN, ZH], ids=["en", "zh"])


def transcript(*messages: Message) -> Transcript:
    return Transcript(id="c-1", messages=messages)


def user(text: str) -> Message:
    return Message(role="user", content=text)


def agent(text: str, *, loss: bool | None = None, weight: float | None = None) -> Message:
    return Message(role="assistant", content=text, loss=loss, weight=weight)


def conversation(said: list[tuple[str, str]]) -> Transcript:
    messages = [one for asked, replied in said for one in (user(asked), agent(replied))]
    return transcript(Message(role="system", content="Be brief."), *messages)


def at_inference(name: str, said: list[tuple[str, str]], number: int) -> Prompt:
    """What chat shows the model at turn `number`."""
    turns = [
        Turn(index=i, user_id=f"u-{i}", user=asked, reply_id=f"r-{i}", reply=replied)
        for i, (asked, replied) in enumerate(said[:number])
    ]
    return render(
        chat_tokenizer(name),
        instructions=[Instruction(id="i", text="Be brief.", source="system")],
        turns=reversed(turns),
        passages=[],
        user=said[number][0],
        user_id=f"u-{number}",
        limit_tokens=2000,
        reserve_tokens=100,
        on_overflow="drop_oldest",
    ).prompt


def built(*messages: Message, limit_tokens: int = 2000) -> Built:
    return build_examples(transcript(*messages), WordTokenizer(), limit_tokens=limit_tokens)


def trained(example: Example) -> str:
    """The text in the loss."""
    pairs = zip(example.ids, example.weights, strict=True)
    return WordTokenizer().decode([token for token, weight in pairs if weight > 0])


@every_family
@both_languages
def test_every_reply_stands_behind_the_prompt_that_chat_would_show(
    name: str, said: list[tuple[str, str]]
) -> None:
    examples = build_examples(conversation(said), chat_tokenizer(name), limit_tokens=2000).examples
    seen = []
    for example in examples:
        for number, boundary in zip(example.turns, example.boundaries, strict=True):
            assert example.ids[:boundary] == at_inference(name, said, number).ids
            seen.append(number)
    assert seen == [0, 1, 2]


@every_family
@both_languages
def test_only_replies_and_their_terminators_are_in_the_loss(name: str, said: list[tuple[str, str]]) -> None:
    tokenizer = chat_tokenizer(name)
    for example in build_examples(conversation(said), tokenizer, limit_tokens=2000).examples:
        runs: list[list[int]] = [[]]
        for token, label in zip(example.ids, example.labels(), strict=True):
            if label == -100:
                runs.append([])
            else:
                assert label == token
                runs[-1].append(token)
        replies = [run for run in runs if run]
        assert len(replies) == len(example.turns)
        for number, reply in zip(example.turns, replies, strict=True):
            assert reply[-1] in control_ids(name)
            plain = [token for token in reply if token not in control_ids(name)]
            assert tokenizer.decode(plain).strip() == said[number][1]


@pytest.mark.parametrize("name", sorted(set(FAMILIES) - {"qwen3", "mistral"}))
def test_where_prompts_continue_each_other_one_example_holds_the_conversation(name: str) -> None:
    [example] = build_examples(conversation(EN), chat_tokenizer(name), limit_tokens=2000).examples
    assert example.turns == (0, 1, 2)


@pytest.mark.parametrize("name", ["qwen3", "mistral"])
def test_where_the_template_renders_history_otherwise_each_turn_is_an_example(name: str) -> None:
    examples = build_examples(conversation(EN), chat_tokenizer(name), limit_tokens=2000).examples
    assert [example.turns for example in examples] == [(0,), (1,), (2,)]


@every_family
def test_segments_cover_the_example(name: str) -> None:
    for example in build_examples(conversation(ZH), chat_tokenizer(name), limit_tokens=2000).examples:
        edges = [0] + [segment.end for segment in example.segments]
        assert [segment.start for segment in example.segments] == edges[:-1]
        assert edges[-1] == len(example.ids) == len(example.weights)
        assert {"m1", "m2"} <= {segment.ref for segment in example.segments}


def test_a_message_marked_out_of_the_loss_is_context_only() -> None:
    [example] = built(user("One?"), agent("First.", loss=False), user("Two?"), agent("Second.")).examples
    assert trained(example) == "Second.<|im_end|>"
    assert example.turns == (1,)


def test_weights_reach_their_tokens_and_the_terminator() -> None:
    [example] = built(user("One?"), agent("First.", weight=0.5), user("Two?"), agent("Second.")).examples
    assert set(example.weights) == {0.0, 0.5, 1.0}
    assert example.weights[-1] == 1.0


def test_agent_messages_in_a_row_are_one_reply() -> None:
    [example] = built(user("One?"), agent("First."), agent("More.")).examples
    assert trained(example) == "First.\nMore.<|im_end|>"


def test_agent_messages_in_a_row_keep_their_own_loss() -> None:
    [example] = built(user("One?"), agent("First.", loss=False), agent("More.")).examples
    assert trained(example) == "More.<|im_end|>"


def test_user_messages_in_a_row_are_turns_and_the_last_is_answered() -> None:
    [example] = built(user("One?"), user("Two?"), agent("Yes.")).examples
    assert WordTokenizer().decode(example.ids) == (
        "<|im_start|>user\nOne?<|im_end|>\n<|im_start|>user\nTwo?<|im_end|>\n"
        "<|im_start|>assistant\nYes.<|im_end|>"
    )


def test_an_opening_by_the_agent_is_left_out_and_noted() -> None:
    result = built(agent("Welcome!"), user("One?"), agent("Yes."))
    assert trained(result.examples[0]) == "Yes.<|im_end|>"
    assert "Welcome" not in WordTokenizer().decode(result.examples[0].ids)
    assert result.notes == ("message 0: assistant before the first user message, not shown",)


def test_a_tool_result_stands_with_the_message_it_answers_for() -> None:
    tool = Message(role="tool", content='{"status": "sent"}', tool_call_id="1")
    [first, second] = built(user("One?"), tool, agent("Sent."), user("Two?"), agent("Yes.")).examples
    assert 'Known so far:\n{"status": "sent"}\n\nMessage:\nOne?' in WordTokenizer().decode(first.ids)
    assert "status" not in WordTokenizer().decode(second.ids)


def test_an_instruction_rules_from_where_it_stands() -> None:
    wish = Message(role="system", content="Answer in French.")
    first, second = built(user("One?"), agent("Yes."), wish, user("Two?"), agent("Oui.")).examples
    assert "French" not in WordTokenizer().decode(first.ids)
    assert WordTokenizer().decode(second.ids).startswith("<|im_start|>system\nAnswer in French.")
    assert trained(second) == "Oui.<|im_end|>"


def test_a_reply_that_begins_with_a_line_break_keeps_its_prompt() -> None:
    said = [("One?", "\n\nYes."), ("Two?", "No.")]
    for name in ("smollm2", "qwen2.5"):
        examples = build_examples(conversation(said), chat_tokenizer(name), limit_tokens=2000).examples
        first = examples[0]
        assert first.ids[: first.boundaries[0]] == at_inference(name, said, 0).ids
        assert chat_tokenizer(name).decode(first.ids[first.boundaries[0] :]).startswith("\n\nYes.")


@pytest.mark.parametrize(
    ("messages", "reason"),
    [
        ([user("One?")], "no agent reply after a user message"),
        ([agent("Hi!")], "no agent reply after a user message"),
        ([user("One?"), agent("Yes.", loss=False)], 'every agent message has "loss": false or weight 0'),
        ([user("One?"), agent("Yes.", weight=0)], 'every agent message has "loss": false or weight 0'),
        ([user("word " * 500), agent("Yes.")], "turn 0: 513 tokens where 200 are allowed, not trained on"),
    ],
)
def test_a_conversation_without_supervised_tokens_is_refused_with_its_reason(
    messages: list[Message], reason: str
) -> None:
    result = built(*messages, limit_tokens=200)
    assert result.examples == ()
    assert result.refused == reason


def long_conversation() -> Transcript:
    return conversation([(f"Question {i}?", f"Answer {i}.") for i in range(60)])


def test_a_long_conversation_becomes_windows_that_train_each_reply_once() -> None:
    examples = build_examples(long_conversation(), WordTokenizer(), limit_tokens=400).examples
    assert [number for example in examples for number in example.turns] == list(range(60))
    assert all(len(example.ids) <= 400 for example in examples)
    assert all("Be brief." in WordTokenizer().decode(example.ids) for example in examples)
    assert len(examples) < 15


def test_a_long_conversation_may_be_dropped_or_raise() -> None:
    dropped = build_examples(long_conversation(), WordTokenizer(), limit_tokens=200, on_long="drop")
    assert dropped.examples == ()
    assert "200 are allowed" in (dropped.refused or "")
    with pytest.raises(PromptTooLong, match="'c-1'"):
        build_examples(long_conversation(), WordTokenizer(), limit_tokens=200, on_long="raise")


class Endless(WordTokenizer):
    """A template that does not mark where a reply ends."""

    def apply_template(self, messages: list[Message], *, add_generation_prompt: bool) -> str:
        said = "".join(f"{message.role}: {message.content}\n" for message in messages)
        return said + ("assistant: " if add_generation_prompt else "")


def test_a_template_without_terminator_cannot_be_trained() -> None:
    with pytest.raises(ModelError, match="without a control token"):
        build_examples(conversation(EN), Endless(), limit_tokens=500)


replies = st.lists(st.tuples(st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20)), max_size=5)


@settings(max_examples=60, deadline=None)
@given(said=replies, name=st.sampled_from(sorted(FAMILIES)), system=st.booleans())
def test_training_equals_inference_for_any_text(said: list[tuple[str, str]], name: str, system: bool) -> None:
    if not said:
        return
    for example in build_examples(conversation(said), chat_tokenizer(name), limit_tokens=5000).examples:
        for number, boundary in zip(example.turns, example.boundaries, strict=True):
            assert example.ids[:boundary] == at_inference(name, said, number).ids
        assert all(weight == 0 for weight in example.weights[: example.boundaries[0]])
