"""What torchrun starts in test_distributed.py: one process of trainings on the embedded digits.

    torchrun --nproc-per-node 2 tests/lenet/train/shared_training.py FOLDER

Every process stores in the folder what it ended with: FOLDER/NAME-RANK.pt.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn

from lenet.data import ImageData, load
from lenet.data.augment import RandomAffine
from lenet.models import NarrowLeNet
from lenet.train import History, Settings, Training, checkpoint
from lenet.train.distributed import DistributedTraining, is_first, processes


@dataclass(frozen=True)
class Task:
    """A training, by one process or by several."""

    name: str
    model: nn.Module
    data: ImageData
    settings: Settings

    def run(self, kind: type[Training], folder: Path) -> History:
        training = kind(self.model, self.data, self.settings)
        path = folder / f"{self.name}.checkpoint"
        for _ in checkpoint.epochs(training, path, progress=False, write=is_first()):
            pass
        return training.history


def noisy_network() -> nn.Module:
    layers = [nn.Flatten(), nn.Linear(784, 20), nn.BatchNorm1d(20), nn.Dropout(0.3), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(20, 10))


def tasks(data: ImageData, rank: int = 0) -> Iterator[Task]:
    """Yield what is trained; a network begins in each process with other weights."""
    plain = Settings(epochs=1, batch_size=100, optimizer="sgd", lr=0.05, device="cpu")
    torch.manual_seed(rank)
    yield Task("affine", NarrowLeNet(), data, replace(plain, augment=RandomAffine()))
    torch.manual_seed(rank)
    # 1,438 images are three batches of 479 and one of 1: some processes get no image at the end.
    ragged = Settings(epochs=2, batch_size=479, optimizer="sgd", lr=0.05, device="cpu")
    yield Task("ragged", NarrowLeNet(), data, ragged)
    torch.manual_seed(rank)
    noisy = Settings(epochs=1, batch_size=100, schedule="one-cycle", device="cpu")
    yield Task("noisy", noisy_network(), data, noisy)


def failing(images: Tensor, generator: torch.Generator) -> Tensor:
    if dist.get_rank() == 1:
        raise RuntimeError("the second process fails")
    return images


def main() -> None:
    folder = Path(sys.argv[1])
    torch.set_num_threads(1)
    with processes("cpu") as device:
        data = load("mnist")
        if "fail" in sys.argv:
            settings = Settings(epochs=1, device=device, augment=failing)
            Task("failing", NarrowLeNet(), data, settings).run(DistributedTraining, folder)
        for task in tasks(data, dist.get_rank()):
            history = task.run(DistributedTraining, folder)
            found = {"state": task.model.state_dict(), "draw": torch.rand(3)}
            scores = [
                (score.loss, score.num_correct, score.num_examples)
                for epoch in history.epochs
                for score in (epoch.train, epoch.test)
            ]
            torch.save(found | {"scores": scores}, folder / f"{task.name}-{dist.get_rank()}.pt")
        print("the end")


if __name__ == "__main__":
    main()
