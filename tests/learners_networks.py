"""Networks for the tests of the stepper: every supported operation, and learners' ways to write."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenet.models import CifarLeNet, LeNet5, LeNet5Linear, NarrowLeNet


class Original(nn.Module):
    """In the manner of 1998: scaled tanh, subsampling with a trained weight for each map."""

    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5, padding=2)
        self.s2 = nn.Conv2d(6, 6, 2, stride=2, groups=6)
        self.c3 = nn.Conv2d(6, 16, 5)
        self.f = nn.Linear(16 * 10 * 10, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = 1.7159 * torch.tanh(self.c1(x) * 2 / 3)
        x = torch.sigmoid(self.s2(x))
        return self.f(torch.tanh(self.c3(x)).reshape(len(x), -1))


class Block(nn.Module):
    """A convolution, batch norm and an activation, as most networks are built today."""

    def __init__(self, inside: int, outside: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(inside, outside, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outside)

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.norm(self.conv(x)))


class Nested(nn.Module):
    """Modules in modules, with a sum around one of them."""

    def __init__(self) -> None:
        super().__init__()
        self.first = Block(1, 8)
        self.blocks = nn.ModuleList([Block(8, 8), Block(8, 8)])
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(3), nn.Flatten(), nn.Dropout(), nn.Linear(72, 5)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = F.max_pool2d(self.first(x), 2)
        for block in self.blocks:
            x = x + block(x)
        return self.head(x)


class OneLine(nn.Module):
    """A forward of one line."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 5), nn.Conv2d(4, 8, 5)
        self.fc = nn.Linear(128, 10)

    def forward(self, x: Tensor) -> Tensor:
        return self.fc(
            F.max_pool2d(F.relu(self.conv2(F.max_pool2d(F.relu(self.conv1(x)), 2))), 2).flatten(1)
        )


class InPlace(nn.Module):
    """Operations that overwrite their input."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, 5, 4, stride=2)
        self.relu = nn.ReLU(inplace=True)
        self.fc = nn.Linear(5 * 7 * 7, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.relu(self.conv(x))
        x = F.avg_pool2d(x, 3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)
        x -= 0.1
        return self.fc(x.relu_().flatten(1))


class Reused(nn.Module):
    """One layer used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(1, 4, 3, padding="same")
        self.conv2 = nn.Conv2d(4, 4, 3, padding=1)
        self.pool = nn.MaxPool2d(2)
        self.fc = nn.Linear(4 * 7 * 7, 10)

    def forward(self, x: Tensor) -> Tensor:
        x = self.pool(torch.relu(self.conv1(x)))
        x = self.pool(torch.relu(self.conv2(torch.relu(self.conv2(x)))))
        return self.fc(x.view(-1, 196))


def strided() -> nn.Sequential:
    """Stride, padding, dilation and groups that differ between height and width."""
    return nn.Sequential(
        nn.Conv2d(3, 6, (3, 5), stride=(2, 1), padding=(1, 3), dilation=(1, 2), groups=3),
        nn.LeakyReLU(0.2),
        nn.MaxPool2d((3, 2), stride=(2, 3), padding=(1, 0), dilation=(1, 2)),
        nn.Conv2d(6, 4, 3, padding="same", dilation=2),
        nn.Sigmoid(),
        nn.AvgPool2d(2, padding=1),
        nn.Flatten(),
        nn.LazyLinear(7),
        nn.Softmax(dim=1),
    )


def normalised() -> nn.Sequential:
    """Batch norm over maps and over features, average pooling, tanh."""
    return nn.Sequential(
        nn.Conv2d(1, 6, 5, padding=2),
        nn.BatchNorm2d(6),
        nn.Tanh(),
        nn.AvgPool2d(2),
        nn.Conv2d(6, 8, 5, stride=2),
        nn.BatchNorm2d(8, affine=False),
        nn.ReLU(),
        nn.AvgPool2d(3, stride=2, divisor_override=4),
        nn.Flatten(),
        nn.Linear(32, 12),
        nn.BatchNorm1d(12),
        nn.ReLU(),
        nn.Linear(12, 4),
        nn.LogSoftmax(dim=-1),
    )


NETWORKS: dict[str, tuple[type[nn.Module] | object, tuple[int, int, int]]] = {
    "narrow": (NarrowLeNet, (1, 28, 28)),
    "lenet5": (LeNet5, (1, 28, 28)),
    "lenet5linear": (LeNet5Linear, (1, 28, 28)),
    "cifar": (CifarLeNet, (3, 32, 32)),
    "original": (Original, (1, 28, 28)),
    "nested": (Nested, (1, 28, 28)),
    "oneline": (OneLine, (1, 28, 28)),
    "inplace": (InPlace, (1, 28, 28)),
    "reused": (Reused, (1, 28, 28)),
    "strided": (strided, (3, 21, 26)),
    "normalised": (normalised, (1, 28, 28)),
}


def build(name: str) -> tuple[nn.Module, Tensor]:
    """A network with random weights and statistics, and two pictures for it."""
    make, shape = NETWORKS[name]
    torch.manual_seed(len(name))
    model: nn.Module = make()  # type: ignore[operator]
    images = torch.randn(2, *shape)
    model(images)
    for module in model.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm) and module.running_var is not None:
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
            if module.affine:
                nn.init.normal_(module.weight)
                nn.init.normal_(module.bias)
    return model, images
