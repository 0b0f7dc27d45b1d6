"""One forward pass as a list of steps: what ran, on what, giving what, and on which line.

Forward hooks see modules only. A `torch.overrides.TorchFunctionMode` also sees the functions and
tensor methods called in `forward` (`F.relu`, `torch.flatten`, `view`, `+`), so that every operation
that makes a tensor from tensors is one step.

The model is left as it was: a private copy runs, on the CPU, in evaluation mode, without gradients
and with the random state restored afterwards.
"""

from __future__ import annotations

import copy
import inspect
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from lenet.tracing import torch_calls
from lenet.tracing.torch_calls import NOWHERE, Place, tensors_in

Shape = tuple[int, ...]
Settings = Mapping[str, Any]

MODEL_INPUT = -1
"""The `Step.sources` entry of a tensor that was given to the model."""


@dataclass(frozen=True)
class Step:
    """One operation of a forward pass.

    Attributes:
        name: the layer's dotted name in the model, such as ``conv1`` or ``features.0``; for a
            function or tensor method called in `forward`, the call, such as ``relu``.
        operation: the layer's class (``Conv2d``) or the function's name (``max_pool2d``).
        settings: the layer's constructor arguments, or the call's arguments that are no tensors.
        input_shapes: the shape of every tensor that went in, batch axis included; the weights
            given to a function (`F.linear(x, weight)`) are among them, a layer's own are not.
        sources: for every input, the index of the step that made it; `MODEL_INPUT` for what was
            given to the model; None for a parameter, a buffer or a constant.
        place: the expression in `forward` and its line; where no `forward` was written, the layer's
            repr and no line.
        scope: the dotted name of the module whose `forward` ran it, empty for the model itself.
        module: the layer as it ran (in the private copy), None for a function.
        output_shapes: the shape of every tensor that came out; empty for a step that failed.
        num_parameters: the parameters first used in this step; a layer's second call has 0.
        inputs: copies of the tensors that went in, or None when they were not kept.
        outputs: copies of the tensors that came out, or None when they were not kept.
    """

    name: str
    operation: str
    settings: dict[str, Any]
    input_shapes: tuple[Shape, ...]
    sources: tuple[int | None, ...]
    place: Place
    scope: str
    module: nn.Module | None = field(repr=False)
    output_shapes: tuple[Shape, ...] = ()
    num_parameters: int = 0
    inputs: tuple[Tensor, ...] | None = field(default=None, repr=False, compare=False)
    outputs: tuple[Tensor, ...] | None = field(default=None, repr=False, compare=False)

    @property
    def output_shape(self) -> Shape:
        """The shape of the first tensor that came out, batch axis included."""
        return self.output_shapes[0]

    @property
    def input(self) -> Tensor | None:
        """The first tensor that went in, or None when tensors were not kept."""
        return self.inputs[0] if self.inputs else None

    @property
    def output(self) -> Tensor | None:
        """The first tensor that came out, or None when tensors were not kept."""
        return self.outputs[0] if self.outputs else None


@dataclass(frozen=True)
class Failure:
    """Where a forward pass stopped.

    Attributes:
        error: what was raised.
        step: the operation that raised it (without outputs), or None when the error came from
            Python code between two operations.
        place: where in `forward`.
    """

    error: Exception
    step: Step | None = None
    place: Place = NOWHERE


@dataclass(frozen=True)
class Recording:
    """A forward pass, whole or up to its failure.

    Attributes:
        steps: the operations that succeeded, in order.
        output: what the model returned, None after a failure.
        failure: where it stopped, None after a whole pass.
        model: the private copy that ran.
        num_unused_parameters: parameters that no step used.
    """

    steps: list[Step]
    output: Any
    failure: Failure | None
    model: nn.Module
    num_unused_parameters: int


def record(
    model: nn.Module, images: Tensor | Sequence[Tensor], *, keep_tensors: bool = True
) -> list[Step]:
    """Run `model` on `images` and list every operation, in the order in which they ran.

    Args:
        model: any module; it is not changed.
        images: (N, C, H, W) as the model takes them, or several tensors for several inputs.
        keep_tensors: keep a copy of every step's inputs and outputs, safe from later in-place
            operations.

    Returns:
        One step per operation that makes a tensor from tensors.

    Raises:
        Exception: whatever the model raises; `run` returns it instead.

    Example:
        >>> from lenet.models import NarrowLeNet
        >>> for step in record(NarrowLeNet(), torch.zeros(1, 1, 28, 28))[:3]:
        ...     print(step.name, step.output_shape, step.place.code)
        conv1 (1, 6, 24, 24) self.conv1(t)
        relu (1, 6, 24, 24) F.relu(self.conv1(t))
        max_pool2d (1, 6, 12, 12) F.max_pool2d(t, kernel_size=2, stride=2)
    """
    recording = run(model, images, keep_tensors=keep_tensors)
    if recording.failure is not None:
        raise recording.failure.error
    return recording.steps


def run(
    model: nn.Module,
    images: Tensor | Sequence[Tensor],
    *,
    keep_tensors: bool = False,
    layers: Mapping[str, nn.Module] | None = None,
    arguments: Mapping[tuple[int, str], Settings] | None = None,
    prepare: Callable[[nn.Module], None] | None = None,
) -> Recording:
    """Like `record`, but survive a failure, and ask "what if": run with changes.

    Args:
        model: any module; it is not changed.
        images: (N, C, H, W) as the model takes them, or several tensors for several inputs.
        keep_tensors: keep a copy of every step's inputs and outputs.
        layers: for a layer's dotted name, the layer to run in its place.
        arguments: for a function call, named by its step's index and operation, the arguments
            to run it with instead.
        prepare: changes the private copy before it runs.

    Returns:
        The steps, and the output or the failure.

    Raises:
        TypeError: `model` is a TorchScript module, whose Python code is gone.
    """
    inputs = (images,) if isinstance(images, Tensor) else tuple(images)
    twin = private_copy(model, layers)
    if prepare is not None:
        prepare(twin)
    tracer = _Tracer(twin, keep_tensors, arguments or {})
    output, failure = None, None
    with torch.random.fork_rng(devices=[]), torch.inference_mode(False), torch.no_grad():
        inputs = tracer.enter(inputs)
        try:
            with tracer:
                output = twin(*inputs)
        except Exception as error:
            failure = tracer.failure_from(error)
    return Recording(tracer.steps, output, failure, twin, tracer.num_unused_parameters())


def private_copy(model: nn.Module, layers: Mapping[str, nn.Module] | None = None) -> nn.Module:
    """Copy a model to the CPU, in evaluation mode, with some of its layers exchanged.

    The copy has parameters of its own, whose memory is the model's: give them other `data`, but
    write nothing into it.

    Raises:
        TypeError: `model` is a TorchScript module, whose Python code is gone.
    """
    model = getattr(model, "_orig_mod", model)  # what torch.compile wrapped
    if isinstance(model, torch.jit.ScriptModule):
        raise TypeError(
            "a TorchScript module cannot be traced, because its Python code is gone: "
            "trace the model it was made from"
        )
    twin: nn.Module = copy.deepcopy(model, _stand_ins(model)).eval()
    for name, layer in (layers or {}).items():
        original = twin.get_submodule(name)
        for path, module in list(twin.named_modules(remove_duplicate=False)):
            if module is original:
                twin.set_submodule(path, layer.eval())
    return twin


def layer_settings(module: nn.Module) -> dict[str, Any]:
    """Read a layer's constructor arguments back from its attributes.

    A tensor stands for "there is one": `bias` is True or False. What the layer does not keep
    (`device`, `dtype`) is left out.
    """
    layer: Callable[..., nn.Module] = type(module)
    settings = {n: getattr(module, n) for n in constructor_parameters(layer) if hasattr(module, n)}
    if "bias" in settings:
        settings["bias"] = isinstance(settings["bias"], Tensor)
    return {name: value for name, value in settings.items() if not isinstance(value, Tensor)}


@lru_cache(maxsize=1024)
def constructor_parameters(layer: Callable[..., nn.Module]) -> dict[str, inspect.Parameter]:
    """List what a layer's constructor takes, by name, without where its weights are to live."""
    parameters = inspect.signature(layer).parameters
    return {n: p for n, p in parameters.items() if n not in ("device", "dtype")}


class _Tracer(TorchFunctionMode):
    """Record the operations of one forward pass of `model`, whose modules it wraps."""

    def __init__(
        self, model: nn.Module, keep_tensors: bool, arguments: Mapping[tuple[int, str], Settings]
    ) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self._model = model
        self._keep_tensors = keep_tensors
        self._arguments = arguments
        self._counted: set[int] = set()
        self._unshared: set[int] = set()
        self._scopes: list[str] = []
        self._in_layer = False
        self._sources = WeakTensorKeyDictionary()
        self._snapshots = WeakTensorKeyDictionary()
        self._failed: tuple[Exception, Step] | None = None
        for name, module in list(model.named_modules()):
            wrap = self._wrap_layer if _is_layer(module) else self._wrap_scope
            module.forward = wrap(name, module, module.forward)

    def enter(self, inputs: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Copy the model's inputs to the CPU and know them again when they are used."""
        copies = tuple(tensor.detach().to("cpu", copy=True) for tensor in inputs)
        for tensor in copies:
            self._sources[tensor] = MODEL_INPUT
        return copies

    def failure_from(self, error: Exception) -> Failure:
        """Say which step raised `error`, or else on which line it came up."""
        if self._failed is not None and self._failed[0] is error:
            return Failure(error, self._failed[1], self._failed[1].place)
        return Failure(error, None, torch_calls.place_of_error(error))

    def num_unused_parameters(self) -> int:
        """Count the parameters that no step has used."""
        return self._count(self._model.parameters())

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> object:
        """Run one torch function and, unless it belongs to a layer, record it."""
        kwargs = kwargs or {}
        if not torch_calls.has_tensors((args, kwargs)):
            return func(*args, **kwargs)
        self._unshare(tensors_in((args, kwargs)))
        operation = torch_calls.operation_name(func)
        given = torch_calls.bind(operation, func, args, kwargs)
        changes = self._arguments.get((len(self.steps), operation))
        if changes is not None:
            given |= changes
            args, kwargs = torch_calls.unbind(operation, given)
        return self._record(operation, None, given, lambda: func(*args, **kwargs))

    def _unshare(self, tensors: Iterable[Tensor]) -> None:
        """Give weights memory of their own before code that may write to them."""
        for tensor in tensors:
            if isinstance(tensor, nn.Parameter) and id(tensor) not in self._unshared:
                tensor.data = tensor.data.clone()
                self._unshared.add(id(tensor))

    def _wrap_scope(
        self, name: str, module: nn.Module, forward: Callable[..., Any]
    ) -> Callable[..., Any]:
        def run_scope(*args: object, **kwargs: object) -> object:
            self._scopes.append(name)
            try:
                return forward(*args, **kwargs)
            finally:
                self._scopes.pop()

        return run_scope

    def _wrap_layer(
        self, name: str, module: nn.Module, forward: Callable[..., Any]
    ) -> Callable[..., Any]:
        def run_layer(*args: object, **kwargs: object) -> object:
            if self._in_layer:
                return forward(*args, **kwargs)
            self._in_layer = True
            try:
                given = {"args": args, **kwargs}
                with torch._C.DisableTorchFunction():  # a layer is one step, whatever it calls
                    return self._record(name, module, given, lambda: forward(*args, **kwargs))
            finally:
                self._in_layer = False

        return run_layer

    def _record(
        self, name: str, module: nn.Module | None, given: Settings, run: Callable[[], object]
    ) -> object:
        """Run a layer, or a function of this name; keep it as a step when it makes tensors."""
        inputs = tuple(tensors_in(given))
        step = self._described(name, module, given, inputs)
        try:
            result = run()
        except Exception as error:
            self._failed = (error, step)
            raise
        outputs = tuple(tensors_in(result))
        if outputs:
            self._add(step, outputs, inputs if module is None else module.parameters())
        return result

    def _described(
        self, name: str, module: nn.Module | None, given: Settings, inputs: tuple[Tensor, ...]
    ) -> Step:
        """Describe what is about to run, when its inputs are still as they were."""
        operation = name if module is None else type(module).__name__
        settings = torch_calls.plain_settings(given) if module is None else layer_settings(module)
        place = torch_calls.place_of_frame(sys._getframe(1))
        if not place.code:
            place = replace(place, code=operation if module is None else repr(module))
        return Step(
            name=name or operation,
            operation=operation,
            settings=settings,
            input_shapes=_shapes(inputs),
            sources=tuple(self._sources.get(tensor) for tensor in inputs),
            place=place,
            scope=self._scopes[-1] if self._scopes else "",
            module=module,
            inputs=self._snapshots_of(inputs),
        )

    def _add(self, step: Step, outputs: tuple[Tensor, ...], used: Iterable[Tensor]) -> None:
        """Add a step to the list, and know its outputs again when they are used."""
        for tensor in outputs:
            self._sources[tensor] = len(self.steps)
        results, num_parameters = self._snapshots_of(outputs), self._count(used)
        shapes = _shapes(outputs)
        self.steps.append(
            replace(step, output_shapes=shapes, outputs=results, num_parameters=num_parameters)
        )

    def _snapshots_of(self, tensors: tuple[Tensor, ...]) -> tuple[Tensor, ...] | None:
        return tuple(map(self._snapshot, tensors)) if self._keep_tensors else None

    def _snapshot(self, tensor: Tensor) -> Tensor:
        """Copy a tensor as it is now, once per content: in-place operations raise its version."""
        known = self._snapshots.get(tensor)
        if known is None or known[0] != tensor._version:
            known = (tensor._version, tensor.detach().clone())
            self._snapshots[tensor] = known
        kept: Tensor = known[1]
        return kept

    def _count(self, tensors: Iterable[Tensor]) -> int:
        """Count the parameters among `tensors` that were not counted before."""
        new = {id(t): t.numel() for t in tensors if isinstance(t, nn.Parameter)}
        total = sum(count for key, count in new.items() if key not in self._counted)
        self._counted |= new.keys()
        return total


def _shapes(tensors: Iterable[Tensor]) -> tuple[Shape, ...]:
    return tuple(tuple(tensor.shape) for tensor in tensors)


def _is_layer(module: nn.Module) -> bool:
    """Tell whether a module is one of PyTorch's own layers, which make one step each.

    What counts is who wrote its `forward`: a subclass that only adds settings is still a layer,
    one with a `forward` of its own is looked into. Containers are looked into.
    """
    home = type(module).forward.__module__
    return home.startswith("torch.nn.modules.") and home != "torch.nn.modules.container"


def _stand_ins(model: nn.Module) -> dict[int, Any]:
    """Prepare what `copy.deepcopy` is to put in the place of a model's tensors.

    Most of a module's attributes are empty dictionaries of hooks; preparing those too makes the
    copy twice as fast.
    """
    memo: dict[int, Any] = {}
    for module in model.modules():
        for value in vars(module).values():
            if isinstance(value, dict) and not value:
                memo[id(value)] = type(value)()
            elif isinstance(value, dict | list | tuple | Tensor):
                tensors = (tensor for tensor in tensors_in(value) if not is_lazy(tensor))
                memo |= {id(tensor): _private_tensor(tensor) for tensor in tensors}
    return memo


def _private_tensor(tensor: Tensor) -> Tensor:
    """Stand in for a tensor of the model; weights share their memory until someone may write it."""
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(tensor.data.to("cpu"), requires_grad=tensor.requires_grad)
    return tensor.detach().to("cpu", copy=True)  # deepcopy refuses activations kept as self.x
