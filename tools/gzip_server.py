"""A file server that packs what it sends, as the servers of published pages do."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from gzip import compress
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

# Fonts and pictures of points are packed already.
PACKED = (".html", ".css", ".js", ".svg", ".txt", ".xml")


class Handler(SimpleHTTPRequestHandler):
    """Send files, those of words in gzip, and log nothing."""

    protocol_version = "HTTP/1.1"  # keeps connections open

    def do_GET(self) -> None:
        """Send a file, packed where the browser takes it and it helps."""
        path = Path(self.translate_path(self.path))
        wants = "gzip" in self.headers.get("Accept-Encoding", "")
        if not (wants and path.is_file() and path.suffix in PACKED):
            super().do_GET()
            return
        body = compress(path.read_bytes())
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


class Server(ThreadingHTTPServer):
    """A server that takes no offence at a browser that leaves before all is sent."""

    def handle_error(self, request: object, client_address: object) -> None:
        """Report what went wrong, unless the browser went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


@contextmanager
def serve(folder: Path) -> Iterator[str]:
    """Serve a folder on this machine and give its address."""
    server = Server(("127.0.0.1", 0), partial(Handler, directory=folder))
    Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
