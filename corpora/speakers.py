"""Who is the customer and who speaks for the business, by the words exports use in both languages.

side_of("客服小李")                      # "assistant"
roles_of(["Anna", "Bob"], agents=("Bob",))   # {"Anna": "user", "Bob": "assistant"}
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

Side = Literal["user", "assistant", "system", "tool"]

_AGENT = re.compile(
    r"\b(?:agents?|assistant|support|bot|chatbot|operator|rep|representative|admin|staff|advisor|service|helpdesk"
    r"|seller|gpt|human agent)\b|客服|坐席|座席|机器人|商家|卖家|店小二|小二|店铺|顾问|助手|人工|接待",
    re.IGNORECASE,
)
_CUSTOMER = re.compile(
    r"\b(?:customers?|users?|clients?|visitor|guest|buyer|end-user|end_user|contact|lead|requester|human|me)\b"
    r"|客户|顾客|用户|买家|访客|消费者|会员|游客|乘客",
    re.IGNORECASE,
)
_SYSTEM = re.compile(r"system(?: message| notification)?|系统(?:消息|通知|提示)?|event", re.IGNORECASE)
_TOOL = re.compile(r"tool|function|observation", re.IGNORECASE)


def side_of(word: str) -> Side | None:
    """The role that a speaker's name says, None if it says none."""
    word = word.strip()
    if _SYSTEM.fullmatch(word):
        return "system"
    if _TOOL.fullmatch(word):
        return "tool"
    if _CUSTOMER.search(word) and not re.search(r"customer (?:service|support|care)|客户服务", word, re.I):
        return "user"
    return "assistant" if _AGENT.search(word) else None


def is_agent(name: str, agents: Sequence[str]) -> bool:
    """True if a name or mail address is one that was given: itself, or its mail domain."""
    name = name.strip().casefold()
    domain = name.rpartition("@")[2] if "@" in name else ""
    given = [agent.strip().casefold().removeprefix("@") for agent in agents]
    domains = [one for one in given if "@" not in one and "." in one]
    return name in given or any(domain == one or domain.endswith(f".{one}") for one in domains)


def roles_of(names: Sequence[str], *, agents: Sequence[str] = ()) -> tuple[dict[str, Side], bool]:
    """Each name's role, and whether it had to be guessed.

    A name that was given as an agent's is one, and then all others are
    customers'. Else names speak for themselves; where they do not, who speaks
    first is the customer, unless somebody else is known to be.
    """
    if any(is_agent(name, agents) for name in names):
        return {
            name: "assistant" if is_agent(name, agents) else "system" if side_of(name) == "system" else "user"
            for name in names
        }, False
    roles = {name: side for name in names if (side := side_of(name))}
    unknown = [name for name in names if name not in roles]
    if not unknown:
        return roles, False
    if "assistant" in roles.values() and "user" not in roles.values():
        return roles | dict.fromkeys(unknown, "user"), False
    if "user" in roles.values():
        return roles | dict.fromkeys(unknown, "assistant"), "assistant" in roles.values()
    guessed: dict[str, Side] = dict.fromkeys(unknown, "assistant")
    guessed[unknown[0]] = "user"
    return roles | guessed, True


GUESSED = "who is the customer was guessed: the first to speak; name your side with --agent"
