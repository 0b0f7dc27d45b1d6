"""Print every operation of a network with its shape, formula and cost.

The table says for every operation its output shape, the formula of its size, parameters,
multiply-accumulates and receptive field. If shapes do not fit, it ends at the failing operation;
then come the reason, and changes that were tried and work.

Example: python -m lenet shapes LeNet5 --input 1x28x28

Exit status: 0 if the network runs, 1 if its shapes do not fit, 2 for arguments that make no sense.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable

from lenet.commands.networks import OWN, book_networks, load_network
from lenet.shapes import ShapeError, ShapeTable, trace


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add a network, the shape of its images, and the format of the table."""
    known = f"a network of the book ({', '.join(book_networks())}), or {OWN}"
    parser.add_argument("network", type=load_network, metavar="NETWORK", help=known)
    shape = "the shape of one image, channels first and without the batch: 1x28x28"
    parser.add_argument("--input", type=parse_shape, required=True, metavar="CxHxW", help=shape)
    how = "how to print the table (default: %(default)s)"
    parser.add_argument("--format", choices=sorted(FORMATS), default="text", help=how)


def run(options: argparse.Namespace) -> int:
    """Print the table that `options` asks for; return the exit status."""
    try:
        table = trace(options.network, options.input)
    except ShapeError as error:
        print(error, file=sys.stderr)
        return 1
    print(FORMATS[options.format](table))
    return 0 if table.explanation is None else 1


def parse_shape(text: str) -> tuple[int, ...]:
    """Read ``1x28x28`` or ``1,28,28``.

    Raises:
        argparse.ArgumentTypeError: it is no list of positive whole numbers.
    """
    parts = text.lower().replace("×", "x").replace(",", "x").split("x")
    if not all(part.strip().isdecimal() and int(part) > 0 for part in parts):
        raise argparse.ArgumentTypeError(
            f"{text!r} is no shape: write channels, height and width as 1x28x28"
        )
    return tuple(map(int, parts))


def _to_json(table: ShapeTable) -> str:
    """Write the rows, the totals and the explanation as one JSON object."""
    explanation = None if table.explanation is None else str(table.explanation)
    totals = {
        "network": table.model_name,
        "num_parameters": table.num_parameters,
        "num_unused_parameters": table.num_unused_parameters,
        "num_macs": table.num_macs,
        "num_macs_with_bias": table.num_macs_with_bias,
        "explanation": explanation,
    }
    return json.dumps(totals | {"rows": table.to_dicts()}, indent=2, default=str)


FORMATS: dict[str, Callable[[ShapeTable], str]] = {
    "text": str,
    "markdown": ShapeTable.to_markdown,
    "json": _to_json,
}
