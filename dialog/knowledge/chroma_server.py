"""The way to a Chroma server: checked before it is used, bounded in time, closed when done.

    client = connect("http://chroma:8000")
    release(client)

The token of a server behind a gateway, or of Chroma Cloud, is read from
`INSTRUCTREC_CHROMA_TOKEN` and sent as `Authorization: Bearer` and `X-Chroma-Token`.
"""

from __future__ import annotations

import os
from typing import Any
from urllib.parse import SplitResult, urlsplit

import httpx

from dialog.errors import KnowledgeError

TOKEN_VARIABLE = "INSTRUCTREC_CHROMA_TOKEN"
_DEFAULT_PORT = 8000
_PROBE_S = 10.0
_TIMEOUT_S = 60.0


def start_hint(url: str) -> str:
    """How such a server is started."""
    port = urlsplit(url).port or _DEFAULT_PORT
    return f"start one with: chroma run --path DIR --port {port}; or set knowledge.chroma"


def connect(url: str) -> Any:
    """A `chromadb` client of the server.

    Raises:
        KnowledgeError: the URL is none, or the server cannot be reached, refuses us or is another program.
    """
    import chromadb
    from chromadb.config import Settings

    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise KnowledgeError(
            f"knowledge.chroma = {url!r} is not of the form http://HOST:PORT "
            f"(a token goes into {TOKEN_VARIABLE})"
        )
    token = os.environ.get(TOKEN_VARIABLE)
    headers = {"Authorization": f"Bearer {token}", "X-Chroma-Token": token} if token else {}
    _probe(url, headers)
    client = chromadb.HttpClient(
        host=parts.hostname,
        port=_port(parts),
        ssl=parts.scheme == "https",
        headers=headers,
        settings=Settings(anonymized_telemetry=False),
    )
    for session in _sessions(client):
        session.timeout = httpx.Timeout(_TIMEOUT_S)
    return client


def release(client: Any) -> None:
    """Close the client and, which it leaves open itself, its connections."""
    sessions = _sessions(client)
    client.close()
    for session in sessions:
        session.close()


def _probe(url: str, headers: dict[str, str]) -> None:
    """Fail here with a clear word: the client itself waits without end and names no remedy."""
    try:
        answer = httpx.get(f"{url.rstrip('/')}/api/v2/heartbeat", headers=headers, timeout=_PROBE_S)
    except httpx.HTTPError as error:
        problem = str(error) or type(error).__name__
        raise KnowledgeError(
            f"cannot reach the Chroma server {url!r}: {problem}; {start_hint(url)}"
        ) from error
    if answer.status_code in (401, 403):
        raise KnowledgeError(
            f"the Chroma server {url!r} refuses us ({answer.status_code}); set {TOKEN_VARIABLE} to its token"
        )
    if not answer.is_success or "heartbeat" not in answer.text[:1000]:
        raise KnowledgeError(
            f"{url!r} is not a Chroma server of version 1 (its heartbeat is {answer.status_code}); "
            f"{start_hint(url)}"
        )


def _port(parts: SplitResult) -> int:
    return parts.port or (443 if parts.scheme == "https" else _DEFAULT_PORT)


def _sessions(client: Any) -> list[httpx.Client]:
    """The HTTP clients within, which have neither a time limit nor an end; none in a version without them."""
    owners = (client, getattr(client, "_admin_client", None))
    found = [getattr(getattr(owner, "_server", None), "_session", None) for owner in owners]
    return [session for session in found if isinstance(session, httpx.Client)]
