"""The collection on a real Chroma server: for many processes, surviving its restarts, apart from others'."""

import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from dialog.errors import KnowledgeError
from dialog.knowledge.chroma import ChromaCollection, MissingCollection
from dialog.settings import KnowledgeSection

CHROMA = shutil.which("chroma", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMA is None, reason="the command chroma is not installed"),
]
QUESTION = "When do you open on weekdays?"


class Server:
    """`chroma run`, that can be stopped and started again on its port."""

    def __init__(self, folder):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._folder = folder
        self._process = None

    def start(self):
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    CHROMA,
                    "run",
                    "--path",
                    self._folder / "data",
                    "--host",
                    "127.0.0.1",
                    "--port",
                    str(self.port),
                ],
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + 60
        while time.monotonic() < until:
            try:
                if httpx.get(f"{self.url}/api/v2/heartbeat", timeout=5).is_success:
                    return
            except httpx.HTTPError:
                time.sleep(0.05)
        raise AssertionError((self._folder / "log").read_text())

    def stop(self):
        self._process.terminate()
        self._process.wait(30)

    def collections(self):
        url = f"{self.url}/api/v2/tenants/default_tenant/databases/default_database/collections"
        return {row["name"] for row in httpx.get(url, timeout=30).json()}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("chroma"))
    running.start()
    yield running
    running.stop()


@pytest.fixture
def served(shelf, server):
    """Three documents whose vectors are on the server, every search through it."""
    shelf.section = KnowledgeSection(embedder="hash", chroma=server.url)
    shelf.exact_limit = 0
    shelf.write("returns.md", "# Returns\n\nUnused goods can be returned within 30 days.\n")
    shelf.write("faq.csv", "问题,答案\n怎么申请退货,签收后七天内可以无理由退货。\n")
    shelf.write("hours.txt", "Opening hours\nWe open at nine on weekdays.\n")
    shelf.build()
    yield shelf
    shelf.section = KnowledgeSection(embedder="hash", chroma=server.url)
    name = (shelf.index / next(shelf.index.glob("store-*")) / "collection").read_text().strip()
    drop(server, name)


def drop(server, name):
    ChromaCollection.on_server(server.url, name=name, create=True).drop()


def test_index_is_searched_through_the_server(served):
    with served.open() as knowledge:
        passage = knowledge.search(QUESTION, top_k=1).passages[0]
        chinese = knowledge.search("怎么退货", top_k=1).passages[0]
    assert (passage.source, passage.legs.dense) == ("hours.txt", 1)
    assert (chinese.source, chinese.legs.dense) == ("faq.csv", 1)
    assert not list(served.index.glob("store-*/chroma"))


def test_reader_sees_what_is_published_on_the_server(served):
    with served.open() as knowledge:
        assert "nine" in knowledge.search(QUESTION, top_k=1).passages[0].text
        served.write("hours.txt", "Opening hours\nWe open at ten on weekdays.\n")
        (served.documents / "faq.csv").unlink()
        served.build(prune=True)
        assert "ten" in knowledge.search(QUESTION, top_k=1).passages[0].text
        assert {p.source for p in knowledge.search("怎么退货", top_k=5).passages} <= {
            "hours.txt",
            "returns.md",
        }


def test_rebuild_leaves_one_collection_of_the_index(served, server):
    before = server.collections()
    with served.open() as knowledge:
        assert knowledge.search(QUESTION, top_k=1).passages
        served.build(rebuild=True)
        assert knowledge.search(QUESTION, top_k=1).passages[0].legs.dense == 1
    after = server.collections()
    assert len(after) == len(before)
    assert len(after - before) == 1


def test_interrupted_rebuild_leaves_no_collection(served, server):
    before = server.collections()

    def stop(progress):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        served.build(rebuild=True, progress=stop)
    assert len(server.collections()) == len(before) + 1
    served.build()
    assert server.collections() == before


def test_indexes_with_equal_documents_do_not_meet(served, server, shelf_at, tmp_path):
    other = shelf_at(tmp_path / "other")
    other.section, other.exact_limit = served.section, 0
    other.write("hours.txt", "Opening hours\nWe open at nine on weekdays.\n")
    before = server.collections()
    other.build()
    assert len(server.collections() - before) == 1
    with served.open() as knowledge:
        assert len(knowledge.search(QUESTION, top_k=5).passages) == 3
    assert other.texts(QUESTION) == ["We open at nine on weekdays."]
    (name,) = server.collections() - before
    drop(server, name)


def test_index_moves_to_the_server_and_back_without_embedding(shop, server):
    own, on_server = shop.section, KnowledgeSection(embedder="hash", chroma=server.url)
    shop.exact_limit = 0
    before = shop.texts("退货")
    for section in (on_server, own):
        shop.section = section
        with pytest.raises(
            KnowledgeError, match=r"has its vectors .*knowledge.chroma is .*instructrec index"
        ):
            shop.open()
        assert shop.build().num_embedded == 0
        assert shop.texts("退货") == before


def test_collection_lost_by_the_server_is_made_again(served, server):
    name = next(served.index.glob("store-*/collection")).read_text().strip()
    with served.open() as knowledge:
        assert knowledge.search(QUESTION, top_k=1).passages
        drop(server, name)
        with pytest.raises(MissingCollection, match=f"no collection '{name}'.*instructrec index"):
            knowledge.search(QUESTION, top_k=1)
        assert served.build().num_embedded == 0
        assert knowledge.search(QUESTION, top_k=1).passages[0].legs.dense == 1


def test_search_fails_clearly_while_the_server_is_down_and_goes_on_after(served, server):
    with served.open() as knowledge:
        assert knowledge.search(QUESTION, top_k=1).passages
        server.stop()
        try:
            with pytest.raises(KnowledgeError, match=rf"127\.0\.0\.1:{server.port}.*chroma run"):
                knowledge.search(QUESTION, top_k=1)
            with pytest.raises(KnowledgeError, match="chroma run"), served.open() as late:
                late.search(QUESTION, top_k=1)
            served.write("new.md", "Parking is free.\n")
            with pytest.raises(KnowledgeError, match="chroma run"):
                served.build()
        finally:
            server.start()
        assert knowledge.search(QUESTION, top_k=1).passages[0].legs.dense == 1
    assert served.build().added == 1
    assert "Parking is free." in served.texts("parking")


def test_many_processes_share_the_server(served):
    script = (
        "import sys\nfrom pathlib import Path\nfrom dialog.knowledge.base import open_knowledge\n"
        "from dialog.settings import KnowledgeSection\nfrom dialog.testing import HashEmbedder\n"
        "section = KnowledgeSection(embedder='hash', chroma=sys.argv[2])\n"
        "with open_knowledge(Path(sys.argv[1]), section, embedder=HashEmbedder(), exact_limit=0) as k:\n"
        "    print(k.search(sys.argv[3], top_k=1).passages[0].legs.dense)\n"
    )
    command = [sys.executable, "-c", script, str(served.index), served.section.chroma, QUESTION]
    readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    assert [reader.communicate(timeout=120)[0] for reader in readers] == ["1\n"] * 3


def test_token_is_sent_with_every_request(served, server, monkeypatch):
    monkeypatch.setenv("INSTRUCTREC_CHROMA_TOKEN", "s3cret")
    seen = []

    class Gateway(http.server.BaseHTTPRequestHandler):
        """Passes on what carries the token, and refuses the rest."""

        def _pass(self):
            seen.append((self.headers.get("Authorization"), self.headers.get("X-Chroma-Token")))
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            kind = {"Content-Type": self.headers.get("Content-Type") or "application/json"}
            answer = httpx.request(
                self.command, f"{server.url}{self.path}", content=body, headers=kind, timeout=30
            )
            self.send_response(answer.status_code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(answer.content)))
            self.end_headers()
            self.wfile.write(answer.content)

        do_GET = do_POST = do_PUT = do_DELETE = _pass  # the base class's names

        def log_message(self, *_):
            pass

    gateway = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gateway)
    threading.Thread(target=gateway.serve_forever, daemon=True).start()
    try:
        served.section = KnowledgeSection(embedder="hash", chroma=f"http://127.0.0.1:{gateway.server_port}")
        assert served.texts(QUESTION)
    finally:
        gateway.shutdown()
        gateway.server_close()
    assert set(seen) == {("Bearer s3cret", "s3cret")}


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x", "http://", "http://user:pass@x:1"])
def test_url_that_is_none_is_refused(shelf, url):
    shelf.write("a.md", "text\n")
    shelf.section = KnowledgeSection(embedder="hash", chroma=url)
    with pytest.raises(KnowledgeError, match="is not of the form http://HOST:PORT"):
        shelf.build()


def test_server_that_refuses_names_the_token(shelf):
    class Refusal(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_error(401)

        def log_message(self, *_):
            pass

    gateway = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusal)
    threading.Thread(target=gateway.serve_forever, daemon=True).start()
    try:
        shelf.write("a.md", "text\n")
        shelf.section = KnowledgeSection(embedder="hash", chroma=f"http://127.0.0.1:{gateway.server_port}")
        with pytest.raises(KnowledgeError, match=r"refuses us \(401\); set INSTRUCTREC_CHROMA_TOKEN"):
            shelf.build()
    finally:
        gateway.shutdown()
        gateway.server_close()


def test_another_program_on_the_port_is_told_apart(shelf):
    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    try:
        shelf.write("a.md", "text\n")
        shelf.section = KnowledgeSection(embedder="hash", chroma=f"http://127.0.0.1:{other.server_port}")
        with pytest.raises(KnowledgeError, match=r"is not a Chroma server of version 1 .*501"):
            shelf.build()
    finally:
        other.shutdown()
        other.server_close()
