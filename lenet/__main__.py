"""The command line: ``python -m lenet COMMAND``."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from lenet.commands import evaluate, predict, shapes, train

COMMANDS = (shapes, train, evaluate, predict)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after ``python -m lenet``; those of this process if None.

    Returns:
        The exit status: 0 if all went well, 1 if not, as the command's help says. Wrong arguments
        exit with 2.
    """
    parser = argparse.ArgumentParser(
        prog="python -m lenet", description="The networks of the book."
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    options = parser.parse_args(arguments)
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # whoever read the output, such as `head`, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
