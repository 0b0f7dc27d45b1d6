"""torchvision's own calls on a machine without the published files.

A chapter that teaches ``datasets.FashionMNIST(root, train=True, download=True)`` has to run where
the files cannot be had. There the embedded digits stand in, packed as Fashion-MNIST is. CIFAR-10's
files cannot be imitated, because its class compares checksums: there a class of the same name and
arguments stands in.
"""

from __future__ import annotations

import atexit
import shutil
import struct
import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torchvision import datasets

from lenet.data import data_root, dataset
from lenet.data.finding import Source, find
from lenet.data.in_memory import Transform


class FashionMNIST(datasets.FashionMNIST):
    """Fashion-MNIST's class where its files hold digits."""

    classes = [str(digit) for digit in range(10)]  # noqa: RUF012


class CIFAR10(datasets.CIFAR10):
    """CIFAR-10's class for other pictures than the published files: a copy, or digits."""

    def __init__(
        self,
        root: str | Path,
        train: bool = True,
        transform: Transform | None = None,
        target_transform: Callable[[int], Any] | None = None,
        download: bool = False,
    ) -> None:
        """Open the pictures that `lenet.data.dataset` finds; `download` has nothing to fetch."""
        datasets.VisionDataset.__init__(
            self, root, transform=transform, target_transform=target_transform
        )
        found = dataset("cifar-10", train)
        self.train = train
        self.data = np.asarray(found.data)
        self.targets = [int(label) for label in found.targets]
        self.classes, self.class_to_idx = found.classes, found.class_to_idx


@cache
def find_cifar() -> tuple[Path, ModuleType | SimpleNamespace]:
    """Return a root for CIFAR-10, and what opens it: `torchvision.datasets` where it can.

    Otherwise a notice is printed, and the class `CIFAR10` of the second is the one above.
    """
    source = find("cifar-10")
    is_published = isinstance(source, Source) and source.root and not source.differing
    return data_root(), datasets if is_published else SimpleNamespace(CIFAR10=CIFAR10)


@cache
def find_datasets() -> tuple[Path, ModuleType | SimpleNamespace]:
    """Return a root with the files of Fashion-MNIST and MNIST, and what opens them.

    The second is `torchvision.datasets` itself where the files are there or can be downloaded.
    Otherwise a notice is printed, and its classes `FashionMNIST` and `MNIST` read digits.
    """
    sources = find("fashion-mnist"), find("mnist")
    if all(isinstance(source, Source) and source.root for source in sources):
        return data_root(), datasets
    opened = [sources[0].open(train) for train in (True, False)]
    root = Path(tempfile.mkdtemp(prefix="lenet-digits-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    for folder in ("FashionMNIST", "MNIST"):
        for part, digits in zip(("train", "t10k"), opened, strict=True):
            raw = root / folder / "raw"
            _write(raw / f"{part}-images-idx3-ubyte", torch.as_tensor(digits.data))
            _write(raw / f"{part}-labels-idx1-ubyte", torch.as_tensor(digits.targets))
    return root, SimpleNamespace(FashionMNIST=FashionMNIST, MNIST=datasets.MNIST)


def _write(path: Path, values: Tensor) -> None:
    """Write whole numbers from 0 to 255 as an IDX file: signature, lengths of the axes, bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    header = struct.pack(f">{1 + values.dim()}I", 0x800 + values.dim(), *values.shape)
    path.write_bytes(header + values.byte().numpy().tobytes())
