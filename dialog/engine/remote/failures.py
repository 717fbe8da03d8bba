"""What a server did wrong, as one sentence with a remedy, and whether asking again may help.

    raise Refused(status=429, said="slow down", retry_after_s=3.0)   # `explained` makes a ModelError

What a server says is shown shortened, on one line, without what a terminal
would obey and without the key.
"""

from __future__ import annotations

import json

import httpx

from dialog.engine.remote.address import Address, Key
from dialog.errors import ModelError
from dialog.guard.terminal import safe_text

_SHOWN_CHARS = 300
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504, 529})


class Failure(Exception):
    """A request came to nothing; `may_pass`: the next one may not."""

    may_pass = False
    retry_after_s: float | None = None


class Refused(Failure):
    """The server answered with an error: a status, or in the middle of a stream (then 0)."""

    def __init__(self, *, status: int, said: str, retry_after_s: float | None = None) -> None:
        super().__init__(f"{status} {said}")
        self.status, self.said, self.retry_after_s = status, said, retry_after_s
        self.may_pass = status in _AGAIN


class Broken(Failure):
    """The connection could not be made or did not last."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.may_pass = True


class Stalled(Failure):
    """Nothing came for too long: asking again would take as long again."""


def explained(failure: Failure, *, address: Address, key: Key) -> ModelError:
    """The failure for people: what happened, where, what to do."""
    match failure:
        case Refused():
            shown = key.hide(plain(failure.said))
            status = f"answered {failure.status}" if failure.status else "broke off its reply"
            what = f"{status}: {shown}" if shown else status
            remedy = _remedy(failure, address=address, key=key)
        case Stalled():
            what = str(failure)
            remedy = "see whether it is overloaded, or raise model.timeout_s"
        case _:
            what = key.hide(plain(str(failure)))
            remedy = "is it running, and is the URL right?"
    return ModelError(f"the model server {address.url!r} {what}; {remedy}")


def refused(response: httpx.Response, body: str) -> Refused:
    """A response that is not a success; `body` as far as it was read."""
    return Refused(status=response.status_code, said=_told(body), retry_after_s=_retry_after_s(response))


def broken(error: httpx.HTTPError | OSError) -> Failure:
    """A transport's error in our words."""
    match error:
        case httpx.ConnectTimeout():
            return Broken("cannot be reached: no connection in time")
        case httpx.ReadTimeout() | httpx.WriteTimeout():
            return Stalled("went silent")
        case httpx.ConnectError():
            return Broken(f"cannot be reached: {error}")
        case _:
            return Broken(f"broke the connection off: {error or type(error).__name__}")


def plain(text: str) -> str:
    """A stranger's text on one line, short, and harmless on a terminal."""
    line = " ".join(safe_text(text).split())
    return line if len(line) <= _SHOWN_CHARS else f"{line[:_SHOWN_CHARS]}..."


def _remedy(failure: Refused, *, address: Address, key: Key) -> str:
    said = failure.said.lower()
    match failure.status:
        case 401 | 403:
            state = "is not accepted" if key.value else "is not set"
            return f"the environment variable {key.variable} {state}; model.api_key_env names another"
        case 404:
            return f"is {address.model!r} served there, and does the URL end in /v1?"
        case 400 | 413 | 422 if "context" in said or "too long" in said or "token" in said:
            return (
                "the prompt is too long for it: lower model.context_tokens, or set model.tokenizer "
                "so that its tokens are counted exactly"
            )
        case 429:
            return "it is busy or a quota is used up; try again later"
        case status if status >= 500 or status == 0:
            return "its own log says more; try again later"
        case status if 300 <= status < 400:
            return "it sends elsewhere, which is not followed: give the URL it names"
        case _:
            return "see the server's documentation for this answer"


def _told(body: str) -> str:
    """The message inside an error's JSON, in the shapes servers use; else the body."""
    try:
        value = json.loads(body)
    except ValueError:
        return body
    for _ in range(3):
        if not isinstance(value, dict):
            break
        value = next((value[name] for name in ("error", "message", "detail", "msg") if value.get(name)), "")
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _retry_after_s(response: httpx.Response) -> float | None:
    """Seconds of `Retry-After`; its form with a date is not read."""
    try:
        return max(0.0, float(response.headers["retry-after"]))
    except (KeyError, ValueError):
        return None
