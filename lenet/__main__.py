"""The command line: ``python -m lenet shapes NETWORK --input 1x28x28``."""

from __future__ import annotations

import argparse
import importlib
import inspect
import json
import sys
from collections.abc import Callable, Sequence

from torch import nn

from lenet import models
from lenet.shapes import ShapeError, ShapeTable, trace


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after ``python -m lenet``; those of this process if None.

    Returns:
        The exit status: 0 if all went well, 1 if the network's shapes do not fit. Wrong arguments
        exit with 2.
    """
    parser = argparse.ArgumentParser(
        prog="python -m lenet", description="The networks of the book."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    add_shapes(commands)
    options = parser.parse_args(arguments)
    status: int = options.run(options)
    return status


def add_shapes(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command that prints a network's table of shapes."""
    names = ", ".join(book_networks())
    parser = commands.add_parser(
        "shapes",
        help="print every operation of a network with its shape, formula and cost",
        description="Print every operation of a network with its output shape, the formula of its "
        "size, parameters, multiply-accumulates and receptive field. If shapes do not fit, print "
        "the operations up to the failing one, the reason, and changes that were tried and work.",
        epilog="Exit status: 0 if the network runs, 1 if its shapes do not fit, 2 for arguments "
        "that make no sense. Example: python -m lenet shapes LeNet5 --input 1x28x28",
    )
    parser.add_argument(
        "network",
        type=load_network,
        metavar="NETWORK",
        help=f"a network of the book ({names}), or package.module:NAME of your own, where NAME is "
        "a class or a function that can be called without arguments",
    )
    parser.add_argument(
        "--input",
        type=parse_shape,
        required=True,
        metavar="CxHxW",
        help="the shape of one image, channels first and without the batch: 1x28x28",
    )
    parser.add_argument(
        "--format",
        choices=sorted(FORMATS),
        default="text",
        help="how to print the table (default: %(default)s)",
    )
    parser.set_defaults(run=run_shapes)


def run_shapes(options: argparse.Namespace) -> int:
    """Print the table that `options` asks for; return the exit status."""
    try:
        table = trace(options.network, options.input)
    except ShapeError as error:
        print(error, file=sys.stderr)
        return 1
    print(FORMATS[options.format](table))
    return 0 if table.explanation is None else 1


def book_networks() -> dict[str, type[nn.Module]]:
    """The networks of `lenet.models` by name, in the order in which they are defined."""
    return {
        name: value
        for name, value in vars(models).items()
        if inspect.isclass(value)
        and issubclass(value, nn.Module)
        and value.__module__ == models.__name__
    }


def load_network(name: str) -> nn.Module:
    """Make the network that a name on the command line stands for.

    Raises:
        argparse.ArgumentTypeError: there is no such network, or it cannot be made.
    """
    module_name, colon, attribute = name.partition(":")
    if not colon:
        networks = book_networks()
        if name not in networks:
            raise argparse.ArgumentTypeError(
                f"{name!r} is not one of {', '.join(networks)}; "
                "write package.module:NAME for a network of your own"
            )
        return networks[name]()
    try:
        network = getattr(importlib.import_module(module_name), attribute)()
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise argparse.ArgumentTypeError(f"{name!r} cannot be made: {reason}") from error
    if not isinstance(network, nn.Module):
        raise argparse.ArgumentTypeError(
            f"{name!r} makes a {type(network).__name__}, not a torch.nn.Module"
        )
    return network


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


if __name__ == "__main__":
    sys.exit(main())
