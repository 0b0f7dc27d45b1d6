"""The same training on several devices: one process for each, and a share of every batch for each.

    torchrun --nproc-per-node 2 -m lenet train fashion-mnist --save narrow.safetensors

starts two processes. All of them draw the same batches and distort them alike; each passes its
share of the images through its own copy of the network. PyTorch's `DistributedDataParallel`
averages the gradients of all processes while they are computed, so that all copies make the same
step: the one that a single process would make with the whole batch, but for rounding.

Two things differ from a single process: dropout draws other numbers, and batch normalisation sees
the images of its process alone.
"""

from __future__ import annotations

import os
import random
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel
from tqdm.auto import tqdm

from lenet.data import ImageData, LabelledImages
from lenet.train.history import Epoch, Score
from lenet.train.loop import Batch, Training
from lenet.train.settings import Settings


@contextmanager
def processes(device: str = "auto") -> Iterator[str]:
    """Join the processes that torchrun has started; where it has started none, do nothing.

    Only the first process prints: the standard output of the others is silent. So is a warning of
    `DistributedDataParallel` about the strides of kernels with one channel, which are harmless.

    Args:
        device: ``"auto"``, ``"cuda"`` (one GPU for each process) or ``"cpu"``.

    Yields:
        The device of this process, such as ``"cuda:1"``; outside of torchrun what was given.

    Raises:
        ValueError: There are more processes than GPUs, or the device is none for many processes.
    """
    if not dist.is_torchelastic_launched():
        yield device
        return
    own = _own_device(device)
    dist.init_process_group("nccl" if own.startswith("cuda") else "gloo")
    with Path(os.devnull).open("w") as silence, warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Grad strides do not match bucket view strides")
        try:
            with redirect_stdout(sys.stdout if is_first() else silence):
                yield own
        finally:
            dist.destroy_process_group()


def is_first() -> bool:
    """Tell whether this process is the first of several, or the only one."""
    return not dist.is_initialized() or dist.get_rank() == 0


def _own_device(device: str) -> str:
    """Return the device of this process among those of its machine."""
    if device == "cpu" or (device == "auto" and not torch.cuda.is_available()):
        return "cpu"
    if device not in ("auto", "cuda"):
        raise ValueError(f"several processes can train on 'cpu' or 'cuda', not on {device!r}")
    here, found = int(os.environ["LOCAL_WORLD_SIZE"]), torch.cuda.device_count()
    if here > found:
        raise ValueError(
            f"{here} processes need a GPU each, and this machine has {found}: start fewer with "
            "--nproc-per-node, or train on the device 'cpu'"
        )
    own = f"cuda:{os.environ['LOCAL_RANK']}"
    torch.cuda.set_device(own)
    return own


class DistributedTraining(Training):
    """A `Training` that is shared by the processes that `processes` has joined.

    All of them make it, with the same arguments but for the device, and call `epochs`. The loop is
    that of one process: it gets a share of every batch, a network that averages gradients, and a
    loss that weighs them.

    Raises:
        ValueError: There are more processes than images in a batch or in a split, or the settings
            ask for a graph.
    """

    def __init__(self, model: nn.Module, data: ImageData, settings: Settings) -> None:
        super().__init__(model, data, settings)
        self.rank, self.num_processes = dist.get_rank(), dist.get_world_size()
        fewest = min(settings.batch_size, len(data.train), len(data.test))
        if settings.graph:
            raise ValueError("graph records the steps of one process: several train without it")
        if self.num_processes > fewest:
            raise ValueError(f"{self.num_processes} processes cannot share {fewest} images")
        test = self.data.test
        own = LabelledImages(self._share(test.images), self._share(test.labels))
        self._test = replace(self._test, examples=own)
        self._module = DistributedDataParallel(self._module)  # all copies become the first one's
        self._loss = self._weighted_loss
        self._weight = 1.0  # of this process's share of the present batch; 1 for a fair share

    def epochs(self, *, progress: bool = True) -> Iterator[Epoch]:
        """Train as `Training.epochs` does; only the first process shows a progress bar."""
        return super().epochs(progress=progress and self.rank == 0)

    def _batches(self, bar: tqdm[object]) -> Iterator[Batch]:
        """Yield this process's share of every batch."""
        draw = random.Random(f"{self.settings.seed} {len(self.history.epochs)} {self.rank}")
        torch.manual_seed(draw.getrandbits(63))  # dropout of its own in every process and epoch
        for images, labels in super()._batches(bar):
            own = self._share(labels)
            self._weight = len(own) / len(labels) * self.num_processes
            yield self._share(images), own
        for buffer in self.model.buffers():  # such as the running means of batch normalisation
            dist.broadcast(buffer, src=0)

    def _share(self, rows: Tensor) -> Tensor:
        return rows.tensor_split(self.num_processes)[self.rank]

    def _weighted_loss(self, logits: Tensor, labels: Tensor) -> Tensor:
        """Return the mean loss of this share, whose gradients are weighted by its size.

        `DistributedDataParallel` takes the plain mean of the processes' gradients: without weights,
        images in the smaller shares of a batch would count more than others. The last batch of an
        epoch can even leave a process without an image; its loss is 0.
        """
        weight = self._weight
        logits.register_hook(lambda gradient: gradient * weight)
        return self.settings.loss_function(logits, labels) if len(labels) else logits.sum()

    def _whole(self, score: Score) -> Score:
        """Add up the scores of all processes, each on examples of its own."""
        own = [score.loss * score.num_examples, score.num_correct, score.num_examples]
        sums = torch.tensor(own, dtype=torch.float64, device=self.device)
        dist.all_reduce(sums)
        loss, num_correct, num_examples = sums.tolist()
        return Score(loss / num_examples, int(num_correct), int(num_examples))
