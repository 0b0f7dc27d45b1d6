"""Join a widget's script and what it imports to one module, and its style sheets to one.

The scripts of a widget stay small files with one job each, which type checkers, tests and readers
take as they are. Notebooks want one module; a bundler would be one more tool to install. Comments
on lines of their own, those that declare types (``/** ... */``) and the indentation stay behind:
every widget in a notebook carries a copy of its module.

What Python knows already is not written twice: in place of ``fromPython("module:function")`` stands
what the function returns, as JSON.

What a script imports by ``import("./later.js")``, and what that file imports beside, is a part,
called ``later``: a function of the names that it takes from the script. It is called when it is
first used. Notebooks and saved pages have it inside the module; the pages of the book fetch it from
a file of its own. A part may have parts in turn, which take names from it too.

A part may also run in a worker, without a page: ``startWorker("work")`` starts one that calls a
function exported in the same file. Its program is the text of the script and its parts, so that
notebooks and saved pages carry nothing twice; or it is a file of its own, `worker_programs`, where
the page has an address for it. Nothing that a worker calls may need a page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from pkgutil import resolve_name

SHARED_STYLE = Path(__file__).with_name("shared.css")

_IMPORT = re.compile(r'^import \{([^}]*)\} from "(\.{1,2}/[\w./]+)";\n+', re.MULTILINE)
_ANY_IMPORT = re.compile(r"^import\b.*$", re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(/\*\*(?:(?!\*/).)*\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL)
_TYPE = re.compile(r"/\*\* @(?:(?!\*/).)*\*/ ?")  # within a line
_INDENTATION = re.compile(r"^[ \t]+", re.MULTILINE)
_LATER = re.compile(r'\bimport\("(\.{1,2}/[\w./]+)"\)(?!\.[A-Z])')  # else a type
_EXPORT = re.compile(r"^export (?!default\b)", re.MULTILINE)
_EXPORTED = re.compile(r"^export (?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)
_DATA = re.compile(r'\bfromPython\("([\w.]+:\w+)"\)')
_NAME = re.compile(r"^(?:async )?(?:function|class|const|let) (\w+)", re.MULTILINE)
_DEFAULT_EXPORT = re.compile(r"^export default .*\n", re.MULTILINE)
_EXPORTS_BY_DEFAULT = re.compile(r"^export default ", re.MULTILINE)

_WORKER = re.compile(r'\bstartWorker\("(\w+)"\)')

_START_WORKER = """const startWorker = (name) => {
const text = () => `(${part})(${given.source}).${name}()`;
const blob = () => new Blob([text()], { type: "text/javascript" });
const address = given.addressOf?.(name) ?? URL.createObjectURL(blob());
const worker = new Worker(address);
URL.revokeObjectURL(address);
return worker;
};
"""


@dataclass(frozen=True)
class _Part:
    """A part's own files, and those that are there before it."""

    name: str
    own: Mapping[Path, str]
    before: Mapping[Path, str]


def joined_script(path: Path) -> str:
    """Join a script and all that it imports, each file once, before those that need it.

    Raises:
        ValueError: A file imports in another form than ``import { name } from "./file.js";``, or
            two files declare the same name.
    """
    parts = joined_parts(path)
    if not parts:
        return _joined(path)
    made = ",\n".join(f"{name}: {part}" for name, part in parts.items())
    make = "const makePart = async (name, names) => parts[name](names, makePart);"
    return (
        f"{front_end(path)}\nconst parts = {{\n{made}\n}};\n{make}\n"
        "export default frontEnd(makePart);\n"
    )


@cache
def front_end(path: Path) -> str:
    """Write the function that makes a script's default export; it takes what makes its parts.

    Raises:
        ValueError: As `joined_script`.
    """
    own = _collected(path)
    script = _EXPORTS_BY_DEFAULT.sub("const byDefault = ", _with_parts(_joined(path)))
    start = _names_for(own, _parts(own, {}), "`(${frontEnd})().names()`")
    result = "{ ...byDefault, names }" if start else "byDefault"
    return f'function frontEnd(makePart) {{\n"use strict";\n{start}{script}return {result};\n}}'


@cache
def joined_parts(path: Path) -> dict[str, str]:
    """Write, by name, the functions that make what a script imports later.

    Raises:
        ValueError: As `joined_script`.
    """
    return {part.name: _joined_part(part) for part in _parts(_collected(path), {})}


def worker_programs(path: Path) -> dict[str, str]:
    """Write, by the name of the function that they call, the programs of a script's workers."""
    files = {file for part in _parts(_collected(path), {}) for file in part.own}
    return {
        name: f'"use strict";\n{_joined(file)}\n{name}();\n'
        for file in sorted(files)
        for name in _WORKER.findall(file.read_text(encoding="utf-8"))
    }


def _joined_part(part: _Part) -> str:
    _check_names({**part.before, **part.own})
    exported = [name for file in part.own for name in _EXPORTED.findall(file.read_text("utf-8"))]
    own_parts = _parts(part.own, part.before)
    start = _names_for(part.own, own_parts, "`(${part})(${given.source}).names()`", "...given, ")
    sheets = json.dumps(_text_of(file.with_suffix(".css") for file in part.own), ensure_ascii=False)
    style = f"Object.assign(document.createElement('style'), {{ textContent: {sheets} }})"
    taken = ", ".join(_names_taken(part.before, [part]))
    return "".join(
        [
            f'function part(given, makePart) {{\n"use strict";\nconst {{ {taken} }} = given;\n',
            _START_WORKER if any(map(_WORKER.search, part.own.values())) else "",
            start,
            f"globalThis.document?.head.append({style});\n",
            _INDENTATION.sub("", _with_parts("\n".join(part.own.values()))),
            f"return {{ {', '.join([*exported, *(['names'] if start else [])])} }};\n}}",
        ]
    )


def _joined(path: Path) -> str:
    files = _collected(path)
    _check_names(files)
    *imported, own = files.values()
    imports = (_DEFAULT_EXPORT.sub("", text) for text in imported)
    return _INDENTATION.sub("", "\n".join([*imports, own]))


def _parts(files: Mapping[Path, str], before: Mapping[Path, str]) -> list[_Part]:
    """List what files import later, each part before its own parts."""
    there = {**before, **files}
    return [part for file in _imported_later(files) for part in _part_and_its_own(file, there)]


def _part_and_its_own(path: Path, there: Mapping[Path, str]) -> Iterator[_Part]:
    files = dict(there)
    _collect(path, files)
    part = _Part(path.stem, {f: text for f, text in files.items() if f not in there}, there)
    yield part
    yield from _parts(part.own, there)


def _imported_later(files: Mapping[Path, str]) -> Iterable[Path]:
    found = ((file, name) for file, text in files.items() for name in _LATER.findall(text))
    return dict.fromkeys((file.parent / name).resolve() for file, name in found)


def _with_parts(script: str) -> str:
    """Let a script make what it imports later, once."""
    return _LATER.sub(
        lambda later: '(comingParts.{0} ??= makePart("{0}", names()))'.format(Path(later[1]).stem),
        script,
    )


def _names_for(own: Mapping[Path, str], parts: list[_Part], source: str, given: str = "") -> str:
    """Write the function that hands to parts what they take, and how a worker comes to it."""
    if not parts:
        return ""
    names = ", ".join([*_names_taken(own, parts), f"source: {source}"])
    return f"const comingParts = {{}};\nconst names = () => ({{ {given}{names} }});\n"


def _names_taken(files: Mapping[Path, str], parts: Iterable[_Part]) -> list[str]:
    """List the names that parts take from files."""
    names: dict[str, None] = {}
    for file in (file for part in parts for file in part.own):
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
