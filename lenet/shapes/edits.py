"""Edits of the user's source: where a layer or a call is written, and what stands there instead."""

from __future__ import annotations

import ast
import difflib
import inspect
import linecache
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from lenet.shapes.wording import setting_text
from lenet.tracing import Place, constructor_parameters, layer_settings
from lenet.tracing.torch_calls import ALIASES, bind

_LIBRARIES = ("torch", "F", "nn.functional", "torch.nn.functional")
_Space = tuple[dict[str, Any], dict[str, Any]]


@dataclass(frozen=True)
class Edit:
    """One piece of a file that is replaced.

    Attributes:
        file: the file, or the name under which Python knows a notebook's cell.
        line: the line in which `old` begins, from 1.
        column: the character at which it begins, from 0.
        old: the text that stands there; empty where something is inserted.
        new: the text that takes its place.
    """

    file: str
    line: int
    column: int
    old: str
    new: str


def apply_edits(source: str, edits: Sequence[Edit]) -> str:
    """Make the edits of one file.

    Raises:
        ValueError: an edit's old text does not stand where it says, or two edits overlap.
    """
    lines = source.splitlines(keepends=True)
    starts = [0, *accumulate(map(len, lines))]
    last = len(source)
    for edit in sorted(edits, key=lambda edit: (edit.line, edit.column), reverse=True):
        start = starts[edit.line - 1] + edit.column if 0 < edit.line < len(starts) else last + 1
        end = start + len(edit.old)
        if source[start:end] != edit.old or end > last:
            raise ValueError(f"line {edit.line} does not hold {edit.old!r} to replace")
        source, last = source[:start] + edit.new + source[end:], start
    return source


def lines_after(edits: Sequence[Edit]) -> list[str]:
    """The lines that edits change, whole, as they stand afterwards."""
    lines: list[str] = []
    for file, source in _edited_sources(edits).items():
        now, then = source_of(file).splitlines(), source.splitlines()
        blocks = difflib.SequenceMatcher(None, now, then, autojunk=False).get_opcodes()
        changed = (then[first:last] for kind, _, _, first, last in blocks if kind != "equal")
        lines += [line.strip() for block in changed for line in block]
    return lines


def source_of(file: str) -> str:
    """Read a file or a notebook's cell, as Python ran it."""
    return "".join(linecache.getlines(file))


def is_users(file: str) -> bool:
    """Tell whether a file is the user's own to edit: not an installed package, and readable."""
    installed = {"site-packages", "dist-packages", Path(torch.__file__).parent.name}
    return not installed & set(Path(file).parts) and bool(linecache.getlines(file))


@dataclass(frozen=True)
class Expression:
    """An expression in a file, or a sum that is a statement, ``x += y``."""

    file: str
    node: ast.expr | ast.AugAssign

    @property
    def text(self) -> str:
        """The expression as it is written."""
        return _text(source_of(self.file), self.node)

    def replaced(self, new: str) -> Edit:
        """Write something else instead."""
        column = _column(self.file, self.node.lineno, self.node.col_offset)
        return Edit(self.file, self.node.lineno, column, self.text, new)

    def with_suffix(self, suffix: str) -> Edit:
        """Call a method on it: ``x`` becomes ``x.flatten(1)``, ``x + y`` ``(x + y).flatten(1)``."""
        simple = isinstance(self.node, ast.Name | ast.Call | ast.Attribute | ast.Subscript)
        return self.replaced(f"{self.text}{suffix}" if simple else f"({self.text}){suffix}")

    def with_arguments(self, names: Iterable[str], changes: Mapping[str, Any]) -> list[Edit]:
        """Give a call other arguments, and leave the rest of it as it is.

        Args:
            names: what the call's arguments are named, in the order of their positions.
            changes: the arguments that change, with their values.

        Raises:
            LookupError: the call is written with ``*`` or ``**``.
        """
        given = self.arguments(names)
        edits = [given[k].replaced(setting_text(v, k)) for k, v in changes.items() if k in given]
        added = ", ".join(f"{k}={setting_text(v, k)}" for k, v in changes.items() if k not in given)
        if added:
            before = self.text[:-1].rstrip()
            gap = "" if before.endswith("(") else " " if before.endswith(",") else ", "
            line, end = self.node.end_lineno or 0, (self.node.end_col_offset or 0) - 1
            edits.append(Edit(self.file, line, _column(self.file, line, end), "", gap + added))
        return edits

    def renamed(self, name: str) -> Edit:
        """Call its neighbour, ``nn.Conv3d`` instead of ``nn.Conv2d``, with the same arguments.

        Raises:
            LookupError: the call names no module, so that the neighbour may not be at hand.
        """
        called = getattr(self.node, "func", None)
        if not isinstance(called, ast.Attribute):
            raise LookupError(f"{self.text} does not name a module")
        return Expression(self.file, called).replaced(f"{ast.unparse(called.value)}.{name}")

    def arguments(self, names: Iterable[str]) -> dict[str, Expression]:
        """The call's arguments by name.

        Raises:
            LookupError: the call is written with ``*`` or ``**``.
        """
        positional, keywords = getattr(self.node, "args", []), getattr(self.node, "keywords", [])
        named = {ALIASES.get(each.arg, each.arg): each.value for each in keywords}
        given = dict(zip(names, positional, strict=False)) | named
        if None in given or any(isinstance(each, ast.Starred) for each in given.values()):
            raise LookupError(f"{self.text} does not name its arguments")
        return {name: Expression(self.file, value) for name, value in given.items()}

    def operands(self, is_layer: bool = False) -> list[Expression]:
        """What a call or a sum works on: ``y`` and ``z`` of ``torch.cat([y, z], 1)``."""
        match self.node:
            case ast.Call(func=ast.Attribute(value=owner), args=args) if self.is_method(is_layer):
                nodes = [owner, *args]
            case ast.Call(args=[ast.List(elts=nodes) | ast.Tuple(elts=nodes), *_] | nodes):
                pass
            case _:
                nodes = [n for n in ast.iter_child_nodes(self.node) if isinstance(n, ast.expr)]
        return [Expression(self.file, node) for node in nodes]

    def given(self, is_layer: bool, number: int) -> list[Expression]:
        """What a call works on, and the states and masks that go with it, if they are so many."""
        nodes = [each.node for each in self.operands(is_layer)]
        named = [each.value for each in getattr(self.node, "keywords", [])]
        parts = [p for n in (*nodes, *named) for p in getattr(n, "elts", [n])]
        given = [Expression(self.file, n) for n in parts if not isinstance(n, ast.Constant)]
        return given if len(given) == number else self.operands(is_layer)[:2]

    def sizes(self) -> list[Expression]:
        """The sizes that a view asks for, in a tuple or not."""
        match self.operands()[1:]:
            case [Expression(node=ast.Tuple(elts=nodes) | ast.List(elts=nodes))]:
                return [Expression(self.file, node) for node in nodes]
            case sizes:
                return sizes

    def is_method(self, is_layer: bool = False) -> bool:
        """Tell whether a call is a tensor's method, not a layer or a function of torch."""
        func = self.node.func if isinstance(self.node, ast.Call) and not is_layer else None
        no_tensors = (*_LIBRARIES, *_imported(source_of(self.file)))
        return isinstance(func, ast.Attribute) and ast.unparse(func.value) not in no_tensors

    def is_statement(self) -> bool:
        """Tell whether it stands alone, so that nothing gets what it gives."""
        nodes = ast.walk(_parsed(source_of(self.file)))
        return any(isinstance(each, ast.Expr) and each.value is self.node for each in nodes)

    def argument_names(self, operation: str) -> list[str]:
        """What the arguments of a torch function or method are called, in order; [] of others."""
        homes = (torch.Tensor,) if self.is_method() else (F, torch)
        found = (getattr(home, operation) for home in homes if hasattr(home, operation))
        function = next(found, None)
        names = list(bind(operation, function, tuple(range(9)), {})) if function else []
        return names[self.is_method() :]


def expression_at(place: Place) -> Expression | None:
    """Find the expression that a step ran; None where the source is not the user's."""
    if place.end is None or not is_users(place.file):
        return None
    nodes = ast.walk(_parsed(source_of(place.file)))
    written = (each for each in nodes if isinstance(each, ast.expr | ast.AugAssign))
    ending = (each for each in written if (each.end_lineno, each.end_col_offset) == place.end)
    found = [Expression(place.file, each) for each in ending]
    same = [each for each in found if each.text.split() == place.code.split()]
    calls = [each for each in found if isinstance(each.node, ast.Call)]
    return next(iter(same + calls), None)


def layer_expression(model: nn.Module, name: str) -> Expression | None:
    """Find the call in the user's code that makes a layer, such as ``nn.Linear(400, 120)``.

    Returns:
        The call, which may make others too, in a loop or a function; None where there is none to
        edit: for a layer that was exchanged later, for a network that is not the user's.
    """
    return own_expression(model, name) or _only_expression(model, name)


def own_expression(model: nn.Module, name: str) -> Expression | None:
    """Find the call in an `__init__` that makes a layer, and no other of the same object."""
    parts, layer = name.split(".") if name else [], model.get_submodule(name)
    for depth in reversed(range(len(parts))):
        owner = model.get_submodule(".".join(parts[:depth]))
        if init := _users_init(owner):
            file, space = init.__code__.co_filename, (init.__globals__, {"self": owner})
            made = _assignments(source_of(file), init.__code__.co_firstlineno)
            found = _calls(made.get(f"self.{parts[depth]}", ()), made)
            calls = [call for call in found if _evaluated(call.func, space) is type(layer)]
            modules = _layers(owner.get_submodule(parts[depth]))
            layers = [each for each in modules if type(each) is type(layer)]
            if layer not in layers or len(layers) != len(calls):
                return None
            call = Expression(file, calls[layers.index(layer)])
            return call if _agree(call, layer, space) else None
    return None


def transformer_call(model: nn.Module, name: str) -> Expression | None:
    """Find the user's call that makes a transformer's layers, by the attention in one of them."""
    root, _, inside = name.partition(".")
    init = _users_init(model)
    if init is None or not inside:
        return None
    file, space = init.__code__.co_filename, (init.__globals__, {"self": model})
    made = _assignments(source_of(file), init.__code__.co_firstlineno)
    for call in _calls(made.get(f"self.{root}", ()), made):
        kind = _evaluated(call.func, space)
        parameters = constructor_parameters(kind) if isinstance(kind, type) else {}
        if (
            getattr(kind, "__module__", "") == nn.Transformer.__module__
            and "batch_first" in parameters
        ):
            return Expression(file, call)
    return None


def layers_made_by(
    model: nn.Module, call: Expression, name: str, changed: Iterable[str]
) -> list[str]:
    """Name all layers that the call which makes one of them makes, in a loop or a function.

    Raises:
        LookupError: it cannot be told of a layer whether the call makes it, or an argument that is
            `changed` may be another for each.
    """
    layer, made = model.get_submodule(name), []
    for each, other in model.named_modules():
        if type(other) is type(layer):
            found = layer_expression(model, each)
            if found is None and _agree(call, other, ({}, {})):
                raise LookupError(f"{call.text} may make {each}")
            made += [each] if found == call else []
    written = [v for k, v in call.arguments(parameters_of(layer)).items() if k in changed]
    if len(made) > 1 and any(_evaluated(each.node, ({}, {})) is None for each in written):
        raise LookupError(f"{call.text} does not give all its layers the same")
    return made


def parameters_of(layer: nn.Module) -> dict[str, inspect.Parameter]:
    """What a layer's constructor takes, by name, in order."""
    constructor: Callable[..., nn.Module] = type(layer)
    return constructor_parameters(constructor)


def put_before(model: nn.Module, name: str, call: Expression, front: str) -> Edit:
    """Write a layer such as ``Flatten()`` before another one in an `nn.Sequential`.

    Raises:
        LookupError: the layer is not in one, or other layers of `torch.nn` are not at hand.
    """
    owner, _, key = name.rpartition(".")
    library, dot, _ = ast.unparse(getattr(call.node, "func", call.node)).rpartition(".")
    if not (dot and key.isdigit() and type(model.get_submodule(owner)) is nn.Sequential):
        raise LookupError(f"nothing can be written before {name}")
    return replace(call.replaced(f"{library}.{front}, "), old="")


def added_attribute(model: nn.Module, owner: str, assignment: str) -> Edit | None:
    """Write a line such as ``shortcut = nn.Conv2d(3, 8, 1)`` into the `__init__` of a module."""
    for child, _ in model.get_submodule(owner).named_children():
        call = layer_expression(model, f"{owner}.{child}".lstrip("."))
        line = linecache.getline(call.file, call.node.lineno) if call else ""
        if call and line.lstrip().startswith(f"self.{child}"):
            indent = len(line) - len(line.lstrip())
            new = f"self.{assignment}\n{line[:indent]}"
            return Edit(call.file, call.node.lineno, indent, "", new)
    return None


def rewritten(model: nn.Module, edits: Sequence[Edit]) -> nn.Module:
    """Run the methods of `model`, a private copy, as they stand after edits of their source.

    Returns:
        The same model.

    Raises:
        SyntaxError: the edited source is none.
        ValueError: the edits do not fit the source.
    """
    for file, source in _edited_sources(edits).items():
        codes = _codes(source, file)
        for module in model.modules():
            homes = [*map(vars, reversed(type(module).__mro__)), vars(module)]
            for name, method in {key: each for home in homes for key, each in home.items()}.items():
                is_method = isinstance(method, FunctionType) and name != "__init__"
                if is_method and method.__code__.co_filename == file:
                    new = _edited(method, codes)
                    setattr(module, name, new if name in vars(module) else MethodType(new, module))
    return model


def returning(code: CodeType) -> Iterator[Edit]:
    """Give what a function has made last: its last expression, or the last name it was given."""
    file = code.co_filename
    functions = (n for n in ast.walk(_parsed(source_of(file))) if isinstance(n, ast.FunctionDef))
    same = (n for n in functions if n.name == code.co_name)
    starts = {min([n.lineno, *(d.lineno for d in n.decorator_list)]): n for n in same}
    if (function := starts.get(code.co_firstlineno)) is None:
        return
    *_, last = function.body
    if isinstance(last, ast.Expr):
        yield replace(Expression(file, last.value).replaced("return "), old="")
    made = [each for each in function.body if isinstance(each, ast.Assign | ast.AugAssign)]
    for each in made[-1:]:
        target = each.targets[0] if isinstance(each, ast.Assign) else each.target
        line, end = last.end_lineno or 0, last.end_col_offset or 0
        new = f"\n{' ' * last.col_offset}return {ast.unparse(target)}"
        yield Edit(file, line, _column(file, line, end), "", new)


def _edited(method: FunctionType, codes: Iterable[CodeType]) -> FunctionType:
    """Make a method anew from the code that its file has after an edit."""
    old = method.__code__
    same = (code for code in codes if code.co_qualname == old.co_qualname)
    code = min(same, key=lambda code: abs(code.co_firstlineno - old.co_firstlineno), default=old)
    cells = dict(zip(old.co_freevars, method.__closure__ or (), strict=True))
    closure = tuple(cells[name] for name in code.co_freevars)
    new = FunctionType(code, method.__globals__, method.__name__, method.__defaults__, closure)
    new.__kwdefaults__ = method.__kwdefaults__
    return new


@lru_cache(maxsize=256)
def _codes(source: str, file: str) -> list[CodeType]:
    """Compile a file, and list the code of all its functions."""
    found = [compile(source, file, "exec", dont_inherit=True)]
    for code in found:  # grows while it is read
        found += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return found


@lru_cache(maxsize=64)
def _parsed(source: str) -> ast.Module:
    with suppress(SyntaxError):
        return ast.parse(source)
    return ast.Module([], [])


@lru_cache(maxsize=64)
def _imported(source: str) -> set[str]:
    """List the names that a file imports."""
    nodes = ast.walk(_parsed(source))
    imports = (each for each in nodes if isinstance(each, ast.Import | ast.ImportFrom))
    return {alias.asname or alias.name for each in imports for alias in each.names}


@lru_cache(maxsize=1024)
def _text(source: str, node: ast.AST) -> str:
    return ast.get_source_segment(source, node) or ""


def _column(file: str, line: int, offset: int) -> int:
    """Count a column in characters; Python counts it in UTF-8 bytes."""
    return len(linecache.getline(file, line).encode()[:offset].decode())


def _edited_sources(edits: Sequence[Edit]) -> dict[str, str]:
    """Read the files that edits concern, as they stand afterwards."""
    made = {edit.file: [each for each in edits if each.file == edit.file] for edit in edits}
    return {file: apply_edits(source_of(file), mine) for file, mine in made.items()}


def _users_init(module: nn.Module) -> FunctionType | None:
    """Find the `__init__` that the user wrote for a module's class, or for one above it."""
    inits = (vars(kind).get("__init__") for kind in type(module).__mro__)
    functions = (each for each in inits if isinstance(each, FunctionType))
    return next((each for each in functions if is_users(each.__code__.co_filename)), None)


def _function_at(source: str, line: int) -> ast.AST:
    """Find the function that begins on a line, with its decorators."""
    nodes = ast.walk(_parsed(source))
    starts = (each for each in nodes if isinstance(each, ast.FunctionDef) and each.lineno >= line)
    return min(starts, key=lambda each: each.lineno, default=ast.Module([], []))


@lru_cache(maxsize=256)
def _assignments(source: str, line: int) -> dict[str, list[ast.expr]]:
    """List what is given to each name in the function that begins on a line, with decorators."""
    inside = ast.walk(_function_at(source, line))
    given = [each for each in inside if isinstance(each, ast.Assign | ast.AugAssign)]
    made: dict[str, list[ast.expr]] = {}
    for each in sorted(given, key=lambda each: each.lineno):
        target = each.targets[0] if isinstance(each, ast.Assign) else each.target
        made.setdefault(ast.unparse(target), []).append(each.value)
    return made


def _calls(nodes: Iterable[ast.AST], made: Mapping[str, Sequence[ast.expr]]) -> Iterator[ast.Call]:
    """List the calls in some code, and in what was given to names in it, in their order."""
    for node in nodes:
        if isinstance(node, ast.Name):
            rest = {name: values for name, values in made.items() if name != node.id}
            yield from _calls(made.get(node.id, ()), rest)
        if isinstance(node, ast.Call):
            yield node
        yield from _calls(ast.iter_child_nodes(node), made)


def _only_expression(model: nn.Module, name: str) -> Expression | None:
    """Find the only call that can have made a layer: in an `__init__`, or in what that calls."""
    parts, layer = name.split(".") if name else [], model.get_submodule(name)
    for depth in reversed(range(len(parts))):
        owner = model.get_submodule(".".join(parts[:depth]))
        makers = []
        for file, node, made in _calls_for(owner, parts[depth]):
            is_unknown = made is None and isinstance(node.func, ast.Name)  # it may be any class
            call = Expression(file, node)
            if (is_unknown or made is type(layer)) and _agree(call, layer, ({}, {})):
                makers.append((call, is_unknown))
        if makers:
            return makers[0][0] if len(makers) == 1 and not makers[0][1] else None
    return None


def _calls_for(owner: nn.Module, part: str) -> Iterator[tuple[str, ast.Call, object]]:
    """List the calls that may make a part of a module: their file, and what is called."""
    functions = [init] if (init := _users_init(owner)) else []
    for function in functions:  # grows while it is read
        file = function.__code__.co_filename
        for node in _calls_in(source_of(file), function.__code__.co_firstlineno, part):
            called = _evaluated(node.func, (function.__globals__, {"self": owner}))
            yield file, node, called
            called = getattr(called, "__func__", called)
            if isinstance(called, FunctionType) and is_users(called.__code__.co_filename):
                functions += [called] if called not in functions else []


@lru_cache(maxsize=1024)
def _calls_in(source: str, line: int, part: str) -> list[ast.Call]:
    """List the calls in the function that begins on a line, but those that make other parts."""
    nodes, calls = [_function_at(source, line)], []
    for node in nodes:  # grows while it is read
        match node:
            case ast.Assign(targets=[ast.Attribute(ast.Name("self"), other)]) if other != part:
                continue
            case ast.Call():
                calls.append(node)
        nodes += ast.iter_child_nodes(node)
    return calls


def _layers(module: nn.Module) -> Iterator[nn.Module]:
    """List a module and, if it is a container of PyTorch's, those in it, in their order."""
    yield module
    if type(module).__module__ == nn.Sequential.__module__:
        for child in module.children():
            yield from _layers(child)


def _agree(call: Expression, layer: nn.Module, space: _Space) -> bool:
    """Tell whether a call's arguments, as far as they can be read, are the layer's."""
    with suppress(LookupError):
        parameters, settings = parameters_of(layer), layer_settings(layer)
        given = call.arguments(parameters)
        written = {name: each.default for name, each in parameters.items()}
        written |= {name: _evaluated(each.node, space) for name, each in given.items()}
        known = {name: value for name, value in written.items() if value is not None}
        return all(setting_text(settings.get(k, v)) == setting_text(v) for k, v in known.items())
    return False


def _evaluated(node: ast.AST, space: _Space) -> object:
    """What an expression is; None where that needs more than a class and its globals."""
    with suppress(Exception):
        if not any(isinstance(each, ast.Call) for each in ast.walk(node)):
            return eval(ast.unparse(node), *space)
    return None
