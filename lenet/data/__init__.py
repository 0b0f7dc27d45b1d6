"""Extract, transform, load: data sets become tensors, tensors become batches.

`load` extracts a whole data set into memory as bytes; `ImageData.batches` transforms and loads it
batch by batch. `dataset` opens the same images as torchvision does, for use with a
`torch.utils.data.DataLoader`. `RandomAffine` and `RandomCropFlip` distort images for training.
"""

from lenet.data.augment import RandomAffine, RandomCropFlip
from lenet.data.finding import data_root
from lenet.data.in_memory import DataError
from lenet.data.loading import (
    Batches,
    ImageData,
    LabelledImages,
    channel_statistics,
    dataset,
    load,
    normalise,
)

__all__ = [
    "Batches", "DataError", "ImageData", "LabelledImages", "RandomAffine", "RandomCropFlip",
    "channel_statistics", "data_root", "dataset", "load", "normalise",
]  # fmt: skip
