"""torchvision's own classes read what stands in for their files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torchvision import datasets as torchvision_datasets
from torchvision.transforms import ToTensor

from lenet.data import dataset
from lenet.data.finding import Source
from lenet_book import stand_in
from lenet_book.stand_in import find_cifar, find_datasets


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LENET_OFFLINE", "1")
    for found in (find_cifar, find_datasets):
        found.cache_clear()
    yield
    for found in (find_cifar, find_datasets):
        found.cache_clear()


@pytest.mark.parametrize("train", [True, False])
@pytest.mark.parametrize("name", ["FashionMNIST", "MNIST"])
def test_offline_the_files_hold_digits(name: str, train: bool) -> None:
    root, datasets = find_datasets()
    opened = getattr(datasets, name)(root=root, train=train, download=True)
    digits = dataset("mnist", train)
    assert isinstance(opened, getattr(torchvision_datasets, name))
    assert torch.equal(opened.data, torch.from_numpy(digits.data))
    assert torch.equal(opened.targets, torch.from_numpy(digits.targets))
    assert opened.raw_folder.endswith(f"{name}/raw")


def test_digits_are_not_called_garments() -> None:
    root, datasets = find_datasets()
    assert datasets.FashionMNIST(root).classes == [str(digit) for digit in range(10)]
    assert torchvision_datasets.FashionMNIST.classes[0] == "T-shirt/top"


def test_a_wrong_root_is_refused() -> None:
    _, datasets = find_datasets()
    with pytest.raises(RuntimeError, match="Dataset not found"):
        datasets.FashionMNIST("a-wrong-folder", download=False)


@pytest.mark.parametrize("train", [True, False])
def test_offline_the_photographs_are_coloured_digits(train: bool) -> None:
    root, datasets = find_cifar()
    opened = datasets.CIFAR10(root=root, train=train, download=True, transform=ToTensor())
    digits = dataset("cifar-10", train)
    assert isinstance(opened, torchvision_datasets.CIFAR10)
    assert opened.data.shape == (len(digits), 32, 32, 3)
    assert opened.targets == [int(label) for label in digits.targets]
    image, label = opened[0]
    assert torch.equal(image, ToTensor()(opened.data[0]))
    assert opened.classes[label] == str(label)


def test_the_published_photographs_are_opened_by_torchvision(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    published = Source("cifar-10", Path("root"))
    monkeypatch.setattr(stand_in, "find", lambda name: published)
    assert find_cifar()[1] is torchvision_datasets
