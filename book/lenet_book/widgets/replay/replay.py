"""TrainingReplay: a training to wind back and forth."""

from __future__ import annotations

import html
from pathlib import Path
from typing import Any

import torch
import traitlets
from torch import Tensor

from lenet import checks
from lenet.train import Score
from lenet_book.replay import Frame, Replay
from lenet_book.widgets.shared.base import Widget

MOST_MAPS = 64  # small pictures of filters; more would be too small to see


class TrainingReplay(Widget):
    """A recorded training, epoch by epoch: scores, filters, confusion matrix, and some answers.

    Args:
        recording: What `lenet_book.replay.record_training` returned.
        epoch: The epoch to begin with; 0 is the untrained network.

    Attributes:
        epoch: The epoch that is shown.

    Raises:
        TypeError: `recording` is none.
        TraitError: There is no such epoch in the recording.
    """

    front_end = Path(__file__).with_suffix(".js")

    epoch = traitlets.Int(0).tag(sync=True)

    def __init__(self, recording: Replay, epoch: int = 0) -> None:
        frames = checks.instance("recording", recording, Replay).frames
        filters = torch.stack([frame.filters for frame in frames])  # (E, out, in, height, width)
        num_shown = max(1, MOST_MAPS // filters.shape[2])
        meta = {
            "model": recording.model,
            "layer": recording.layer,
            "numFilters": filters.shape[1],
            "classes": list(recording.classes),
            "labels": recording.pictures.labels.tolist(),
            "scores": [_scores(frame) for frame in frames],
            "poster": _poster(recording),
        }
        arrays: dict[str, Tensor] = {
            "filters": filters[:, :num_shown].half(),
            "confusion": torch.stack([frame.confusion for frame in frames]).int(),
            "probabilities": torch.stack([frame.probabilities for frame in frames]).half(),
            "pictures": recording.pictures.images,
        }
        super().__init__(meta, arrays, epoch=epoch)

    @property
    def num_epochs(self) -> int:
        """The number of epochs that were trained."""
        return len(self.meta["scores"]) - 1

    @traitlets.validate("epoch")
    def _check_epoch(self, proposal: dict[str, Any]) -> int:
        epoch: int = proposal["value"]
        if not 0 <= epoch <= self.num_epochs:
            raise traitlets.TraitError(
                f"epoch is {epoch}; the recording goes from 0 to {self.num_epochs}"
            )
        return epoch

    def __repr__(self) -> str:
        return f"TrainingReplay({self.meta['model']}, epoch {self.epoch} of {self.num_epochs})"


def _poster(recording: Replay) -> str:
    """Say what became of the network, for pages without scripts."""
    before, after = (100 * recording.frames[k].test.accuracy for k in (0, -1))
    return (
        f"<p>Training of {html.escape(recording.model)} over {len(recording.frames) - 1} epochs: "
        f"{before:.1f} % of the test pictures named right before it, {after:.1f} % after it.</p>"
    )


def _scores(frame: Frame) -> dict[str, list[float]]:
    """Loss and accuracy of both splits."""

    def pair(score: Score) -> list[float]:
        return [score.loss, score.accuracy]

    return {"train": pair(frame.train), "test": pair(frame.test)}
