"""What the checks of chapter 1 answer to typical mistakes: each has a hint of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import pytest
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms

from lenet_book.exercises import chapter01 as check
from lenet_book.stand_in import find_datasets
from tests.sources import cells_of, value_of


@pytest.mark.filterwarnings("ignore:FigureCanvasAgg is non-interactive")
def test_every_exercise_has_a_solution_that_its_check_accepts() -> None:
    cells = cells_of("01_etl")
    names: dict[str, Any] = {"find_datasets": find_datasets}
    for name in ("imports", "root", "checks"):
        value_of(cells[name], names)
    solutions = [cell for name, cell in cells.items() if name.startswith("solution-")]
    assert len(solutions) == 4  # the fifth, the first exercise's, is in words
    assert [str(value_of(cell, names)) for cell in solutions] == ["Right."] * 4
    assert str(check.batches(235, 234, 96)) == "Right."


def test_what_is_not_filled_in_is_not_answered() -> None:
    assert str(check.batches(235, None, 96)) == "Not answered yet."  # type: ignore[arg-type]
    assert not check.batches(None, None, None).right  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("answers", "hint"),
    [
        ((234, 234, 96), "round up"),
        ((234, 235, 96), "the wrong way round"),
        ((234.375, 234, 96), "234.375 is no whole number"),
        (("235", 234, 96), "'235' is no whole number"),
        ((60_000, 234, 96), "for batches, not for images"),
        ((240, 234, 96), "divide the images by the batch size"),
        ((235, 235, 96), "a batch that is not full is left out"),
        ((235, 233, 96), "count the full batches alone"),
        ((235, 234, 256), "The last batch is not full"),
        ((235, 234, 160), "are missing from the last batch"),
        ((235, 234, 95), "how many images do full batches leave over"),
    ],
)
def test_batches(answers: tuple[int, int, int], hint: str) -> None:
    verdict = check.batches(*answers)
    assert not verdict.right
    assert hint in verdict.text


def column(numbers: Tensor) -> Tensor:
    return numbers.reshape(3, 1, 1)


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda x, m, s: None, "Is there a return?"),
        (lambda x, m, s: (x / 255 - m) / s, "its 3 meets the columns"),
        (lambda x, m, s: x / 255, "Now subtract the mean"),
        (lambda x, m, s: (x - column(m)) / column(s), "Bring the values to 0…1 first"),
        (lambda x, m, s: (x - column(m)) / 255 / column(s), "before you subtract"),
        (lambda x, m, s: x / 255 - column(m) / column(s), "brackets"),
        (lambda x, m, s: (x / 255 - column(m)) / column(s) ** 2, "once, not twice"),
        (lambda x, m, s: (x / 255 - column(m)) * column(s), "do not multiply"),
        (lambda x, m, s: x / 255 - column(m), "Now divide by std"),
        (lambda x, m, s: (x / 255 - m[0]) / s[0], "each has its own"),
        (
            lambda x, m, s: (
                (x / 255 - (x / 255).mean((0, 2, 3), keepdim=True))
                / (x / 255).std((0, 2, 3), keepdim=True)
            ),
            "that you are given",
        ),
        (lambda x, m, s: ((x / 255 - column(m)) / column(s)).double(), "torch.float32, not"),
        (lambda x, m, s: ((x / 255 - column(m)) / column(s))[0], "The shape should stay"),
        (lambda x, m, s: ((x / 255 - column(m)) / column(s)).numpy(), "not a ndarray"),
        (lambda x, m, s: (column(m) - x / 255) / column(s), "which operation comes first"),
        (lambda x, m, s: (x / 255 - mean) / s, "`(lambda x, m, s: (x / 255 - mean) / s,"),  # noqa: F821
        (lambda x: x / 255, "takes 1 positional argument"),
    ],
)
def test_normalised(function: Callable[..., Any], hint: str) -> None:
    verdict = check.normalised(function)
    assert not verdict.right
    assert hint in verdict.text


def test_another_way_to_normalise_is_right_too() -> None:
    steps = [transforms.ConvertImageDtype(torch.float32)]
    assert check.normalised(lambda x, m, s: transforms.Normalize(m, s)(steps[0](x))).right
    assert check.normalised(lambda x, m, s: (x.float() / 255 - m[:, None, None]) / s[:, None, None])


@pytest.mark.parametrize(
    ("function", "hint"),
    [
        (lambda image: image.reshape(4, 6, 3), "they move no axis"),
        (lambda image: image.view(4, 6, 3), "they move no axis"),
        (lambda image: image.permute(2, 1, 0), "rows and columns are exchanged"),
        (lambda image: image.transpose(0, 2), "rows and columns are exchanged"),
        (lambda image: image, "still come first"),
        (lambda image: image.transpose(0, 1), "in the middle"),
        (lambda image: image.permute(1, 2, 0).flip(0), "runs backwards"),
        (lambda image: image[0], "yours is (4, 6)"),
        (lambda image: None, "Is there a return?"),
        (lambda image: image.shape, "not a"),
        (lambda image: image.permute(1, 2), "Your code stopped at the line"),
        (lambda image: image.permute(1, 2, 0).roll(1, 0), "not at their pixels"),
    ],
)
def test_picture(function: Callable[..., Any], hint: str) -> None:
    verdict = check.picture(function)
    assert not verdict.right
    assert hint in verdict.text


def test_an_array_is_a_picture_too() -> None:
    assert check.picture(lambda image: image.permute(1, 2, 0).numpy()).right


class Kept(Dataset[Any]):
    """A right answer, from which the wrong ones below differ by a method."""

    def __init__(self, samples: Any, labels: Any, first: int, second: int) -> None:
        self.samples, self.labels, self.first, self.second = samples, labels, first, second
        self.kept = [i for i, label in enumerate(labels) if label in (first, second)]

    def __len__(self) -> int:
        return len(self.kept)

    def __getitem__(self, index: int) -> Any:
        image, label = self.samples[self.kept[index]]
        return image, int(label == self.second)


def but(**methods: Callable[..., Any]) -> type[Kept]:
    return type("TwoClasses", (Kept,), methods)


def without(name: str) -> type[Dataset[Any]]:
    methods = {key: value for key, value in vars(Kept).items() if key != name}
    return type("TwoClasses", (Dataset,), methods)


def keep_all(self: Any, samples: Any, labels: Any, first: int, second: int) -> None:
    Kept.__init__(self, samples, labels, first, second)
    self.kept = list(range(len(labels)))


def keep_first(self: Any, samples: Any, labels: Any, first: int, second: int) -> None:
    Kept.__init__(self, samples, labels, first, second)
    self.kept = [i for i, label in enumerate(labels) if label == first]


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        (type("TwoClasses", (Dataset,), {}), "no __init__ yet"),
        (without("__len__"), "no __len__ yet"),
        (without("__getitem__"), "no __getitem__ yet"),
        (but(__len__=lambda self: len(self.labels)), "counts the samples of all classes"),
        (but(__init__=keep_all), "counts the samples of all classes"),
        (but(__init__=keep_first), "keeps 3"),
        (but(__len__=lambda self: None), "Python says TypeError"),
        (but(__getitem__=lambda self, i: None), "Is there a return?"),
        (but(__getitem__=lambda self, i: self.samples[self.kept[i]][0]), "should return a pair"),
        (but(__getitem__=lambda self, i: (self.samples[self.kept[i]], 0)), "is a pair itself"),
        (but(__getitem__=lambda self, i: (self.samples[i][0], 0)), "wrong image"),
        (but(__getitem__=lambda self, i: self.samples[self.kept[i]]), "still the old ones"),
        (but(__getitem__=lambda self, i: (self.samples[self.kept[i]][0], 2)), "0 or 1, not 2"),
        (
            but(
                __getitem__=lambda self, i: (
                    self.samples[self.kept[i]][0],
                    int(self.samples[self.kept[i]][1] == self.first),
                )
            ),
            "should get the label",
        ),
        (
            but(
                __getitem__=lambda self, i: (
                    self.samples[self.kept[i]][0],
                    int(self.samples[self.kept[i]][1] == 9),
                )
            ),
            "With first=9 and second=7",
        ),
        (but(__getitem__=lambda self, i: self.sample[i]), "no attribute 'sample'"),
        (but(__init__=lambda self, samples: None), "takes 2 positional arguments"),
    ],
)
def test_two_classes(kind: type[Dataset[Any]], hint: str) -> None:
    verdict = check.two_classes(kind)
    assert not verdict.right
    assert hint in verdict.text


def test_two_classes_takes_the_class_itself() -> None:
    samples = [(torch.zeros(1), 7)]
    assert "without brackets" in check.two_classes(Kept(samples, [7], 7, 9)).text  # type: ignore[arg-type]
    assert check.two_classes(Kept).right


Loader = DataLoader[Any]


def loader(
    train: bool = True,
    *steps: Any,
    size: int = 100,
    shuffle: bool = True,
    opened: str = "FashionMNIST",
    transform: Any = None,
) -> Loader:
    root, datasets = find_datasets()
    steps = steps or (transforms.ToTensor(), transforms.Normalize(*numbers()))
    kind = getattr(datasets, opened)
    data = kind(root, train=train, transform=transform or transforms.Compose(steps))
    return DataLoader(data, batch_size=size, shuffle=shuffle)


def numbers() -> tuple[float, float]:
    root, datasets = find_datasets()
    pixels = datasets.FashionMNIST(root).data / 255
    return float(pixels.mean()), float(pixels.std())


def drawing(count: int = 10, title: str | None = "3") -> Figure:
    figure = Figure()
    for ax in figure.subplots(1, count, squeeze=False)[0]:
        ax.imshow([[0.0]])
        ax.set_title(title or "")
    return figure


def test_the_whole_so_far_is_right() -> None:
    assert (
        str(check.whole(loader(), loader(False, size=1000, shuffle=False), drawing())) == "Right."
    )


ToTensor, Normalize = transforms.ToTensor(), transforms.Normalize


@pytest.mark.parametrize(
    ("train", "hint"),
    [
        (lambda: loader().dataset, "not a DataLoader"),
        (lambda: loader(False), "The training loader holds 359 images"),
        (lambda: loader(size=10), "batches of 10, not of 100"),
        (lambda: loader(shuffle=False), "Shuffle it"),
        (lambda: loader(transform=lambda image: image), "no tensors yet"),
        (lambda: loader(True, ToTensor), "values still go from 0 to 1"),
        (lambda: loader(True, ToTensor, Normalize(0.1307, 0.3081)), "MNIST's numbers"),
        (lambda: loader(True, ToTensor, Normalize(0.5, 0.5)), "from −1 to 1"),
        (lambda: loader(True, ToTensor, *[Normalize(*numbers())] * 2), "normalised twice"),
        (lambda: loader(True, ToTensor, Normalize(72, 90)), "computed on values from 0 to 1"),
        (lambda: loader(True, Normalize(0.3, 0.3), ToTensor), "img should be Tensor Image"),
        (lambda: loader(True, ToTensor, torch.squeeze), "shape (28, 28), not (1, 28, 28)"),
    ],
)
def test_the_training_loader(train: Callable[[], Any], hint: str) -> None:
    verdict = check.whole(train(), loader(False, size=1000, shuffle=False), drawing())
    assert not verdict.right
    assert hint in verdict.text


@pytest.mark.parametrize(
    ("test", "hint"),
    [
        (lambda: loader(size=1000, shuffle=False), "there are 359 test images"),
        (lambda: loader(False, size=1000), "The test loader shuffles"),
        (lambda: loader(False, shuffle=False), "batches of 100, not of 1000"),
        (lambda: loader(False, ToTensor, size=1000, shuffle=False), "test images are not norm"),
        (list, "not a DataLoader"),
    ],
)
def test_the_test_loader(test: Callable[[], Any], hint: str) -> None:
    verdict = check.whole(loader(), test(), drawing())
    assert not verdict.right
    assert hint in verdict.text


@pytest.mark.parametrize(
    ("figure", "hint"),
    [
        (lambda: drawing(5), "shows 5 images, not ten"),
        (lambda: drawing(title=None), "no title"),
        (lambda: drawing(title="tensor(3)"), "index into classes"),
        (lambda: plt, "yours is a module"),
        (lambda: plt.subplots(2, 5), "yours is a tuple"),
        (lambda: Figure(), "shows 0 images"),
    ],
)
def test_the_figure(figure: Callable[[], Any], hint: str) -> None:
    verdict = check.whole(loader(), loader(False, size=1000, shuffle=False), figure())
    assert not verdict.right
    assert hint in verdict.text
