"""Edits of the user's source: where a layer or a call is written, and what stands there instead."""

from __future__ import annotations

import ast
import difflib
import inspect
import linecache
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from types import CodeType, FunctionType, MethodType
from typing import Any

import torch
from torch import nn

from lenet.shapes.wording import setting_text
from lenet.tracing import Place

AFTER, BEFORE = "after the network is made", "before the call"


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


@dataclass(frozen=True)
class Statement:
    """A line to run, where the source is not the user's to edit.

    Attributes:
        code: ``model.fc = nn.Linear(512, 10)`` or ``images = images.unsqueeze(1)``.
        when: `AFTER`, "after the network is made", or `BEFORE`, "before the call".
    """

    code: str
    when: str = AFTER


def apply_edits(source: str, edits: Sequence[Edit]) -> str:
    """Make the edits of one file.

    Raises:
        ValueError: an edit's old text does not stand where it says, or two edits overlap.
    """
    lines = source.splitlines(keepends=True)
    starts = [0, *(len("".join(lines[:count])) for count in range(1, len(lines) + 1))]
    last = len(source)
    for edit in sorted(edits, key=lambda edit: (edit.line, edit.column), reverse=True):
        start = starts[edit.line - 1] + edit.column
        end = start + len(edit.old)
        if source[start:end] != edit.old or end > last:
            raise ValueError(f"line {edit.line} does not hold {edit.old!r} to replace")
        source, last = source[:start] + edit.new + source[end:], start
    return source


def lines_after(edits: Sequence[Edit]) -> list[str]:
    """The lines that edits change, whole, as they stand afterwards."""
    lines = []
    for file, made in _by_file(edits).items():
        before = source_of(file)
        pair = before.splitlines(), apply_edits(before, made).splitlines()
        marked = list(difflib.unified_diff(*pair, n=0))[2:]
        lines += [line[1:].strip() for line in marked if line.startswith("+")]
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
    """An expression in a file."""

    file: str
    node: ast.expr

    @property
    def text(self) -> str:
        """The expression as it is written."""
        return ast.get_source_segment(source_of(self.file), self.node) or ""

    def part(self, node: ast.expr) -> Expression:
        """An expression within this one, or beside it."""
        return Expression(self.file, node)

    def replaced(self, new: str) -> Edit:
        """Write something else instead."""
        node = self.node
        return Edit(self.file, *_place(self.file, node.lineno, node.col_offset), self.text, new)

    def followed(self, new: str) -> Edit:
        """Write something behind it."""
        end = self.node.end_lineno or 0, self.node.end_col_offset or 0
        return Edit(self.file, *_place(self.file, *end), "", new)

    def with_suffix(self, suffix: str) -> Edit:
        """Call a method on it: ``x`` becomes ``x.flatten(1)``, ``x + y`` ``(x + y).flatten(1)``."""
        simple = isinstance(self.node, ast.Name | ast.Call | ast.Attribute | ast.Subscript)
        return self.replaced(f"{self.text}{suffix}" if simple else f"({self.text}){suffix}")

    def with_arguments(self, names: Sequence[str], changes: Mapping[str, Any]) -> list[Edit]:
        """Give a call other arguments, and leave the rest of it as it is.

        Args:
            names: what the call's arguments are named, in the order of their positions.
            changes: the arguments that change, with their values.

        Raises:
            LookupError: the call is written with ``*`` or ``**``.
        """
        given = self.arguments(names)
        edits = [
            given[name].replaced(setting_text(v)) for name, v in changes.items() if name in given
        ]
        added = ", ".join(f"{k}={setting_text(v)}" for k, v in changes.items() if k not in given)
        return [*edits, self._added(list(given.values()), added)] if added else edits

    def arguments(self, names: Sequence[str]) -> dict[str, Expression]:
        """The call's arguments by name.

        Raises:
            LookupError: the call is written with ``*`` or ``**``.
        """
        call = self.node
        assert isinstance(call, ast.Call)
        keywords = {keyword.arg or "**": keyword.value for keyword in call.keywords}
        if "**" in keywords or any(isinstance(argument, ast.Starred) for argument in call.args):
            raise LookupError(f"{self.text} does not name its arguments")
        given = dict(zip(names, call.args, strict=False)) | keywords
        return {name: self.part(value) for name, value in given.items()}

    def _added(self, given: Sequence[Expression], text: str) -> Edit:
        """Write another argument behind the last one."""
        behind = self.node.end_lineno or 0, (self.node.end_col_offset or 0) - 1
        closing = Edit(self.file, *_place(self.file, *behind), "", text)
        if not given:
            return closing
        last = max(given, key=lambda each: (each.node.end_lineno, each.node.end_col_offset))
        edit = last.followed(f", {text}")
        lines = source_of(self.file).splitlines()[edit.line - 1 : closing.line]
        lines[-1] = lines[-1][: closing.column]
        between = "\n".join([lines[0][edit.column :], *lines[1:]])
        if between.strip() in ("", ","):
            return edit
        return Edit(self.file, closing.line, closing.column, "", f", {text}")


def expression_at(place: Place) -> Expression | None:
    """Find the expression that a step ran; None where the source is not the user's."""
    if place.end is None or not is_users(place.file):
        return None
    ending = [
        Expression(place.file, node)
        for node in ast.walk(_tree(place.file))
        if isinstance(node, ast.expr) and (node.end_lineno, node.end_col_offset) == place.end
    ]
    same = [each for each in ending if each.text.split() == place.code.split()]
    calls = [each for each in ending if isinstance(each.node, ast.Call)]
    return next(iter(same + calls), None)


def layer_expression(model: nn.Module, name: str) -> Expression | None:
    """Find the call in the user's `__init__` that makes a layer, such as ``nn.Linear(400, 120)``.

    Returns:
        The call; None where there is none to edit: for a layer made in a loop or by a function, for
        one that was exchanged later, for a network that is not the user's.
    """
    parts = name.split(".")
    for depth in reversed(range(len(parts))):
        owner = model.get_submodule(".".join(parts[:depth]))
        for kind in type(owner).__mro__:
            init = vars(kind).get("__init__")
            if isinstance(init, FunctionType) and is_users(init.__code__.co_filename):
                call = _made_in(init, parts[depth:])
                layer = model.get_submodule(name)
                return call if call and _makes(call, init, owner, layer) else None
    return None


def parameter_names(layer: nn.Module) -> list[str]:
    """What a layer's constructor calls its arguments, in order."""
    return list(inspect.signature(type(layer)).parameters)


def rewrite(model: nn.Module, edits: Sequence[Edit]) -> None:
    """Run the methods of `model`, a private copy, as they stand after edits of their source.

    Raises:
        SyntaxError: the edited source is none.
        ValueError: the edits do not fit the source.
    """
    for file, made in _by_file(edits).items():
        codes = _codes(apply_edits(source_of(file), made), file)
        for module in model.modules():
            for name, method in inspect.getmembers_static(type(module), inspect.isfunction):
                code = _code_of(method, file, codes)
                if code is not None and name != "__init__":
                    setattr(module, name, MethodType(_with_code(method, code), module))


def _with_code(method: FunctionType, code: CodeType) -> FunctionType:
    cells = dict(zip(method.__code__.co_freevars, method.__closure__ or (), strict=True))
    closure = tuple(cells[name] for name in code.co_freevars)
    new = FunctionType(code, method.__globals__, method.__name__, method.__defaults__, closure)
    new.__kwdefaults__ = method.__kwdefaults__
    return new


def _code_of(method: FunctionType, file: str, codes: Sequence[CodeType]) -> CodeType | None:
    """Find what a method's code is after an edit; None where it stays."""
    old = method.__code__
    if old.co_filename != file:
        return None
    same = [code for code in codes if code.co_qualname == old.co_qualname]
    nearest = min(same, key=lambda code: abs(code.co_firstlineno - old.co_firstlineno), default=old)
    return nearest if nearest != old else None


@lru_cache(maxsize=256)
def _codes(source: str, file: str) -> list[CodeType]:
    """Compile a file, and list the code of all its functions."""
    found = [compile(source, file, "exec", dont_inherit=True)]
    for code in found:  # grows while it is read
        found += [constant for constant in code.co_consts if isinstance(constant, CodeType)]
    return found


@lru_cache(maxsize=64)
def _parsed(source: str) -> ast.Module:
    try:
        return ast.parse(source)
    except SyntaxError:
        return ast.Module([], [])


def _tree(file: str) -> ast.Module:
    return _parsed(source_of(file))


def _place(file: str, line: int, offset: int) -> tuple[int, int]:
    """Count a column in characters; Python counts it in UTF-8 bytes."""
    return line, len(linecache.getline(file, line).encode()[:offset].decode())


def _by_file(edits: Sequence[Edit]) -> dict[str, list[Edit]]:
    files: dict[str, list[Edit]] = {}
    for edit in dict.fromkeys(edits):
        files.setdefault(edit.file, []).append(edit)
    return files


def _made_in(init: FunctionType, parts: Sequence[str]) -> Expression | None:
    """Find in an `__init__` what is assigned to ``self.features[0]``."""
    file, first = init.__code__.co_filename, init.__code__.co_firstlineno
    function = next((n for n in ast.walk(_tree(file)) if _begins(n, first)), None)
    if function is None:
        return None
    assigned: dict[str, list[ast.expr]] = {}
    for statement in ast.walk(function):
        for target, value in _assignments(statement):
            assigned.setdefault(ast.unparse(target), []).append(value)
    values = assigned.get(f"self.{parts[0]}", [])
    found = values[0] if len(values) == 1 else None
    for part in parts[1:]:
        found = _element(found, part, assigned)
    return Expression(file, found) if isinstance(found, ast.Call) else None


def _begins(node: ast.AST, line: int) -> bool:
    if not isinstance(node, ast.FunctionDef) or node.name != "__init__":
        return False
    return line in (node.lineno, *(each.lineno for each in node.decorator_list))


def _assignments(node: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if isinstance(target, ast.Tuple) and isinstance(node.value, ast.Tuple):
                yield from zip(target.elts, node.value.elts, strict=False)
            yield target, node.value
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        yield node.target, node.value


def _element(
    node: ast.expr | None, key: str, assigned: Mapping[str, Sequence[ast.expr]]
) -> ast.expr | None:
    """Find one layer in the code of a container: by its index, or by its name."""
    if not isinstance(node, ast.Call):
        return None
    listed = [_looked_up(each, assigned) for each in node.args]
    if len(listed) == 1 and isinstance(inner := listed[0], ast.Call | ast.List | ast.Dict):
        if isinstance(inner, ast.Call) and "OrderedDict" in ast.unparse(inner.func):
            inner = inner.args[0]
        if isinstance(inner, ast.Dict):
            listed = [ast.Tuple([k, v]) for k, v in zip(inner.keys, inner.values, strict=True) if k]
        if isinstance(inner, ast.List):
            listed = inner.elts
    if any(isinstance(each, ast.Starred) for each in listed):
        return None
    pairs = [each.elts for each in listed if isinstance(each, ast.Tuple)]
    named = {k.value: v for k, v in pairs if isinstance(k, ast.Constant)}
    return named.get(key) or dict(zip(map(str, range(len(listed))), listed, strict=True)).get(key)


def _looked_up(node: ast.expr, assigned: Mapping[str, Sequence[ast.expr]]) -> ast.expr:
    """Read a variable that is assigned once; ``*layers`` of a list is the list."""
    inner = node.value if isinstance(node, ast.Starred) else node
    values = assigned.get(ast.unparse(inner), [])
    return values[0] if isinstance(inner, ast.Name) and len(values) == 1 else node


def _makes(call: Expression, init: FunctionType, owner: nn.Module, layer: nn.Module) -> bool:
    """Tell whether a call makes this layer, as far as its arguments can be read."""
    space = {"self": owner, **init.__globals__}
    node = call.node
    assert isinstance(node, ast.Call)
    if _evaluated(ast.unparse(node.func), space) is not type(layer):
        return False
    try:
        given = call.arguments(parameter_names(layer))
    except LookupError:
        return False
    for name, argument in given.items():
        now, written = getattr(layer, name, None), _evaluated(argument.text, space)
        known = written is not None and isinstance(now, int | tuple)
        if known and setting_text(now) != setting_text(written):
            return False
    return True


def _evaluated(code: str, space: Mapping[str, Any]) -> object:
    """What an expression is; None where that needs more than a class and its globals."""
    if any(isinstance(node, ast.Call) for node in ast.walk(ast.parse(code, mode="eval"))):
        return None
    try:
        return eval(code, dict(space))
    except Exception:
        return None
