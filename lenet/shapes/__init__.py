"""The shape calculator: every operation of a network with its formula, shape and cost.

`trace` makes the table of a network from the shape of one image, `explain` from real images. Both
survive a network whose shapes do not fit: the table ends at the failing operation, and says what
was needed, what came, why, and which changes work. Inside ``with explaining(model):`` an error of
the network is raised with that explanation.
"""

from lenet.shapes.catching import explaining
from lenet.shapes.edits import Edit, apply_edits
from lenet.shapes.explanations import Explanation
from lenet.shapes.fixes import Fix
from lenet.shapes.formulas import (
    ShapeError,
    Window,
    conv_output_size,
    conv_transpose_output_size,
    conv_windows,
    pool_output_size,
    pool_windows,
)
from lenet.shapes.table import Row, ShapeTable, explain, trace

__all__ = [
    "Edit", "Explanation", "Fix", "Row", "ShapeError", "ShapeTable", "Window",
    "apply_edits", "conv_output_size", "conv_transpose_output_size", "conv_windows", "explain",
    "explaining", "pool_output_size", "pool_windows", "trace"
]  # fmt: skip
