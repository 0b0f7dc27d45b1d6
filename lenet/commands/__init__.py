"""The commands of ``python -m lenet``, one a module, each imported when it runs.

A module's own text is the command's help: its first paragraph stands before the arguments, the rest
behind them. `add_arguments` adds those arguments to the command's parser, and `run` does the work
and returns the exit status.
"""
