"""Judge a trained network on the test images of a data set, class by class.

Printed are its accuracy and, for every class, the recall (the share of its images that were
recognised), the precision (the share of images given to it that are its own) and the class that
its images are most often taken for. Pictures of your own are prepared as for `predict`.

Example: python -m lenet evaluate lenet5_mnist

Exit status: 0 if all went well, 1 if it was stopped, 2 if the weights, the data or the arguments
cannot be used; then one line says why.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from lenet.commands.weights import DATASETS, add_weights, load_trained
from lenet.data import ImageData, LabelledImages, load
from lenet.data.finding import expanded
from lenet.data.folders import find_pictures
from lenet.data.preparing import form_of, prepare
from lenet.data.published_files import PUBLISHED
from lenet.models.weights import ModelCard
from lenet.train import EVALUATION_BATCH_SIZE, Score, confusion, pick_device, predict, score


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the weights, the data set and the device."""
    add_weights(parser)
    data = f"{DATASETS} (default: what the network was trained on)"
    parser.add_argument("dataset", nargs="?", metavar="DATASET", help=data)
    parser.add_argument("--device", default="auto", help="such as cuda:0 (default: the best here)")


def run(options: argparse.Namespace) -> int:
    """Judge the network that `options` name; return the exit status."""
    model, card = load_trained(options.weights, options.network, options.dataset)
    data = load_for(card, options.dataset or card.dataset)
    device = pick_device(options.device)
    found, cells = judge(model.to(device), data.to(device))
    print(f"{card.network}, trained on {card.source}")
    print(f"judged on the test images of {data.source}")
    print(
        f"\ntest accuracy {found.accuracy:.2%} ({found.num_correct:,} of {found.num_examples:,}), "
        f"mean loss {found.loss:.4f}\n"
    )
    print(class_table(cells, card.classes))
    return 0


def load_for(card: ModelCard, name: str | os.PathLike[str]) -> ImageData:
    """Load a data set as a network expects it: its shape, statistics and numbers of classes.

    Raises:
        ValueError: The data set has images of another shape, or classes that the network does
            not know.
        DataError: The files cannot be used.
    """
    channels, height, width = card.image_shape
    published = name in PUBLISHED
    data = load(name) if published else load(name, size=(height, width), channels=channels)
    frame = (height - data.test.images.shape[2]) // 2
    if frame > 0:
        data = data.pad(frame)
    _check_fit(data, card)
    numbers = torch.tensor([card.classes.index(each) for each in data.classes])
    splits = data.train, data.test
    train, test = (LabelledImages(split.images, numbers[split.labels]) for split in splits)
    data = replace(data, mean=card.mean, std=card.std, classes=card.classes, train=train, test=test)
    return data if published else _prepared(data, expanded(name), card)


def _check_fit(data: ImageData, card: ModelCard) -> None:
    shape = tuple(data.test.images.shape[1:])
    if shape != card.image_shape:
        raise ValueError(
            f"the images of {data.name} are {_times(shape)}, "
            f"those that {card.network} was trained on {_times(card.image_shape)}"
        )
    unknown = [each for each in data.classes if each not in card.classes]
    if unknown:
        raise ValueError(
            f"{data.name} has classes that the network does not know: {', '.join(unknown)}. "
            f"It knows: {', '.join(card.classes)}"
        )


def _prepared(data: ImageData, root: Path, card: ModelCard) -> ImageData:
    """Prepare the test pictures of a folder as `predict` does: digits and garments are cut out."""
    form = form_of(card)
    if form == "picture":
        return data
    files = [file for file, _ in find_pictures(root, channels=1).test]
    pixels = torch.stack([prepare(file, card.image_shape, form).pixels for file in files])
    test = LabelledImages(pixels, data.test.labels)
    return replace(data, source=f"{data.source}, each {form} cut out", test=test)


def _times(shape: Sequence[int]) -> str:
    return "×".join(map(str, shape))


def judge(model: nn.Module, data: ImageData) -> tuple[Score, Tensor]:
    """Judge a network on all test images; outputs beyond the data's classes do not count.

    Returns:
        Its score, and its confusion matrix as `lenet.train.confusion` makes it.
    """
    logits, labels = predict(model, data.batches("test", EVALUATION_BATCH_SIZE))
    logits = logits[:, : len(data.classes)]
    return score(logits, labels), confusion(logits, labels)


def class_table(confusion: Tensor, classes: Sequence[str]) -> str:
    """Write recall, precision and the commonest mistake of every class as a table.

    Args:
        confusion: int64 (K, K), a row for each true class, a column for each predicted one.
        classes: The K names.
    """
    width = max(len("class"), *map(len, classes))
    lines = [f"{'class':{width}}  images  recall  precision  most often taken for"]
    for label, name in enumerate(classes):
        row, column = confusion[label], confusion[:, label]
        mistakes = row.clone()
        mistakes[label] = 0
        worst = int(mistakes.argmax())
        mistake = f"{classes[worst]} ({int(mistakes[worst]):,})" if mistakes[worst] else "-"
        lines.append(
            f"{name:{width}}  {int(row.sum()):6,}  {_share(row[label], row):>6}"
            f"  {_share(column[label], column):>9}  {mistake}"
        )
    return "\n".join(lines)


def _share(part: Tensor, whole: Tensor) -> str:
    return f"{int(part) / int(whole.sum()):.1%}" if whole.sum() else "-"
