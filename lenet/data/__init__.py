"""Extract, transform, load: data sets become tensors, tensors become batches.

`load` extracts a whole data set into memory as bytes; `ImageData.batches` transforms and loads it
batch by batch. `dataset` opens the same images as a torchvision dataset, for use with a
`torch.utils.data.DataLoader`.
"""

from lenet.data.finding import data_root, stored
from lenet.data.loading import (
    Batches,
    ImageData,
    LabelledImages,
    channel_statistics,
    dataset,
    load,
    normalise,
)
from lenet.data.published_files import DataError

__all__ = [
    "Batches",
    "DataError",
    "ImageData",
    "LabelledImages",
    "channel_statistics",
    "data_root",
    "dataset",
    "load",
    "normalise",
    "stored",
]
