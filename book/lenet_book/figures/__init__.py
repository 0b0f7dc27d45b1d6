"""Every figure of the book.

Figures have a transparent ground and ink of a middle tone, so that they can be read on a light page
and on a dark one. Each function returns a `BookFigure`, which a notebook shows when it is the last
expression of a cell; `figure.savefig("name.png")` saves it.
"""

from lenet_book.figures.answers import contributions, shares
from lenet_book.figures.architecture import architecture
from lenet_book.figures.comparison import curves, trade_offs
from lenet_book.figures.convolution import (
    convolution_step,
    convolution_sum,
    max_pooling,
    window_places,
)
from lenet_book.figures.data import image_grid, image_stages, pixels
from lenet_book.figures.drawing import BookFigure
from lenet_book.figures.lenet5 import (
    code_images,
    connections,
    score_map,
    squashing,
    trainability,
)
from lenet_book.figures.results import class_scores, confusion, reliability
from lenet_book.figures.shapes import (
    kernel_positions,
    layer_costs,
    receptive_fields,
    row_owners,
    window_grid,
)
from lenet_book.figures.timing import growth, speeds, timelines
from lenet_book.figures.training import (
    batch_losses,
    descents,
    learning_curves,
    measured,
    slope_and_step,
    walks,
)
from lenet_book.figures.weights import (
    filter_depth,
    filter_maps,
    filters,
    strongest_patches,
    weight_histograms,
)

__all__ = [
    "BookFigure",
    "architecture",
    "batch_losses",
    "class_scores",
    "code_images",
    "confusion",
    "connections",
    "contributions",
    "convolution_step",
    "convolution_sum",
    "curves",
    "descents",
    "filter_depth",
    "filter_maps",
    "filters",
    "growth",
    "image_grid",
    "image_stages",
    "kernel_positions",
    "layer_costs",
    "learning_curves",
    "max_pooling",
    "measured",
    "pixels",
    "receptive_fields",
    "reliability",
    "row_owners",
    "score_map",
    "shares",
    "slope_and_step",
    "speeds",
    "squashing",
    "strongest_patches",
    "timelines",
    "trade_offs",
    "trainability",
    "walks",
    "weight_histograms",
    "window_grid",
    "window_places",
]
