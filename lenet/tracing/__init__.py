"""One forward pass as a list of steps: what ran, on what, giving what, and on which line."""

from lenet.tracing.torch_calls import NOWHERE, VARIADIC, Place, tensors_in
from lenet.tracing.tracer import (
    MODEL_INPUT,
    Failure,
    Recording,
    Shape,
    Step,
    constructor_parameters,
    layer_settings,
    private_copy,
    record,
    run,
)

__all__ = [
    "MODEL_INPUT", "NOWHERE", "VARIADIC", "Failure", "Place", "Recording", "Shape", "Step",
    "constructor_parameters", "layer_settings", "private_copy", "record", "run", "tensors_in"
]  # fmt: skip
