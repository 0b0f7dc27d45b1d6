"""Training and evaluation; `lenet.train.loop` is the loop that you can read."""

from lenet.train.history import DivergedError, Epoch, History, Score
from lenet.train.loop import (
    EVALUATION_BATCH_SIZE,
    Batch,
    Training,
    confusion,
    evaluate,
    fit,
    num_correct,
    predict,
    score,
    train_epoch,
)
from lenet.train.settings import (
    Augmentation,
    GraphedStep,
    Loss,
    MixedPrecision,
    ScaledOptimizer,
    Settings,
    in_precision,
    make_optimizer,
    make_scaler,
    make_scheduler,
    pick_device,
)

__all__ = [
    "EVALUATION_BATCH_SIZE", "Augmentation", "Batch", "DivergedError", "Epoch", "GraphedStep",
    "History", "Loss", "MixedPrecision", "ScaledOptimizer", "Score", "Settings", "Training",
    "confusion", "evaluate", "fit", "in_precision", "make_optimizer", "make_scaler",
    "make_scheduler", "num_correct", "pick_device", "predict", "score", "train_epoch",
]  # fmt: skip
