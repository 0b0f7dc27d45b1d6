"""One forward pass as a list of steps: what ran, on what, giving what, and on which line.

Forward hooks see modules only. A `torch.overrides.TorchFunctionMode` also sees the functions and
tensor methods called in `forward` (`F.relu`, `torch.flatten`, `view`, `+`), so that every operation
that makes a tensor from tensors is one step.

The model is left as it was: a private copy runs, on the CPU, in evaluation mode, uncompiled,
without the user's hooks, without gradients (unless `forward` itself asks for some) and with the
random state restored afterwards.
"""

from __future__ import annotations

import copy
import inspect
import sys
import typing
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache, partial
from types import CellType, FunctionType
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.lazy import LazyModuleMixin
from torch.nn.parameter import is_lazy
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

from lenet import checks
from lenet.tracing import torch_calls
from lenet.tracing.torch_calls import NOWHERE, Function, Keywords, Place, rebuilt, tensors_in

Shape = tuple[int, ...]
Arguments = tuple[tuple[Any, ...], dict[str, Any]]
Then = Callable[[Any], object] | None

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
        num_trainable: those of them that are not frozen.
        output_dtypes: the type of every tensor that came out.
        num_bytes: the memory that the outputs take; none for a view or what was written in place.
        inputs: copies of the tensors that went in, or None when they were not kept; a step that
            failed has them as they are.
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
    num_trainable: int = 0
    output_dtypes: tuple[torch.dtype, ...] = ()
    num_bytes: int = 0
    inputs: tuple[Tensor, ...] | None = field(default=None, repr=False, compare=False)
    outputs: tuple[Tensor, ...] | None = field(default=None, repr=False, compare=False)

    @property
    def output_shape(self) -> Shape:
        """The shape of the first tensor that came out, batch axis included."""
        return self.output_shapes[0]

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
        num_unregistered_parameters: parameters that steps used, but that the model does not know
            as its own, because their layers are kept in a plain list.
    """

    steps: list[Step]
    output: Any
    failure: Failure | None
    model: nn.Module
    num_unused_parameters: int
    num_unregistered_parameters: int = 0


def record(
    model: nn.Module, inputs: Tensor | Sequence[Any], *, keep_tensors: bool = True
) -> list[Step]:
    """Run `model` on `inputs` and list every operation, in the order in which they ran.

    Args:
        model: any module; it is not changed.
        inputs: images (N, C, H, W) as the model takes them, or all arguments in a sequence.
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
    recording = run(model, inputs, keep_tensors=keep_tensors)
    if recording.failure is not None:
        raise recording.failure.error
    return recording.steps


def run(
    model: nn.Module,
    inputs: Tensor | Sequence[Any],
    *,
    kwargs: Mapping[str, Any] | None = None,
    keep_tensors: bool = False,
    prepare: Callable[[nn.Module], nn.Module] | None = None,
    device: torch.device | str = "cpu",
    then: Then = None,
    method: str = "__call__",
) -> Recording:
    """Like `record`, but survive a failure, and ask "what if": run with changes.

    Args:
        model: any module; it is not changed.
        inputs: images (N, C, H, W) as the model takes them, or all arguments in a sequence:
            tensors in any nesting of tuples, lists and dictionaries, and other values.
        kwargs: the arguments that are given by name.
        keep_tensors: keep a copy of every step's inputs and outputs.
        prepare: changes the private copy, and gives what is to run.
        device: where to run.
        then: what is done with the output, and recorded too: a loss.
        method: what is called instead of the model itself, such as ``encode``.

    Returns:
        The steps, and the output or the failure.

    Raises:
        TypeError: `model` holds something that cannot be copied.
    """
    given = tuple(inputs) if isinstance(inputs, tuple | list) else (inputs,), dict(kwargs or {})
    for gradients in (False, True):
        twin = private_copy(model, device)
        if prepare is not None:
            twin = prepare(twin)
        with _surroundings(gradients):
            if any(isinstance(module, LazyModuleMixin) for module in twin.modules()):
                with suppress(Exception):  # the recorded pass will say so
                    args, named = _copied(given, device)
                    twin(*args, **named)
            recording = _Tracer(twin, keep_tensors).run(getattr(twin, method), given, device, then)
        if not (recording.failure and "does not require grad" in str(recording.failure.error)):
            break  # else `forward` itself asks for a gradient
    return recording


def private_copy(model: nn.Module, device: torch.device | str = "cpu") -> nn.Module:
    """Copy a model to a device, in evaluation mode.

    The copy has parameters of its own, whose memory is the model's: give them other `data`, but
    write nothing into it. What `torch.compile` or `DataParallel` wrapped is unwrapped; of the hooks
    only PyTorch's own are kept.

    Raises:
        TypeError: the model holds something that cannot be copied.
    """
    checks.instance("model", model, nn.Module)
    memo = _stand_ins(model, checks.device(device, computes=False))
    try:
        twin: nn.Module = copy.deepcopy(model, memo)
    except Exception:  # a lock, an open file, a dictionary whose keys are read as attributes
        memo = _stand_ins(model, device, shares_rest=True)
        twin = copy.deepcopy(model, memo)
    for module in twin.eval().modules():
        _own(module, memo)
    return twin


# Constructor arguments that a layer keeps under another name, as a tensor or None.
_KEPT_AS = {"add_bias_kv": "bias_k", "bias": "in_proj_bias"}


def layer_settings(module: nn.Module) -> dict[str, Any]:
    """Read a layer's constructor arguments back from its attributes.

    A tensor stands for "there is one": `bias` is True or False. What the layer does not keep
    (`device`, `dtype`) is left out.
    """
    layer: Callable[..., nn.Module] = type(checks.instance("module", module, nn.Module))
    names = {n: n if hasattr(module, n) else _KEPT_AS.get(n) for n in constructor_parameters(layer)}
    kept = {
        name: getattr(module, own) for name, own in names.items() if own and hasattr(module, own)
    }
    for name in _KEPT_AS.keys() & kept.keys():
        kept[name] = kept[name] is not None and kept[name] is not False
    return {name: value for name, value in kept.items() if not isinstance(value, Tensor)}


@lru_cache(maxsize=1024)
def constructor_parameters(layer: Callable[..., nn.Module]) -> dict[str, inspect.Parameter]:
    """List what a layer's constructor takes, by name, without where its weights are to live.

    The constructors of `nn.RNN` and its like take anything, and list what they mean beside.
    """
    meant = typing.get_overloads(getattr(layer, "__init__", layer))
    parameters = inspect.signature(meant[0] if meant else layer).parameters
    return {n: p for n, p in parameters.items() if n not in ("self", "device", "dtype")}


class _Tracer(TorchFunctionMode):
    """Record the operations of one forward pass of `model`, whose modules it wraps."""

    def __init__(self, model: nn.Module, keep_tensors: bool) -> None:
        super().__init__()
        self.steps: list[Step] = []
        self._model = model
        self._keep_tensors = keep_tensors
        self._registered = {id(p): p for p in model.parameters()}
        self._shared = dict(self._registered)
        self._used: dict[int, Tensor] = {}
        self._scopes: list[str] = []
        self._sources = WeakTensorKeyDictionary()  # of tensors that live
        self._snapshots = WeakTensorKeyDictionary()
        self._failed: Failure | None = None
        for name, module in list(model.named_modules()):
            vars(module)["forward"] = self._traced(name, module)

    def run(
        self, call: Function, given: Arguments, device: torch.device | str, then: Then
    ) -> Recording:
        """Run a method of the model on copies of its arguments, to its end or its failure."""
        args, kwargs = _copied(given, device)
        self._sources.update(dict.fromkeys(tensors_in((args, kwargs)), MODEL_INPUT))
        output, failure = None, None
        try:
            with self:
                output = call(*args, **kwargs)
                if then is not None:
                    then(output)
        except Exception as error:
            failure = self._failed
            if failure is None or failure.error is not error:  # it came up between two operations
                failure = Failure(error, None, torch_calls.place_of_error(error))
        unused = (p for key, p in self._registered.items() if key not in self._used)
        foreign = (p for key, p in self._used.items() if key not in self._registered)
        unknown = (sum(p.numel() for p in each if not is_lazy(p)) for each in (unused, foreign))
        return Recording(self.steps, output, failure, self._model, *unknown)

    def __torch_function__(
        self,
        func: Function,
        types: object,
        args: Sequence[Any] = (),
        kwargs: Keywords | None = None,
    ) -> object:
        """Run one torch function and, unless it belongs to a layer, record it."""
        kwargs = kwargs or {}
        tensors = tensors_in((args, kwargs))
        if not tensors:
            return func(*args, **kwargs)
        for tensor in tensors:
            if self._shared.pop(id(tensor), None) is not None:  # the function may write to it
                tensor.data = tensor.data.clone()
        operation = torch_calls.operation_name(func)
        given = torch_calls.bind(operation, func, args, kwargs)
        return self._record(operation, None, given, partial(func, *args, **kwargs))

    def _traced(self, name: str, module: nn.Module) -> Callable[..., Any]:
        """Make a `forward` that records a layer as one step, and what a module calls as its own."""
        forward, is_layer = module.forward, _is_layer(module)

        def traced(*args: object, **kwargs: object) -> object:
            if torch._C._is_torch_function_all_disabled():  # it is a part of a layer
                return forward(*args, **kwargs)
            if is_layer:
                given = {"args": args, **kwargs}
                with torch._C.DisableTorchFunction():
                    return self._record(name, module, given, partial(forward, *args, **kwargs))
            self._scopes.append(name)
            try:
                return forward(*args, **kwargs)
            finally:
                self._scopes.pop()

        return traced

    def _record(
        self, name: str, module: nn.Module | None, given: Keywords, run: Callable[[], object]
    ) -> object:
        """Run a layer, or a function of this name; keep it as a step when it makes tensors."""
        inputs = tensors_in(given)
        step = self._begun(name, module, given, inputs)
        try:
            result = run()
        except Exception as error:
            failed = step(inputs=tuple(inputs))
            self._failed = Failure(error, failed, failed.place)
            raise
        if outputs := tensors_in(result):
            used = self._first_used(inputs if module is None else module.parameters())
            self._sources.update(dict.fromkeys(outputs, len(self.steps)))
            done = step(
                output_shapes=_shapes(outputs),
                outputs=self._snapshots_of(outputs),
                num_parameters=sum(p.numel() for p in used),
                num_trainable=sum(p.numel() for p in used if p.requires_grad),
                output_dtypes=tuple(tensor.dtype for tensor in outputs),
                num_bytes=_new_bytes(inputs, outputs),
            )
            self.steps.append(done)
        return result

    def _begun(
        self, name: str, module: nn.Module | None, given: Keywords, inputs: list[Tensor]
    ) -> partial[Step]:
        """Describe what is about to run, when its inputs are still as they were."""
        operation = name if module is None else type(module).__name__
        place = torch_calls.place_of_frame(sys._getframe(1))
        if not place.code:
            place = replace(place, code=operation if module is None else repr(module))
        return partial(
            Step,
            name=name or operation,
            operation=operation,
            settings=layer_settings(module) if module else torch_calls.plain_settings(given),
            input_shapes=_shapes(inputs),
            sources=tuple(map(self._sources.get, inputs)),
            place=place,
            scope=self._scopes[-1] if self._scopes else "",
            module=module,
            inputs=self._snapshots_of(inputs),
        )

    def _snapshots_of(self, tensors: list[Tensor]) -> tuple[Tensor, ...] | None:
        return tuple(map(self._snapshot, tensors)) if self._keep_tensors else None

    def _snapshot(self, tensor: Tensor) -> Tensor:
        """Copy a tensor as it is now, once per content: in-place operations raise its version."""
        known = self._snapshots.get(tensor)
        if known is None or known[0] != tensor._version:
            known = self._snapshots[tensor] = (tensor._version, tensor.detach().clone())
        kept: Tensor = known[1]
        return kept

    def _first_used(self, tensors: Iterable[Tensor]) -> Collection[Tensor]:
        """Find the parameters among `tensors` that no earlier step used."""
        known = self._registered.keys()
        weights = {id(t): t for t in tensors if isinstance(t, nn.Parameter) or id(t) in known}
        new = {key: weights[key] for key in weights.keys() - self._used.keys()}
        self._used |= new
        return new.values()


def _shapes(tensors: Iterable[Tensor]) -> tuple[Shape, ...]:
    return tuple(tuple(tensor.shape) for tensor in tensors)


def _new_bytes(inputs: list[Tensor], outputs: list[Tensor]) -> int:
    """Count the bytes of outputs that have memory of their own."""
    taken = set(map(_memory, inputs))
    return sum(t.numel() * t.element_size() for t in outputs if _memory(t) not in taken)


def _memory(tensor: Tensor) -> int:
    """Tell the memory of a tensor from that of others."""
    plain = tensor.layout is torch.strided and not tensor.is_nested
    return tensor.untyped_storage()._cdata if plain else id(tensor)


def _is_layer(module: nn.Module) -> bool:
    """Tell whether a module makes one step: a layer of PyTorch's own, or compiled TorchScript.

    What counts is who wrote its `forward`: a subclass that only adds settings is still a layer,
    one with a `forward` of its own is looked into. Containers and transformers are looked into.
    """
    if isinstance(module, torch.jit.ScriptModule):
        return True
    home = type(module).forward.__module__ or ""  # torch.fx writes code of no module
    return home.startswith(("torch.nn.modules.", "torch.ao.nn.")) and home not in _LOOKED_INTO


_LOOKED_INTO = ("torch.nn.modules.container", "torch.nn.modules.transformer")


@contextmanager
def _surroundings(gradients: bool) -> Iterator[None]:
    """Keep the random state, and run what `torch.compile` compiled as it was written."""
    compiles = "torch._dynamo" in sys.modules  # which takes seconds to import
    plain = torch.compiler.set_stance("force_eager") if compiles else nullcontext()
    numbers = torch.random.fork_rng(devices=[])
    with numbers, torch.inference_mode(False), torch.set_grad_enabled(gradients), plain:
        yield


def _copied(value: Any, device: torch.device | str) -> Any:  # noqa: ANN401
    """Copy the tensors in nested containers to a device."""
    if isinstance(value, Tensor):
        return _values(value, device, copy=True).requires_grad_(value.requires_grad)
    return rebuilt(value, lambda item: _copied(item, device))


def _own(module: nn.Module, memo: Mapping[int, Any]) -> None:
    """Free a copied module from what ties it to the user: hooks, and the original in a closure."""
    for hooks in (module._forward_hooks, module._forward_pre_hooks):
        for key, hook in list(hooks.items()):
            if not getattr(hook, "__module__", "").startswith("torch."):
                del hooks[key]
    forward = vars(module).get("forward")
    if isinstance(forward, FunctionType):
        module.forward = _speaking_of_copies(forward, memo)


def _speaking_of_copies(function: FunctionType, memo: Mapping[int, Any]) -> FunctionType:
    """Make a function whose closure and globals name copies where it names what was copied."""
    code, known = function.__code__, function.__globals__
    named = {n: memo[id(known[n])] for n in code.co_names if id(known.get(n)) in memo}
    held = (cell.cell_contents for cell in function.__closure__ or ())
    cells = tuple(CellType(memo.get(id(value), value)) for value in held)
    twin = FunctionType(code, known | named, None, function.__defaults__, cells)
    twin.__kwdefaults__ = function.__kwdefaults__
    return twin


def _stand_ins(
    model: nn.Module, device: torch.device | str, shares_rest: bool = False
) -> dict[int, Any]:
    """Prepare what `copy.deepcopy` is to put in the place of a model's tensors and wrappers.

    Most of a module's attributes are empty dictionaries of hooks; preparing those too makes the
    copy several times as fast. What is no module, holds no tensor and is no plain container may be
    shared.
    """
    memo: dict[int, Any] = {}
    modules = list(model.modules())
    for module in modules:
        for value in vars(module).values():
            if type(value) in (dict, OrderedDict, set) and not value:
                memo[id(value)] = type(value)()
                continue
            held = tensors_in(value)
            memo |= {id(tensor): _private_tensor(tensor, device) for tensor in held}
            is_copied = held or isinstance(value, nn.Module) or type(value) in (dict, list, tuple)
            if shares_rest and not is_copied:
                memo[id(value)] = value
    for module in reversed(modules):  # a wrapper may stand in another
        parallel = isinstance(module, nn.DataParallel | nn.parallel.DistributedDataParallel)
        wrapped = getattr(module, "module" if parallel else "_orig_mod", None)
        if wrapped is not None:  # by torch.compile, or for several devices
            memo[id(module)] = copy.deepcopy(wrapped, memo)
    return memo


def _private_tensor(tensor: Tensor, device: torch.device | str) -> Tensor:
    """Stand in for a tensor of the model; weights share their memory until someone may write it."""
    if is_lazy(tensor):
        lazy: Callable[..., Tensor] = type(tensor)
        return lazy(device=device, dtype=tensor.dtype)
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(_values(tensor, device), requires_grad=tensor.requires_grad)
    return _values(tensor, device, copy=True)


def _values(tensor: Tensor, device: torch.device | str, copy: bool = False) -> Tensor:
    """Bring a tensor's numbers to a device.

    A tensor on the meta device has none: zeros stand in, which take no memory either.
    """
    if tensor.is_meta:
        return torch.zeros((), dtype=tensor.dtype, device=device).expand(tensor.shape)
    return tensor.data.to(device, copy=copy)
