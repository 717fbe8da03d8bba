"""Which column of a table holds what: named in TOML, told from the header, or asked for.

[columns]
conversation = "Ticket ID"
speaker = "Von"
text = "Nachricht"

[roles]
user = ["Kunde"]
assistant = ["Berater"]
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import fields, replace
from pathlib import Path

from corpora.formats import Columns
from corpora.speakers import Side, side_of
from dialog.errors import CorpusError
from dialog.text import normalise

_KNOWN: Mapping[str, tuple[str, ...]] = {
    "conversation": (
        "conversation", "conversation_id", "conversationid", "conv_id", "dialogue_id", "dialog_id", "session",
        "session_id", "sessionid", "ticket", "ticket_id", "ticket id", "thread_id", "chat_id", "case_id",
        "会话", "会话id", "会话编号", "对话", "对话id", "对话编号", "工单", "工单号", "工单编号",
    ),
    "speaker": (
        "role", "speaker", "sender", "from", "author", "author_role", "sender_type", "party",
        "角色", "发送方", "发送者", "发送人", "说话人", "身份", "发言人",
    ),
    "text": (
        "text", "message", "content", "utterance", "body", "msg", "comment",
        "内容", "消息", "消息内容", "文本", "聊天内容", "发言", "正文",
    ),
    "time": (
        "time", "timestamp", "created_at", "date", "datetime", "sent_at", "created at",
        "时间", "发送时间", "日期", "消息时间", "创建时间",
    ),
    "name": ("name", "author_name", "sender_name", "姓名", "昵称", "名称"),
    "question": (
        "question", "prompt", "query", "instruction", "customer message", "问题", "提问", "用户问题", "问",
    ),
    "answer": (
        "answer", "completion", "response", "reply", "output", "agent reply",
        "答案", "回答", "回复", "客服回复", "答",
    ),
    "customer": (
        "customer", "customer_id", "user_id", "client_id", "requester_id",
        "客户", "客户id", "用户id", "买家id",
    ),
    "tags": ("tags", "tag", "label", "labels", "category", "标签", "分类", "类别"),
}  # fmt: skip
_MEANS: Mapping[str, str] = {
    "conversation": "tells conversations apart",
    "speaker": "says who speaks",
    "text": "holds the words",
}
_SIDES: tuple[Side, ...] = ("user", "assistant", "system", "tool")


def read_columns(path: Path) -> Columns:
    """The columns that a TOML file names.

    Raises:
        CorpusError: it cannot be read, or names what there is not.
    """
    try:
        given = tomllib.loads(path.read_text(encoding="utf-8"))
        columns, roles = given.pop("columns", {}), given.pop("roles", {})
    except OSError as error:
        raise CorpusError(f"cannot be read: {error.strerror}; check the name", path=path) from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise CorpusError(f"not TOML: {error}", path=path) from error
    known = {one.name for one in fields(Columns)} - {"roles"}
    if given or not isinstance(columns, dict) or not isinstance(roles, dict):
        raise CorpusError("has parts other than [columns] and [roles]; remove them", path=path)
    for name, value in columns.items():
        if name not in known or not isinstance(value, str):
            raise CorpusError(
                f"[columns] {name} = {value!r}; name one of {', '.join(sorted(known))}", path=path
            )
    if unknown := set(roles) - set(_SIDES):
        raise CorpusError(f"[roles] has {sorted(unknown)}; there are {', '.join(_SIDES)}", path=path)
    words = {
        word: side
        for side, listed in roles.items()
        for word in ([listed] if isinstance(listed, str) else listed)
    }
    return replace(Columns(**columns), roles=words)


def told_by(header: Sequence[str]) -> Columns:
    """The columns whose names say what they hold, in English or Chinese."""
    by_name = {normalise(name).strip(): name for name in reversed(header)}
    found = {
        ours: next((by_name[name] for name in names if name in by_name), None)
        for ours, names in _KNOWN.items()
    }
    return Columns(**found)  # type: ignore[arg-type]  # the names are those of its fields


def is_enough(columns: Columns) -> bool:
    """Whether messages can be made: words with speakers and conversations, or questions with answers."""
    messages = columns.text and columns.speaker and columns.conversation
    return bool(messages or (columns.question and columns.answer))


def settled(
    header: Sequence[str], given: Columns | None, ask: Callable[[str], str] | None, *, path: Path
) -> Columns:
    """The columns of a table: those given, else those its header tells, else those the person names.

    Raises:
        CorpusError: a given column is not there, or what is needed stays unknown.
    """
    columns = told_by(header)
    if given is not None:
        named = {one.name: value for one in fields(Columns) if (value := getattr(given, one.name))}
        for ours, theirs in named.items():
            if ours != "roles" and theirs not in header:
                problem = f"has no column {theirs!r} (for {ours}); it has {', '.join(map(repr, header))}"
                raise CorpusError(problem, path=path, line=1)
        columns = replace(columns, **named)
        if given.text:
            columns = replace(columns, question=given.question, answer=given.answer)
        elif given.question:
            columns = replace(columns, text=None)
    if not is_enough(columns) and ask is not None:
        columns = _asked(columns, header, ask)
    if not is_enough(columns):
        missing = [name for name in _MEANS if getattr(columns, name) is None]
        problem = (
            f"it is not clear which column is {', '.join(missing)} (or question and answer); say so with "
            f"--column {missing[0]}=NAME or --columns FILE.toml; it has {', '.join(map(repr, header))}"
        )
        raise CorpusError(problem, path=path, line=1)
    return columns


def role_of(word: str, columns: Columns, agents: Sequence[str]) -> Side | None:
    """What the speaker's column says: by the given roles, the given agents, or the word itself."""
    from corpora.speakers import is_agent

    if word in columns.roles:
        return next(side for side in _SIDES if side == columns.roles[word])
    if word in _SIDES:
        return next(side for side in _SIDES if side == word)
    return "assistant" if is_agent(word, agents) else side_of(word)


def _asked(columns: Columns, header: Sequence[str], ask: Callable[[str], str]) -> Columns:
    listed = "  ".join(f"{number}={name}" for number, name in enumerate(header, start=1))
    for ours, meaning in _MEANS.items():
        while getattr(columns, ours) is None:
            said = ask(f"{listed}\nWhich column {meaning}? (number or name, empty to give up) ").strip()
            if not said:
                return columns
            name = header[int(said) - 1] if said.isdecimal() and 0 < int(said) <= len(header) else said
            if name in header:
                columns = replace(columns, **{ours: name})  # type: ignore[arg-type]  # roles are not asked for
    return columns
