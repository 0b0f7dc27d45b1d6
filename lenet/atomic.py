"""Files that are whole or not there: written beside their final name, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
from pathlib import Path


def write_atomically(path: str | Path, content: bytes) -> None:
    """Write a file so that every reader finds it whole: as it was before, or as it is now.

    The bytes go to ``NAME.part`` in the same folder and from there to the disk before the file
    gets its name, so that neither a killed process nor a power cut leaves half a file.

    Raises:
        OSError: It cannot be written: the disk is full, or the folder is missing or protected.
            What was there before is untouched, and nothing else is left behind.
    """
    path = Path(path).resolve()  # a link goes on pointing to the file
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        part.replace(path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            part.unlink()
        if isinstance(error, OSError):
            why = f"cannot write the file ({error.strerror}); what was there before is untouched"
            raise OSError(error.errno, why, str(path)) from error
        raise
    _store_name(path.parent)


def check_writable(path: str | Path) -> None:
    """Find out now whether `write_atomically` could write a file later.

    Raises:
        OSError: The folder is missing or protected, or the path is that of a folder.
    """
    path = Path(path).resolve()
    part = path.with_name(f"{path.name}.part")
    try:
        if path.is_dir():
            raise OSError(errno.EISDIR, "a folder is there")
        part.touch()
        part.unlink()
    except OSError as error:
        raise OSError(
            error.errno, f"cannot write the file ({error.strerror})", str(path)
        ) from error


def _store_name(folder: Path) -> None:
    """Bring a renaming to the disk; Windows, which cannot open folders, needs and has no such."""
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
