"""What an explanation prints is what works: each fix is made in the file, and the file runs."""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from pathlib import Path
from string import Template

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from lenet.shapes import Fix, explain
from lenet.shapes.edits import apply_edits
from tests.sources import load_file, make_by_hand

HEAD = """
from collections import OrderedDict
from dataclasses import dataclass

import torch
import torch.nn.functional as F
import torchvision
from torch import nn

"""

STYLES = {
    "functions": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d($c0, $c1, $k1, padding=$p1)
        self.conv2 = nn.Conv2d($d1, $c2, kernel_size=$k2, padding=$p2)
        self.fc1 = nn.Linear($features, $hidden)
        self.fc2 = nn.Linear($hidden_in, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), $pool)
        x = F.max_pool2d(F.relu(self.conv2(x)), $pool)
        $flatten
        x = F.relu(self.fc1(x))
        return self.fc2(x)
""",
    "sequential": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.net = nn.Sequential(
            nn.Conv2d($c0, $c1, $k1, padding=$p1),
            nn.ReLU(),
            nn.MaxPool2d($pool),
            nn.Conv2d($d1, $c2, $k2, padding=$p2),
            nn.ReLU(),
            nn.MaxPool2d($pool),
            ${flatten_layer}
            nn.Linear($features, $hidden),
            nn.ReLU(),
            nn.Linear($hidden_in, 10),
        )

    def forward(self, x):
        return self.net(x)
""",
    "blocks": """
class Block(nn.Module):
    def __init__(self, before, after, kernel, padding):
        super().__init__()
        self.conv = nn.Conv2d(before, after, kernel, padding=padding)
        self.norm = nn.BatchNorm2d(after)
        self.pool = nn.MaxPool2d($pool)

    def forward(self, x):
        return self.pool(F.relu(self.norm(self.conv(x))))


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.block1 = Block($c0, $c1, $k1, $p1)
        self.block2 = Block($d1, $c2, $k2, padding=$p2)
        self.head = nn.Sequential(nn.Linear($features, $hidden), nn.ReLU())
        self.out = nn.Linear($hidden_in, 10)

    def forward(self, x):
        x = self.block2(self.block1(x))
        $flatten
        return self.out(self.head(x))
""",
    "ordered": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(OrderedDict([
            ("conv1", nn.Conv2d($c0, $c1, $k1, padding=$p1)),
            ("relu1", nn.ReLU()),
            ("pool1", nn.MaxPool2d($pool)),
            ("conv2", nn.Conv2d($d1, $c2, $k2, padding=$p2)),
            ("relu2", nn.ReLU()),
            ("pool2", nn.MaxPool2d($pool)),
        ]))
        self.classifier = nn.Sequential(OrderedDict([
            ("fc1", nn.Linear($features, $hidden)),
            ("relu", nn.ReLU()),
            ("fc2", nn.Linear($hidden_in, 10)),
        ]))

    def forward(self, images):
        x = self.features(images)
        $flatten
        return self.classifier(x)
""",
    "loop": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.convs = nn.ModuleList()
        for before, after, kernel, padding in [($c0, $c1, $k1, $p1), ($d1, $c2, $k2, $p2)]:
            self.convs.append(nn.Conv2d(before, after, kernel, padding=padding))
        self.linears = nn.ModuleList([nn.Linear($features, $hidden), nn.Linear($hidden_in, 10)])

    def forward(self, x):
        for conv in self.convs:
            x = F.max_pool2d(torch.relu(conv(x)), $pool)
        $flatten
        return self.linears[1](torch.relu(self.linears[0](x)))
""",
    "functional": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.kernels1 = nn.Parameter(torch.randn($c1, $c0, $k1, $k1))
        self.kernels2 = nn.Parameter(torch.randn($c2, $d1, $k2, $k2))
        self.weight = nn.Parameter(torch.randn($hidden, $features))
        self.out = nn.Linear($hidden_in, 10)

    def forward(self, x):
        x = F.max_pool2d(F.conv2d(x, self.kernels1, padding=$p1).relu(), $pool)
        x = F.max_pool2d(F.conv2d(x, self.kernels2, padding=$p2).relu(), kernel_size=$pool)
        $flatten
        return self.out(F.linear(x, self.weight).relu())
""",
    "one line": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.c1, self.c2 = nn.Conv2d($c0, $c1, $k1, 1, $p1), nn.Conv2d($d1, $c2, $k2, 1, $p2)
        self.pool = nn.MaxPool2d($pool, $pool)
        self.f1 = nn.Linear($features, $hidden)
        self.f2 = nn.Linear($hidden_in, 10)

    def forward(self, x):
        return self.f2(F.relu(self.f1(self.pool(self.c2(self.pool(F.relu(self.c1(x)))))$suffix)))
""",
    "unpacked": """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        layers = [nn.Conv2d($c0, $c1, $k1, padding=$p1), nn.ReLU(), nn.MaxPool2d($pool)]
        layers += [nn.Conv2d($d1, $c2, $k2, padding=$p2), nn.ReLU(), nn.MaxPool2d($pool)]
        self.body = nn.Sequential(*layers)
        self.fc = nn.Sequential(nn.Linear($features, $hidden), nn.Tanh(), nn.Linear($hidden_in, 10))

    def forward(self, x):
        x = self.body(x)
        $flatten
        return self.fc(x)
""",
    "constants": """
COLOURS, WIDTH, DEPTH, HIDDEN = $c0, $c1, $c2, $hidden
CLASSES = 10


class Net(nn.Module):
    def __init__(self, kernel=$k1):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels=COLOURS, out_channels=WIDTH, kernel_size=kernel,
                               padding=$p1)
        self.conv2 = nn.Conv2d(WIDTH + $more_width, DEPTH, $k2, padding=$p2)
        self.pool = nn.MaxPool2d($pool)
        self.fc1 = nn.Linear(in_features=DEPTH * $side * $side + $rest, out_features=HIDDEN)
        self.fc2 = nn.Linear(HIDDEN + $more_hidden, CLASSES)

    def forward(self, x):
        x = self.pool(self.conv1(x).relu())
        x = self.pool(self.conv2(x).relu())
        $flatten
        return self.fc2(self.fc1(x).relu())
""",
    "configured": """
@dataclass
class Config:
    colours: int = $c0
    width: int = $c1
    depth: int = $c2
    kernel: int = $k1
    features: int = $features
    hidden: int = $hidden


class Net(nn.Module):
    def __init__(self, config=None):
        super().__init__()
        config = config or Config()
        self.conv1 = nn.Conv2d(config.colours, config.width, config.kernel, padding=$p1)
        self.conv2 = nn.Conv2d($d1, config.depth, $k2, padding=$p2)
        self.fc1 = nn.Linear(config.features, config.hidden)
        self.fc2 = nn.Linear($hidden_in, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), $pool)
        x = F.max_pool2d(F.relu(self.conv2(x)), $pool)
        $flatten
        return self.fc2(F.relu(self.fc1(x)))
""",
    "inherited": """
class Base(nn.Module):
    def __init__(self, features):
        super().__init__()
        self.conv1 = nn.Conv2d($c0, $c1, $k1, padding=$p1)
        self.conv2 = nn.Conv2d($d1, $c2, $k2, padding=$p2)
        self.fc1 = nn.Linear(features, $hidden)

    def maps(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), $pool)
        return F.max_pool2d(F.relu(self.conv2(x)), $pool)


class Net(Base):
    def __init__(self):
        super().__init__($features)
        self.fc2 = nn.Linear($hidden_in, 10)

    def forward(self, x):
        x = self.maps(x)
        $flatten
        return self.fc2(F.relu(self.fc1(x)))
""",
    "torchvision": """
def Net():
    model = torchvision.models.resnet18()
    model.conv1 = nn.Conv2d($c0, 64, $k1, stride=2, padding=$p1)
    model.fc = nn.Sequential(nn.Linear($wide, $hidden), nn.ReLU(), nn.Linear($hidden_in, 10))
    return $returned
""",
}


@dataclass(frozen=True)
class Plan:
    """The numbers of a network, before and after something in it is broken.

    Attributes:
        style: how it is written.
        images: the shape of the pictures.
        c0, c1, c2: channels of the pictures and behind each convolution.
        d1: channels that the second convolution expects.
        k1, k2, p1, p2: kernel sizes and paddings.
        pool: the kernel size of both poolings.
        features, hidden, hidden_in: what the first linear layer takes and gives, the second takes.
        suffix: the code that flattens the maps.
        dtype: of the pictures.
    """

    style: str
    images: tuple[int, ...]
    c0: int
    c1: int
    c2: int
    d1: int
    k1: int
    k2: int
    p1: int
    p2: int
    pool: int
    features: int
    hidden: int
    hidden_in: int
    suffix: str
    dtype: torch.dtype = torch.float32
    wide: int = 512

    def source(self) -> str:
        layer = {".flatten()": "nn.Flatten(0),", "": ""}.get(self.suffix, "nn.Flatten(),")
        body = "nn.Sequential(*list(model.children())[:-1], model.fc)"
        side = math.isqrt(self.features // self.c2)
        written = vars(self) | {
            "side": side,
            "rest": self.features - self.c2 * side**2,
            "more_width": self.d1 - self.c1,
            "more_hidden": self.hidden_in - self.hidden,
            "flatten": f"x = x{self.suffix}" if self.suffix else "",
            "flatten_layer": layer,
            "returned": "model" if self.suffix else body,
        }
        return HEAD + Template(STYLES[self.style]).substitute(written)

    def pictures(self) -> Tensor:
        return torch.rand(self.images).mul(255).to(self.dtype)


def sound_plan(rng: random.Random, style: str) -> Plan:
    """The plan of a network that works."""
    size, colours = rng.choice([24, 28, 32, 36]), rng.choice([1, 3])
    width, depth, hidden = rng.randint(2, 6), rng.randint(4, 8), rng.randint(8, 16)
    kernels = [rng.choice([3, 5]) for _ in range(2)]
    paddings = [rng.choice([0, kernel // 2]) for kernel in kernels]
    final = size
    for kernel, padding in zip(kernels, paddings, strict=True):
        final = (final + 2 * padding - kernel + 1) // 2
    features = depth * final**2
    suffixes = [".flatten(1)", ".view(x.size(0), -1)", ".reshape(x.shape[0], -1)"]
    suffixes.append(f".view(-1, {features})")
    return Plan(
        style, (rng.randint(2, 4), colours, size, size), colours, width, depth, width, *kernels,
        *paddings, 2, features, hidden, hidden, rng.choice(suffixes),
    )  # fmt: skip


def broken_plan(plan: Plan, rng: random.Random) -> Plan:
    """The plan with one thing wrong."""
    number, colours, size, _ = plan.images
    other_size = rng.choice([size - 8, size + 8, size + 4, 64])
    ways = {
        "kernel": {"k1": rng.choice([1, 7, 9])},
        "kernel2": {"k2": rng.choice([1, 7])},
        "padding": {"p2": plan.p2 + rng.choice([1, 2])},
        "padding1": {"p1": rng.choice([1, 3])},
        "width": {"d1": plan.d1 + rng.choice([-1, 1, 2])},
        "features": {"features": plan.features + rng.choice([-7, 1, 12]), "wide": 2048},
        "hidden": {"hidden_in": plan.hidden_in + rng.choice([-1, 3])},
        "pool": {"pool": 3},
        "colours": {"images": (number, 4 - colours, size, size)},
        "alpha": {"images": (number, 4, size, size)},
        "size": {"images": (number, colours, other_size, other_size)},
        "flatten": {"suffix": ".flatten()"},
        "forgotten flatten": {"suffix": ""},
        "channels last": {"images": (number, size, size, colours)},
        "one picture": {"images": (colours, size, size)},
        "bytes": {"dtype": torch.uint8},
        "double": {"dtype": torch.float64},
    }
    return replace(plan, **ways[rng.choice(list(ways))])


def broken_network(seed: int, folder: Path) -> tuple[Path, Tensor]:
    """Write a network that fails, or loses its batch; return its file and the pictures."""
    rng = random.Random(seed)
    style = list(STYLES)[seed % len(STYLES)]
    path = folder / f"network_{seed}.py"
    while True:
        plan = broken_plan(sound_plan(rng, style), rng)
        torch.manual_seed(seed)
        path.write_text(plan.source())
        images = plan.pictures()
        try:
            works = load_file(path).Net().eval()(images).shape == (num_pictures(images), 10)
        except (RuntimeError, ValueError, IndexError):
            works = False
        if not works:
            return path, images


def num_pictures(images: Tensor) -> int:
    return len(images) if images.dim() == 4 else 1


def repaired(path: Path, images: Tensor, fix: Fix) -> Tensor:
    """Do what a fix prints, as its reader would, and run the network that comes of it."""
    assert all(Path(edit.file) == path for edit in fix.edits)
    copy = path.with_stem(f"{path.stem}_repaired")
    copy.write_text(apply_edits(path.read_text(), fix.edits))
    model, images = make_by_hand(fix, load_file(copy).Net().eval(), images)
    written = [*copy.read_text().splitlines(), *fix.statements]
    assert {line.strip() for line in fix.lines} <= {line.strip() for line in written}
    return model(images)


UNMENDED = {
    125,  # the shape of a parameter, written in `__init__` and used by a function
    *(78, 117, 165),  # grey pictures, channels last, and a later view: two things at once
}
MORE = [pytest.param(seed, marks=pytest.mark.slow) for seed in range(36, 300)]


@pytest.mark.parametrize("seed", [*range(36), *MORE])
def test_a_network_repaired_as_printed_works(seed, tmp_path):
    path, images = broken_network(seed, tmp_path)
    explanation = explain(load_file(path).Net(), images, seconds=60).explanation
    assert explanation is not None
    assert explanation.fixes or seed in UNMENDED
    for fix in explanation.fixes:
        assert repaired(path, images, fix).shape == (num_pictures(images), 10), fix.text
        assert all(line in str(explanation) for line in fix.lines)


class Dense(nn.Module):
    """Joins 8 and 8 channels for a convolution of 8, in maps of 8×8."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 8, 3, padding=1)
        self.head = nn.Conv2d(8, 10, 1)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.conv1(x))
        return self.head(torch.cat([x, self.conv2(x)], 1)).mean((2, 3))


def test_maps_are_not_turned_though_their_height_would_do_for_channels():
    (fix,) = explain(Dense(), torch.rand(3, 3, 8, 8)).explanation.fixes
    assert list(fix.lines) == ["self.head = nn.Conv2d(16, 10, 1)"]
