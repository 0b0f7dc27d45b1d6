"""Run a script, and explain the shape error that ends it.

The script runs as `python SCRIPT` runs it, and its error is shown as always. If a network raised
it, or a loss behind a network, then below it come the reason, and changes that were tried and work.

Example: python -m lenet explain train.py --epochs 1

Exit status: that of the script; 1 if an error ended it, 2 if there is no such script.
"""

from __future__ import annotations

import argparse
import inspect
import runpy
import sys
import traceback
from pathlib import Path

from lenet.shapes import ShapeError, explaining


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a script and what it is given."""
    parser.add_argument("script", type=_script, metavar="SCRIPT", help="a Python file")
    rest = "the script's own arguments"
    parser.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help=rest)


def run(options: argparse.Namespace) -> int:
    """Run the script that `options` name; return the exit status."""
    script = options.script
    sys.argv = [script, *options.arguments]
    sys.path[0] = str(Path(script).resolve().parent)
    try:
        with explaining():
            runpy.run_path(script, run_name="__main__")
    except ShapeError as explained:
        _show(explained.__cause__ or explained, script)
        print(f"\n{explained}", file=sys.stderr)
        return 1
    except Exception as error:
        _show(error, script)
        return 1
    return 0


def _script(name: str) -> str:
    """Refuse what is no file."""
    if not Path(name).is_file():
        raise argparse.ArgumentTypeError(f"there is no file {name!r}")
    return name


def _show(error: BaseException, script: str) -> None:
    """Print an error as Python does for a script, without the lines that ran and watched it."""
    report = traceback.TracebackException.from_exception(error)
    files = [frame.filename for frame in report.stack]
    start = files.index(script) if script in files else len(files)
    ours = Path(inspect.getfile(inspect.unwrap(explaining))).parent
    report.stack[:] = [each for each in report.stack[start:] if Path(each.filename).parent != ours]
    print("".join(report.format()), end="", file=sys.stderr)
