"""The command line: ``python -m lenet COMMAND``, or ``lenet COMMAND``."""

from __future__ import annotations

import argparse
import errno
import importlib
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from lenet import __version__

COMMANDS = {  # the module in lenet.commands: what it is for
    "shapes": "print every operation of a network with its shape, formula and cost",
    "explain": "run a script, and explain the shape error that ends it",
    "train": "train a network and save its weights",
    "evaluate": "judge a trained network on test images, class by class",
    "predict": "let a trained network judge picture files",
}

PROGRAM = "python -m lenet"
STATUS = """
Exit status: 0 if all went well, 1 if not, 2 if what was given cannot be used. Then one line says
why; Ctrl-C and SIGTERM end every command with one line, too.
"""
HELP_FORMAT = argparse.RawDescriptionHelpFormatter


class Parser(argparse.ArgumentParser):
    """A parser that complains in one line, as everything behind it does."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments, and exit with 2."""
        self.exit(2, f"{self.prog}: error: {message} (--help tells more)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Args:
        arguments: the words after ``python -m lenet``; those of this process if None.

    Returns:
        The exit status: 0 or 1, as the command's help says.

    Raises:
        SystemExit: What was given cannot be used, and one line on stderr has said why (2); or help
            was asked for (0). Any other error is a fault of this package.
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    try:
        options = _parser(chosen=words[:1]).parse_args(words)
        status: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("Stopped.", file=sys.stderr)
        return 1
    except OSError as error:
        if error.filename is not None:
            _refuse(words, f"{error.strerror}: {error.filename!r}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if error.errno not in (errno.EPIPE, errno.EINVAL):  # else its reader has seen enough
            print(f"the output cannot be written: {error.strerror}", file=sys.stderr)
        return 1
    except ValueError as error:  # a `DataError` and a `CheckpointError` too
        _refuse(words, str(error))
    return status


def _refuse(words: Sequence[str], why: str) -> NoReturn:
    """End as argparse ends where an argument makes no sense."""
    print(f"{PROGRAM} {words[0]}: error: {why}", file=sys.stderr)
    sys.exit(2)


def run() -> int:
    """Run the command of this process, whatever its streams are and whoever ends it."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:  # closed by the shell
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        getattr(sys, name).reconfigure(errors="replace")  # signs that this terminal does not have
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return main()
    finally:  # nothing is left to be ended
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        signal.signal(signal.SIGINT, signal.SIG_IGN)


def _parser(chosen: Sequence[str]) -> argparse.ArgumentParser:
    """Make the parser; only the chosen command is imported, because some of them take seconds."""
    parser = Parser(
        prog=PROGRAM,
        description="The networks of the book.",
        epilog=STATUS,
        formatter_class=HELP_FORMAT,
    )
    parser.add_argument("--version", action="version", version=f"lenet {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, purpose in COMMANDS.items():
        command = commands.add_parser(name, help=purpose, formatter_class=HELP_FORMAT)
        if name in chosen:
            module = importlib.import_module(f"lenet.commands.{name}")
            command.description, _, command.epilog = (module.__doc__ or "").partition("\n\n")
            module.add_arguments(command)
            command.set_defaults(run=module.run)
    return parser


if __name__ == "__main__":
    sys.exit(run())
