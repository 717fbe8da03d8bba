"""Words that ask but do not tell: left out of lexical queries, never out of the index."""

from __future__ import annotations

import re

_ENGLISH = """
a about actually after again all also am an and any anyone anything are aren't as ask at be because been
being but by can can't could couldn't did didn't do does doesn't doing don't else for from get gets
getting give go going good got had has have having he hello help her here hey hi him his how i i'd i'll
i'm i've if in into is isn't it it's its just know let let's like look make may maybe me might more much
must my need needs no not now of oh ok okay on one only or other our out please really say see she should
so some something sorry sure tell thank thanks that that's the their them then there there's these they
they're thing things think this those to too up us very want wanted wants was we well were what what's
when where which while who why will with won't would yeah yes yet you you're your
"""

_CHINESE = """
请问一下 请问 想问一下 想问 问一下 我想 想要 麻烦 谢谢 你好 您好 怎么办 怎么样 怎么 怎样 如何
什么时候 为什么 为何 什么 多少 是不是 能不能 可不可以 可以 能够 应该 需要 如果 的话 一下 告诉
知道 帮我 帮忙 有没有 是否 哪些 哪里 哪个 这个 那个 这样 那样 还是 然后 但是 因为 所以 就是
比如 关于 一个 一些
"""

ENGLISH_STOP_WORDS = frozenset(_ENGLISH.split())

CHINESE_STOP_CHARACTERS = frozenset("的了吗呢吧啊呀嘛么哦噢哈我你您他她它们这那哪")
"""Characters that hardly ever belong to a content word; a query is cut at them.

Not 地 (地址), 过 (过期), 有 (有效), 对 (对账), 请 (申请): their pairs are told apart by rarity.
"""

CHINESE_FILLER = re.compile("|".join(sorted(_CHINESE.split(), key=len, reverse=True)))
"""Phrases that open or close a question, longest first."""
