"""Networks by name, as they are written on the command line."""

from __future__ import annotations

import argparse
import importlib
import inspect

from torch import nn

from lenet.models import lenet, lenet1998, modern

OWN = (
    "package.module:NAME of your own, where NAME is a class or a function that can be called "
    "without arguments"
)


def book_networks() -> dict[str, type[nn.Module]]:
    """The networks of `lenet.models` by name, in the order of their definition.

    A network is a module that can be made without arguments; blocks of networks cannot.
    """
    return {
        name: value
        for module in (lenet, lenet1998, modern)
        for name, value in vars(module).items()
        if inspect.isclass(value)
        and issubclass(value, nn.Module)
        and value.__module__ == module.__name__
        and _needs_no_arguments(value)
    }


def _needs_no_arguments(network: type[nn.Module]) -> bool:
    parameters = inspect.signature(network).parameters.values()
    return all(parameter.default is not parameter.empty for parameter in parameters)


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
