"""Print every operation of a network with its shape, formula and cost.

The table says for every operation its output shape, the formula of its size, parameters,
multiply-accumulates and receptive field. If shapes do not fit, it ends at the failing operation;
then come the reason, and changes that were tried and work.

Example: python -m lenet shapes LeNet5 --input 1x28x28
Example: python -m lenet shapes 'nets.py:Reader(words=500)' --input 20:long --input mask=20:bool

Exit status: 0 if the network runs, 1 if its shapes do not fit, 2 if the arguments cannot be used;
then one line says why.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Callable
from contextlib import redirect_stdout

import torch

from lenet.commands import OWN, book_networks, load_network
from lenet.shapes import ShapeError, ShapeTable, trace
from lenet.shapes.table import COLUMNS, USUAL_COLUMNS

Input = tuple[str, tuple[int, ...], torch.dtype | None]

MOST_NUMBERS = 10_000_000  # in an input: three channels of 1,800×1,800


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a network, the shapes of its inputs, and what to show in which format."""
    known = f"a network of the book ({', '.join(book_networks())}), or {OWN}"
    parser.add_argument("network", type=load_network, metavar="NETWORK", help=known)
    shape = (
        "the shape of one image, channels first and without the batch: 1x28x28; once for each "
        "input of the network, with NAME= before it for one given by name and :TYPE behind it for "
        "numbers of another type than the weights: mask=20:bool"
    )
    parser.add_argument(
        "--input", type=parse_input, action="append", required=True, metavar="CxHxW", help=shape
    )
    text = f"what to show of each operation, with commas between: {', '.join(COLUMNS)}"
    parser.add_argument("--columns", type=_names, default=USUAL_COLUMNS, help=text)
    text = "show modules one inside the other, opened so deep (default: a list of operations)"
    parser.add_argument("--depth", type=int, metavar="N", help=text)
    how = "how to print the table (default: %(default)s)"
    parser.add_argument("--format", choices=sorted(FORMATS), default="text", help=how)


def run(options: argparse.Namespace) -> int:
    """Print the table that `options` asks for; return the exit status."""
    inputs = sorted(options.input, key=lambda each: bool(each[0]))  # those by name come last
    try:
        with redirect_stdout(sys.stderr):  # a network may print; the table may be read by a program
            table = trace(
                options.network,
                [shape for name, shape, _ in inputs if not name],
                kwargs={name: shape for name, shape, _ in inputs if name},
                dtypes=[dtype for *_, dtype in inputs],
                columns=options.columns,
                depth=options.depth,
            )
    except ShapeError as error:
        print(error, file=sys.stderr)
        return 1
    print(FORMATS[options.format](table))
    return 0 if table.explanation is None else 1


def parse_input(text: str) -> Input:
    """Read ``1x28x28``, ``20:long`` or ``mask=20:bool``: a name, a shape and a type.

    Raises:
        argparse.ArgumentTypeError: there is no list of positive whole numbers, or no such type.
    """
    name, _, rest = text.rpartition("=")
    sizes, _, type_name = rest.partition(":")
    dtype = getattr(torch, type_name, None)
    if type_name and not isinstance(dtype, torch.dtype):
        raise argparse.ArgumentTypeError(f"{type_name!r} is no type: write long, bool or float32")
    return name, parse_shape(sizes), dtype


def parse_shape(text: str) -> tuple[int, ...]:
    """Read ``1x28x28`` or ``1,28,28``.

    Raises:
        argparse.ArgumentTypeError: it is no list of positive whole numbers, or of too large ones.
    """
    parts = [part.strip() for part in text.lower().replace("×", "x").replace(",", "x").split("x")]
    if not all(part.isdecimal() and part.strip("0") for part in parts):
        why = "is no shape: write channels, height and width as 1x28x28"
    elif math.prod(map(float, parts)) > MOST_NUMBERS:  # int refuses thousands of digits
        why = f"has more than {MOST_NUMBERS:,} numbers: the network is run on them"
    else:
        return tuple(map(int, parts))
    raise argparse.ArgumentTypeError(f"{text!r} {why}")


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",")]


def _to_json(table: ShapeTable) -> str:
    """Write the rows, the totals and the explanation as one JSON object."""
    numbers = {name: getattr(table, name) for name in dir(table) if name.startswith("num_")}
    totals = {"network": table.model_name, **numbers, "bytes": vars(table.memory)}
    why = table.explanation and str(table.explanation)
    found = totals | {"explanation": why, "rows": table.to_dicts()}
    return json.dumps(found, indent=2, default=str)


FORMATS: dict[str, Callable[[ShapeTable], str]] = {
    "text": str,
    "markdown": ShapeTable.to_markdown,
    "json": _to_json,
}
