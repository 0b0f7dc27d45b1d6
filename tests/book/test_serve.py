"""The server behind `make serve`: it gives files, and is silent when a browser leaves."""

from __future__ import annotations

import functools
import gzip
import http.client
import http.server
import socket
import struct
import threading

import pytest
from serve import Handler, server  # of book/


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "page.html").write_text("a page", encoding="utf-8")
    return tmp_path


def test_it_gives_files_that_browsers_do_not_keep(folder):
    with server(folder) as httpd:
        threading.Thread(target=httpd.handle_request, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", httpd.server_port)
        connection.request("GET", "/page.html")
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b"a page")
        assert answer.headers["Cache-Control"] == "no-store"
        connection.close()


def test_texts_are_compressed_and_the_connection_is_kept(folder):
    (folder / "picture.png").write_bytes(b"a picture")
    with server(folder) as httpd:
        threading.Thread(target=httpd.handle_request, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", httpd.server_port)
        for content in (b"a page", b"another page"):
            (folder / "page.html").write_bytes(content)
            connection.request("GET", "/page.html", headers={"Accept-Encoding": "gzip"})
            answer = connection.getresponse()
            assert answer.headers["Content-Encoding"] == "gzip"
            assert gzip.decompress(answer.read()) == content
        connection.request("GET", "/picture.png", headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        assert "Content-Encoding" not in answer.headers
        assert answer.read() == b"a picture"
        connection.close()


def test_a_browser_that_leaves_needs_no_word(folder, capfd):
    handler = functools.partial(Handler, directory=str(folder))
    with http.server.HTTPServer(("127.0.0.1", 0), handler) as httpd:
        browser = socket.create_connection(("127.0.0.1", httpd.server_port))
        browser.sendall(b"GET /page.html HTTP/1.1\r\n\r\n")
        at_once = struct.pack("ii", 1, 0)
        browser.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, at_once)
        browser.close()  # resets the connection before the answer
        httpd.handle_request()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("accepted", ["gzip", "identity"])
def test_headers_of_the_folder_are_sent(folder, accepted):
    headers = "/*\n  Content-Security-Policy: default-src 'none'; img-src data:\n  X-Kind: book\n"
    (folder / "_headers").write_text(headers, encoding="utf-8")
    with server(folder) as httpd:
        threading.Thread(target=httpd.handle_request, daemon=True).start()
        connection = http.client.HTTPConnection("127.0.0.1", httpd.server_port)
        connection.request("GET", "/page.html", headers={"Accept-Encoding": accepted})
        answer = connection.getresponse()
        assert answer.headers["Content-Security-Policy"] == "default-src 'none'; img-src data:"
        assert answer.headers["X-Kind"] == "book"
        answer.read()
        connection.close()
