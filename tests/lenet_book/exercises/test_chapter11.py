"""What the checks of chapter 11 answer to typical mistakes: each has a hint of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.optim.lr_scheduler import OneCycleLR, StepLR
from torchvision import transforms

from lenet.models.modern import ResidualBlock
from lenet_book.exercises import chapter11 as check
from tests.sources import cells_of, value_of


@pytest.fixture(scope="module")
def chapter() -> dict[str, Any]:
    """The names of the chapter that its exercises need, and its cells by id."""
    cells = cells_of("11_beyond_lenet")
    names: dict[str, Any] = {"cells": cells}
    for name in ("imports", "checks"):
        value_of(cells[name], names)
    return names


def test_every_exercise_has_a_solution_that_its_check_accepts(chapter: dict[str, Any]) -> None:
    cells = chapter["cells"]
    value_of(cells["answer-4"], chapter)
    names = ("solution-3", "solution-4", "solution-5", "solution-5-transforms")
    assert [str(value_of(cells[name], chapter)) for name in names] == ["Right."] * 4
    value_of(cells["solution-5-program"], chapter)
    assert 0 <= chapter["correct"] <= 300
    assert check.stack(3, 110_592).right
    assert check.augmentations(["satellite", "clothes", "photos"], ["satellite"]).right
    assert check.block(ResidualBlock).right


@pytest.mark.parametrize("number", [1, 2, 5])
def test_what_is_not_filled_in_is_not_answered(chapter: dict[str, Any], number: int) -> None:
    assert str(value_of(chapter["cells"][f"answer-{number}"], chapter)) == "Not answered yet."


def test_functions_that_are_not_written_yet(chapter: dict[str, Any]) -> None:
    assert "Is there a return?" in str(value_of(chapter["cells"]["answer-3"], chapter))
    assert "No weight was updated" in str(value_of(chapter["cells"]["answer-5-training"], chapter))


@pytest.mark.parametrize(
    ("answers", "hint"),
    [
        (("3", 110_592), "'3' is no whole number"),
        ((2, 73_728), "Two see 5 pixels"),
        ((4, 147_456), "two too many"),
        ((5, 184_320), "adds 2, not 1"),
        ((7, 258_048), "7 of them see 15 pixels"),
        ((3, 36_864), "one of the three"),
        ((3, 1_728), "64 channels deep"),
        ((3, 110_784), "You counted biases"),
        ((3, 200_704), "the 7×7 convolution"),
        ((3, 5), "the parameters are not"),
    ],
)
def test_stack(answers: tuple[Any, Any], hint: str) -> None:
    verdict = check.stack(*answers)
    assert not verdict.right
    assert hint in verdict.text


MAY_MIRROR = ["clothes", "photos", "satellite"]


@pytest.mark.parametrize(
    ("answers", "hint"),
    [
        (("photos", ["satellite"]), "no list of names"),
        ((["birds"], ["satellite"]), "'birds' is none of"),
        ((["digits", *MAY_MIRROR], ["satellite"]), "a mirrored 2"),
        ((["photos", "satellite"], ["satellite"]), "a shirt in a mirror"),
        ((["clothes", "satellite"], ["satellite"]), "the other way"),
        ((["clothes", "photos"], ["satellite"]), "a field in a mirror"),
        ((MAY_MIRROR, ["digits", "satellite"]), "turn a 6 twice"),
        ((MAY_MIRROR, ["clothes", "satellite"]), "any test picture of clothes"),
        ((MAY_MIRROR, ["photos", "satellite"]), "on their bow"),
        ((MAY_MIRROR, []), "where is up"),
    ],
)
def test_augmentations(answers: tuple[Any, Any], hint: str) -> None:
    verdict = check.augmentations(*answers)
    assert not verdict.right
    assert hint in verdict.text


Fold = Callable[[nn.Conv2d, nn.BatchNorm2d], Any]


def folded(
    factor: Callable[[Any], Tensor] = lambda n: n.weight / (n.running_var + n.eps).sqrt(),
    bias: Callable[[Any, Tensor], Tensor] = lambda n, f: n.bias - n.running_mean * f,
) -> Fold:
    """An answer to exercise 3, with one thing another way."""

    def fold(conv: nn.Conv2d, norm: Any) -> tuple[Tensor, Tensor]:
        right = norm.weight / (norm.running_var + norm.eps).sqrt()
        return conv.weight * factor(norm).reshape(-1, 1, 1, 1), bias(norm, right)

    return fold


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda conv, norm: conv.weight, "Return two things"),
        (lambda conv, norm: (conv.weight, conv.bias), "a NoneType in place of a tensor"),
        (lambda conv, norm: (conv.weight, norm.bias.reshape(8, 1)), "has shape (8, 1)"),
        (folded(lambda n: torch.ones(8)), "the convolution's own"),
        (folded(lambda n: n.weight), "multiplied by γ alone"),
        (folded(lambda n: n.weight / (n.running_var + n.eps)), "the square root is missing"),
        (folded(lambda n: n.weight / n.running_var.sqrt()), "ε is missing"),
        (folded(lambda n: 1 / (n.running_var + n.eps).sqrt()), "γ is missing"),
        (folded(lambda n: n.weight * 2), "Each filter has one factor"),
        (folded(bias=lambda n, f: n.bias), "μ is missing"),
        (folded(bias=lambda n, f: n.bias - n.running_mean), "scaled like the weight"),
        (folded(bias=lambda n, f: n.bias + n.running_mean * f), "subtracted, not added"),
        (folded(bias=lambda n, f: -n.running_mean * f), "β is missing"),
        (folded(bias=lambda n, f: n.bias * f), "It differs still"),
        (lambda conv, norm: (conv.weight * norm.weight, norm.bias), "must match the size"),
    ],
)
def test_folded(function: Fold, hint: str) -> None:
    verdict = check.folded(function)
    assert not verdict.right
    assert hint in verdict.text


class OwnBlock(ResidualBlock):
    """A residual block whose ways can be changed."""

    def first(self, x: Tensor) -> Tensor:
        return F.relu(self.bn1(self.conv1(x)))

    def second(self, x: Tensor) -> Tensor:
        y: Tensor = self.bn2(self.conv2(self.first(x)))
        return y


class NoSum(OwnBlock):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(x))


class NoLastRelu(OwnBlock):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.second(x) + self.shortcut(x)
        return y


class EarlyRelu(OwnBlock):
    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = F.relu(self.second(x)) + self.shortcut(x)
        return y


class SharedNorm(OwnBlock):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.bn1(self.conv2(self.first(x))) + self.shortcut(x))


class NoInnerRelu(OwnBlock):
    def first(self, x: Tensor) -> Tensor:
        y: Tensor = self.bn1(self.conv1(x))
        return y

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(x) + self.shortcut(x))


class AnotherWay(OwnBlock):
    def forward(self, x: Tensor) -> Tensor:
        return F.relu(self.second(x) * 2 + self.shortcut(x))


class OnlyIdentity(ResidualBlock):
    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__(in_channels, out_channels, stride)
        self.shortcut = nn.Identity()


def shortcut_of(*layers: Callable[[int, int, int], nn.Module]) -> type[nn.Module]:
    """A block whose shortcut is made of layers, where something changes."""

    class Block(ResidualBlock):
        def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
            super().__init__(in_channels, out_channels, stride)
            if in_channels != out_channels:
                made = [layer(in_channels, out_channels, stride) for layer in layers]
                self.shortcut = nn.Sequential(*made)

    return Block


class AlwaysConvolved(ResidualBlock):
    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__(in_channels, out_channels, stride)
        self.shortcut = nn.Conv2d(in_channels, out_channels, 1, stride=stride)


class NoForward(ResidualBlock):
    forward = nn.Module.forward


class NoNorm2(ResidualBlock):
    def __init__(self, *sizes: int) -> None:
        super().__init__(*sizes)
        del self.bn2


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        (OnlyIdentity, "do not fit"),
        (AlwaysConvolved, "pass untouched"),
        (shortcut_of(lambda i, o, s: nn.Conv2d(i, o, 1, stride=s)), "A batch norm follows"),
        (shortcut_of(lambda i, o, s: nn.Conv2d(i, o, 3, s, 1)), "kernel is 3×3"),
        (shortcut_of(lambda i, o, s: nn.Conv2d(i, o, 1)), "A batch norm follows"),
        (
            shortcut_of(lambda i, o, s: nn.Conv2d(i, o, 1), lambda i, o, s: nn.BatchNorm2d(o)),
            "do not fit",
        ),
        (NoSum, "The shortcut is not added"),
        (NoLastRelu, "The last ReLU is missing"),
        (EarlyRelu, "never take away"),
        (SharedNorm, "Who uses `bn2`?"),
        (NoInnerRelu, "between the convolutions"),
        (AnotherWay, "takes another way"),
        (NoNorm2, "has no `bn2`"),
        (NoForward, "no `forward` yet"),
    ],
)
def test_block(kind: type[nn.Module], hint: str) -> None:
    verdict = check.block(kind)
    assert not verdict.right
    assert hint in verdict.text


def test_the_block_as_it_was_given(chapter: dict[str, Any]) -> None:
    assert "Who uses `bn2`?" in str(value_of(chapter["cells"]["answer-4"], chapter))


TENSOR, NORM = transforms.ToTensor(), transforms.Normalize((0.5,) * 3, (0.25,) * 3)
CROP, FLIP = transforms.RandomCrop(32, padding=4), transforms.RandomHorizontalFlip()


def chain(*steps: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return transforms.Compose(steps)


PLAIN = chain(TENSOR, NORM)


@pytest.mark.parametrize(
    ("train", "test", "hint"),
    [
        (chain(CROP, FLIP, TENSOR, NORM), chain(CROP, TENSOR, NORM), "chance in the test"),
        (chain(CROP, FLIP), PLAIN, "Where is ToTensor?"),
        (chain(CROP, FLIP, TENSOR), PLAIN, "no Normalize?"),
        (chain(FLIP, TENSOR, NORM), PLAIN, "never shifted"),
        (chain(CROP, TENSOR, NORM), PLAIN, "never mirrored"),
        (chain(CROP, transforms.RandomHorizontalFlip(1), TENSOR, NORM), PLAIN, "All training"),
        (chain(CROP, transforms.RandomVerticalFlip(), TENSOR, NORM), PLAIN, "upside down"),
        (chain(transforms.RandomCrop(32, 2), FLIP, TENSOR, NORM), PLAIN, "up to 2 pixels"),
        (chain(transforms.RandomCrop(28), FLIP, TENSOR, NORM), PLAIN, "(3, 28, 28)"),
        (chain(transforms.RandomRotation(20), TENSOR, NORM), PLAIN, "more than shifted"),
        (chain(TENSOR, transforms.RandomResizedCrop(32), NORM), PLAIN, "more than shifted"),
    ],
)
def test_transforms(train: Callable[[Any], Any], test: Callable[[Any], Any], hint: str) -> None:
    verdict = check.transforms(train, test)
    assert not verdict.right
    assert hint in verdict.text


def test_transforms_may_shift_after_the_norm() -> None:
    assert check.transforms(chain(TENSOR, NORM, CROP, FLIP), PLAIN).right


def trainer(
    kind: Callable[..., Any] = torch.optim.AdamW,
    decay: float = 0.05,
    plan: Callable[[Any, int], Any] | None = lambda o, n: OneCycleLR(o, 0.01, total_steps=n),
    each: str = "update",
    left_out: str = "",
) -> Callable[..., None]:
    """An answer to exercise 5, with one thing another way."""

    def train(network: nn.Module, loader: Any, epochs: int) -> None:
        optimizer = kind(network.parameters(), lr=0.01, weight_decay=decay)
        scheduler = plan(optimizer, epochs * len(loader)) if plan else None
        network.train(left_out != "train")
        for _ in range(1 if left_out == "epochs" else epochs):
            for images, labels in loader:
                if left_out != "zero_grad":
                    optimizer.zero_grad()
                loss = F.cross_entropy(network(images), labels)
                if left_out != "backward":
                    loss.backward()
                optimizer.step()
                if scheduler and each == "update":
                    scheduler.step()
            if scheduler and each == "epoch":
                scheduler.step()

    return train


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (trainer(torch.optim.Adam), "Adam mixes the decay"),
        (trainer(torch.optim.SGD), "Your optimizer is SGD"),
        (trainer(decay=0.0), "weight decay is 0"),
        (trainer(left_out="zero_grad"), "Where is zero_grad?"),
        (trainer(left_out="backward"), "where is backward?"),
        (trainer(left_out="train"), "Call network.train()"),
        (trainer(plan=lambda o, n: OneCycleLR(o, 0.01, total_steps=n), left_out="epochs"), "20"),
        (trainer(plan=None), "Where is scheduler.step()?"),
        (trainer(each="epoch"), "once an epoch"),
        (trainer(plan=lambda o, n: OneCycleLR(o, 0.01, total_steps=5)), "fewer steps"),
        (trainer(plan=lambda o, n: OneCycleLR(o, 0.01, total_steps=3 * n)), "still high"),
        (trainer(plan=lambda o, n: StepLR(o, 1, gamma=0.5)), "only falls"),
        (lambda network, loader, epochs: network(torch.zeros(2, 5)), "stopped at the line"),
    ],
)
def test_training(function: Callable[..., None], hint: str) -> None:
    verdict = check.training(function)
    assert not verdict.right
    assert hint in verdict.text


def test_a_training_that_is_right_and_nothing_watched_afterwards() -> None:
    assert check.training(trainer()).right
    weight = torch.zeros(1, requires_grad=True)
    weight.grad = torch.ones(1)
    torch.optim.SGD([weight], lr=1.0).step()
    assert weight.grad == 1
