# ruff: noqa: E501, F401 (a row is a line of its table, and uses what is imported)
"""What is handed to the package by mistake: each door says what is wrong, or does what is right.

Every row is code as one would type it, and words of the answer. The tables of data and training
stand here, those of networks and shapes, and of widgets and figures, in the modules beside it.
"""

from __future__ import annotations

import copy
import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import Tensor, nn

from lenet import data as rooms_data
from lenet import train as rooms_train
from lenet.data import preparing
from lenet.data.placing import place_digit, place_garment
from lenet.models import WEIGHTS, NarrowLeNet, read_card
from lenet.shapes import ShapeError, explaining
from lenet.train import checkpoint
from tests.faults.wrong_inputs import ANYTHING, Door, finite

NAN, INF = math.nan, math.inf
PIXELS = torch.randint(0, 256, (6, 1, 28, 28), dtype=torch.uint8)
LABELS = torch.tensor([0, 1, 2, 0, 1, 2])
EXAMPLES = rooms_data.LabelledImages(PIXELS, LABELS)
DATA = rooms_data.ImageData("few", "made up", ("a", "b", "c"), EXAMPLES, EXAMPLES, (0.5,), (0.25,))
LOGITS = torch.eye(3).repeat(2, 1)
BATCHES = DATA.batches("train", 4)


def net(num_outputs: int = 3) -> nn.Module:
    return nn.Sequential(nn.Flatten(), nn.Linear(784, num_outputs))


def frozen(model: nn.Module) -> nn.Module:
    return model.requires_grad_(False)


class AsDict(nn.Module):
    """Gives what a detection network gives."""

    def __init__(self) -> None:
        super().__init__()
        self.inner = net()

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        return {"logits": self.inner(images)}


class Breaks(AsDict):
    """Has a mistake of its own in it."""

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        raise LookupError("a mistake in forward")


def detached(logits: Tensor, labels: Tensor) -> Tensor:
    return F.cross_entropy(logits.detach(), labels)


def fit(model: Any, data: Any = DATA, **chosen: Any) -> object:
    return rooms_train.fit(
        model, data, rooms_train.Settings(device="cpu", epochs=1, **chosen), progress=False
    )


NAMES = {
    **vars(rooms_data), **vars(rooms_train), **vars(preparing), **globals(), "cpu": "cpu",
}  # fmt: skip

DATA_ROWS = [
    ("normalise(PIXELS.float(), (0.5,), (0.5,))", "uint8 (N, C, H, W), not float32 (6, 1, 28, 28)"),
    ("normalise(PIXELS.long(), (0.5,), (0.5,))", "uint8 (N, C, H, W), not int64"),
    ("normalise(PIXELS > 9, (0.5,), (0.5,))", "not bool"),
    ("normalise(PIXELS[0], (0.5,), (0.5,))", "uint8 (N, C, H, W), not uint8 (1, 28, 28)"),
    ("normalise(PIXELS[:0], (0.5,), (0.5,))", "images must hold something, not uint8 (0, 1, 28, 28)"),
    ("normalise(PIXELS.numpy(), (0.5,), (0.5,))", "images must be a tensor (N, C, H, W), not a ndarray"),
    ("normalise([[1]], (0.5,), (0.5,))", "images must be a tensor (N, C, H, W), not [[1]]"),
    ("normalise(None, (0.5,), (0.5,))", "not None; torch.as_tensor makes one"),
    ("normalise(PIXELS, (0.5,), (0.0,))", "std must be a finite number above 0 for each of 1 channels"),
    ("normalise(PIXELS, (0.5,), (-1.0,))", "std must be a finite number above 0"),
    ("normalise(PIXELS, (0.5,), (NAN,))", "std must be a finite number above 0"),
    ("normalise(PIXELS, (0.5,), (INF,))", "std must be a finite number above 0"),
    ("normalise(PIXELS, (NAN,), (0.5,))", "mean must be a finite number for each of 1 channels, not (nan,)"),
    ("normalise(PIXELS, (-INF,), (0.5,))", "mean must be a finite number"),
    ("normalise(PIXELS, (0.1, 0.2), (0.5,))", "for each of 1 channels, not (0.1, 0.2)"),
    ("normalise(PIXELS.expand(6, 3, 28, 28), (0.1, 0.2), (0.5,))", "for each of 3 channels"),
    ("normalise(PIXELS, (), (0.5,))", "mean must be a finite number"),
    ("normalise(PIXELS, ('a',), (0.5,))", "mean must be a finite number"),
    ("normalise(PIXELS, None, (0.5,))", "mean must be a finite number"),
    ("normalise(PIXELS, (0.5,), 'x')", "std must be a finite number"),
    ("channel_statistics(PIXELS[:, 0])", "uint8 (N, C, H, W), not uint8 (6, 28, 28)"),
    ("channel_statistics(PIXELS[:0])", "must hold something"),
    ("channel_statistics(PIXELS.float())", "not float32"),
    ("channel_statistics(PIXELS.numpy())", "must be a tensor"),
    ("channel_statistics(torch.zeros(3, 1, 0, 9, dtype=torch.uint8))", "must hold something"),
    ("channel_statistics('images')", "must be a tensor (N, C, H, W), not 'images'"),
    ("LabelledImages(PIXELS.float(), LABELS)", "images must be uint8"),
    ("LabelledImages(PIXELS[0], LABELS)", "not uint8 (1, 28, 28)"),
    ("LabelledImages(PIXELS.numpy(), LABELS)", "images must be a tensor"),
    ("LabelledImages(PIXELS, LABELS.float())", "labels must be int64 (N,), not float32 (6,)"),
    ("LabelledImages(PIXELS, LABELS.int())", "not int32"),
    ("LabelledImages(PIXELS, LABELS > 0)", "not bool"),
    ("LabelledImages(PIXELS, LABELS[:, None])", "not int64 (6, 1)"),
    ("LabelledImages(PIXELS, LABELS[:4])", "(6,), one for each image, not int64 (4,)"),
    ("LabelledImages(PIXELS, [0] * 6)", "labels must be a tensor"),
    ("LabelledImages(PIXELS, None)", "labels must be a tensor (N,), not None"),
    ("EXAMPLES[3]", "images must be uint8 (N, C, H, W), not uint8 (1, 28, 28)"),
    ("EXAMPLES.to('nowhere')", "device 'nowhere' cannot be used here"),
    ("EXAMPLES.to('meta')", "holds shapes and no numbers"),
    ("EXAMPLES.to('cuda:99')", "device 'cuda:99' cannot be used here"),
    ("EXAMPLES.to(None)", "device None cannot be used here"),
    ("DATA.to('mps:7')", "device 'mps:7' cannot be used here"),
    ("replace(DATA, std=(0.5, 0.5))", "std must be a finite number for each of 1 channels"),
    ("replace(DATA, std=(NAN,))", "std must be a finite number"),
    ("replace(DATA, std=(-0.5,))", "std must be a finite number"),
    ("replace(DATA, mean=())", "mean must be a finite number for each of 1 channels"),
    ("replace(DATA, mean=None)", "mean must be a finite number"),
    ("replace(DATA, classes=('a', 'b'))", "labels go from 0 to 2, and there are 2 classes"),
    ("replace(DATA, train=LabelledImages(PIXELS, LABELS - 1))", "labels go from -1 to 1"),
    ("replace(DATA, test=LabelledImages(PIXELS, LABELS + 1))", "labels go from 1 to 3"),
    ("replace(DATA, train=PIXELS)", "train must be a LabelledImages, not uint8 (6, 1, 28, 28)"),
    ("replace(DATA, test=None)", "test must be a LabelledImages, not None"),
    ("replace(DATA, test=DATA.pad(2).test)", "they must have one shape"),
    ("DATA.pad(-1)", "num_pixels must be a whole number, at least 0, not -1"),
    ("DATA.pad(1.5)", "num_pixels must be a whole number, at least 0, not 1.5"),
    ("DATA.pad(True)", "num_pixels must be a whole number"),
    ("DATA.pad((2, 2))", "not (2, 2)"),
    ("DATA.batches('validation')", "split must be 'train' or 'test', not 'validation'"),
    ("DATA.batches(None)", "split must be 'train' or 'test', not None"),
    ("DATA.batches(['train'])", "split must be 'train' or 'test', not ['train']"),
    ("DATA.batches('train', 0)", "batch_size must be a whole number, at least 1, not 0"),
    ("DATA.batches('train', -5)", "batch_size must be a whole number, at least 1, not -5"),
    ("DATA.batches('train', 1.5)", "not 1.5"),
    ("DATA.batches('train', True)", "not True"),
    ("DATA.batches('train', '10')", "not '10'"),
    ("DATA.batches('train', None)", "not None"),
    ("DATA.batches('train', NAN)", "not nan"),
    ("replace(DATA, std=(0.0,)).batches('train')", "std must be a finite number above 0"),
    ("Batches(EXAMPLES, (0.5,), (0.0,), 4)", "std must be a finite number above 0"),
    ("Batches(EXAMPLES, (0.5, 0.5), (0.5,), 4)", "mean must be a finite number for each of 1 channels"),
    ("Batches(PIXELS, (0.5,), (0.5,), 4)", "examples must be a LabelledImages"),
    ("Batches(None, (0.5,), (0.5,), 4)", "examples must be a LabelledImages, not None"),
    ("DATA.hold_out(0)", "num_images must be a whole number, from 1 to 5, not 0"),
    ("DATA.hold_out(6)", "from 1 to 5, not 6"),
    ("DATA.hold_out(0.2)", "not 0.2"),
    ("DATA.hold_out('2')", "not '2'"),
    ("DATA.hold_out(2, seed=-1)", "seed must be a whole number, from 0 to"),
    ("DATA.hold_out(2, seed=0.5)", "seed must be a whole number"),
    ("DATA.hold_out(2, seed=None)", "seed must be a whole number"),
    ("load('minst')", "unknown data set 'minst': choose one of fashion-mnist, mnist, cifar-10"),
    ("load('MNIST ')", "unknown data set"),
    ("load('nowhere/at/all')", "there is none there"),
    ("load('a\\0b')", "unknown data set"),
    ("load(None)", "NoneType"),
    ("load(5)", "int"),
    ("load('mnist', 5)", "int"),
    ("load('mnist', ['here'])", "list"),
    ("load(['mnist'])", "list"),
    ("load('mnist', size=(28, 28))", "size and channels are for your own pictures; mnist has its own"),
    ("load('mnist', size=28)", "for your own pictures"),
    ("load('cifar-10', channels=1)", "for your own pictures"),
    ("load(FOLDER, size=28)", "size must be height and width, such as (28, 28), from 1 to 4,096 each, not 28"),
    ("load(FOLDER, size=(28,))", "not (28,)"),
    ("load(FOLDER, size=(28, 28, 1))", "not (28, 28, 1)"),
    ("load(FOLDER, size=(0, 28))", "not (0, 28)"),
    ("load(FOLDER, size=(-1, 28))", "not (-1, 28)"),
    ("load(FOLDER, size=(28.5, 28))", "not (28.5, 28)"),
    ("load(FOLDER, size='28x28')", "not '28x28'"),
    ("load(FOLDER, size=(10**6, 10**6))", "from 1 to 4,096 each"),
    ("load(FOLDER, size=(True, 28))", "not (True, 28)"),
    ("load(FOLDER, channels=2)", "channels must be 1 (grey) or 3 (colour), not 2"),
    ("load(FOLDER, channels=0)", "not 0"),
    ("load(FOLDER, channels=True)", "not True"),
    ("load(FOLDER, channels='3')", "not 3"),
    ("load(FOLDER, channels=NAN)", "not nan"),
    ("dataset('minst')", "unknown data set"),
    ("dataset('mnist', size=28)", "for your own pictures"),
    ("dataset(FOLDER, size=28)", "size must be height and width"),
    ("dataset(None)", "NoneType"),
    ("RandomAffine(degrees=-1)", "degrees must be a finite number from 0 on, not -1"),
    ("RandomAffine(degrees=NAN)", "degrees must be a finite number from 0 on, not nan"),
    ("RandomAffine(scale=0)", "scale must be a finite number above 0, not 0"),
    ("RandomAffine(scale=INF)", "scale must be a finite number above 0, not inf"),
    ("RandomAffine(shear='0.2')", "shear must be a finite number from 0 on, not '0.2'"),
    ("RandomAffine(shift=(2, 2))", "shift must be a finite number from 0 on, not (2, 2)"),
    ("RandomAffine(squeeze=-1)", "squeeze must be a finite number above 0, not -1"),
    ("RandomAffine(PIXELS)", "degrees must be a finite number from 0 on, not uint8"),
    ("RandomAffine()(PIXELS)", "images must be float32 (N, C, H, W), not uint8"),
    ("RandomAffine()(PIXELS[0].float())", "not float32 (1, 28, 28)"),
    ("RandomAffine()(PIXELS[:0].float())", "must hold something"),
    ("RandomAffine()(PIXELS.numpy())", "must be a tensor"),
    ("RandomCropFlip(padding=-1)", "padding must be a whole number, at least 0, not -1"),
    ("RandomCropFlip(padding=1.5)", "padding must be a whole number, at least 0, not 1.5"),
    ("RandomCropFlip(flip=2)", "flip must be a finite number from 0 to 1, not 2"),
    ("RandomCropFlip(flip=NAN)", "flip must be a finite number from 0 to 1, not nan"),
    ("RandomCropFlip()(PIXELS[0].float())", "not float32 (1, 28, 28)"),
    ("RandomCropFlip()(None)", "must be a tensor"),
    ("place_digit(PICTURE, 27)", "side must be a whole number, at least 28, not 27"),
    ("place_digit(PICTURE, 28.5)", "side must be a whole number, at least 28, not 28.5"),
    ("place_garment(PIXELS)", "picture must be an Image, not uint8"),
    ("place_digit('digit.png')", "picture must be an Image, not 'digit.png'"),
    ("place_digit(PICTURE)", "stands out"),
    ("prepare('x.png', (1, 28, 28), 'letter')", "form must be 'digit' or 'garment' or 'picture'"),
    ("prepare('x.png', (28, 28), 'digit')", "image_shape must be channels, height and width"),
    ("prepare('x.png', 28, 'digit')", "image_shape must be channels, height and width"),
    ("prepare('x.png', (1, 28, 0), 'digit')", "image_shape must be channels, height and width"),
    ("probabilities(net(10), CARD, PIXELS.float())", "uint8 (N, C, H, W), not float32"),
    ("probabilities(net(10), CARD, PIXELS[0])", "not uint8 (1, 28, 28)"),
    ("probabilities(net(3), CARD, PIXELS)", "one for each of 10 classes or more; it gave float32 (6, 3)"),
    ("probabilities(AsDict(), CARD, PIXELS)", "it gave a dict"),
]  # fmt: skip

TRAIN_ROWS = [
    *((f"Settings({name}={value})", f"{name} must be a whole number, at least 1, not {value}")
      for name in ("epochs", "batch_size")
      for value in ("0", "-1", "1.5", "True", "'10'", "None", "nan", "(1,)")),
    *((f"Settings(seed={value})", "seed must be a whole number, from 0 to")
      for value in ("-1", "0.5", "True", "'0'", "None", "2**64")),
    *((f"Settings(lr={value})", f"lr must be a finite number above 0, not {value}")
      for value in ("0", "-0.1", "nan", "inf", "'0.1'", "None", "True", "(0.1,)", "1j")),
    ("Settings(lr=torch.tensor(0.1))", "lr must be a finite number above 0, not float32 ()"),
    ("Settings(lr=np.array([0.1]))", "lr must be a finite number above 0"),
    *((f"Settings(momentum={value})", f"momentum must be a finite number from 0 to below 1, not {value}")
      for value in ("nan", "2", "1", "-1", "'0.9'", "None", "inf")),
    *((f"Settings(weight_decay={value})", f"weight_decay must be a finite number from 0 on, not {value}")
      for value in ("-1", "nan", "inf", "'0'", "None")),
    *((f"Settings(optimizer={value})", f"optimizer must be 'adam' or 'sgd', not {value}")
      for value in ("'Adam'", "'adagrad'", "None", "5", "['adam']")),
    ("Settings(optimizer=torch.optim.Adam)", "optimizer must be 'adam' or 'sgd'"),
    ("Settings(optimizer=np.array(['adam', 'sgd']))", "optimizer must be 'adam' or 'sgd'"),
    *((f"Settings(schedule={value})", "schedule must be 'constant' or 'one-cycle'")
      for value in ("'cosine'", "None", "0")),
    *((f"Settings(precision={value})", "precision must be 'float32' or 'bfloat16' or 'float16'")
      for value in ("'float8'", "torch.bfloat16", "16")),
    ("Settings(graph='yes')", "graph must be a bool, not 'yes'"),
    ("Settings(graph=True, schedule='one-cycle')", "Choose schedule='constant'"),
    ("Settings(augment='affine')", "augment must be a function, not 'affine'"),
    ("Settings(augment=5)", "augment must be a function, not 5"),
    ("Settings(loss_function=None)", "loss_function must be a function, not None"),
    ("Settings(loss_function='mse')", "loss_function must be a function, not 'mse'"),
    ("pick_device('abacus')", "device 'abacus' cannot be used here"),
    ("pick_device('meta')", "holds shapes and no numbers"),
    ("pick_device('cuda:99')", "cannot be used here"),
    ("pick_device('hpu')", "cannot be used here"),
    ("pick_device(None)", "device None cannot be used here"),
    ("pick_device(1.5)", "device 1.5 cannot be used here"),
    ("pick_device('')", "device '' cannot be used here"),
    ("fit(net(), device='nowhere')", "multiple values"),
    ("fit(nn.Identity())", "a tensor of scores (2, K) for 2 images, one for each of 3 classes or more; it gave float32 (2, 1, 28, 28)"),
    ("fit(nn.Flatten())", "parameters to train"),
    ("fit(AsDict())", "it gave a dict"),
    ("fit(frozen(net()))", "all frozen (requires_grad=False)?"),
    ("fit(net(2))", "one for each of 3 classes or more; it gave float32 (2, 2)"),
    ("fit(nn.Conv2d(1, 3, 28))", "it gave float32 (2, 3, 1, 1)"),
    ("fit(nn.Conv2d(3, 3, 28))", "Conv2d does not take what it is given"),
    ("fit(nn.Sequential(nn.Flatten(), nn.Linear(700, 3)))", "lenet.shapes.explaining(model)"),
    ("fit(net)", "model must be a Module, not"),
    ("fit(NarrowLeNet)", "NarrowLeNet() makes one"),
    ("fit('LeNet5')", "model must be a Module, not 'LeNet5'"),
    ("fit(None)", "model must be a Module, not None"),
    ("fit(net(), EXAMPLES)", "data must be an ImageData"),
    ("fit(net(), 'mnist')", "data must be an ImageData, not 'mnist'"),
    ("fit(net(), None)", "data must be an ImageData, not None"),
    ("fit(net(), replace(DATA, train=EXAMPLES[:0]))", "there is no example"),
    ("fit(net(), replace(DATA, test=EXAMPLES[:0]))", "there is no example"),
    ("fit(net(), replace(DATA, std=(0.0,)))", "std must be a finite number above 0"),
    ("fit(net(), loss_function=nn.CrossEntropyLoss)", "loss_function must be a function, not <class"),
    ("fit(net(), loss_function=detached)", "all frozen (requires_grad=False)?"),
    ("fit(net(), loss_function=nn.CrossEntropyLoss(reduction='none'))", "the loss must be one number"),
    ("fit(net(), loss_function=F.mse_loss)", "mse_loss does not take what it is given"),
    ("fit(net(), loss_function=lambda logits, labels: 0.0)", "The loss is 0.0"),
    ("fit(net(), augment=RandomAffine)", "augment must be a function, not <class"),
    ("rooms_train.fit(net(), DATA, {'epochs': 3})", "settings must be a Settings, not {'epochs': 3}"),
    ("rooms_train.fit(net(), DATA, 3)", "settings must be a Settings, not 3"),
    ("rooms_train.fit(net(), DATA, {})", "settings must be a Settings, not {}"),
    ("Training(net(), DATA, None)", "settings must be a Settings, not None"),
    ("Training(net(), None, Settings(device=cpu))", "data must be an ImageData"),
    ("Training(frozen(net()), DATA, Settings(device=cpu))", "all frozen"),
    ("checkpoint.fit(frozen(net()), DATA, Settings(device=cpu), 'x')", "all frozen"),
    ("checkpoint.fit(AsDict(), DATA, Settings(device=cpu), 'x')", "it gave a dict"),
    ("make_optimizer(nn.Identity(), Settings())", "Identity has no parameter to train"),
    ("make_optimizer(frozen(net()), Settings())", "all of them are frozen (requires_grad=False)"),
    ("make_optimizer(None, Settings())", "model must be a Module"),
    ("make_optimizer(net(), {})", "settings must be a Settings"),
    ("make_scheduler(make_optimizer(net(), Settings()), Settings(schedule='one-cycle'), 0)", "num_batches must be a whole number, at least 1, not 0"),
    ("make_scheduler(make_optimizer(net(), Settings()), Settings(schedule='one-cycle'), 2.5)", "num_batches must be a whole number"),
    ("make_scheduler(None, Settings(schedule='one-cycle'), 5)", "NoneType is not an Optimizer"),
    ("in_precision(net(), 'float8')", "precision must be 'float32' or 'bfloat16' or 'float16'"),
    ("in_precision(net(), None)", "precision must be"),
    ("MixedPrecision(None)", "model must be a Module"),
    ("ScaledOptimizer(None, None)", "optimizer must be an Optimizer"),
    ("evaluate(AsDict(), BATCHES)", "it gave a dict"),
    ("evaluate(nn.Identity(), BATCHES)", "it gave float32 (4, 1, 28, 28)"),
    ("evaluate(net(2), BATCHES)", "labels go from 0 to 2, and there are 2 classes"),
    ("evaluate(nn.Linear(3, 3), BATCHES)", "Linear does not take what it is given"),
    ("evaluate(None, BATCHES)", "model must be a Module"),
    ("evaluate(net(), [])", "there is no example"),
    ("evaluate(net(), None)", "NoneType"),
    ("evaluate(net(), PIXELS)", "unpack"),
    ("evaluate(net(), [(PIXELS.float(), LABELS.float())])", "labels must be whole numbers (6,)"),
    ("evaluate(net(), [(PIXELS.float(), LABELS[:3])])", "a tensor of scores (3, K)"),
    ("evaluate(net(), [(PIXELS, LABELS)])", "does not take what it is given"),
    ("predict(net(), [])", "there is no example"),
    ("predict(AsDict(), BATCHES)", "it gave a dict"),
    ("predict(NarrowLeNet, BATCHES)", "NarrowLeNet() makes one"),
    ("score(LOGITS, LABELS.float())", "labels must be whole numbers (6,), one for each image, not float32 (6,)"),
    ("score(LOGITS, LABELS[:5])", "not int64 (5,)"),
    ("score(LOGITS, LABELS + 1)", "labels go from 1 to 3, and there are 3 classes"),
    ("score(LOGITS[0], LABELS)", "logits must be (N, K), not float32 (3,)"),
    ("score(LOGITS[:0], LABELS[:0])", "logits must hold something"),
    ("score(LOGITS.numpy(), LABELS)", "logits must be a tensor (N, K)"),
    ("num_correct(LOGITS, LABELS - 1)", "labels go from -1 to 1"),
    ("num_correct(LOGITS, LABELS > 0)", "not bool (6,)"),
    ("num_correct(LOGITS, 'abc')", "not 'abc'"),
    ("num_correct(None, LABELS)", "logits must be a tensor"),
    ("confusion(LOGITS, LABELS + 1)", "labels go from 1 to 3"),
    ("confusion(LOGITS * NAN, LABELS)", "not a number (NaN)"),
    ("confusion(LOGITS, LABELS[:, None])", "not int64 (6, 1)"),
    ("confusion(LOGITS[None], LABELS)", "logits must be (N, K), not float32 (1, 6, 3)"),
    ("confusion(LOGITS, LABELS * 0.5)", "not float32 (6,)"),
    ("train_epoch(net(), BATCHES, None)", "optimizer must be an Optimizer"),
    ("train_epoch(None, BATCHES, OPTIMIZER)", "model must be a Module"),
    ("train_epoch(net(), [], OPTIMIZER)", "there is no example"),
    ("train_epoch(net(), None, OPTIMIZER)", "NoneType"),
    ("train_epoch(AsDict(), BATCHES, OPTIMIZER)", "it gave a dict"),
    ("train_epoch(net(2), BATCHES, OPTIMIZER)", "labels go from 0 to 2, and there are 2 classes"),
    ("train_epoch(net(), [(PIXELS.float(), LABELS.float())], OPTIMIZER)", "labels must be int64 (N,), not float32 (6,)"),
    ("train_epoch(net(), [(PIXELS.float(), LABELS.int())], OPTIMIZER)", "labels must be int64 (N,), not int32 (6,)"),
    ("train_epoch(net(), [(PIXELS.float(), LABELS[:3])], OPTIMIZER)", "a tensor of scores (3, K)"),
    ("train_epoch(net(), [(PIXELS.float(), LABELS[:, None])], OPTIMIZER)", "not int64 (6, 1)"),
    ("Score(1.0, 0, 0)", "num_examples must be a whole number, at least 1, not 0"),
    ("Score(1.0, 7, 6)", "num_correct must be a whole number, from 0 to 6, not 7"),
    ("Score(1.0, -1, 6)", "num_correct must be a whole number, from 0 to 6, not -1"),
]  # fmt: skip


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    root = tmp_path_factory.mktemp("pictures")
    for name, colour in (("cat", "red"), ("dog", "blue")):
        (root / name).mkdir()
        for number in range(2):
            Image.new("RGB", (8, 8), colour).save(root / name / f"{number}.png")
    return str(root)


def answer(code: str, **more: object) -> str:
    """Run a row's code and return what it is refused with."""
    model = net()
    names: dict[str, Any] = {
        "OPTIMIZER": torch.optim.SGD(model.parameters(), lr=0.1),
        "PICTURE": Image.new("L", (40, 40)),
        "CARD": read_card(WEIGHTS / "lenet5_mnist.safetensors"),
        "nan": NAN,
        "inf": INF,
    }
    with pytest.raises((ValueError, TypeError)) as caught:
        eval(code, {**NAMES, **names, **more})
    return str(caught.value)


@pytest.mark.parametrize(("code", "words"), DATA_ROWS)
def test_data_say_what_is_wrong(code: str, words: str, folder: str) -> None:
    assert words in answer(code, FOLDER=folder)


@pytest.mark.filterwarnings("ignore:Using a target size")
@pytest.mark.parametrize(("code", "words"), TRAIN_ROWS)
def test_training_says_what_is_wrong(code: str, words: str) -> None:
    assert words in answer(code)


DOORS = [
    Door(rooms_data.normalise, {"images": PIXELS, "mean": (0.5,), "std": (0.5,)}, finite),
    Door(rooms_data.channel_statistics, {"images": PIXELS}, lambda found: len(found[0]) > 0),
    Door(rooms_data.LabelledImages, {"images": PIXELS, "labels": LABELS}),
    Door(rooms_data.ImageData, dict(vars(DATA)), lambda data: len(data.std) in (1, 3)),
    Door(EXAMPLES.to, {"device": "cpu"}),
    Door(DATA.pad, {"num_pixels": 1}),
    Door(DATA.hold_out, {"num_images": 2, "seed": 0}, lambda data: len(data.test) > 0),
    Door(lambda **a: list(DATA.batches(**a)), {"split": "train", "batch_size": 2}, finite),
    Door(
        lambda **a: list(rooms_data.Batches(**a)),
        {"examples": EXAMPLES, "mean": (0.5,), "std": (0.5,), "batch_size": 2},
        finite,
    ),
    Door(
        lambda images, **a: rooms_data.RandomAffine(**a)(images),
        {"images": PIXELS / 255, "degrees": 1.0, "scale": 1.1, "shear": 0.1, "shift": 1.0},
    ),
    Door(
        lambda images, **a: rooms_data.RandomCropFlip(**a)(images),
        {"images": PIXELS / 255, "padding": 1, "flip": 0.5},
    ),
    Door(place_digit, {"picture": Image.new("L", (40, 40)), "side": 28}),
    Door(rooms_train.Settings, rooms_train.Settings().as_json()),
    Door(rooms_train.Score, {"loss": 1.0, "num_correct": 1, "num_examples": 2}),
    Door(rooms_train.pick_device, {"name": "cpu"}),
    Door(rooms_train.score, {"logits": LOGITS, "labels": LABELS}),
    Door(rooms_train.num_correct, {"logits": LOGITS, "labels": LABELS}, lambda n: 0 <= n <= 6),
    Door(rooms_train.confusion, {"logits": LOGITS, "labels": LABELS}, lambda c: c.sum() > 0),
    Door(rooms_train.evaluate, {"model": net(), "batches": BATCHES}),
    Door(rooms_train.predict, {"model": net(), "batches": BATCHES}),
    Door(rooms_train.make_optimizer, {"model": net(), "settings": rooms_train.Settings()}),
    Door(rooms_train.in_precision, {"model": net(), "precision": "bfloat16"}),
    Door(fit, {"model": net(), "data": DATA}),
]


@pytest.mark.parametrize("door", DOORS, ids=repr)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(chosen=st.data())
def test_whatever_comes_is_refused_in_words_or_right(door: Door, chosen: st.DataObject) -> None:
    name = chosen.draw(st.sampled_from(list(door.arguments)), "name")
    door.try_with(name, chosen.draw(ANYTHING, "value"))


@pytest.mark.parametrize(
    "model", [Breaks(), AsDict(), nn.Sequential(nn.Flatten(), nn.Linear(2, 2))]
)
@pytest.mark.parametrize("call", [rooms_train.evaluate, rooms_train.predict])
def test_modes_are_put_back_when_a_network_fails(model: nn.Module, call: Any) -> None:
    model.train()
    next(model.children()).eval()
    before = [module.training for module in model.modules()]
    with pytest.raises((ValueError, LookupError)):
        call(model, BATCHES)
    assert [module.training for module in model.modules()] == before


def test_modes_are_put_back_when_pictures_are_judged() -> None:
    model = net(10).train()
    model[1].eval()
    preparing.probabilities(model, read_card(WEIGHTS / "lenet5_mnist.safetensors"), PIXELS)
    assert [module.training for module in model] == [True, False]


def test_a_training_that_is_refused_leaves_no_trace() -> None:
    torch.manual_seed(7)
    model = frozen(
        nn.Sequential(nn.Flatten(), nn.Dropout(), nn.BatchNorm1d(784), nn.Linear(784, 3))
    )
    before, state = copy.deepcopy(model.state_dict()), torch.get_rng_state()
    with pytest.raises(ValueError, match="all frozen"):
        fit(model)
    assert model.training
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())


def test_a_training_that_breaks_off_leaves_the_network_in_evaluation_mode() -> None:
    model = net()
    with pytest.raises(rooms_train.DivergedError):
        fit(model, lr=1e38, optimizer="sgd", batch_size=1)
    assert not model.training


def test_a_mistake_in_forward_comes_as_it_was_made() -> None:
    with pytest.raises(LookupError, match="a mistake in forward"):
        fit(Breaks())


@pytest.mark.parametrize("call", [fit, lambda model: rooms_train.evaluate(model, BATCHES)])
def test_what_a_network_does_not_take_is_explained_where_that_is_asked_for(call: Any) -> None:
    model = nn.Sequential(nn.Flatten(), nn.Linear(700, 3))
    with pytest.raises(ShapeError, match="expects 700 features"), explaining(model):
        call(model)


def test_scores_that_are_not_numbers_are_never_right() -> None:
    model = net()
    nn.init.constant_(model[1].weight, NAN)
    found = rooms_train.evaluate(model, BATCHES)
    assert found.num_correct == 0
    assert math.isnan(found.loss)
    half = torch.stack([torch.full((3,), NAN), torch.tensor([0.0, 1.0, NAN]), torch.eye(3)[1]])
    assert rooms_train.num_correct(half, torch.tensor([0, 1, 1])) == 1


def test_pixels_stay_as_they_are() -> None:
    before = PIXELS.clone()
    rooms_data.normalise(PIXELS, (0.5,), (0.5,))
    assert torch.equal(before, PIXELS)


@pytest.mark.parametrize("number", [np.int64(3), np.uint8(3), 3])
def test_whole_numbers_of_other_kinds_are_numbers(number: Any) -> None:
    chosen = rooms_train.Settings(epochs=number, lr=np.float32(0.5), device=torch.device("cpu"))
    assert chosen.as_json() == rooms_train.Settings(epochs=3, lr=0.5, device="cpu").as_json()
    assert type(chosen.epochs) is int
    assert len(DATA.batches("train", number)) == 2
    assert DATA.pad(number).train.images.shape[-1] == 34


@pytest.mark.parametrize("labels", [LABELS, LABELS.int(), LABELS.byte()])
def test_labels_of_any_whole_type_are_labels(labels: Tensor) -> None:
    assert rooms_train.score(LOGITS, labels).num_correct == 6
    assert rooms_train.confusion(LOGITS, labels).trace() == 6


@pytest.mark.parametrize("batch_size", [6, 7, 1000, 2**31, 2**70])
def test_a_batch_larger_than_the_set_is_the_set(batch_size: int) -> None:
    ((images, labels),) = DATA.batches("train", batch_size)
    assert len(images) == len(labels) == 6


def test_one_number_stands_for_every_channel() -> None:
    colour = PIXELS.expand(6, 3, 28, 28)
    one = rooms_data.normalise(colour, (0.5,), (0.25,))
    assert torch.equal(one, rooms_data.normalise(colour, (0.5,) * 3, (0.25,) * 3))
