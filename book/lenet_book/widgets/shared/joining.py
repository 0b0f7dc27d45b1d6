"""Join a widget's script and what it imports to one module, and its style sheets to one.

The scripts of a widget stay small files with one job each, which type checkers, tests and readers
take as they are. Notebooks want one module; a bundler would be one more tool to install. Comments
that document or declare types (``/** ... */``) stay behind: every widget in a notebook carries a
copy of its module.

What Python knows already is not written twice: in place of ``fromPython("module:function")`` stands
what the function returns, as JSON.
"""

from __future__ import annotations

import json
import re
from functools import cache
from pathlib import Path
from pkgutil import resolve_name

SHARED_STYLE = Path(__file__).with_name("shared.css")

_IMPORT = re.compile(r'^import \{[^}]*\} from "(\.{1,2}/[\w./]+)";\n+', re.MULTILINE)
_ANY_IMPORT = re.compile(r"^import\b.*$", re.MULTILINE)
_COMMENT = re.compile(
    r"^[ \t]*(/\*\*(?:(?!\*/).)*\*/|// @ts-check)[ \t]*\n", re.MULTILINE | re.DOTALL
)
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)
_DATA = re.compile(r'\bfromPython\("([\w.]+:\w+)"\)')
_NAME = re.compile(r"^(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)
_DEFAULT_EXPORT = re.compile(r"^export default .*\n", re.MULTILINE)


@cache
def joined_script(path: Path) -> str:
    """Join a script and all that it imports, each file once, before those that need it.

    Raises:
        ValueError: A file imports in another form than ``import { name } from "./file.js";``, or
            two files declare the same name.
    """
    owners: dict[str, str] = {}
    for file, text in _collected(path).items():
        for name in _NAME.findall(text):
            if owners.setdefault(name, file.name) != file.name:
                raise ValueError(f"{owners[name]} and {file.name} both declare {name}")
    *imported, own = _collected(path).values()
    return "\n".join([*(_DEFAULT_EXPORT.sub("", text) for text in imported), own])


@cache
def _collected(path: Path) -> dict[Path, str]:
    files: dict[Path, str] = {}
    _collect(path, files)
    return files


def _collect(path: Path, files: dict[Path, str]) -> None:
    """Put what a script imports, and then the script itself, into `files`."""
    text = path.read_text(encoding="utf-8")
    for name in _IMPORT.findall(text):
        imported = (path.parent / name).resolve()
        if imported not in files:
            _collect(imported, files)
    body = _IMPORT.sub("", text)
    left = _ANY_IMPORT.search(body)
    if left:
        raise ValueError(f"{path.name}: only files of the package can be imported: {left[0]}")
    files[path] = _DATA.sub(_as_json, _EXPORT.sub("", _COMMENT.sub("", body)))


def _as_json(call: re.Match[str]) -> str:
    value = resolve_name(call[1])()
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


@cache
def joined_style(path: Path) -> str:
    """Join the shared style sheet, those beside imported scripts, and the one beside a script."""
    sheets = [SHARED_STYLE, *(file.with_suffix(".css") for file in _collected(path))]
    present = dict.fromkeys(sheet for sheet in sheets if sheet.exists())
    return "\n".join(sheet.read_text(encoding="utf-8") for sheet in present)
