"""A conversation is scrubbed as a whole: consistent placeholders, names everywhere, JSON that stays JSON."""

import json

from corpora.scrub.conversation import scrub
from corpora.scrub.detect import Detector
from corpora.scrub.placeholders import Placeholders
from corpora.scrub.surrogates import Surrogates, is_reserved
from dialog.values import Message, Transcript

DETECTOR = Detector()


def conversation(*messages, **more):
    return Transcript(id="c", messages=tuple(Message(**message) for message in messages), **more)


def scrubbed(transcript, replacement=None):
    return scrub(transcript, DETECTOR, replacement=replacement or Placeholders())


def contents(result):
    return [message.content for message in result.transcript.messages]


def test_same_number_in_two_forms_gets_one_placeholder():
    result = scrubbed(
        conversation(
            {"role": "user", "content": "电话138 1234 5678"},
            {"role": "assistant", "content": "是+86 13812345678还是13987654321？"},
        )
    )
    assert contents(result) == ["电话[PHONE_1]", "是[PHONE_1]还是[PHONE_2]？"]


def test_author_is_replaced_wherever_the_name_stands():
    result = scrubbed(
        conversation(
            {"role": "user", "name": "Dagny Taggart", "content": "hello"},
            {"role": "assistant", "name": "agent", "content": "what can I do, Dagny Taggart?"},
        )
    )
    assert contents(result)[1] == "what can I do, [NAME_1]?"
    assert [message.name for message in result.transcript.messages] == ["[NAME_1]", "agent"]


def test_name_said_once_is_replaced_everywhere():
    result = scrubbed(
        conversation(
            {"role": "user", "content": "我叫李小明"}, {"role": "assistant", "content": "查到李小明的订单了"}
        )
    )
    assert contents(result)[1] == "查到[NAME_1]的订单了"


def test_tool_calls_and_results_stay_json():
    arguments = json.dumps({"phone": 13812345678, "order_id": "13912345678", "recipient_name": "Bo"})
    result = scrubbed(
        conversation(
            {"role": "user", "content": "go"},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": ({"function": {"name": "find", "arguments": arguments}},),
            },
            {"role": "tool", "content": '{"email": "a@b.org", "ok": true}'},
        )
    )
    call = result.transcript.messages[1].tool_calls[0]["function"]
    assert call["name"] == "find"
    assert json.loads(call["arguments"]) == {
        "phone": "[PHONE_1]",
        "order_id": "13912345678",
        "recipient_name": "[NAME_1]",
    }
    assert json.loads(contents(result)[2]) == {"email": "[EMAIL_1]", "ok": True}


def test_meta_state_and_tags_are_scrubbed_by_their_keys():
    result = scrubbed(
        conversation(
            {"role": "user", "content": "hi"},
            meta={
                "customerName": "张伟",
                "shipping_address": "somewhere odd 9",
                "product": {"name": "Blue Shirt"},
            },
            state={"slots": {"mobile": "1234567"}},
            tags=("vip", "a@b.org"),
        )
    )
    assert result.transcript.meta == {
        "customerName": "[NAME_1]",
        "shipping_address": "[ADDRESS_1]",
        "product": {"name": "Blue Shirt"},
    }
    assert result.transcript.state == {"slots": {"mobile": "[PHONE_1]"}}
    assert result.transcript.tags == ("vip", "[EMAIL_1]")


def test_offsets_index_the_original_field():
    text = "我的邮箱a@b.org，电话13812345678"
    result = scrubbed(conversation({"role": "user", "content": text}))
    assert [text[one.start : one.end] for one in result.replaced] == ["a@b.org", "13812345678"]
    assert result.replaced[0].after == "，电话[PHONE_1]"


def test_scrubbing_again_changes_nothing():
    once = scrubbed(conversation({"role": "user", "content": "我叫张伟，13812345678"})).transcript
    assert scrub(once, DETECTOR, replacement=Placeholders()).transcript == once


def test_new_placeholders_do_not_take_numbers_in_use():
    standing_in = Placeholders(taken=["ask [PHONE_3]"])
    assert standing_in("PHONE", "13812345678") == "[PHONE_4]"


def test_part_of_a_name_is_the_same_person_while_there_is_only_one():
    standing_in = Placeholders()
    assert [standing_in("NAME", name) for name in ("Ann Lee", "Ann", "张伟", "张")] == [
        "[NAME_1]",
        "[NAME_1]",
        "[NAME_2]",
        "[NAME_2]",
    ]
    assert [standing_in("NAME", name) for name in ("Bob Lee", "Lee")] == ["[NAME_3]", "[NAME_4]"]


def test_nothing_found_leaves_the_conversation_as_it_was():
    transcript = conversation(
        {"role": "user", "content": "Where is my order 12345?"}, meta={"n": 123456789012}
    )
    assert scrubbed(transcript).transcript == transcript


def test_surrogates_are_seeded_and_reserved():
    values = {
        "PHONE": "13812345678",
        "ID": "11010519491231002X",
        "CARD": "4111111111111111",
        "IBAN": "GB82WEST12345698765432",
        "EMAIL": "a@b.org",
        "IP": "8.8.8.8",
        "NAME": "张伟",
        "PASSPORT": "E12345678",
        "PLATE": "京A12345",
        "URL": "https://weibo.com/u/1",
        "ADDRESS": "文三路90号",
    }
    first = {kind: Surrogates(seed=1, conversation="c")(kind, value) for kind, value in values.items()}
    again = {kind: Surrogates(seed=1, conversation="c")(kind, value) for kind, value in values.items()}
    other = {kind: Surrogates(seed=2, conversation="c")(kind, value) for kind, value in values.items()}
    assert first == again
    assert first != other
    assert [kind for kind, value in first.items() if not is_reserved(kind, value)] == []
    assert [kind for kind, value in values.items() if is_reserved(kind, value)] == []


def test_surrogate_forms_pass_their_checksums():
    from stdnum import luhn
    from stdnum.cn import ric
    from stdnum.iso7064 import mod_97_10

    made_up = Surrogates(seed=3, conversation="c")
    assert luhn.is_valid(made_up("CARD", "4111111111111111"))
    account = made_up("IBAN", "GB82WEST12345698765432")
    assert mod_97_10.is_valid(account[4:] + account[:4])
    number = made_up("ID", "11010519491231002X")
    assert ric.calc_check_digit(number) == number[17]
