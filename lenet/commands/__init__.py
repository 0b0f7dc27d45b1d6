"""The commands of ``python -m lenet``, one a module, each imported when it runs.

A module's own text is the command's help: its first paragraph stands before the arguments, the rest
behind them. `add_arguments` adds those arguments to the command's parser, and `run` does the work
and returns the exit status.

In all of them a network is named as `load_network` reads it.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import operator
import re
import sys
from contextlib import redirect_stdout
from pathlib import Path
from types import ModuleType

from torch import nn

from lenet import models

OWN = (
    "package.module:NAME or path/to/file.py:NAME of your own, where NAME is a network, or a class "
    "or function that makes one; it may be given arguments, as in 'nets.py:Net(10, width=64)'"
)

_OWN_NAME = re.compile(r"(?P<module>.+?):(?P<name>[^\W\d][\w.]*)(?P<call>\(.*\))?")


def book_networks() -> dict[str, type[nn.Module]]:
    """The networks that `lenet.models` hands out, by name, in the order of their definition."""
    return {
        name: value
        for module in (models.lenet, models.lenet1998, models.modern)
        for name, value in vars(module).items()
        if name in models.__all__
    }


def load_network(name: str) -> nn.Module:
    """Make the network that a name on the command line stands for.

    Raises:
        argparse.ArgumentTypeError: there is no such network, or it cannot be made.
    """
    own = _OWN_NAME.fullmatch(name)
    if own is None:
        networks = book_networks()
        if name not in networks:
            raise argparse.ArgumentTypeError(
                f"{name!r} is not one of {', '.join(networks)}; "
                "write package.module:NAME or file.py:NAME for a network of your own"
            )
        return networks[name]()
    try:
        with redirect_stdout(sys.stderr):  # what we print may be read by a program
            network = _make(own["module"], own["name"], own["call"])
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise argparse.ArgumentTypeError(f"{name!r} cannot be made: {reason}") from error
    if not isinstance(network, nn.Module):
        raise argparse.ArgumentTypeError(
            f"{name!r} makes a {type(network).__name__}, not a torch.nn.Module"
        )
    return network


def _make(module: str, name: str, call: str | None) -> object:
    """Find a network, or call what makes one with arguments that are plain Python values."""
    found = operator.attrgetter(name)(_import(module))
    if isinstance(found, nn.Module) and call is None:
        return found
    written = ast.parse(f"_{call or '()'}", mode="eval").body
    assert isinstance(written, ast.Call)
    args = map(ast.literal_eval, written.args)
    return found(*args, **{str(k.arg): ast.literal_eval(k.value) for k in written.keywords})


def _import(module: str) -> ModuleType:
    """Import a module by its name or its file, whose neighbours it may import."""
    if not module.endswith(".py"):
        return importlib.import_module(module)
    path = Path(module).resolve(strict=True)
    sys.path.insert(0, str(path.parent))
    return importlib.import_module(path.stem)
