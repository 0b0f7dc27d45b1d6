"""Your own pictures as a data set: a folder for each class.

There are two ways to lay them out::

    animals/cat/one.jpg         animals/train/cat/one.jpg
    animals/cat/two.png         animals/test/cat/two.png
    animals/dog/three.jpg       animals/train/dog/three.jpg   ...

On the left the folders of the classes lie side by side: a fifth of each class becomes the test
set, drawn with a fixed seed. On the right they are divided already; Train/ and Validation/ or other
usual names will do, and where there is a folder for testing, one for validation is left alone. The
folders' names are the names of the classes, in alphabetical order, as in torchvision's
`ImageFolder`.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from tqdm.auto import tqdm

from lenet import checks
from lenet.data.in_memory import DataError, InMemoryDataset, Transform
from lenet.data.picture_files import fit, is_grey, read_picture

IMAGE_KINDS = "jpg jpeg png ppm bmp pgm tif tiff webp gif avif"  # torchvision's, and two more
EXTENSIONS = tuple(f".{kind}" for kind in IMAGE_KINDS.split())
TEST_SHARE = 0.2
SPLIT_SEED = 0
TRAINING = ("train", "training")  # names, in any case, of the folders of pictures to learn from
JUDGING = ("test", "testing", "val", "valid", "validation", "dev", "eval")  # best first
GREY_SIZE = (28, 28)  # what the book's networks for grey pictures take
COLOUR_SIZE = (32, 32)  # and those for colour
LARGEST_SIDE = 4096  # pixels; all pictures lie in memory

Example = tuple[Path, int]  # a file and the number of its class


@dataclass(frozen=True)
class PictureFolder:
    """A folder of pictures that is ready to be opened.

    Attributes:
        root: The folder.
        classes: The names of the classes.
        train: Files to learn from, with their class numbers.
        test: Files to judge by.
        divided: Whether the folder itself says which are which.
        channels: 1 for grey, 3 for colour.
        size: Height and width in pixels, to which every picture is brought.
    """

    root: Path
    classes: tuple[str, ...]
    train: tuple[Example, ...]
    test: tuple[Example, ...]
    divided: bool
    channels: int
    size: tuple[int, int]

    def __str__(self) -> str:
        height, width = self.size
        colour = "grey" if self.channels == 1 else "colour"
        split = (
            "train/ and test/ as they are"
            if self.divided
            else f"{TEST_SHARE:.0%} of every class drawn for testing with seed {SPLIT_SEED}"
        )
        return f"pictures in {self.root}, {split}; brought to {height}×{width} in {colour}"

    def open(self, train: bool, transform: Transform | None = None) -> InMemoryDataset:
        """Read the training or the test pictures.

        Raises:
            DataError: A file is no picture or damaged; the message names it.
        """
        files, targets = zip(*(self.train if train else self.test), strict=True)
        name = f"{self.root.name} ({'training' if train else 'test'} pictures)"
        shown = _shown(files, f"Reading {name}")
        read = [np.asarray(fit(read_picture(file), self.channels, self.size)) for file in shown]
        return InMemoryDataset(str(self), np.stack(read), targets, self.classes, transform, files)


def find_pictures(
    root: Path, size: tuple[int, int] | None = None, channels: int | None = None
) -> PictureFolder:
    """Look through a folder that holds a folder of pictures for each class.

    Args:
        root: The folder; see this module's description for how it is laid out.
        size: Height and width to which every picture is brought, its proportions kept and its
            centre cut out. By default 28×28 for grey pictures and 32×32 for colour.
        channels: 1 for grey or 3 for colour; by default grey if no picture has any colour.

    Raises:
        ValueError: `size` or `channels` make no sense.
        DataError: There are no pictures, fewer than two classes or too few pictures of one, or
            the folders of train/ and test/ do not fit together. The message names what is wrong.
    """
    if channels is not None and (channels not in (1, 3) or isinstance(channels, bool)):
        raise ValueError(f"channels must be 1 (grey) or 3 (colour), not {channels}")
    if size is not None:
        checks.sizes("size", size, "height and width, such as (28, 28)", 2, LARGEST_SIDE)
    folders = _divided(root)
    by_class = [_by_class(folder) for folder in folders] or _split(_by_class(root))
    differing = by_class[0].keys() ^ by_class[1].keys()
    if differing:
        raise DataError(
            f"the folders for training and testing in {root} must hold a folder for the same "
            f"classes; only one of them has: {', '.join(sorted(differing))}"
        )
    train, test = (
        tuple((file, label) for label, files in enumerate(part.values()) for file in files)
        for part in by_class
    )
    if channels is None:
        files = _shown([file for file, _ in train + test], "Looking for colour")
        channels = 1 if all(is_grey(read_picture(file)) for file in files) else 3
    size = size or (GREY_SIZE if channels == 1 else COLOUR_SIZE)
    return PictureFolder(root, tuple(by_class[0]), train, test, bool(folders), channels, size)


def _divided(root: Path) -> list[Path]:
    """Return the folders for training and testing, if there are both; say what is left alone."""
    folders = [path for path in _visible(root) if path.is_dir()]
    train, test = (
        next((path for name in names for path in folders if path.name.lower() == name), None)
        for names in (TRAINING, JUDGING)
    )
    if train is None or test is None:
        return []
    left = [path.name for path in folders if path not in (train, test)]
    if left:
        print(f"Notice: {root}: {train.name}/ and {test.name}/ are used, not {', '.join(left)}")
    return [train, test]


def _by_class(root: Path) -> dict[str, list[Path]]:
    """Return the files of every class in a folder, by the class's name."""
    classes = [path.name for path in _visible(root) if path.is_dir()]
    loose = sum(path.suffix.lower() in EXTENSIONS for path in _visible(root))
    if len(classes) < 2:
        raise DataError(
            f"{root} must hold a folder of pictures for each of at least two classes; it has "
            f"{'one folder: ' + classes[0] if classes else 'no folder'}. "
            + (
                f"The {loose} pictures beside it belong into folders named like their class."
                if loose
                else "Make a folder for each class, named like it, and put its pictures there."
            )
        )
    if loose:
        print(f"Notice: {root}: {loose} pictures lie in no class's folder and are not used")
    found = {name: _pictures(root / name) for name in classes}
    empty = [name for name, files in found.items() if not files]
    if empty:
        raise DataError(
            f"{root / empty[0]} holds no picture, that is, no file ending in "
            f"{', '.join(EXTENSIONS)}. Add some, or delete the folder."
        )
    return found


def _visible(folder: Path) -> list[Path]:
    """List what a folder holds, without what systems hide: .DS_Store, __MACOSX, Thumbs.db, ..."""
    hidden = ("__MACOSX", "__pycache__", "Thumbs.db", "desktop.ini")
    return sorted(
        path for path in folder.iterdir() if path.name not in hidden and path.name[0] != "."
    )


def _pictures(folder: Path) -> list[Path]:
    """Return the picture files in a folder and the folders below it; say what was left out."""
    files = []
    for path in _visible(folder):  # a link may lead in a circle, or to another class
        files += _pictures(path) if path.is_dir() and not path.is_symlink() else [path]
    ignored = [file.name for file in files if file.suffix.lower() not in EXTENSIONS]
    if ignored:
        names = ", ".join(ignored[:3]) + (", …" if len(ignored) > 3 else "")
        print(f"Notice: {folder} holds {len(ignored)} files that are no pictures: {names}")
    return [file for file in files if file.suffix.lower() in EXTENSIONS]


def _split(found: dict[str, list[Path]]) -> list[dict[str, list[Path]]]:
    """Draw a fifth of every class for testing, at least one: the same on every machine."""
    generator = torch.Generator().manual_seed(SPLIT_SEED)
    train, test = {}, {}
    for name, files in found.items():
        if len(files) < 2:
            raise DataError(
                f"the class {name!r} has a single picture, {files[0]}. It needs at least two: "
                "one to learn from and one to judge by."
            )
        num_test = max(1, round(TEST_SHARE * len(files)))
        drawn = set(torch.randperm(len(files), generator=generator)[:num_test].tolist())
        train[name] = [file for index, file in enumerate(files) if index not in drawn]
        test[name] = [file for index, file in enumerate(files) if index in drawn]
    return [train, test]


def _shown(files: Sequence[Path], what: str) -> Iterable[Path]:
    """Iterate with a progress bar, which appears when reading takes more than a second."""
    hidden = os.environ.get("TQDM_DISABLE", "0") not in ("", "0")
    return tqdm(files, desc=what, unit="picture", delay=1, leave=False, disable=hidden)
