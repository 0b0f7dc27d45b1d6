"""The LeNets of the book, one class each.

Every network takes float32 images (N, C, H, W) and returns logits (N, 10): one unnormalised
score per class. The softmax is left to the loss (`torch.nn.functional.cross_entropy` contains it).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn


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

    Example:
        >>> network = LeNet5()
        >>> network(torch.zeros(2, 1, 28, 28)).shape
        torch.Size([2, 10])
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
