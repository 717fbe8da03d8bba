"""Personal data is found by form and checksum, in Chinese and English; what is none stays."""

import pytest

from corpora.scrub.detect import Detector
from corpora.scrub.finds import Find, resolved
from corpora.scrub.patterns import Pattern, Rules

detect = Detector()


def found(text, detector=detect):
    return [(find.kind, text[find.start : find.end]) for find in detector(text)]


@pytest.mark.parametrize(
    ("text", "kind", "value"),
    [
        ("我的手机是13812345678，谢谢", "PHONE", "13812345678"),
        ("电话138 1234 5678转给他", "PHONE", "138 1234 5678"),
        ("手机１３８１２３４５６７８打不通", "PHONE", "１３８１２３４５６７８"),
        ("打138\u200b1234\u200b5678", "PHONE", "138\u200b1234\u200b5678"),
        ("座机010-62345678转8015", "PHONE", "010-62345678转8015"),
        ("号码幺三八零零一三八零零零", "PHONE", "幺三八零零一三八零零零"),
        ("call me at (212) 555-0123", "PHONE", "(212) 555-0123"),
        ("reach me on +44 7700 900123 today", "PHONE", "+44 7700 900123"),
        ("best on 06 12 34 56 78 before noon", "PHONE", "06 12 34 56 78"),
        ("联系我们的德国仓库（0351 849304）", "PHONE", "0351 849304"),
        ("Phone:\n467 3395", "PHONE", "467 3395"),
        ("reach Ann at (212)555-0123 or later", "PHONE", "(212)555-0123"),
        ("传真(212)555-0123x045", "PHONE", "(212)555-0123x045"),
        ("345-899-3560x4587", "PHONE", "345-899-3560x4587"),
        ("nobody is answering at 99 640172", "PHONE", "99 640172"),
        ("身份证11010519491231002X请核对", "ID", "11010519491231002X"),
        ("my SSN is 460-89-9847", "ID", "460-89-9847"),
        ("卡号6222021234567890128扣款", "CARD", "6222021234567890128"),
        ("卡4111 1111 1111 1111过期了", "CARD", "4111 1111 1111 1111"),
        ("my card 4111111111111111 was charged", "CARD", "4111111111111111"),
        ("邮箱li.wei@163.com收不到", "EMAIL", "li.wei@163.com"),
        ("write to ann (at) example (dot) org", "EMAIL", "ann (at) example (dot) org"),
        ("汇到DE89 3704 0044 0532 0130 00吧", "IBAN", "DE89 3704 0044 0532 0130 00"),
        ("IBAN GB82WEST12345698765432 please", "IBAN", "GB82WEST12345698765432"),
        ("护照号E12345678", "PASSPORT", "E12345678"),
        ("passport no. 123456789", "PASSPORT", "123456789"),
        ("IP8.8.4.4异常登录", "IP", "8.8.4.4"),
        ("from 2001:db8:0:1:1:1:1:1 today", "IP", "2001:db8:0:1:1:1:1:1"),
        ("车牌京A12345违章", "PLATE", "京A12345"),
        ("see https://weibo.com/u/1234567890 there", "URL", "https://weibo.com/u/1234567890"),
        ("寄到浙江省杭州市西湖区文三路90号5幢301室", "ADDRESS", "浙江省杭州市西湖区文三路90号5幢301室"),
        ("I live at 221 Baker Street, Apt 4", "ADDRESS", "221 Baker Street, Apt 4"),
        ("我叫张伟，你好", "NAME", "张伟"),
        ("请找欧阳小明先生", "NAME", "欧阳小明"),
        ("my name is Zoltan Kiss, hello", "NAME", "Zoltan Kiss"),
        ("It broke.\n\nBest regards,\nMary Jones", "NAME", "Mary Jones"),
    ],
)
def test_personal_data_is_found_exactly(text, kind, value):
    assert (kind, value) in found(text)


@pytest.mark.parametrize(
    "text",
    [
        "订单号6222021234567890128什么时候发货",
        "订单编号：13812345678",
        "order number 13812345678 is late",
        "tracking no. 4111111111111111",
        "快递单号SF1234567890123",
        "编号6222021234567890129有货吗",
        "商品11010519491231002A",
        "客服热线400-820-8820",
        "版本1.2.3.4更新了",
        "firmware version 1.2.3.4",
        "共付12345.67元，2024-05-06 12:34:56下单",
        "paid $1,234.50 on 2024-05-06",
        "我知道3号到货，这位先生",
        "坐地铁3号线到人民广场",
        "see https://shop.example.com/p/12345678?ref=home",
        "iPhone 15 Pro 256",
        "Hi there, thanks for waiting",
        "528690173109棉柔巾有几个尺寸",
        "we are in San Francisco, at the Charlotte Police",
        "woz_1589554725",
        "已记录 [PHONE_1] 和 [NAME_2]",
    ],
)
def test_what_is_no_personal_data_stays(text):
    assert found(text) == []


def test_announced_id_counts_even_with_a_wrong_checksum():
    assert found("身份证号110105194912310021") == [("ID", "110105194912310021")]
    assert found("流水110105194912310021") == []


def test_inner_find_is_dropped():
    inner, outer = Find("EMAIL", 5, 15, rule="e"), Find("URL", 0, 20, rule="u")
    assert resolved([inner, outer]) == [outer]


def test_surer_find_keeps_its_span_and_the_other_is_cut():
    told = Find("ADDRESS", 0, 10, rule="a", strength=1)
    sure = Find("PHONE", 6, 17, rule="p", strength=3)
    assert resolved([told, sure]) == [Find("ADDRESS", 0, 6, rule="a", strength=1), sure]


def test_allowed_texts_and_kept_kinds_stay():
    detector = Detector(Rules(allow=("138-1234-5678",), allow_patterns=(r"help@.*",), keep=("IP",)))
    assert found("13812345678 help@x.org 8.8.8.8 13987654321", detector) == [("PHONE", "13987654321")]


def test_own_pattern_is_found_and_named():
    detector = Detector(Rules(pattern=(Pattern(kind="MEMBER", regex=r"VIP-\d{6}"),)))
    assert found("会员VIP-123456", detector) == [("MEMBER", "VIP-123456")]


def test_own_names_are_found_as_words():
    detector = Detector(Rules(names=("Zed", "王小明")))
    assert found("ask Zed, not Zedmore; 王小明在", detector) == [("NAME", "Zed"), ("NAME", "王小明")]
