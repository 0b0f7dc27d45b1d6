"""LeNet-style convolutional networks in PyTorch, made to be read.

The file names are the table of contents: import what you need from its module, for example
``from lenet.models import LeNet5``.
"""

__version__ = "0.1.0"
