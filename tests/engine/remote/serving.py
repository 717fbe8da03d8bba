"""A real HTTP server that speaks the protocol as a test tells it to, byte by byte.

with Server(says("你好", " world")) as server:
    open_remote(ModelSection(name=f"openai:{server.url}#m"))
    server.requests[-1].body
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from types import TracebackType
from typing import Any

USAGE = {"prompt_tokens": 21, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 16}}

MODELS = {"data": [{"id": "m", "owned_by": "me"}]}


@dataclass
class Request:
    path: str
    headers: dict[str, str]
    body: dict[str, Any]


Reply = Callable[[BaseHTTPRequestHandler], None]


class Server:
    """`replies` answer the chat requests in turn, the last one all that follow."""

    def __init__(
        self,
        *replies: Reply,
        models: dict[str, Any] | None = MODELS,
        tokenize: Callable[[dict[str, Any]], Any] | None = None,
        completions: Callable[[dict[str, Any]], Any] | None = None,
        props: dict[str, Any] | None = None,
        key: str = "",
        models_status: int = 404,
    ) -> None:
        self.models_status = models_status
        self.replies, self.models, self.tokenize, self.props, self.key = replies, models, tokenize, props, key
        self.completions = completions
        self.requests: list[Request] = []
        self.is_left = Event()
        """Set when a client broke a stream off that `waits` held."""

    def __enter__(self) -> Server:
        self._http = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._http.daemon_threads = True
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._http.server_port}/v1"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.shutdown()
        self._http.server_close()

    @property
    def chats(self) -> list[Request]:
        return [request for request in self.requests if request.path == "/v1/chat/completions"]


def event(text: str | None = None, *, end: str | None = None, **further: Any) -> bytes:
    """One event of a stream, characters as they are, not escaped."""
    choice: dict[str, Any] = {"index": 0, "delta": {} if text is None else {"content": text}}
    if end is not None:
        choice["finish_reason"] = end
    return data({"choices": [choice], **further})


def data(value: Any) -> bytes:
    return f"data: {json.dumps(value, ensure_ascii=False)}\n\n".encode()


DONE = b"data: [DONE]\n\n"


def stream(content: bytes, *, cut: int | None = None) -> Reply:
    """A stream of these bytes, in pieces of `cut` bytes, each sent by itself."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        _begin(handler)
        for start in range(0, len(content), cut or len(content)):
            _send(handler, content[start : start + (cut or len(content))])
        _send(handler, b"")

    return reply


def says(
    *words: str, end: str = "stop", usage: dict[str, Any] | None = USAGE, cut: int | None = None
) -> Reply:
    counted = [] if usage is None else [data({"choices": [], "usage": usage})]
    return stream(b"".join([*map(event, words), event(end=end), *counted, DONE]), cut=cut)


def refuses(status: int, body: Any = "", **headers: str) -> Reply:
    def reply(handler: BaseHTTPRequestHandler) -> None:
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    return reply


def breaks_off(*words: str) -> Reply:
    """The connection is gone after these words, in the middle of the body."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        _begin(handler)
        for word in words:
            _send(handler, event(word))
        handler.connection.close()

    return reply


def waits(server_of: Callable[[], Server], *words: str, silently: bool = True) -> Reply:
    """Says the words, then nothing (or comments only) until the client is gone."""

    def reply(handler: BaseHTTPRequestHandler) -> None:
        _begin(handler)
        for word in words:
            _send(handler, event(word))
        if not silently:
            handler.connection.settimeout(0.02)
        while True:
            try:
                if not handler.connection.recv(1):
                    break
            except TimeoutError:
                _send(handler, b": still here\n\n")
            except OSError:
                break
        server_of().is_left.set()

    return reply


def _begin(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Transfer-Encoding", "chunked")
    handler.end_headers()


def _send(handler: BaseHTTPRequestHandler, content: bytes) -> None:
    handler.wfile.write(b"%x\r\n%s\r\n" % (len(content), content))
    handler.wfile.flush()


def _answers(server: Server) -> dict[str, Callable[[dict[str, Any]], Any]]:
    found: dict[str, Callable[[dict[str, Any]], Any]] = {}
    if server.models is not None:
        found["/v1/models"] = lambda _: server.models
    if server.tokenize is not None:
        found["/tokenize"] = server.tokenize
    if server.completions is not None:
        found["/v1/completions"] = server.completions
    if server.props is not None:
        found["/props"] = lambda _: server.props
    return found


def _handler(server: Server) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def log_message(self, *_: object) -> None:
            pass

        def _answer(self, body: dict[str, Any]) -> None:
            self.close_connection = True
            server.requests.append(Request(self.path, {k.lower(): v for k, v in self.headers.items()}, body))
            if server.key and self.headers.get("Authorization") != f"Bearer {server.key}":
                told = f"bad key {self.headers.get('Authorization', '')}"
                return refuses(401, {"error": {"message": told}})(self)
            if self.path == "/v1/chat/completions":
                return _nth(server.replies, len(server.chats) - 1)(self)
            answer = _answers(server).get(self.path)
            if answer is None:
                status = server.models_status if self.path == "/v1/models" else 404
                return refuses(status, "no such path")(self)
            return refuses(200, answer(body))(self)

    return Handler


def _nth(replies: Iterable[Reply], index: int) -> Reply:
    listed = list(replies)
    return listed[min(index, len(listed) - 1)]
