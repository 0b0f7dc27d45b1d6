"""A file is written whole or not at all."""

from __future__ import annotations

import errno
import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from lenet.atomic import check_writable, write_atomically


def test_a_file_is_made_and_replaced(tmp_path):
    path = tmp_path / "file"
    for content in (b"first", b"second, longer", b""):
        write_atomically(path, content)
        assert path.read_bytes() == content
        assert list(tmp_path.iterdir()) == [path]


def test_what_a_killed_write_left_is_taken_away_a_day_later(tmp_path):
    """Earlier it may be what another process is writing."""
    path, old, young = (tmp_path / name for name in ("file", ".lenet-1.part", ".lenet-2.part"))
    for part in (old, young):
        part.write_bytes(b"half")
    os.utime(old, (0, 0))
    write_atomically(path, b"whole")
    assert path.read_bytes() == b"whole"
    assert sorted(tmp_path.iterdir()) == [young, path]


def write_often(path: Path, letter: bytes, times: int) -> None:
    for _ in range(times):
        write_atomically(path, letter * 100_000)


def read_often(path: Path, times: int) -> None:
    for _ in range(times):
        content = path.read_bytes()
        assert content == content[:1] * 100_000


def test_four_writers_and_four_readers_of_one_file(tmp_path):
    """10,000 reads, each of them whole."""
    path = tmp_path / "file"
    write_atomically(path, b"a" * 100_000)
    context = multiprocessing.get_context("fork")
    work = [(write_often, path, letter, 100) for letter in (b"b", b"c", b"d", b"e")]
    work += [(read_often, path, 2_500)] * 4
    processes = [context.Process(target=target, args=args) for target, *args in work]
    for process in processes:
        process.start()
    for process in processes:
        process.join()
    assert [process.exitcode for process in processes] == [0] * 8
    assert list(tmp_path.iterdir()) == [path]


def test_a_file_that_is_held_open_for_a_moment_is_replaced_then(tmp_path, monkeypatch):
    """As on Windows, where a reader or a scanner keeps a file from being replaced."""
    path = tmp_path / "file"
    path.write_bytes(b"before")
    refusals = [PermissionError(errno.EACCES, "held open")] * 3
    replace = Path.replace

    def refusing(part, target):
        if refusals:
            raise refusals.pop()
        return replace(part, target)

    monkeypatch.setattr(Path, "replace", refusing)
    write_atomically(path, b"after")
    assert path.read_bytes() == b"after"
    assert not refusals


def test_a_disk_without_fsync_is_written_all_the_same(tmp_path, monkeypatch):
    path = tmp_path / "file"

    def refused(descriptor):
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", refused)
    write_atomically(path, b"content")
    assert path.read_bytes() == b"content"


def test_what_is_no_regular_file_is_left_alone(tmp_path):
    pipe, link, loop = (tmp_path / name for name in ("pipe", "link", "loop"))
    os.mkfifo(pipe)
    link.symlink_to("/dev/null")
    loop.symlink_to(loop)
    for path, reason in ((pipe, "device or pipe"), (link, "device or pipe"), (loop, "circle")):
        for write in (lambda path: write_atomically(path, b""), check_writable):
            with pytest.raises(OSError, match=f"cannot write the file.*{reason}"):
                write(path)
    assert pipe.is_fifo()
    assert link.is_symlink()
    assert loop.is_symlink()
    assert Path("/dev/null").is_char_device()
    assert sorted(tmp_path.iterdir()) == [link, loop, pipe]


def test_the_longest_name_can_be_written(tmp_path):
    path = tmp_path / ("n" * 255)
    write_atomically(path, b"content")
    assert path.read_bytes() == b"content"


def test_a_link_goes_on_pointing_to_its_file(tmp_path):
    file, link = tmp_path / "file", tmp_path / "link"
    file.write_bytes(b"before")
    link.symlink_to(file)
    write_atomically(link, b"after")
    assert link.is_symlink()
    assert file.read_bytes() == b"after"


def test_a_disk_that_fills_up_leaves_the_file_as_it_was(tmp_path):
    """The limit on the size of a file fails where a full disk does: amid the writing."""
    path = tmp_path / "file"
    path.write_bytes(b"before")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        with pytest.raises(OSError, match="what was there before is untouched") as caught:
            write_atomically(path, bytes(5000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, ignored)
    assert caught.value.errno == errno.EFBIG
    assert str(path) in str(caught.value)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


FULL_DISK = """
mount -t tmpfs -o size=64k tmpfs "$0" || exit 77
exec "$1" -c "
import sys
from pathlib import Path
from lenet.atomic import write_atomically
path = Path(sys.argv[1]) / 'file'
write_atomically(path, b'before')
try:
    write_atomically(path, bytes(100_000))
except OSError as error:
    print(error)
assert path.read_bytes() == b'before' and list(path.parent.iterdir()) == [path]
" "$0"
"""


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path):
    """A real one, of 64 kB, where this machine lets us mount it."""
    command = ["unshare", "--map-root-user", "--mount", "sh", "-c", FULL_DISK]
    try:
        done = subprocess.run(
            [*command, tmp_path, sys.executable], capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        pytest.skip("there is no unshare here")
    if done.returncode == 77 or "unshare failed" in done.stderr:
        pytest.skip(f"no disk can be mounted here: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    assert "No space left on device); what was there before is untouched" in done.stdout


def test_a_protected_folder_is_named():
    """As another user where the tests run as root, to whom nothing is protected."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        path = folder / "file"
        path.write_bytes(b"before")
        folder.chmod(0o555)
        if os.geteuid() == 0:
            os.seteuid(65534)
        try:
            for write in (lambda: write_atomically(path, b"after"), lambda: check_writable(path)):
                with pytest.raises(PermissionError, match=f"cannot write the file.*{name}"):
                    write()
            assert path.read_bytes() == b"before"
            assert list(folder.iterdir()) == [path]
        finally:
            os.seteuid(os.getuid())
            folder.chmod(0o755)


def test_a_folder_that_is_missing_is_named(tmp_path):
    path = tmp_path / "nowhere" / "file"
    for write in (lambda: write_atomically(path, b"content"), lambda: check_writable(path)):
        with pytest.raises(FileNotFoundError, match="nowhere"):
            write()


def test_a_folder_is_no_file(tmp_path):
    for write in (lambda: write_atomically(tmp_path, b""), lambda: check_writable(tmp_path)):
        with pytest.raises(IsADirectoryError, match="cannot write the file"):
            write()


def test_checking_changes_nothing(tmp_path):
    path = tmp_path / "file"
    check_writable(path)
    assert list(tmp_path.iterdir()) == []
    path.write_bytes(b"before")
    check_writable(path)
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]


def test_an_interrupted_write_leaves_the_file_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "file"
    path.write_bytes(b"before")

    def interrupted(descriptor):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, b"after")
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
