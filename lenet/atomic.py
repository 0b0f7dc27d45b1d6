"""Files that are whole or not there: written beside their final name, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import time
from collections.abc import Iterator
from pathlib import Path

PARTS = ".lenet-*.part"  # what is being written, in the folder of the file that it becomes
DAY = 86_400  # seconds after which a part is what a killed process has left
NO_FSYNC = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP}  # some network and memory file systems
NO_FILE = "a device or pipe is there, no regular file"
PATIENCE = 2.0  # seconds in which a system that holds the old file open may let it go


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write a file so that every reader finds it whole: as it was before, or as it is now.

    The bytes go to a new file of its own name in the same folder and from there to the disk before
    it gets its final name, so that neither a killed process, a power cut nor another writer leaves
    half a file.

    Raises:
        OSError: It cannot be written: the disk is full, the folder is missing or protected, or
            what is there is no regular file. What was there before is untouched, and nothing else
            is left behind.
    """
    target, part = _places(path)
    with _told_of(path, "; what was there before is untouched"):
        try:
            with part.open("xb") as stream:
                stream.write(content)
                stream.flush()
                _store(stream.fileno())
            _replace(part, target)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
    with contextlib.suppress(OSError):  # the file is there, whatever becomes of the folder's entry
        _store_name(target.parent)


def is_device(path: Path) -> bool:
    """Tell whether a pipe or device is there: whoever reads it might wait for ever."""
    return path.exists() and not (path.is_file() or path.is_dir())


def read_whole(path: str | Path) -> bytes:
    """Read a file.

    Raises:
        OSError: It cannot be read, or is no regular file.
    """
    path = Path(path)
    if is_device(path):
        raise OSError(errno.EINVAL, NO_FILE, str(path))
    return path.read_bytes()


def check_writable(path: str | Path) -> None:
    """Find out now whether `write_atomically` could write a file later.

    Raises:
        OSError: As there.
    """
    _, part = _places(path)
    with _told_of(path):
        part.touch(exist_ok=False)
        part.unlink()


def _store(descriptor: int) -> None:
    """Have a file's bytes written to the disk, where the file system can."""
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in NO_FSYNC:  # a full or failing disk may be noticed only here
            raise


def _places(path: str | Path) -> tuple[Path, Path]:
    """Where a file is to be, links followed, and where it is written first.

    Raises:
        OSError: Something else than a regular file is there.
    """
    target = Path(os.path.realpath(path))  # a link goes on pointing to the file
    with _told_of(path), contextlib.suppress(FileNotFoundError):  # another writer has cleaned up
        if target.is_dir():
            raise OSError(errno.EISDIR, "a folder is there")
        if target.is_symlink():
            raise OSError(errno.ELOOP, "the links to it lead in a circle")
        if is_device(target):
            raise OSError(errno.EINVAL, NO_FILE)
        for left in target.parent.glob(PARTS):
            if time.time() - left.stat().st_mtime > DAY:
                left.unlink()
    return target, target.with_name(PARTS.replace("*", secrets.token_hex(8)))


@contextlib.contextmanager
def _told_of(path: str | Path, more: str = "") -> Iterator[None]:
    """Say of an error which file cannot be written, and why."""
    try:
        yield
    except OSError as error:
        why = f"cannot write the file ({error.strerror}){more}"
        raise OSError(error.errno, why, str(path)) from error


def _replace(part: Path, path: Path) -> None:
    """Rename; Windows refuses for as long as a reader or a scanner holds the old file open."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            part.replace(path)
            return
        except PermissionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _store_name(folder: Path) -> None:
    """Bring a renaming to the disk; Windows, which cannot open folders, needs and has no such."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
