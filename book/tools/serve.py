"""Serve a folder on this machine: `python book/tools/serve.py FOLDER`.

Text is compressed, connections are kept and the headers in the folder's `_headers` are sent, as web
servers do, so that a page opens here as it will where it is published.
"""

from __future__ import annotations

import argparse
import functools
import gzip
import http.server
import io
import re
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO

TEXTS = {".css", ".html", ".js", ".json", ".svg"}


@functools.cache
def compressed(file: Path, changed: int) -> bytes:
    """Compress a file as it was when it was last changed."""
    return gzip.compress(file.read_bytes(), mtime=0)


def site_headers(folder: Path) -> list[tuple[str, str]]:
    """Read the headers for all files, as names and values, from a folder's `_headers`."""
    file = folder / "_headers"
    text = file.read_text(encoding="utf-8") if file.is_file() else ""
    return re.findall(r"^ +([\w-]+): (.+)$", text, re.MULTILINE)


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, without noting each in the terminal."""

    protocol_version = "HTTP/1.1"  # keeps connections

    def send_head(self) -> io.BytesIO | BinaryIO | None:
        """Answer with a text compressed, if the browser takes that."""
        file = Path(self.translate_path(self.path))
        accepted = "gzip" in self.headers.get("Accept-Encoding", "")
        if not accepted or file.suffix not in TEXTS or not file.is_file():
            return super().send_head()
        content = compressed(file, file.stat().st_mtime_ns)
        self.send_response(HTTPStatus.OK)
        self.send_header("Content-Type", self.guess_type(file))
        self.send_header("Content-Encoding", "gzip")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        return io.BytesIO(content)

    def end_headers(self) -> None:
        """Keep the browser from showing an older build, and send the site's own headers."""
        self.send_header("Cache-Control", "no-store")
        for name, value in site_headers(Path(self.directory)):
            self.send_header(name, value)
        super().end_headers()

    def handle(self) -> None:
        """Answer; a browser that leaves in the middle of an answer needs no word."""
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, *args: object) -> None:
        """Stay silent."""


def server(folder: Path) -> http.server.ThreadingHTTPServer:
    """Make a server for `folder` on a free port of this machine."""
    handler = functools.partial(Handler, directory=str(folder))
    return http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    httpd = server(parser.parse_args().folder)
    print(f"http://127.0.0.1:{httpd.server_port}/ (Ctrl-C ends it)", flush=True)
    try:
        httpd.serve_forever()
    except KeyboardInterrupt:
        print()
