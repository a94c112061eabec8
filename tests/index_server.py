"""A package index on this machine, and a small set that it holds: for the tests of `data`."""

import hashlib
import io
import json
import tarfile
import threading
import time
import zipfile
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from lstm_lib.data.sources import Source

#: What the small set keeps; the archive holds a module too, which nobody wants.
MEMBERS = {f"tiny-1.0/texts/{i:02}.txt": f"text {i}\n".encode() * 40 for i in range(100)}


def archive_of(members: dict[str, bytes], kind: str = "tar.gz") -> bytes:
    """The members as an archive of this kind."""
    buffer = io.BytesIO()
    if kind == "zip":
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, data in members.items():
                archive.writestr(name, data)
    else:
        with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
            for name, data in members.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


def sha256(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()


ARCHIVE = archive_of(MEMBERS | {"tiny-1.0/setup.py": b"raise SystemExit('it was run')"})


def tiny(**changes: Any) -> Source:
    """The small set, as the index holds it."""
    fields: dict[str, Any] = {
        "name": "tiny",
        "project": "tiny",
        "file": "tiny-1.0.tar.gz",
        "sha256": sha256(ARCHIVE),
        "members": "tiny-1.0/texts/*.txt",
        "contents": sha256(*MEMBERS.values()),
        "megabytes": len(ARCHIVE) / 1e6,
        "licence": "public domain",
    }
    return Source(**fields | changes)


class IndexServer:
    """Serves `files` by name under /files/, and the index under /simple/ as JSON or HTML.

    Of a file, `announce` bytes are promised and `send` bytes sent, all where None; each of the
    `pieces` of an answer comes after `pause` seconds. `asked` counts the requests by path.
    """

    def __init__(self) -> None:
        self.files = {"tiny-1.0.tar.gz": ARCHIVE}
        self.links: list[str] | None = None  # of the HTML page, which is served where this is set
        self.announce: int | None = None
        self.send: int | None = None
        self.packs_again = False  # as servers do that take .gz for an encoding
        self.pieces = 1
        self.pause = 0.0
        self.sent = threading.Event()
        self.asked: Counter[str] = Counter()
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.asked[self.path] += 1
                server.answer(self)

            def log_message(self, format: str, *args: Any) -> None:
                pass

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, request: Any, client_address: Any) -> None:
                pass  # a client that was killed hung up

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self.index = f"{self.address}/simple"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        place, _, name = request.path.strip("/").rpartition("/")
        if place == "simple" and name == "tiny":
            body, kind = self._page()
            self._reply(request, body, kind)
        elif place == "files" and name in self.files:
            body = self.files[name]
            self._reply(request, body[: self.send], "application/gzip", self.announce)
            self.sent.set()
        else:
            request.send_error(404)

    def _page(self) -> tuple[bytes, str]:
        if self.links is not None:
            anchors = "".join(f'<a href="{link}">{link}</a>' for link in self.links)
            return f"<!DOCTYPE html><html><body>{anchors}</body></html>".encode(), "text/html"
        files = [{"filename": name, "url": f"{self.address}/files/{name}"} for name in self.files]
        return json.dumps({"files": files}).encode(), "application/vnd.pypi.simple.v1+json"

    def _reply(
        self, request: BaseHTTPRequestHandler, body: bytes, kind: str, announce: int | None = None
    ) -> None:
        request.send_response(200)
        request.send_header("Content-Type", kind)
        if self.packs_again and request.headers["Accept-Encoding"] != "identity":
            request.send_header("Content-Encoding", "gzip")
        request.send_header("Content-Length", str(announce or len(body)))
        request.end_headers()
        step = -(-len(body) // self.pieces) or 1
        for start in range(0, len(body), step):
            time.sleep(self.pause)
            request.wfile.write(body[start : start + step])

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
