"""torchvision's own calls on a machine without the internet: digits, in files of the same format.

A chapter that teaches ``datasets.FashionMNIST(root, train=True, download=True)`` has to run where
the files cannot be had. There the embedded digits stand in, packed as Fashion-MNIST is.
"""

from __future__ import annotations

import atexit
import shutil
import struct
import tempfile
from functools import cache
from pathlib import Path
from types import ModuleType, SimpleNamespace

import torch
from torch import Tensor
from torchvision import datasets

from lenet.data import data_root, dataset


class FashionMNIST(datasets.FashionMNIST):
    """Fashion-MNIST's class where its files hold digits."""

    classes = [str(digit) for digit in range(10)]  # noqa: RUF012


@cache
def find_datasets() -> tuple[Path, ModuleType | SimpleNamespace]:
    """Return a root with the files of Fashion-MNIST and MNIST, and what opens them.

    The second is `torchvision.datasets` itself where the files are there or can be downloaded.
    Otherwise a notice is printed, and its classes `FashionMNIST` and `MNIST` read digits.
    """
    opened = [dataset("fashion-mnist", train) for train in (True, False)]
    if type(opened[0]) is datasets.FashionMNIST and type(dataset("mnist")) is datasets.MNIST:
        return data_root(), datasets
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
