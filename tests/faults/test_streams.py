"""Commands whose output goes to odd places, and commands that somebody ends."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys

import pytest

from lenet import __main__ as command_line

SHAPES = ["shapes", "NarrowLeNet", "--input", "1x28x28"]
FAILING = ["shapes", "NarrowLeNet", "--input", "1x27x27"]
ENCODINGS = ("ascii", "cp1252", "cp437", "latin-1", "utf-8", "utf-16", "koi8-r", "shift_jis")


@pytest.fixture(autouse=True)
def _signals() -> object:
    before = {each: signal.getsignal(each) for each in (signal.SIGTERM, signal.SIGINT)}
    yield
    for each, handler in before.items():
        signal.signal(each, handler)


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> int:
    monkeypatch.setattr(sys, "argv", ["lenet", *words])
    return command_line.run()


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize("form", ["text", "markdown", "json"])
def test_every_encoding_of_the_output_is_written(
    encoding: str, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    written = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(written, encoding=encoding))
    assert run(monkeypatch, *SHAPES, "--format", form) == 0
    text = written.getvalue().decode(encoding)
    assert "conv1" in text
    assert "32998" in text.replace(",", "")


@pytest.mark.parametrize("closed", [("stdout",), ("stderr",), ("stdout", "stderr")])
@pytest.mark.parametrize(("words", "status"), [(SHAPES, 0), (FAILING, 1)])
def test_closed_streams_end_no_command(
    words: list[str], status: int, closed: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("stdout", "stderr"):
        stream = None if name in closed else io.TextIOWrapper(io.BytesIO())
        monkeypatch.setattr(sys, name, stream)
    assert run(monkeypatch, *words) == status


@pytest.mark.parametrize(
    ("shell", "expected"),
    [
        ("> /dev/full", "the output cannot be written: No space left on device\n"),
        ("| head -1", ""),
        (">&- 2>&-", ""),
    ],
)
def test_a_shell_that_takes_no_more_is_told_so_in_one_line(shell: str, expected: str) -> None:
    words = [sys.executable, "-m", "lenet", *SHAPES]
    done = subprocess.run(
        ["sh", "-c", f'"$@" {shell}', "sh", *words],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert done.stderr == expected


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM])
def test_whoever_ends_a_command_reads_one_line(
    sent: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_line, "_parser", lambda chosen: os.kill(os.getpid(), sent))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO()))
    stderr = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stderr", stderr)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert run(monkeypatch, *SHAPES) == 1
    stderr.seek(0)
    assert stderr.read() == "Stopped.\n"
