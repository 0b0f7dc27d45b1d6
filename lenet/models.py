"""The networks of the book, one class each, and their weights on disk.

Every network takes float32 images (N, C, H, W) and returns logits (N, 10): one unnormalised
score per class. The softmax is left to the loss (`torch.nn.functional.cross_entropy` contains it).
"""

from __future__ import annotations

from pathlib import Path

import torch
import torch.nn.functional as F
from safetensors import SafetensorError
from safetensors.torch import load_file, save
from torch import Tensor, nn

from lenet.atomic import write_atomically
from lenet.original import (
    EuclideanRBF,
    SparseConv2d,
    Subsampling,
    class_bitmaps,
    connection_table,
    draw_uniformly,
    squash,
)

WEIGHTS = Path(__file__).parent / "weights"  # of trained networks, with the package


class NarrowLeNet(nn.Module):
    """The narrow LeNet for Fashion-MNIST: 6 and 12 channels, then 120, 60 and 10 features.

    It has 32,998 parameters. The operations without weights are called as functions in
    `forward`, so that every one of them is a line you can read.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels=1, out_channels=6, kernel_size=5)
        self.conv2 = nn.Conv2d(in_channels=6, out_channels=12, kernel_size=5)
        self.fc1 = nn.Linear(in_features=12 * 4 * 4, out_features=120)
        self.fc2 = nn.Linear(in_features=120, out_features=60)
        self.out = nn.Linear(in_features=60, out_features=10)

    def forward(self, t: Tensor) -> Tensor:
        """Map images (N, 1, 28, 28) to logits (N, 10)."""
        t = F.relu(self.conv1(t))  # (N, 6, 24, 24)
        t = F.max_pool2d(t, kernel_size=2, stride=2)  # (N, 6, 12, 12)
        t = F.relu(self.conv2(t))  # (N, 12, 8, 8)
        t = F.max_pool2d(t, kernel_size=2, stride=2)  # (N, 12, 4, 4)
        t = torch.flatten(t, start_dim=1)  # (N, 192)
        t = F.relu(self.fc1(t))  # (N, 120)
        t = F.relu(self.fc2(t))  # (N, 60)
        return self.out(t)  # (N, 10)


class LeNet5(nn.Module):
    """LeNet-5 as it is usually written today: padded, with ReLU and max-pooling.

    The layer names C1 to F6 are those of LeCun et al. (1998), figure 2. Padding by 2 turns a
    28×28 digit into the paper's 32×32 input. C5 is a convolution, as in the paper: its 5×5 kernel
    covers the whole 5×5 map. It has 61,706 parameters.
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, kernel_size=5, padding=2)  # C1
        self.pool1 = nn.MaxPool2d(kernel_size=2)  # S2
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5)  # C3
        self.pool2 = nn.MaxPool2d(kernel_size=2)  # S4
        self.conv3 = nn.Conv2d(16, 120, kernel_size=5)  # C5
        self.fc1 = nn.Linear(120, 84)  # F6
        self.fc2 = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 1, 28, 28) to logits (N, 10)."""
        x = self.pool1(F.relu(self.conv1(x)))  # (N, 6, 28, 28) -> (N, 6, 14, 14)
        x = self.pool2(F.relu(self.conv2(x)))  # (N, 16, 10, 10) -> (N, 16, 5, 5)
        x = F.relu(self.conv3(x))  # (N, 120, 1, 1)
        x = torch.flatten(x, start_dim=1)  # (N, 120)
        x = F.relu(self.fc1(x))  # (N, 84)
        return self.fc2(x)  # (N, 10)


class LeNet5Linear(nn.Module):
    """`LeNet5` with C5 written as a linear layer (400 → 120): the same function on 28×28 images.

    It has the same 61,706 parameters. `LeNet5`'s weights fit once `conv3.weight`
    (120, 16, 5, 5) is flattened to `fc1.weight` (120, 400).
    """

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 6, kernel_size=5, padding=2)  # C1
        self.pool1 = nn.MaxPool2d(kernel_size=2)  # S2
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5)  # C3
        self.pool2 = nn.MaxPool2d(kernel_size=2)  # S4
        self.fc1 = nn.Linear(16 * 5 * 5, 120)  # C5
        self.fc2 = nn.Linear(120, 84)  # F6
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 1, 28, 28) to logits (N, 10)."""
        x = self.pool1(F.relu(self.conv1(x)))  # (N, 6, 28, 28) -> (N, 6, 14, 14)
        x = self.pool2(F.relu(self.conv2(x)))  # (N, 16, 10, 10) -> (N, 16, 5, 5)
        x = torch.flatten(x, start_dim=1)  # (N, 400)
        x = F.relu(self.fc1(x))  # (N, 120)
        x = F.relu(self.fc2(x))  # (N, 84)
        return self.fc3(x)  # (N, 10)


class LeNet5_1998(nn.Module):  # noqa: N801  (a year is no second word)
    """LeNet-5 as LeCun et al. (1998) describe it; its parts are in `lenet.original`.

    Subsampling has trainable weights, C3 does not see all of S2, every sum is squashed, and the
    output compares F6 with a fixed 7×12 drawing of each digit. It has 60,000 trainable parameters.
    The paper trained it with a second-order method of its own; here any optimizer may.
    """

    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, kernel_size=5)
        self.s2 = Subsampling(6)
        self.c3 = SparseConv2d(connection_table(), kernel_size=5)
        self.s4 = Subsampling(16)
        self.c5 = nn.Conv2d(16, 120, kernel_size=5)
        self.f6 = nn.Linear(120, 84)
        self.output = EuclideanRBF(class_bitmaps().flatten(start_dim=1))
        for layer in (self.c1, self.c5, self.f6):
            for parameter in layer.parameters():
                draw_uniformly(parameter, fan_in=layer.weight[0].numel())

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 1, 32, 32), about -0.1 to 1.175, to negative distances (N, 10)."""
        x = squash(self.c1(x))  # (N, 6, 28, 28)
        x = squash(self.s2(x))  # (N, 6, 14, 14)
        x = squash(self.c3(x))  # (N, 16, 10, 10)
        x = squash(self.s4(x))  # (N, 16, 5, 5)
        x = squash(self.c5(x))  # (N, 120, 1, 1)
        x = torch.flatten(x, start_dim=1)  # (N, 120)
        x = squash(self.f6(x))  # (N, 84)
        return -self.output(x)  # (N, 10)


class CifarLeNet(nn.Module):
    """The LeNet of the CIFAR-10 tutorials: colour images, no padding, 62,006 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, kernel_size=5)
        self.pool1 = nn.MaxPool2d(kernel_size=2)
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5)
        self.pool2 = nn.MaxPool2d(kernel_size=2)
        self.fc1 = nn.Linear(16 * 5 * 5, 120)
        self.fc2 = nn.Linear(120, 84)
        self.fc3 = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, 32, 32) to logits (N, 10)."""
        x = self.pool1(F.relu(self.conv1(x)))  # (N, 6, 28, 28) -> (N, 6, 14, 14)
        x = self.pool2(F.relu(self.conv2(x)))  # (N, 16, 10, 10) -> (N, 16, 5, 5)
        x = torch.flatten(x, start_dim=1)  # (N, 400)
        x = F.relu(self.fc1(x))  # (N, 120)
        x = F.relu(self.fc2(x))  # (N, 84)
        return self.fc3(x)  # (N, 10)


def save_weights(
    model: nn.Module, path: str | Path, metadata: dict[str, str] | None = None
) -> None:
    """Save a network's parameters and buffers, and what else is to be known, as a safetensors file.

    Raises:
        OSError: The file cannot be written; what was there before is untouched.
    """
    tensors = {name: t.detach().cpu().contiguous() for name, t in model.state_dict().items()}
    write_atomically(path, save(tensors, metadata))


def load_weights(model: nn.Module, path: str | Path) -> None:
    """Load a safetensors file into a network of the same layers; no code in the file is run.

    Raises:
        FileNotFoundError: There is no such file.
        ValueError: The file is damaged or holds the weights of another network. The network
            keeps the weights it had.
    """
    try:
        weights = load_file(path)
    except SafetensorError as error:
        raise ValueError(f"{path} is not a whole safetensors file: {error}") from error
    wanted = {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()}
    found = {name: tuple(tensor.shape) for name, tensor in weights.items()}
    wrong = sorted(name for name in wanted | found if wanted.get(name) != found.get(name))
    if wrong:
        name = wrong[0]
        raise ValueError(
            f"{path} holds the weights of another network than {type(model).__name__}: "
            f"{name!r} is {found.get(name, 'missing')} in the file and "
            f"{wanted.get(name, 'missing')} in the network ({len(wrong)} such differences)"
        )
    model.load_state_dict(weights)
