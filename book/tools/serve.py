"""Serve a folder on this machine: `python book/tools/serve.py FOLDER`."""

from __future__ import annotations

import argparse
import functools
import http.server
from contextlib import suppress
from pathlib import Path


class Handler(http.server.SimpleHTTPRequestHandler):
    """Serves files, without noting each in the terminal."""

    def end_headers(self) -> None:
        """Keep the browser from showing an older build."""
        self.send_header("Cache-Control", "no-store")
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
