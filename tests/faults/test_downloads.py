"""Servers and archives that misbehave: a notice says why, and nothing is left but whole files."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import os
import signal
import subprocess
import sys
import tarfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from torchvision import datasets

from lenet.data import DataError, finding, load
from tests.lenet.data.test_data import FOLDERS, write_cifar, write_idx

Answer = Callable[[BaseHTTPRequestHandler, bytes], None]  # what a server does when it has a file
CIFAR = "cifar-10-python.tar.gz"
SETS = {
    "fashion-mnist": datasets.FashionMNIST,
    "mnist": datasets.MNIST,
    "cifar-10": datasets.CIFAR10,
}


class Server:
    """An HTTP server on this machine that has some files, and answers as it is told."""

    def __init__(self, files: dict[str, bytes], *answers: Answer) -> None:
        self.files, self.answers, self.asked = files, list(answers), 0
        self.released = threading.Event()

        class Handler(BaseHTTPRequestHandler):
            def do_GET(handler) -> None:  # noqa: N805
                answer = self.answers[min(self.asked, len(self.answers) - 1)]
                self.asked += 1
                handler.released = self.released
                body = self.files.get(handler.path.rsplit("/", 1)[-1], b"")
                with contextlib.suppress(OSError):  # the other side has hung up
                    answer(handler, body)
                handler.close_connection = True

            def log_message(handler, *args: object) -> None:  # noqa: N805
                pass

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_port}/"

    def __enter__(self) -> Server:
        threading.Thread(target=self.http.serve_forever, args=[0.01], daemon=True).start()
        return self

    def __exit__(self, *args: object) -> None:
        self.released.set()
        self.http.shutdown()
        self.http.server_close()


def begins(handler: BaseHTTPRequestHandler, num_bytes: int) -> None:
    """Promise so many bytes."""
    handler.send_response(200)
    handler.send_header("Content-Length", str(num_bytes))
    handler.end_headers()


def sends(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    begins(handler, len(body))
    handler.wfile.write(body)


def refuses(status: int) -> Answer:
    return lambda handler, body: handler.send_error(status)


def redirects(target: str) -> Answer:
    def answer(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        handler.send_response(302)
        handler.send_header("Location", target)
        handler.end_headers()

    return answer


def says(head: bytes) -> Answer:
    """Send bytes as they are, without the form of an answer."""
    return lambda handler, body: handler.wfile.write(head)


def sends_instead(change: Callable[[bytes], bytes]) -> Answer:
    return lambda handler, body: sends(handler, change(body))


def is_silent(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.released.wait(60)


def hangs_up_midway(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    begins(handler, len(body))
    handler.wfile.write(body[: len(body) // 2])


def stops_midway(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    hangs_up_midway(handler, body)
    handler.wfile.flush()
    handler.released.wait(60)


def never_ends(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    while not handler.released.is_set():
        handler.wfile.write(bytes(100_000))


def drips(handler: BaseHTTPRequestHandler, body: bytes) -> None:
    handler.send_response(200)
    handler.end_headers()
    while not handler.released.wait(0.05):
        handler.wfile.write(b"1")
        handler.wfile.flush()


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

# What a server does, and a part of the notice.
BAD_ANSWERS: dict[str, tuple[Answer, str]] = {
    **{
        f"{status}": (refuses(status), f"HTTP Error {status}")
        for status in (400, 401, 403, 404, 410, 429, 500, 502, 503, 504)
    },
    "is silent": (is_silent, "timed out"),
    "stops midway": (stops_midway, "timed out"),
    "hangs up midway": (hangs_up_midway, "its checksum is another"),
    "drips": (drips, "bytes per second"),
    "never ends": (never_ends, "sends more than"),
    "hangs up": (says(b""), "closed connection without response"),
    "is no web server": (says(b"220 mail.example\r\n"), "220 mail.example"),
    "breaks a line": (says(b"HTTP/1.1 abc\r\n\r\n"), "HTTP/1.1 abc"),
    "sends wrong chunks": (says(CHUNKED + b"zz\r\n"), "failed: "),
    "cuts a chunk": (says(CHUNKED + b"ffff\r\nabc"), "failed: "),
    "endless header": (says(b"HTTP/1.1 200 OK\r\nX: " + 100_000 * b"x"), "failed: "),
    "sends nothing": (sends_instead(lambda body: b""), "its checksum is another"),
    "sends a page": (sends_instead(lambda body: b"<html>Log in"), "its checksum is another"),
    "sends another file": (sends_instead(gzip.compress), "its checksum is another"),
    "flips a bit": (sends_instead(lambda b: b[:-9] + bytes([b[-9] ^ 1]) + b[-8:]), "its checksum"),
    "sends too much": (sends_instead(lambda body: body + b"\0"), "its checksum is another"),
    "redirects to itself": (redirects("/again"), "infinite loop"),
    "redirects to a file": (redirects("file:///etc/passwd"), "not allowed"),
    "redirects to data": (redirects("data:,abc"), "not allowed"),
    "redirects to no port": (redirects("http://127.0.0.1:port/"), "failed: "),
    "redirects to half an address": (redirects("http://["), "failed: "),
    "redirects to spaces": (redirects("http://a b:c d/"), "failed: "),
    "redirects to nobody": (redirects("http://127.0.0.1:1/"), "refused"),
    "redirects to nowhere": (redirects(""), "failed: "),
}


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LENET_DATA", "LENET_OFFLINE", "LENET_REQUIRE_REAL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(finding, "NETWORK_TIMEOUT", 0.3)
    monkeypatch.setattr(finding, "MOST_BYTES", 3_000_000)
    finding._notice.cache_clear()


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """The archives of three small data sets, by the name of the set."""
    root = tmp_path_factory.mktemp("origin")
    found = {}
    for name, folder in FOLDERS.items():
        write_idx(root, name)
        files = sorted((root / folder).iterdir())
        found[name] = {f"{file.name}.gz": gzip.compress(file.read_bytes()) for file in files}
    write_cifar(root)
    with io.BytesIO() as stream:
        with tarfile.open(fileobj=stream, mode="w:gz") as tar:
            tar.add(root / "cifar-10-batches-py", "cifar-10-batches-py")
        found["cifar-10"] = {CIFAR: stream.getvalue()}
    return found


def offer(monkeypatch: pytest.MonkeyPatch, name: str, files: dict[str, bytes], *urls: str) -> None:
    """Have torchvision's class name these archives, at these addresses."""
    sums = {file: hashlib.md5(body).hexdigest() for file, body in files.items()}
    if name == "cifar-10":
        monkeypatch.setattr(SETS[name], "url", urls[0] + CIFAR)
        monkeypatch.setattr(SETS[name], "tgz_md5", sums[CIFAR])
    else:
        monkeypatch.setattr(SETS[name], "mirrors", list(urls))
        monkeypatch.setattr(SETS[name], "resources", list(sums.items()))


@pytest.mark.parametrize("name", ["mnist", "cifar-10"])
@pytest.mark.parametrize("behaviour", BAD_ANSWERS)
def test_a_server_that_misbehaves_is_given_up_and_leaves_nothing(
    behaviour: str,
    name: str,
    packed: dict[str, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    answer, reason = BAD_ANSWERS[behaviour]
    with Server(packed[name], answer) as server:
        offer(monkeypatch, name, packed[name], server.url)
        data = load(name, tmp_path)
    assert "embedded digits" in data.source
    notice = capsys.readouterr().out
    assert f"there is no file {tmp_path}" in notice
    assert "the download failed: " in notice
    assert reason in notice
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("first", [refuses(429), refuses(503), is_silent, hangs_up_midway])
def test_a_server_that_was_busy_is_asked_once_more(
    name: str,
    first: Answer,
    packed: dict[str, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Server(packed[name], first, sends) as server:
        offer(monkeypatch, name, packed[name], server.url)
        assert "differs from the published" in load(name, tmp_path).source
    assert server.asked == 1 + len(packed[name])


def test_where_one_mirror_fails_the_next_is_asked(
    packed: dict[str, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(packed["mnist"], refuses(404)) as bad, Server(packed["mnist"], sends) as good:
        offer(monkeypatch, "mnist", packed["mnist"], bad.url, good.url)
        assert "embedded" not in load("mnist", tmp_path).source


@pytest.mark.parametrize("redirected", ["/elsewhere/", "//127.0.0.1:{port}/"])
def test_a_redirection_that_leads_there_is_followed(
    redirected: str,
    packed: dict[str, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with Server(packed["cifar-10"], sends) as server:
        target = redirected.format(port=server.http.server_port) + CIFAR
        server.answers = [redirects(target), sends]
        offer(monkeypatch, "cifar-10", packed["cifar-10"], server.url)
        assert "embedded" not in load("cifar-10", tmp_path).source


# ---------------------------------------------------------------------------- archives


@pytest.mark.parametrize("name", SETS)
@pytest.mark.parametrize("place", ["folder", "above", "root"])
def test_official_archives_that_lie_here_are_unpacked_without_a_network(
    place: str,
    name: str,
    packed: dict[str, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    folder = tmp_path / (finding.PUBLISHED[name].folder)
    where = {"folder": folder, "above": folder.parent, "root": tmp_path}[place]
    where.mkdir(parents=True, exist_ok=True)
    for file, body in packed[name].items():
        (where / file).write_bytes(body)
    offer(monkeypatch, name, packed[name], "http://127.0.0.1:1/")
    monkeypatch.setenv("LENET_DATA", str(tmp_path))
    assert "embedded" not in load(name).source


def test_archives_of_another_data_set_that_lie_here_are_not_taken(
    packed: dict[str, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """MNIST and Fashion-MNIST name theirs alike."""
    for file, body in packed["mnist"].items():
        (tmp_path / file).write_bytes(gzip.compress(body))
    offer(monkeypatch, "fashion-mnist", packed["fashion-mnist"], "http://127.0.0.1:1/")
    assert "embedded" in load("fashion-mnist", tmp_path).source
    assert "and the download failed" in capsys.readouterr().out


def tar_of(*members: tuple[str, bytes, str]) -> bytes:
    """Make a packed archive of members: name, type, where it links to."""
    with io.BytesIO() as stream:
        with tarfile.open(fileobj=stream, mode="w:gz") as tar:
            for name, kind, target in members:
                member = tarfile.TarInfo(name)
                member.type, member.linkname = kind, target
                member.size = 4 if kind == tarfile.REGTYPE else 0
                tar.addfile(member, io.BytesIO(b"evil"))
        return stream.getvalue()


HOSTILE = {
    "a path that climbs": tar_of(("../../evil", tarfile.REGTYPE, "")),
    "an absolute path": tar_of(("/tmp/evil-of-a-tar", tarfile.REGTYPE, "")),
    "a link that leads out": tar_of(("data_batch_1", tarfile.SYMTYPE, "/etc/passwd")),
    "a hard link": tar_of(("data_batch_1", tarfile.LNKTYPE, "/etc/passwd")),
    "a pipe": tar_of(("data_batch_1", tarfile.FIFOTYPE, "")),
    "a device": tar_of(("data_batch_1", tarfile.CHRTYPE, "")),
    "a folder": tar_of(("data_batch_1", tarfile.DIRTYPE, "")),
    "a known name that climbs": tar_of(("../../batches.meta", tarfile.REGTYPE, "")),
    "no member": tar_of(),
    "no archive": b"no archive",
    "half an archive": gzip.compress(tar_of())[:20],
    "nothing": b"",
}


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_archive_writes_nothing_elsewhere(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if its checksum were the published one."""
    root = tmp_path / "outer" / "root"
    root.mkdir(parents=True)
    files = {CIFAR: HOSTILE[kind]}
    with Server(files, sends) as server:
        offer(monkeypatch, "cifar-10", files, server.url)
        assert "embedded" in load("cifar-10", root).source
    written = [path for path in tmp_path.rglob("*") if not path.is_dir()]
    assert all(path.is_file() and path.name == "batches.meta" for path in written)
    assert all(root / "cifar-10-batches-py" in path.parents for path in written)
    assert not Path("/tmp/evil-of-a-tar").exists()


@pytest.mark.parametrize("kind", ["no archive", "cut", "flipped", "nothing"])
def test_a_damaged_archive_is_told(
    kind: str,
    packed: dict[str, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Even if its checksum were the published one."""
    files = dict(packed["mnist"])
    name, body = next(iter(files.items()))
    flipped = body[:100] + bytes([body[100] ^ 255]) + body[101:]
    files[name] = {"no archive": b"text", "cut": body[:-20], "flipped": flipped, "nothing": b""}[
        kind
    ]
    with Server(files, sends) as server:
        offer(monkeypatch, "mnist", files, server.url)
        if kind == "nothing":
            with pytest.raises(DataError, match="does not begin like an IDX file"):
                load("mnist", tmp_path)
            return
        assert "embedded" in load("mnist", tmp_path).source
    assert "the download failed" in capsys.readouterr().out


# ---------------------------------------------------------------------------- this machine


@pytest.mark.parametrize("thing", ["folder", "dangling link", "pipe"])
def test_what_stands_in_a_files_place_is_named(
    thing: str,
    packed: dict[str, dict[str, bytes]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    write_idx(tmp_path, "mnist")
    place = tmp_path / FOLDERS["mnist"] / "t10k-labels-idx1-ubyte"
    place.unlink()
    if thing == "folder":
        place.mkdir()
    elif thing == "pipe":
        os.mkfifo(place)
    else:
        place.symlink_to("/nowhere/at/all")
    with Server(packed["mnist"], sends) as server:
        offer(monkeypatch, "mnist", packed["mnist"], server.url)
        assert "embedded" in load("mnist", tmp_path).source
    assert f"there is no file {place}, and" in capsys.readouterr().out


def test_a_root_that_cannot_be_written_is_told(
    packed: dict[str, dict[str, bytes]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with Server(packed["mnist"], sends) as server:
        offer(monkeypatch, "mnist", packed["mnist"], server.url)
        assert "embedded" in load("mnist", "/proc").source
    assert "the download failed" in capsys.readouterr().out


def test_what_is_required_is_refused_with_the_reason(
    packed: dict[str, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LENET_REQUIRE_REAL", "1")
    with Server(packed["mnist"], refuses(404)) as server:
        offer(monkeypatch, "mnist", packed["mnist"], server.url)
        with pytest.raises(DataError, match=r"required .*, but there is no file .*Error 404"):
            load("mnist", tmp_path)


def test_four_that_download_at_once_find_whole_files(
    packed: dict[str, dict[str, bytes]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Server(packed["mnist"], sends) as server, ThreadPoolExecutor(4) as pool:
        offer(monkeypatch, "mnist", packed["mnist"], server.url)
        sources = [data.source for data in pool.map(load, ["mnist"] * 4, [tmp_path] * 4)]
    assert not any("embedded" in source for source in sources)
    assert sorted(path.name for path in (tmp_path / FOLDERS["mnist"]).iterdir()) == sorted(
        name.removesuffix(".gz") for name in packed["mnist"]
    )


WAITING = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # which a shell's background leaves out
from torchvision import datasets
from lenet.data import load
datasets.MNIST.mirrors = [sys.argv[1]]
load("mnist", sys.argv[2])
"""


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(signal.SIGINT, marks=pytest.mark.slow),
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        signal.SIGKILL,
    ],
)
def test_whoever_is_ended_amid_a_download_leaves_nothing(
    sent: signal.Signals, packed: dict[str, dict[str, bytes]], tmp_path: Path
) -> None:
    begun = threading.Event()

    def begins(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        begun.set()
        never_ends_slowly(handler)

    with Server(packed["mnist"], begins) as server:
        command = [sys.executable, "-c", WAITING, server.url, str(tmp_path)]
        environment = {name: v for name, v in os.environ.items() if name != "LENET_OFFLINE"}
        process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
        assert begun.wait(300)
        process.send_signal(sent)
        assert process.wait() != 0
    assert list(tmp_path.iterdir()) == []


def never_ends_slowly(handler: BaseHTTPRequestHandler) -> None:
    handler.send_response(200)
    handler.end_headers()
    while not handler.released.wait(0.01):
        handler.wfile.write(bytes(10_000))
        handler.wfile.flush()
