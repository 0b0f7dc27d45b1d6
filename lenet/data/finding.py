"""Where images come from: the real data sets on this machine, a download, or the embedded digits.

Real data lies under one root: the folder named by the environment variable ``LENET_DATA``, else a
per-user cache folder. What is there is used, also in the archives in which it is published; what is
missing is downloaded there; where that is impossible the embedded digits take its place, with a
notice. ``LENET_OFFLINE=1`` asks for the embedded digits outright, ``LENET_REQUIRE_REAL=1`` refuses
them.

A folder of your own pictures (`lenet.data.folders`) takes the place of a data set's name anywhere.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import tarfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from http.client import HTTPException
from io import BytesIO
from pathlib import Path
from typing import IO
from urllib.request import Request, urlopen

import platformdirs
from tqdm.auto import tqdm

from lenet.atomic import check_writable, write_atomically
from lenet.data.folders import PictureFolder, find_pictures
from lenet.data.in_memory import DataError, InMemoryDataset, Transform, embedded_digits
from lenet.data.published_files import DIGITS, PUBLISHED, Archive, Published

NETWORK_TIMEOUT = 10  # seconds without an answer before a download is given up
SLOWEST = 10_000  # bytes per second below which it is given up too
MOST_BYTES = 200_000_000  # of an archive or of a file in it; CIFAR-10's has 170 million
CHUNK = 1_000_000  # bytes
AGENT = {"User-Agent": "lenet"}


@dataclass(frozen=True)
class Source:
    """Where the images of one data set come from, and how to open them.

    Attributes:
        name: The name it was asked for by, such as ``"fashion-mnist"``.
        root: The folder that holds the real files, or None for the embedded digits.
        differing: Whether a file's checksum is not the published one.
    """

    name: str
    root: Path | None
    differing: bool = False

    def __str__(self) -> str:
        title = PUBLISHED[self.name].title
        if self.root is None:
            return f"embedded digits (scikit-learn) in place of {title}"
        if self.differing:
            return f"a copy of {title} that differs from the published files"
        return f"{title}, the published files"

    def open(self, train: bool, transform: Transform | None = None) -> InMemoryDataset:
        """Open the training or the test images.

        Raises:
            DataError: A file is damaged.
        """
        published = PUBLISHED[self.name]
        if self.root is None:
            content = *embedded_digits(train, coloured=self.name == "cifar-10"), DIGITS
        else:
            content = published.read(self.root / published.folder, train)
        return InMemoryDataset(str(self), *content, transform)


def find(
    name: str | os.PathLike[str],
    root: str | os.PathLike[str] | None = None,
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
) -> Source | PictureFolder:
    """Find a data set: on this machine, else by download, else the embedded digits.

    The arguments are those of `lenet.data.load`. A `pathlib.Path` is always taken for a folder, a
    text that is the name of a published data set never.

    Raises:
        ValueError: There is no data set and no folder of this name, or `size` or `channels` are
            given for one of the three, which have their own.
        DataError: The folder does not exist or cannot be used, or ``LENET_REQUIRE_REAL=1`` and only
            the embedded digits are to be had.
    """
    if isinstance(name, str) and name in PUBLISHED:
        if size is not None or channels is not None:
            raise ValueError(f"size and channels are for your own pictures; {name} has its own")
        return _find_published(name, None if root is None else expanded(root))
    folder = expanded(name)
    if not folder.is_dir():
        raise ValueError(
            f"unknown data set {str(name)!r}: choose one of {', '.join(PUBLISHED)}, or the path "
            "of a folder that holds a folder of pictures for each class (there is none there)"
        )
    return find_pictures(folder, size, channels)


def _find_published(name: str, root: Path | None) -> Source:
    published = PUBLISHED[name]
    if _is_on("LENET_OFFLINE"):
        return _embedded(name, "LENET_OFFLINE=1 asks for them")
    folder = data_root() if root is None else _existing(root, "the root")
    files = published.files(folder)
    missing = [file for file in files if not file.is_file()]
    failure = _supply(published, folder, missing) if missing else None
    if failure:
        why = f"there is no file {missing[0]}, and the download failed: {failure}"
        return _embedded(name, why)
    source = Source(name, folder, any(_md5(file) != published.md5[file.name] for file in files))
    if source.differing:
        _notice(f"Using {source} (another checksum). Results may differ a little.")
    return source


def _is_on(switch: str) -> bool:
    """Read a switch of the environment, as people write them."""
    value = os.environ.get(switch, "").strip().lower()
    if value in ("1", "true", "yes", "on"):
        return True
    if value in ("", "0", "false", "no", "off"):
        return False
    raise DataError(f"{switch} is {value!r}; set it to 1 or 0, or leave it out")


def expanded(name: str | os.PathLike[str]) -> Path:
    """Return a path with ``~`` spelt out, where it stands for somebody."""
    return Path(os.path.expanduser(name))  # noqa: PTH111 - pathlib raises for a stranger


def data_root() -> Path:
    """Return the folder that holds the real data sets: ``LENET_DATA``, else the user's cache.

    Raises:
        DataError: ``LENET_DATA`` names a folder that does not exist.
    """
    chosen = os.environ.get("LENET_DATA")
    if chosen:
        return _existing(expanded(chosen), "LENET_DATA")
    return Path(platformdirs.user_cache_dir("lenet", appauthor=False))


def _existing(folder: Path, what: str) -> Path:
    if not folder.is_dir():
        raise DataError(
            f"{what} is {str(folder)!r}, which is not a folder. Create it to download data there, "
            "name another, or leave it out to use the cache folder of your user."
        )
    return folder


def _embedded(name: str, reason: str) -> Source:
    source = Source(name, None)
    if _is_on("LENET_REQUIRE_REAL"):
        raise DataError(
            f"the real {PUBLISHED[name].title} is required (LENET_REQUIRE_REAL=1), but {reason}. "
            "Set LENET_DATA to a folder that holds it."
        )
    _notice(f"Using {source}, because {reason}.\nResults will differ from those on the real data.")
    return source


@cache
def _notice(text: str) -> None:
    """Print a notice, once per process and text. Standard output is seen in every notebook."""
    print(f"Notice: {text}")


# ---------------------------------------------------------------------------- downloading


def _supply(published: Published, root: Path, missing: Sequence[Path]) -> str | None:
    """Unpack what is missing, from archives that lie here or are downloaded; or say why not.

    torchvision's own download knows no limit of time or size, and Pooch knows neither; both could
    check no more than the MD5 that torchvision publishes. Hence this one. Archives are kept in
    memory, so that no process that is ended leaves one behind; nothing is unpacked before all are
    there; and of what an archive holds, only files that are missing are written.
    """
    try:
        root.mkdir(parents=True, exist_ok=True)
        archives = published.archives(missing)
        check_writable(root / archives[0].name)  # before much is downloaded
        packed = [_packed(archive, root / published.folder, root) for archive in archives]
        for archive, stream in zip(archives, packed, strict=True):
            _unpack(archive, stream, missing)
    except Exception as error:  # a server or an archive that misbehaves can raise almost anything
        return str(error) or type(error).__name__
    lacking = [file.name for file in missing if not file.is_file()]
    return f"the archive lacks {', '.join(lacking)}" if lacking else None


def _packed(archive: Archive, folder: Path, root: Path) -> IO[bytes]:
    """Read an archive that lies in a usual place and is whole, else download it."""
    passed_over = ""
    for here in (place / archive.name for place in (folder, folder.parent, root)):
        if here.is_file():
            if _md5(here) == archive.md5:
                return BytesIO(here.read_bytes())
            passed_over = f" ({here} is not the published archive: its checksum is another)"
    for url in (*archive.urls, archive.urls[0]):  # a busy server is asked once more
        try:
            return _download(url, archive.md5)
        except (OSError, ValueError, HTTPException) as error:
            failure = f"{error or type(error).__name__}{passed_over}"
    raise OSError(failure)


def _download(url: str, md5: str) -> IO[bytes]:
    """Return what a server sends.

    Raises:
        OSError, ValueError, HTTPException: It sends nothing, too much, too slowly, or something
            else than the published archive.
    """
    start, received = time.monotonic(), BytesIO()
    with (
        urlopen(Request(url, headers=AGENT), timeout=NETWORK_TIMEOUT) as answer,
        tqdm(desc=url, total=answer.length, unit="B", unit_scale=True, leave=False) as bar,
    ):
        while chunk := answer.read1(CHUNK):
            bar.update(received.write(chunk))
            if received.tell() > MOST_BYTES:
                raise OSError(f"{url} sends more than {MOST_BYTES:,} bytes")
            if (time.monotonic() - start - NETWORK_TIMEOUT) * SLOWEST > received.tell():
                raise OSError(f"{url} sends less than {SLOWEST:,} bytes per second")
    if hashlib.md5(received.getbuffer()).hexdigest() != md5:
        raise OSError(f"{url} does not send the published archive: its checksum is another")
    received.seek(0)
    return received


def _unpack(archive: Archive, stream: IO[bytes], missing: Sequence[Path]) -> None:
    """Write those files of an archive that are missing, each whole or not at all."""
    places = {file.name: file for file in missing}
    for name, read in _contents(archive, stream):
        if name in places:
            places[name].parent.mkdir(parents=True, exist_ok=True)
            write_atomically(places[name], read(MOST_BYTES))


def _contents(archive: Archive, stream: IO[bytes]) -> Iterator[tuple[str, Callable[[int], bytes]]]:
    """Yield the name of every regular file in an archive, and what reads it."""
    if ".tar" not in archive.name:
        yield archive.name.removesuffix(".gz"), gzip.GzipFile(fileobj=stream).read
        return
    with tarfile.open(fileobj=stream) as tar:
        for member in tar:
            found = tar.extractfile(member) if member.isfile() else None
            if found is not None:
                yield Path(member.name).name, found.read


def _md5(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "md5").hexdigest()
