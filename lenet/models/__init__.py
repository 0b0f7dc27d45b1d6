"""The networks of the book, and their weights on disk."""

from lenet.models.lenet import CifarLeNet, LeNet5, LeNet5Linear, NarrowLeNet
from lenet.models.lenet1998 import LeNet5_1998
from lenet.models.modern import CifarLeNetBN, SmallAlexNet, SmallResNet
from lenet.models.weights import (
    WEIGHTS,
    ModelCard,
    load_weights,
    read_card,
    save_trained,
    save_weights,
)

__all__ = [
    "WEIGHTS", "CifarLeNet", "CifarLeNetBN", "LeNet5", "LeNet5Linear", "LeNet5_1998", "ModelCard",
    "NarrowLeNet", "SmallAlexNet", "SmallResNet", "load_weights", "read_card", "save_trained",
    "save_weights",
]  # fmt: skip
