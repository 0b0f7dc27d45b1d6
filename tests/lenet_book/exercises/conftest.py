"""Exercises are checked on the data that comes with the package, and draw on no screen."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib.pyplot as plt
import pytest

from lenet_book.stand_in import find_cifar, find_datasets


@pytest.fixture(autouse=True)
def _without_network_and_screen(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("LENET_OFFLINE", "1")
    plt.switch_backend("agg")
    for found in (find_cifar, find_datasets):
        found.cache_clear()
    yield
    for found in (find_cifar, find_datasets):
        found.cache_clear()
    plt.close("all")
