"""The commands of ``python -m lenet``, one a module.

Each module has `add`, which adds the command's arguments to the parser, and `run`, which does the
work and returns the exit status.
"""
