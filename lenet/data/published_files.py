"""The files of the published data sets: which are they, are they whole, and what do they hold?

MNIST and Fashion-MNIST come as IDX files, a format that LeCun, Cortes and Burges describe with
MNIST: a magic number (0, 0, type of the elements, number of dimensions), the dimensions as
big-endian 32-bit integers, then the elements. CIFAR-10 comes as pickled dictionaries (Krizhevsky
2009), read here without running any code they might hold.
"""

from __future__ import annotations

import math
import pickle
import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from lenet.data.in_memory import DataError

Content = tuple[np.ndarray, np.ndarray, tuple[str, ...]]  # images, labels, names of the classes

NUM_CLASSES = 10
DIGITS = tuple("0123456789")
GARMENTS = (
    *("T-shirt/top", "Trouser", "Pullover", "Dress", "Coat"),
    *("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
)

# Every file as published, unpacked, with its checksum.
FASHION_MNIST_MD5 = {
    "train-images-idx3-ubyte": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte": "15d484375f8d13e6eb1aabb0c3f46965",
}
MNIST_MD5 = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
CIFAR10_MD5 = {
    "data_batch_1": "c99cafc152244af753f735de768cd75f",
    "data_batch_2": "d4bba439e000b95fd0a9bffe97cbabec",
    "data_batch_3": "54ebc095f3ab1f0389bbae665268c751",
    "data_batch_4": "634d18415352ddfa80567beed471001a",
    "data_batch_5": "482c414d41f54cd18b22e5b47cb7c3cb",
    "test_batch": "40351d587109b95175f43aff81a1287e",
    "batches.meta": "5ff9c542aee3614f3951f8cda6e48888",
}
CIFAR_META = "batches.meta"


def _damaged(file: Path, why: str) -> DataError:
    return DataError(
        f"{file} is damaged: {why}. Delete the folder {file.parent} and load the data set again: "
        "it will be downloaded afresh."
    )


def _read_idx_set(classes: tuple[str, ...], folder: Path, train: bool) -> Content:
    images_file, labels_file = (
        folder / f"{'train' if train else 't10k'}-{kind}-ubyte"
        for kind in ("images-idx3", "labels-idx1")
    )
    images, labels = _read_idx(images_file, num_dims=3), _read_idx(labels_file, num_dims=1)
    if images.shape[1:] != (28, 28):
        raise _damaged(images_file, "its images are not 28×28")
    if len(labels) != len(images):
        raise _damaged(labels_file, f"it holds {len(labels):,} labels for {len(images):,} images")
    if labels.max() >= NUM_CLASSES:
        raise _damaged(labels_file, f"it holds the label {labels.max()}, the highest is 9")
    return images, labels, classes


def _read_idx(file: Path, num_dims: int) -> np.ndarray:
    content, start = np.fromfile(file, dtype=np.uint8), 4 + 4 * num_dims
    header = content[:start].tobytes()
    if len(header) < start or header[:4] != bytes([0, 0, 8, num_dims]):
        raise _damaged(file, f"it does not begin like an IDX file of bytes with {num_dims} axes")
    dims = struct.unpack(f">{num_dims}I", header[4:])
    expected = start + math.prod(dims)
    if len(content) != expected:
        raise _damaged(file, f"its header announces {expected:,} bytes, it has {len(content):,}")
    if expected == start:
        raise _damaged(file, "it holds no element")
    return content[start:].reshape(dims)


def _read_cifar(folder: Path, train: bool) -> Content:
    names = [name for name in CIFAR10_MD5 if name.startswith("data" if train else "test")]
    batches = [_cifar_batch(folder / name) for name in names]
    rows = np.concatenate([data for data, _ in batches])
    images = rows.reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)  # (N, 32, 32, 3)
    labels = [label for _, labels in batches for label in labels]
    return images, np.array(labels), _cifar_classes(folder / CIFAR_META)


def _cifar_batch(file: Path) -> tuple[np.ndarray, list[int]]:
    """Read one batch file: pixels uint8 (N, 3072) and N labels from 0 to 9."""
    content = _unpickle(file)
    data, labels = content.get("data"), content.get("labels")
    if not isinstance(data, np.ndarray) or data.dtype != np.uint8 or data.shape[1:] != (3072,):
        raise _damaged(file, "its 'data' is not an array of bytes (N, 3072)")
    if len(data) == 0:
        raise _damaged(file, "it holds no picture")
    if not isinstance(labels, list) or len(labels) != len(data):
        raise _damaged(file, f"its 'labels' is not a list of {len(data)} numbers")
    if not all(isinstance(label, int) and 0 <= label < NUM_CLASSES for label in labels):
        raise _damaged(file, "a label is not a number from 0 to 9")
    return data, labels


def _cifar_classes(file: Path) -> tuple[str, ...]:
    classes = _unpickle(file).get("label_names")
    if not isinstance(classes, list) or len(classes) != NUM_CLASSES:
        raise _damaged(file, f"it does not list the names of {NUM_CLASSES} classes")
    return tuple(map(str, classes))


def _unpickle(file: Path) -> dict[str, Any]:
    try:
        with file.open("rb") as stream:
            content = ArrayUnpickler(stream, encoding="latin1").load()
    except Exception as error:  # a damaged pickle can raise almost anything
        raise _damaged(file, f"it cannot be read ({error})") from error
    if not isinstance(content, dict):
        raise _damaged(file, "it does not hold a dictionary")
    return content


class ArrayUnpickler(pickle.Unpickler):
    """An unpickler that admits arrays, lists, strings and numbers, and no code."""

    RECONSTRUCT = "numpy.core.multiarray._reconstruct", "numpy._core.multiarray._reconstruct"
    ADMITTED = ("numpy.dtype", "numpy.ndarray", "_codecs.encode", *RECONSTRUCT)

    def find_class(self, module: str, name: str) -> Any:  # noqa: ANN401
        """Return an admitted class; refuse every other."""
        if f"{module}.{name}" not in self.ADMITTED:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a file of images")
        return super().find_class(module, name)


@dataclass(frozen=True)
class Archive:
    """A file that is downloaded, as torchvision's classes describe it.

    Attributes:
        name: Its name.
        urls: Where it can be had; each is the same.
        md5: Its checksum.
    """

    name: str
    urls: tuple[str, ...]
    md5: str


@dataclass(frozen=True)
class Published:
    """A published data set: which files it consists of, and what they hold.

    Attributes:
        title: Its name as its authors write it.
        torchvision_name: torchvision's class for it, which knows where it can be had.
        folder: Where torchvision keeps its files, below the root.
        read: Reads the training or the test images of a folder, with their labels and the names of
            the classes; raises `DataError` where a file is damaged.
        md5: Checksum of every file as published (unpacked), by file name.
    """

    title: str
    torchvision_name: str
    folder: str
    read: Callable[[Path, bool], Content]
    md5: dict[str, str]

    def files(self, root: Path) -> list[Path]:
        """Return the path of every file of the set."""
        return [root / self.folder / name for name in self.md5]

    def archives(self, missing: Sequence[Path]) -> list[Archive]:
        """Return the archives that hold the missing files: one for all, or one for each."""
        from torchvision import datasets  # takes seconds

        known = getattr(datasets, self.torchvision_name)
        if not hasattr(known, "resources"):
            return [Archive(known.filename, (known.url,), known.tgz_md5)]
        names = {f"{file.name}.gz" for file in missing}
        return [
            Archive(name, tuple(mirror + name for mirror in known.mirrors), md5)
            for name, md5 in known.resources
            if name in names
        ]


_digits, _garments = (partial(_read_idx_set, classes) for classes in (DIGITS, GARMENTS))

PUBLISHED = {
    "fashion-mnist": Published(
        "Fashion-MNIST", "FashionMNIST", "FashionMNIST/raw", _garments, FASHION_MNIST_MD5
    ),
    "mnist": Published("MNIST", "MNIST", "MNIST/raw", _digits, MNIST_MD5),
    "cifar-10": Published("CIFAR-10", "CIFAR10", "cifar-10-batches-py", _read_cifar, CIFAR10_MD5),
}
