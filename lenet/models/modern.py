"""What came after LeNet, scaled to images of 32×32: batch norm, an AlexNet and a ResNet.

Like those of `lenet.models`, every network takes float32 images (N, C, H, W) and returns logits
(N, K), one for each class.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenet import checks


class CifarLeNetBN(nn.Module):
    """`CifarLeNet` with batch norm (Ioffe and Szegedy 2015) before every ReLU: 62,232 parameters.

    The layers before a batch norm have no bias: the norm subtracts the mean and adds its own.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        checks.whole_number("num_classes", num_classes, 1)
        self.conv1 = nn.Conv2d(3, 6, kernel_size=5, bias=False)
        self.bn1 = nn.BatchNorm2d(6)
        self.pool1 = nn.MaxPool2d(kernel_size=2)
        self.conv2 = nn.Conv2d(6, 16, kernel_size=5, bias=False)
        self.bn2 = nn.BatchNorm2d(16)
        self.pool2 = nn.MaxPool2d(kernel_size=2)
        self.fc1 = nn.Linear(16 * 5 * 5, 120, bias=False)
        self.bn3 = nn.BatchNorm1d(120)
        self.fc2 = nn.Linear(120, 84, bias=False)
        self.bn4 = nn.BatchNorm1d(84)
        self.fc3 = nn.Linear(84, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, 32, 32) to logits (N, K)."""
        x = self.pool1(F.relu(self.bn1(self.conv1(x))))  # (N, 6, 28, 28) -> (N, 6, 14, 14)
        x = self.pool2(F.relu(self.bn2(self.conv2(x))))  # (N, 16, 10, 10) -> (N, 16, 5, 5)
        x = torch.flatten(x, start_dim=1)  # (N, 400)
        x = F.relu(self.bn3(self.fc1(x)))  # (N, 120)
        x = F.relu(self.bn4(self.fc2(x)))  # (N, 84)
        return self.fc3(x)  # (N, K)


class SmallAlexNet(nn.Module):
    """AlexNet (Krizhevsky et al. 2012) for 32×32: half its channels, an eighth of its features.

    Kept are five convolutions with ReLU, pooling windows that overlap, and two hidden linear layers
    with dropout. The first kernel and stride are smaller (5 and 2, not 11 and 4), because the
    images are. Its response normalisation and its split over two GPUs are left out.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        checks.whole_number("num_classes", num_classes, 1)
        self.conv1 = nn.Conv2d(3, 48, kernel_size=5, stride=2, padding=2)
        self.pool1 = nn.MaxPool2d(kernel_size=3, stride=2)
        self.conv2 = nn.Conv2d(48, 128, kernel_size=5, padding=2)
        self.pool2 = nn.MaxPool2d(kernel_size=3, stride=2)
        self.conv3 = nn.Conv2d(128, 192, kernel_size=3, padding=1)
        self.conv4 = nn.Conv2d(192, 192, kernel_size=3, padding=1)
        self.conv5 = nn.Conv2d(192, 128, kernel_size=3, padding=1)
        self.dropout = nn.Dropout(p=0.5)
        self.fc1 = nn.Linear(128 * 3 * 3, 512)
        self.fc2 = nn.Linear(512, 512)
        self.fc3 = nn.Linear(512, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, 32, 32) to logits (N, K)."""
        x = self.pool1(F.relu(self.conv1(x)))  # (N, 48, 16, 16) -> (N, 48, 7, 7)
        x = self.pool2(F.relu(self.conv2(x)))  # (N, 128, 7, 7) -> (N, 128, 3, 3)
        x = F.relu(self.conv3(x))  # (N, 192, 3, 3)
        x = F.relu(self.conv4(x))  # (N, 192, 3, 3)
        x = F.relu(self.conv5(x))  # (N, 128, 3, 3)
        x = torch.flatten(x, start_dim=1)  # (N, 1152)
        x = F.relu(self.fc1(self.dropout(x)))  # (N, 512)
        x = F.relu(self.fc2(self.dropout(x)))  # (N, 512)
        return self.fc3(x)  # (N, K)


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions and a connection around them (He et al. 2016, figure 2).

    Args:
        in_channels: Channels that come in.
        out_channels: Channels that go out.
        stride: Stride of the first convolution. Where channels or size change, the connection is a
            1×1 convolution of the same stride (option B of the paper).
    """

    def __init__(self, in_channels: int, out_channels: int, stride: int = 1) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(
            in_channels, out_channels, kernel_size=3, stride=stride, padding=1, bias=False
        )
        self.bn1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, kernel_size=3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(out_channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or in_channels != out_channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, kernel_size=1, stride=stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C_in, H, W) to (N, C_out, H / stride, W / stride), rounded up."""
        y = F.relu(self.bn1(self.conv1(x)))
        y = self.bn2(self.conv2(y))
        return F.relu(y + self.shortcut(x))


class SmallResNet(nn.Module):
    """A residual network (He et al. 2016) for 32×32 that a CPU trains in minutes, not days.

    Three wide blocks rather than many narrow ones (Zagoruyko and Komodakis 2016), and a stride at
    once, as in the paper's networks for ImageNet: wide layers on small maps use a CPU best. There
    is no hidden linear layer: the mean of each map goes straight to the scores. Because of that
    mean it accepts images of other sizes too.
    """

    def __init__(self, num_classes: int = 10) -> None:
        super().__init__()
        checks.whole_number("num_classes", num_classes, 1)
        self.conv1 = nn.Conv2d(3, 48, kernel_size=5, stride=2, padding=2, bias=False)
        self.bn1 = nn.BatchNorm2d(48)
        self.block1 = ResidualBlock(48, 48)
        self.block2 = ResidualBlock(48, 96, stride=2)
        self.block3 = ResidualBlock(96, 192, stride=2)
        self.fc = nn.Linear(192, num_classes)

    def forward(self, x: Tensor) -> Tensor:
        """Map images (N, 3, 32, 32) to logits (N, K)."""
        x = F.relu(self.bn1(self.conv1(x)))  # (N, 48, 16, 16)
        x = self.block1(x)  # (N, 48, 16, 16)
        x = self.block2(x)  # (N, 96, 8, 8)
        x = self.block3(x)  # (N, 192, 4, 4)
        x = x.mean(dim=(2, 3))  # (N, 192)
        return self.fc(x)  # (N, K)
