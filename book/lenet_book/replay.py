"""A training on record: what the network was like before it, and after every epoch.

`record_training` is `lenet.train.fit` with somebody watching: the same weights come out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from lenet.data import ImageData, LabelledImages
from lenet.train import (
    EVALUATION_BATCH_SIZE,
    History,
    Score,
    Settings,
    Training,
    confusion,
    evaluate,
    predict,
    score,
)

MOST_PICTURES = 10


@dataclass(frozen=True, eq=False)
class Frame:
    """A network at one moment of its training.

    Attributes:
        epoch: 0 before training, then the number of the finished epoch.
        train: Score on the training images. Before training, that of the untrained network; then,
            as in `lenet.train.Epoch`, counted while the weights changed.
        test: Score on the test images.
        confusion: int64 (K, K), the number of test images by class (row) and answer (column).
        filters: float32 (out channels, in channels, height, width), weights of the first
            convolution.
        probabilities: float32 (M, K), the answers to the replay's pictures.
    """

    epoch: int
    train: Score
    test: Score
    confusion: Tensor
    filters: Tensor
    probabilities: Tensor


@dataclass(frozen=True, eq=False)
class Replay:
    """A training as a series of frames.

    Attributes:
        model: The name of the network's class.
        layer: The name of the first convolution.
        classes: Names of the K classes.
        pictures: M test images, answered in every frame.
        history: What `lenet.train.fit` returns.
        frames: One for the untrained network and one for each finished epoch.
    """

    model: str
    layer: str
    classes: tuple[str, ...]
    pictures: LabelledImages
    history: History
    frames: tuple[Frame, ...]

    def __repr__(self) -> str:
        return f"Replay({self.model}, {len(self.frames) - 1} epochs)"


def record_training(
    model: nn.Module,
    data: ImageData,
    settings: Settings | None = None,
    *,
    progress: bool = True,
) -> Replay:
    """Train a network as `lenet.train.fit` does, and keep what it was like after every epoch.

    Its arguments are those of `fit`. The first test image of each of the first ten classes is
    answered in every frame.

    Raises:
        ValueError: The network has no `Conv2d`, whose filters could be kept, or another number of
            outputs than the data has classes.
        DivergedError: The loss became infinite or not a number.
    """
    name, layer = _first_convolution(model)
    training = Training(model, data, settings or Settings())
    camera = _Camera(training, layer)
    everything = training.data.batches("train", EVALUATION_BATCH_SIZE)
    untrained = evaluate(model, everything, training.settings.loss_function)
    frames = [camera.frame(0, untrained)]
    frames += [
        camera.frame(epoch.number, epoch.train) for epoch in training.epochs(progress=progress)
    ]
    return Replay(
        type(model).__name__,
        name,
        data.classes,
        camera.pictures.to("cpu"),
        training.history,
        tuple(frames),
    )


def _first_convolution(model: nn.Module) -> tuple[str, nn.Conv2d]:
    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            return name, module
    raise ValueError(
        f"{type(model).__name__} has no Conv2d layer, whose filters could be recorded; "
        "lenet.train.fit trains networks of any kind"
    )


class _Camera:
    """Looks at the network of a training without changing anything."""

    def __init__(self, training: Training, layer: nn.Conv2d) -> None:
        self.model = training.model
        self.data = training.data
        self.loss_function = training.settings.loss_function
        self.layer = layer
        self.num_classes = len(training.data.classes)
        labels = self.data.test.labels
        firsts = [(labels == k).nonzero()[:1, 0] for k in range(self.num_classes)]
        self.chosen = torch.cat(firsts)[:MOST_PICTURES]
        self.pictures = self.data.test[self.chosen]
        self._check_scores()

    def frame(self, epoch: int, train: Score) -> Frame:
        logits, labels = predict(self.model, self.data.batches("test", EVALUATION_BATCH_SIZE))
        return Frame(
            epoch,
            train,
            score(logits, labels, self.loss_function),
            confusion(logits, labels),
            self.layer.weight.detach().cpu().clone(),
            logits[self.chosen].softmax(dim=1).cpu(),
        )

    def _check_scores(self) -> None:
        chosen = replace(self.data, test=self.pictures)
        logits, _ = predict(self.model, chosen.batches("test"))
        shape = tuple(logits.shape[1:])
        if shape != (self.num_classes,):
            raise ValueError(
                f"the network gives scores of shape {shape} for an image; it must be "
                f"({self.num_classes},), one for each class of the data"
            )
