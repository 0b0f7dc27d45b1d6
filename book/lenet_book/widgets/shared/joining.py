"""Join a widget's script and what it imports to one module, and its style sheets to one.

The scripts of a widget stay small files with one job each, which type checkers, tests and readers
take as they are. Notebooks want one module; a bundler would be one more tool to install. Comments
that document or declare types (``/** ... */``) stay behind: every widget in a notebook carries a
copy of its module.

What Python knows already is not written twice: in place of ``fromPython("module:function")`` stands
what the function returns, as JSON.

What a script imports by ``import("./later.js")``, and what that file imports beside, is its part: a
function of the names that it takes from the script. It is called when it is first used. Notebooks
and saved pages have it inside the module; the pages of the book fetch it from a file of its own.

A part may also run in a worker, without a page: ``programOf("work")`` is the text of a program that
calls a function exported in the part. That text is the script's and the part's own, so that nothing
is delivered twice; neither may need a page before one of its functions is called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path
from pkgutil import resolve_name

SHARED_STYLE = Path(__file__).with_name("shared.css")

_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.{1,2}/[\w./]+)";\n+', re.MULTILINE)
_ANY_IMPORT = re.compile(r"^import\b.*$", re.MULTILINE)
_COMMENT = re.compile(
    r"^[ \t]*(/\*\*(?:(?!\*/).)*\*/|// @ts-check)[ \t]*\n", re.MULTILINE | re.DOTALL
)
_TYPE = re.compile(r"/\*\* @(?:(?!\*/).)*\*/ ?")  # within a line
_LATER = re.compile(r'\bimport\("(\.{1,2}/[\w./]+)"\)(?!\.[A-Z])')  # else a type
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)
_EXPORTED = re.compile(r"^export (?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)
_DATA = re.compile(r'\bfromPython\("([\w.]+:\w+)"\)')
_NAME = re.compile(r"^(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)
_DEFAULT_EXPORT = re.compile(r"^export default .*\n", re.MULTILINE)
_EXPORTS_BY_DEFAULT = re.compile(r"^export default ", re.MULTILINE)

_PROGRAM = "const programOf = (name) => `(${part})((${frontEnd})().names()).${name}()`;\n"


def joined_script(path: Path) -> str:
    """Join a script and all that it imports, each file once, before those that need it.

    Raises:
        ValueError: A file imports in another form than ``import { name } from "./file.js";``, or
            two files declare the same name.
    """
    part = joined_part(path)
    if not part:
        return _joined(path)
    return f"{front_end(path)}\n{part}\nexport default frontEnd(async (names) => part(names));\n"


@cache
def front_end(path: Path) -> str:
    """Write the function that makes a script's default export; it takes what promises its part.

    Raises:
        ValueError: As `joined_script`.
    """
    names = f"{{ {', '.join([*_names_for_part(path), 'frontEnd'])} }}"
    has_part = bool(_part_files(path))
    start = f"let comingPart;\nconst names = () => ({names});\n" if has_part else ""
    script = _LATER.sub("(comingPart ??= makePart(names()))", _joined(path))
    script = _EXPORTS_BY_DEFAULT.sub("const byDefault = ", script)
    result = "{ ...byDefault, names }" if has_part else "byDefault"
    return f'function frontEnd(makePart) {{\n"use strict";\n{start}{script}return {result};\n}}'


@cache
def joined_part(path: Path) -> str:
    """Write the function that makes what a script imports later; empty where it imports nothing.

    Raises:
        ValueError: As `joined_script`.
    """
    own = _part_files(path)
    if not own:
        return ""
    _check_names({**_collected(path), **own})
    exported = [name for file in own for name in _EXPORTED.findall(file.read_text("utf-8"))]
    names = ", ".join([*_names_for_part(path), "frontEnd"])
    sheets = json.dumps(_text_of(file.with_suffix(".css") for file in own), ensure_ascii=False)
    style = f"Object.assign(document.createElement('style'), {{ textContent: {sheets} }})"
    lines = [
        f'function part(names) {{\n"use strict";\nconst {{ {names} }} = names;\n',
        _PROGRAM,
        f"globalThis.document?.head.append({style});\n",
        "\n".join(own.values()),
        f"return {{ {', '.join(exported)} }};\n}}",
    ]
    return "".join(lines)


def _joined(path: Path) -> str:
    files = _collected(path)
    _check_names(files)
    *imported, own = files.values()
    return "\n".join([*(_DEFAULT_EXPORT.sub("", text) for text in imported), own])


def _part_files(path: Path) -> dict[Path, str]:
    """Collect what a script imports later, without what it has by then."""
    files = _collected(path)
    own: dict[Path, str] = dict(files)
    for file, text in files.items():
        for name in dict.fromkeys(_LATER.findall(text)):
            _collect((file.parent / name).resolve(), own)
    return {file: text for file, text in own.items() if file not in files}


def _names_for_part(path: Path) -> list[str]:
    """List the names that a part takes from its script."""
    files = _collected(path)
    names: dict[str, None] = {}
    for file in _part_files(path):
        for taken, source in _IMPORT.findall(file.read_text(encoding="utf-8")):
            if (file.parent / source).resolve() in files:
                names |= dict.fromkeys(re.findall(r"\w+", taken))
    return list(names)


def _check_names(files: Mapping[Path, str]) -> None:
    owners: dict[str, str] = {}
    for file, text in files.items():
        for name in _NAME.findall(text):
            if owners.setdefault(name, file.name) != file.name:
                raise ValueError(f"{owners[name]} and {file.name} both declare {name}")


@cache
def _collected(path: Path) -> dict[Path, str]:
    files: dict[Path, str] = {}
    _collect(path, files)
    return files


def _collect(path: Path, files: dict[Path, str]) -> None:
    """Put what a script imports, and then the script itself, into `files`."""
    text = path.read_text(encoding="utf-8")
    for _, name in _IMPORT.findall(text):
        imported = (path.parent / name).resolve()
        if imported not in files:
            _collect(imported, files)
    body = _IMPORT.sub("", text)
    left = _ANY_IMPORT.search(body)
    if left:
        raise ValueError(f"{path.name}: only files of the package can be imported: {left[0]}")
    files[path] = _DATA.sub(_as_json, _EXPORT.sub("", _TYPE.sub("", _COMMENT.sub("", body))))


def _as_json(call: re.Match[str]) -> str:
    value = resolve_name(call[1])()
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@cache
def joined_style(path: Path) -> str:
    """Join the shared style sheet, those beside imported scripts, and the one beside a script."""
    return _text_of([SHARED_STYLE, *(file.with_suffix(".css") for file in _collected(path))])


def _text_of(sheets: Iterable[Path]) -> str:
    present = dict.fromkeys(sheet for sheet in sheets if sheet.exists())
    return "\n".join(sheet.read_text(encoding="utf-8") for sheet in present)
